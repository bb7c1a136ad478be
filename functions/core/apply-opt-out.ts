import { makeMessage, type SendRequest } from "./accept-message.ts";
import type { Account } from "./account.ts";
import type { BlockedNumbers } from "./blocked-number.ts";
import type { SubAccounts } from "./customer-ports.ts";
import type { Mo } from "./mo.ts";
import { essenceOf, type OptOut } from "./opt-out.ts";
import type { Randomness } from "./ports.ts";
import { type PuttingOnItsWay, putOnItsWay } from "./send-message.ts";

/** What opting out by an MO needs. `statusRetentionMs` is how long its confirmation can be asked about. */
export interface OptOutDependencies extends PuttingOnItsWay {
  readonly subAccounts: Pick<SubAccounts, "findSubAccount">;
  readonly blockedNumbers: Pick<BlockedNumbers, "optOut" | "optIn">;
  readonly randomness: Pick<Randomness, "uuid">;
  readonly statusRetentionMs: number;
}

/** What a person wished with an MO. */
export type OptOutOutcome = "opted-out" | "opted-in";

/** What a person wishes who answers this, by an account's or sub-account's keywords. */
export function wishOf(text: string, optOut: OptOut): OptOutOutcome | undefined {
  if (!optOut.enabled) return undefined;
  const essence = essenceOf(text);
  if (essence === "") return undefined;
  const isAmong = (keywords: readonly string[]) =>
    keywords.some((keyword) => essenceOf(keyword) === essence);
  if (isAmong(optOut.keywords)) return "opted-out";
  return isAmong(optOut.backKeywords) ? "opted-in" : undefined;
}

/**
 * Carries out the wish of a person not to be sent anything any more, or to be sent things again:
 * by the sub-account whose message was answered; by the whole account where it was none's, or where
 * nothing was answered. Confirms it once. The same MO again changes nothing, and confirms nothing.
 *
 * @throws whatever a store or queue throws; the MO is then to be received again
 */
export async function applyOptOut(
  deps: OptOutDependencies,
  account: Account,
  mo: Mo,
): Promise<OptOutOutcome | undefined> {
  const { blockedNumbers, subAccounts } = deps;
  const { subAccount } = mo;
  const own =
    subAccount === undefined
      ? undefined
      : await subAccounts.findSubAccount(account.account, subAccount);
  const optOut = own?.optOut ?? account.optOut;
  const wish = wishOf(mo.text, optOut);
  if (!wish) return undefined;
  const origin = mo.uuid ?? String(mo.id);
  const change = {
    account: account.account,
    subAccount,
    number: mo.from,
    at: mo.receivedAt,
    origin,
  };
  const isNew = await (wish === "opted-out"
    ? blockedNumbers.optOut(change)
    : blockedNumbers.optIn(change));
  if (!isNew) return undefined;
  await confirm(
    deps,
    account,
    mo,
    wish === "opted-out" ? optOut.confirmation : optOut.backConfirmation,
    origin,
  );
  return wish;
}

/** Sends the confirmation: past block-lists and limits, and without callbacks, since nobody asked for it. */
async function confirm(
  deps: OptOutDependencies,
  account: Account,
  mo: Mo,
  text: string,
  origin: string,
): Promise<void> {
  if (text === "") return;
  const { subAccount } = mo;
  const request: SendRequest = {
    dialect: mo.dialect,
    id: `opt-out-${origin}`,
    destination: `+${mo.from}`,
    text,
    segmentation: "gsm",
    flash: false,
    callbackOption: "NONE",
    ...(subAccount !== undefined && { subAccount: { subAccount, limits: { prepaid: false } } }),
  };
  const made = makeMessage({ ...deps, retentionMs: deps.statusRetentionMs }, account, request);
  // A phone that is none, such as a short number of the operator's, gets no answer.
  if (made.accepted) await putOnItsWay(deps, made.message);
}
