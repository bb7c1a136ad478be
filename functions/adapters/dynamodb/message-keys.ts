/**
 * What lies where in the Messages table. An account's name has no `#`, so its own partition is
 * never that of one of its messages, and the first `#` separates, whatever a client's id holds.
 *
 * | partition           | sort key              | item                                            |
 * |---------------------|-----------------------|-------------------------------------------------|
 * | `account#messageId` | `MT`                  | a message                                       |
 * | `account#batchId`   | `BATCH#piece`         | the messages of a bulk request, as accepted     |
 * | `account#batchId`   | `IDS`                 | the digests of their ids                        |
 * | `account#batchId`   | `CANCELED#due`        | which of those due at a time were canceled      |
 * | `account`           | `OPEN`                | until when there may be open batches            |
 * | `account`           | `OPEN#batchId`        | that a batch is open                            |
 * | `account`           | `MO#receivedAt#moId`  | an MO                                           |
 * | `account`           | `NEW#receivedAt#moId` | an MO that nobody has listed yet                |
 * | `account`           | `NEW#~subAccount#receivedAt#moId` | the same, of a sub-account          |
 * | `#moId`             | `OWNER`               | that an MO has been stored, with whomever       |
 * | `#digest`           | `PARTS`               | MOs of which not all parts are there            |
 */
export const SORT_KEY = {
  message: "MT",
  batch: "BATCH#",
  batchIds: "IDS",
  canceled: "CANCELED#",
  mayBeOpen: "OPEN",
  open: "OPEN#",
  mo: "MO#",
  newMo: "NEW#",
  moOwner: "OWNER",
  moParts: "PARTS",
} as const;

/** The partition of a message, or of a batch. */
export const partitionOf = (account: string, id: string) => `${account}#${id}`;

/** The index of messages by the phone that got them; only messages with a `sentAt` are in it. */
export const SENT_TO_INDEX = "sent-to";

/** The index of messages by `correlation` and `acceptedAt`; only messages with a correlation id are in it. */
export const CORRELATION_INDEX = "correlation";

/**
 * The index of messages by `changes` and `changed`: those whose status nobody has taken since it
 * changed. `changed` is there only then; it gets the value of `changedKey`, which stays.
 */
export const CHANGES_INDEX = "changes";

/** One partition of an index takes a thousand writes a second; a campaign's statuses come faster. */
const CHANGES_SHARDS = 4;

/** The partitions of the account's changed messages. */
export const changesPartitions = (account: string) =>
  Array.from({ length: CHANGES_SHARDS }, (_, shard) => `${account}#${shard}`);

/** The partition of one message among its account's; ids of ours end in random digits. */
export function changesPartitionOf(account: string, id: string): string {
  return changesPartitions(account)[id.charCodeAt(id.length - 1) % CHANGES_SHARDS] as string;
}

/** What the changed messages of a sub-account begin with, in their partition; a reference has no `#`. */
export const changesOf = (subAccount = "") => `${subAccount}#`;
