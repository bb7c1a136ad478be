import { describeBlockedNumbers } from "../support/blocked-numbers-contract.ts";
import {
  describeContents,
  describeSubAccounts,
  describeUsers,
} from "../support/customer-ports-contract.ts";
import {
  MemoryBlockedNumbers,
  MemoryContents,
  MemorySubAccounts,
  MemoryUsageCounters,
  MemoryUsers,
} from "../support/memory-customers.ts";
import { describeUsageCounters } from "../support/usage-counters-contract.ts";

describeUsers("users in memory", () => new MemoryUsers());
describeSubAccounts("sub-accounts in memory", () => new MemorySubAccounts());
describeContents("contents in memory", () => new MemoryContents());
describeBlockedNumbers("blocked numbers in memory", () => new MemoryBlockedNumbers());
describeUsageCounters("usage counters in memory", () => new MemoryUsageCounters(), {
  propertyRuns: 200,
});
