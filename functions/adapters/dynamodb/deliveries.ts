import { randomUUID } from "node:crypto";
import { ConditionalCheckFailedException } from "@aws-sdk/client-dynamodb";
import {
  type DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  paginateQuery,
  type QueryCommandInput,
  UpdateCommand,
} from "@aws-sdk/lib-dynamodb";
import { unmarshall } from "@aws-sdk/util-dynamodb";
import * as z from "zod";
import {
  type Delivery,
  type DeliveryKey,
  type DeliveryTurn,
  deliverySchema,
  type ReleaseJob,
} from "../../core/callback-delivery.ts";
import type { Deliveries, DeliveryChange } from "../../core/callback-ports.ts";
import type { Clock } from "../../core/ports.ts";
import {
  CREATED_INDEX,
  canBeDelivery,
  createdPartitionOf,
  createdPartitions,
  deliveryKey,
  PARKED_INDEX,
  parkedPartitionOf,
  parkedPartitions,
} from "./callback-keys.ts";
import { getAll } from "./get-all.ts";
import { parseItem } from "./items.ts";

/** The most keys of a BatchGetItem. */
const MAX_KEYS = 100;

const NOT_REMOVED = "removeAt > :nowSeconds";

/** What an index holds of a delivery. */
const indexedSchema = z.object({
  pk: z.string(),
  sk: z.string(),
  createdAt: z.number().optional(),
  settledAt: z.number().optional(),
});
type Indexed = z.infer<typeof indexedSchema>;

/** Who recorded last. */
const recordedSchema = z.object({ recordedBy: z.string().optional() });
const isRecordedBy = (item: unknown, recordedBy: string) =>
  recordedSchema.safeParse(item).data?.recordedBy === recordedBy;

const deliveryOfItem = (item: unknown): Delivery => parseItem(deliverySchema, item, "delivery");

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
}): Deliveries {
  const { client, clock, tableName: TableName } = deps;
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
    const direction = input.ScanIndexForward === false ? -1 : 1;
    return merged(partitions.map(keysOf), (one, other) => direction * (one - other));
  }

  /** The deliveries of some keys that there are, in the order of the keys. */
  async function read(keys: readonly Indexed[]): Promise<Delivery[]> {
    const items = await getAll(
      client,
      TableName,
      keys.map(({ pk, sk }) => ({ pk, sk })),
    );
    const places = new Map(keys.map(({ pk, sk }, place) => [`${pk} ${sk}`, place]));
    const placeOf = ({ pk, sk }: Record<string, unknown>) => places.get(`${pk} ${sk}`) ?? 0;
    return items
      .sort((one, other) => placeOf(one) - placeOf(other))
      .map(deliveryOfItem)
      .filter(isPresent);
  }

  /** The first deliveries of a list of keys that are wanted; an index may be behind what is stored. */
  async function firstOf(
    keys: AsyncGenerator<Indexed>,
    limit: number,
    isWanted: (delivery: Delivery) => boolean = () => true,
  ): Promise<Delivery[]> {
    const found: Delivery[] = [];
    let slice: Indexed[] = [];
    const takeSlice = async () => {
      found.push(...(await read(slice)).filter(isWanted));
      slice = [];
    };
    for await (const key of keys) {
      slice.push(key);
      if (slice.length < Math.min(MAX_KEYS, limit - found.length)) continue;
      await takeSlice();
      if (found.length >= limit) break;
    }
    await takeSlice();
    return found;
  }

  return {
    async insert(delivery) {
      const recordedBy = randomUUID();
      try {
        await client.send(
          new PutCommand({
            TableName,
            Item: {
              ...deliveryKey(delivery),
              ...delivery,
              createdIn: createdPartitionOf(delivery),
              parkedIn: parkedInOf(delivery, delivery.state),
              recordedBy,
            },
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
    },

    async find(key) {
      if (!canBeDelivery(key)) return undefined;
      const { Item } = await client.send(
        new GetCommand({ TableName, Key: deliveryKey(key), ConsistentRead: true }),
      );
      const delivery = Item && deliveryOfItem(Item);
      return delivery && isPresent(delivery) ? delivery : undefined;
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

/** The update of a change: a SET for what it gives, a REMOVE for what it takes away. */
function updateOf(turn: DeliveryTurn, change: DeliveryChange) {
  const fields: [string, unknown][] = [
    ...Object.entries(change),
    ...(change.state ? [["parkedIn", parkedInOf(turn, change.state)] as [string, unknown]] : []),
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
