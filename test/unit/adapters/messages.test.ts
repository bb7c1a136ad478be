import { marshall, type unmarshall } from "@aws-sdk/util-dynamodb";
import { describe, expect, it } from "vitest";
import { createDocumentClient } from "../../../functions/adapters/dynamodb/client.ts";
import { createMessageStore } from "../../../functions/adapters/dynamodb/messages.ts";
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
    const { requests, store } = storeAnswering(({ body }) => ({
      body: body.ExclusiveStartKey
        ? { Items: [marshall({ account, id, traceId, dialect, removeAt })] }
        : { Items: [], LastEvaluatedKey: { pk: { S: "acme#another" } } },
    }));
    expect(await store.findLastSent("5519900001111", "27182", clock.now())).toMatchObject({
      account,
      id,
      traceId,
      dialect,
    });
    expect(requests).toHaveLength(2);
    expect(requests[0]?.body).toMatchObject({ IndexName: "sent-to", ScanIndexForward: false });
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
