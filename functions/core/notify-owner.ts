import type { Account } from "./account.ts";
import type { Users } from "./customer-ports.ts";
import { endpointDisabledNotice } from "./endpoint-notice.ts";
import type { EndpointDisabled } from "./events.ts";
import type { Directory } from "./ports.ts";

/** A plain text by e-mail. */
export interface Mail {
  readonly to: readonly string[];
  readonly subject: string;
  readonly text: string;
}

/** The way to people's mailboxes. */
export interface Mailer {
  /** @throws where the mail was not taken, or perhaps not */
  send(mail: Mail): Promise<void>;
}

/** What writing to owners of accounts needs. */
export interface NoticeDependencies {
  readonly directory: Pick<Directory, "findAccount">;
  readonly users: Pick<Users, "listUsers">;
  readonly mailer: Mailer;
}

/** The most recipients of one mail that mailers take. */
const MAX_RECIPIENTS = 50;

/**
 * Tells the owner of an endpoint that it was disabled: by the account's own address, where it has
 * none by those of its administrators, all in one mail. One that could not be sent comes again, so
 * that the same mail may come twice, but is not lost.
 *
 * @returns how many addresses it went to; none where there are none, or no such account any more
 */
export async function notifyOwner(
  { directory, users, mailer }: NoticeDependencies,
  event: EndpointDisabled,
): Promise<{ recipients: number }> {
  const account = await directory.findAccount(event.account);
  if (!account) return { recipients: 0 };
  const to = (await addressesOf(users, account)).slice(0, MAX_RECIPIENTS);
  if (to.length === 0) return { recipients: 0 };
  await mailer.send({ to, ...endpointDisabledNotice(event, account.country) });
  return { recipients: to.length };
}

async function addressesOf(
  users: Pick<Users, "listUsers">,
  { account, email }: Account,
): Promise<string[]> {
  if (email !== undefined) return [email];
  const found = await users.listUsers(account);
  return found.flatMap((user) =>
    user.role === "admin" && user.state === "active" ? (user.email ?? []) : [],
  );
}
