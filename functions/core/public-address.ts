import ipaddr from "ipaddr.js";

/** What is allowed beside public addresses. */
interface AddressPolicy {
  /** Whether the machine itself is, for local runs. */
  readonly allowLoopback: boolean;
}

/** All of IPv6 that is given out for the internet. */
const ROUTED_IPV6 = ipaddr.IPv6.parseCIDR("2000::/3");

/**
 * Whether callbacks may go to an IP address. Only what is routed on the public internet is
 * allowed; an IPv4 address dressed as IPv6 is judged as the IPv4 address, and one that is carried
 * inside of another (NAT64, 6to4, Teredo) is none.
 */
export function isPublicAddress(address: string, { allowLoopback }: AddressPolicy): boolean {
  if (!ipaddr.isValid(address)) return false;
  const parsed = ipaddr.process(address);
  const range = parsed.range();
  if (allowLoopback && range === "loopback") return true;
  if (range !== "unicast") return false;
  return parsed instanceof ipaddr.IPv4 || parsed.match(ROUTED_IPV6);
}

/** What is the machine itself, whatever it resolves to (RFC 6761, section 6.3). */
const LOCALHOST = /^(?:.*\.)?localhost\.?$/i;

/** Whether a name is the machine's own; no DNS needs to be asked. */
export function isLocalhost(hostname: string): boolean {
  return LOCALHOST.test(hostname);
}

/**
 * Whether callbacks may go to the host of an URL, as far as it can be seen before it is resolved:
 * other names than the machine's own are judged by their addresses, when they are known.
 * @param hostname as `URL` has it, which knows the odd ways to write an address
 */
export function isPublicHost(hostname: string, policy: AddressPolicy): boolean {
  const host = hostname.replace(/^\[(.*)\]$/, "$1");
  if (ipaddr.isValid(host)) return isPublicAddress(host, policy);
  return policy.allowLoopback || !isLocalhost(host);
}
