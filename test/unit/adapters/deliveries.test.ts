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

/** As it is written now: without what its key and its event's state say. */
const shortItemOf = (stored: Delivery, more: object = {}) =>
  marshall({
    pk: `acme#${stored.endpointId}#${stored.subject}`,
    sk: stored.level,
    version: 2,
    event: {
      id: "id-1",
      dialect: "mesago",
      destination: "5519900001111",
      state: "SENT",
      at: clock.now(),
      acceptedAt: clock.now(),
      attempts: 0,
    },
    state: stored.state,
    turn: stored.turn,
    createdAt: stored.createdAt,
    removeAt: stored.removeAt,
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

/** What DynamoDB counts of values: texts by their bytes, numbers by half of their digits, and a little for each. */
function sizeOf(value: unknown): number {
  if (Array.isArray(value)) return value.reduce((sum: number, one) => sum + sizeOf(one), 0);
  const [[kind, of] = ["", ""]] = Object.entries(value as Record<string, unknown>);
  if (kind === "S") return Buffer.byteLength(of as string);
  if (kind === "N") return Math.ceil((of as string).length / 2) + 1;
  if (kind === "L") return 3 + (of as unknown[]).length + sizeOf(of);
  const fields = Object.entries(of as Record<string, unknown>);
  return fields.reduce((sum, [name, one]) => sum + 1 + name.length + sizeOf(one), 3);
}

const operationOf = ({ target }: WireRequest) => target?.split(".")[1];
const valuesOf = ({ body }: WireRequest) =>
  body.ExpressionAttributeValues as Record<string, { S?: string; N?: string }>;

describe("a delivery in DynamoDB", () => {
  it("is stored with what its index goes by, and without what those have that are set aside", async () => {
    const { requests, deliveries } = storeAnswering(() => ({}));
    await deliveries.insert(delivery);
    expect(requests[0]?.body.Item).toEqual({
      ...shortItemOf(delivery, { createdIn: "acme#endpoint-1#1" }),
      recordedBy: { S: expect.stringMatching(/^[0-9a-f-]{36}$/) },
    });
  });

  it("is read as it was stored, at length before and briefly now", async () => {
    for (const item of [itemOf(delivery), shortItemOf(delivery)]) {
      const { deliveries } = storeAnswering(() => ({ body: { Item: item } }));
      expect(await deliveries.find(turn)).toEqual(delivery);
    }
  });

  it("is not guessed at where its event is none, or its level", async () => {
    for (const change of [
      { event: { state: "LOST", at: 1 } },
      { event: { at: Number.MAX_SAFE_INTEGER } },
      { event: {} },
      { sk: "read" },
    ]) {
      const item = shortItemOf(delivery, change);
      const { deliveries } = storeAnswering(() => ({ body: { Item: item } }));
      await expect(deliveries.find(turn)).rejects.toThrow(UnreadableItemError);
    }
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

describe("deliveries that were told together, in DynamoDB", () => {
  const UUID = "0190d3c4-7a52-7c3b-9a4e-5f6d7c8b9a0e";
  const toldOf = (count: number): Delivery[] =>
    Array.from({ length: count }, (_, n) => {
      const message = sampleMessage(clock.now(), {
        state: "DELIVERED",
        traceId: `${UUID.slice(0, -2)}${String(n).padStart(2, "0")}`,
        id: UUID,
        sentAt: clock.now(),
        attempts: 1,
        carrier: "kannel",
        carrierMessageId: UUID,
        operator: "Claro",
        shortCode: "27182",
        callbackOption: "FINAL",
        batch: { batchId: UUID, dueTogether: 1_000 },
      });
      return {
        ...delivery,
        endpointId: UUID,
        subject: message.traceId,
        level: "delivered",
        event: messageStatusChanged(message, { state: "SENT" }),
        state: "delivered",
        turn: 2,
        attempts: [{ at: clock.now(), durationMs: 104, status: 200, answer: '{"ok":true}' }],
        settledAt: clock.now(),
      };
    });
  type Statements = { Statement: string; Parameters: object[] }[];
  const statementsOf = ({ body }: WireRequest) => body.Statements as Statements;

  it("take one request for as many as are told together, and no index", async () => {
    const { requests, deliveries } = storeAnswering(({ body }) => ({
      body: { Responses: (body.Statements as Statements).map(() => ({})) },
    }));
    const told = toldOf(24);
    expect(await deliveries.insertTold(told)).toEqual(told);
    expect(requests.map(operationOf)).toEqual(["BatchExecuteStatement"]);
    const statements = statementsOf(requests[0] as WireRequest);
    expect(statements).toHaveLength(25);
    for (const { Statement } of statements) expect(Statement).not.toMatch(/createdIn|parkedIn/);
    const [note] = statements.filter(({ Statement }) => Statement.includes("subjects"));
    expect(note?.Parameters).toMatchObject([
      { S: `acme#${UUID}` },
      { S: expect.stringMatching(/^TOLD#0001772463600000#[0-9a-f]{8}$/) },
      { M: { delivered: { L: told.map(({ subject }) => ({ S: subject })) } } },
      { N: String(delivery.removeAt) },
    ]);
  });

  it("take a kilobyte each at most, where ordinary things are told", async () => {
    const { requests, deliveries } = storeAnswering(({ body }) => ({
      body: { Responses: (body.Statements as Statements).map(() => ({})) },
    }));
    await deliveries.insertTold(toldOf(24));
    const sizes = statementsOf(requests[0] as WireRequest).map(
      ({ Statement, Parameters }) =>
        // What JSON adds is more than what DynamoDB counts.
        Statement.length - 'INSERT INTO "Callbacks" VALUE {}'.length + sizeOf(Parameters),
    );
    expect(Math.max(...sizes)).toBeLessThanOrEqual(1_100);
    expect(Math.min(...sizes)).toBeLessThanOrEqual(1_024);
  });

  it("are stored one by one where their statements fail for a moment", async () => {
    const { requests, deliveries } = storeAnswering(({ body }) => ({
      body: body.Statements
        ? {
            Responses: (body.Statements as Statements).map((_, index) =>
              index === 1 ? { Error: { Code: "ThrottlingError", Message: "slower" } } : {},
            ),
          }
        : {},
    }));
    const told = toldOf(3);
    expect(await deliveries.insertTold(told)).toEqual(told);
    expect(requests.map(operationOf)).toEqual(["BatchExecuteStatement", "ExecuteStatement"]);
  });

  it("are new where the SDK's second try finds what its first has stored", async () => {
    const told = toldOf(2);
    let items: unknown[] = [];
    const { deliveries } = storeAnswering(({ body }) => {
      const statements = body.Statements as Statements | undefined;
      if (!statements) return { body: { Responses: { Callbacks: items } } };
      items = statements.slice(0, 2).map(({ Statement, Parameters }) => {
        const names = [...Statement.matchAll(/'(\w+)': \?/g)].map(([, name]) => name);
        return Object.fromEntries(names.map((name, index) => [name, Parameters[index]]));
      });
      const duplicate = { Error: { Code: "DuplicateItem", Message: "there" } };
      return { body: { Responses: statements.map(() => duplicate) } };
    });
    const stored = await deliveries.insertTold(told);
    for (const [index, one] of told.entries()) expect(stored[index]).toBe(one);
  });

  it("throw where DynamoDB does not answer", async () => {
    const { deliveries } = storeAnswering(() => away);
    await expect(deliveries.insertTold(toldOf(2))).rejects.toThrow("away");
    await expect(deliveries.insertMany(toldOf(2))).rejects.toThrow("away");
    await expect(deliveries.noteTold(toldOf(2))).rejects.toThrow("away");
    await expect(deliveries.findMany(toldOf(2))).rejects.toThrow("away");
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
      if (!request.body.IndexName) return { body: { Items: [] } };
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
    expect(requests.map(operationOf).sort()).toEqual(["BatchGetItem", ...Array(5).fill("Query")]);
    expect(requests.find(({ body }) => body.IndexName)?.body).toMatchObject({
      IndexName: "created",
      ScanIndexForward: false,
      Limit: 1,
    });
  });
});
