import { GetCommand, paginateQuery } from "@aws-sdk/lib-dynamodb";
import {
  type BlockedNumber,
  type BlockedNumbers,
  type BlockReason,
  blockedNumberSchema,
  type OptOutWord,
} from "../../core/blocked-number.ts";
import {
  hasOptedOut,
  hear,
  type OptOutHistory,
  type OptOutWish,
  optOutHistorySchema,
  optOutsOf,
  silence,
} from "../../core/opt-out-history.ts";
import { type DirectoryTable, IS_NEW, putIf, removeItem } from "./directory-items.ts";
import { DIRECTORY_KIND_INDEX, DIRECTORY_SORT_KEY, KIND, keyOfNumber } from "./directory-keys.ts";
import { parseItem } from "./items.ts";
import { createReads, type ReadItem } from "./together.ts";

/** Tries at writing down what a person said, where others are writing it down, too. */
const MAX_RACES = 10;

const blockedKey = (account: string, number: string) =>
  keyOfNumber(account, number, DIRECTORY_SORT_KEY.blocked);
const historyKey = (account: string, number: string) =>
  keyOfNumber(account, number, DIRECTORY_SORT_KEY.optOut);

const blockedItem = (blocked: BlockedNumber) => ({
  ...blockedKey(blocked.account, blocked.number),
  kind: KIND.blocked(blocked.account),
  ...blocked,
});

/** In the index only as long as there is something to be listed. */
const historyItem = (history: OptOutHistory) => ({
  ...historyKey(history.account, history.number),
  ...(optOutsOf(history).length > 0 && { kind: KIND.optOut(history.account) }),
  ...history,
});

const readBlocked = (item: unknown) => parseItem(blockedNumberSchema, item, "blocked number");
const readHistory = (item: unknown) => parseItem(optOutHistorySchema, item, "opt-out");

/** The numbers that are not sent to, in DynamoDB: each a partition of its own. */
export function createBlockedNumbers(
  table: DirectoryTable & {
    /** Shared with those who read other things at the same time, where there are such. */
    readonly read?: ReadItem;
  },
): BlockedNumbers {
  const { client, tableName: TableName, read = createReads(client) } = table;

  async function list(kind: string): Promise<unknown[]> {
    const items: unknown[] = [];
    const pages = paginateQuery(
      { client },
      {
        TableName,
        IndexName: DIRECTORY_KIND_INDEX,
        KeyConditionExpression: "#kind = :kind",
        ExpressionAttributeNames: { "#kind": "kind" },
        ExpressionAttributeValues: { ":kind": kind },
      },
    );
    for await (const { Items = [] } of pages) items.push(...Items);
    return items;
  }

  async function findHistory(account: string, number: string): Promise<OptOutHistory | undefined> {
    const { Item } = await client.send(
      new GetCommand({ TableName, Key: historyKey(account, number), ConsistentRead: true }),
    );
    return Item && readHistory(Item);
  }

  /** @returns whether the word counts */
  async function listen(wish: OptOutWish, word: OptOutWord): Promise<boolean> {
    for (let race = 0; race < MAX_RACES; race++) {
      const found = await findHistory(word.account, word.number);
      const known = found ?? silence(word.account, word.number);
      const { history, counts } = hear(known, wish, word);
      if (history === known) return counts;
      const item = historyItem(history);
      const isWritten = await (found
        ? putIf(table, item, "revision = :revision", { ":revision": found.revision })
        : putIf(table, item, IS_NEW));
      if (isWritten) return counts;
    }
    throw new Error("what a person said about opting out is being changed again and again");
  }

  return {
    async findBlocked(account, subAccount, numbers) {
      const keys = [...new Set(numbers)].flatMap((number) => [
        blockedKey(account, number),
        historyKey(account, number),
      ]);
      const found = new Map<string, BlockReason>();
      const note = (item: Record<string, unknown>) => {
        if (item.sk === DIRECTORY_SORT_KEY.blocked) {
          found.set(readBlocked(item).number, "block-list");
          return;
        }
        const history = readHistory(item);
        const isKnown = found.has(history.number);
        if (!isKnown && hasOptedOut(history, subAccount)) found.set(history.number, "opt-out");
      };
      const items = await Promise.all(keys.map((key) => read(TableName, key)));
      for (const item of items) if (item) note(item);
      return found;
    },

    block: (blocked) => putIf(table, blockedItem(blocked), IS_NEW),
    unblock: (account, number) => removeItem(table, blockedKey(account, number)),
    async listBlocked(account) {
      const items = await list(KIND.blocked(account));
      return items.map(readBlocked);
    },

    optOut: (word) => listen("out", word),
    optIn: (word) => listen("in", word),
    async listOptedOut(account) {
      const items = await list(KIND.optOut(account));
      return items.flatMap((item) => optOutsOf(readHistory(item)));
    },
  };
}
