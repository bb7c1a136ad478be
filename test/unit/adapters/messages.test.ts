import { marshall, unmarshall } from "@aws-sdk/util-dynamodb";
import { describe, expect, it } from "vitest";
import { createDocumentClient } from "../../../functions/adapters/dynamodb/client.ts";
import { createMessageStore } from "../../../functions/adapters/dynamodb/messages.ts";
import { UnreadableItemError } from "../../../functions/core/errors.ts";
import type { Message } from "../../../functions/core/message.ts";
import { ManualClock } from "../../support/memory.ts";
import { sampleLongMessage, sampleMessage } from "../../support/samples.ts";
import { stubbedAws, type WireRequest, type WireResponse } from "../../support/stub-aws.ts";

const clock = new ManualClock();

const operationOf = ({ target }: WireRequest) => target?.split(".")[1];
const itemOf = (message: Message) =>
  marshall(
    { pk: `${message.account}#${message.id}`, sk: "MT", ...message },
    { removeUndefinedValues: true },
  );
const many = (count: number) =>
  Array.from({ length: count }, (_, n) =>
    sampleMessage(clock.now(), { id: `id-${n}`, traceId: `trace-${n}` }),
  );

function storeAnswering(respond: (request: WireRequest) => WireResponse) {
  const { requests, config } = stubbedAws(respond);
  const client = createDocumentClient(config);
  return { requests, store: createMessageStore({ client, tableName: "Messages", clock }) };
}

/** The statements of a request that holds several, each as a request of its own; with the answers to these as its answer. */
function oneByOne(respond: (request: WireRequest) => WireResponse) {
  return (request: WireRequest): WireResponse => {
    if (operationOf(request) !== "BatchExecuteStatement") return respond(request);
    const statements = request.body.Statements as Record<string, unknown>[];
    const Responses = statements.map((body) => {
      const target = "DynamoDB_20120810.ExecuteStatement";
      const { status = 200, body: answer } = respond({ ...request, target, body });
      const { Items, __type, message, Item } = (answer ?? {}) as Record<string, unknown>;
      if (status === 200) return { Item: (Items as unknown[] | undefined)?.[0] };
      const Code = String(__type).replace(/^.*#|Exception$/g, "");
      return { Error: { Code, Message: message, Item } };
    });
    return { body: { Responses } };
  };
}

const conditionFailed = (stored?: Message): WireResponse => ({
  status: 400,
  body: {
    __type: "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException",
    message: "The conditional request failed",
    ...(stored && { Item: itemOf(stored) }),
  },
});

describe("inserting many messages into DynamoDB", () => {
  const statementsOf = ({ body }: WireRequest) =>
    body.Statements as { Statement: string; Parameters: Parameters<typeof unmarshall>[0][] }[];

  it("inserts no more at once than DynamoDB takes, each with all that it has and nothing else", async () => {
    const messages = many(60).map((message) => ({ extraInfo: undefined, ...message }));
    const { requests, store } = storeAnswering((request) => ({
      body: { Responses: statementsOf(request).map(() => ({ TableName: "Messages" })) },
    }));
    expect(await store.insertMany(messages)).toEqual(messages);
    expect(requests.map((request) => statementsOf(request).length)).toEqual([25, 25, 10]);
    const inserted = requests.flatMap(statementsOf).map(({ Statement, Parameters }) => {
      const names = [...Statement.matchAll(/'(\w+)': \?/g)].map(([, name]) => name);
      expect(Statement).toMatch(/^INSERT INTO "Messages" VALUE \{/);
      return Object.fromEntries(names.map((name, index) => [name, Parameters[index]]));
    });
    expect(inserted).toEqual(messages.map(itemOf));
  });

  it("inserts one by one, as it would a single one, what DynamoDB had no time for", async () => {
    const messages = many(3);
    const { requests, store } = storeAnswering((request) => {
      switch (operationOf(request)) {
        case "BatchExecuteStatement":
          return {
            body: {
              Responses: [
                {},
                { Error: { Code: "ThrottlingError", Message: "slow down" } },
                { Error: { Code: "DuplicateItem", Message: "there already" } },
              ],
            },
          };
        case "BatchGetItem":
          return { body: { Responses: { Messages: [itemOf(messages[2] as Message)] } } };
        default:
          return {};
      }
    });
    expect(await store.insertMany(messages)).toEqual(messages);
    const puts = requests.filter((request) => operationOf(request) === "PutItem");
    expect(puts.map(({ body }) => body)).toMatchObject([
      {
        Item: itemOf(messages[1] as Message),
        ConditionExpression: "attribute_not_exists(pk) OR removeAt <= :nowSeconds",
      },
    ]);
  });

  it("shows the one that another was faster with in the end", async () => {
    const [message] = many(1) as [Message];
    const other = { ...message, traceId: "other" };
    const { store } = storeAnswering((request) => {
      switch (operationOf(request)) {
        case "BatchExecuteStatement":
          return { body: { Responses: [{ Error: { Code: "ThrottlingError" } }] } };
        case "BatchGetItem":
          return { body: { Responses: { Messages: [] } } };
        default:
          return conditionFailed(other);
      }
    });
    expect(await store.insertMany([message])).toEqual([other]);
  });

  it("throws where one is not to be had", async () => {
    const { store } = storeAnswering((request) => {
      switch (operationOf(request)) {
        case "BatchExecuteStatement":
          return { body: { Responses: [{ Error: { Code: "ThrottlingError" } }] } };
        case "BatchGetItem":
          return { body: { Responses: { Messages: [] } } };
        default:
          return { status: 400, body: { __type: "ThrottlingException", message: "away" } };
      }
    });
    await expect(store.insertMany(many(1))).rejects.toThrow("away");
  });
});

describe("finding many messages in DynamoDB", () => {
  interface Requested {
    readonly Messages: {
      readonly Keys: { pk: { S: string } }[];
      readonly ConsistentRead?: boolean;
    };
  }
  const requestedOf = ({ body }: WireRequest) => (body.RequestItems as Requested).Messages;

  it("asks for no more at once than DynamoDB takes, and again for what it had no time for", async () => {
    const messages = many(150);
    const byKey = new Map(messages.map((message) => [`acme#${message.id}`, itemOf(message)]));
    const { requests, store } = storeAnswering((request) => {
      const { Keys } = requestedOf(request);
      const [processed, unprocessed] = [Keys.slice(0, 40), Keys.slice(40)];
      return {
        body: {
          Responses: { Messages: processed.map(({ pk }) => byKey.get(pk.S)) },
          UnprocessedKeys: unprocessed.length > 0 ? { Messages: { Keys: unprocessed } } : {},
        },
      };
    });
    const found = await store.findMany(
      "acme",
      messages.map(({ id }) => id),
    );
    const inOrder = (some: readonly Message[]) => some.map(({ id }) => id).sort();
    expect(inOrder(found)).toEqual(inOrder(messages));
    const asked = requests.map(requestedOf);
    expect(asked.map(({ Keys }) => Keys.length).sort()).toEqual([10, 100, 20, 50, 60]);
    expect(asked.every(({ ConsistentRead }) => ConsistentRead)).toBe(true);
  });

  it("throws, rather than take messages for absent, where DynamoDB never has time", async () => {
    const { requests, store } = storeAnswering((request) => ({
      body: { UnprocessedKeys: { Messages: { Keys: requestedOf(request).Keys } } },
    }));
    await expect(store.findMany("acme", ["id-1"])).rejects.toThrow("has no time");
    expect(requests.length).toBeLessThan(10);
  });
});

describe("looking in DynamoDB for what a phone was sent", () => {
  it("goes on behind pages on which there is nothing from the short code", async () => {
    const { account, id, traceId, dialect, removeAt } = sampleMessage(clock.now());
    const queries: WireRequest[] = [];
    const { store } = storeAnswering((request) => {
      if (operationOf(request) === "GetItem") return {};
      queries.push(request);
      return {
        body: request.body.ExclusiveStartKey
          ? { Items: [marshall({ account, id, traceId, dialect, removeAt })] }
          : { Items: [], LastEvaluatedKey: { pk: { S: "acme#another" } } },
      };
    });
    expect(await store.findLastSent("5519900001111", "27182", clock.now())).toMatchObject({
      account,
      id,
      traceId,
      dialect,
    });
    expect(queries).toHaveLength(2);
    expect(queries[0]?.body).toMatchObject({ IndexName: "sent-to", ScanIndexForward: false });
  });
});

describe("a change that the SDK makes a second time, as the answer to the first was lost", () => {
  const seen = sampleLongMessage(clock.now(), { state: "SENT" });
  const parts = seen.parts?.map((part) => ({ ...part, state: "DELIVERED" as const })) ?? [];
  const change = { state: "DELIVERED", stateAt: clock.now() + 5, parts } as const;
  const changed = { ...seen, ...change };
  const storeHolding = (stored: Message) => storeAnswering(() => conditionFailed(stored)).store;

  it("has happened", async () => {
    expect(await storeHolding(changed).change(seen, change)).toEqual(changed);
  });

  it.each([
    ["another state", { state: "NOT_DELIVERED" }],
    ["another time", { stateAt: clock.now() + 6 }],
    ["other parts", { parts: seen.parts }],
    ["another trace", { traceId: "another" }],
  ] as const)("has not where the message is found with %s", async (_, other) => {
    expect(await storeHolding({ ...changed, ...other }).change(seen, change)).toBeUndefined();
  });

  it("has not where the message is gone", async () => {
    const { store } = storeAnswering(() => conditionFailed());
    expect(await store.change(seen, change)).toBeUndefined();
  });
});

describe("what the indices of messages in DynamoDB know of a message", () => {
  const indexed = ["correlation", "changes", "changedKey", "changed"];
  /** What is in a new item of this message besides the message. */
  async function written(overrides: Partial<Message>) {
    const message = sampleMessage(clock.now(), { id: "id-5", dialect: "wavy", ...overrides });
    const { requests, store } = storeAnswering(() => ({}));
    await store.insert(message);
    const item = unmarshall((requests[0]?.body.Item ?? {}) as Parameters<typeof unmarshall>[0]);
    return Object.fromEntries(Object.entries(item).filter(([name]) => indexed.includes(name)));
  }
  const at = new Date(clock.now()).toISOString();

  it("is its client's id, if any, with its account", async () => {
    const mesago = { dialect: "mesago", state: "SENT" } as const;
    expect(await written({ ...mesago, correlationId: "a#b" })).toEqual({
      correlation: "acme#a#b",
    });
    expect(await written({ ...mesago, correlationId: "" })).toEqual({});
    expect(await written(mesago)).toEqual({});
  });

  it("is that it has changed, once it has, if it is one of those that are listed", async () => {
    // By the last character of the id, of which 5 has the code 53.
    const waiting = { changes: "acme#1", changedKey: `#${at}#id-5` };
    expect(await written({ state: "QUEUED" })).toEqual(waiting);
    expect(await written({ state: "BLOCKED", reason: "opt-out" })).toEqual({
      ...waiting,
      changed: waiting.changedKey,
    });
    expect(await written({ state: "SENT", subAccount: "sales 1" })).toEqual({
      changes: "acme#1",
      changedKey: `sales 1#${at}#id-5`,
      changed: `sales 1#${at}#id-5`,
    });
    expect(await written({ state: "SENT", callbackOption: "NONE" })).toEqual({});
  });

  it("has no key that is empty, which no index takes", async () => {
    const { requests, store } = storeAnswering(() => ({}));
    await store.insert(sampleMessage(clock.now(), { destination: "" }));
    expect(requests[0]?.body.Item).not.toHaveProperty("destination");
  });

  it.each([
    ["SENT", true],
    ["DELIVERED", true],
    ["EXPIRED", true],
    ["QUEUED", false],
    ["CANCELED", false],
    [undefined, false],
  ] as const)("changes with a change to %s: %s", async (state, isNews) => {
    const { requests, store } = storeAnswering(() => conditionFailed());
    const message = sampleMessage(clock.now(), { dialect: "wavy" });
    await store.change(message, { ...(state && { state }), operator: "TIM" });
    expect(String(requests[0]?.body.Statement).includes('SET "changed" = ?')).toBe(isNews);
  });
});

describe("taking messages from DynamoDB whose status has changed", () => {
  const PARTITIONS = ["acme#0", "acme#1", "acme#2", "acme#3"];
  const throttled: WireResponse = {
    status: 400,
    body: { __type: "ThrottlingException", message: "away" },
  };
  const changed = (count: number) =>
    Array.from({ length: count }, (_, n) =>
      sampleMessage(clock.now(), {
        id: `id-${String(n).padStart(3, "0")}`,
        traceId: `trace-${n}`,
        dialect: "wavy",
        state: "SENT",
      }),
    );
  const partitionOf = ({ id }: Message) => `acme#${id.charCodeAt(id.length - 1) % 4}`;

  const valuesOf = ({ body }: WireRequest) =>
    (body.ExpressionAttributeValues ?? {}) as Record<string, { S: string }>;
  const TAKE =
    'UPDATE "Messages" SET "takenBy" = ? REMOVE "changed" WHERE "pk" = ? AND "sk" = ? AND "traceId" = ? AND "state" = ? AND "changed" IS NOT MISSING';
  /** The values of a statement that takes a message, in its order. */
  const parametersOf = ({ body }: WireRequest) =>
    (body.Parameters as { S: string }[]).map(({ S }) => S);
  const idOf = (request: WireRequest) => parametersOf(request)[1]?.replace("acme#", "") ?? "";
  const tokenOf = (request: WireRequest) => parametersOf(request)[0] ?? "";

  /** A table with these messages, all of which have changed; what is answered otherwise is said by `answer`. */
  function tableWith(
    messages: readonly Message[],
    answer: (request: WireRequest) => WireResponse | undefined = () => undefined,
  ) {
    const made: WireRequest[] = [];
    const { store } = storeAnswering(
      oneByOne((request) => {
        made.push(request);
        const otherwise = answer(request);
        if (otherwise) return otherwise;
        switch (operationOf(request)) {
          case "Query": {
            const { ":changes": changes } = valuesOf(request);
            const its = messages.filter((one) => partitionOf(one) === changes?.S);
            return { body: { Items: its.map((one) => marshall({ pk: `acme#${one.id}` })) } };
          }
          case "BatchGetItem": {
            const { Messages } = request.body.RequestItems as {
              Messages: { Keys: { pk: { S: string } }[] };
            };
            const ids = new Set(Messages.Keys.map(({ pk }) => pk.S.replace("acme#", "")));
            const items = messages.filter(({ id }) => ids.has(id)).map(itemOf);
            return { body: { Responses: { Messages: items } } };
          }
          default:
            return {};
        }
      }),
    );
    const of = (operation: string) => made.filter((one) => operationOf(one) === operation);
    return { store, of };
  }
  /** The condition of a write that does not hold for a message as it is stored by now. */
  const foundWith = (message: Message | undefined, fields: object) =>
    conditionFailed(message && ({ ...message, ...fields } as Message));
  const idsOf = (messages: readonly Message[]) => messages.map(({ id }) => id).sort();

  it("looks into every partition, and takes on the condition that nobody else has", async () => {
    const messages = changed(10);
    const { store, of } = tableWith(messages);
    expect(idsOf(await store.takeChanged("acme", 100))).toEqual(idsOf(messages));
    const asked = of("Query").map(({ body }) => body);
    expect(asked.map((body) => body.IndexName)).toEqual(PARTITIONS.map(() => "changes"));
    const partitions = of("Query").map((request) => valuesOf(request)[":changes"]?.S);
    expect(partitions.sort()).toEqual(PARTITIONS);
    const updates = of("ExecuteStatement");
    expect(updates.map(idOf).sort()).toEqual(idsOf(messages));
    for (const update of updates) {
      const message = messages.find(({ id }) => id === idOf(update));
      expect(update.body.Statement).toBe(TAKE);
      expect(parametersOf(update).slice(2)).toEqual(["MT", message?.traceId, "SENT"]);
    }
    // One call, one token; what is read is read as it is now.
    expect(new Set(updates.map(tokenOf)).size).toBe(1);
    for (const { body } of of("BatchGetItem")) {
      expect(body.RequestItems).toMatchObject({ Messages: { ConsistentRead: true } });
    }
  });

  it("looks for a sub-account's by what its keys begin with", async () => {
    const { store, of } = tableWith([]);
    await store.takeChanged("acme", 100, "sales 1");
    for (const request of of("Query")) {
      expect(request.body.KeyConditionExpression).toContain("begins_with(changed, :subAccount)");
      expect(valuesOf(request)).toMatchObject({
        ":subAccount": { S: "sales 1#" },
      });
    }
  });

  it("takes no more than is asked for, and then looks no further", async () => {
    const messages = changed(200).filter((one) => partitionOf(one) !== "acme#3");
    const { store, of } = tableWith(messages);
    expect(await store.takeChanged("acme", 13)).toHaveLength(13);
    expect(of("ExecuteStatement")).toHaveLength(13);
    expect(of("Query").length).toBeLessThanOrEqual(2);
  });

  it("goes on over pages, also empty ones, and beyond what others were faster with", async () => {
    const messages = changed(40);
    const paged = new Set<unknown>();
    const { store, of } = tableWith(messages, (request) => {
      if (operationOf(request) === "ExecuteStatement" && Number(idOf(request).slice(-2)) < 20) {
        return foundWith(changed(40)[Number(idOf(request).slice(-2))], { takenBy: "another#SENT" });
      }
      const partition = valuesOf(request)[":changes"]?.S;
      if (operationOf(request) !== "Query" || paged.has(partition)) return undefined;
      paged.add(partition);
      return { body: { Items: [], LastEvaluatedKey: { pk: { S: "acme#id" } } } };
    });
    expect(idsOf(await store.takeChanged("acme", 20))).toEqual(idsOf(messages.slice(20)));
    expect(of("Query")).toHaveLength(8);
  });

  describe("where the SDK made a write again, as the answer to the first try was lost", () => {
    const [message] = changed(1) as [Message];
    const takeWhere = async (stored: (token: string) => WireResponse) => {
      const { store } = tableWith([message], (request) =>
        operationOf(request) === "ExecuteStatement" ? stored(tokenOf(request)) : undefined,
      );
      return idsOf(await store.takeChanged("acme", 10));
    };

    it("has taken it", async () => {
      expect(await takeWhere((takenBy) => foundWith(message, { takenBy }))).toEqual([message.id]);
    });

    it("has taken it also where it has changed since into what is not listed", async () => {
      // Nothing leads there, but what was taken is the caller's whatever follows.
      const stored = { ...message, state: "CANCELED" } as Message;
      expect(await takeWhere((takenBy) => foundWith(stored, { takenBy }))).toEqual([message.id]);
    });

    it.each([
      ["another took it", () => foundWith(message, { takenBy: "another#SENT" })],
      ["nobody did, and it is as if it had not changed", () => foundWith(message, {})],
      ["it is gone", () => conditionFailed()],
      [
        "another state of it was taken",
        (token: string) => foundWith(message, { takenBy: token.replace("SENT", "DELIVERED") }),
      ],
    ])("has not where %s", async (_, stored) => {
      expect(await takeWhere(stored)).toEqual([]);
    });
  });

  it.each(["Query", "BatchGetItem", "ExecuteStatement"])(
    "throws where nothing was taken before an error: %s",
    async (operation) => {
      const { store } = tableWith(changed(10), (request) =>
        operationOf(request) === operation ? throttled : undefined,
      );
      await expect(store.takeChanged("acme", 10)).rejects.toThrow("away");
    },
  );

  it.each(["Query", "BatchGetItem", "ExecuteStatement"])(
    "hands over what it has taken before an error, and tries no further: %s",
    async (operation) => {
      const messages = changed(40);
      const takenIds: string[] = [];
      let failures = 0;
      const { store, of } = tableWith(messages, (request) => {
        if (operationOf(request) === operation && takenIds.length >= 10) {
          failures++;
          return throttled;
        }
        if (operationOf(request) === "ExecuteStatement") takenIds.push(idOf(request));
        return undefined;
      });
      const taken = idsOf(await store.takeChanged("acme", 40));
      expect(taken).toEqual([...takenIds].sort());
      expect(taken.length).toBeGreaterThanOrEqual(10);
      expect(failures).toBeGreaterThan(0);
      expect(of("Query").length).toBeLessThanOrEqual(3);
    },
  );

  it("hands over what it has taken at the same time as an error came", async () => {
    const messages = changed(8).map((one, n) => ({ ...one, id: `${n}-id-0` }));
    const { store } = tableWith(messages, (request) =>
      operationOf(request) === "ExecuteStatement" && idOf(request) === "3-id-0"
        ? throttled
        : undefined,
    );
    expect(idsOf(await store.takeChanged("acme", 10))).toEqual(
      idsOf(messages).filter((id) => id !== "3-id-0"),
    );
  });

  it("does not guess at a message of a version that it does not know", async () => {
    const [one] = changed(1) as [Message];
    const { store } = tableWith([{ ...one, version: 2 } as unknown as Message]);
    await expect(store.takeChanged("acme", 10)).rejects.toThrow(UnreadableItemError);
  });
});

describe("finding messages in DynamoDB by their clients' ids", () => {
  it("asks the index for each id once, and reads what it names as it is now", async () => {
    const messages = many(3);
    const { requests, store } = storeAnswering((request) => {
      if (operationOf(request) === "BatchGetItem") {
        return { body: { Responses: { Messages: messages.map(itemOf) } } };
      }
      return {
        body: { Items: messages.map(({ id }) => marshall({ pk: `acme#${id}`, sk: "MT" })) },
      };
    });
    const found = await store.findCorrelated("acme", ["a", "b", "a"]);
    expect(found).toEqual(messages);
    const queries = requests.filter((request) => operationOf(request) === "Query");
    expect(queries.map(({ body }) => body)).toMatchObject(
      ["a", "b"].map((correlationId) => ({
        IndexName: "correlation",
        ScanIndexForward: false,
        ExpressionAttributeValues: { ":correlation": { S: `acme#${correlationId}` } },
      })),
    );
    expect(requests).toHaveLength(3);
  });

  it("reads nothing where nothing is asked for, or found", async () => {
    const { requests, store } = storeAnswering(() => ({ body: { Items: [] } }));
    expect(await store.findCorrelated("acme", [])).toEqual([]);
    expect(requests).toEqual([]);
    expect(await store.findCorrelated("acme", ["a"])).toEqual([]);
    expect(requests).toHaveLength(1);
  });

  it("throws where the index does not answer", async () => {
    const { store } = storeAnswering(() => ({
      status: 400,
      body: { __type: "ThrottlingException", message: "away" },
    }));
    await expect(store.findCorrelated("acme", ["a"])).rejects.toThrow("away");
  });
});
