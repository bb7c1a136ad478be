import { randomUUID } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import { ConditionalCheckFailedException } from "@aws-sdk/client-dynamodb";
import {
  BatchExecuteStatementCommand,
  DeleteCommand,
  type DynamoDBDocumentClient,
  PutCommand,
  paginateQuery,
  QueryCommand,
} from "@aws-sdk/lib-dynamodb";
import { unmarshall } from "@aws-sdk/util-dynamodb";
import * as z from "zod";
import { type Message, type MessageRef, messageSchema } from "../../core/message.ts";
import type {
  Claim,
  ClaimRequest,
  Clock,
  MessageChange,
  MessageStore,
  SentMessage,
} from "../../core/ports.ts";
import { slicesOf } from "../../core/slices.ts";
import { hasListedChanges, isListed } from "../../core/status-list.ts";
import { getAll } from "./get-all.ts";
import { parseItem } from "./items.ts";
import {
  CHANGES_INDEX,
  CORRELATION_INDEX,
  changesOf,
  changesPartitionOf,
  changesPartitions,
  partitionOf,
  SENT_TO_INDEX,
  SORT_KEY,
} from "./message-keys.ts";
import { createReads, createStatements, type ItemKey, type Statement } from "./together.ts";

/** The most statements of a BatchExecuteStatement, and the most keys of a BatchGetItem. */
const MAX_STATEMENTS = 25;
const MAX_KEYS = 100;
/** Requests at a time: enough to hide their latency, few enough not to wait for each other's connections. */
const REQUESTS_AT_ONCE = 8;
const TAKEN_AT_ONCE = REQUESTS_AT_ONCE * MAX_STATEMENTS;

const keyOf = (account: string, id: string) => ({
  pk: partitionOf(account, id),
  sk: SORT_KEY.message,
});

function itemOf(message: Message) {
  const { account, id, correlationId } = message;
  const changedKey = changedKeyOf(message);
  return {
    ...keyOf(account, id),
    ...message,
    // No key of an index may be empty, also where it is not in the index.
    ...(message.destination === "" && { destination: undefined }),
    ...(correlationId && { correlation: correlationOf(account, correlationId) }),
    ...(hasListedChanges(message) && {
      changes: changesPartitionOf(account, id),
      changedKey,
      ...(isListed(message) && { changed: changedKey }),
    }),
  };
}

/** Where a message is among the changed ones of its partition. */
const changedKeyOf = ({ id, subAccount, acceptedAt }: Message) =>
  `${changesOf(subAccount)}${new Date(acceptedAt).toISOString()}#${id}`;

const correlationOf = (account: string, correlationId: string) => `${account}#${correlationId}`;

const isAbsent = (message: Message, now: number) => message.removeAt <= now / 1_000;

/**
 * Reads a message out of an item of the table, in the document client's form.
 * @throws UnreadableItemError
 */
export function messageOfItem(item: unknown): Message {
  return parseItem(messageSchema, item, "message");
}

/** Of as many messages with one correlation id the newest are found, and so many with all that are asked for. */
const MAX_CORRELATED = 1_000;
const MAX_CORRELATED_TOGETHER = 10_000;
/** Well within what a function has to answer: what is taken must reach its caller. */
const LONGEST_TAKE_MS = 10_000;

/** Whether a message's status was taken, and by which call. */
const takenSchema = z.object({ takenBy: z.string().optional(), changed: z.string().optional() });

/** What an index without more than the keys holds of a message. */
const keysSchema = z.object({ pk: z.string() });

/** The account has no `#`, so the first one ends it. */
const idOfPartition = (pk: string) => pk.slice(pk.indexOf("#") + 1);

/** What the index by phone holds of a message. */
const sentItemSchema = z.object({
  ...messageSchema.pick({ account: true, id: true, traceId: true, dialect: true }).shape,
  removeAt: z.number(),
});

const NOT_REMOVED = "removeAt > :nowSeconds";
const SAME_TRACE = "traceId = :traceId";
/** The messages, in DynamoDB. */
export function createMessageStore(deps: {
  readonly client: DynamoDBDocumentClient;
  readonly tableName: string;
  readonly clock: Clock;
  /** How long a change waits for others to share a request with, in milliseconds; claims wait for nothing. */
  readonly lingerMs?: number | undefined;
}): MessageStore {
  const { client, clock, tableName: TableName } = deps;
  const read = createReads(client);
  const execute = createStatements(client);
  const executeSoon = createStatements(client, deps.lingerMs);
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

  async function find(account: string, id: string): Promise<Message | undefined> {
    const item = await read(TableName, keyOf(account, id));
    if (!item) return undefined;
    const message = messageOfItem(item);
    return isAbsent(message, clock.now()) ? undefined : message;
  }

  /** What a statement returned; DynamoDB is not documented to return anything from a batch. */
  const returned = async (item: unknown, account: string, id: string) =>
    item ? messageOfItem(item) : find(account, id);

  /** The ids of changed messages, a hundred at a time. */
  async function* pagesOfChanged(changes: string, subAccount: string | undefined) {
    const pages = paginateQuery(
      { client },
      {
        TableName,
        IndexName: CHANGES_INDEX,
        KeyConditionExpression:
          subAccount === undefined
            ? "changes = :changes"
            : "changes = :changes AND begins_with(changed, :subAccount)",
        ExpressionAttributeValues: {
          ":changes": changes,
          ...(subAccount !== undefined && { ":subAccount": changesOf(subAccount) }),
        },
        Limit: MAX_KEYS,
      },
    );
    for await (const { Items = [] } of pages) {
      yield Items.map((item) => idOfPartition(parseItem(keysSchema, item, "message").pk));
    }
  }

  /**
   * A request whose answers were all lost may have taken effect: asked for once more under its
   * token, it says so. What neither answers throws, and then may be taken all the same.
   * @returns the message where its present status has become the caller's, and undefined where it is another's
   */
  async function take(message: Message, token: string, again = true): Promise<Message | undefined> {
    const takenNow = `${token}#${message.state}`;
    const { account, id, traceId, state } = message;
    const statement = updateStatement(TableName, keyOf(account, id), {
      set: [["takenBy", takenNow]],
      remove: ["changed"],
      where: [sameTrace(traceId), ['"state" = ?', state], ['"changed" IS NOT MISSING']],
    });
    const executed = await execute(statement).catch((error) => {
      if (again) return undefined;
      throw error;
    });
    if (!executed) return take(message, token, false);
    if (executed.kind === "done") return message;
    // An earlier try of this very write that we were not told of: the SDK retries by itself.
    const { takenBy, changed } = takenSchema.parse(executed.item ?? {});
    return takenBy === takenNow && changed === undefined ? message : undefined;
  }

  /** @returns `refused` with whatever is stored under the id */
  async function claimAs(
    how: Claimable,
    { account, id, traceId }: MessageRef,
    { now, lease, carrier, known }: ClaimRequest,
  ): Promise<Claim> {
    const claimed = { state: "SENDING", stateAt: now, lease, carrier } as const;
    // Nobody has had it in hand: nothing of it has changed that is of use to who has it now.
    const fresh = how === "new" ? known : undefined;
    const executed = await execute(
      updateStatement(TableName, keyOf(account, id), {
        set: [...Object.entries(claimed), ...(fresh ? [["attempts", 1] as const] : [])],
        alsoSet: fresh ? [] : ['"attempts" = "attempts" + 1'],
        where: [
          sameTrace(traceId),
          ['"claimableFrom" <= ?', now],
          ['"claimableUntil" > ?', now],
          notRemovedAt(now),
          ...(how === "lapsed" ? leaseRanOut(now) : [['"state" = ?', "QUEUED"] as const]),
          ...(fresh ? [['"attempts" = ?', 0] as const] : []),
        ],
        returns: !fresh,
      }),
    );
    if (executed.kind === "refused") {
      return executed.item
        ? { kind: "refused", message: messageOfItem(executed.item) }
        : { kind: "absent" };
    }
    const message = fresh
      ? { ...fresh, ...claimed, attempts: 1 }
      : await returned(executed.item, account, id);
    return message ? { kind: "claimed", message } : { kind: "absent" };
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

    find,

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
        if (!last) continue;
        const sent = parseItem(sentItemSchema, last, "sent message");
        const message = await find(sent.account, sent.id);
        return message?.traceId === sent.traceId ? message : sent;
      }
      return undefined;
    },

    async findCorrelated(account, correlationIds) {
      const ids = await inTurns([...new Set(correlationIds)], async (correlationId) => {
        const { Items = [] } = await client.send(
          new QueryCommand({
            TableName,
            IndexName: CORRELATION_INDEX,
            KeyConditionExpression: "correlation = :correlation",
            ExpressionAttributeValues: { ":correlation": correlationOf(account, correlationId) },
            ScanIndexForward: false,
            Limit: MAX_CORRELATED,
          }),
        );
        return Items.map((item) => idOfPartition(parseItem(keysSchema, item, "message").pk));
      });
      return findMany(account, [...new Set(ids.flat())].slice(0, MAX_CORRELATED_TOGETHER));
    },

    async takeChanged(account, limit, subAccount) {
      const token = randomUUID();
      const deadline = clock.now() + LONGEST_TAKE_MS;
      const taken: Message[] = [];
      const failures: unknown[] = [];
      const partitions = changesPartitions(account);
      // Callers at the same time begin in different places.
      const first = Math.floor(Math.random() * partitions.length);
      const takeSome = async (ids: readonly string[]) => {
        const candidates = await findTogether(account, ids);
        // Of some, others may be faster: then the next ones are tried.
        while (candidates.length > 0 && taken.length < limit && clock.now() < deadline) {
          const turn = candidates.splice(0, Math.min(TAKEN_AT_ONCE, limit - taken.length));
          const results = await Promise.allSettled(turn.map((message) => take(message, token)));
          for (const result of results) {
            if (result.status === "rejected") failures.push(result.reason);
            else if (result.value) taken.push(result.value);
          }
          if (failures.length > 0) throw failures[0];
        }
      };
      try {
        for (const changes of [...partitions.slice(first), ...partitions.slice(0, first)]) {
          for await (const ids of pagesOfChanged(changes, subAccount)) {
            await takeSome(ids);
            if (taken.length >= limit || clock.now() >= deadline) return taken;
          }
        }
      } catch (error) {
        // What was taken before must reach its caller.
        if (taken.length === 0) throw error;
      }
      return taken;
    },

    async claim(ref, request) {
      const { known, lease, now } = request;
      const first = known ? claimableAs(known) : "queued";
      let claim = await claimAs(first, ref, request);
      // It is not what it was taken for.
      const next = claim.kind === "refused" ? claimableAs(claim.message) : undefined;
      if (claim.kind === "refused" && next !== first && mayBeClaimedAs(next, claim.message, now)) {
        claim = await claimAs(next, ref, request);
      }
      if (claim.kind === "claimed") return claim;
      if (claim.kind === "absent" || claim.message.traceId !== ref.traceId) {
        return { kind: "absent" };
      }
      if (isAbsent(claim.message, now)) return { kind: "absent" };
      // As above: the lease is ours by a try that we were not told of.
      return claim.message.lease?.token === lease.token ? { ...claim, kind: "claimed" } : claim;
    },

    async change(seen, change) {
      const becomesListed =
        change.state && isListed({ state: change.state, reason: change.reason });
      const fields = Object.entries(change);
      const executed = await executeSoon(
        updateStatement(TableName, keyOf(seen.account, seen.id), {
          set: [
            ...fields.filter(([, value]) => value !== undefined),
            ...(becomesListed && hasListedChanges(seen)
              ? [["changed", changedKeyOf(seen)] as const]
              : []),
          ],
          remove: fields.flatMap(([field, value]) => (value === undefined ? [field] : [])),
          where: [
            sameTrace(seen.traceId),
            ['"state" = ?', seen.state],
            notRemovedAt(clock.now()),
            seen.lease ? ['"lease"."token" = ?', seen.lease.token] : ['"lease" IS MISSING'],
            ...(seen.parts ? [['"parts" = ?', seen.parts] as const] : []),
          ],
        }),
      );
      if (executed.kind === "done") return { ...seen, ...change } as Message;
      const stored = executed.item && messageOfItem(executed.item);
      return stored && hasHappened(stored, seen, change) ? stored : undefined;
    },
  };
}

/** What a message can be claimed as: handed over before or not, or left by who had it. */
type Claimable = "new" | "queued" | "lapsed";

function claimableAs({ state, attempts }: Message): Claimable {
  if (state === "SENDING") return "lapsed";
  return attempts === 0 ? "new" : "queued";
}

/** Whether it is worth a try: the statement has the last word. */
function mayBeClaimedAs(
  how: Claimable | undefined,
  { state, lease }: Message,
  now: number,
): how is Claimable {
  if (how === "lapsed") return lease?.lastCall === true && lease.until <= now;
  return how === "queued" && state === "QUEUED";
}

/** Part of a condition in PartiQL, and the values of its question marks. */
type Condition = readonly [text: string, ...values: unknown[]];

const sameTrace = (traceId: string): Condition => ['"traceId" = ?', traceId];
const notRemovedAt = (now: number): Condition => ['"removeAt" > ?', now / 1_000];
/** Not as an alternative to another state: not everything that speaks PartiQL knows `OR`. */
const leaseRanOut = (now: number): Condition[] => [
  ['"state" = ?', "SENDING"],
  ['"lease"."lastCall" = ?', true],
  ['"lease"."until" <= ?', now],
];
/** A statement that changes an item, if it is there and the conditions hold. */
function updateStatement(
  tableName: string,
  key: ItemKey,
  update: {
    readonly set: readonly (readonly [field: string, value: unknown])[];
    /** Assignments as they are written. */
    readonly alsoSet?: readonly string[];
    readonly remove?: readonly string[];
    readonly where: readonly Condition[];
    /** Whether it returns the item as it is then. */
    readonly returns?: boolean;
  },
): Statement {
  const { set, alsoSet = [], remove = [], where, returns } = update;
  // One clause for each: not everything that speaks PartiQL takes several in one.
  const clauses = [
    ...set.map(([field]) => `SET "${field}" = ?`),
    ...alsoSet.map((assignment) => `SET ${assignment}`),
    ...remove.map((field) => `REMOVE "${field}"`),
  ];
  const conditions = ['"pk" = ?', '"sk" = ?', ...where.map(([text]) => text)];
  return {
    key,
    text: `UPDATE "${tableName}" ${clauses.join(" ")} WHERE ${conditions.join(" AND ")}${returns ? " RETURNING ALL NEW *" : ""}`,
    parameters: [
      ...set.map(([, value]) => value),
      key.pk,
      key.sk,
      ...where.flatMap(([, ...values]) => values),
    ],
  };
}

/**
 * Whether a change that the store refuses is one that it has already made: the SDK retries a
 * request whose answer was lost, and the condition that held for the first try fails the second.
 */
function hasHappened(stored: Message, seen: Message, change: MessageChange): boolean {
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
