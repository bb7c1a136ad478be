import { isDeepStrictEqual } from "node:util";
import { type AttributeValue, ConditionalCheckFailedException } from "@aws-sdk/client-dynamodb";
import {
  DeleteCommand,
  type DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  paginateQuery,
} from "@aws-sdk/lib-dynamodb";
import { marshall } from "@aws-sdk/util-dynamodb";
import type * as z from "zod";
import { accountPartition, type DirectoryKey, keyInAccount } from "./directory-keys.ts";
import { parseItem } from "./items.ts";

/** What every adapter of the directory needs. */
export interface DirectoryTable {
  readonly client: DynamoDBDocumentClient;
  readonly tableName: string;
}

/** DynamoDB refuses to look for longer ones. */
const MAX_SORT_KEY_BYTES = 1_024;

/** The condition under which there is nothing yet. */
export const IS_NEW = "attribute_not_exists(pk)";
/** The condition under which nobody has removed, or created anew, what was read. */
const IS_THE_SAME = "createdAt = :createdAt";
/** The condition under which nobody has changed, or replaced, what was read. */
export const IS_AS_READ = "revision = :revision AND createdAt = :createdAt";

/** Something whose changes are counted. */
export interface Revised {
  readonly createdAt: number;
  readonly revision: number;
}

/** The values of `IS_AS_READ`. */
export const valuesAsRead = ({ revision, createdAt }: Revised) => ({
  ":revision": revision,
  ":createdAt": createdAt,
});

/**
 * Whether what DynamoDB found, when it refused to write an item, is that very item: then an
 * earlier try has written it that we were not told of, as the SDK retries by itself.
 */
export function isThisVery(
  item: Readonly<Record<string, unknown>>,
  stored: Record<string, AttributeValue> | undefined,
): boolean {
  return isDeepStrictEqual(stored, marshall(item, { removeUndefinedValues: true }));
}

/** @returns whether the table now holds the item as given; false where the condition does not hold */
export async function putIf(
  { client, tableName: TableName }: DirectoryTable,
  item: Readonly<Record<string, unknown>>,
  condition: string,
  values?: Record<string, unknown>,
): Promise<boolean> {
  try {
    await client.send(
      new PutCommand({
        TableName,
        Item: item,
        ConditionExpression: condition,
        ...(values && { ExpressionAttributeValues: values }),
        ReturnValuesOnConditionCheckFailure: "ALL_OLD",
      }),
    );
    return true;
  } catch (error) {
    if (!(error instanceof ConditionalCheckFailedException)) throw error;
    return isThisVery(item, error.Item);
  }
}

/** @returns false where there was nothing */
export async function removeItem(
  { client, tableName: TableName }: DirectoryTable,
  key: DirectoryKey,
): Promise<boolean> {
  const { Attributes } = await client.send(
    new DeleteCommand({ TableName, Key: key, ReturnValues: "ALL_OLD" }),
  );
  return Attributes !== undefined;
}

/** One kind of items in the partitions of their accounts. */
export interface ItemKind<Item> {
  /** What messages of errors call it. */
  readonly name: string;
  readonly schema: z.ZodType<Item>;
  /** Of the sort keys. */
  readonly prefix: string;
  /** The rest of the sort key. */
  readonly nameOf: (item: Item) => string;
}

/** Reads and writes one kind of items in the partitions of their accounts; strongly consistent. */
export function createAccountItems<
  Item extends { readonly account: string; readonly createdAt: number },
>(table: DirectoryTable, { name: what, schema, prefix, nameOf }: ItemKind<Item>) {
  const { client, tableName: TableName } = table;
  const keyOf = (account: string, name: string) => keyInAccount(account, prefix + name);
  const canBe = ({ sk }: DirectoryKey) => Buffer.byteLength(sk) <= MAX_SORT_KEY_BYTES;

  /** An item as it is stored. */
  const stored = (item: Item) => ({ ...keyOf(item.account, nameOf(item)), ...item });

  return {
    stored,

    async find(account: string, name: string): Promise<Item | undefined> {
      const Key = keyOf(account, name);
      if (!canBe(Key)) return undefined;
      const { Item } = await client.send(new GetCommand({ TableName, Key, ConsistentRead: true }));
      return Item && parseItem(schema, Item, what);
    },

    async list(account: string): Promise<Item[]> {
      const items: Item[] = [];
      const pages = paginateQuery(
        { client },
        {
          TableName,
          KeyConditionExpression: "pk = :account AND begins_with(sk, :prefix)",
          ExpressionAttributeValues: { ":account": accountPartition(account), ":prefix": prefix },
          ConsistentRead: true,
        },
      );
      for await (const { Items = [] } of pages) {
        items.push(...Items.map((item) => parseItem(schema, item, what)));
      }
      return items;
    },

    /** @returns false where there is another of its name */
    insert: (item: Item) => putIf(table, stored(item), IS_NEW),

    /** @returns false where the one that was created when this one was is gone */
    replaceSame: (item: Item) =>
      putIf(table, stored(item), IS_THE_SAME, { ":createdAt": item.createdAt }),

    /** @returns false where somebody else has changed it since it was read */
    replace: (read: Revised, changed: Item) =>
      putIf(table, stored(changed), IS_AS_READ, valuesAsRead(read)),

    /** @returns false where there was none */
    async remove(account: string, name: string): Promise<boolean> {
      const key = keyOf(account, name);
      return canBe(key) && removeItem(table, key);
    },
  };
}
