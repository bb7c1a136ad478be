import {
  type Account,
  type AccountSettings,
  accountIdSchema,
  accountSettingsSchema,
  type Endpoint,
  type EndpointEvent,
  endpointSchema,
} from "./account.ts";
import type { CallbackOption } from "./message.ts";
import { isCountry } from "./numbers.ts";
import { hashSecret } from "./passwords.ts";
import type { Clock, Directory, Randomness } from "./ports.ts";
import { isTimeZone, zoneOfCountry } from "./time.ts";

/** A request of the operator's that cannot be carried out; the message says what to change. */
export class InvalidRequestError extends Error {
  override readonly name = "InvalidRequestError";
}

interface AccountDependencies {
  readonly directory: Directory;
  readonly clock: Clock;
  readonly randomness: Randomness;
}

/** The one moment at which a password can be seen. */
export interface NewCredential {
  readonly account: string;
  readonly password: string;
}

/**
 * Creates an account and its first password.
 *
 * @param request.country ISO 3166-1 alpha-2
 * @param request.timeZone that of the country's capital where not given
 * @throws InvalidRequestError for a name that is taken or not allowed, an unknown country or zone
 */
export async function createAccount(
  { directory, clock, randomness }: AccountDependencies,
  request: { account: string; country: string; timeZone?: string | undefined },
): Promise<NewCredential> {
  const name = accountIdSchema.safeParse(request.account);
  if (!name.success) throw new InvalidRequestError(name.error.issues[0]?.message);
  const country = request.country.toUpperCase();
  if (!isCountry(country)) {
    throw new InvalidRequestError(`"${request.country}" is not a country code such as BR`);
  }
  const timeZone = request.timeZone ?? zoneOfCountry(country);
  if (!isTimeZone(timeZone)) {
    throw new InvalidRequestError(`"${timeZone}" is not a time zone such as America/Sao_Paulo`);
  }
  const password = randomness.secret();
  const now = clock.now();
  const inserted = await directory.insertAccount({
    version: 1,
    account: name.data,
    state: "active",
    country,
    timeZone,
    ...accountSettingsSchema.parse({}),
    credentials: [{ hash: hashSecret(password), createdAt: now }],
    createdAt: now,
    revision: 0,
  });
  if (!inserted) throw new InvalidRequestError(`there is an account "${name.data}" already`);
  return { account: name.data, password };
}

/**
 * The account of this name.
 * @throws InvalidRequestError where there is none
 */
export async function getAccount(
  directory: Pick<Directory, "findAccount">,
  account: string,
): Promise<Account> {
  const found = await directory.findAccount(account);
  if (!found) throw new InvalidRequestError(`there is no account "${account}"`);
  return found;
}

async function change(
  directory: Directory,
  account: string,
  apply: (found: Account) => Account,
): Promise<Account> {
  const found = await getAccount(directory, account);
  const changed = { ...apply(found), revision: found.revision + 1 };
  if (await directory.updateAccount(found, changed)) return changed;
  throw new InvalidRequestError(
    `account "${account}" is being changed by somebody else; try again`,
  );
}

/**
 * Lets an account in, or no longer. Functions that have just verified its password notice within
 * a minute.
 * @throws InvalidRequestError where there is no such account, or somebody else is changing it
 */
export async function setAccountState(
  { directory }: Pick<AccountDependencies, "directory">,
  account: string,
  state: Account["state"],
): Promise<Account> {
  return change(directory, account, (found) => ({ ...found, state }));
}

/**
 * Switches settings of an account. Functions that have just verified its password notice within a
 * minute.
 * @throws InvalidRequestError where a setting is wrong, a short code is another account's, where
 *   there is no such account, or where somebody else is changing it
 */
export async function changeAccountSettings(
  { directory }: Pick<AccountDependencies, "directory">,
  account: string,
  settings: Partial<AccountSettings>,
): Promise<Account> {
  const wanted = accountSettingsSchema.partial().safeParse(settings);
  if (!wanted.success) throw new InvalidRequestError(wanted.error.issues[0]?.message);
  if (settings.shortCodes) await assertFree(directory, account, settings.shortCodes);
  // Not what the schema would fill in: only what was asked for changes.
  const asked = Object.keys(settings) as (keyof AccountSettings)[];
  const changes = Object.fromEntries(asked.map((name) => [name, wanted.data[name]]));
  return change(directory, account, (found) => ({ ...found, ...changes }));
}

/** The MOs of a short code can be for one account only. */
async function assertFree(
  directory: Pick<Directory, "listAccounts">,
  account: string,
  shortCodes: readonly string[],
): Promise<void> {
  const others = (await directory.listAccounts()).filter((other) => other.account !== account);
  for (const shortCode of shortCodes) {
    const owner = others.find((other) => other.shortCodes.includes(shortCode));
    if (owner) {
      throw new InvalidRequestError(
        `short code ${shortCode} is that of account "${owner.account}"`,
      );
    }
  }
}

/**
 * Gives an account a new password. The old ones stay valid for `overlapMinutes`, so that client
 * applications can be changed one after another; with 0 they end at once.
 * @throws InvalidRequestError where there is no such account, or somebody else is changing it
 */
export async function rotateCredential(
  { directory, clock, randomness }: AccountDependencies,
  account: string,
  overlapMinutes: number,
): Promise<NewCredential> {
  const now = clock.now();
  const oldEnd = now + overlapMinutes * 60_000;
  const password = randomness.secret();
  await change(directory, account, (found) => {
    const kept = found.credentials
      .map((old) => ({ ...old, validUntil: Math.min(old.validUntil ?? oldEnd, oldEnd) }))
      .filter(({ validUntil }) => validUntil > now);
    return { ...found, credentials: [{ hash: hashSecret(password), createdAt: now }, ...kept] };
  });
  return { account, password };
}

/**
 * Adds an URL that is told of an account's events.
 *
 * @param protocols what the stage lets callbacks speak: `https`, perhaps `http`
 * @throws InvalidRequestError where there is no such account or this is no URL of these protocols
 */
export async function addEndpoint(
  { directory, clock, randomness }: AccountDependencies,
  request: {
    account: string;
    url: string;
    events: EndpointEvent[];
    callbackOption: CallbackOption;
  },
  protocols: readonly string[],
): Promise<Endpoint> {
  await getAccount(directory, request.account);
  const endpoint = endpointSchema.safeParse({
    version: 1,
    ...request,
    endpointId: randomness.uuid(),
    createdAt: clock.now(),
  });
  if (!endpoint.success || !protocols.includes(new URL(request.url).protocol.slice(0, -1))) {
    throw new InvalidRequestError(`"${request.url}" is not an ${protocols.join(" or ")} URL`);
  }
  await directory.putEndpoint(endpoint.data);
  return endpoint.data;
}

/**
 * Removes an endpoint. Deliveries still waiting for it are dropped.
 * @throws InvalidRequestError where there is no such endpoint
 */
export async function removeEndpoint(
  directory: Pick<Directory, "removeEndpoint">,
  account: string,
  endpointId: string,
): Promise<void> {
  if (!(await directory.removeEndpoint(account, endpointId))) {
    throw new InvalidRequestError(`account "${account}" has no endpoint ${endpointId}`);
  }
}
