import type { DeliveryKey, ReleaseJob } from "../../core/callback-delivery.ts";
import type { EndpointKey } from "../../core/endpoint-health.ts";

/**
 * What lies where in the Callbacks table. An account's name has no `#`, and neither have the ids of
 * endpoints and of what they are told of, which are ours.
 *
 * | partition                    | sort key      | item                                       |
 * |------------------------------|---------------|--------------------------------------------|
 * | `account#endpointId#subject` | level         | a delivery                                 |
 * | `account#endpointId`         | `HEALTH`      | how an endpoint fares                      |
 * | `account#endpointId`         | `SLOT#number` | that somebody talks to it, and until when  |
 * | `account#endpointId`         | `TOLD#time#`… | which deliveries were told together then   |
 */
export const CALLBACK_SORT_KEY = {
  health: "HEALTH",
  slot: "SLOT#",
  told: "TOLD#",
} as const;

/** DynamoDB refuses to look for longer ones. */
const MAX_PARTITION_BYTES = 2_048;

/** The partition of what is known of an endpoint. */
export const endpointPartition = ({ account, endpointId }: EndpointKey) =>
  `${account}#${endpointId}`;

/** The key of a delivery. */
export const deliveryKey = ({ account, endpointId, subject, level }: DeliveryKey) => ({
  pk: `${endpointPartition({ account, endpointId })}#${subject}`,
  sk: level,
});

/** Whose delivery lies under a key, and about what. */
export function endpointAndSubjectOf(pk: string): Omit<DeliveryKey, "level"> {
  const [account = "", endpointId = "", subject = ""] = pk.split("#");
  return { account, endpointId, subject };
}

/** As long as the latest time that a date can have, so that texts are in the order of times. */
const DIGITS_OF_TIME = 16;

/** The sort key, or its beginning, of what was told together at a time; milliseconds since the epoch. */
export const toldAt = (time: number, id = "") =>
  `${CALLBACK_SORT_KEY.told}${String(time).padStart(DIGITS_OF_TIME, "0")}#${id}`;

/** When what lies under this sort key was told. */
export const timeOfTold = (sk: string) =>
  Number(sk.slice(CALLBACK_SORT_KEY.told.length, CALLBACK_SORT_KEY.told.length + DIGITS_OF_TIME));

/** Whether there can be a delivery of this key; ids that people give may be anything. */
export function canBeDelivery(key: DeliveryKey): boolean {
  const { pk } = deliveryKey(key);
  return pk.split("#").length === 3 && Buffer.byteLength(pk) <= MAX_PARTITION_BYTES;
}

/** The index of an endpoint's deliveries by `createdIn` and `createdAt`; neither ever changes. */
export const CREATED_INDEX = "created";

/** The index by `parkedIn` and `settledAt` of deliveries that do not go on by themselves; they have the first only then. */
export const PARKED_INDEX = "parked";

/** One partition of an index takes a thousand writes a second; a campaign's statuses come faster. */
const SHARDS = 4;

const shards = (name: string) => Array.from({ length: SHARDS }, (_, shard) => `${name}#${shard}`);

/** The partition of one delivery among its endpoint's; the ids of subjects end in random digits. */
const shardOf = (name: string, { subject }: DeliveryKey) =>
  shards(name)[subject.charCodeAt(subject.length - 1) % SHARDS] as string;

const nameOfParked = (endpoint: EndpointKey, state: ReleaseJob["state"]) =>
  `${endpointPartition(endpoint)}#${state}`;

/** The partitions of an endpoint's deliveries in the index by creation. */
export const createdPartitions = (endpoint: EndpointKey) => shards(endpointPartition(endpoint));

/** The partition of a delivery in the index by creation. */
export const createdPartitionOf = (key: DeliveryKey) => shardOf(endpointPartition(key), key);

/** The partitions of an endpoint's deliveries in a state, in the index of those set aside. */
export const parkedPartitions = (endpoint: EndpointKey, state: ReleaseJob["state"]) =>
  shards(nameOfParked(endpoint, state));

/** The partition of a delivery in a state, in the index of those set aside. */
export const parkedPartitionOf = (key: DeliveryKey, state: ReleaseJob["state"]) =>
  shardOf(nameOfParked(key, state), key);
