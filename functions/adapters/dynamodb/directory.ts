import { isDeepStrictEqual } from "node:util";
import { ConditionalCheckFailedException } from "@aws-sdk/client-dynamodb";
import {
  DeleteCommand,
  type DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  paginateQuery,
  type QueryCommandInput,
} from "@aws-sdk/lib-dynamodb";
import { unmarshall } from "@aws-sdk/util-dynamodb";
import { type Account, accountSchema, endpointSchema } from "../../core/account.ts";
import type { Directory } from "../../core/ports.ts";
import { parseItem } from "./items.ts";

/** The index that lists the items of one kind; only items with a `kind` are in it. */
const DIRECTORY_KIND_INDEX = "kind";

/** The query for every account there is. */
const ALL_ACCOUNTS = {
  IndexName: DIRECTORY_KIND_INDEX,
  KeyConditionExpression: "#kind = :account",
  ExpressionAttributeNames: { "#kind": "kind" },
  ExpressionAttributeValues: { ":account": "ACCOUNT" },
};
const ownerSchema = accountSchema.pick({ account: true });

const partitionOf = (account: string) => `ACCOUNT#${account}`;
const accountKey = (account: string) => ({ pk: partitionOf(account), sk: "ACCOUNT" });
const ENDPOINT_PREFIX = "ENDPOINT#";
const endpointKey = (account: string, endpointId: string) => ({
  pk: partitionOf(account),
  sk: `${ENDPOINT_PREFIX}${endpointId}`,
});

const accountItem = (account: Account) => ({
  ...accountKey(account.account),
  kind: "ACCOUNT",
  ...account,
});

/** The directory, in DynamoDB: everything of an account lies in one partition. */
export function createDirectory(deps: {
  readonly client: DynamoDBDocumentClient;
  readonly tableName: string;
}): Directory {
  const { client, tableName: TableName } = deps;

  async function query(input: Omit<QueryCommandInput, "TableName">): Promise<unknown[]> {
    const items: unknown[] = [];
    for await (const page of paginateQuery({ client }, { TableName, ...input })) {
      items.push(...(page.Items ?? []));
    }
    return items;
  }

  async function listAccounts(): Promise<Account[]> {
    const items = await query(ALL_ACCOUNTS);
    return items.map((item) => parseItem(accountSchema, item, "account"));
  }

  /** @returns whether the account is now as given */
  async function putAccount(
    account: Account,
    condition: string,
    values?: Record<string, unknown>,
  ): Promise<boolean> {
    try {
      await client.send(
        new PutCommand({
          TableName,
          Item: accountItem(account),
          ConditionExpression: condition,
          ...(values && { ExpressionAttributeValues: values }),
          ReturnValuesOnConditionCheckFailure: "ALL_OLD",
        }),
      );
      return true;
    } catch (error) {
      if (!(error instanceof ConditionalCheckFailedException)) throw error;
      // An earlier try of this very write that we were not told of: the SDK retries by itself.
      const stored = error.Item && parseItem(accountSchema, unmarshall(error.Item), "account");
      return isDeepStrictEqual(stored, account);
    }
  }

  return {
    async findAccount(account) {
      const { Item } = await client.send(
        new GetCommand({ TableName, Key: accountKey(account), ConsistentRead: true }),
      );
      return Item && parseItem(accountSchema, Item, "account");
    },

    insertAccount: (account) => putAccount(account, "attribute_not_exists(pk)"),

    updateAccount: (read, changed) =>
      putAccount(changed, "revision = :read", { ":read": read.revision }),

    listAccounts,

    async findAccountOfShortCode(shortCode) {
      const [owner] = await query({
        ...ALL_ACCOUNTS,
        ExpressionAttributeNames: {
          ...ALL_ACCOUNTS.ExpressionAttributeNames,
          "#account": "account",
        },
        ExpressionAttributeValues: {
          ...ALL_ACCOUNTS.ExpressionAttributeValues,
          ":shortCode": shortCode,
        },
        FilterExpression: "contains(shortCodes, :shortCode)",
        ProjectionExpression: "#account",
      });
      return owner === undefined ? undefined : parseItem(ownerSchema, owner, "account").account;
    },

    async listEndpoints(account) {
      const items = await query({
        KeyConditionExpression: "pk = :account AND begins_with(sk, :endpoint)",
        ExpressionAttributeValues: {
          ":account": partitionOf(account),
          ":endpoint": ENDPOINT_PREFIX,
        },
      });
      return items.map((item) => parseItem(endpointSchema, item, "endpoint"));
    },

    async putEndpoint(endpoint) {
      await client.send(
        new PutCommand({
          TableName,
          Item: { ...endpointKey(endpoint.account, endpoint.endpointId), ...endpoint },
        }),
      );
    },

    async removeEndpoint(account, endpointId) {
      const { Attributes } = await client.send(
        new DeleteCommand({
          TableName,
          Key: endpointKey(account, endpointId),
          ReturnValues: "ALL_OLD",
        }),
      );
      return Attributes !== undefined;
    },
  };
}
