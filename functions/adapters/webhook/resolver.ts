import { Resolver } from "node:dns/promises";
import { isLocalhost } from "../../core/public-address.ts";

/** The addresses of a name, at least one. May stop, and throw, when it is aborted. */
export type Resolve = (hostname: string, signal: AbortSignal) => Promise<string[]>;

/** A name server gets two seconds, and then once more. */
const QUESTION = { timeout: 2_000, tries: 2 };

/**
 * Asks the DNS itself. The operating system's way (getaddrinfo) occupies one of a few threads until
 * it is done and cannot be ended, so two names whose servers do not answer would hold up all others.
 *
 * @param servers others than those of the machine
 */
export function createResolve(servers?: readonly string[]): Resolve {
  return async (hostname, signal) => {
    if (isLocalhost(hostname)) return ["127.0.0.1", "::1"];
    const resolver = new Resolver(QUESTION);
    if (servers) resolver.setServers(servers);
    const cancel = () => resolver.cancel();
    signal.addEventListener("abort", cancel);
    try {
      const [ipv4, ipv6] = await Promise.allSettled([
        resolver.resolve4(hostname),
        resolver.resolve6(hostname),
      ]);
      const found = [ipv4, ipv6].flatMap((it) => (it.status === "fulfilled" ? it.value : []));
      if (found.length === 0) throw reasonOf(ipv4);
      return found;
    } finally {
      signal.removeEventListener("abort", cancel);
    }
  };
}

const reasonOf = (result: PromiseSettledResult<string[]>): unknown =>
  result.status === "rejected" ? result.reason : new Error("the name has no address");
