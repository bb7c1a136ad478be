import { Webhook } from "standardwebhooks";
import type { SigningSecret } from "../core/account.ts";

/** Whoever signs with a secret, for as long as that is remembered. */
const signers = new WeakMap<SigningSecret, Webhook>();

function signerOf(secret: SigningSecret): Webhook {
  const known = signers.get(secret);
  if (known) return known;
  const signer = new Webhook(secret.secret);
  signers.set(secret, signer);
  return signer;
}

/**
 * The headers that tell a request's id and time and prove that it is ours (Standard Webhooks,
 * "Webhook headers" and "Signature scheme"). While a secret is being rotated out, it signs beside
 * the new one. An endpoint without a secret gets the id and the time alone.
 *
 * @param request.at milliseconds since the epoch
 */
export function signatureHeaders(
  secrets: readonly SigningSecret[],
  { id, at }: { readonly id: string; readonly at: number },
  body: string,
): Record<string, string> {
  const time = new Date(at);
  const signatures = secrets
    .filter(({ validUntil }) => validUntil === undefined || validUntil > at)
    .map((secret) => signerOf(secret).sign(id, time, body));
  return {
    "webhook-id": id,
    "webhook-timestamp": String(Math.floor(at / 1_000)),
    ...(signatures.length > 0 && { "webhook-signature": signatures.join(" ") }),
  };
}
