import {
  assertValid,
  ConflictError,
  getAccount,
  InvalidRequestError,
  readCountry,
  readTimeZone,
} from "./accounts.ts";
import { credentialOf, rotateSecret } from "./credentials.ts";
import type { SubAccounts, Users } from "./customer-ports.ts";
import { applyChanges } from "./field-changes.ts";
import type { Clock, Directory, Randomness } from "./ports.ts";
import { getSubAccount } from "./sub-accounts.ts";
import { type User, type UserRole, userSchema } from "./user.ts";

interface UserDependencies {
  readonly users: Users;
  readonly subAccounts: Pick<SubAccounts, "findSubAccount">;
}

interface IssuingDependencies {
  readonly users: Users;
  readonly clock: Clock;
  readonly randomness: Pick<Randomness, "secret">;
}

/** The one moment at which a token can be seen. */
export interface NewToken {
  readonly user: User;
  readonly token: string;
}

/** Whether the account must still have an active administrator afterwards. */
interface Precaution {
  readonly keepAnAdmin?: boolean | undefined;
}

/**
 * Creates a user and its authentication token.
 *
 * @param request.subAccount that of a regular user; an administrator has none
 * @param request.timeZone the zone of its dates
 * @param request.country ISO 3166-1 alpha-2; gives the zone where there is none
 * @throws InvalidRequestError for a user name or e-mail address that is taken or not allowed, a
 *   role without its sub-account or a sub-account without its role, an unknown country or zone, or
 *   where there is no such account or sub-account
 */
export async function createUser(
  {
    directory,
    ...deps
  }: UserDependencies &
    IssuingDependencies & { readonly directory: Pick<Directory, "findAccount"> },
  request: {
    account: string;
    username: string;
    email?: string | undefined;
    role: UserRole;
    subAccount?: string | undefined;
    timeZone?: string | undefined;
    country?: string | undefined;
  },
): Promise<NewToken> {
  await getAccount(directory, request.account);
  const token = deps.randomness.secret();
  const now = deps.clock.now();
  const user = await readUser(deps, {
    version: 1,
    ...request,
    state: "active",
    tokens: [credentialOf(token, now)],
    createdAt: now,
    revision: 0,
  });
  if (await deps.users.insertUser(user)) return { user, token };
  const sameName = await deps.users.findByLogin(user.username);
  throw takenError(sameName || !user.email ? user.username : user.email);
}

const takenError = (login: string) =>
  new ConflictError(`"${login}" is a user name or e-mail address of somebody else's`);

/** A user as it is stored, whose sub-account there is. */
async function readUser(deps: UserDependencies, written: Partial<User>): Promise<User> {
  const user = assertValid(userSchema, {
    ...written,
    ...(written.timeZone !== undefined && { timeZone: readTimeZone(written.timeZone) }),
    ...(written.country !== undefined && { country: readCountry(written.country) }),
  });
  if (user.subAccount !== undefined) await getSubAccount(deps, user.account, user.subAccount);
  return user;
}

/**
 * The user of this name.
 * @throws InvalidRequestError where the account has none
 */
export async function getUser(
  { users }: { readonly users: Pick<Users, "findUser"> },
  account: string,
  username: string,
): Promise<User> {
  const found = await users.findUser(account, username);
  if (found) return found;
  throw new InvalidRequestError(`account "${account}" has no user "${username}"`);
}

/** What can be changed of a user; null removes a field. */
export interface UserChanges {
  readonly email?: string | null | undefined;
  readonly role?: UserRole | undefined;
  /** An administrator loses its sub-account without being told to. */
  readonly subAccount?: string | null | undefined;
  readonly timeZone?: string | null | undefined;
  readonly country?: string | null | undefined;
  readonly state?: User["state"] | undefined;
}

/**
 * Changes a user. Functions that have just verified its token notice within a minute.
 *
 * @throws InvalidRequestError where what is asked for would not be a user that can be created,
 *   where there is no such user, somebody else is changing it, or it is the administrator to keep
 */
export async function changeUser(
  deps: UserDependencies,
  account: string,
  username: string,
  changes: UserChanges,
  { keepAnAdmin }: Precaution = {},
): Promise<User> {
  const found = await getUser(deps, account, username);
  const leavesSubAccount = changes.role === "admin" && changes.subAccount === undefined;
  const changed = await readUser(deps, {
    ...applyChanges(found, { ...changes, ...(leavesSubAccount && { subAccount: null }) }),
    revision: found.revision + 1,
  });
  if (keepAnAdmin && !isActiveAdmin(changed)) await assertAnotherAdmin(deps, found);
  if (await deps.users.updateUser(found, changed)) return changed;
  const holder = changed.email && (await deps.users.findByLogin(changed.email));
  if (changed.email && holder && holder.username !== changed.username) {
    throw takenError(changed.email);
  }
  throw beingChangedError(changed);
}

const beingChangedError = ({ username }: User) =>
  new ConflictError(`user "${username}" is being changed by somebody else; try again`);

const isActiveAdmin = ({ role, state }: User) => role === "admin" && state === "active";

/** Two administrators who remove each other in the same moment are not kept from it. */
async function assertAnotherAdmin(
  { users }: { readonly users: Pick<Users, "listUsers"> },
  user: User,
): Promise<void> {
  if (!isActiveAdmin(user)) return;
  const others = (await users.listUsers(user.account)).filter(
    ({ username }) => username !== user.username,
  );
  if (others.some(isActiveAdmin)) return;
  throw new ConflictError(
    `"${user.username}" is the last active administrator of account "${user.account}": make another user one first`,
  );
}

/**
 * Gives a user a new token. The old ones stay valid for `overlapMinutes`; with 0 they end at once.
 * @throws InvalidRequestError where there is no such user, or somebody else is changing it
 */
export async function rotateToken(
  { users, clock, randomness }: IssuingDependencies,
  account: string,
  username: string,
  overlapMinutes: number,
): Promise<NewToken> {
  const found = await getUser({ users }, account, username);
  const token = randomness.secret();
  const user = {
    ...found,
    tokens: rotateSecret(found.tokens, token, clock.now(), overlapMinutes),
    revision: found.revision + 1,
  };
  if (await users.updateUser(found, user)) return { user, token };
  throw beingChangedError(user);
}

/**
 * Removes a user. Functions that have just verified its token notice within a minute.
 * @throws InvalidRequestError where there is no such user, or it is the administrator to keep
 */
export async function removeUser(
  deps: { readonly users: Users },
  account: string,
  username: string,
  { keepAnAdmin }: Precaution = {},
): Promise<void> {
  const found = await getUser(deps, account, username);
  if (keepAnAdmin) await assertAnotherAdmin(deps, found);
  await deps.users.removeUser(account, found.username);
}
