import {
  createAccount,
  type NewCredential,
  rotateCredential,
  setAccountState,
} from "../../functions/core/accounts.ts";
import { matchesCredential } from "../../functions/core/passwords.ts";
import { createSubAccount } from "../../functions/core/sub-accounts.ts";
import type { User } from "../../functions/core/user.ts";
import { changeUser, createUser, rotateToken } from "../../functions/core/users.ts";
import type { DirectoryAccess } from "../directory-client.ts";
import { Fault } from "./fault.ts";

/** The account that every local run has, its sub-account, and who can use it. */
const SANDBOX_ACCOUNT = "sandbox";
const SANDBOX_SUB_ACCOUNT = "sandbox";
type SandboxUser = Pick<User, "username" | "role" | "subAccount">;
const REGULAR_USER: SandboxUser = {
  username: "sandbox-user",
  role: "regular",
  subAccount: SANDBOX_SUB_ACCOUNT,
};
const ADMINISTRATOR: SandboxUser = { username: "sandbox-admin", role: "admin" };
const OVERLAP_MINUTES = 365 * 24 * 60;

/** Whom a client can be in a local run. */
export interface SandboxCredentials extends NewCredential {
  /** A regular user. */
  readonly username: string;
  readonly authenticationToken: string;
  readonly adminUsername: string;
  readonly adminAuthenticationToken: string;
}

/**
 * The sandbox account with its users, and their secrets: those of the run before where they are
 * still valid, so that a client keeps working over restarts; else new ones. A run that nobody can
 * use is of no use either, so what was disabled or changed is as it was again.
 *
 * @param known the secrets of the run before
 */
export async function ensureSandbox(
  access: DirectoryAccess,
  known: { readonly [Name in keyof SandboxCredentials]?: string | undefined } = {},
): Promise<SandboxCredentials> {
  const credential = await ensureAccount(access, known.password);
  const { account } = credential;
  if (!(await access.subAccounts.findSubAccount(account, SANDBOX_SUB_ACCOUNT))) {
    await createSubAccount(access, { account, subAccount: SANDBOX_SUB_ACCOUNT });
  }
  return {
    ...credential,
    username: REGULAR_USER.username,
    authenticationToken: await ensureUser(access, REGULAR_USER, known.authenticationToken),
    adminUsername: ADMINISTRATOR.username,
    adminAuthenticationToken: await ensureUser(
      access,
      ADMINISTRATOR,
      known.adminAuthenticationToken,
    ),
  };
}

async function ensureAccount(
  access: DirectoryAccess,
  known: string | undefined,
): Promise<NewCredential> {
  const account = SANDBOX_ACCOUNT;
  const found = await access.directory.findAccount(account);
  if (!found) return createAccount(access, { account, country: "BR" });
  if (found.state !== "active") await setAccountState(access, account, "active");
  if (known !== undefined && matchesCredential(known, found.credentials, access.clock.now())) {
    return { account, password: known };
  }
  // A password that somebody has made by hand stays valid beside the one made here.
  return rotateCredential(access, account, OVERLAP_MINUTES);
}

/** @returns the user's token */
async function ensureUser(
  access: DirectoryAccess,
  wanted: SandboxUser,
  known: string | undefined,
): Promise<string> {
  const account = SANDBOX_ACCOUNT;
  const { username, role, subAccount } = wanted;
  const found = await access.users.findUser(account, username);
  if (!found) return (await createUser(access, { account, ...wanted })).token;
  if (found.state !== "active" || found.role !== role || found.subAccount !== subAccount) {
    await changeUser(access, account, username, { role, subAccount, state: "active" });
  }
  if (known !== undefined && matchesCredential(known, found.tokens, access.clock.now())) {
    return known;
  }
  return (await rotateToken(access, account, username, OVERLAP_MINUTES)).token;
}

/**
 * Asks the API for a message that does not exist until it answers as it should,
 * which starts its function too.
 *
 * @throws Fault where it does not within `timeoutMs`
 */
export async function waitForApi(
  apiUrl: string,
  { account, password }: NewCredential,
  { signal, timeoutMs }: { signal: AbortSignal; timeoutMs: number },
): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  const authorization = `Basic ${Buffer.from(`${account}:${password}`).toString("base64")}`;
  let last = "";
  do {
    signal.throwIfAborted();
    try {
      const response = await fetch(`${apiUrl}/api/get-sms-status/id/is-the-api-there`, {
        headers: { authorization },
        signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
      });
      if (response.status < 500) return;
      last = `${response.status} ${(await response.text()).slice(0, 300)}`;
    } catch (error) {
      signal.throwIfAborted();
      last = error instanceof Error ? error.message : String(error);
    }
    await new Promise((resolve) => setTimeout(resolve, 250));
  } while (Date.now() < deadline);
  throw new Fault(
    "The stack has been deployed, but its API does not answer as it should.",
    "What its functions said is in .local/ministack.log.",
    { detail: last },
  );
}
