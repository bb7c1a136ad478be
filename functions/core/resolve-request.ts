import type { Account } from "./account.ts";
import type { Caller } from "./authenticate.ts";
import type { Campaign } from "./content.ts";
import type { Contents, SubAccounts } from "./customer-ports.ts";
import type { SubAccount } from "./sub-account.ts";
import { zoneOfCountry } from "./time.ts";
import type { User } from "./user.ts";

/** What a request names of what its account has, and what of it is wrong; `forbidden` is not the caller's to name. */
export type Resolved<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problem: string; readonly forbidden?: true };

const resolved = <T>(value: T): Resolved<T> => ({ ok: true, value });
const wrong = (problem: string) => ({ ok: false, problem }) as const;

/** The zone of a user's dates that name none: its own, its country's, its account's (Wavy document, `timeZone`). */
export function zoneOf(user: Pick<User, "timeZone" | "country">, account: Account): string {
  return user.timeZone ?? (user.country ? zoneOfCountry(user.country) : account.timeZone);
}

/**
 * Whom a call is for: a regular user's for its own sub-account; an administrator's for the one that
 * it names, or for none in particular (supplement, section 1, "Roles").
 */
export async function resolveSubAccount(
  { subAccounts }: { readonly subAccounts: Pick<SubAccounts, "findSubAccount"> },
  { account, user, subAccount }: Caller,
  named: string | undefined,
): Promise<Resolved<SubAccount | undefined>> {
  if (user.role === "regular") {
    return named === undefined || named === subAccount?.subAccount
      ? resolved(subAccount)
      : { ...wrong("Only administrators may name another sub-account."), forbidden: true };
  }
  if (named === undefined) return resolved(undefined);
  const found = await subAccounts.findSubAccount(account.account, named);
  return found ? resolved(found) : wrong("There is no such sub-account.");
}

/** The stored text that a request names, if any. */
export interface ContentReference {
  readonly templateId?: number | undefined;
  readonly templateName?: string | undefined;
  readonly flowId?: string | undefined;
}

/** The text of the template or flow that a request names; undefined where it names none. */
export async function resolveContent(
  {
    contents,
  }: { readonly contents: Pick<Contents, "findTemplate" | "listTemplates" | "findFlow"> },
  caller: Caller,
  { templateId, templateName, flowId }: ContentReference,
): Promise<Resolved<string | undefined>> {
  const { account } = caller.account;
  if (flowId !== undefined) {
    const flow = await contents.findFlow(account, flowId);
    return flow ? resolved(flow.text) : wrong("There is no such flow.");
  }
  if (templateId === undefined && templateName === undefined) return resolved(undefined);
  const known =
    templateId === undefined
      ? await contents.listTemplates(account)
      : [await contents.findTemplate(account, templateId)];
  const named = known
    .filter((template) => template !== undefined)
    .filter(({ name }) => templateName === undefined || name === templateName)
    .filter(({ subAccount }) => mayUse(caller, subAccount));
  const [template, ...others] = named;
  if (!template) return wrong("There is no such template.");
  return others.length > 0
    ? wrong("There are several templates of this name; templateId tells which one is meant.")
    : resolved(template.text);
}

/** An administrator may use everything; a regular user what is everybody's and what is its own. */
const mayUse = ({ user }: Caller, subAccount: string | undefined) =>
  user.role === "admin" || subAccount === undefined || subAccount === user.subAccount;

/** The campaign that a request names; undefined where it names none. */
export async function resolveCampaign(
  { contents }: { readonly contents: Pick<Contents, "findCampaign"> },
  { account }: Account,
  alias: string | undefined,
): Promise<Resolved<Pick<Campaign, "campaignId" | "alias"> | undefined>> {
  if (alias === undefined) return resolved(undefined);
  const campaign = await contents.findCampaign(account, alias);
  return campaign ? resolved(campaign) : wrong("There is no such campaign.");
}
