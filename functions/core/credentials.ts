import type { Credential } from "./account.ts";
import { hashSecret } from "./passwords.ts";

/** A secret as it is stored: not to be had from it again. */
export function credentialOf(secret: string, now: number): Credential {
  return { hash: hashSecret(secret), createdAt: now };
}

/** The credentials with a new secret in front; the old ones are `retired`. */
export function rotateSecret(
  credentials: readonly Credential[],
  secret: string,
  now: number,
  overlapMinutes: number,
): Credential[] {
  return [credentialOf(secret, now), ...retired(credentials, now, overlapMinutes)];
}

/**
 * Secrets that a new one takes the place of. They end after `overlapMinutes`, or when they would
 * have ended anyway; those that have ended already are dropped.
 */
export function retired<Secret extends { readonly validUntil?: number | undefined }>(
  secrets: readonly Secret[],
  now: number,
  overlapMinutes: number,
): (Secret & { validUntil: number })[] {
  const oldEnd = now + overlapMinutes * 60_000;
  return secrets
    .map((old) => ({ ...old, validUntil: Math.min(old.validUntil ?? oldEnd, oldEnd) }))
    .filter(({ validUntil }) => validUntil > now);
}
