import { LRUCache } from "lru-cache";
import * as z from "zod";
import { credentialSchema } from "./account.ts";
import { assertValid, ConflictError, InvalidRequestError } from "./accounts.ts";
import { carrierNameSchema } from "./carrier.ts";
import { credentialOf, rotateSecret } from "./credentials.ts";
import { matchesCredential } from "./passwords.ts";
import type { Clock, Randomness } from "./ports.ts";

/** By whom, and how, receipts and MOs are reported over HTTP. Times are milliseconds since the epoch. */
export const carrierAccountSchema = z.object({
  version: z.literal(1),
  /** The name of the carrier that messages are handed to: its receipts count for those, and for no others. */
  carrier: carrierNameSchema,
  /** How it reports. */
  protocol: z.string().min(1),
  secrets: z.array(credentialSchema),
  createdAt: z.number().int().nonnegative(),
  /** Counts the changes, so that of two at the same time one is refused. */
  revision: z.number().int().nonnegative(),
});
export type CarrierAccount = z.infer<typeof carrierAccountSchema>;

/** The carrier accounts; strongly consistent but for the list. */
export interface CarrierAccounts {
  findCarrierAccount(carrier: string): Promise<CarrierAccount | undefined>;
  /** @returns false where the name is taken */
  insertCarrierAccount(account: CarrierAccount): Promise<boolean>;
  /** @returns false where somebody else has changed it since it was read */
  updateCarrierAccount(read: CarrierAccount, changed: CarrierAccount): Promise<boolean>;
  /** @returns false where there was none */
  removeCarrierAccount(carrier: string): Promise<boolean>;
  listCarrierAccounts(): Promise<CarrierAccount[]>;
}

interface CarrierAccountDependencies {
  readonly carrierAccounts: CarrierAccounts;
  readonly clock: Clock;
  readonly randomness: Pick<Randomness, "secret">;
}

/** The one moment at which a secret can be seen. */
export interface NewCarrierSecret {
  readonly account: CarrierAccount;
  readonly secret: string;
}

/**
 * Creates a carrier account and its first secret.
 * @param protocols those that there are
 * @throws InvalidRequestError for a name that is taken or not allowed, or an unknown protocol
 */
export async function addCarrierAccount(
  { carrierAccounts, clock, randomness }: CarrierAccountDependencies,
  request: { readonly carrier: string; readonly protocol: string },
  protocols: readonly string[],
): Promise<NewCarrierSecret> {
  const carrier = assertValid(carrierNameSchema, request.carrier);
  const { protocol } = request;
  if (!protocols.includes(protocol)) {
    throw new InvalidRequestError(
      `"${protocol}" is not how carriers report; they do by ${protocols.join(" or ")}`,
    );
  }
  const secret = randomness.secret();
  const now = clock.now();
  const account: CarrierAccount = {
    version: 1,
    carrier,
    protocol,
    secrets: [credentialOf(secret, now)],
    createdAt: now,
    revision: 0,
  };
  if (await carrierAccounts.insertCarrierAccount(account)) return { account, secret };
  throw new ConflictError(`there is a carrier account "${carrier}" already`);
}

/**
 * Gives a carrier account a new secret. The old ones stay valid for `overlapMinutes`.
 * @throws InvalidRequestError where there is no such account, or somebody else is changing it
 */
export async function rotateCarrierSecret(
  { carrierAccounts, clock, randomness }: CarrierAccountDependencies,
  carrier: string,
  overlapMinutes: number,
): Promise<NewCarrierSecret> {
  const found = await carrierAccounts.findCarrierAccount(carrier);
  if (!found) throw unknownAccount(carrier);
  const secret = randomness.secret();
  const account = {
    ...found,
    secrets: rotateSecret(found.secrets, secret, clock.now(), overlapMinutes),
    revision: found.revision + 1,
  };
  if (await carrierAccounts.updateCarrierAccount(found, account)) return { account, secret };
  throw new ConflictError(`carrier account "${carrier}" is being changed by somebody else`);
}

/**
 * Removes a carrier account: what it reports is refused from then on.
 * @throws InvalidRequestError where there is no such account
 */
export async function removeCarrierAccount(
  carrierAccounts: Pick<CarrierAccounts, "removeCarrierAccount">,
  carrier: string,
): Promise<void> {
  if (!(await carrierAccounts.removeCarrierAccount(carrier))) throw unknownAccount(carrier);
}

const unknownAccount = (carrier: string) =>
  new InvalidRequestError(`there is no carrier account "${carrier}"`);

/** For how long a warm function takes a carrier account for what it was, in milliseconds. */
export const CARRIER_MEMORY_MS = 5_000;
const REMEMBERED_CARRIERS = 1_000;

/** What the secret of a carrier that there is not is compared with, whatever comes of it. */
const NOBODYS = [credentialOf("", 0)];

/** Tells who is reporting: the carrier account that this name and secret are of, or undefined. */
export type AuthenticateCarrier = (
  carrier: string,
  secret: string,
) => Promise<CarrierAccount | undefined>;

/**
 * Authentication of carriers. An account, or that there is none, is remembered for
 * `CARRIER_MEMORY_MS`. A name that is no carrier's costs as much as one that is, so that nobody
 * finds names out by the clock.
 */
export function createAuthenticateCarrier(deps: {
  readonly carrierAccounts: Pick<CarrierAccounts, "findCarrierAccount">;
  readonly clock: Clock;
}): AuthenticateCarrier {
  const { carrierAccounts, clock } = deps;
  const known = new LRUCache<string, { account: CarrierAccount | undefined; at: number }>({
    max: REMEMBERED_CARRIERS,
  });

  async function find(carrier: string): Promise<CarrierAccount | undefined> {
    const remembered = known.get(carrier);
    const age = clock.now() - (remembered?.at ?? 0);
    // A clock that was set back makes nothing younger.
    if (remembered && age >= 0 && age < CARRIER_MEMORY_MS) return remembered.account;
    const at = clock.now();
    const account = await carrierAccounts.findCarrierAccount(carrier);
    known.set(carrier, { account, at });
    return account;
  }

  return async (carrier, secret) => {
    if (!carrierNameSchema.safeParse(carrier).success) return undefined;
    const account = await find(carrier);
    const isRight = matchesCredential(secret, account?.secrets ?? NOBODYS, clock.now());
    return isRight ? account : undefined;
  };
}
