import { marshall } from "@aws-sdk/util-dynamodb";
import { describe, expect, it } from "vitest";
import { createDocumentClient } from "../../../functions/adapters/dynamodb/client.ts";
import { createDirectory } from "../../../functions/adapters/dynamodb/directory.ts";
import type { Account, Endpoint } from "../../../functions/core/account.ts";
import { sampleAccount, sampleEndpoint } from "../../support/samples.ts";
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

describe("endpoints in DynamoDB", () => {
  const endpoint = sampleEndpoint({ createdAt: 5, revision: 3 });
  const changed = { ...endpoint, url: "https://customer.example/new", revision: 4 };
  const storedOf = (it: Endpoint) =>
    marshall({ pk: "ACCOUNT#acme", sk: "ENDPOINT#endpoint-1", ...it });
  const { format: _, headers: __, secrets: ___, revision: ____, ...old } = sampleEndpoint();

  it("are read strongly consistent, alone and together", async () => {
    const { requests, directory } = directoryAnswering(({ target }) =>
      target?.endsWith("GetItem")
        ? { body: { Item: storedOf(endpoint) } }
        : { body: { Items: [storedOf(endpoint)] } },
    );
    expect(await directory.findEndpoint("acme", "endpoint-1")).toEqual(endpoint);
    expect(await directory.listEndpoints("acme")).toEqual([endpoint]);
    expect(requests.map(({ body }) => body.ConsistentRead)).toEqual([true, true]);
  });

  it("from before they had a format, headers and secrets have them as they were told", async () => {
    const Item = marshall({ pk: "ACCOUNT#acme", sk: "ENDPOINT#endpoint-1", ...old });
    const { directory } = directoryAnswering(() => ({ body: { Item } }));
    expect(await directory.findEndpoint("acme", "endpoint-1")).toEqual({
      ...old,
      format: "dialect",
      headers: {},
      secrets: [],
      revision: 0,
    });
  });

  it.each([
    ["counted", endpoint, "revision = :revision AND createdAt = :createdAt"],
    [
      "not counted yet",
      { ...endpoint, revision: 0 },
      "(attribute_not_exists(revision) OR revision = :revision) AND createdAt = :createdAt",
    ],
  ])(
    "are changed where they are as they were read, their changes %s",
    async (_n, read, condition) => {
      const { requests, directory } = directoryAnswering(() => ({}));
      expect(await directory.updateEndpoint(read, changed)).toBe(true);
      expect(requests[0]?.body).toMatchObject({
        Item: storedOf(changed),
        ConditionExpression: condition,
        ExpressionAttributeValues: marshall({ ":revision": read.revision, ":createdAt": 5 }),
      });
    },
  );

  it("are not changed where somebody else was faster, but where an earlier try of ours was", async () => {
    const refusing = (stored?: Endpoint) =>
      directoryAnswering(() => ({
        status: 400,
        body: {
          __type: "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException",
          message: "The conditional request failed",
          ...(stored && { Item: storedOf(stored) }),
        },
      })).directory;
    expect(await refusing().updateEndpoint(endpoint, changed)).toBe(false);
    const others = { ...changed, callbackOption: "NONE" as const };
    expect(await refusing(others).updateEndpoint(endpoint, changed)).toBe(false);
    expect(await refusing(changed).updateEndpoint(endpoint, changed)).toBe(true);
  });

  it("are not looked for under ids that are longer than DynamoDB takes", async () => {
    const { requests, directory } = directoryAnswering(() => ({}));
    expect(await directory.findEndpoint("acme", "x".repeat(2_000))).toBeUndefined();
    expect(await directory.removeEndpoint("acme", "x".repeat(2_000))).toBe(false);
    expect(requests).toEqual([]);
  });
});
