import { createHash } from "node:crypto";
import { ConditionalCheckFailedException } from "@aws-sdk/client-dynamodb";
import { type DynamoDBDocumentClient, GetCommand, PutCommand } from "@aws-sdk/lib-dynamodb";
import * as z from "zod";
import { type MoParts, moInPartsSchema, type PartsKey } from "../../core/assemble-mo.ts";
import type { Clock } from "../../core/ports.ts";
import { parseItem } from "./items.ts";
import { partitionOf, SORT_KEY } from "./message-keys.ts";

/** As JSON, which has an escape for half of a character; DynamoDB would replace it. */
const contentSchema = z.string().transform((content, context): unknown => {
  try {
    return JSON.parse(content);
  } catch {
    context.addIssue({ code: "custom", message: "it is not JSON" });
    return z.NEVER;
  }
});

const itemSchema = z.object({
  version: z.literal(1),
  revision: z.number().int().positive(),
  mos: contentSchema.pipe(z.array(moInPartsSchema)),
  removeAt: z.number(),
});

/** A digest: what a carrier calls a short code may be anything. */
function keyOf({ carrier, from, shortCode, reference, total }: PartsKey) {
  const name = JSON.stringify([carrier, from, shortCode, reference, total]);
  const digest = createHash("sha256").update(name).digest("hex");
  return { pk: partitionOf("", digest), sk: SORT_KEY.moParts };
}

/** The MOs that wait for their parts, in the table of messages: one item for all with the same key. */
export function createMoParts(deps: {
  readonly client: DynamoDBDocumentClient;
  readonly tableName: string;
  readonly clock: Clock;
}): MoParts {
  const { client, tableName: TableName, clock } = deps;
  return {
    async find(key) {
      const { Item } = await client.send(
        new GetCommand({ TableName, Key: keyOf(key), ConsistentRead: true }),
      );
      if (!Item) return undefined;
      const { revision, mos, removeAt } = parseItem(itemSchema, Item, "MO in parts");
      if (removeAt <= clock.now() / 1_000) return undefined;
      return { revision, mos };
    },

    async replace(key, revision, mos) {
      const Item: z.input<typeof itemSchema> = {
        version: 1,
        revision: (revision ?? 0) + 1,
        mos: JSON.stringify(mos),
        removeAt: Math.max(...mos.map(({ removeAt }) => removeAt)),
      };
      const expected =
        revision === undefined
          ? // What is past its removal may still be there.
            {
              ConditionExpression: "attribute_not_exists(pk) OR removeAt <= :now",
              ExpressionAttributeValues: { ":now": clock.now() / 1_000 },
            }
          : {
              ConditionExpression: "revision = :revision",
              ExpressionAttributeValues: { ":revision": revision },
            };
      try {
        await client.send(
          new PutCommand({ TableName, Item: { ...keyOf(key), ...Item }, ...expected }),
        );
        return true;
      } catch (error) {
        if (error instanceof ConditionalCheckFailedException) return false;
        throw error;
      }
    },
  };
}
