import { connect, type TcpNetConnectOpts } from "node:net";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createWebhookClient } from "../../../functions/adapters/webhook/webhook-client.ts";
import { isPublicAddress } from "../../../functions/core/public-address.ts";
import { serve, serveRaw } from "../../support/customer-server.ts";

const PUBLIC = "93.184.216.34";
const PUBLIC_IPV6 = "2606:2800:220:1:248:1893:25c8:1946";

type Outcome = "refused" | "connects";

/** An URL, what the DNS answers each time that it is asked, and what becomes of the request. */
interface Attempt {
  readonly by: "literal" | "name" | "URL";
  readonly url: string;
  readonly answers?: readonly string[];
  readonly outcome: Outcome;
  readonly cause?: string;
}

const literal = (url: string): Attempt => ({ by: "literal", url, outcome: "refused" });
const name = (url: string, ...answers: string[]): Attempt => ({
  by: "name",
  url,
  answers,
  outcome: "refused",
});
const other = (url: string, cause: string): Attempt => ({
  by: "URL",
  url,
  outcome: "refused",
  cause,
});

const ATTEMPTS: readonly Attempt[] = [
  literal("https://127.0.0.1/"),
  literal("https://127.1/"),
  literal("https://127.0.0.1./"),
  literal("https://2130706433/"),
  literal("https://0x7f000001/"),
  literal("https://0x7f.1/"),
  literal("https://0177.0.0.1/"),
  literal("https://017700000001/"),
  literal("https://%31%32%37.0.0.1/"),
  literal("https://１２７。０。０。１/"),
  literal("https://①②⑦.0.0.1/"),
  literal("https://0/"),
  literal("https://10.0.0.1/"),
  literal("https://172.31.255.255/"),
  literal("https://192.168.1.1/"),
  literal("https://100.64.0.1/"),
  literal("https://169.254.169.254/latest/meta-data/"),
  literal("https://2852039166/latest/meta-data/"),
  literal("https://198.18.0.1/"),
  literal("https://224.0.0.1/"),
  literal("https://255.255.255.255/"),
  literal("https://[::1]/"),
  literal("https://[::]/"),
  literal("https://[0:0:0:0:0:0:0:1]/"),
  literal("https://[::ffff:127.0.0.1]/"),
  literal("https://[::ffff:7f00:1]/"),
  literal("https://[::127.0.0.1]/"),
  literal("https://[::ffff:0:127.0.0.1]/"),
  literal("https://[64:ff9b::10.0.0.1]/"),
  literal("https://[64:ff9b:1::a00:1]/"),
  literal("https://[2002:a00:1::]/"),
  literal("https://[2001:0:a00:1::1]/"),
  literal("https://[fe80::1]/"),
  literal("https://[fd00:ec2::254]/"),
  literal("https://[fec0::1]/"),
  literal("https://[ff02::1]/"),
  other("https://[fe80::1%25eth0]/", "invalid-url"),
  other("https://[fe80::1%eth0]/", "invalid-url"),
  other("https://256.256.256.256/", "invalid-url"),
  other("nonsense", "invalid-url"),
  other("http://example.org/", "forbidden-protocol"),
  other("ftp://example.org/", "forbidden-protocol"),
  other("file:///etc/passwd", "forbidden-protocol"),
  other("gopher://example.org/", "forbidden-protocol"),
  other("https://user:secret@example.org/", "forbidden-credentials"),
  other("https://169.254.169.254@example.org/", "forbidden-credentials"),
  name("https://localhost/", "127.0.0.1"),
  name("https://LOCALHOST./", "127.0.0.1"),
  name("https://anything.localhost/", "127.0.0.1"),
  name("https://loopback.example.org/", "127.0.0.1"),
  name("https://private.example.org/", "10.1.2.3"),
  name("https://private.example.org./", "10.1.2.3"),
  name("https://metadata.example.org/", "169.254.169.254"),
  name("https://metadata6.example.org/", "fd00:ec2::254"),
  name("https://mapped.example.org/", "::ffff:10.1.2.3"),
  name("https://both.example.org/", `${PUBLIC} 10.1.2.3`),
  name("https://both6.example.org/", `${PUBLIC} ::1`),
  name("https://none.example.org/", "nonsense"),
  { by: "literal", url: `https://${PUBLIC}/`, outcome: "connects" },
  { by: "literal", url: `https://[${PUBLIC_IPV6}]/`, outcome: "connects" },
  { by: "name", url: "https://example.org/", answers: [PUBLIC], outcome: "connects" },
  {
    by: "name",
    url: "https://example.org/",
    answers: [`${PUBLIC_IPV6} ${PUBLIC}`],
    outcome: "connects",
  },
];

/** A client in a world of its own: a DNS, and wires that lead nowhere but show who was called. */
function strictClient(answers: readonly string[] = []) {
  const called: TcpNetConnectOpts[] = [];
  let questions = 0;
  const client = createWebhookClient(
    { allowHttp: false, allowLoopback: false, timeoutMs: 60_000 },
    {
      resolve: async () => answers[Math.min(questions++, answers.length - 1)]?.split(" ") ?? [],
      connect: (options) => {
        called.push(options);
        throw Object.assign(new Error("no wire"), { code: "ENETUNREACH" });
      },
    },
  );
  return { client, called, questions: () => questions };
}

describe("where callbacks may go", () => {
  it.each(ATTEMPTS)("by $by: $url $answers is $outcome", async (attempt) => {
    const { url, answers, outcome, cause = "forbidden-address" } = attempt;
    for (const method of ["POST", "GET"] as const) {
      const { client, called } = strictClient(answers);
      const result = await client.send({ method, url, headers: {} });
      if (outcome === "refused") {
        expect(result).toMatchObject({ kind: "refused", cause });
        expect(called).toEqual([]);
      } else {
        expect(result).toMatchObject({ kind: "failed", cause: "ENETUNREACH" });
        expect(called).toHaveLength(1);
      }
    }
  });
});

describe("an address in whatever notation", () => {
  const notations: readonly ((value: number, bytes: readonly number[]) => string)[] = [
    (value) => String(value),
    (value) => `0x${value.toString(16)}`,
    (value) => `0${value.toString(8)}`,
    (_, [a, b, c, d]) => `0x${a?.toString(16)}.0${b?.toString(8)}.${(c ?? 0) * 256 + (d ?? 0)}`,
    (_, bytes) => `${bytes.join(".")}.`,
    (_, bytes) => bytes.map((byte) => `0${byte.toString(8)}`).join("。"),
    (_, bytes) => `[::ffff:${bytes.join(".")}]`,
  ];

  it("is judged as the address that it is", async () => {
    const part = fc.oneof(fc.constantFrom(0, 10, 127, 169, 172, 192, 254, 255), fc.nat(255));
    await fc.assert(
      fc.asyncProperty(
        fc.tuple(part, part, part, part),
        fc.constantFrom(...notations),
        async (bytes, notation) => {
          const value = Buffer.from(bytes).readUInt32BE();
          const { client } = strictClient();
          const url = `https://${notation(value, bytes)}/`;
          const { kind } = await client.send({ method: "GET", url, headers: {} });
          const isPublic = isPublicAddress(bytes.join("."), { allowLoopback: false });
          expect(kind).toBe(isPublic ? "failed" : "refused");
        },
      ),
    );
  });
});

describe("a name that changes its mind", () => {
  const request = { method: "GET", url: "https://example.org/", headers: {} } as const;

  it("between two attempts is refused at the second", async () => {
    const { client, called } = strictClient([PUBLIC, "169.254.169.254", PUBLIC]);
    const kinds = [];
    for (let attempt = 1; attempt <= 3; attempt += 1) kinds.push((await client.send(request)).kind);
    expect(kinds).toEqual(["failed", "refused", "failed"]);
    expect(called).toHaveLength(2);
  });

  it("between the look-up and the connection gains nothing: it is not asked again", async () => {
    const { client, called, questions } = strictClient([PUBLIC, "127.0.0.1"]);
    await client.send(request);
    expect(questions()).toBe(1);
    const lookup = called[0]?.lookup;
    for (const options of [{}, { all: true }]) {
      const found = await new Promise((resolve) =>
        lookup?.("example.org", options, (_, address) => resolve(address)),
      );
      expect(found).toEqual("all" in options ? [{ address: PUBLIC, family: 4 }] : PUBLIC);
    }
    expect(questions()).toBe(1);
  });

  it("reaches the server that it first named, as long as the connection to it is kept", async () => {
    const { received, connections, port } = await serve();
    const answers = ["127.0.0.1", "10.0.0.1"];
    const client = createWebhookClient(
      { allowHttp: true, allowLoopback: true, timeoutMs: 60_000 },
      { resolve: async () => [answers.shift() ?? ""], connect },
    );
    const url = `http://example.org:${port}/`;
    for (let attempt = 1; attempt <= 2; attempt += 1) {
      expect(await client.send({ ...request, url })).toMatchObject({ kind: "answered" });
    }
    expect(answers).toEqual(["10.0.0.1"]);
    connections[0]?.destroy();
    expect(await client.send({ ...request, url })).toMatchObject({
      kind: "refused",
      cause: "forbidden-address",
    });
    expect(received.map(({ headers }) => headers.host)).toEqual(
      Array(2).fill(`example.org:${port}`),
    );
  });
});

describe("a connection that ends elsewhere than it was judged", () => {
  it.each(["https", "http"])("is closed before anything is said over %s", async (protocol) => {
    const heard: Buffer[] = [];
    const { port, connections } = await serveRaw((socket) => {
      socket.on("data", (chunk) => heard.push(chunk));
    });
    const client = createWebhookClient(
      { allowHttp: true, allowLoopback: false, timeoutMs: 60_000 },
      { resolve: async () => [PUBLIC], connect: () => connect(port, "127.0.0.1") },
    );
    expect(
      await client.send({
        method: "POST",
        url: `${protocol}://example.org/`,
        headers: {},
        body: "{}",
      }),
    ).toMatchObject({ kind: "refused", cause: "forbidden-address" });
    await expect.poll(() => connections.map(({ closed }) => closed)).toEqual([true]);
    expect(heard).toEqual([]);
  });
});

describe("a redirect", () => {
  it.each([
    "http://169.254.169.254/latest/meta-data/",
    "http://localhost/",
    "//10.0.0.1/",
    "file:///etc/passwd",
  ])("to %s is an answer like any other", async (location) => {
    const { port } = await serve((response) => response.writeHead(307, { location }).end());
    const called: TcpNetConnectOpts[] = [];
    const client = createWebhookClient(
      { allowHttp: true, allowLoopback: true, timeoutMs: 60_000 },
      {
        resolve: async () => ["127.0.0.1"],
        connect: (options) => {
          called.push(options);
          return connect(options);
        },
      },
    );
    expect(
      await client.send({ method: "GET", url: `http://example.org:${port}/`, headers: {} }),
    ).toMatchObject({ kind: "answered", status: 307 });
    expect(called).toMatchObject([{ host: "example.org", port }]);
  });
});
