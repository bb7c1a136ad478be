import { randomUUID } from "node:crypto";
import { type DynamoDBDocumentClient, paginateQuery, UpdateCommand } from "@aws-sdk/lib-dynamodb";
import * as z from "zod";
import { carrierHealthSchema } from "../../core/carrier-health.ts";
import type { CarrierHealths } from "../../core/carrier-pool.ts";
import { IS_NEW, putIf } from "./directory-items.ts";
import { parseItem } from "./items.ts";

/** All in one partition, which a function reads in one request, every few seconds at most. */
const PARTITION = "CARRIERS";
const IS_AS_READ = "revision = :read";

/** Slices sort before states, and among themselves by time, which has thirteen digits until 2286. */
const SLICE = "SLICE#";
const STATE = "STATE#";

/** For how long slices are kept: longer than anybody looks back. */
const KEPT_MS = 60 * 60_000;

const counts = {
  handedOver: z.number().default(0),
  failed: z.number().default(0),
  awaited: z.number().default(0),
  prompt: z.number().default(0),
};
const sliceSchema = z
  .object({ carrier: z.string(), start: z.number(), ...counts })
  .transform(({ carrier, start, ...rest }) => ({ carrier, start, counts: rest }));

/** How the carriers fare, in DynamoDB. */
export function createCarrierHealths(deps: {
  readonly client: DynamoDBDocumentClient;
  readonly tableName: string;
}): CarrierHealths {
  const { client, tableName: TableName } = deps;
  return {
    async load(since) {
      const pages = paginateQuery(
        { client },
        {
          TableName,
          KeyConditionExpression: "pk = :carriers AND sk >= :since",
          ExpressionAttributeValues: { ":carriers": PARTITION, ":since": `${SLICE}${since}` },
        },
      );
      const items: Record<string, unknown>[] = [];
      for await (const { Items = [] } of pages) items.push(...Items);
      const [states, slices] = [STATE, SLICE].map((prefix) =>
        items.filter(({ sk }) => String(sk).startsWith(prefix)),
      );
      return {
        healths: (states ?? []).map((it) => parseItem(carrierHealthSchema, it, "carrier's health")),
        slices: (slices ?? []).map((it) => parseItem(sliceSchema, it, "carrier's counts")),
      };
    },

    async count(carrier, start, added) {
      const counted = Object.entries(added).filter(([, sms]) => sms > 0);
      if (counted.length === 0) return;
      await client.send(
        new UpdateCommand({
          TableName,
          Key: { pk: PARTITION, sk: `${SLICE}${start}#${carrier}` },
          UpdateExpression: `ADD ${counted.map(([name]) => `${name} :${name}`).join(", ")} SET carrier = :carrier, #start = :start, removeAt = :removeAt`,
          ExpressionAttributeNames: { "#start": "start" },
          ExpressionAttributeValues: {
            ...Object.fromEntries(counted.map(([name, sms]) => [`:${name}`, sms])),
            ":carrier": carrier,
            ":start": start,
            ":removeAt": Math.ceil((start + KEPT_MS) / 1_000),
          },
        }),
      );
    },

    change: (read, changed) =>
      putIf(
        deps,
        // Of two that change the same to the same, one must be refused.
        { pk: PARTITION, sk: `${STATE}${read.carrier}`, ...changed, changedBy: randomUUID() },
        read.revision === 0 ? `${IS_NEW} OR ${IS_AS_READ}` : IS_AS_READ,
        { ":read": read.revision },
      ),
  };
}
