import { marshall, unmarshall } from "@aws-sdk/util-dynamodb";
import { describe, expect, it } from "vitest";
import { createDocumentClient } from "../../../functions/adapters/dynamodb/client.ts";
import { createEndpointHealths } from "../../../functions/adapters/dynamodb/endpoint-healths.ts";
import { createEndpointSlots } from "../../../functions/adapters/dynamodb/endpoint-slots.ts";
import { goodHealth } from "../../../functions/core/endpoint-health.ts";
import { UnreadableItemError } from "../../../functions/core/errors.ts";
import { ManualClock } from "../../support/memory.ts";
import { stubbedAws, type WireRequest, type WireResponse } from "../../support/stub-aws.ts";

const endpoint = { account: "acme", endpointId: "endpoint-1" };
const clock = new ManualClock();
const UNTIL = clock.now() + 90_000;

const operationOf = ({ target }: WireRequest) => target?.split(".")[1];
type WireItem = Parameters<typeof unmarshall>[0];
const itemOf = ({ body }: WireRequest) => unmarshall(body.Item as WireItem);

const conditionFailed = (Item?: WireItem): WireResponse => ({
  status: 400,
  body: {
    __type: "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException",
    message: "The conditional request failed",
    ...(Item && { Item }),
  },
});

function clientAnswering(respond: (request: WireRequest) => WireResponse) {
  const { requests, config } = stubbedAws(respond);
  return { requests, client: createDocumentClient(config), tableName: "Callbacks" };
}

describe("an endpoint's health in DynamoDB", () => {
  const good = goodHealth(endpoint);
  const bad = { ...good, failures: 1, revision: 1 };

  it("is written where nothing is known, or nothing has changed, under the endpoint's key", async () => {
    const { requests, ...table } = clientAnswering(() => ({}));
    expect(await createEndpointHealths(table).update(good, bad)).toBe(true);
    expect(await createEndpointHealths(table).update(bad, { ...bad, revision: 2 })).toBe(true);
    expect(requests.map(({ body }) => body.ConditionExpression)).toEqual([
      "attribute_not_exists(pk) OR revision = :read",
      "revision = :read",
    ]);
    expect(requests.map(itemOf)).toMatchObject([
      { pk: "acme#endpoint-1", sk: "HEALTH", ...bad },
      { pk: "acme#endpoint-1", sk: "HEALTH", ...bad, revision: 2 },
    ]);
  });

  it("is written where the SDK's second try finds what its first has written", async () => {
    const table = clientAnswering(({ body }) => conditionFailed(body.Item as WireItem));
    expect(await createEndpointHealths(table).update(good, bad)).toBe(true);
  });

  it("is refused where another has written the same", async () => {
    const table = clientAnswering((request) =>
      conditionFailed(marshall({ ...itemOf(request), changedBy: "another" })),
    );
    expect(await createEndpointHealths(table).update(good, bad)).toBe(false);
  });

  it("is not guessed at where it is of an unknown version", async () => {
    const table = clientAnswering(() => ({ body: { Item: marshall({ ...bad, version: 2 }) } }));
    await expect(createEndpointHealths(table).find(endpoint)).rejects.toThrow(UnreadableItemError);
  });
});

describe("an endpoint's slots in DynamoDB", () => {
  const taken = (slot: number, until = UNTIL) =>
    marshall({ pk: "acme#endpoint-1", sk: `SLOT#${String(slot).padStart(2, "0")}`, until });
  const open = (slots: number, respond: (request: WireRequest) => WireResponse) => {
    const { requests, ...table } = clientAnswering(respond);
    return { requests, slots: createEndpointSlots({ ...table, clock, slots }) };
  };

  it("take one write where nobody else is there, which runs out by itself", async () => {
    const { requests, slots } = open(9, () => ({}));
    const slot = await slots.acquire(endpoint, UNTIL, false);
    expect(requests).toHaveLength(1);
    expect(requests.map(itemOf)).toEqual([
      {
        pk: "acme#endpoint-1",
        sk: `SLOT#${String(slot?.slot).padStart(2, "0")}`,
        until: UNTIL,
        removeAt: UNTIL / 1_000,
        holder: expect.any(String),
      },
    ]);
  });

  it("are looked at where the first is taken, and the one that is free is taken", async () => {
    let isFirst = true;
    const { requests, slots } = open(9, (request) => {
      if (operationOf(request) === "Query") {
        const Items = [...Array(8).keys()].map((slot) => taken(slot < 7 ? slot : slot + 1));
        return { body: { Items } };
      }
      const wasFirst = isFirst;
      isFirst = false;
      return wasFirst ? conditionFailed(taken(0)) : {};
    });
    expect(await slots.acquire(endpoint, UNTIL, false)).toEqual({
      ...endpoint,
      slot: 7,
      width: 1,
      until: UNTIL,
    });
    expect(requests.map(operationOf)).toEqual(["PutItem", "Query", "PutItem"]);
    expect(requests[1]?.body.ConsistentRead).toBe(true);
  });

  it("count as free once they have run out, though they are still there", async () => {
    const { requests, slots } = open(2, (request) =>
      operationOf(request) === "Query"
        ? { body: { Items: [taken(0), taken(1, clock.now())] } }
        : conditionFailed(taken(1)),
    );
    expect(await slots.acquire(endpoint, UNTIL, false)).toBeUndefined();
    expect(requests.map(operationOf)).toEqual(["PutItem", "Query", "PutItem"]);
    expect(requests.map(({ body }) => body.Item && itemOf({ body } as WireRequest).sk)[2]).toBe(
      "SLOT#01",
    );
  });

  it("are all tried that look free, before it is said that none is", async () => {
    const { requests, slots } = open(3, (request) =>
      operationOf(request) === "Query" ? { body: { Items: [] } } : conditionFailed(taken(0)),
    );
    expect(await slots.acquire(endpoint, UNTIL, false)).toBeUndefined();
    const tried = requests.slice(2).map((request) => itemOf(request).sk);
    expect(tried.sort()).toEqual(["SLOT#00", "SLOT#01", "SLOT#02"]);
  });

  it("are ours where the SDK's second try finds what its first has written, and only then", async () => {
    const ours = open(1, ({ body }) => conditionFailed(body.Item as WireItem)).slots;
    expect(await ours.acquire(endpoint, UNTIL, false)).toMatchObject({ slot: 0 });
    const theirs = open(1, (request) =>
      operationOf(request) === "Query"
        ? { body: { Items: [taken(0)] } }
        : conditionFailed(marshall({ ...itemOf(request), holder: "another" })),
    ).slots;
    expect(await theirs.acquire(endpoint, UNTIL, false)).toBeUndefined();
  });

  it("throw where DynamoDB does not answer", async () => {
    const away = {
      status: 500,
      body: { __type: "com.amazonaws.dynamodb.v20120810#InternalServerError", message: "away" },
    };
    const { slots } = open(1, () => away);
    await expect(slots.acquire(endpoint, UNTIL, false)).rejects.toThrow("away");
    await expect(slots.release({ ...endpoint, slot: 0, width: 1, until: UNTIL })).rejects.toThrow(
      "away",
    );
  });
});
