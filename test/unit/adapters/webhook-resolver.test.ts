import { createSocket } from "node:dgram";
import { describe, expect, it, onTestFinished } from "vitest";
import { createResolve } from "../../../functions/adapters/webhook/resolver.ts";

/** The types of questions (RFC 1035, RFC 3596). */
const A = 1;
const AAAA = 28;
const SERVFAIL = 2;
const NXDOMAIN = 3;

interface DnsAnswer {
  readonly code?: number;
  readonly addresses?: readonly (readonly number[])[];
}

/** A name server on loopback that answers as it is told, or not at all, until the test ends. */
async function nameServer(answer: (type: number) => DnsAnswer | undefined) {
  const asked: number[] = [];
  const socket = createSocket("udp4");
  socket.on("message", (query, from) => {
    const question = query.subarray(12, query.indexOf(0, 12) + 5);
    const type = question.readUInt16BE(question.length - 4);
    asked.push(type);
    const given = answer(type);
    if (given) socket.send(replyTo(query, question, type, given), from.port, from.address);
  });
  await new Promise<void>((resolve) => socket.bind(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    socket.close();
  });
  return { asked, servers: [`127.0.0.1:${socket.address().port}`] };
}

/** RFC 1035, section 4. */
function replyTo(
  query: Buffer,
  question: Buffer,
  type: number,
  { code = 0, addresses = [] }: DnsAnswer,
): Buffer {
  const head = Buffer.from([...query.subarray(0, 2), 0x81, 0x80 | code, 0, 1, 0, 0, 0, 0, 0, 0]);
  head.writeUInt16BE(addresses.length, 6);
  const records = addresses.map((address) =>
    Buffer.from([0xc0, 12, 0, type, 0, 1, 0, 0, 0, 60, 0, address.length, ...address]),
  );
  return Buffer.concat([head, question, ...records]);
}

const unlimited = new AbortController().signal;
const IPV6 = [0x26, 0, ...Array<number>(13).fill(0), 1];

describe("resolving a name", () => {
  it("finds its addresses of both kinds", async () => {
    const { asked, servers } = await nameServer((type) => ({
      addresses:
        type === A
          ? [
              [93, 184, 216, 34],
              [10, 0, 0, 1],
            ]
          : [IPV6],
    }));
    expect(await createResolve(servers)("example.org", unlimited)).toEqual([
      "93.184.216.34",
      "10.0.0.1",
      "2600::1",
    ]);
    expect(asked.toSorted()).toEqual([A, AAAA]);
  });

  it("makes do with addresses of one kind", async () => {
    const { servers } = await nameServer((type) =>
      type === A ? { addresses: [[93, 184, 216, 34]] } : { code: SERVFAIL },
    );
    expect(await createResolve(servers)("example.org", unlimited)).toEqual(["93.184.216.34"]);
  });

  it.each([
    ["does not exist", { code: NXDOMAIN }, "ENOTFOUND"],
    ["has no address", {}, "ENODATA"],
  ])("fails for a name that %s", async (_, answer, code) => {
    const { servers } = await nameServer(() => answer);
    await expect(createResolve(servers)("example.org", unlimited)).rejects.toMatchObject({ code });
  });

  it("stops asking when it is aborted", async () => {
    const limit = new AbortController();
    const { servers } = await nameServer(() => {
      limit.abort();
      return undefined;
    });
    await expect(createResolve(servers)("example.org", limit.signal)).rejects.toMatchObject({
      code: "ECANCELLED",
    });
  });

  it.each(["localhost", "LOCALHOST.", "api.localhost"])("asks nobody for %s", async (name) => {
    const { asked, servers } = await nameServer(() => ({ addresses: [[93, 184, 216, 34]] }));
    expect(await createResolve(servers)(name, unlimited)).toEqual(["127.0.0.1", "::1"]);
    expect(asked).toEqual([]);
  });

  it("is not held up by other names that nobody answers for", async () => {
    const { servers } = await nameServer(() => ({ addresses: [[93, 184, 216, 34]] }));
    const { servers: silent } = await nameServer(() => undefined);
    const limits = Array.from({ length: 20 }, () => new AbortController());
    const stuck = limits.map(({ signal }) =>
      createResolve(silent)("example.com", signal).catch(() => "aborted"),
    );
    await createResolve(servers)("example.org", unlimited);
    for (const limit of limits) limit.abort();
    expect(new Set(await Promise.all(stuck))).toEqual(new Set(["aborted"]));
  });
});
