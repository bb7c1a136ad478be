import { createHash } from "node:crypto";
import { type DynamoDBDocumentClient, UpdateCommand } from "@aws-sdk/lib-dynamodb";
import * as z from "zod";
import type { RateCounter } from "../../core/rate-limit.ts";
import { createDocumentClient } from "./client.ts";
import { parseItem } from "./items.ts";

/** For how long after its second a count is kept: longer than any two clocks are apart. */
const KEPT_SECONDS = 60;

const countSchema = z.object({ used: z.number() });

/** Whatever a caller gives for its name makes a valid key; one that does not would fail the counter. */
const partitionOf = (key: string) => createHash("sha256").update(key).digest("base64url");

/**
 * A client for the counter: it makes one attempt, since whoever counts does not wait for a second
 * one, and that would count twice. It uses the connections that the other client has open already.
 */
export function createCounterClient(other: DynamoDBDocumentClient): DynamoDBDocumentClient {
  return createDocumentClient({ maxAttempts: 1, requestHandler: other.config.requestHandler });
}

/** The counter, in a table of its own: an item for each key and second that is counted. */
export function createRateCounter(deps: {
  readonly client: DynamoDBDocumentClient;
  readonly tableName: string;
}): RateCounter {
  return {
    async add(key, second, tokens) {
      const { Attributes } = await deps.client.send(
        new UpdateCommand({
          TableName: deps.tableName,
          Key: { pk: partitionOf(key), sk: String(second) },
          UpdateExpression: "ADD used :tokens SET removeAt = :removeAt",
          ExpressionAttributeValues: { ":tokens": tokens, ":removeAt": second + KEPT_SECONDS },
          ReturnValues: "UPDATED_NEW",
        }),
      );
      return parseItem(countSchema, Attributes, "count").used;
    },
  };
}
