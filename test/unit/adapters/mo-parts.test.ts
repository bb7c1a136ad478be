import { marshall } from "@aws-sdk/util-dynamodb";
import { describe, expect, it } from "vitest";
import { createDocumentClient } from "../../../functions/adapters/dynamodb/client.ts";
import { changeOfRecord } from "../../../functions/adapters/dynamodb/message-stream.ts";
import { createMoParts } from "../../../functions/adapters/dynamodb/mo-parts.ts";
import type { MoInParts, PartsKey } from "../../../functions/core/assemble-mo.ts";
import { UnreadableItemError } from "../../../functions/core/errors.ts";
import { ManualClock } from "../../support/memory.ts";
import { MemoryMoParts } from "../../support/memory-mo-parts.ts";
import { describeMoParts } from "../../support/mo-parts-contract.ts";
import { stubbedAws, type WireRequest, type WireResponse } from "../../support/stub-aws.ts";

describeMoParts("MOs in parts in memory", (clock) => new MemoryMoParts(clock));

const clock = new ManualClock();
const key: PartsKey = {
  carrier: "kannel",
  from: "5519900001111",
  shortCode: "27182",
  reference: 7,
  total: 2,
};
const mo = (removeAt: number, text = "a"): MoInParts => ({
  id: "m/1",
  at: 1,
  state: "open",
  parts: [{ order: 1, carrierMessageId: "m", text, at: 1 }],
  removeAt,
});

function setUp(...answers: WireResponse[]) {
  const { requests, config } = stubbedAws(() => answers.shift() ?? {});
  const client = createDocumentClient(config);
  return { requests, store: createMoParts({ client, tableName: "Messages", clock }) };
}
const itemOf = ([request]: readonly WireRequest[]) =>
  (request?.body.Item ?? {}) as Record<string, { S: string }>;
const refused: WireResponse = {
  status: 400,
  body: {
    __type: "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException",
    message: "The conditional request failed",
  },
};

describe("MOs in parts in DynamoDB", () => {
  it("are one item, which is replaced where nothing was, or what was is past its removal", async () => {
    const { requests, store } = setUp();
    expect(await store.replace(key, undefined, [mo(100), mo(300), mo(200)])).toBe(true);
    expect(requests[0]).toMatchObject({
      target: "DynamoDB_20120810.PutItem",
      body: {
        Item: {
          pk: { S: expect.stringMatching(/^#[\da-f]{64}$/) },
          sk: { S: "PARTS" },
          version: { N: "1" },
          revision: { N: "1" },
          removeAt: { N: "300" },
        },
        ConditionExpression: "attribute_not_exists(pk) OR removeAt <= :now",
      },
    });
  });

  it("are replaced where they are what was found", async () => {
    const { requests, store } = setUp({}, refused);
    expect(await store.replace(key, 4, [mo(100)])).toBe(true);
    expect(requests[0]?.body).toMatchObject({
      Item: { revision: { N: "5" } },
      ConditionExpression: "revision = :revision",
      ExpressionAttributeValues: { ":revision": { N: "4" } },
    });
    expect(await store.replace(key, 4, [mo(100)])).toBe(false);
  });

  it("go over the wire without half of a character, and lose none", async () => {
    const { requests, store } = setUp();
    const half = mo(clock.now() / 1_000 + 60, "a\ud83d");
    await store.replace(key, undefined, [half]);
    const Item = itemOf(requests);
    expect(Item.mos?.S.isWellFormed()).toBe(true);
    expect(Item.mos?.S).toContain("\\ud83d");
    const reading = setUp({ body: { Item } });
    expect(await reading.store.find(key)).toEqual({ revision: 1, mos: [half] });
  });

  it.each([
    ["another version", { version: 2, revision: 1, mos: "[]", removeAt: 9e9 }],
    ["no JSON", { version: 1, revision: 1, mos: "[", removeAt: 9e9 }],
    ["other MOs", { version: 1, revision: 1, mos: '[{"id":1}]', removeAt: 9e9 }],
  ])("are not guessed at: %s", async (_, item) => {
    const { store } = setUp({ body: { Item: marshall(item) } });
    await expect(store.find(key)).rejects.toThrow(UnreadableItemError);
  });

  it("throw what DynamoDB throws", async () => {
    const away: WireResponse = {
      status: 500,
      body: { __type: "com.amazonaws.dynamodb.v20120810#InternalServerError", message: "away" },
    };
    const { store } = setUp(away, away);
    await expect(store.find(key)).rejects.toThrow("away");
    await expect(store.replace(key, 1, [mo(100)])).rejects.toThrow("away");
  });

  it("are nothing that anybody is told of", async () => {
    const { requests, store } = setUp();
    await store.replace(key, undefined, [mo(100)]);
    const Item = itemOf(requests);
    const { pk, sk } = Item;
    const record = { eventName: "INSERT", dynamodb: { Keys: { pk, sk }, NewImage: Item } } as const;
    expect(changeOfRecord(record as never)).toBeUndefined();
  });
});
