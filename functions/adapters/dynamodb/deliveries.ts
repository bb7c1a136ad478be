import { randomUUID } from "node:crypto";
import { ConditionalCheckFailedException } from "@aws-sdk/client-dynamodb";
import {
  type DynamoDBDocumentClient,
  PutCommand,
  paginateQuery,
  type QueryCommandInput,
  UpdateCommand,
} from "@aws-sdk/lib-dynamodb";
import { unmarshall } from "@aws-sdk/util-dynamodb";
import * as z from "zod";
import {
  DELIVERY_LEVELS,
  type Delivery,
  type DeliveryKey,
  type DeliveryTurn,
  type ReleaseJob,
} from "../../core/callback-delivery.ts";
import type { Deliveries, DeliveryChange } from "../../core/callback-ports.ts";
import type { EndpointKey } from "../../core/endpoint-health.ts";
import type { Clock } from "../../core/ports.ts";
import { slicesOf } from "../../core/slices.ts";
import {
  CREATED_INDEX,
  canBeDelivery,
  createdPartitionOf,
  createdPartitions,
  deliveryKey,
  endpointPartition,
  PARKED_INDEX,
  parkedPartitionOf,
  parkedPartitions,
  timeOfTold,
  toldAt,
} from "./callback-keys.ts";
import { deliveryOfItem, fieldsOf } from "./delivery-items.ts";
import { getAll } from "./get-all.ts";
import { parseItem } from "./items.ts";
import { createReads, createStatements, type ReadItem } from "./together.ts";

/** The most keys of a BatchGetItem. */
const MAX_KEYS = 100;
/** The most deliveries of one note: it is to be small. */
const MOST_NOTED = 25;
/** Of the chance that tells the notes of one moment apart. */
const LENGTH_OF_CHANCE = 8;
/** Lists of what was told together that are read at once. */
const MAX_LISTS = 20;

const NOT_REMOVED = "removeAt > :nowSeconds";

const keySchema = z.object({ pk: z.string(), sk: z.string() });
const nameOf = ({ pk, sk }: z.infer<typeof keySchema>) => `${pk} ${sk}`;

/** What an index holds of a delivery. */
const indexedSchema = z.object({
  ...keySchema.shape,
  createdAt: z.number().optional(),
  settledAt: z.number().optional(),
});
type Indexed = z.infer<typeof indexedSchema>;

/** Who recorded last. */
const recordedSchema = z.object({ recordedBy: z.string().optional() });
const isRecordedBy = (item: unknown, recordedBy: string) =>
  recordedSchema.safeParse(item).data?.recordedBy === recordedBy;

/** What was told together, by level: of each the subject. */
const toldSchema = z.object({
  pk: z.string(),
  sk: z.string(),
  subjects: z.partialRecord(z.enum(DELIVERY_LEVELS), z.array(z.string())),
});

/** The state of a delivery that does not go on by itself. */
const parkedState = (state: Delivery["state"] | undefined): ReleaseJob["state"] | undefined =>
  state === "held" || state === "failed" ? state : undefined;

/** Where a delivery is in the index of those that do not go on by themselves, once it is in a state; nobody wants a test again. */
function parkedInOf(key: DeliveryKey, state: Delivery["state"]): string | undefined {
  const parked = key.level === "test" ? undefined : parkedState(state);
  return parked && parkedPartitionOf(key, parked);
}

/** The deliveries, in DynamoDB. */
export function createDeliveries(deps: {
  readonly client: DynamoDBDocumentClient;
  readonly tableName: string;
  readonly clock: Clock;
  /** Shared with those who read other things at the same time, where there are such. */
  readonly read?: ReadItem;
  /** How long what is stored by statements waits for others, in milliseconds. */
  readonly lingerMs?: number;
}): Deliveries {
  const { client, clock, tableName: TableName, read: readItem = createReads(client) } = deps;
  const execute = createStatements(client, deps.lingerMs);
  const nowSeconds = () => clock.now() / 1_000;
  const isPresent = ({ removeAt }: Delivery) => removeAt > nowSeconds();

  /** The keys that an index has of an endpoint, from all of its partitions, in their order. */
  function keysIn(
    partitions: readonly string[],
    input: Pick<QueryCommandInput, "IndexName" | "KeyConditionExpression" | "ScanIndexForward">,
    values: Readonly<Record<string, unknown>>,
    limit: number,
  ): AsyncGenerator<Indexed> {
    async function* keysOf(partition: string) {
      const pages = paginateQuery(
        { client },
        {
          TableName,
          ...input,
          ExpressionAttributeValues: { ...values, ":partition": partition },
          Limit: Math.min(limit, MAX_KEYS),
        },
      );
      for await (const { Items = [] } of pages) {
        for (const item of Items) yield parseItem(indexedSchema, item, "delivery");
      }
    }
    return merged(
      partitions.map(keysOf),
      input.ScanIndexForward === false ? newestFirst : oldestFirst,
    );
  }

  /** The keys of what an endpoint was told together before a time, newest first. */
  async function* keysOfTold(
    endpoint: EndpointKey,
    before: number,
    limit: number,
  ): AsyncGenerator<Indexed> {
    const pages = paginateQuery(
      { client },
      {
        TableName,
        KeyConditionExpression: "pk = :endpoint AND sk BETWEEN :first AND :before",
        ExpressionAttributeValues: {
          ":endpoint": endpointPartition(endpoint),
          ":first": toldAt(0),
          ":before": toldAt(Math.max(0, before)),
        },
        ScanIndexForward: false,
        Limit: Math.min(limit, MAX_LISTS),
      },
    );
    for await (const { Items = [] } of pages) {
      for (const item of Items) {
        const { sk, subjects } = parseItem(toldSchema, item, "list of what was told together");
        for (const level of DELIVERY_LEVELS) {
          for (const subject of subjects[level] ?? []) {
            yield { ...deliveryKey({ ...endpoint, subject, level }), createdAt: timeOfTold(sk) };
          }
        }
      }
    }
  }

  /** The deliveries of some keys that there are, in the order of the keys. */
  async function read(keys: readonly Indexed[]): Promise<Delivery[]> {
    const distinct = new Map(keys.map((key) => [nameOf(key), { pk: key.pk, sk: key.sk }]));
    const items = await getAll(client, TableName, [...distinct.values()]);
    const found = new Map(
      items.map((item) => [nameOf(parseItem(keySchema, item, "delivery")), deliveryOfItem(item)]),
    );
    return keys.flatMap((key) => {
      const delivery = found.get(nameOf(key));
      if (!delivery || !isPresent(delivery)) return [];
      // One that was there before has its own place in the list.
      return key.createdAt === undefined || key.createdAt === delivery.createdAt ? [delivery] : [];
    });
  }

  /** The first deliveries of a list of keys that are wanted; an index may be behind what is stored. */
  async function firstOf(
    keys: AsyncGenerator<Indexed>,
    limit: number,
    isWanted: (delivery: Delivery) => boolean = () => true,
  ): Promise<Delivery[]> {
    const found: Delivery[] = [];
    const seen = new Set<string>();
    let slice: Indexed[] = [];
    const takeSlice = async () => {
      found.push(...(await read(slice)).filter(isWanted));
      slice = [];
    };
    for await (const key of keys) {
      // Some lie in several lists.
      const place = `${nameOf(key)} ${key.createdAt}`;
      if (seen.has(place)) continue;
      seen.add(place);
      slice.push(key);
      if (slice.length < Math.min(MAX_KEYS, limit - found.length)) continue;
      await takeSlice();
      if (found.length >= limit) break;
    }
    await takeSlice();
    return found;
  }

  /** Stores a delivery as `Deliveries` says. */
  async function insert(delivery: Delivery): Promise<Delivery> {
    const recordedBy = randomUUID();
    try {
      await client.send(
        new PutCommand({
          TableName,
          Item: itemOf(delivery, recordedBy),
          ConditionExpression: "attribute_not_exists(pk) OR removeAt <= :nowSeconds",
          ExpressionAttributeValues: { ":nowSeconds": nowSeconds() },
          ReturnValuesOnConditionCheckFailure: "ALL_OLD",
        }),
      );
      return delivery;
    } catch (error) {
      const stored = itemOfFailedCheck(error);
      if (!stored) throw error;
      return isRecordedBy(stored, recordedBy) ? delivery : deliveryOfItem(stored);
    }
  }

  async function insertByStatement(
    delivery: Delivery,
    item: ReturnType<typeof itemOf>,
  ): Promise<Delivery> {
    const { pk, sk } = item;
    const executed = await execute({ key: { pk, sk }, ...insertionOf(TableName, item) });
    if (executed.kind === "done") return delivery;
    const stored = executed.item ?? (await readItem(TableName, { pk, sk }));
    // An earlier try of this very write that we were not told of: the SDK retries by itself.
    if (isRecordedBy(stored, item.recordedBy)) return delivery;
    const other = stored && deliveryOfItem(stored);
    // One that is past its removal is still there until it is removed.
    return other && isPresent(other) ? other : insert(delivery);
  }

  const insertMany = (deliveries: readonly Delivery[]): Promise<Delivery[]> => {
    const recordedBy = randomUUID();
    return allOf(
      deliveries.map((delivery) => insertByStatement(delivery, itemOf(delivery, recordedBy))),
    );
  };

  /** One note for each moment, beside which deliveries are looked for. */
  function notesOf(deliveries: readonly Delivery[]) {
    const moments = new Map<number, Delivery[]>();
    for (const delivery of deliveries) {
      const others = moments.get(delivery.createdAt);
      if (others) others.push(delivery);
      else moments.set(delivery.createdAt, [delivery]);
    }
    return [...moments].flatMap(([time, ofMoment]) =>
      slicesOf(ofMoment, MOST_NOTED).map((slice) => noteOf(time, slice)),
    );
  }

  async function note(deliveries: readonly Delivery[]): Promise<void> {
    await Promise.all(
      notesOf(deliveries).map((item) => {
        const { pk, sk } = item;
        // Its key is its own: where it is taken, it is by an earlier try of this very write.
        return execute({ key: { pk, sk }, ...insertionOf(TableName, item) });
      }),
    );
  }

  return {
    insert,

    insertMany,

    async insertTold(deliveries) {
      // A note costs as much as a place in an index, and is for many.
      if (deliveries.length === 1) return insertMany(deliveries);
      const recordedBy = randomUUID();
      const [stored] = await allOf([
        allOf(
          deliveries.map((delivery) => {
            const item = { ...itemOf(delivery, recordedBy), createdIn: undefined };
            return insertByStatement(delivery, item);
          }),
        ),
        note(deliveries),
      ] as const);
      return stored;
    },

    noteTold: note,

    async find(key) {
      if (!canBeDelivery(key)) return undefined;
      const item = await readItem(TableName, deliveryKey(key));
      const delivery = item && deliveryOfItem(item);
      return delivery && isPresent(delivery) ? delivery : undefined;
    },

    async findMany(keys) {
      const items = await allOf(keys.map((key) => readItem(TableName, deliveryKey(key))));
      return items
        .flatMap((item) => item ?? [])
        .map(deliveryOfItem)
        .filter(isPresent);
    },

    async record(turn, change) {
      const recordedBy = randomUUID();
      const update = updateOf(turn, change);
      try {
        const { Attributes } = await client.send(
          new UpdateCommand({
            TableName,
            Key: deliveryKey(turn),
            UpdateExpression: update.expression,
            ConditionExpression: `#turn <= :ofTurn AND ${NOT_REMOVED}`,
            ExpressionAttributeNames: { ...update.names, "#turn": "turn" },
            ExpressionAttributeValues: {
              ...update.values,
              ":recordedBy": recordedBy,
              ":ofTurn": turn.turn,
              ":nowSeconds": nowSeconds(),
            },
            ReturnValues: "ALL_NEW",
            ReturnValuesOnConditionCheckFailure: "ALL_OLD",
          }),
        );
        return deliveryOfItem(Attributes);
      } catch (error) {
        const stored = itemOfFailedCheck(error);
        // An earlier try of this very write that we were not told of: the SDK retries by itself.
        return isRecordedBy(stored, recordedBy) ? deliveryOfItem(stored) : undefined;
      }
    },

    list: (endpoint, { before, limit }) =>
      firstOf(
        merged(
          [
            keysIn(
              createdPartitions(endpoint),
              {
                IndexName: CREATED_INDEX,
                KeyConditionExpression: "createdIn = :partition AND createdAt < :before",
                ScanIndexForward: false,
              },
              { ":before": before },
              limit,
            ),
            keysOfTold(endpoint, before, limit),
          ],
          newestFirst,
        ),
        limit,
      ),

    listParked: (endpoint, { state, since, until }, limit) =>
      firstOf(
        keysIn(
          parkedPartitions(endpoint, state),
          {
            IndexName: PARKED_INDEX,
            KeyConditionExpression: "parkedIn = :partition AND settledAt BETWEEN :since AND :until",
          },
          { ":since": since, ":until": until },
          limit,
        ),
        limit,
        (delivery) => delivery.state === state,
      ),
  };
}

/** As a delivery is stored; a told one is in no index. */
const itemOf = (delivery: Delivery, recordedBy: string) => ({
  ...deliveryKey(delivery),
  ...fieldsOf(delivery),
  createdIn: createdPartitionOf(delivery) as string | undefined,
  parkedIn: parkedInOf(delivery, delivery.state),
  recordedBy,
});

/** Those of one endpoint and moment, as they are found by the endpoint's list. */
function noteOf(time: number, deliveries: readonly Delivery[]) {
  const [first] = deliveries as [Delivery];
  const subjects: Partial<Record<Delivery["level"], string[]>> = {};
  for (const { level, subject } of deliveries) {
    const others = subjects[level];
    if (others) others.push(subject);
    else subjects[level] = [subject];
  }
  return {
    pk: endpointPartition(first),
    sk: toldAt(time, randomUUID().slice(0, LENGTH_OF_CHANCE)),
    subjects,
    removeAt: Math.max(...deliveries.map(({ removeAt }) => removeAt)),
  };
}

/** An INSERT of PartiQL, which refuses an item whose key is there already. Fields without value are left out. */
function insertionOf(tableName: string, item: Readonly<Record<string, unknown>>) {
  const fields = Object.entries(item).filter(([, value]) => value !== undefined);
  return {
    text: `INSERT INTO "${tableName}" VALUE {${fields.map(([name]) => `'${name}': ?`).join(", ")}}`,
    parameters: fields.map(([, value]) => value),
  };
}

/** All of them, or the first failure once all have ended: nothing goes on behind the caller's back. */
async function allOf<T extends readonly unknown[]>(
  work: T,
): Promise<{ -readonly [Index in keyof T]: Awaited<T[Index]> }> {
  const results = await Promise.allSettled(work);
  for (const result of results) if (result.status === "rejected") throw result.reason;
  return Promise.all(work) as Promise<{ -readonly [Index in keyof T]: Awaited<T[Index]> }>;
}

/** The update of a change: a SET for what it gives, a REMOVE for what it takes away. */
function updateOf(turn: DeliveryTurn, change: DeliveryChange) {
  const fields: [string, unknown][] = [
    ...Object.entries(change),
    ...(change.state ? [["parkedIn", parkedInOf(turn, change.state)] as [string, unknown]] : []),
    // What it was told together with may be removed before.
    ...(change.removeAt ? [["createdIn", createdPartitionOf(turn)] as [string, unknown]] : []),
  ];
  const set = fields.filter(([, value]) => value !== undefined);
  const removed = fields.filter(([, value]) => value === undefined);
  const assignments = set.map(([field]) => `#${field} = :${field}`);
  return {
    expression: [
      `SET ${["recordedBy = :recordedBy", ...assignments].join(", ")}`,
      ...(removed.length > 0 ? [`REMOVE ${removed.map(([field]) => `#${field}`).join(", ")}`] : []),
    ].join(" "),
    names: Object.fromEntries(fields.map(([field]) => [`#${field}`, field])),
    values: Object.fromEntries(set.map(([field, value]) => [`:${field}`, value])),
  };
}

/** What is stored where a condition does not hold, if anything is. @throws any other error */
function itemOfFailedCheck(error: unknown): Record<string, unknown> | undefined {
  if (!(error instanceof ConditionalCheckFailedException)) throw error;
  return error.Item && unmarshall(error.Item);
}

const oldestFirst = (one: number, other: number) => one - other;
const newestFirst = (one: number, other: number) => other - one;

/** The one that the index goes by. */
const timeOf = ({ createdAt, settledAt }: Indexed) => createdAt ?? settledAt ?? 0;

/** Several sequences of keys that are in the order of their times, as one. */
async function* merged(
  sequences: readonly AsyncGenerator<Indexed>[],
  compare: (one: number, other: number) => number,
): AsyncGenerator<Indexed> {
  const heads = await Promise.all(
    sequences.map(async (sequence) => ({ sequence, next: await sequence.next() })),
  );
  for (;;) {
    const [first] = heads
      .filter(({ next }) => !next.done)
      .sort((one, other) => compare(timeOf(one.next.value), timeOf(other.next.value)));
    if (!first) return;
    yield first.next.value;
    first.next = await first.sequence.next();
  }
}
