import { createBlockedNumbers } from "../functions/adapters/dynamodb/blocked-numbers.ts";
import { createDocumentClient } from "../functions/adapters/dynamodb/client.ts";
import { createContents } from "../functions/adapters/dynamodb/contents.ts";
import { createDirectory } from "../functions/adapters/dynamodb/directory.ts";
import { createSubAccounts } from "../functions/adapters/dynamodb/sub-accounts.ts";
import { createUsageCounters } from "../functions/adapters/dynamodb/usage-counters.ts";
import { createUsers } from "../functions/adapters/dynamodb/users.ts";
import type { BlockedNumbers } from "../functions/core/blocked-number.ts";
import type { Contents, SubAccounts, Users } from "../functions/core/customer-ports.ts";
import type { UsageCounters } from "../functions/core/limits.ts";
import type { Clock, Directory, Randomness } from "../functions/core/ports.ts";
import { systemClock, systemRandomness } from "../functions/runtime/system.ts";
import type { AwsTarget } from "./aws-target.ts";

/** The directory of a deployed stack, with what its use cases take besides. */
export interface DirectoryAccess {
  readonly directory: Directory;
  readonly users: Users;
  readonly subAccounts: SubAccounts;
  readonly contents: Contents;
  readonly blockedNumbers: BlockedNumbers;
  readonly usage: UsageCounters;
  readonly clock: Clock;
  readonly randomness: Randomness;
}

/** Opens the directory of a deployed stack. */
export function openDirectory(
  { DirectoryTableName }: { readonly DirectoryTableName: string },
  clientConfig: AwsTarget["clientConfig"],
): DirectoryAccess {
  const table = { client: createDocumentClient(clientConfig), tableName: DirectoryTableName };
  return {
    directory: createDirectory(table),
    users: createUsers(table),
    subAccounts: createSubAccounts(table),
    contents: createContents(table),
    blockedNumbers: createBlockedNumbers(table),
    usage: createUsageCounters(table),
    clock: systemClock,
    randomness: systemRandomness,
  };
}
