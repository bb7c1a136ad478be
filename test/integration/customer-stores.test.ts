import { createBlockedNumbers } from "../../functions/adapters/dynamodb/blocked-numbers.ts";
import { createDocumentClient } from "../../functions/adapters/dynamodb/client.ts";
import { createContents } from "../../functions/adapters/dynamodb/contents.ts";
import { createSubAccounts } from "../../functions/adapters/dynamodb/sub-accounts.ts";
import { createUsageCounters } from "../../functions/adapters/dynamodb/usage-counters.ts";
import { createUsers } from "../../functions/adapters/dynamodb/users.ts";
import { describeBlockedNumbers } from "../support/blocked-numbers-contract.ts";
import {
  describeContents,
  describeSubAccounts,
  describeUsers,
} from "../support/customer-ports-contract.ts";
import { describeUsageCounters } from "../support/usage-counters-contract.ts";
import { clientConfig, stack } from "./support/stack.ts";

const table = {
  client: createDocumentClient(clientConfig),
  tableName: stack.outputs.DirectoryTableName,
};

describeUsers("users in DynamoDB", () => createUsers(table));
describeSubAccounts("sub-accounts in DynamoDB", () => createSubAccounts(table));
describeContents("contents in DynamoDB", () => createContents(table));
describeBlockedNumbers("blocked numbers in DynamoDB", () => createBlockedNumbers(table));
describeUsageCounters("usage counters in DynamoDB", () => createUsageCounters(table), {
  propertyRuns: 20,
});
