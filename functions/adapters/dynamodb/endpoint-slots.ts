import { randomUUID } from "node:crypto";
import { ConditionalCheckFailedException } from "@aws-sdk/client-dynamodb";
import {
  DeleteCommand,
  type DynamoDBDocumentClient,
  PutCommand,
  QueryCommand,
} from "@aws-sdk/lib-dynamodb";
import * as z from "zod";
import type { EndpointSlots, Slot } from "../../core/callback-ports.ts";
import type { EndpointKey } from "../../core/endpoint-health.ts";
import { slotWidths } from "../../core/endpoint-lanes.ts";
import type { Clock } from "../../core/ports.ts";
import { CALLBACK_SORT_KEY, endpointPartition } from "./callback-keys.ts";
import { parseItem } from "./items.ts";

const takenSchema = z.object({ sk: z.string(), until: z.number() });

const sortKeyOf = (slot: number) => CALLBACK_SORT_KEY.slot + String(slot).padStart(2, "0");

/** The slots of endpoints, in DynamoDB: an item for each that is taken. */
export function createEndpointSlots(deps: {
  readonly client: DynamoDBDocumentClient;
  readonly tableName: string;
  /** How many requests may be under way to an endpoint. */
  readonly slots: number;
  readonly clock: Clock;
}): EndpointSlots {
  const { client, tableName: TableName, clock } = deps;
  const widths = slotWidths(deps.slots);
  const all = [...widths.keys()];

  const keyOf = (endpoint: EndpointKey, slot: number) => ({
    pk: endpointPartition(endpoint),
    sk: sortKeyOf(slot),
  });

  async function take(slot: Slot): Promise<boolean> {
    const item = {
      ...keyOf(slot, slot.slot),
      until: slot.until,
      holder: randomUUID(),
      removeAt: Math.ceil(slot.until / 1_000),
    };
    try {
      await client.send(
        new PutCommand({
          TableName,
          Item: item,
          ConditionExpression: "attribute_not_exists(pk) OR #until <= :now",
          ExpressionAttributeNames: { "#until": "until" },
          ExpressionAttributeValues: { ":now": clock.now() },
          ReturnValuesOnConditionCheckFailure: "ALL_OLD",
        }),
      );
      return true;
    } catch (error) {
      if (!(error instanceof ConditionalCheckFailedException)) throw error;
      // An earlier try of this very write that we were not told of: the SDK retries by itself.
      return error.Item?.holder?.S === item.holder;
    }
  }

  async function findFree(endpoint: EndpointKey): Promise<number[]> {
    const { Items = [] } = await client.send(
      new QueryCommand({
        TableName,
        KeyConditionExpression: "pk = :endpoint AND begins_with(sk, :slot)",
        ExpressionAttributeValues: {
          ":endpoint": endpointPartition(endpoint),
          ":slot": CALLBACK_SORT_KEY.slot,
        },
        ConsistentRead: true,
      }),
    );
    const taken = new Set(
      Items.map((item) => parseItem(takenSchema, item, "slot"))
        .filter(({ until }) => until > clock.now())
        .map(({ sk }) => sk),
    );
    return all.filter((slot) => !taken.has(sortKeyOf(slot)));
  }

  return {
    async acquire({ account, endpointId }, until, isForMany) {
      const slotOf = (slot: number): Slot => ({
        account,
        endpointId,
        slot,
        width: widths[slot] as number,
        until,
      });
      const isFitting = (slot: number) => (widths[slot] as number) > 1 === isForMany;
      const first = slotOf(anyOf(preferred(all, isFitting)));
      if (await take(first)) return first;
      const free = await findFree(first);
      while (free.length > 0) {
        const next = slotOf(anyOf(preferred(free, isFitting)));
        if (await take(next)) return next;
        free.splice(free.indexOf(next.slot), 1);
      }
      return undefined;
    },

    async release(slot) {
      try {
        await client.send(
          new DeleteCommand({
            TableName,
            Key: keyOf(slot, slot.slot),
            ConditionExpression: "#until = :until",
            ExpressionAttributeNames: { "#until": "until" },
            ExpressionAttributeValues: { ":until": slot.until },
          }),
        );
      } catch (error) {
        // It has run out, and is somebody else's or nobody's.
        if (!(error instanceof ConditionalCheckFailedException)) throw error;
      }
    },
  };
}

/** Any of them, so that those who come at the same time seldom meet. */
const anyOf = (slots: readonly number[]) =>
  slots[Math.floor(Math.random() * slots.length)] as number;

/** Those that fit, where there are any. */
function preferred(slots: readonly number[], isFitting: (slot: number) => boolean) {
  const fitting = slots.filter(isFitting);
  return fitting.length > 0 ? fitting : slots;
}
