import { marshall } from "@aws-sdk/util-dynamodb";
import { describe, expect, it } from "vitest";
import { createDocumentClient } from "../../../functions/adapters/dynamodb/client.ts";
import { createDirectory } from "../../../functions/adapters/dynamodb/directory.ts";
import type { Account } from "../../../functions/core/account.ts";
import { sampleAccount } from "../../support/samples.ts";
import { stubbedAws, type WireRequest, type WireResponse } from "../../support/stub-aws.ts";

const itemOf = ({ account, ...fields }: Partial<Account>) =>
  marshall({ pk: `ACCOUNT#${account}`, sk: "ACCOUNT", kind: "ACCOUNT", account, ...fields });

function directoryAnswering(respond: (request: WireRequest) => WireResponse) {
  const { requests, config } = stubbedAws(respond);
  const client = createDocumentClient(config);
  return { requests, directory: createDirectory({ client, tableName: "Directory" }) };
}

/** A directory whose condition fails, as the table holds this account already. */
function directoryHolding(stored: Partial<Account>) {
  const { directory } = directoryAnswering(() => ({
    status: 400,
    body: {
      __type: "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException",
      message: "The conditional request failed",
      Item: itemOf(stored),
    },
  }));
  return directory;
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

  describe("stored before there were settings", () => {
    const settings = {
      longMessages: false,
      segmentation: "mesago",
      transliterate: false,
      operatorOfMo: false,
      shortCodes: [],
    };
    const {
      longMessages: _long,
      segmentation: _segmentation,
      transliterate: _transliterate,
      operatorOfMo: _operator,
      shortCodes: _codes,
      ...old
    } = account;

    it("have them as new accounts do", async () => {
      const { directory } = directoryAnswering(() => ({ body: { Item: itemOf(old) } }));
      expect(await directory.findAccount("acme")).toEqual({ ...old, ...settings });
      const listing = directoryAnswering(() => ({ body: { Items: [itemOf(old)] } }));
      expect(await listing.directory.listAccounts()).toEqual([{ ...old, ...settings }]);
    });
  });

  it("keep the settings that were stored", async () => {
    const stored = sampleAccount({
      longMessages: true,
      segmentation: "gsm",
      transliterate: true,
      operatorOfMo: true,
      shortCodes: ["27182", "40001"],
    });
    const { directory } = directoryAnswering(() => ({ body: { Item: itemOf(stored) } }));
    expect(await directory.findAccount("acme")).toEqual(stored);
  });

  it("are found by their short codes, on whatever page, the first of several", async () => {
    const pages = [
      [sampleAccount({ account: "none" }), sampleAccount({ account: "a", shortCodes: ["40001"] })],
      [
        sampleAccount({ account: "b", shortCodes: ["271820", "27182"] }),
        sampleAccount({ account: "c", shortCodes: ["27182"] }),
      ],
    ];
    const { directory } = directoryAnswering(({ body }) => {
      expect(body).toMatchObject({
        FilterExpression: "contains(shortCodes, :shortCode)",
        ProjectionExpression: "#account",
      });
      const { S: wanted } = (body.ExpressionAttributeValues as Record<string, { S: string }>)[
        ":shortCode"
      ] as { S: string };
      const [first = [], second = []] = pages.map((page) =>
        page
          .filter(({ shortCodes }) => shortCodes.includes(wanted))
          .map(({ account }) => ({ account: { S: account } })),
      );
      return body.ExclusiveStartKey
        ? { body: { Items: second } }
        : { body: { Items: first, LastEvaluatedKey: { pk: { S: "ACCOUNT#a" } } } };
    });
    expect(await directory.findAccountOfShortCode("40001")).toBe("a");
    expect(await directory.findAccountOfShortCode("27182")).toBe("b");
    expect(await directory.findAccountOfShortCode("2718")).toBeUndefined();
  });
});
