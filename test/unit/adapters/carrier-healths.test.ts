import { marshall, unmarshall } from "@aws-sdk/util-dynamodb";
import { describe, expect, it } from "vitest";
import { createCarrierHealths } from "../../../functions/adapters/dynamodb/carrier-healths.ts";
import { createDocumentClient } from "../../../functions/adapters/dynamodb/client.ts";
import { demoted, goodCarrier, NO_COUNTS } from "../../../functions/core/carrier-health.ts";
import { UnreadableItemError } from "../../../functions/core/errors.ts";
import { stubbedAws, type WireRequest, type WireResponse } from "../../support/stub-aws.ts";

const NOW = Date.parse("2026-03-02T15:00:00Z");
const good = goodCarrier("one");
const bad = demoted(good, { reason: "failures", percent: 62 }, NOW);

type WireItem = Parameters<typeof unmarshall>[0];
const itemOf = ({ body }: WireRequest) => unmarshall(body.Item as WireItem);
const conditionFailed = (Item: unknown): WireResponse => ({
  status: 400,
  body: {
    __type: "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException",
    message: "The conditional request failed",
    Item,
  },
});

function open(respond: (request: WireRequest) => WireResponse = () => ({})) {
  const { requests, config } = stubbedAws(respond);
  const table = { client: createDocumentClient(config), tableName: "Carriers" };
  return { requests, healths: createCarrierHealths(table) };
}

describe("how carriers fare, in DynamoDB", () => {
  it("is read in one request: the slices since a time, and all states", async () => {
    const slice = { carrier: "one", start: NOW, handedOver: 3, removeAt: 1 };
    const Items = [
      marshall({ pk: "CARRIERS", sk: `SLICE#${NOW}#one`, ...slice }),
      marshall({ pk: "CARRIERS", sk: "STATE#one", ...bad, changedBy: "somebody" }),
    ];
    const { requests, healths } = open(() => ({ body: { Items } }));
    expect(await healths.load(NOW - 60_000)).toEqual({
      healths: [bad],
      slices: [{ carrier: "one", start: NOW, counts: { ...NO_COUNTS, handedOver: 3 } }],
    });
    expect(requests.map(({ body }) => body.ExpressionAttributeValues)).toEqual([
      { ":carriers": { S: "CARRIERS" }, ":since": { S: `SLICE#${NOW - 60_000}` } },
    ]);
  });

  it("is counted with one write, which is kept for an hour, and nothing is written of nothing", async () => {
    const { requests, healths } = open();
    await healths.count("one", NOW, { ...NO_COUNTS, handedOver: 3, failed: 1 });
    await healths.count("one", NOW, NO_COUNTS);
    expect(requests).toHaveLength(1);
    expect(requests[0]?.body).toMatchObject({
      Key: { pk: { S: "CARRIERS" }, sk: { S: `SLICE#${NOW}#one` } },
      UpdateExpression: expect.stringMatching(/^ADD handedOver :handedOver, failed :failed SET /),
      ExpressionAttributeValues: {
        ":failed": { N: "1" },
        ":removeAt": { N: `${NOW / 1_000 + 3_600}` },
      },
    });
  });

  it("is changed where nothing is known, or nothing has changed", async () => {
    const { requests, healths } = open();
    expect(await healths.change(good, bad)).toBe(true);
    expect(await healths.change(bad, { ...bad, revision: 2 })).toBe(true);
    expect(requests.map(({ body }) => body.ConditionExpression)).toEqual([
      "attribute_not_exists(pk) OR revision = :read",
      "revision = :read",
    ]);
    expect(requests.map(itemOf)).toMatchObject([
      { pk: "CARRIERS", sk: "STATE#one", ...bad },
      { pk: "CARRIERS", sk: "STATE#one", revision: 2 },
    ]);
  });

  it("is changed where the SDK's second try finds what its first has written, and not where another did", async () => {
    expect(await open(({ body }) => conditionFailed(body.Item)).healths.change(good, bad)).toBe(
      true,
    );
    const another = (request: WireRequest) =>
      conditionFailed(marshall({ ...itemOf(request), changedBy: "another" }));
    expect(await open(another).healths.change(good, bad)).toBe(false);
  });

  it("is not guessed at where it is of an unknown version", async () => {
    const Items = [marshall({ pk: "CARRIERS", sk: "STATE#one", ...bad, version: 2 })];
    const { healths } = open(() => ({ body: { Items } }));
    await expect(healths.load(0)).rejects.toThrow(UnreadableItemError);
  });
});
