import { GetCommand, paginateQuery } from "@aws-sdk/lib-dynamodb";
import {
  type CarrierAccount,
  type CarrierAccounts,
  carrierAccountSchema,
} from "../../core/carrier-account.ts";
import {
  type DirectoryTable,
  IS_AS_READ,
  IS_NEW,
  putIf,
  removeItem,
  valuesAsRead,
} from "./directory-items.ts";
import { carrierKey, DIRECTORY_KIND_INDEX, KIND } from "./directory-keys.ts";
import { parseItem } from "./items.ts";

const itemOf = (account: CarrierAccount) => ({
  ...carrierKey(account.carrier),
  kind: KIND.carrier,
  ...account,
});

const read = (item: unknown) => parseItem(carrierAccountSchema, item, "carrier account");

/** The carrier accounts, in DynamoDB: each a partition of its own. */
export function createCarrierAccounts(table: DirectoryTable): CarrierAccounts {
  const { client, tableName: TableName } = table;
  return {
    async findCarrierAccount(carrier) {
      const { Item } = await client.send(
        new GetCommand({ TableName, Key: carrierKey(carrier), ConsistentRead: true }),
      );
      return Item && read(Item);
    },

    insertCarrierAccount: (account) => putIf(table, itemOf(account), IS_NEW),

    updateCarrierAccount: (found, changed) =>
      putIf(table, itemOf(changed), IS_AS_READ, valuesAsRead(found)),

    removeCarrierAccount: (carrier) => removeItem(table, carrierKey(carrier)),

    async listCarrierAccounts() {
      const accounts: CarrierAccount[] = [];
      const pages = paginateQuery(
        { client },
        {
          TableName,
          IndexName: DIRECTORY_KIND_INDEX,
          KeyConditionExpression: "#kind = :carrier",
          ExpressionAttributeNames: { "#kind": "kind" },
          ExpressionAttributeValues: { ":carrier": KIND.carrier },
        },
      );
      for await (const { Items = [] } of pages) accounts.push(...Items.map(read));
      return accounts;
    },
  };
}
