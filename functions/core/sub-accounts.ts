import {
  assertUnambiguous,
  assertValid,
  ConflictError,
  getAccount,
  InvalidRequestError,
} from "./accounts.ts";
import type { SubAccounts, Users } from "./customer-ports.ts";
import { applyChanges, type FieldChanges } from "./field-changes.ts";
import { type Limits, limitsSchema } from "./limits.ts";
import { type OptOut, optOutSchema } from "./opt-out.ts";
import type { Clock, Directory } from "./ports.ts";
import { type SubAccount, subAccountSchema } from "./sub-account.ts";

type LimitsChange = FieldChanges<Limits>;
type OptOutChange = FieldChanges<OptOut>;

interface SubAccountDependencies {
  readonly subAccounts: SubAccounts;
  readonly directory: Pick<Directory, "findAccount">;
}

/**
 * Creates a sub-account.
 *
 * @param request.limits none where not given
 * @param request.optOut the account's where not given; what it leaves out is as the account's is now
 * @throws InvalidRequestError for a reference that is taken or not allowed, a setting that is
 *   wrong, or where there is no such account
 */
export async function createSubAccount(
  { subAccounts, directory, clock }: SubAccountDependencies & { readonly clock: Clock },
  request: {
    account: string;
    subAccount: string;
    limits?: LimitsChange | undefined;
    optOut?: OptOutChange | undefined;
  },
): Promise<SubAccount> {
  const account = await getAccount(directory, request.account);
  const { limits = {}, optOut } = request;
  const created = assertValid(subAccountSchema, {
    version: 1,
    account: account.account,
    subAccount: request.subAccount,
    limits: applyChanges(limitsSchema.parse({}), limits),
    optOut: optOut && assertValid(optOutSchema, applyChanges(account.optOut, optOut)),
    createdAt: clock.now(),
    revision: 0,
  });
  if (created.optOut) assertUnambiguous(created.optOut, optOut);
  if (await subAccounts.insertSubAccount(created)) return created;
  throw new ConflictError(
    `account "${created.account}" has a sub-account "${created.subAccount}" already`,
  );
}

/**
 * The sub-account of this reference.
 * @throws InvalidRequestError where the account has none
 */
export async function getSubAccount(
  { subAccounts }: { readonly subAccounts: Pick<SubAccounts, "findSubAccount"> },
  account: string,
  subAccount: string,
): Promise<SubAccount> {
  const found = await subAccounts.findSubAccount(account, subAccount);
  if (found) return found;
  throw new InvalidRequestError(`account "${account}" has no sub-account "${subAccount}"`);
}

/**
 * Changes settings of a sub-account, field by field.
 *
 * @param changes.optOut null makes it as the account's again
 * @throws InvalidRequestError where a setting is wrong, there is no such sub-account, or somebody
 *   else is changing it
 */
export async function changeSubAccount(
  deps: SubAccountDependencies,
  account: string,
  subAccount: string,
  changes: { limits?: LimitsChange | undefined; optOut?: OptOutChange | null | undefined },
): Promise<SubAccount> {
  const found = await getSubAccount(deps, account, subAccount);
  const changed = assertValid(subAccountSchema, {
    ...found,
    limits: applyChanges(found.limits, changes.limits ?? {}),
    optOut: await changedOptOut(deps, found, changes.optOut),
    revision: found.revision + 1,
  });
  if (changed.optOut) assertUnambiguous(changed.optOut, changes.optOut);
  if (await deps.subAccounts.updateSubAccount(found, changed)) return changed;
  throw new ConflictError(
    `sub-account "${subAccount}" is being changed by somebody else; try again`,
  );
}

async function changedOptOut(
  { directory }: Pick<SubAccountDependencies, "directory">,
  { account, optOut }: SubAccount,
  change: OptOutChange | null | undefined,
): Promise<Partial<OptOut> | undefined> {
  if (change === null) return undefined;
  if (change === undefined) return optOut;
  return applyChanges(optOut ?? (await getAccount(directory, account)).optOut, change);
}

/**
 * Removes a sub-account to which nothing belongs any more.
 * @throws InvalidRequestError where there is none, or users or endpoints belong to it
 */
export async function removeSubAccount(
  deps: {
    readonly subAccounts: SubAccounts;
    readonly users: Pick<Users, "listUsers">;
    readonly directory: Pick<Directory, "listEndpoints">;
  },
  account: string,
  subAccount: string,
): Promise<void> {
  await getSubAccount(deps, account, subAccount);
  const [users, endpoints] = await Promise.all([
    deps.users.listUsers(account),
    deps.directory.listEndpoints(account),
  ]);
  const belongs = (item: { subAccount?: string | undefined }) => item.subAccount === subAccount;
  const left = [
    ...users.filter(belongs).map(({ username }) => `user "${username}"`),
    ...endpoints.filter(belongs).map(({ endpointId }) => `endpoint ${endpointId}`),
  ];
  if (left.length > 0) {
    throw new ConflictError(
      `sub-account "${subAccount}" is still that of ${left.join(", ")}: remove these first`,
    );
  }
  await deps.subAccounts.removeSubAccount(account, subAccount);
}
