import type { Credential } from "./account.ts";
import { hashSecret } from "./passwords.ts";

/** A secret as it is stored: not to be had from it again. */
export function credentialOf(secret: string, now: number): Credential {
  return { hash: hashSecret(secret), createdAt: now };
}

/**
 * The credentials with a new secret in front. The old ones end after `overlapMinutes`, or when they
 * would have ended anyway; those that have ended already are dropped.
 */
export function rotateSecret(
  credentials: readonly Credential[],
  secret: string,
  now: number,
  overlapMinutes: number,
): Credential[] {
  const oldEnd = now + overlapMinutes * 60_000;
  const kept = credentials
    .map((old) => ({ ...old, validUntil: Math.min(old.validUntil ?? oldEnd, oldEnd) }))
    .filter(({ validUntil }) => validUntil > now);
  return [credentialOf(secret, now), ...kept];
}
