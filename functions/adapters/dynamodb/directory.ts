import {
  type DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  paginateQuery,
  type QueryCommandInput,
} from "@aws-sdk/lib-dynamodb";
import { type Account, accountSchema, endpointSchema } from "../../core/account.ts";
import type { Directory } from "../../core/ports.ts";
import { createAccountItems, IS_AS_READ, IS_NEW, putIf, valuesAsRead } from "./directory-items.ts";
import { DIRECTORY_KIND_INDEX, DIRECTORY_SORT_KEY, KIND, keyInAccount } from "./directory-keys.ts";
import { parseItem } from "./items.ts";

/** The query for every account there is. */
const ALL_ACCOUNTS = {
  IndexName: DIRECTORY_KIND_INDEX,
  KeyConditionExpression: "#kind = :account",
  ExpressionAttributeNames: { "#kind": "kind" },
  ExpressionAttributeValues: { ":account": KIND.account },
};
/** The condition under which nobody has changed an endpoint from before changes were counted. */
const NEVER_CHANGED =
  "(attribute_not_exists(revision) OR revision = :revision) AND createdAt = :createdAt";
const ownerSchema = accountSchema.pick({ account: true });

const accountKey = (account: string) => keyInAccount(account, DIRECTORY_SORT_KEY.account);

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
  const endpoints = createAccountItems(deps, {
    name: "endpoint",
    schema: endpointSchema,
    prefix: DIRECTORY_SORT_KEY.endpoint,
    nameOf: ({ endpointId }) => endpointId,
  });

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

    listEndpoints: endpoints.list,

    findEndpoint: endpoints.find,

    async putEndpoint(endpoint) {
      await client.send(new PutCommand({ TableName, Item: endpoints.stored(endpoint) }));
    },

    updateEndpoint: (read, changed) =>
      putIf(
        deps,
        endpoints.stored(changed),
        read.revision === 0 ? NEVER_CHANGED : IS_AS_READ,
        valuesAsRead(read),
      ),

    removeEndpoint: endpoints.remove,
  };
}
