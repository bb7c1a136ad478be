import { type DynamoDBDocumentClient, GetCommand, PutCommand } from "@aws-sdk/lib-dynamodb";
import { LRUCache } from "lru-cache";
import * as z from "zod";
import type { OperatorsOfPhones } from "../../core/carrier-pool.ts";
import { operatorByRange } from "../../core/operator-ranges.ts";
import type { Clock } from "../../core/ports.ts";
import { parseItem } from "./items.ts";

const operatorSchema = z.object({ operator: z.string(), removeAt: z.number() });

const keyOf = (phone: string) => ({ pk: `PHONE#${phone}`, sk: "OPERATOR" });

/** Of so many phones a function does not write down again what it wrote down before. */
const REMEMBERED = 10_000;

/** The operators that carriers have named with receipts and MOs, for as long as a stage wants to remember them. */
export interface LearntOperators extends OperatorsOfPhones {
  /** @param phone E.164 without the plus sign */
  learn(phone: string, operator: string): Promise<void>;
}

/** The operators of phones, in DynamoDB. */
export function createLearntOperators(deps: {
  readonly client: DynamoDBDocumentClient;
  readonly tableName: string;
  readonly memoryMs: number;
  readonly clock: Clock;
}): LearntOperators {
  const { client, tableName: TableName, memoryMs, clock } = deps;
  const written = new LRUCache<string, string>({ max: REMEMBERED });
  const nowSeconds = () => clock.now() / 1_000;
  return {
    async find(phone) {
      const { Item } = await client.send(new GetCommand({ TableName, Key: keyOf(phone) }));
      if (!Item) return undefined;
      const { operator, removeAt } = parseItem(operatorSchema, Item, "phone's operator");
      return removeAt > nowSeconds() ? operator : undefined;
    },

    async learn(phone, operator) {
      if (written.get(phone) === operator) return;
      const removeAt = Math.ceil(nowSeconds() + memoryMs / 1_000);
      await client.send(
        new PutCommand({ TableName, Item: { ...keyOf(phone), operator, removeAt } }),
      );
      written.set(phone, operator);
    },
  };
}

const DAY_MS = 24 * 60 * 60_000;

/**
 * The operators of phones: by what carriers have named, where the stage remembers that, else by the
 * range that the number is from.
 */
export function openOperators(deps: {
  readonly client: DynamoDBDocumentClient;
  readonly tableName: string;
  readonly memoryDays: number;
  readonly clock: Clock;
  /** See `operatorByRange`; read when it is first needed. */
  readonly ranges: () => object;
  /** Hears that what carriers have named is not known. */
  readonly onFailure: (what: string, error: unknown) => void;
}): OperatorsOfPhones {
  const { memoryDays, ranges, onFailure } = deps;
  const byRange = operatorByRange(ranges);
  if (memoryDays === 0) return { find: async (phone) => byRange(phone) };
  const learnt = createLearntOperators({ ...deps, memoryMs: memoryDays * DAY_MS });
  return {
    async find(phone) {
      const named = await learnt.find(phone).catch((error) => {
        onFailure("a phone's operator is not known", error);
        return undefined;
      });
      return named ?? byRange(phone);
    },
  };
}

/** Remembers the operators that carriers name; undefined where the stage does not want that. */
export function openLearning(deps: {
  readonly client: DynamoDBDocumentClient;
  readonly tableName: string;
  readonly memoryDays: number;
  readonly clock: Clock;
}): LearntOperators["learn"] | undefined {
  return deps.memoryDays === 0
    ? undefined
    : createLearntOperators({ ...deps, memoryMs: deps.memoryDays * DAY_MS }).learn;
}
