import * as z from "zod";
import type { Account } from "./account.ts";
import { assertValid, changeAccountSettings, getAccount } from "./accounts.ts";
import type { SubAccounts } from "./customer-ports.ts";
import type { FieldChanges } from "./field-changes.ts";
import {
  calendarOf,
  type Limits,
  NOTHING_USED,
  type Usage,
  type UsageCounters,
  type UsageOwner,
  usageOn,
} from "./limits.ts";
import type { Clock, Directory } from "./ports.ts";
import { changeSubAccount, getSubAccount } from "./sub-accounts.ts";

/**
 * Changes the limits of an account or sub-account, field by field; null removes one.
 * @throws InvalidRequestError where a limit is wrong, there is no such account or sub-account, or
 *   somebody else is changing it
 */
export async function changeLimits(
  deps: { readonly directory: Directory; readonly subAccounts: SubAccounts },
  { account, subAccount }: UsageOwner,
  limits: FieldChanges<Limits>,
): Promise<Limits> {
  const changed =
    subAccount === undefined
      ? await changeAccountSettings(deps, account, { limits })
      : await changeSubAccount(deps, account, subAccount, { limits });
  return changed.limits;
}

interface CounterDependencies {
  readonly usage: UsageCounters;
  readonly directory: Pick<Directory, "findAccount">;
  readonly subAccounts: Pick<SubAccounts, "findSubAccount">;
}

const creditSchema = z
  .number()
  .int()
  .min(-1_000_000_000)
  .max(1_000_000_000)
  .refine((parts) => parts !== 0, "the parts to add are a whole number other than 0");

/**
 * Adds to the credit of an account or sub-account, or takes from it.
 *
 * @param parts negative to take
 * @param token names this very request: asked for again under the same name, it counts once
 * @returns the credit that there is now
 * @throws InvalidRequestError for a number of parts that is none, or where there is no such account
 *   or sub-account
 */
export async function addCredit(
  deps: CounterDependencies,
  owner: UsageOwner,
  parts: number,
  token: string,
): Promise<number> {
  await getLimits(deps, owner);
  return deps.usage.addCredit(owner, assertValid(creditSchema, parts), token);
}

/**
 * The limits of an account or sub-account, and what it has used of them by now.
 * @throws InvalidRequestError where there is no such account or sub-account
 */
export async function readUsage(
  deps: CounterDependencies & { readonly clock: Clock },
  owner: UsageOwner,
): Promise<{ limits: Limits; usage: Omit<Usage, "version"> }> {
  const { account, limits } = await getLimits(deps, owner);
  const counted = (await deps.usage.read(owner)) ?? NOTHING_USED;
  const today = calendarOf(deps.clock.now(), account.timeZone);
  const { version: _, ...usage } = usageOn(counted, today);
  return { limits, usage };
}

async function getLimits(
  deps: Omit<CounterDependencies, "usage">,
  { account, subAccount }: UsageOwner,
): Promise<{ account: Account; limits: Limits }> {
  const found = await getAccount(deps.directory, account);
  if (subAccount === undefined) return { account: found, limits: found.limits };
  const { limits } = await getSubAccount(deps, account, subAccount);
  return { account: found, limits };
}
