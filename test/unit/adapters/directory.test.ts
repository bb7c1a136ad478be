import { marshall } from "@aws-sdk/util-dynamodb";
import { describe, expect, it } from "vitest";
import { createDocumentClient } from "../../../functions/adapters/dynamodb/client.ts";
import { createDirectory } from "../../../functions/adapters/dynamodb/directory.ts";
import type { Account } from "../../../functions/core/account.ts";
import { sampleAccount } from "../../support/samples.ts";
import { stubbedAws } from "../../support/stub-aws.ts";

/** A directory whose condition fails, as the table holds this account already. */
function directoryHolding(stored: Account) {
  const { config } = stubbedAws(() => ({
    status: 400,
    body: {
      __type: "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException",
      message: "The conditional request failed",
      Item: marshall({ pk: "ACCOUNT#acme", sk: "ACCOUNT", kind: "ACCOUNT", ...stored }),
    },
  }));
  return createDirectory({ client: createDocumentClient(config), tableName: "Directory" });
}

describe("accounts in DynamoDB", () => {
  const account = sampleAccount({ revision: 1 });
  const other = sampleAccount({ revision: 1, state: "disabled" });

  it("are there once, whoever comes second", async () => {
    expect(await directoryHolding(other).insertAccount(account)).toBe(false);
    expect(await directoryHolding(other).updateAccount(sampleAccount(), account)).toBe(false);
  });

  it("are written where the SDK's second try finds what its first has written", async () => {
    expect(await directoryHolding(account).insertAccount(account)).toBe(true);
    expect(await directoryHolding(account).updateAccount(sampleAccount(), account)).toBe(true);
  });
});
