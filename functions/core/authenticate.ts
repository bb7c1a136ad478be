import { LRUCache } from "lru-cache";
import { type Account, accountIdSchema } from "./account.ts";
import type { SubAccounts, Users } from "./customer-ports.ts";
import { hashSecret, matchesCredential } from "./passwords.ts";
import type { Clock, Directory } from "./ports.ts";
import type { SubAccount } from "./sub-account.ts";
import { loginOf, type User } from "./user.ts";

/** For how long a warm function takes a verified credential as verified, in milliseconds. */
export const CREDENTIAL_MEMORY_MS = 60_000;
const REMEMBERED_CREDENTIALS = 1_000;

/** Tells who is calling: the active account that this name and password are of, or undefined. */
export type Authenticate = (account: string, password: string) => Promise<Account | undefined>;

/** A user who calls, and for whom: a regular user for its sub-account. */
export interface Caller {
  readonly account: Account;
  readonly user: User;
  readonly subAccount?: SubAccount;
}

/** Tells which user is calling: the active one of an active account that this login and token are of. */
export type AuthenticateUser = (login: string, token: string) => Promise<Caller | undefined>;

/**
 * Authentication against the directory. A credential that was right is remembered for
 * `CREDENTIAL_MEMORY_MS` counted from its verification, so a rotated password or a disabled
 * account is refused everywhere at most that much later. Failures are not remembered.
 */
export function createAuthenticate(deps: {
  readonly directory: Pick<Directory, "findAccount">;
  readonly clock: Clock;
}): Authenticate {
  return remembering(deps.clock, async (name, password) => {
    if (!accountIdSchema.safeParse(name).success) return undefined;
    const account = await deps.directory.findAccount(name);
    const isRight =
      account?.state === "active" &&
      matchesCredential(password, account.credentials, deps.clock.now());
    return isRight ? account : undefined;
  });
}

/** The longest user name or e-mail address that is looked for. */
const MAX_LOGIN_LENGTH = 254;

/**
 * Authentication of users, by user name or e-mail address and token (Wavy document, "Autenticação").
 * Remembered as `createAuthenticate` does.
 */
export function createAuthenticateUser(deps: {
  readonly directory: Pick<Directory, "findAccount">;
  readonly users: Pick<Users, "findByLogin">;
  readonly subAccounts: Pick<SubAccounts, "findSubAccount">;
  readonly clock: Clock;
}): AuthenticateUser {
  const { directory, users, subAccounts, clock } = deps;
  return remembering(clock, async (written, token) => {
    const login = loginOf(written);
    if (login === "" || login.length > MAX_LOGIN_LENGTH) return undefined;
    const user = await users.findByLogin(login);
    if (user?.state !== "active" || !matchesCredential(token, user.tokens, clock.now())) {
      return undefined;
    }
    const [account, subAccount] = await Promise.all([
      directory.findAccount(user.account),
      user.subAccount === undefined
        ? undefined
        : subAccounts.findSubAccount(user.account, user.subAccount),
    ]);
    if (account?.state !== "active") return undefined;
    // One whose sub-account is gone may nothing.
    if (user.subAccount !== undefined && !subAccount) return undefined;
    return { account, user, ...(subAccount && { subAccount }) };
  });
}

function remembering<T extends object>(
  clock: Clock,
  verify: (name: string, secret: string) => Promise<T | undefined>,
): (name: string, secret: string) => Promise<T | undefined> {
  const verified = new LRUCache<string, { who: T; at: number }>({ max: REMEMBERED_CREDENTIALS });
  return async (name, secret) => {
    const now = clock.now();
    const key = hashSecret(`${name}:${secret}`);
    const known = verified.get(key);
    const age = now - (known?.at ?? 0);
    // A clock that was set back makes no credential younger.
    if (known && age >= 0 && age < CREDENTIAL_MEMORY_MS) return known.who;
    const who = await verify(name, secret);
    if (who) verified.set(key, { who, at: now });
    else verified.delete(key);
    return who;
  };
}
