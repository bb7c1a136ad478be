import { marshall } from "@aws-sdk/util-dynamodb";
import { describe, expect, it } from "vitest";
import { createDocumentClient } from "../../../functions/adapters/dynamodb/client.ts";
import { createMoStore } from "../../../functions/adapters/dynamodb/mos.ts";
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

  it("has nothing to do where it is known", async () => {
    const { store, requests } = setUp(canceledFor("ConditionalCheckFailed", "None"));
    await store.insert(mo);
    expect(requests).toHaveLength(1);
  });

  it.each(["TransactionConflict", "ThrottlingError"])("throws for a %s", async (code) => {
    const { store } = setUp(canceledFor("None", code));
    await expect(store.insert(mo)).rejects.toThrow("Transaction cancelled");
  });
});
