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
 * | `account`           | `OPEN#batchId`        | that a batch is open                            |
 * | `account`           | `MO#receivedAt#moId`  | an MO                                           |
 * | `account`           | `NEW#receivedAt#moId` | an MO that nobody has listed yet                |
 * | `#moId`             | `OWNER`               | that an MO has been stored, with whomever       |
 */
export const SORT_KEY = {
  message: "MT",
  batch: "BATCH#",
  batchIds: "IDS",
  canceled: "CANCELED#",
  open: "OPEN#",
  mo: "MO#",
  newMo: "NEW#",
  moOwner: "OWNER",
} as const;

/** The partition of a message, or of a batch. */
export const partitionOf = (account: string, id: string) => `${account}#${id}`;

/** The index of messages by the phone that got them; only messages with a `sentAt` are in it. */
export const SENT_TO_INDEX = "sent-to";
