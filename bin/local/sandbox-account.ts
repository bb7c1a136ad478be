import {
  createAccount,
  type NewCredential,
  rotateCredential,
} from "../../functions/core/accounts.ts";
import { matchesCredential } from "../../functions/core/passwords.ts";
import type { DirectoryAccess } from "../directory-client.ts";
import { Fault } from "./fault.ts";

/** The account that every local run has. */
const SANDBOX_ACCOUNT = "sandbox";

/**
 * The sandbox account and its password. The one of the run before where it is still valid, so that
 * a client keeps working over restarts; else a new one.
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
  if (known !== undefined && matchesCredential(known, found.credentials, access.clock.now())) {
    return { account, password: known };
  }
  return rotateCredential(access, account, 0);
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
