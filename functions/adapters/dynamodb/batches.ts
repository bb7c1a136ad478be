import { createHash } from "node:crypto";
import { gunzipSync, gzipSync } from "node:zlib";
import { ConditionalCheckFailedException } from "@aws-sdk/client-dynamodb";
import {
  DeleteCommand,
  type DynamoDBDocumentClient,
  PutCommand,
  paginateQuery,
  UpdateCommand,
} from "@aws-sdk/lib-dynamodb";
import { LRUCache } from "lru-cache";
import * as z from "zod";
import type { BatchRef } from "../../core/batch.ts";
import { type Message, messageSchema } from "../../core/message.ts";
import type { BatchStore, Clock, OpenMessage } from "../../core/ports.ts";
import { slicesOf } from "../../core/slices.ts";
import { getAll } from "./get-all.ts";
import { parseItem } from "./items.ts";
import { partitionOf, SORT_KEY } from "./message-keys.ts";
import { createReads, type ReadItem } from "./together.ts";

/** Well within DynamoDB's 400 KB for an item. */
const PIECE_BYTES = 350_000;
/** Of the digest of an id: enough that two ids of an account never share one. */
const DIGEST_BYTES = 8;
/** For how long after its due time it is of use to know who was canceled. */
const CANCELED_KEPT_SECONDS = 24 * 60 * 60;

const contentSchema = z.object({ version: z.literal(1), messages: z.array(messageSchema) });

const pieceSchema = z.object({ content: z.instanceof(Uint8Array), removeAt: z.number() });

/** That a batch is open. Tiny, because every look at an account's open batches reads all of them. */
const openSchema = z.object({
  version: z.literal(1),
  batchId: z.string(),
  begun: z.boolean(),
  removeAt: z.number(),
});
type Open = z.infer<typeof openSchema>;

/** The digests of the ids and correlation ids of a batch's messages, one behind the other. */
const idsSchema = z.object({ batchId: z.string(), ids: z.instanceof(Uint8Array) });
/** Batches whose digests a function remembers: they never change. */
const REMEMBERED_BATCHES = 1_000;
const MAX_KEYS = 100;

/** By what a message is found: its id, and its correlation id, which begins as no id does. */
const correlated = (correlationId: string) => `\u0000${correlationId}`;
const namesOf = ({ id, correlationId }: Message) => [
  id,
  ...(correlationId ? [correlated(correlationId)] : []),
];

const digestOf = (id: string) => createHash("sha256").update(id).digest().subarray(0, DIGEST_BYTES);

function digestsIn(ids: Uint8Array): Set<bigint> {
  const digests = Buffer.from(ids);
  return new Set(
    Array.from({ length: digests.length / DIGEST_BYTES }, (_, index) =>
      digests.readBigUInt64BE(index * DIGEST_BYTES),
    ),
  );
}

const openKey = ({ account, batchId }: BatchRef) => ({
  pk: account,
  sk: `${SORT_KEY.open}${batchId}`,
});

const mayBeOpenKey = (account: string) => ({ pk: account, sk: SORT_KEY.mayBeOpen });
const mayBeOpenSchema = z.object({ removeAt: z.number() });

const idsKey = ({ account, batchId }: BatchRef) => ({
  pk: partitionOf(account, batchId),
  sk: SORT_KEY.batchIds,
});

const lastRemoval = (messages: readonly Message[]) =>
  Math.max(...messages.map(({ removeAt }) => removeAt));

/** The batches, in the table of messages. What is written once is never changed; what is changed is small. */
export function createBatchStore(deps: {
  readonly client: DynamoDBDocumentClient;
  readonly tableName: string;
  readonly clock: Clock;
  /** Shared with those who read other things at the same time, where there are such. */
  readonly read?: ReadItem;
}): BatchStore {
  const { client, clock, tableName: TableName, read = createReads(client) } = deps;
  const isThere = ({ removeAt }: { removeAt: number }) => removeAt > clock.now() / 1_000;

  async function query(pk: string, prefix: string): Promise<unknown[]> {
    const items: unknown[] = [];
    const pages = paginateQuery(
      { client },
      {
        TableName,
        KeyConditionExpression: "pk = :pk AND begins_with(sk, :prefix)",
        ExpressionAttributeValues: { ":pk": pk, ":prefix": prefix },
        ConsistentRead: true,
      },
    );
    for await (const { Items = [] } of pages) items.push(...Items);
    return items;
  }

  async function load({ account, batchId }: BatchRef): Promise<Message[]> {
    const items = await query(partitionOf(account, batchId), SORT_KEY.batch);
    const pieces = items.map((item) => parseItem(pieceSchema, item, "batch")).filter(isThere);
    if (pieces.length === 0) return [];
    const json = gunzipSync(Buffer.concat(pieces.map(({ content }) => content))).toString("utf8");
    return parseItem(contentSchema, JSON.parse(json), "batch").messages;
  }

  const remembered = new LRUCache<string, Set<bigint>>({ max: REMEMBERED_BATCHES });

  /** The digests of each batch's ids. */
  async function digestsOf(batches: readonly BatchRef[]): Promise<Set<bigint>[]> {
    const read = new Map<string, Set<bigint>>();
    const unknown: BatchRef[] = [];
    for (const batch of batches) {
      const known = remembered.get(batch.batchId);
      if (known) read.set(batch.batchId, known);
      else unknown.push(batch);
    }
    for (const slice of slicesOf(unknown, MAX_KEYS)) {
      for (const item of await getAll(client, TableName, slice.map(idsKey))) {
        const { batchId, ids } = parseItem(idsSchema, item, "ids of a batch");
        const digests = digestsIn(ids);
        remembered.set(batchId, digests);
        read.set(batchId, digests);
      }
    }
    return batches.map(({ batchId }) => read.get(batchId) ?? new Set());
  }

  /** Whoever looks for open batches need not look for longer than that. */
  async function noteThatSomeMayBeOpen(account: string, removeAt: number): Promise<void> {
    try {
      await client.send(
        new UpdateCommand({
          TableName,
          Key: mayBeOpenKey(account),
          UpdateExpression: "SET removeAt = :removeAt",
          ConditionExpression: "attribute_not_exists(pk) OR removeAt < :removeAt",
          ExpressionAttributeValues: { ":removeAt": removeAt },
        }),
      );
    } catch (error) {
      // It says so for longer already.
      refusedBy(error);
    }
  }

  async function mayBeOpen(account: string): Promise<boolean> {
    const item = await read(TableName, mayBeOpenKey(account));
    return item !== undefined && isThere(parseItem(mayBeOpenSchema, item, "note of open batches"));
  }

  return {
    load,

    async keep({ account, batchId }, messages) {
      const content = gzipSync(JSON.stringify({ version: 1, messages }));
      const removeAt = lastRemoval(messages);
      const pieces = Array.from(
        { length: Math.ceil(content.length / PIECE_BYTES) },
        (_, index) => ({
          pk: partitionOf(account, batchId),
          sk: `${SORT_KEY.batch}${String(index).padStart(4, "0")}`,
          content: content.subarray(index * PIECE_BYTES, (index + 1) * PIECE_BYTES),
          removeAt,
        }),
      );
      const ids = Buffer.concat(messages.flatMap(namesOf).map(digestOf));
      await Promise.all(
        [...pieces, { ...idsKey({ account, batchId }), batchId, ids, removeAt }].map((Item) =>
          client.send(new PutCommand({ TableName, Item })),
        ),
      );
    },

    async open(batch, messages) {
      await noteThatSomeMayBeOpen(batch.account, lastRemoval(messages));
      const open: Open = {
        version: 1,
        batchId: batch.batchId,
        begun: false,
        removeAt: lastRemoval(messages),
      };
      await client.send(new PutCommand({ TableName, Item: { ...openKey(batch), ...open } }));
    },

    async withdraw(batch) {
      try {
        await client.send(
          new DeleteCommand({
            TableName,
            Key: openKey(batch),
            // Also where it is gone already: an earlier try that we were not told of.
            ConditionExpression: "attribute_not_exists(pk) OR begun = :no",
            ExpressionAttributeValues: { ":no": false },
          }),
        );
        return true;
      } catch (error) {
        return refusedBy(error);
      }
    },

    async begin(batch) {
      try {
        await client.send(
          new UpdateCommand({
            TableName,
            Key: openKey(batch),
            UpdateExpression: "SET begun = :yes",
            ConditionExpression: "attribute_exists(pk)",
            ExpressionAttributeValues: { ":yes": true },
          }),
        );
        return true;
      } catch (error) {
        return refusedBy(error);
      }
    },

    async close(batch) {
      await client.send(new DeleteCommand({ TableName, Key: openKey(batch) }));
    },

    async findOpen(account, ids, correlationIds = []) {
      // Most accounts send nothing in bulk, and what is read beside other things costs next to nothing.
      if (!(await mayBeOpen(account))) return [];
      const items = await query(account, SORT_KEY.open);
      const open = items
        .map((item) => parseItem(openSchema, item, "open batch"))
        .filter(isThere)
        .map(({ batchId, begun }) => ({ batch: { account, batchId }, begun }));
      const digests = await digestsOf(open.map(({ batch }) => batch));
      const asked = new Set([...ids, ...correlationIds.map(correlated)]);
      const wanted = [...asked].map((name) => digestOf(name).readBigUInt64BE());
      const holding = open.filter((_, index) =>
        wanted.some((digest) => digests[index]?.has(digest)),
      );
      const found = await Promise.all(
        holding.map(async ({ batch, begun }): Promise<OpenMessage[]> => {
          const messages = await load(batch);
          return messages
            .filter((message) => namesOf(message).some((name) => asked.has(name)))
            .map((message) => ({ message, batch, begun }));
        }),
      );
      return found.flat();
    },

    async noteCanceled({ account, batchId, due }, traceId) {
      const { Attributes } = await client.send(
        new UpdateCommand({
          TableName,
          Key: { pk: partitionOf(account, batchId), sk: `${SORT_KEY.canceled}${due}` },
          // A set, so that what the SDK repeats by itself counts once.
          UpdateExpression: "ADD canceled :traceId SET removeAt = :removeAt",
          ExpressionAttributeValues: {
            ":traceId": new Set([traceId]),
            ":removeAt": Math.ceil(due / 1_000) + CANCELED_KEPT_SECONDS,
          },
          ReturnValues: "ALL_NEW",
        }),
      );
      return z.object({ canceled: z.set(z.string()) }).parse(Attributes).canceled.size;
    },
  };
}

/** @returns false where the condition did not hold; whatever else went wrong is thrown */
function refusedBy(error: unknown): false {
  if (error instanceof ConditionalCheckFailedException) return false;
  throw error;
}
