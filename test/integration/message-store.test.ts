import { PutCommand } from "@aws-sdk/lib-dynamodb";
import { expect, it } from "vitest";
import { createDocumentClient } from "../../functions/adapters/dynamodb/client.ts";
import { createMessageStore } from "../../functions/adapters/dynamodb/messages.ts";
import { UnreadableItemError } from "../../functions/core/errors.ts";
import { systemClock } from "../../functions/runtime/system.ts";
import { describeMessageStore } from "../support/message-store-contract.ts";
import { clientConfig, stack } from "./support/stack.ts";

const client = createDocumentClient(clientConfig);
const tableName = stack.outputs.MessagesTableName;

describeMessageStore("messages in DynamoDB", (clock) =>
  createMessageStore({ client, tableName, clock }),
);

it("does not guess at an item of a version that it does not know", async () => {
  const removeAt = Math.ceil(Date.now() / 1_000) + 600;
  const item = { pk: "contract#future", sk: "MT", version: 99, account: "contract", removeAt };
  await client.send(new PutCommand({ TableName: tableName, Item: item }));
  const store = createMessageStore({ client, tableName, clock: systemClock });
  await expect(store.find("contract", "future")).rejects.toThrow(UnreadableItemError);
});
