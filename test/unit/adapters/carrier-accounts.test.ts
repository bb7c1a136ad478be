import { marshall } from "@aws-sdk/util-dynamodb";
import { describe, expect, it } from "vitest";
import { createCarrierAccounts } from "../../../functions/adapters/dynamodb/carrier-accounts.ts";
import { createDocumentClient } from "../../../functions/adapters/dynamodb/client.ts";
import type { CarrierAccount } from "../../../functions/core/carrier-account.ts";
import { UnreadableItemError } from "../../../functions/core/errors.ts";
import { AWAY } from "../../support/simulated-table.ts";
import { stubbedAws, type WireRequest, type WireResponse } from "../../support/stub-aws.ts";

const vivo: CarrierAccount = {
  version: 1,
  carrier: "vivo",
  protocol: "sandbox",
  secrets: [{ hash: "h", createdAt: 5 }],
  createdAt: 5,
  revision: 2,
};
const changed: CarrierAccount = { ...vivo, revision: 3 };
const key = { pk: "CARRIER#vivo", sk: "CARRIER" };
const itemOf = (account: CarrierAccount) => ({ ...key, kind: "CARRIER", ...account });

function accountsAnswering(respond: (request: WireRequest) => WireResponse) {
  const { requests, config } = stubbedAws(respond);
  const client = createDocumentClient(config);
  return { requests, accounts: createCarrierAccounts({ client, tableName: "Directory" }) };
}

/** Accounts whose condition fails, as the table holds this one already. */
const accountsHolding = (stored: CarrierAccount) =>
  accountsAnswering(() => ({
    status: 400,
    body: {
      __type: "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException",
      message: "The conditional request failed",
      Item: marshall(itemOf(stored)),
    },
  })).accounts;

describe("carrier accounts in DynamoDB", () => {
  it("are found by their name, strongly consistently", async () => {
    const { requests, accounts } = accountsAnswering(() => ({
      body: { Item: marshall(itemOf(vivo)) },
    }));
    expect(await accounts.findCarrierAccount("vivo")).toEqual(vivo);
    expect(requests.map(({ body }) => body)).toEqual([
      { TableName: "Directory", Key: marshall(key), ConsistentRead: true },
    ]);
    const { accounts: none } = accountsAnswering(() => ({}));
    expect(await none.findCarrierAccount("vivo")).toBeUndefined();
  });

  it("are there once, and are changed by nobody else meanwhile", async () => {
    const { requests, accounts } = accountsAnswering(() => ({}));
    expect(await accounts.insertCarrierAccount(vivo)).toBe(true);
    expect(await accounts.updateCarrierAccount(vivo, changed)).toBe(true);
    expect(requests.map(({ body }) => body)).toMatchObject([
      { Item: marshall(itemOf(vivo)), ConditionExpression: "attribute_not_exists(pk)" },
      {
        Item: marshall(itemOf(changed)),
        ConditionExpression: "revision = :revision AND createdAt = :createdAt",
        ExpressionAttributeValues: marshall({ ":revision": 2, ":createdAt": 5 }),
      },
    ]);
    const other = { ...vivo, createdAt: 7 };
    expect(await accountsHolding(other).insertCarrierAccount(vivo)).toBe(false);
    expect(await accountsHolding(other).updateCarrierAccount(vivo, changed)).toBe(false);
    // The SDK's second try finds what its first has written.
    expect(await accountsHolding(changed).updateCarrierAccount(vivo, changed)).toBe(true);
  });

  it("are removed once", async () => {
    const { accounts } = accountsAnswering(() => ({
      body: { Attributes: marshall(itemOf(vivo)) },
    }));
    expect(await accounts.removeCarrierAccount("vivo")).toBe(true);
    const { accounts: none } = accountsAnswering(() => ({}));
    expect(await none.removeCarrierAccount("vivo")).toBe(false);
  });

  it("are listed from all pages of the index by kind", async () => {
    const { requests, accounts } = accountsAnswering(({ body }) =>
      body.ExclusiveStartKey
        ? { body: { Items: [marshall(itemOf(changed))] } }
        : { body: { Items: [marshall(itemOf(vivo))], LastEvaluatedKey: marshall(key) } },
    );
    expect(await accounts.listCarrierAccounts()).toEqual([vivo, changed]);
    expect(requests[0]?.body).toMatchObject({
      IndexName: "kind",
      ExpressionAttributeValues: marshall({ ":carrier": "CARRIER" }),
    });
  });

  it("are not taken for absent where DynamoDB does not answer, nor guessed at", async () => {
    const { accounts } = accountsAnswering(() => AWAY);
    await expect(accounts.findCarrierAccount("vivo")).rejects.toThrow("away");
    await expect(accounts.insertCarrierAccount(vivo)).rejects.toThrow("away");
    const { accounts: newer } = accountsAnswering(() => ({
      body: { Item: marshall({ ...itemOf(vivo), version: 2 }) },
    }));
    await expect(newer.findCarrierAccount("vivo")).rejects.toThrow(UnreadableItemError);
  });
});
