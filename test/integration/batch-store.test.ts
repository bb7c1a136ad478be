import { createBatchStore } from "../../functions/adapters/dynamodb/batches.ts";
import { createDocumentClient } from "../../functions/adapters/dynamodb/client.ts";
import { describeBatchStore } from "../support/batch-store-contract.ts";
import { clientConfig, stack } from "./support/stack.ts";

const client = createDocumentClient(clientConfig);
const tableName = stack.outputs.MessagesTableName;

describeBatchStore("batches in DynamoDB", (clock) =>
  createBatchStore({ client, tableName, clock }),
);
