import * as z from "zod";
import type { Clock } from "../../../core/ports.ts";
import type { Secret } from "../kind.ts";

/** As it can stand in a header. */
const word = z.string().regex(/^[\x21-\x7e]{1,256}$/, "expected 1 to 256 ASCII characters");

const kannelSecretSchema = z.object({
  username: word,
  password: word,
  /** Where Kannel reports receipts: our ingress, with the carrier account's secret. */
  dlrUrl: z.url({ protocol: /^https?$/ }),
});
export type KannelSecret = z.output<typeof kannelSecretSchema>;

/** A secret that lacks something, or could not be read. The message names no value. */
export class SecretError extends Error {
  override readonly name = "SecretError";
}

/** For how long a secret that was refused as it stands is not read again, in milliseconds. */
const REREAD_PAUSE_MS = 5_000;

/** What lets us in at a Kannel. */
export interface Credentials {
  /** @throws SecretError where they cannot be had within `ms` milliseconds, or at all */
  read(ms: number): Promise<KannelSecret>;
  /**
   * Others than those that were refused, where there are any by now.
   * @throws SecretError where that cannot be known within `ms` milliseconds, or at all
   */
  otherThan(refused: KannelSecret, ms: number): Promise<KannelSecret | undefined>;
}

/** Credentials from a secret, which is read anew where Kannel refuses what is remembered. */
export function createCredentials(secret: Secret, clock: Clock): Credentials {
  let reread: { readonly at: number; readonly values: Promise<KannelSecret> } | undefined;

  const read = () => parsed(secret.read());
  /** Once for all messages that were refused at about the same time. */
  const readAnew = () => {
    const now = clock.now();
    if (!reread || Math.abs(now - reread.at) >= REREAD_PAUSE_MS) {
      reread = { at: now, values: parsed(secret.reread()) };
    }
    return reread.values;
  };
  async function otherThan(refused: KannelSecret) {
    const remembered = await read();
    if (!isSame(remembered, refused)) return remembered;
    const current = await readAnew();
    return isSame(current, refused) ? undefined : current;
  }

  return {
    read: (ms) => within(ms, read()),
    otherThan: (refused, ms) => within(ms, otherThan(refused)),
  };
}

/** What comes later is there for the next message. */
async function within<T>(ms: number, reading: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_, reject) => {
    const giveUp = () => reject(new SecretError("the secret could not be read in time"));
    timer = setTimeout(giveUp, Math.max(0, ms));
  });
  try {
    return await Promise.race([reading, limit]);
  } finally {
    clearTimeout(timer);
  }
}

const isSame = (one: KannelSecret, other: KannelSecret) =>
  one.username === other.username && one.password === other.password;

/** By what was read: the same, for as long as it is remembered. */
const known = new WeakMap<object, KannelSecret>();

async function parsed(values: Promise<unknown>): Promise<KannelSecret> {
  let read: unknown;
  try {
    read = await values;
  } catch (error) {
    throw new SecretError("the secret could not be read", { cause: error });
  }
  const isObject = typeof read === "object" && read !== null;
  const before = isObject ? known.get(read as object) : undefined;
  if (before) return before;
  const result = kannelSecretSchema.safeParse(read);
  if (result.success) {
    if (isObject) known.set(read as object, result.data);
    return result.data;
  }
  throw new SecretError(
    `the secret lacks a ${result.error.issues[0]?.path.join(".")} that will do`,
  );
}
