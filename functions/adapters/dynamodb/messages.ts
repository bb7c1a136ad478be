import { isDeepStrictEqual } from "node:util";
import { ConditionalCheckFailedException } from "@aws-sdk/client-dynamodb";
import {
  BatchExecuteStatementCommand,
  DeleteCommand,
  type DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  paginateQuery,
  UpdateCommand,
} from "@aws-sdk/lib-dynamodb";
import { unmarshall } from "@aws-sdk/util-dynamodb";
import * as z from "zod";
import { type Message, messageSchema } from "../../core/message.ts";
import type {
  Clock,
  MessageChange,
  MessageSeen,
  MessageStore,
  SentMessage,
} from "../../core/ports.ts";
import { slicesOf } from "../../core/slices.ts";
import { getAll } from "./get-all.ts";
import { parseItem } from "./items.ts";
import { partitionOf, SENT_TO_INDEX, SORT_KEY } from "./message-keys.ts";

/** The most statements of a BatchExecuteStatement, and the most keys of a BatchGetItem. */
const MAX_STATEMENTS = 25;
const MAX_KEYS = 100;
/** Requests at a time: enough to hide their latency, few enough not to wait for each other's connections. */
const REQUESTS_AT_ONCE = 8;

const keyOf = (account: string, id: string) => ({
  pk: partitionOf(account, id),
  sk: SORT_KEY.message,
});

const itemOf = (message: Message) => ({ ...keyOf(message.account, message.id), ...message });

const isAbsent = (message: Message, now: number) => message.removeAt <= now / 1_000;

/**
 * Reads a message out of an item of the table, in the document client's form.
 * @throws UnreadableItemError
 */
export function messageOfItem(item: unknown): Message {
  return parseItem(messageSchema, item, "message");
}

/** What the index by phone holds of a message. */
const sentItemSchema = z.object({
  ...messageSchema.pick({ account: true, id: true, traceId: true, dialect: true }).shape,
  removeAt: z.number(),
});

const NOT_REMOVED = "removeAt > :nowSeconds";
const SAME_TRACE = "traceId = :traceId";
const QUEUED_OR_LEASE_RAN_OUT =
  "(#state = :queued OR (#state = :sending AND #lease.#until <= :now))";
const MAY_BE_SENT_NOW = "claimableFrom <= :now AND claimableUntil > :now";

/** The messages, in DynamoDB. */
export function createMessageStore(deps: {
  readonly client: DynamoDBDocumentClient;
  readonly tableName: string;
  readonly clock: Clock;
}): MessageStore {
  const { client, clock, tableName: TableName } = deps;
  const nowSeconds = () => clock.now() / 1_000;

  async function insert(message: Message): ReturnType<MessageStore["insert"]> {
    try {
      await client.send(
        new PutCommand({
          TableName,
          Item: itemOf(message),
          ConditionExpression: "attribute_not_exists(pk) OR removeAt <= :nowSeconds",
          ExpressionAttributeValues: { ":nowSeconds": nowSeconds() },
          ReturnValuesOnConditionCheckFailure: "ALL_OLD",
        }),
      );
      return { inserted: true };
    } catch (error) {
      const existing = messageOfFailedCheck(error);
      // An earlier try of this very write that we were not told of: the SDK retries by itself.
      const isThisOne =
        existing.traceId === message.traceId &&
        existing.state === message.state &&
        existing.stateAt === message.stateAt;
      return isThisOne ? { inserted: true } : { inserted: false, existing };
    }
  }

  /** @returns those that were not inserted, for whatever reason */
  async function insertTogether(messages: readonly Message[]): Promise<Message[]> {
    const { Responses = [] } = await client.send(
      new BatchExecuteStatementCommand({
        Statements: messages.map((message) => insertStatement(TableName, itemOf(message))),
      }),
    );
    return messages.filter((_, index) => Responses[index]?.Error || !Responses[index]);
  }

  async function findTogether(account: string, ids: readonly string[]): Promise<Message[]> {
    const keys = ids.map((id) => keyOf(account, id));
    const items = await getAll(client, TableName, keys);
    return items.map(messageOfItem).filter((message) => !isAbsent(message, clock.now()));
  }

  async function findMany(account: string, ids: readonly string[]): Promise<Message[]> {
    const found = await inTurns(slicesOf(ids, MAX_KEYS), (slice) => findTogether(account, slice));
    return found.flat();
  }

  return {
    insert,

    async insertMany(messages) {
      const stored = new Map(messages.map((message) => [message.id, message]));
      const refused = (await inTurns(slicesOf(messages, MAX_STATEMENTS), insertTogether)).flat();
      const [first] = refused;
      if (first) {
        const ids = refused.map(({ id }) => id);
        const existing = await findMany(first.account, ids);
        for (const message of existing) stored.set(message.id, message);
        const isThere = new Set(existing.map(({ id }) => id));
        // Past its retention and not deleted yet, or a statement that failed for a moment.
        for (const message of refused.filter(({ id }) => !isThere.has(id))) {
          const result = await insert(message);
          if (!result.inserted) stored.set(message.id, result.existing);
        }
      }
      return messages.map((message) => stored.get(message.id) ?? message);
    },

    async withdraw({ account, id, traceId }) {
      try {
        await client.send(
          new DeleteCommand({
            TableName,
            Key: keyOf(account, id),
            ConditionExpression: `${SAME_TRACE} AND attempts = :none AND #state IN (:queued, :scheduled) AND attribute_not_exists(kept)`,
            ExpressionAttributeNames: { "#state": "state" },
            ExpressionAttributeValues: {
              ":traceId": traceId,
              ":none": 0,
              ":queued": "QUEUED",
              ":scheduled": "SCHEDULED",
            },
            ReturnValuesOnConditionCheckFailure: "ALL_OLD",
          }),
        );
        return true;
      } catch (error) {
        return messageOfFailedCheck(error, { orAbsent: true })?.traceId !== traceId;
      }
    },

    async find(account, id) {
      const { Item } = await client.send(
        new GetCommand({ TableName, Key: keyOf(account, id), ConsistentRead: true }),
      );
      if (!Item) return undefined;
      const message = messageOfItem(Item);
      return isAbsent(message, clock.now()) ? undefined : message;
    },

    findMany,

    async findLastSent(phone, shortCode, before): Promise<SentMessage | undefined> {
      const pages = paginateQuery(
        { client },
        {
          TableName,
          IndexName: SENT_TO_INDEX,
          KeyConditionExpression: "destination = :phone AND sentAt <= :before",
          FilterExpression: `shortCode = :shortCode AND ${NOT_REMOVED}`,
          ExpressionAttributeValues: {
            ":phone": phone,
            ":before": before,
            ":shortCode": shortCode,
            ":nowSeconds": nowSeconds(),
          },
          ScanIndexForward: false,
        },
      );
      for await (const { Items } of pages) {
        const [last] = Items ?? [];
        if (last) return parseItem(sentItemSchema, last, "sent message");
      }
      return undefined;
    },

    async claim({ account, id, traceId }, { now, lease, carrier }) {
      try {
        const { Attributes } = await client.send(
          new UpdateCommand({
            TableName,
            Key: keyOf(account, id),
            UpdateExpression:
              "SET #state = :sending, stateAt = :now, #lease = :lease, carrier = :carrier, attempts = attempts + :one",
            ConditionExpression: `${SAME_TRACE} AND ${QUEUED_OR_LEASE_RAN_OUT} AND ${MAY_BE_SENT_NOW} AND ${NOT_REMOVED}`,
            ExpressionAttributeNames: { "#state": "state", "#lease": "lease", "#until": "until" },
            ExpressionAttributeValues: {
              ":traceId": traceId,
              ":queued": "QUEUED",
              ":sending": "SENDING",
              ":now": now,
              ":nowSeconds": now / 1_000,
              ":lease": lease,
              ":carrier": carrier,
              ":one": 1,
            },
            ReturnValues: "ALL_NEW",
            ReturnValuesOnConditionCheckFailure: "ALL_OLD",
          }),
        );
        return { kind: "claimed", message: messageOfItem(Attributes) };
      } catch (error) {
        const message = messageOfFailedCheck(error, { orAbsent: true });
        if (!message || message.traceId !== traceId || isAbsent(message, now)) {
          return { kind: "absent" };
        }
        // As above: the lease is ours by a try that we were not told of.
        return message.lease?.token === lease.token
          ? { kind: "claimed", message }
          : { kind: "refused", message };
      }
    },

    async change(seen, change) {
      const update = updateOf(change);
      const underLease = seen.lease ? "#lease.#token = :heldToken" : "attribute_not_exists(#lease)";
      const withParts = seen.parts ? " AND #parts = :seenParts" : "";
      try {
        const { Attributes } = await client.send(
          new UpdateCommand({
            TableName,
            Key: keyOf(seen.account, seen.id),
            UpdateExpression: update.expression,
            ConditionExpression: `${SAME_TRACE} AND #state = :expectedState AND ${underLease} AND ${NOT_REMOVED}${withParts}`,
            ExpressionAttributeNames: {
              ...update.names,
              "#state": "state",
              "#lease": "lease",
              ...(seen.lease && { "#token": "token" }),
              ...(seen.parts && { "#parts": "parts" }),
            },
            ExpressionAttributeValues: {
              ...update.values,
              ":traceId": seen.traceId,
              ":expectedState": seen.state,
              ":nowSeconds": nowSeconds(),
              ...(seen.lease && { ":heldToken": seen.lease.token }),
              ...(seen.parts && { ":seenParts": seen.parts }),
            },
            ReturnValues: "ALL_NEW",
            ReturnValuesOnConditionCheckFailure: "ALL_OLD",
          }),
        );
        return messageOfItem(Attributes);
      } catch (error) {
        const stored = messageOfFailedCheck(error, { orAbsent: true });
        return stored && hasHappened(stored, seen, change) ? stored : undefined;
      }
    },
  };
}

/**
 * Whether a change that the store refuses is one that it has already made: the SDK retries a
 * request whose answer was lost, and the condition that held for the first try fails the second.
 */
function hasHappened(stored: Message, seen: MessageSeen, change: MessageChange): boolean {
  return (
    stored.traceId === seen.traceId &&
    stored.state !== seen.state &&
    stored.state === change.state &&
    stored.stateAt === change.stateAt &&
    (!change.parts || isDeepStrictEqual(stored.parts, change.parts))
  );
}

/** Does the same with each of many, a few at a time; in their order. */
async function inTurns<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (const turn of slicesOf(items, REQUESTS_AT_ONCE)) {
    results.push(...(await Promise.all(turn.map(work))));
  }
  return results;
}

/** A statement that inserts an item, and fails where its key is taken. */
function insertStatement(tableName: string, item: Readonly<Record<string, unknown>>) {
  const fields = Object.entries(item).filter(([, value]) => value !== undefined);
  const values = fields.map(([name]) => `'${name}': ?`).join(", ");
  return {
    Statement: `INSERT INTO "${tableName}" VALUE {${values}}`,
    Parameters: fields.map(([, value]) => value),
  };
}

/** The update expression of a change: a SET for what it gives, a REMOVE for what it takes away. */
function updateOf(change: MessageChange) {
  const fields = Object.entries(change);
  const set = fields.filter(([, value]) => value !== undefined);
  const removed = fields.filter(([, value]) => value === undefined);
  const clauses = [
    set.length > 0 && `SET ${set.map(([field]) => `#${field} = :${field}`).join(", ")}`,
    removed.length > 0 && `REMOVE ${removed.map(([field]) => `#${field}`).join(", ")}`,
  ];
  return {
    expression: clauses.filter(Boolean).join(" "),
    names: Object.fromEntries(fields.map(([field]) => [`#${field}`, field])),
    values: Object.fromEntries(set.map(([field, value]) => [`:${field}`, value])),
  };
}

function messageOfFailedCheck(error: unknown): Message;
function messageOfFailedCheck(error: unknown, may: { orAbsent: true }): Message | undefined;
function messageOfFailedCheck(error: unknown, may?: { orAbsent: true }): Message | undefined {
  if (!(error instanceof ConditionalCheckFailedException)) throw error;
  if (!error.Item) {
    if (may) return undefined;
    throw error;
  }
  return messageOfItem(unmarshall(error.Item));
}
