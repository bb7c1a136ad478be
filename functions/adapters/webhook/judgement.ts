import { isPublicAddress, isPublicHost } from "../../core/public-address.ts";

/** What a stage allows of callbacks. `timeoutMs` spans the whole exchange. */
export interface WebhookPolicy {
  readonly allowHttp: boolean;
  readonly allowLoopback: boolean;
  readonly timeoutMs: number;
}

/** There is nobody that we may talk to at this URL; `message` is a word for a machine. */
export class RefusedError extends Error {
  override readonly name = "RefusedError";
}

/**
 * An URL of a protocol that a policy allows, and without credentials. Its host is judged when a
 * connection to it is opened.
 * @throws RefusedError where the URL itself is none that we may talk to
 */
export function allowedUrl(url: string, policy: WebhookPolicy): URL {
  const target = parsedUrl(url);
  const isAllowed =
    target.protocol === "https:" || (policy.allowHttp && target.protocol === "http:");
  if (!isAllowed) throw new RefusedError("forbidden-protocol");
  if (target.username || target.password) throw new RefusedError("forbidden-credentials");
  return target;
}

function parsedUrl(url: string): URL {
  try {
    return new URL(url);
  } catch {
    throw new RefusedError("invalid-url");
  }
}

/**
 * @param hostname as `URL` has it
 * @throws RefusedError where callbacks may not go to this host, as far as its name shows
 */
export function assertAllowedHost(hostname: string, policy: WebhookPolicy): void {
  if (!isPublicHost(hostname, policy)) throw new RefusedError("forbidden-address");
}

/** @throws RefusedError where callbacks may not go to this IP address */
export function assertAllowedAddress(address: string, policy: WebhookPolicy): void {
  if (!isPublicAddress(address, policy)) throw new RefusedError("forbidden-address");
}
