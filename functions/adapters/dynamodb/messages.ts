import { ConditionalCheckFailedException } from "@aws-sdk/client-dynamodb";
import {
  DeleteCommand,
  type DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  UpdateCommand,
} from "@aws-sdk/lib-dynamodb";
import { unmarshall } from "@aws-sdk/util-dynamodb";
import { type Message, messageSchema } from "../../core/message.ts";
import type { Clock, MessageChange, MessageSeen, MessageStore } from "../../core/ports.ts";
import { parseItem } from "./items.ts";

/** The sort key of an MT's own item; what else belongs to the message will lie beside it. */
const MT_SORT_KEY = "MT";

/** An account's name has no `#`, so the first one separates, whatever the client's id holds. */
const keyOf = (account: string, id: string) => ({ pk: `${account}#${id}`, sk: MT_SORT_KEY });

const itemOf = (message: Message) => ({ ...keyOf(message.account, message.id), ...message });

const isAbsent = (message: Message, now: number) => message.removeAt <= now / 1_000;

/**
 * Reads a message out of an item of the table, in the document client's form.
 * @throws UnreadableItemError
 */
export function messageOfItem(item: unknown): Message {
  return parseItem(messageSchema, item, "message");
}

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

  return {
    async insert(message) {
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
        return existing.traceId === message.traceId
          ? { inserted: true }
          : { inserted: false, existing };
      }
    },

    async withdraw({ account, id, traceId }) {
      try {
        await client.send(
          new DeleteCommand({
            TableName,
            Key: keyOf(account, id),
            ConditionExpression: `${SAME_TRACE} AND attempts = :none AND #state IN (:queued, :scheduled)`,
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
      try {
        const { Attributes } = await client.send(
          new UpdateCommand({
            TableName,
            Key: keyOf(seen.account, seen.id),
            UpdateExpression: update.expression,
            ConditionExpression: `${SAME_TRACE} AND #state = :expectedState AND ${underLease} AND ${NOT_REMOVED}`,
            ExpressionAttributeNames: {
              ...update.names,
              "#state": "state",
              "#lease": "lease",
              ...(seen.lease && { "#token": "token" }),
            },
            ExpressionAttributeValues: {
              ...update.values,
              ":traceId": seen.traceId,
              ":expectedState": seen.state,
              ":nowSeconds": nowSeconds(),
              ...(seen.lease && { ":heldToken": seen.lease.token }),
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
    stored.stateAt === change.stateAt
  );
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
