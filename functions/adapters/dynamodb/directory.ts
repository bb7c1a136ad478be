import {
  DeleteCommand,
  type DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  paginateQuery,
  type QueryCommandInput,
} from "@aws-sdk/lib-dynamodb";
import { type Account, accountSchema, endpointSchema } from "../../core/account.ts";
import type { Directory } from "../../core/ports.ts";
import { IS_NEW, putIf } from "./directory-items.ts";
import {
  accountPartition,
  DIRECTORY_KIND_INDEX,
  DIRECTORY_SORT_KEY,
  KIND,
  keyInAccount,
} from "./directory-keys.ts";
import { parseItem } from "./items.ts";

/** The query for every account there is. */
const ALL_ACCOUNTS = {
  IndexName: DIRECTORY_KIND_INDEX,
  KeyConditionExpression: "#kind = :account",
  ExpressionAttributeNames: { "#kind": "kind" },
  ExpressionAttributeValues: { ":account": KIND.account },
};
const ownerSchema = accountSchema.pick({ account: true });

const accountKey = (account: string) => keyInAccount(account, DIRECTORY_SORT_KEY.account);
const endpointKey = (account: string, endpointId: string) =>
  keyInAccount(account, DIRECTORY_SORT_KEY.endpoint + endpointId);

const accountItem = (account: Account) => ({
  ...accountKey(account.account),
  kind: KIND.account,
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

  return {
    async findAccount(account) {
      const { Item } = await client.send(
        new GetCommand({ TableName, Key: accountKey(account), ConsistentRead: true }),
      );
      return Item && parseItem(accountSchema, Item, "account");
    },

    insertAccount: (account) => putIf(deps, accountItem(account), IS_NEW),

    updateAccount: (read, changed) =>
      putIf(deps, accountItem(changed), "revision = :read", { ":read": read.revision }),

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
          ":account": accountPartition(account),
          ":endpoint": DIRECTORY_SORT_KEY.endpoint,
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
