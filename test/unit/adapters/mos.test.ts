import { marshall } from "@aws-sdk/util-dynamodb";
import { describe, expect, it } from "vitest";
import { createDocumentClient } from "../../../functions/adapters/dynamodb/client.ts";
import { createMoStore } from "../../../functions/adapters/dynamodb/mos.ts";
import type { MoStore } from "../../../functions/core/ports.ts";
import { ManualClock } from "../../support/memory.ts";
import { sampleMo } from "../../support/samples.ts";
import { stubbedAws, type WireRequest, type WireResponse } from "../../support/stub-aws.ts";

const clock = new ManualClock();
const mos = Array.from({ length: 150 }, (_, n) => sampleMo(clock.now() + n, { id: n }));
const itemsOf = (found: typeof mos) => found.map((mo) => marshall(mo));

interface WireWrite {
  readonly Put?: { readonly Item: { sk: { S: string } }; readonly ConditionExpression?: string };
  readonly Delete?: { readonly Key: { sk: { S: string } }; readonly ConditionExpression?: string };
}
const writesOf = ({ body }: WireRequest) => body.TransactItems as WireWrite[];

const isTransaction = ({ target }: WireRequest) => target?.endsWith(".TransactWriteItems");

const canceledFor = (...codes: string[]): WireResponse => ({
  status: 400,
  body: {
    __type: "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
    message: "Transaction cancelled",
    CancellationReasons: codes.map((Code) => ({ Code })),
  },
});
const away: WireResponse = {
  status: 500,
  body: { __type: "com.amazonaws.dynamodb.v20120810#InternalServerError", message: "away" },
};

/** A table whose new MOs are those that no transaction has taken yet; of the answers the last one stays. */
function setUp(...transactions: WireResponse[]) {
  const answers = [...transactions];
  let left = mos;
  const { requests, config } = stubbedAws((request) => {
    if (!isTransaction(request)) {
      return { body: { Items: itemsOf(left.slice(0, request.body.Limit as number)) } };
    }
    const answer = (answers.length > 1 ? answers.shift() : answers[0]) ?? {};
    if (!answer.status) left = left.slice(writesOf(request).length);
    return answer;
  });
  const store = createMoStore({
    client: createDocumentClient(config),
    tableName: "Messages",
    clock,
  });
  return { store, requests };
}

describe("taking new MOs from DynamoDB", () => {
  it("takes no more in a transaction than DynamoDB lets it, and only what nobody has taken", async () => {
    const { store, requests } = setUp();
    expect(await store.takeNew("acme", 1_000)).toEqual(mos);
    const writes = requests.filter(isTransaction).map(writesOf);
    expect(writes.map(({ length }) => length)).toEqual([100, 50]);
    expect(writes.flat().map((write) => write.Delete)).toEqual(
      mos.map(({ receivedAt, id }) => ({
        TableName: "Messages",
        Key: { pk: { S: "acme" }, sk: { S: `NEW#${new Date(receivedAt).toISOString()}#${id}` } },
        ConditionExpression: "attribute_exists(pk)",
      })),
    );
  });

  it.each([
    ["had been taken", "ConditionalCheckFailed"],
    ["were being taken", "TransactionConflict"],
  ])("looks again where some %s by others", async (_, code) => {
    const { store, requests } = setUp(canceledFor("None", code), {});
    expect(await store.takeNew("acme", 10)).toEqual(mos.slice(0, 10));
    expect(requests.filter(isTransaction)).toHaveLength(2);
    expect(requests.filter((request) => !isTransaction(request))).toHaveLength(2);
  });

  it("leaves them to others that are faster every time", async () => {
    const { store, requests } = setUp(canceledFor("ConditionalCheckFailed"));
    expect(await store.takeNew("acme", 10)).toEqual([]);
    expect(requests.filter(isTransaction).length).toBeGreaterThan(3);
  });

  it.each(["ThrottlingError", "ProvisionedThroughputExceeded", "ValidationError"])(
    "throws where it was refused for a %s",
    async (code) => {
      const { store, requests } = setUp(canceledFor("ConditionalCheckFailed", code));
      await expect(store.takeNew("acme", 10)).rejects.toThrow("Transaction cancelled");
      expect(requests.filter(isTransaction)).toHaveLength(1);
    },
  );

  it.each([
    ["an answer that does not come", away],
    ["a refusal", canceledFor("ThrottlingError")],
  ])("hands over what it has taken before %s", async (_, answer) => {
    const { store } = setUp({}, answer);
    expect(await store.takeNew("acme", 150)).toEqual(mos.slice(0, 100));
  });

  it("throws where nothing was taken", async () => {
    const { store } = setUp(away);
    await expect(store.takeNew("acme", 150)).rejects.toThrow("away");
  });
});

describe("taking some of the new MOs from DynamoDB", () => {
  interface Query {
    readonly ExpressionAttributeValues: object;
  }
  async function asked(only?: Parameters<MoStore["takeNew"]>[2]) {
    const { store, requests } = setUp();
    await store.takeNew("acme", 10, only);
    return requests[0]?.body as unknown as Query;
  }

  it("looks where a sub-account's are, and only there", async () => {
    expect(await asked()).toMatchObject({
      ExpressionAttributeValues: {
        ":account": { S: "acme" },
        ":from": { S: "NEW#" },
        ":to": { S: "NEW#:" },
      },
    });
    expect(await asked({ subAccount: "sales" })).toMatchObject({
      ExpressionAttributeValues: { ":from": { S: "NEW#~sales#" }, ":to": { S: "NEW#~sales#:" } },
    });
  });

  it("reads none of before a time, however many there are", async () => {
    expect(await asked({ since: 0 })).toMatchObject({
      ExpressionAttributeValues: { ":from": { S: "NEW#1970-01-01T00:00:00.000Z" } },
    });
  });

  it("goes from sub-account to sub-account, past what is older", async () => {
    const of = (subAccount: string, receivedAt: number, id: number) =>
      sampleMo(receivedAt, { subAccount, id });
    const old = [of("a", 1_000, 1), of("b", 1_000, 2), of("c", 1_000, 3)];
    const recent = [of("b", 3_000, 4), of("c", 4_000, 5)];
    const table = [...old, ...recent]
      .map((mo) => ({
        ...mo,
        sk: `NEW#~${mo.subAccount}#${new Date(mo.receivedAt).toISOString()}#${mo.id}`,
      }))
      .sort((one, other) => (one.sk < other.sk ? -1 : 1));
    const read: number[] = [];
    const { config } = stubbedAws(({ body, target }) => {
      if (!target?.endsWith(".Query")) return {};
      const values = body.ExpressionAttributeValues as Record<":from" | ":to", { S: string }>;
      const found = table
        .filter(({ sk }) => sk >= values[":from"].S && sk <= values[":to"].S)
        .slice(0, body.Limit as number);
      if (!values[":to"].S.endsWith("\u007f")) read.push(...found.map(({ id }) => id));
      return { body: { Items: found.map((item) => marshall(item)) } };
    });
    const store = createMoStore({
      client: createDocumentClient(config),
      tableName: "Messages",
      clock: new ManualClock(5_000),
    });
    expect(await store.takeNew("acme", 2, { since: 2_000 })).toEqual(recent);
    expect(read).toEqual([4, 5]);
  });

  it("hands over what it has when its time is up", async () => {
    const slow = new ManualClock();
    const { config } = stubbedAws((request) => {
      slow.advance(6_000);
      return isTransaction(request) ? {} : { body: { Items: itemsOf(mos.slice(0, 100)) } };
    });
    const client = createDocumentClient(config);
    const store = createMoStore({ client, tableName: "Messages", clock: slow });
    expect(await store.takeNew("acme", 1_000)).toHaveLength(100);
  });

  it("takes a sub-account's by the keys that they were stored under", async () => {
    const ours = sampleMo(clock.now(), { subAccount: "sales" });
    const { requests, config } = stubbedAws((request) =>
      isTransaction(request) ? {} : { body: { Items: [marshall(ours)] } },
    );
    const client = createDocumentClient(config);
    const store = createMoStore({ client, tableName: "Messages", clock });
    await store.insert(ours);
    expect(await store.takeNew("acme", 1)).toEqual([ours]);
    const [inserting, taking] = requests.filter(isTransaction).map(writesOf);
    const stored = inserting?.map(({ Put }) => Put?.Item.sk.S) ?? [];
    const at = new Date(ours.receivedAt).toISOString();
    expect(stored).toEqual(["OWNER", `MO#${at}#${ours.id}`, `NEW#~sales#${at}#${ours.id}`]);
    expect(taking?.map((write) => write.Delete?.Key.sk.S)).toEqual(stored.slice(2));
  });

  it("filters a sub-account's out of what is found, whoever took them", async () => {
    const { store, requests } = setUp();
    await store.search("acme", { from: 0, to: 1 }, 10, "sales");
    expect(requests[0]?.body).toMatchObject({ FilterExpression: "subAccount = :subAccount" });
    await store.search("acme", { from: 0, to: 1 }, 10);
    expect(requests.at(-1)?.body).not.toHaveProperty("FilterExpression");
  });
});

describe("storing an MO in DynamoDB", () => {
  const [mo] = mos as [(typeof mos)[0]];

  it("makes it new and known in one step, unless it is known", async () => {
    const { store, requests } = setUp();
    await store.insert(mo);
    const puts = requests.flatMap(writesOf).map(({ Put }) => Put);
    const suffix = `${new Date(mo.receivedAt).toISOString()}#${mo.id}`;
    expect(requests).toHaveLength(1);
    expect(puts.map((put) => [put?.Item.sk.S, put?.ConditionExpression])).toEqual([
      ["OWNER", "attribute_not_exists(pk)"],
      [`MO#${suffix}`, undefined],
      [`NEW#${suffix}`, undefined],
    ]);
  });

  it.each([
    ["whose it was then", { account: "first", subAccount: "sales", dialect: "wavy" }, "first"],
    ["whose it is now where that was not kept", {}, "acme"],
  ])("says where it is known %s", async (_, kept, account) => {
    const { config } = stubbedAws((request) =>
      isTransaction(request)
        ? canceledFor("ConditionalCheckFailed", "None")
        : { body: { Item: marshall({ pk: "#0", sk: "OWNER", ...kept }) } },
    );
    const client = createDocumentClient(config);
    const store = createMoStore({ client, tableName: "Messages", clock });
    expect(await store.insert(mo)).toMatchObject({ account });
  });

  it.each(["TransactionConflict", "ThrottlingError"])("throws for a %s", async (code) => {
    const { store } = setUp(canceledFor("None", code));
    await expect(store.insert(mo)).rejects.toThrow("Transaction cancelled");
  });
});
