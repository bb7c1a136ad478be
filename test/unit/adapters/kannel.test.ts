import { createServer as createTlsServer } from "node:https";
import type { Socket } from "node:net";
import fc from "fast-check";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { createKannelCarrier } from "../../../functions/adapters/carriers/kannel/carrier.ts";
import {
  createExchanges,
  type Exchange,
  type Post,
  UnclearAnswerError,
} from "../../../functions/adapters/carriers/kannel/exchange.ts";
import { createCredentials } from "../../../functions/adapters/carriers/kannel/secret.ts";
import { settings as settingsSchema } from "../../../functions/adapters/carriers/kannel/settings.ts";
import type { SecretValues } from "../../../functions/adapters/carriers/kind.ts";
import type { OutboundMessage } from "../../../functions/core/carrier.ts";
import { segmentsOf } from "../../../functions/core/segments.ts";
import { createCertificate } from "../../support/certificate.ts";
import { closedPort, serve, serveRaw } from "../../support/customer-server.ts";
import { ManualClock } from "../../support/memory.ts";

const SECRET = {
  username: "torpedo",
  password: "pa55word",
  dlrUrl: "https://api.example/carriers/kannel/dlr?secret=s3cret",
};
const ARN = "arn:aws:secretsmanager:sa-east-1:123456789012:secret:kannel-AbCdEf";
const NUMBER = "5519900001111";

/** A secret that can be changed and counts how often it is read anew. */
class MemorySecret {
  rereads = 0;
  failing = false;
  /** What reading it anew waits for. */
  rereading: Promise<unknown> | undefined;
  #remembered: SecretValues;
  constructor(public current: SecretValues = SECRET) {
    this.#remembered = current;
  }
  async read() {
    if (this.failing) throw new Error("AccessDenied");
    return this.#remembered;
  }
  async reread() {
    this.rereads++;
    if (this.rereading) await this.rereading;
    if (this.failing) throw new Error("AccessDenied");
    this.#remembered = this.current;
    return this.#remembered;
  }
}

const messageOf = (text: string, more: Partial<OutboundMessage> = {}): OutboundMessage => ({
  ref: { account: "acme", id: "id-1", traceId: "trace-1" },
  destination: NUMBER,
  text,
  segments: segmentsOf([text])[0] as OutboundMessage["segments"],
  lane: "singles",
  flash: false,
  ...more,
});

type Answers = readonly (Exchange | Error)[];
const said = (status: number, body: string): Exchange => ({ kind: "answered", status, body });
const ACCEPTED = said(202, "0: Accepted for delivery");
const UNAUTHORIZED = said(403, "Authorization failed for sendsms");
const BUSY = said(503, "Temporal failure, try again later.");
const NOT_SENT: Exchange = { kind: "not-sent", cause: "ECONNREFUSED" };

/** A carrier whose Kannel gives these answers one after another, and the last for ever. */
function setUp(
  answers: Answers = [ACCEPTED],
  set: object = {},
  secret = new MemorySecret(),
  answersAfterMs = 0,
) {
  const clock = new ManualClock();
  const posts: Post[] = [];
  const pauses: number[] = [];
  const {
    url: _,
    secret: __,
    ...settings
  } = settingsSchema.parse({
    url: "http://127.0.0.1:13013/cgi-bin/sendsms",
    secret: ARN,
    ...set,
  });
  const carrier = createKannelCarrier({
    name: "kannel",
    settings,
    credentials: createCredentials(secret, clock),
    exchange: async (post) => {
      const answer = answers[posts.length] ?? answers.at(-1);
      posts.push(post);
      clock.advance(answersAfterMs);
      if (!answer || answer instanceof Error) throw answer;
      return answer;
    },
    clock,
    pause: async (ms) => {
      pauses.push(ms);
      clock.advance(ms);
    },
  });
  const send = (text = "Hello", more: Partial<OutboundMessage> = {}) =>
    carrier.send(messageOf(text, more));
  return { send, posts, pauses, clock, secret };
}

describe("the Kannel carrier", () => {
  it("hands over a text of the GSM alphabet", async () => {
    const { send, posts } = setUp();
    expect(await send("Olé €")).toEqual({
      kind: "accepted",
      carrierMessageId: "trace-1",
      receipts: true,
    });
    expect(posts).toEqual([
      {
        body: "Olé €",
        timeoutMs: 8_500,
        headers: {
          "content-type": "text/plain; charset=UTF-8",
          "x-kannel-username": "torpedo",
          "x-kannel-password": "pa55word",
          "x-kannel-to": "+5519900001111",
          "x-kannel-coding": "0",
          "x-kannel-priority": "1",
          "x-kannel-dlr-mask": "19",
          "x-kannel-dlr-url": expect.stringMatching(
            /^https:\/\/api\.example\/carriers\/kannel\/dlr\?secret=s3cret&ref=[\w-]+&dlr=%d&answer=%A&at=%T&from=%P$/,
          ),
        },
      },
    ]);
  });

  it("says what else there is to say", async () => {
    const { send, posts, clock } = setUp([ACCEPTED], {
      smsc: "VIVO",
      account: "torpedo-prod",
      numbers: "digits",
      smscsAreOperators: true,
      priority: { singles: 3, bulk: 2 },
    });
    const expiresAt = clock.now() + 5 * 60_000 + 59_000;
    const more = { flash: true, expiresAt, sender: "+27182", lane: "bulk", part: PART_2 } as const;
    expect(await send("Olá", more)).toMatchObject({
      carrierMessageId: "trace-1-2",
      shortCode: "27182",
    });
    expect(posts[0]?.headers).toMatchObject({
      "x-kannel-to": NUMBER,
      "x-kannel-from": "+27182",
      "x-kannel-coding": "2",
      "x-kannel-mclass": "0",
      "x-kannel-validity": "5",
      "x-kannel-priority": "2",
      "x-kannel-smsc": "VIVO",
      "x-kannel-account": "torpedo-prod",
      "x-kannel-dlr-url": expect.stringMatching(/&part=2&.*&operator=%i$/),
    });
  });

  const PART_2 = { order: 2, total: 3 };

  it.each([
    ["5511999990000", "international", "+5511999990000"],
    ["5511999990000", "digits", "5511999990000"],
    ["27182", "international", "27182"],
    ["ACME", "international", "ACME"],
  ])("tells the sender %s, with numbers %s, as %s", async (sender, numbers, told) => {
    const { send, posts } = setUp([ACCEPTED], { numbers });
    expect(await send("Hello", { sender })).toMatchObject({ shortCode: sender });
    expect(posts[0]?.headers["x-kannel-from"]).toBe(told);
  });

  it("has operators try for a minute at least", async () => {
    const { send, posts, clock } = setUp();
    await send("Hello", { expiresAt: clock.now() + 1 });
    expect(posts[0]?.headers["x-kannel-validity"]).toBe("1");
  });

  it("hands over no message that has expired", async () => {
    const { send, posts, clock } = setUp();
    expect(await send("Hello", { expiresAt: clock.now() })).toMatchObject({
      kind: "unreachable",
      about: "message",
    });
    expect(posts).toEqual([]);
  });

  it("hands over nothing that Kannel would take and lose", async () => {
    const { send, posts } = setUp();
    expect(await send("")).toEqual({ kind: "blocked", reason: "invalid-message" });
    const segments = { coding: "gsm", texts: ["x"], first: 1, total: 256 } as const;
    expect(await send("x", { segments })).toEqual({ kind: "blocked", reason: "invalid-message" });
    for (const sender of ["", "x".repeat(21), "São Paulo", "a\r\nx-kannel-to: 1", " "]) {
      expect(await send("x", { sender })).toMatchObject({
        kind: "rejected",
        reason: "operator-rejected",
      });
    }
    expect(posts).toEqual([]);
  });

  describe("tells Kannel where to report", () => {
    const urlOf = async (more: Partial<OutboundMessage>, dlrUrl = SECRET.dlrUrl) => {
      const { send, posts } = setUp([ACCEPTED], {}, new MemorySecret({ ...SECRET, dlrUrl }));
      await send("Hello", more);
      return posts[0]?.headers["x-kannel-dlr-url"] ?? "";
    };
    /** What Kannel makes of an URL: it knows these escapes, and leaves others alone. */
    const fillIn = (url: string) =>
      url.replace(/%([%dATPFiCcaebkpqs])/g, (_, it) => (it === "%" ? "%" : "filled"));

    it("so that ids stay what they are, whatever Kannel fills in", async () => {
      await fc.assert(
        fc.asyncProperty(fc.string({ unit: "binary", minLength: 1 }), async (id) => {
          const ref = { account: "acme", id: id.toWellFormed(), traceId: "trace-1" };
          const url = new URL(fillIn(await urlOf({ ref })));
          const encoded = Buffer.from(url.searchParams.get("ref") ?? "", "base64url");
          expect(JSON.parse(encoded.toString())).toEqual(Object.values(ref));
          expect(Object.fromEntries(url.searchParams)).toMatchObject({
            secret: "s3cret",
            dlr: "filled",
            answer: "filled",
            at: "filled",
            from: "filled",
          });
        }),
      );
    });

    it("and an encoded character of that URL stays what it is", async () => {
      const url = await urlOf({}, "https://kannel:s%40c@api.example/dlr?secret=%C3%A7%25d");
      expect(url).toContain("https://kannel:s%%40c@api.example/dlr?secret=%%C3%%A7%%25d&ref=");
      expect(new URL(fillIn(url)).searchParams.get("secret")).toBe("ç%d");
    });
  });

  describe("understands the answer", () => {
    it.each<[string, number, string, object]>([
      ["accepted", 202, "0: Accepted for delivery", { kind: "accepted" }],
      ["queued", 202, "3: Queued for later delivery", { kind: "accepted" }],
      ["sent at once", 202, "Sent.", { kind: "accepted" }],
      [
        "malformed",
        400,
        "UDH field misformed, rejected",
        { kind: "rejected", reason: "operator-rejected" },
      ],
      [
        "on a list",
        400,
        "Number(s) has/have been denied by white- and/or black-lists.",
        { kind: "rejected", reason: "operator-rejected" },
      ],
      [
        "without a receiver",
        400,
        "Empty receiver number not allowed, rejected",
        { kind: "rejected", reason: "operator-rejected" },
      ],
      [
        "without a route",
        403,
        "Not routable. Do not try again.",
        { kind: "blocked", reason: "no-coverage" },
      ],
      ["busy", 503, "Temporal failure, try again later.", { kind: "unreachable" }],
      ["somebody else's 400", 400, "<html>Bad Request</html>", { kind: "unreachable" }],
      ["a 400 that quotes", 400, "<p>rejected</p>", { kind: "unreachable" }],
      ["a firewall's 403", 403, "<html>Forbidden</html>", { kind: "unreachable" }],
      ["another URL", 404, "", { kind: "unreachable" }],
      ["a proxy's 429", 429, "slow down", { kind: "unreachable" }],
    ])("%s", async (_, status, body, outcome) => {
      const { send, posts } = setUp([said(status, body)]);
      expect(await send()).toMatchObject(outcome);
      expect(posts).toHaveLength(1);
    });

    it.each([
      ["nothing", 202, ""],
      ["HTML", 202, "<html><body>0: Accepted for delivery</body></html>"],
      ["another number", 202, "4: Whatever"],
      ["another success", 200, "0: Accepted for delivery"],
      ["another protocol", 101, ""],
      ["a redirect", 302, ""],
      ["a request that came too slowly", 408, ""],
      ["an error", 500, "Internal Server Error"],
      ["a proxy that got no answer", 502, "<html>Bad Gateway</html>"],
      ["a proxy's 503", 503, "<html>Service Unavailable</html>"],
      ["a proxy that waited", 504, "Temporal failure, try again later."],
      ["a 403 that says it was accepted", 202, "Authorization failed for sendsms"],
    ])("and leaves open what nobody can tell: %s", async (_, status, body) => {
      const { send, posts } = setUp([said(status, body)]);
      await expect(send()).rejects.toThrow(UnclearAnswerError);
      expect(posts).toHaveLength(1);
    });

    it("and that nothing has left", async () => {
      const { send } = setUp([NOT_SENT]);
      expect(await send()).toEqual({ kind: "unreachable", detail: "ECONNREFUSED" });
    });

    it("and quotes nothing of it, nor of the message", async () => {
      await fc.assert(
        fc.asyncProperty(fc.integer({ min: 200, max: 599 }), async (status) => {
          const { send } = setUp([said(status, `marker ${NUMBER}`)]);
          const outcome = await send("marker").then(JSON.stringify, String);
          expect(outcome).not.toMatch(/marker|55199|pa55word|s3cret/);
        }),
      );
    });
  });

  describe("refused by its password", () => {
    const CHANGED = { ...SECRET, password: "n3w" };
    const passwords = (posts: Post[]) => posts.map(({ headers }) => headers["x-kannel-password"]);

    it("reads the secret anew, and tries again with another", async () => {
      const { send, posts, secret } = setUp([UNAUTHORIZED, ACCEPTED]);
      secret.current = CHANGED;
      expect(await send()).toMatchObject({ kind: "accepted" });
      expect(passwords(posts)).toEqual(["pa55word", "n3w"]);
      expect(secret.rereads).toBe(1);
    });

    it("does not try again with the same, nor ask for it all the time", async () => {
      const { send, posts, secret, clock } = setUp([UNAUTHORIZED]);
      const refused = {
        kind: "unreachable",
        detail: "Kannel does not know our username and password",
      };
      expect(await Promise.all([send(), send(), send()])).toEqual([refused, refused, refused]);
      expect([posts.length, secret.rereads]).toEqual([3, 1]);
      clock.advance(5_000);
      await send();
      expect([posts.length, secret.rereads]).toEqual([4, 2]);
    });

    it("has time for the other, or does not begin", async () => {
      const secret = new MemorySecret();
      secret.current = CHANGED;
      const { send, posts, clock } = setUp([UNAUTHORIZED, ACCEPTED], {}, secret, 8_200);
      const start = clock.now();
      expect(await send()).toEqual({
        kind: "unreachable",
        detail: "Kannel does not know our username and password",
      });
      expect(passwords(posts)).toEqual(["pa55word"]);
      expect(clock.now() - start).toBeLessThan(8_500);
      // It is known to the next.
      await send();
      expect(passwords(posts)).toEqual(["pa55word", "n3w"]);
    });

    it("gives the other what is left of the time", async () => {
      const secret = new MemorySecret();
      secret.current = CHANGED;
      const { send, posts } = setUp([UNAUTHORIZED, ACCEPTED], {}, secret, 3_000);
      expect(await send()).toMatchObject({ kind: "accepted" });
      expect(posts.map(({ timeoutMs }) => timeoutMs)).toEqual([8_500, 5_500]);
    });

    it("waits for the secret only while there is time to try with it", async () => {
      vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
      onTestFinished(() => void vi.useRealTimers());
      const secret = new MemorySecret();
      secret.rereading = new Promise(() => {});
      const { send, posts } = setUp([UNAUTHORIZED], {}, secret, 3_000);
      let outcome: unknown;
      const sent = send().then((it) => {
        outcome = it;
      });
      await vi.advanceTimersByTimeAsync(4_999);
      expect([outcome, secret.rereads]).toEqual([undefined, 1]);
      await vi.advanceTimersByTimeAsync(1);
      await sent;
      expect(outcome).toEqual({
        kind: "unreachable",
        detail: "the secret could not be read in time",
      });
      expect(posts).toHaveLength(1);
    });

    it("tries once more only, where the other is refused as well", async () => {
      const { send, posts, secret } = setUp([UNAUTHORIZED]);
      secret.current = CHANGED;
      expect(await send()).toMatchObject({ kind: "unreachable" });
      expect(passwords(posts)).toEqual(["pa55word", "n3w"]);
    });

    it("lets all that were refused at the same time try with the other", async () => {
      const { send, secret, posts } = setUp([UNAUTHORIZED, UNAUTHORIZED, ACCEPTED]);
      secret.current = CHANGED;
      expect(await Promise.all([send(), send()])).toMatchObject([
        { kind: "accepted" },
        { kind: "accepted" },
      ]);
      expect([posts.length, secret.rereads]).toEqual([4, 1]);
    });
  });

  describe("without a secret that will do", () => {
    it("has sent nothing, where it cannot be read", async () => {
      const { send, posts, secret } = setUp();
      secret.failing = true;
      expect(await send()).toEqual({
        kind: "unreachable",
        detail: "the secret could not be read",
      });
      expect(posts).toEqual([]);
    });

    it.each([
      ["username", { ...SECRET, username: "" }],
      ["password", { ...SECRET, password: "two\r\nlines" }],
      ["dlrUrl", { ...SECRET, dlrUrl: "ftp://api.example" }],
      ["dlrUrl", { username: "torpedo", password: "pa55word" }],
    ])("names what is wrong, and no value: %s", async (field, values) => {
      const { send, posts } = setUp([ACCEPTED], {}, new MemorySecret(values));
      expect(await send()).toEqual({
        kind: "unreachable",
        detail: `the secret lacks a ${field} that will do`,
      });
      expect(posts).toEqual([]);
    });
  });

  describe("handed what is several SMS over the air", () => {
    const LONG = "ç".repeat(150);
    const segments = { coding: "ucs2", texts: ["çç", "😀ç", "ç"], first: 3, total: 9 } as const;

    it("numbers them, and has the last reported", async () => {
      const { send, posts } = setUp();
      await send(LONG, { segments, part: { order: 2, total: 4 } });
      expect(posts.map(({ body }) => body)).toEqual(segments.texts);
      const headers = posts.map((post) => post.headers);
      const reference = headers[0]?.["x-kannel-udh"]?.slice(6, 8);
      expect(headers.map((it) => it["x-kannel-udh"])).toEqual(
        ["03", "04", "05"].map((order) => `050003${reference}09${order}`),
      );
      expect(headers.map((it) => "x-kannel-dlr-url" in it)).toEqual([false, false, true]);
      expect(headers.map((it) => "x-kannel-dlr-mask" in it)).toEqual([false, false, true]);
    });

    it("gives all of a message one reference, and other messages others", async () => {
      const { send, posts } = setUp();
      const traces = Array.from({ length: 50 }, (_, index) => `trace-${index}`);
      for (const traceId of traces) {
        const ref = { account: "acme", id: "id-1", traceId };
        await send(LONG, { ref, segments: { ...segments, texts: ["a"], first: 1 } });
        await send(LONG, { ref, segments: { ...segments, texts: ["b"], first: 2 } });
      }
      const references = posts.map(({ headers }) => headers["x-kannel-udh"]?.slice(6, 8));
      for (let index = 0; index < references.length; index += 2) {
        expect(references[index + 1]).toBe(references[index]);
      }
      expect(new Set(references).size).toBeGreaterThan(30);
    });

    it("goes on with what was not taken, once the first was", async () => {
      const { send, posts, pauses } = setUp([ACCEPTED, BUSY, NOT_SENT, ACCEPTED, ACCEPTED]);
      expect(await send(LONG, { segments })).toMatchObject({ kind: "accepted" });
      expect(posts.map(({ body }) => body)).toEqual(["çç", "😀ç", "😀ç", "😀ç", "ç"]);
      expect(pauses).toEqual([250, 500]);
    });

    it("leaves open what became of it, where the rest is not taken in time", async () => {
      const { send, posts, pauses, clock } = setUp([ACCEPTED, BUSY]);
      const start = clock.now();
      await expect(send(LONG, { segments })).rejects.toThrow(UnclearAnswerError);
      expect([posts.length, pauses.length]).toEqual([6, 4]);
      expect(clock.now() - start).toBeLessThan(9_000);
    });

    it("and where the rest is refused", async () => {
      const { send, posts } = setUp([ACCEPTED, said(400, "Coding field misformed, rejected")]);
      await expect(send(LONG, { segments })).rejects.toThrow(UnclearAnswerError);
      expect(posts).toHaveLength(2);
    });

    it("and where we are not known any more, nor can find out why", async () => {
      const { send, posts, secret } = setUp([ACCEPTED, UNAUTHORIZED]);
      secret.rereading = Promise.reject(new Error("AccessDenied"));
      await expect(send(LONG, { segments })).rejects.toThrow(UnclearAnswerError);
      expect(posts.length).toBeGreaterThan(1);
    });

    it("is as any other where the first is not taken", async () => {
      const { send, posts } = setUp([BUSY]);
      expect(await send(LONG, { segments })).toMatchObject({ kind: "unreachable" });
      expect(posts).toHaveLength(1);
    });
  });
});

describe("what a stage says of a Kannel", () => {
  const parse = (more: object) =>
    settingsSchema.safeParse({
      url: "https://kannel.example/cgi-bin/sendsms",
      secret: ARN,
      ...more,
    });

  it("need not be much", () => {
    expect(parse({}).data).toMatchObject({
      priority: { singles: 1, bulk: 0 },
      numbers: "international",
      smscsAreOperators: false,
    });
  });

  it.each([
    [{ url: "ftp://kannel.example" }],
    [{ url: "https://user:password@kannel.example/cgi-bin/sendsms" }],
    [{ url: "https://kannel.example/cgi-bin/sendsms?password=x" }],
    [{ secret: "my secret" }],
    [{ smsc: "a b" }],
    [{ account: "a\nb" }],
    [{ priority: { singles: 4, bulk: 0 } }],
    [{ somethingElse: true }],
  ])("is refused where it cannot be: %j", (more) => {
    expect(parse(more).success).toBe(false);
  });
});

describe("an exchange with a Kannel", () => {
  const post = (url: string, timeoutMs = 5_000) =>
    createExchanges(url)({ headers: { "x-kannel-to": "+1" }, body: "Olá", timeoutMs });
  /** As it says on the wire. */
  const wire = (body: string, status = "202 Accepted") =>
    `HTTP/1.1 ${status}\r\ncontent-type: text/html\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
  const TAKEN = "0: Accepted for delivery";
  /** Talks once all of a request is there. */
  const afterRequest = (talk: (socket: Socket) => void) =>
    serveRaw((socket) => socket.on("data", (data) => data.includes("Olá") && talk(socket)));

  it("is a POST, on a connection of its own", async () => {
    const { url, received, connections } = await serve((response) =>
      response.writeHead(202).end(TAKEN),
    );
    const exchanges = createExchanges(url);
    for (const body of ["Olá", "😀"]) {
      const answer = await exchanges({ headers: { "x-kannel-to": "+1" }, body, timeoutMs: 5_000 });
      expect(answer).toEqual({ kind: "answered", status: 202, body: TAKEN });
    }
    expect(received).toMatchObject([
      { method: "POST", body: "Olá", headers: { "x-kannel-to": "+1", "content-length": "4" } },
      { method: "POST", body: "😀" },
    ]);
    expect(connections).toHaveLength(2);
  });

  it.each([
    ["nobody is there", async () => `http://127.0.0.1:${await closedPort()}/`, "ECONNREFUSED"],
    ["there is no such name", async () => "http://kannel.invalid/", /^(ENOTFOUND|EAI_AGAIN)$/],
    [
      "it has no certificate that we trust",
      async () => (await serve(undefined, tlsServer)).url.replace("http:", "https:"),
      "DEPTH_ZERO_SELF_SIGNED_CERT",
    ],
    [
      "it does not speak TLS",
      async () => (await serve()).url.replace("http:", "https:"),
      /^(ERR_SSL_|EPROTO)/,
    ],
  ])("certainly brought it nothing where %s", async (_, urlOf, cause) => {
    expect(await post(await urlOf())).toEqual({
      kind: "not-sent",
      cause: expect.stringMatching(cause),
    });
  });

  const tlsServer = (listener: Parameters<typeof createTlsServer>[1]) =>
    createTlsServer(createCertificate("localhost"), listener) as never;

  it("certainly brought it nothing where the connection does not come about in time", async () => {
    const { url, connections } = await serveRaw(() => {});
    expect(await post(url.replace("http:", "https:"), 100)).toEqual({
      kind: "not-sent",
      cause: "TimeoutError",
    });
    expect(connections).toHaveLength(1);
  });

  it("certainly brought it nothing where it is not connected soon enough for another carrier", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    onTestFinished(() => void vi.useRealTimers());
    const { url } = await serveRaw(() => {});
    let exchange: Exchange | undefined;
    const posted = post(url.replace("http:", "https:"), 8_500).then((it) => {
      exchange = it;
    });
    await vi.advanceTimersByTimeAsync(1_499);
    expect(exchange).toBeUndefined();
    await vi.advanceTimersByTimeAsync(1);
    await posted;
    expect(exchange).toEqual({ kind: "not-sent", cause: "TimeoutError" });
  });

  it.each<[string, (socket: Socket) => void, string | RegExp]>([
    ["resets the connection", (socket) => socket.resetAndDestroy(), "ECONNRESET"],
    ["ends the connection", (socket) => socket.end(), "ECONNRESET"],
    ["answers garbage", (socket) => socket.end("0: Accepted\r\n\r\n"), /^HPE_/],
    [
      "answers a part",
      (socket) => socket.end(wire(TAKEN).slice(0, -5)),
      /^(ECONNRESET|ClosedError)$/,
    ],
    ["answers with a head alone", (socket) => socket.end(wire(TAKEN).slice(0, 40)), /ECONN|HPE_/],
    ["talks without end", (socket) => talkOn(socket), "TooLongError"],
  ])("leaves open what came of it where the other side %s", async (_, talk, cause) => {
    const { url, connections } = await afterRequest(talk);
    const failed = post(url);
    await expect(failed).rejects.toThrow(UnclearAnswerError);
    await expect(failed).rejects.toThrow(cause);
    expect(connections).toHaveLength(1);
  });

  const talkOn = (socket: Socket) => {
    socket.write(wire("x".repeat(1_000_000)).slice(0, 100_000));
  };

  it.each([
    ["does not answer", () => {}],
    ["answers slowly", (socket: Socket) => socket.write(wire(TAKEN).slice(0, -1))],
  ])("leaves open what came of it where the other side %s", async (_, talk) => {
    const { url, connections } = await afterRequest(talk);
    await expect(post(url, 200)).rejects.toThrow("TimeoutError");
    expect(connections).toHaveLength(1);
  });

  it("is not led astray by an answer that comes twice", async () => {
    const { url } = await afterRequest((socket) => {
      socket.write(wire(TAKEN));
      socket.write(wire("Not routable. Do not try again.", "403 Forbidden"));
    });
    const exchanges = createExchanges(url);
    const again = { headers: {}, body: "Olá", timeoutMs: 5_000 };
    for (let time = 0; time < 3; time++) {
      expect(await exchanges(again)).toMatchObject({ status: 202, body: TAKEN });
    }
  });
});
