import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isPublicAddress, isPublicHost } from "../../../functions/core/public-address.ts";

const strict = { allowLoopback: false };
const local = { allowLoopback: true };

/** What an address is, by the registries of IANA, and the first and last of it that must be refused. */
const FORBIDDEN: readonly (readonly [string, ...string[]])[] = [
  ["this network, unspecified", "0.0.0.0", "0.255.255.255", "::"],
  ["private", "10.0.0.0", "10.255.255.255"],
  ["private", "172.16.0.0", "172.31.255.255"],
  ["private", "192.168.0.0", "192.168.255.255"],
  ["carrier-grade NAT", "100.64.0.0", "100.127.255.255"],
  ["loopback", "127.0.0.0", "127.255.255.255", "::1"],
  ["link-local", "169.254.0.0", "169.254.255.255", "fe80::", "febf:ffff::1"],
  ["cloud metadata", "169.254.169.254", "169.254.170.2", "fd00:ec2::254", "100.100.100.200"],
  ["protocol assignments", "192.0.0.0", "192.0.0.255", "2001::", "2001:1ff:ffff::1"],
  ["documentation", "192.0.2.1", "198.51.100.1", "203.0.113.1", "2001:db8::1", "3fff::1"],
  ["6to4 relay", "192.88.99.1"],
  ["benchmarking", "198.18.0.0", "198.19.255.255", "2001:2::1"],
  ["multicast", "224.0.0.0", "239.255.255.255", "ff00::", "ff02::1"],
  ["reserved", "240.0.0.0", "255.255.255.254"],
  ["broadcast", "255.255.255.255"],
  ["unique local", "fc00::", "fdff:ffff::1"],
  ["site-local", "fec0::1", "feff::1"],
  ["IPv4-mapped", "::ffff:10.0.0.1", "::ffff:7f00:1", "::ffff:169.254.169.254"],
  ["IPv4-compatible", "::7f00:1", "::127.0.0.1", "::808:808"],
  ["IPv4-translated", "::ffff:0:7f00:1", "::ffff:0:8.8.8.8"],
  ["NAT64", "64:ff9b::a00:1", "64:ff9b::8.8.8.8", "64:ff9b:1::a00:1"],
  ["6to4", "2002:a00:1::", "2002:7f00:1::1", "2002:808:808::1"],
  ["Teredo", "2001:0:a00:1::1", "2001::f5ff:fffe"],
  ["given out for nothing", "100::1", "100:0:0:1::1", "4000::1", "5f00::1", "1::1"],
  ["with a zone", "fe80::1%eth0", "::1%lo"],
];

const PUBLIC = [
  ["1.1.1.1", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255"],
  ["128.0.0.0", "169.253.255.255", "169.255.0.0", "172.15.255.255", "172.32.0.0"],
  ["192.167.255.255", "192.169.0.0", "198.17.255.255", "198.20.0.0", "223.255.255.255"],
  ["2001:200::1", "2606:2800:220:1:248:1893:25c8:1946", "2a05:d000::1"],
  ["::ffff:93.184.216.34"],
].flat();

describe("isPublicAddress", () => {
  it.each(FORBIDDEN.flatMap(([what, ...addresses]) => addresses.map((it) => [what, it])))(
    "refuses an address that is %s: %s",
    (_, address) => {
      expect(isPublicAddress(address, strict)).toBe(false);
    },
  );

  it.each(PUBLIC)("allows a public address: %s", (address) => {
    expect(isPublicAddress(address, strict)).toBe(true);
  });

  it.each(["", "nonsense", "1.2.3.4.5", "1.1.1.1:80", "[::1]", "example.org"])(
    "refuses what is no address: %s",
    (address) => {
      expect(isPublicAddress(address, strict)).toBe(false);
    },
  );

  it("allows loopback, and nothing else that is private, where the stage does", () => {
    const forbidden = FORBIDDEN.flatMap(([, ...addresses]) => addresses);
    const allowed = forbidden.filter((address) => isPublicAddress(address, local));
    expect(allowed).toEqual([
      "127.0.0.0",
      "127.255.255.255",
      "::1",
      "::ffff:7f00:1",
      "::127.0.0.1",
      "::1%lo",
    ]);
  });

  it("judges an IPv4 address the same when it is written as IPv6", () => {
    fc.assert(
      fc.property(fc.ipV4(), (address) => {
        expect(isPublicAddress(`::ffff:${address}`, strict)).toBe(isPublicAddress(address, strict));
      }),
    );
  });
});

describe("isPublicHost", () => {
  it.each([
    "127.0.0.1",
    "[::1]",
    "[::ffff:7f00:1]",
    "10.0.0.1",
    "localhost",
    "localhost.",
    "LOCALHOST",
    "api.localhost",
  ])("refuses %s", (hostname) => {
    expect(isPublicHost(hostname, strict)).toBe(false);
  });

  it.each(["example.org", "localhost.example.org", "notlocalhost", "93.184.216.34", "[2600::1]"])(
    "leaves %s to be resolved, or allows it",
    (hostname) => {
      expect(isPublicHost(hostname, strict)).toBe(true);
    },
  );

  it("allows the machine itself where the stage does", () => {
    expect(isPublicHost("localhost", local)).toBe(true);
    expect(isPublicHost("[::1]", local)).toBe(true);
    expect(isPublicHost("10.0.0.1", local)).toBe(false);
  });
});
