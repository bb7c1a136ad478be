import { expect, it } from "vitest";
import { createDocumentClient } from "../../../functions/adapters/dynamodb/client.ts";
import {
  createCounterClient,
  createRateCounter,
} from "../../../functions/adapters/dynamodb/rate-counter.ts";
import { UnreadableItemError } from "../../../functions/core/errors.ts";
import { stubbedAws, type WireRequest, type WireResponse } from "../../support/stub-aws.ts";

const SECOND = 1_772_463_600;

function counterAnswering(respond: (request: WireRequest) => WireResponse) {
  const { requests, config } = stubbedAws(respond);
  const client = createDocumentClient(config);
  return { requests, counter: createRateCounter({ client, tableName: "Counts" }) };
}

const counted = (used: number) => () => ({ body: { Attributes: { used: { N: String(used) } } } });

const keyOf = ({ body }: WireRequest) => body.Key as { pk: { S: string }; sk: { S: string } };

it("adds to the count of a key and second in one write, and answers the total", async () => {
  const { requests, counter } = counterAnswering(counted(45));
  expect(await counter.add("198.51.100.7", SECOND, 43)).toBe(45);
  expect(requests).toMatchObject([
    {
      target: "DynamoDB_20120810.UpdateItem",
      body: {
        TableName: "Counts",
        Key: { sk: { S: String(SECOND) } },
        UpdateExpression: "ADD used :tokens SET removeAt = :removeAt",
        ExpressionAttributeValues: { ":tokens": { N: "43" }, ":removeAt": { N: `${SECOND + 60}` } },
        ReturnValues: "UPDATED_NEW",
      },
    },
  ]);
});

it("makes a valid key of whatever it is given, another one for each", async () => {
  const { requests, counter } = counterAnswering(counted(1));
  const keys = ["", "acme#198.51.100.7", "acme", "\u0000", "é".repeat(5_000)];
  for (const key of keys) await counter.add(key, SECOND, 1);
  const partitions = requests.map((request) => keyOf(request).pk.S);
  expect(new Set(partitions).size).toBe(keys.length);
  for (const partition of partitions) expect(partition).toMatch(/^[\w-]{43}$/);
});

it("throws what DynamoDB throws", async () => {
  const { counter } = counterAnswering(() => ({
    status: 400,
    body: { __type: "ThrottlingException", message: "slow down" },
  }));
  await expect(counter.add("acme", SECOND, 1)).rejects.toThrow("slow down");
});

it("throws where the answer is no count", async () => {
  const { counter } = counterAnswering(() => ({ body: {} }));
  await expect(counter.add("acme", SECOND, 1)).rejects.toThrow(UnreadableItemError);
});

it("has a client that makes one attempt, over the connections of one that makes more", async () => {
  const other = createDocumentClient({ ...stubbedAws().config, maxAttempts: 3 });
  const client = createCounterClient(other);
  expect(await client.config.maxAttempts()).toBe(1);
  expect(client.config.requestHandler).toBe(other.config.requestHandler);
});
