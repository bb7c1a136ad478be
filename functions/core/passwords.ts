import { createHash, timingSafeEqual } from "node:crypto";
import type { Credential } from "./account.ts";

/**
 * The hash under which a secret of ours is stored. Plain SHA-256 is enough, and costs next to
 * nothing per request, because the secrets are 256 random bits that no dictionary holds.
 */
export function hashSecret(secret: string): string {
  return createHash("sha256").update(secret).digest("base64url");
}

/** Whether `password` is one of the credentials valid at `now` (milliseconds since the epoch). */
export function matchesCredential(
  password: string,
  credentials: readonly Credential[],
  now: number,
): boolean {
  const given = Buffer.from(hashSecret(password));
  return credentials
    .filter(({ validUntil }) => validUntil === undefined || now < validUntil)
    .some(({ hash }) => {
      const stored = Buffer.from(hash);
      return stored.length === given.length && timingSafeEqual(stored, given);
    });
}
