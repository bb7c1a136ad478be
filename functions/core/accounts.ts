import type * as z from "zod";
import {
  type Account,
  type AccountSettings,
  accountIdSchema,
  accountSettingsSchema,
} from "./account.ts";
import { type CarrierOffers, unofferedOf } from "./carrier-offers.ts";
import { credentialOf, rotateSecret } from "./credentials.ts";
import { applyChanges, type FieldChanges } from "./field-changes.ts";
import { isCountry } from "./numbers.ts";
import { ambiguousWord, type OptOut } from "./opt-out.ts";
import type { Clock, Directory, Randomness } from "./ports.ts";
import type { WrittenRoute } from "./routing.ts";
import { isTimeZone, zoneOfCountry } from "./time.ts";

/** A request of the operator's that cannot be carried out; the message says what to change. */
export class InvalidRequestError extends Error {
  override readonly name: string = "InvalidRequestError";
}

/** A request that the present state of things is against: what is there already, or still. */
export class ConflictError extends InvalidRequestError {
  override readonly name = "ConflictError";
}

/**
 * A value as its schema reads it.
 * @throws InvalidRequestError that names the first field that is wrong, and what is wrong with it
 */
export function assertValid<T>(schema: z.ZodType<T>, value: unknown): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [problem] = parsed.error.issues;
  const field = problem?.path.join(".");
  const words = problem && wordsOf(problem);
  throw new InvalidRequestError(field ? `${field}: ${words}` : words);
}

/**
 * What is wrong with a value: where it is a key, what is wrong with that; where it may be one of
 * several things, what keeps it from being the one that it looks like.
 */
export function wordsOf(problem: z.core.$ZodIssue): string {
  if (problem.code === "invalid_key") return problem.issues[0]?.message ?? problem.message;
  if (problem.code !== "invalid_union") return problem.message;
  const closest = problem.errors.flat().find(({ code }) => code !== "invalid_type");
  return closest ? wordsOf(closest) : problem.message;
}

/**
 * A country code as it is stored.
 * @param written ISO 3166-1 alpha-2, in any case
 * @throws InvalidRequestError where it is none whose numbers can be read
 */
export function readCountry(written: string): string {
  const country = written.toUpperCase();
  if (isCountry(country)) return country;
  throw new InvalidRequestError(`"${written}" is not a country code such as BR`);
}

/**
 * A time zone that dates can be written in.
 * @throws InvalidRequestError where it is none
 */
export function readTimeZone(written: string): string {
  if (isTimeZone(written)) return written;
  throw new InvalidRequestError(`"${written}" is not a time zone such as America/Sao_Paulo`);
}

interface AccountDependencies {
  readonly directory: Directory;
  readonly clock: Clock;
  readonly randomness: Pick<Randomness, "secret">;
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
 * @throws InvalidRequestError for a name that is taken or not allowed, an unknown country or zone,
 *   or what is no e-mail address
 */
export async function createAccount(
  { directory, clock, randomness }: AccountDependencies,
  request: {
    account: string;
    country: string;
    timeZone?: string | undefined;
    email?: string | undefined;
  },
): Promise<NewCredential> {
  const account = assertValid(accountIdSchema, request.account);
  const country = readCountry(request.country);
  const timeZone = readTimeZone(request.timeZone ?? zoneOfCountry(country));
  const { email } = request;
  const settings = assertValid(accountSettingsSchema, { ...(email !== undefined && { email }) });
  const password = randomness.secret();
  const now = clock.now();
  const inserted = await directory.insertAccount({
    version: 1,
    account,
    state: "active",
    country,
    timeZone,
    ...settings,
    credentials: [credentialOf(password, now)],
    createdAt: now,
    revision: 0,
  });
  if (!inserted) throw new ConflictError(`there is an account "${account}" already`);
  return { account, password };
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
  apply: (found: Account) => Account | Promise<Account>,
): Promise<Account> {
  const found = await getAccount(directory, account);
  const changed = { ...(await apply(found)), revision: found.revision + 1 };
  if (await directory.updateAccount(found, changed)) return changed;
  throw new ConflictError(`account "${account}" is being changed by somebody else; try again`);
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

type NestedSetting = "limits" | "optOut" | "rateLimits";

/** What is to be switched: of nested settings field by field. Null brings a default back. */
export type AccountSettingsChange = {
  readonly [Name in keyof Omit<AccountSettings, "routes">]?:
    | (Name extends NestedSetting ? FieldChanges<AccountSettings[Name]> : AccountSettings[Name])
    | null
    | undefined;
} & {
  /** As they are written; null has the account take the stage's. */
  readonly routes?: readonly WrittenRoute[] | null | undefined;
};

/** A nested setting as changed; without anything, for its schema to fill in, where it is null. */
const applyNested = <T extends object>(found: T, changes: FieldChanges<T> | null = {}) =>
  changes === null ? undefined : applyChanges(found, changes);

/**
 * Words that mean both ways cannot be set. That some are stored, from before they were looked at,
 * keeps nobody from changing what stands beside them.
 * @throws InvalidRequestError where the change leaves such a word
 */
export function assertUnambiguous(
  optOut: OptOut,
  changes: FieldChanges<OptOut> | null | undefined,
): void {
  if (changes?.keywords === undefined && changes?.backKeywords === undefined) return;
  const word = ambiguousWord(optOut);
  if (word === undefined) return;
  throw new InvalidRequestError(
    `optOut.backKeywords: "${word}" is one of the keywords, too; a word opts either out or in again`,
  );
}

/**
 * Senders and routes are such that the stage's carriers can do what they say. What is stored from
 * when the stage had other carriers keeps nobody from changing anything else.
 * @throws InvalidRequestError where the change asks for what the stage does not offer
 */
function assertOffered(
  account: Pick<Account, "country" | "senders" | "routes">,
  changes: AccountSettingsChange,
  offers: CarrierOffers | undefined,
): void {
  if (changes.senders === undefined && changes.routes === undefined) return;
  if (account.senders.length === 0 && account.routes === undefined) return;
  if (!offers) {
    throw new InvalidRequestError(
      "senders and routes cannot be set where it is not known which carriers the stage has",
    );
  }
  const unoffered = unofferedOf(account, offers);
  if (unoffered !== undefined) throw new InvalidRequestError(unoffered);
}

/**
 * Switches settings of an account. Functions that have just verified its password notice within a
 * minute. A sender that is named twice counts where it is named first.
 *
 * @param deps.offers what the stage's carriers offer: senders and routes are set with it only
 * @param assertAllowed throws where the change may not be made to the account as it was found; who
 *   changes it after that makes this change fail
 * @throws InvalidRequestError where a setting is wrong, a short code is another account's, the
 *   stage's carriers do not offer what senders and routes ask for, where there is no such account,
 *   or where somebody else is changing it
 */
export async function changeAccountSettings(
  {
    directory,
    offers,
  }: Pick<AccountDependencies, "directory"> & { readonly offers?: CarrierOffers | undefined },
  account: string,
  settings: AccountSettingsChange,
  assertAllowed: (found: Account) => void = () => {},
): Promise<Account> {
  return change(directory, account, async (found) => {
    assertAllowed(found);
    const { limits, optOut, rateLimits, ...plain } = settings;
    const { senders, ...others } = assertValid(accountSettingsSchema, {
      ...applyChanges<object>(found, plain),
      limits: applyNested(found.limits, limits),
      optOut: applyNested(found.optOut, optOut),
      rateLimits: applyNested(found.rateLimits, rateLimits),
    });
    const changed = { ...others, senders: [...new Set(senders)] };
    assertUnambiguous(changed.optOut, optOut);
    assertOffered({ country: found.country, ...changed }, settings, offers);
    if (settings.shortCodes) await assertFree(directory, account, changed.shortCodes);
    // What is taken away is not to come back.
    const { email, routes, ...rest } = found;
    return { ...rest, ...changed };
  });
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
  const password = randomness.secret();
  await change(directory, account, (found) => ({
    ...found,
    credentials: rotateSecret(found.credentials, password, clock.now(), overlapMinutes),
  }));
  return { account, password };
}
