import { marshall } from "@aws-sdk/util-dynamodb";
import { describe, expect, it } from "vitest";
import { createDocumentClient } from "../../../functions/adapters/dynamodb/client.ts";
import { createSubAccounts } from "../../../functions/adapters/dynamodb/sub-accounts.ts";
import { UnreadableItemError } from "../../../functions/core/errors.ts";
import type { SubAccount } from "../../../functions/core/sub-account.ts";
import { sampleSubAccount } from "../../support/customer-samples.ts";
import { AWAY } from "../../support/simulated-table.ts";
import { stubbedAws, type WireRequest, type WireResponse } from "../../support/stub-aws.ts";

const sales = sampleSubAccount({ revision: 1 });
const other = sampleSubAccount({ revision: 1, limits: { perDay: 1, prepaid: false } });

const itemOf = (of: SubAccount) =>
  marshall({ pk: "ACCOUNT#acme", sk: `SUBACCOUNT#${of.subAccount}`, ...of });

function subAccountsAnswering(respond: (request: WireRequest) => WireResponse) {
  const { requests, config } = stubbedAws(respond);
  const client = createDocumentClient(config);
  return { requests, subAccounts: createSubAccounts({ client, tableName: "Directory" }) };
}

/** Sub-accounts whose condition fails, as the table holds this one already. */
const subAccountsHolding = (stored: SubAccount) =>
  subAccountsAnswering(() => ({
    status: 400,
    body: {
      __type: "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException",
      message: "The conditional request failed",
      Item: itemOf(stored),
    },
  })).subAccounts;

describe("sub-accounts in DynamoDB", () => {
  it("are there once, whoever comes second", async () => {
    const subAccounts = subAccountsHolding(other);
    expect(await subAccounts.insertSubAccount(sales)).toBe(false);
    expect(await subAccounts.updateSubAccount(sampleSubAccount(), sales)).toBe(false);
  });

  it("are written where the SDK's second try finds what its first has written", async () => {
    const subAccounts = subAccountsHolding(sales);
    expect(await subAccounts.insertSubAccount({ ...sales, optOut: undefined })).toBe(true);
    expect(await subAccounts.updateSubAccount(sampleSubAccount(), sales)).toBe(true);
  });

  it("are listed from all pages, strongly consistently", async () => {
    const { requests, subAccounts } = subAccountsAnswering(({ body }) =>
      body.ExclusiveStartKey
        ? { body: { Items: [itemOf(other)] } }
        : {
            body: { Items: [itemOf(sales)], LastEvaluatedKey: { pk: { S: "a" }, sk: { S: "b" } } },
          },
    );
    expect(await subAccounts.listSubAccounts("acme")).toEqual([sales, other]);
    expect(requests.map(({ body }) => body.ConsistentRead)).toEqual([true, true]);
    expect(requests[0]?.body.ExpressionAttributeValues).toEqual({
      ":account": { S: "ACCOUNT#acme" },
      ":prefix": { S: "SUBACCOUNT#" },
    });
  });

  it("are not taken for absent, or for written, where DynamoDB does not answer", async () => {
    const { subAccounts } = subAccountsAnswering(() => AWAY);
    await expect(subAccounts.findSubAccount("acme", "Sales")).rejects.toThrow("away");
    await expect(subAccounts.insertSubAccount(sales)).rejects.toThrow("away");
    await expect(subAccounts.updateSubAccount(sales, other)).rejects.toThrow("away");
    await expect(subAccounts.removeSubAccount("acme", "Sales")).rejects.toThrow("away");
    await expect(subAccounts.listSubAccounts("acme")).rejects.toThrow("away");
  });

  it("are not guessed at where they are of a version that is not known", async () => {
    const stored = itemOf({ ...sales, version: 2 as 1 });
    const { subAccounts } = subAccountsAnswering(() => ({
      body: { Item: stored, Items: [stored] },
    }));
    await expect(subAccounts.findSubAccount("acme", "Sales")).rejects.toThrow(UnreadableItemError);
    await expect(subAccounts.listSubAccounts("acme")).rejects.toThrow(UnreadableItemError);
  });
});
