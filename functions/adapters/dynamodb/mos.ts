import { randomUUID } from "node:crypto";
import { TransactionCanceledException } from "@aws-sdk/client-dynamodb";
import {
  type DynamoDBDocumentClient,
  GetCommand,
  paginateQuery,
  QueryCommand,
  type QueryCommandInput,
  TransactWriteCommand,
} from "@aws-sdk/lib-dynamodb";
import { type Mo, moSchema } from "../../core/mo.ts";
import type { Clock, MoOwner, MoStore, NewMos } from "../../core/ports.ts";
import { parseItem } from "./items.ts";
import { partitionOf, SORT_KEY } from "./message-keys.ts";

/** The most writes of a transaction. */
const MAX_TOGETHER = 100;
/** What comes behind every date, and behind the tilde before every sub-account, in the order of sort keys. */
const BEHIND_DATES = ":";
const BEHIND_SUB_ACCOUNTS = "\u007f";
/** Well within what a function has to answer: what is taken must reach its caller. */
const LONGEST_TAKE_MS = 10_000;
/** Tries at taking what others are taking, too. */
const MAX_RACES = 10;

/** Reads an MO out of an item of the table, in the document client's form. @throws UnreadableItemError */
export function moOfItem(item: unknown): Mo {
  return parseItem(moSchema, item, "MO");
}

const suffixOf = ({ receivedAt, id }: Mo) => `${new Date(receivedAt).toISOString()}#${id}`;
const ownerKeyOf = ({ id }: Mo) => ({ pk: partitionOf("", String(id)), sk: SORT_KEY.moOwner });

const ownerSchema = moSchema.pick({ account: true, subAccount: true, dialect: true });
const ownerOf = ({ account, subAccount, dialect }: Mo): MoOwner => ({
  account,
  ...(subAccount !== undefined && { subAccount }),
  dialect,
});

const newKeyOf = (mo: Mo) => ({ pk: mo.account, sk: newMosOf(mo.subAccount) + suffixOf(mo) });

/** What the new MOs of a sub-account begin with; a reference has no `#`, and no date begins with a tilde. */
const newMosOf = (subAccount: string | undefined) =>
  SORT_KEY.newMo + (subAccount === undefined ? "" : `~${subAccount}#`);

/** The MOs, in the table of messages: each once to be found, and once to be taken. */
export function createMoStore(deps: {
  readonly client: DynamoDBDocumentClient;
  readonly tableName: string;
  readonly clock: Clock;
}): MoStore {
  const { client, clock, tableName: TableName } = deps;

  async function query(
    input: Pick<
      QueryCommandInput,
      "KeyConditionExpression" | "ExpressionAttributeValues" | "FilterExpression"
    >,
    limit: number,
  ): Promise<Mo[]> {
    const mos: Mo[] = [];
    const pages = paginateQuery(
      { client },
      { TableName, ConsistentRead: true, Limit: limit, ...input },
    );
    for await (const { Items = [] } of pages) {
      mos.push(...Items.map(moOfItem).filter(({ removeAt }) => removeAt > clock.now() / 1_000));
      if (mos.length >= limit) break;
    }
    return mos.slice(0, limit);
  }

  const inRange = (account: string, from: string, to: string) => ({
    KeyConditionExpression: "pk = :account AND sk BETWEEN :from AND :to",
    ExpressionAttributeValues: { ":account": account, ":from": from, ":to": to },
  });

  /** New MOs, without reading those of before `since`, which may be many. */
  async function findNew(
    account: string,
    { subAccount, since }: NewMos,
    limit: number,
  ): Promise<Mo[]> {
    const from = since === undefined ? "" : new Date(since).toISOString();
    const ofOne = (prefix: string, wanted: number) =>
      query(inRange(account, prefix + from, prefix + BEHIND_DATES), wanted);
    if (subAccount !== undefined) return ofOne(newMosOf(subAccount), limit);
    const mos = await ofOne(newMosOf(undefined), limit);
    let behind = newMosOf(undefined) + BEHIND_DATES;
    while (mos.length < limit) {
      const next = await nextSubAccount(account, behind);
      if (next === undefined) break;
      mos.push(...(await ofOne(next, limit - mos.length)));
      behind = next + BEHIND_DATES;
    }
    return mos;
  }

  /** What the new MOs of the next sub-account begin with, if any has some behind a sort key. */
  async function nextSubAccount(account: string, behind: string): Promise<string | undefined> {
    const { Items = [] } = await client.send(
      new QueryCommand({
        TableName,
        ...inRange(account, behind, `${SORT_KEY.newMo}${BEHIND_SUB_ACCOUNTS}`),
        ConsistentRead: true,
        Limit: 1,
      }),
    );
    const sk = Items[0]?.sk as string | undefined;
    return sk?.slice(0, sk.indexOf("#", SORT_KEY.newMo.length) + 1);
  }

  /**
   * A request whose answers were all lost may have taken effect: asked for once more under its
   * token, DynamoDB says so. What neither answers throws, and then may be taken all the same.
   * @returns whether all of these were still to be had, and now are ours
   */
  async function take(mos: readonly Mo[], token: string, again = true): Promise<boolean> {
    try {
      await client.send(
        new TransactWriteCommand({
          ClientRequestToken: token,
          TransactItems: mos.map((mo) => ({
            Delete: {
              TableName,
              Key: newKeyOf(mo),
              ConditionExpression: "attribute_exists(pk)",
            },
          })),
        }),
      );
      return true;
    } catch (error) {
      if (error instanceof TransactionCanceledException && isRace(error)) return false;
      if (error instanceof TransactionCanceledException || !again) throw error;
      return take(mos, token, false);
    }
  }

  return {
    async insert(mo) {
      const suffix = suffixOf(mo);
      const put = (item: object, condition?: string) => ({
        Put: { TableName, Item: item, ...(condition && { ConditionExpression: condition }) },
      });
      try {
        await client.send(
          new TransactWriteCommand({
            TransactItems: [
              // Whosever it was the first time: by now the phone may have been sent another's message.
              put(
                { ...ownerKeyOf(mo), ...ownerOf(mo), removeAt: mo.removeAt },
                "attribute_not_exists(pk)",
              ),
              put({ pk: mo.account, sk: SORT_KEY.mo + suffix, ...mo }),
              put({ ...newKeyOf(mo), ...mo }),
            ],
          }),
        );
      } catch (error) {
        const isKnown =
          error instanceof TransactionCanceledException &&
          reasonsOf(error).includes("ConditionalCheckFailed");
        if (!isKnown) throw error;
        const { Item } = await client.send(
          new GetCommand({ TableName, Key: ownerKeyOf(mo), ConsistentRead: true }),
        );
        // One that was stored before it was kept whose it is, is as it seems now.
        return ownerSchema.safeParse(Item).data ?? ownerOf(mo);
      }
      return ownerOf(mo);
    },

    async takeNew(account, limit, only = {}) {
      const deadline = clock.now() + LONGEST_TAKE_MS;
      const taken: Mo[] = [];
      let lost = 0;
      while (taken.length < limit && lost < MAX_RACES && clock.now() < deadline) {
        const wanted = Math.min(MAX_TOGETHER, limit - taken.length);
        try {
          const mos = await findNew(account, only, wanted);
          if (mos.length === 0) break;
          const isOurs = await take(mos, randomUUID());
          lost = isOurs ? 0 : lost + 1;
          if (isOurs) taken.push(...mos);
        } catch (error) {
          // What was taken before must reach its caller.
          if (taken.length === 0) throw error;
          break;
        }
      }
      return taken.sort((one, other) => one.receivedAt - other.receivedAt);
    },

    search: (account, { from, to }, limit, subAccount) =>
      query(
        {
          KeyConditionExpression: "pk = :account AND sk BETWEEN :from AND :to",
          ExpressionAttributeValues: {
            ":account": account,
            ":from": SORT_KEY.mo + new Date(from).toISOString(),
            // Behind every id of the last millisecond.
            ":to": `${SORT_KEY.mo}${new Date(to).toISOString()}#~`,
            ...(subAccount !== undefined && { ":subAccount": subAccount }),
          },
          ...(subAccount !== undefined && { FilterExpression: "subAccount = :subAccount" }),
        },
        limit,
      ),
  };
}

const reasonsOf = ({ CancellationReasons = [] }: TransactionCanceledException) =>
  CancellationReasons.map(({ Code }) => Code ?? "None");

/** Whether a transaction failed because others took some of the same, and for nothing else. */
const isRace = (error: TransactionCanceledException) =>
  reasonsOf(error).every((code) =>
    ["None", "ConditionalCheckFailed", "TransactionConflict"].includes(code),
  );
