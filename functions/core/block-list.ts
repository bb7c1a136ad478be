import { getAccount, InvalidRequestError } from "./accounts.ts";
import {
  type BlockedNumber,
  type BlockedNumbers,
  BY_HAND,
  type OptedOutNumber,
  type OptOutWord,
} from "./blocked-number.ts";
import type { SubAccounts } from "./customer-ports.ts";
import type { UsageOwner } from "./limits.ts";
import { parseMobileNumber } from "./numbers.ts";
import type { Clock, Directory } from "./ports.ts";
import { getSubAccount } from "./sub-accounts.ts";

interface BlockListDependencies {
  readonly blockedNumbers: BlockedNumbers;
  readonly directory: Pick<Directory, "findAccount">;
}
interface WritingDependencies extends BlockListDependencies {
  readonly clock: Clock;
}

/**
 * Has an account's messages to a number blocked. One that is blocked already stays so.
 *
 * @param written as people write numbers; without country code, one of the account's country
 * @returns what is stored, or would be if it were not already
 * @throws InvalidRequestError where this is no mobile number, or there is no such account
 */
export async function blockNumber(
  { blockedNumbers, directory, clock }: WritingDependencies,
  account: string,
  written: string,
): Promise<BlockedNumber> {
  const number = await readNumber(directory, account, written);
  const blocked: BlockedNumber = { version: 1, account, number, createdAt: clock.now() };
  await blockedNumbers.block(blocked);
  return blocked;
}

async function readNumber(
  directory: Pick<Directory, "findAccount">,
  account: string,
  written: string,
): Promise<string> {
  const { country } = await getAccount(directory, account);
  const number = parseMobileNumber(written, country);
  if (number) return number;
  throw new InvalidRequestError(`"${written}" is not a mobile number`);
}

/**
 * Lets an account send to a number again that it had blocked.
 *
 * @returns the number, E.164 without the plus sign
 * @throws InvalidRequestError where this is no mobile number or it is not blocked, or there is no
 *   such account
 */
export async function unblockNumber(
  { blockedNumbers, directory }: BlockListDependencies,
  account: string,
  written: string,
): Promise<string> {
  const number = await readNumber(directory, account, written);
  if (await blockedNumbers.unblock(account, number)) return number;
  throw new InvalidRequestError(`account "${account}" has not blocked ${number}`);
}

/**
 * The numbers that an account has blocked.
 * @throws InvalidRequestError where there is no such account
 */
export async function listBlocked(
  { blockedNumbers, directory }: BlockListDependencies,
  account: string,
): Promise<BlockedNumber[]> {
  await getAccount(directory, account);
  return blockedNumbers.listBlocked(account);
}

/**
 * Writes down by hand that a person wants no messages of an account or of one of its sub-accounts.
 * Of one who has opted out already nothing changes.
 *
 * @param written as people write numbers; without country code, one of the account's country
 * @throws InvalidRequestError where this is no mobile number, or there is no such account or
 *   sub-account
 */
export async function optOutNumber(
  deps: WritingDependencies & { readonly subAccounts: Pick<SubAccounts, "findSubAccount"> },
  owner: UsageOwner,
  written: string,
): Promise<OptOutWord> {
  const word = await wordByHand(deps, owner, written);
  if (owner.subAccount !== undefined) await getSubAccount(deps, owner.account, owner.subAccount);
  await deps.blockedNumbers.optOut(word);
  return word;
}

async function wordByHand(
  { directory, clock }: WritingDependencies,
  { account, subAccount }: UsageOwner,
  written: string,
): Promise<OptOutWord> {
  const number = await readNumber(directory, account, written);
  const said = { account, number, at: clock.now(), origin: BY_HAND };
  return subAccount === undefined ? said : { ...said, subAccount };
}

/**
 * Takes a person's opt-out back by hand: that of a sub-account and of the whole account, or, where
 * no sub-account is named, all of them.
 *
 * @param written as people write numbers; without country code, one of the account's country
 * @throws InvalidRequestError where this is no mobile number, the person has not opted out of this
 *   account or sub-account, or there is no such account
 */
export async function optInNumber(
  deps: WritingDependencies,
  owner: UsageOwner,
  written: string,
): Promise<OptOutWord> {
  const word = await wordByHand(deps, owner, written);
  if (await deps.blockedNumbers.optIn(word)) return word;
  const whose =
    owner.subAccount === undefined
      ? `account "${owner.account}"`
      : `sub-account "${owner.subAccount}"`;
  throw new InvalidRequestError(`${word.number} has not opted out of ${whose}`);
}

/**
 * The people who have opted out of an account or of any of its sub-accounts.
 * @throws InvalidRequestError where there is no such account
 */
export async function listOptedOut(
  { blockedNumbers, directory }: BlockListDependencies,
  account: string,
): Promise<OptedOutNumber[]> {
  await getAccount(directory, account);
  return blockedNumbers.listOptedOut(account);
}
