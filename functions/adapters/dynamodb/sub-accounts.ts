import type { SubAccounts } from "../../core/customer-ports.ts";
import { subAccountSchema } from "../../core/sub-account.ts";
import { createAccountItems, type DirectoryTable } from "./directory-items.ts";
import { DIRECTORY_SORT_KEY } from "./directory-keys.ts";

/** The sub-accounts, in DynamoDB. */
export function createSubAccounts(table: DirectoryTable): SubAccounts {
  const subAccounts = createAccountItems(table, {
    name: "sub-account",
    schema: subAccountSchema,
    prefix: DIRECTORY_SORT_KEY.subAccount,
    nameOf: ({ subAccount }) => subAccount,
  });
  return {
    findSubAccount: subAccounts.find,
    insertSubAccount: subAccounts.insert,
    updateSubAccount: subAccounts.replace,
    removeSubAccount: subAccounts.remove,
    listSubAccounts: subAccounts.list,
  };
}
