import { lookup as dnsLookup, type LookupAddress, type LookupOptions } from "node:dns";
import { isIP, type LookupFunction } from "node:net";
import ipaddr from "ipaddr.js";

/** An address that callbacks must not reach. */
class ForbiddenAddressError extends Error {
  override readonly name = "ForbiddenAddressError";
}

/**
 * Whether callbacks may go to an IP address. Only what is routed on the public internet is
 * allowed; an IPv4 address dressed as IPv6 is judged as the IPv4 address.
 */
export function isAllowedAddress(address: string, allowLoopback: boolean): boolean {
  const parsed = ipaddr.process(address);
  const range = parsed.range();
  if (allowLoopback && range === "loopback") return true;
  if (range !== "unicast") return false;
  return parsed instanceof ipaddr.IPv4 || parsed.match(ROUTED_IPV6);
}

/** All of IPv6 that is given out for the internet. */
const ROUTED_IPV6 = ipaddr.IPv6.parseCIDR("2000::/3");

const bare = (hostname: string) => hostname.replace(/^\[(.*)\]$/, "$1");

/**
 * Refuses a host that is itself a forbidden address. Names are judged when they are resolved.
 * @throws ForbiddenAddressError
 */
export function assertAllowedHost(hostname: string, allowLoopback: boolean): void {
  const host = bare(hostname);
  if (isIP(host) && !isAllowedAddress(host, allowLoopback)) {
    throw new ForbiddenAddressError("the URL's address is not a public one");
  }
}

/**
 * A `lookup` for node:http that fails unless every address of the name is allowed. The connection
 * is made to the addresses judged here, so a name that changes its mind in between gains nothing.
 */
export function guardedLookup(allowLoopback: boolean): LookupFunction {
  return (hostname, options, callback) => {
    dnsLookup(
      hostname,
      { ...options, all: true } as LookupOptions & { all: true },
      (error, found) => {
        if (error) return callback(error, []);
        const addresses: LookupAddress[] = found;
        if (!addresses.every(({ address }) => isAllowedAddress(address, allowLoopback))) {
          return callback(
            new ForbiddenAddressError("the URL's name has an address that is not public"),
            [],
          );
        }
        if (options.all) return callback(null, addresses);
        const [first] = addresses;
        return first
          ? callback(null, first.address, first.family)
          : callback(new Error("the URL's name has no address"), []);
      },
    );
  };
}
