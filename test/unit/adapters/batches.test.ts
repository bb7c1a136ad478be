import { randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import { createBatchStore } from "../../../functions/adapters/dynamodb/batches.ts";
import { createDocumentClient } from "../../../functions/adapters/dynamodb/client.ts";
import { UnreadableItemError } from "../../../functions/core/errors.ts";
import { ManualClock } from "../../support/memory.ts";
import { sampleMessage } from "../../support/samples.ts";
import { stubbedAws, type WireRequest, type WireResponse } from "../../support/stub-aws.ts";

const now = new ManualClock().now();
const batch = { account: "acme", batchId: "batch-1" };

type WireItem = Record<string, { S?: string; B?: string }>;

/** Until when there may be open batches, as it is stored. */
const MAY_BE_OPEN: WireResponse = {
  body: { Item: { removeAt: { N: String(now / 1_000 + 30 * 86_400) } } },
};

const isOf = (operation: string) => (request: WireRequest) =>
  request.target === `DynamoDB_20120810.${operation}`;

function storeAnswering(respond?: (request: WireRequest) => WireResponse) {
  const { requests, config } = stubbedAws(respond);
  const client = createDocumentClient(config);
  const clock = new ManualClock(now);
  return { requests, clock, store: createBatchStore({ client, tableName: "Messages", clock }) };
}

const messagesWith = (textBytes: number) =>
  Array.from({ length: 1_000 }, (_, n) =>
    sampleMessage(now, {
      id: `id-${n}`,
      traceId: `trace-${n}`,
      text: randomBytes(textBytes).toString("base64"),
    }),
  );

/** What `keep` has written, as a query for it would find it. */
async function itemsOfBatch(textBytes: number) {
  const messages = messagesWith(textBytes);
  const { requests, store } = storeAnswering();
  await store.keep(batch, messages);
  const items = requests.filter(isOf("PutItem")).map(({ body }) => body.Item as WireItem);
  const pieces = items.filter((item) => sortKey(item).startsWith("BATCH#"));
  return { messages, items: pieces.sort((one, other) => (sortKey(one) < sortKey(other) ? -1 : 1)) };
}
const sortKey = ({ sk }: WireItem) => sk?.S ?? "";

describe("a batch in DynamoDB", () => {
  it("is kept in pieces that DynamoDB takes as items", async () => {
    const { items } = await itemsOfBatch(1_000);
    expect(items.length).toBeGreaterThan(1);
    for (const item of items) {
      const bytes = Buffer.from(item.content?.B ?? "", "base64").length;
      expect(bytes).toBeGreaterThan(0);
      expect(bytes).toBeLessThan(390_000);
    }
  });

  it("is put together again from any number of pieces, on any number of pages", async () => {
    const { messages, items } = await itemsOfBatch(3_600);
    expect(items.length).toBeGreaterThan(10);
    const { requests, store } = storeAnswering(({ body }) => {
      const { ExclusiveStartKey: last } = body as { ExclusiveStartKey?: WireItem };
      const from = last ? items.findIndex((item) => sortKey(item) === sortKey(last)) + 1 : 0;
      const page = items.slice(from, from + 2);
      const [, end] = page;
      const { pk, sk } = end ?? {};
      const isLast = from + 2 >= items.length;
      return { body: { Items: page, ...(!isLast && { LastEvaluatedKey: { pk, sk } }) } };
    });
    expect(await store.load(batch)).toEqual(messages);
    expect(requests).toHaveLength(Math.ceil(items.length / 2));
    for (const request of requests) {
      expect(isOf("Query")(request)).toBe(true);
      expect(request.body.ConsistentRead).toBe(true);
    }
  });

  it("is not guessed at where it is of a version that is not known", async () => {
    const { store } = storeAnswering((request) =>
      isOf("GetItem")(request) ? MAY_BE_OPEN : { body: { Items: [{ version: { N: "2" } }] } },
    );
    await expect(store.load(batch)).rejects.toThrow(UnreadableItemError);
    await expect(store.findOpen("acme", ["id-1"])).rejects.toThrow(UnreadableItemError);
  });

  it("is not read where none of the ids asked for is in it, or it is past its removal", async () => {
    const writing = storeAnswering();
    await writing.store.keep(batch, messagesWith(1));
    await writing.store.open(batch, messagesWith(1));
    const written = writing.requests
      .filter(isOf("PutItem"))
      .map(({ body }) => body.Item as WireItem);
    const [ids, opened] = ["IDS", "OPEN#"].map((prefix) =>
      written.find((item) => sortKey(item).startsWith(prefix)),
    );
    const { requests, clock, store } = storeAnswering((request) => {
      if (isOf("GetItem")(request)) return MAY_BE_OPEN;
      if (isOf("BatchGetItem")(request)) return { body: { Responses: { Messages: [ids] } } };
      const { ExpressionAttributeValues: values } = request.body as {
        ExpressionAttributeValues: WireItem;
      };
      return { body: { Items: values[":prefix"]?.S === "OPEN#" ? [opened] : [] } };
    });
    const made = (operation: string) => requests.filter(isOf(operation)).length;
    expect(await store.findOpen("acme", ["unknown"])).toEqual([]);
    expect([made("Query"), made("BatchGetItem")]).toEqual([1, 1]);
    expect(requests.slice(0, 2).map(({ body }) => body.ConsistentRead)).toEqual([true, true]);
    // What ids it has is remembered: it never changes.
    await store.findOpen("acme", ["unknown", "id-999"]);
    expect([made("Query"), made("BatchGetItem")]).toEqual([3, 1]);
    clock.advance(2 * 86_400_000);
    await store.findOpen("acme", ["id-999"]);
    expect([made("Query"), made("BatchGetItem")]).toEqual([4, 1]);
  });

  it("is not read either where a correlation id asked for is only an id in it, or the other way round", async () => {
    const messages = [
      sampleMessage(now, { id: "a", traceId: "1", correlationId: "shared" }),
      sampleMessage(now, { id: "b", traceId: "2", correlationId: "shared" }),
    ];
    const writing = storeAnswering();
    await writing.store.keep(batch, messages);
    await writing.store.open(batch, messages);
    const written = writing.requests
      .filter(isOf("PutItem"))
      .map(({ body }) => body.Item as WireItem);
    const beginning = (prefix: string) =>
      written.filter((item) => sortKey(item).startsWith(prefix));
    const { requests, store } = storeAnswering((request) => {
      if (isOf("GetItem")(request)) return MAY_BE_OPEN;
      if (isOf("BatchGetItem")(request)) {
        return { body: { Responses: { Messages: beginning("IDS") } } };
      }
      const { ExpressionAttributeValues: values } = request.body as {
        ExpressionAttributeValues: WireItem;
      };
      return { body: { Items: beginning(values[":prefix"]?.S ?? "") } };
    });
    const loads = () => requests.filter(isOf("Query")).length;
    expect(await store.findOpen("acme", ["shared"], ["a"])).toEqual([]);
    expect(loads()).toBe(1);
    const found = await store.findOpen("acme", ["a"], ["shared"]);
    expect(found.map(({ message }) => message)).toEqual(messages);
    expect(loads()).toBe(3);
  });

  it("is not looked for where the account has not sent any for as long as they can be open", async () => {
    const writing = storeAnswering();
    await writing.store.open(batch, messagesWith(1));
    const [noted] = writing.requests.filter(isOf("UpdateItem")) as [WireRequest];
    const { Key, ExpressionAttributeValues: values } = noted.body as {
      Key: WireItem;
      ExpressionAttributeValues: Record<string, { N: string }>;
    };
    expect(Key).toEqual({ pk: { S: "acme" }, sk: { S: "OPEN" } });
    const until = Number(values[":removeAt"]?.N);
    const { requests, clock, store } = storeAnswering((request) =>
      isOf("GetItem")(request)
        ? { body: { Item: { removeAt: values[":removeAt"] } } }
        : { body: { Items: [] } },
    );
    clock.time = until * 1_000 - 1;
    await store.findOpen("acme", ["id-1"]);
    clock.time = until * 1_000;
    await store.findOpen("acme", ["id-1"]);
    expect(requests.map(({ target }) => target?.split(".")[1])).toEqual([
      "GetItem",
      "Query",
      "GetItem",
    ]);
  });

  it("is noted to be open, also where a later one is noted already", async () => {
    const refused = "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException";
    const { requests, store } = storeAnswering((request) =>
      isOf("UpdateItem")(request)
        ? { status: 400, body: { __type: refused, message: "no" } }
        : { body: {} },
    );
    await store.open(batch, messagesWith(1));
    expect(requests.map(({ target }) => target?.split(".")[1])).toEqual(["UpdateItem", "PutItem"]);
  });

  it("is neither begun with nor withdrawn where DynamoDB does not answer", async () => {
    const { store } = storeAnswering(() => ({
      status: 400,
      body: { __type: "com.amazonaws.dynamodb.v20120810#ThrottlingException", message: "away" },
    }));
    await expect(store.begin(batch)).rejects.toThrow("away");
    await expect(store.withdraw(batch)).rejects.toThrow("away");
  });
});
