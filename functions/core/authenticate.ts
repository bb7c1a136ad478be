import { LRUCache } from "lru-cache";
import { type Account, accountIdSchema } from "./account.ts";
import { hashSecret, matchesCredential } from "./passwords.ts";
import type { Clock, Directory } from "./ports.ts";

/** For how long a warm function takes a verified credential as verified, in milliseconds. */
export const CREDENTIAL_MEMORY_MS = 60_000;
const REMEMBERED_CREDENTIALS = 1_000;

/** Tells who is calling: the active account that this name and password are of, or undefined. */
export type Authenticate = (account: string, password: string) => Promise<Account | undefined>;

/**
 * Authentication against the directory. A credential that was right is remembered for
 * `CREDENTIAL_MEMORY_MS` counted from its verification, so a rotated password or a disabled
 * account is refused everywhere at most that much later. Failures are not remembered.
 */
export function createAuthenticate(deps: {
  readonly directory: Pick<Directory, "findAccount">;
  readonly clock: Clock;
}): Authenticate {
  const verified = new LRUCache<string, { account: Account; at: number }>({
    max: REMEMBERED_CREDENTIALS,
  });
  return async (name, password) => {
    if (!accountIdSchema.safeParse(name).success) return undefined;
    const now = deps.clock.now();
    const key = hashSecret(`${name}:${password}`);
    const known = verified.get(key);
    const age = now - (known?.at ?? 0);
    // A clock that was set back makes no credential younger.
    if (known && age >= 0 && age < CREDENTIAL_MEMORY_MS) return known.account;
    const account = await deps.directory.findAccount(name);
    if (account?.state !== "active" || !matchesCredential(password, account.credentials, now)) {
      verified.delete(key);
      return undefined;
    }
    verified.set(key, { account, at: now });
    return account;
  };
}
