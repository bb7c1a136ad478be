import {
  createAccount,
  type NewCredential,
  rotateCredential,
  setAccountState,
} from "../../functions/core/accounts.ts";
import { matchesCredential } from "../../functions/core/passwords.ts";
import type { DirectoryAccess } from "../directory-client.ts";
import { Fault } from "./fault.ts";

/** The account that every local run has. */
const SANDBOX_ACCOUNT = "sandbox";
const OVERLAP_MINUTES = 365 * 24 * 60;

/**
 * The sandbox account and its password. The one of the run before where it is still valid, so that
 * a client keeps working over restarts; else a new one. A run whose account nobody can use is of no
 * use either, so one that was disabled is enabled again.
 *
 * @param known the password of the run before
 */
export async function ensureSandboxAccount(
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
