import { marshall } from "@aws-sdk/util-dynamodb";
import { describe, expect, it } from "vitest";
import { createDocumentClient } from "../../../functions/adapters/dynamodb/client.ts";
import { createDeliveries } from "../../../functions/adapters/dynamodb/deliveries.ts";
import type { Delivery } from "../../../functions/core/callback-delivery.ts";
import { UnreadableItemError } from "../../../functions/core/errors.ts";
import { messageStatusChanged } from "../../../functions/core/events.ts";
import { ManualClock } from "../../support/memory.ts";
import { sampleMessage } from "../../support/samples.ts";
import { stubbedAws, type WireRequest, type WireResponse } from "../../support/stub-aws.ts";

const clock = new ManualClock();
const endpoint = { account: "acme", endpointId: "endpoint-1" };
const turn = { ...endpoint, subject: "trace-1", level: "sent" as const, turn: 0 };
const delivery: Delivery = {
  version: 1,
  ...turn,
  event: messageStatusChanged(sampleMessage(clock.now(), { state: "SENT" })),
  state: "pending",
  step: 0,
  attempts: [],
  createdAt: clock.now(),
  deadline: clock.now() + 86_400_000,
  removeAt: Math.ceil(clock.now() / 1_000) + 86_400,
};

const itemOf = (stored: Delivery, more: object = {}) =>
  marshall({
    pk: `acme#${stored.endpointId}#${stored.subject}`,
    sk: stored.level,
    ...stored,
    ...more,
  });

function storeAnswering(respond: (request: WireRequest) => WireResponse) {
  const { requests, config } = stubbedAws(respond);
  const client = createDocumentClient(config);
  return { requests, deliveries: createDeliveries({ client, tableName: "Callbacks", clock }) };
}

const conditionFailed = (stored?: object): WireResponse => ({
  status: 400,
  body: {
    __type: "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException",
    message: "The conditional request failed",
    ...(stored && { Item: stored }),
  },
});
const away: WireResponse = {
  status: 500,
  body: { __type: "com.amazonaws.dynamodb.v20120810#InternalServerError", message: "away" },
};

const operationOf = ({ target }: WireRequest) => target?.split(".")[1];
const valuesOf = ({ body }: WireRequest) =>
  body.ExpressionAttributeValues as Record<string, { S?: string; N?: string }>;

describe("a delivery in DynamoDB", () => {
  it("is stored with what its index goes by, and without what those have that are set aside", async () => {
    const { requests, deliveries } = storeAnswering(() => ({}));
    await deliveries.insert(delivery);
    expect(requests[0]?.body.Item).toEqual({
      ...itemOf(delivery, { createdIn: "acme#endpoint-1#1" }),
      recordedBy: { S: expect.stringMatching(/^[0-9a-f-]{36}$/) },
    });
  });

  it("spreads over four partitions of an index, by what it is about", async () => {
    const { requests, deliveries } = storeAnswering(() => ({}));
    for (let n = 0; n < 8; n++) await deliveries.insert({ ...delivery, subject: `trace-${n}` });
    const partitions = requests.map(
      ({ body }) => (body.Item as { createdIn: { S: string } }).createdIn.S,
    );
    expect(partitions.slice(0, 4).sort()).toEqual(
      [0, 1, 2, 3].map((shard) => `acme#endpoint-1#${shard}`),
    );
    expect(partitions.slice(4).sort()).toEqual(partitions.slice(0, 4).sort());
  });

  it("writes none of the index of those set aside while it goes its way", async () => {
    const { requests, deliveries } = storeAnswering(() => ({
      body: { Attributes: itemOf(delivery) },
    }));
    await deliveries.record(turn, { state: "delivered", turn: 1, settledAt: 1 });
    await deliveries.record(turn, { step: 1 });
    await deliveries.record(turn, { state: "failed", cause: "HTTP 500", settledAt: 1 });
    expect(requests.map(({ body }) => body.UpdateExpression)).toEqual([
      "SET recordedBy = :recordedBy, #state = :state, #turn = :turn, #settledAt = :settledAt REMOVE #parkedIn",
      "SET recordedBy = :recordedBy, #step = :step",
      "SET recordedBy = :recordedBy, #state = :state, #cause = :cause, #settledAt = :settledAt, #parkedIn = :parkedIn",
    ]);
    expect(requests.map((request) => valuesOf(request)[":parkedIn"])).toEqual([
      undefined,
      undefined,
      { S: "acme#endpoint-1#failed#1" },
    ]);
  });

  it("is not set aside for anybody where it is a test", async () => {
    const { requests, deliveries } = storeAnswering(() => ({
      body: { Attributes: itemOf(delivery) },
    }));
    const test = { ...turn, level: "test" as const };
    await deliveries.record(test, { state: "failed", settledAt: 1 });
    await deliveries.insert({ ...delivery, ...test, state: "failed", settledAt: 1 });
    expect(requests[0]?.body.UpdateExpression).toContain("REMOVE #parkedIn");
    expect(valuesOf(requests[0] as WireRequest)).not.toHaveProperty(":parkedIn");
    expect(requests[1]?.body.Item).not.toHaveProperty("parkedIn");
  });

  it("is new where the SDK's second try finds what its first has stored", async () => {
    const { deliveries } = storeAnswering(({ body }) => conditionFailed(body.Item as object));
    expect(await deliveries.insert(delivery)).toBe(delivery);
  });

  it("is not new where another has stored the same", async () => {
    const { deliveries } = storeAnswering(() =>
      conditionFailed(itemOf(delivery, { recordedBy: "another" })),
    );
    const stored = await deliveries.insert(delivery);
    expect(stored).toEqual(delivery);
    expect(stored).not.toBe(delivery);
  });

  it("is recorded where the SDK's second try finds what its first has written", async () => {
    const { deliveries } = storeAnswering((request) =>
      conditionFailed(
        itemOf({ ...delivery, turn: 1 }, { recordedBy: valuesOf(request)[":recordedBy"]?.S }),
      ),
    );
    expect(await deliveries.record(turn, { turn: 1 })).toEqual({ ...delivery, turn: 1 });
  });

  it("is not recorded where another has done the same", async () => {
    const { deliveries } = storeAnswering(() =>
      conditionFailed(itemOf({ ...delivery, turn: 1 }, { recordedBy: "another" })),
    );
    expect(await deliveries.record(turn, { turn: 1 })).toBeUndefined();
  });

  it("is not asked for under a key that cannot be one", async () => {
    const { requests, deliveries } = storeAnswering(() => ({}));
    for (const subject of ["a#b", "x".repeat(2_048)]) {
      expect(await deliveries.find({ ...turn, subject })).toBeUndefined();
    }
    expect(requests).toEqual([]);
  });

  it("is not guessed at where it is of an unknown version", async () => {
    const future = itemOf(delivery, { version: 99 });
    const found = storeAnswering(() => ({ body: { Item: future } })).deliveries;
    await expect(found.find(turn)).rejects.toThrow(UnreadableItemError);
    const taken = storeAnswering(() => conditionFailed(future)).deliveries;
    await expect(taken.insert(delivery)).rejects.toThrow(UnreadableItemError);
  });

  it("throws where DynamoDB does not answer", async () => {
    const { deliveries } = storeAnswering(() => away);
    await expect(deliveries.insert(delivery)).rejects.toThrow("away");
    await expect(deliveries.find(turn)).rejects.toThrow("away");
    await expect(deliveries.record(turn, { step: 1 })).rejects.toThrow("away");
    await expect(deliveries.list(endpoint, { before: 1, limit: 1 })).rejects.toThrow("away");
  });
});

describe("lists of deliveries in DynamoDB", () => {
  /** An index of so many, each with a time of its own, newest first, in pages of two. */
  function tableOf(count: number, gone: (n: number) => boolean = () => false) {
    const all = Array.from({ length: count }, (_, n) => ({
      ...delivery,
      subject: `trace-${n}`,
      createdAt: delivery.createdAt - n,
      ...(gone(n) && { removeAt: 1 }),
    }));
    const answer = (request: WireRequest): WireResponse => {
      if (operationOf(request) === "BatchGetItem") {
        const { Callbacks } = request.body.RequestItems as {
          Callbacks: { Keys: { pk: { S: string } }[] };
        };
        const wanted = Callbacks.Keys.map(({ pk }) => pk.S);
        const items = all
          .map((one) => itemOf(one))
          .filter(({ pk }) => wanted.includes(pk?.S ?? ""));
        return { body: { Responses: { Callbacks: items.reverse() } } };
      }
      const shard = Number(valuesOf(request)[":partition"]?.S?.at(-1));
      const start = Number((request.body.ExclusiveStartKey as { n?: { N: string } })?.n?.N ?? 0);
      const here = all.filter(
        ({ subject }) => subject.charCodeAt(subject.length - 1) % 4 === shard,
      );
      const Items = here
        .slice(start, start + 2)
        .map(({ subject, createdAt }) =>
          marshall({ pk: `acme#endpoint-1#${subject}`, sk: "sent", createdAt }),
        );
      const more = here.length > start + 2;
      return { body: { Items, ...(more && { LastEvaluatedKey: marshall({ n: start + 2 }) }) } };
    };
    return { all, ...storeAnswering(answer) };
  }

  it("come in order from all partitions, whatever pages they come in", async () => {
    const { all, deliveries } = tableOf(23);
    const page = { before: clock.now() + 1, limit: 100 };
    expect(await deliveries.list(endpoint, page)).toEqual(all);
  });

  it("are as long as wanted, also where some are past their removal", async () => {
    const { all, deliveries } = tableOf(23, (n) => n % 3 === 0);
    const page = { before: clock.now() + 1, limit: 7 };
    expect(await deliveries.list(endpoint, page)).toEqual(
      all.filter((_, n) => n % 3 !== 0).slice(0, 7),
    );
  });

  it("read no more than they need", async () => {
    const { requests, deliveries } = tableOf(40);
    await deliveries.list(endpoint, { before: clock.now() + 1, limit: 1 });
    expect(requests.map(operationOf).sort()).toEqual(["BatchGetItem", ...Array(4).fill("Query")]);
    expect(requests.find((request) => operationOf(request) === "Query")?.body).toMatchObject({
      IndexName: "created",
      ScanIndexForward: false,
      Limit: 1,
    });
  });
});
