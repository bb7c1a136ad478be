import { randomUUID } from "node:crypto";
import { TransactionCanceledException } from "@aws-sdk/client-dynamodb";
import {
  type DynamoDBDocumentClient,
  paginateQuery,
  type QueryCommandInput,
  TransactWriteCommand,
} from "@aws-sdk/lib-dynamodb";
import { type Mo, moSchema } from "../../core/mo.ts";
import type { Clock, MoStore } from "../../core/ports.ts";
import { parseItem } from "./items.ts";
import { partitionOf, SORT_KEY } from "./message-keys.ts";

/** The most writes of a transaction. */
const MAX_TOGETHER = 100;
/** Tries at taking what others are taking, too. */
const MAX_RACES = 10;

/** Reads an MO out of an item of the table, in the document client's form. @throws UnreadableItemError */
export function moOfItem(item: unknown): Mo {
  return parseItem(moSchema, item, "MO");
}

const suffixOf = ({ receivedAt, id }: Mo) => `${new Date(receivedAt).toISOString()}#${id}`;
const newKeyOf = (mo: Mo) => ({ pk: mo.account, sk: SORT_KEY.newMo + suffixOf(mo) });

/** The MOs, in the table of messages: each once to be found, and once to be taken. */
export function createMoStore(deps: {
  readonly client: DynamoDBDocumentClient;
  readonly tableName: string;
  readonly clock: Clock;
}): MoStore {
  const { client, clock, tableName: TableName } = deps;

  async function query(
    input: Pick<QueryCommandInput, "KeyConditionExpression" | "ExpressionAttributeValues">,
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
                { pk: partitionOf("", String(mo.id)), sk: SORT_KEY.moOwner, removeAt: mo.removeAt },
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
      }
    },

    async takeNew(account, limit) {
      const taken: Mo[] = [];
      let lost = 0;
      while (taken.length < limit && lost < MAX_RACES) {
        const wanted = Math.min(MAX_TOGETHER, limit - taken.length);
        try {
          const mos = await query(
            {
              KeyConditionExpression: "pk = :account AND begins_with(sk, :new)",
              ExpressionAttributeValues: { ":account": account, ":new": SORT_KEY.newMo },
            },
            wanted,
          );
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
      return taken;
    },

    search: (account, { from, to }, limit) =>
      query(
        {
          KeyConditionExpression: "pk = :account AND sk BETWEEN :from AND :to",
          ExpressionAttributeValues: {
            ":account": account,
            ":from": SORT_KEY.mo + new Date(from).toISOString(),
            // Behind every id of the last millisecond.
            ":to": `${SORT_KEY.mo}${new Date(to).toISOString()}#~`,
          },
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
