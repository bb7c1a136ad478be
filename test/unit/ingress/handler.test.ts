import type { APIGatewayProxyEventV2 } from "aws-lambda";
import { beforeEach, describe, expect, it } from "vitest";
import { loadProtocol } from "../../../functions/adapters/carriers/protocols.ts";
import {
  type CarrierEvent,
  type CarrierReports,
  carrierEventSchema,
  InvalidReportError,
  type ReportProtocol,
  type ReportRequest,
} from "../../../functions/core/carrier.ts";
import {
  addCarrierAccount,
  CARRIER_MEMORY_MS,
  createAuthenticateCarrier,
} from "../../../functions/core/carrier-account.ts";
import { createHandler } from "../../../functions/ingress/handler.ts";
import { createHttpFunction, MAX_BODY_BYTES } from "../../../functions/runtime/http.ts";
import { CountingRandomness, ManualClock, ManualTimeLimit } from "../../support/memory.ts";
import { MemoryCarrierAccounts } from "../../support/memory-carriers.ts";
import { RecordingLog } from "../../support/recording-log.ts";

const PHONE = "5519900001111";
const TEXT = "Quero sair";

/** A queue that can be away, or not answer. */
class MemoryReports implements CarrierReports {
  readonly events: CarrierEvent[] = [];
  state: "fine" | "refuses" | "hangs" = "fine";
  readonly asked: number[] = [];

  async enqueueMany(events: readonly CarrierEvent[]) {
    this.asked.push(events.length);
    if (this.state === "refuses") throw new Error("the queue is away");
    if (this.state === "hangs") await new Promise(() => {});
    this.events.push(...events);
  }
}

/** Reports as another carrier might: a receipt in the query of a GET, answered with nothing. */
class ReportsInQuery implements ReportProtocol {
  readonly requests: ReportRequest[] = [];
  parseReceipts(request: ReportRequest, { carrier, now }: { carrier: string; now: number }) {
    this.requests.push(request);
    const { account = "", id = "", trace = "", status } = request.query;
    if (status === "8") return [];
    if (status !== "1") throw new InvalidReportError("status: is not known");
    const ref = { account, id, traceId: trace };
    return [{ type: "receipt" as const, outcome: "delivered" as const, ref, carrier, at: now }];
  }
  parseMos() {
    return [];
  }
  accept() {
    return { status: 204, contentType: "text/plain", body: "" };
  }
}

interface Request {
  readonly method?: "GET" | "POST";
  readonly path?: string;
  readonly headers?: Record<string, string>;
  readonly query?: Record<string, string>;
  readonly body?: unknown;
}

describe("ingress", () => {
  let clock: ManualClock;
  let accounts: MemoryCarrierAccounts;
  let reports: MemoryReports;
  let inQuery: ReportsInQuery;
  let timeLimit: ManualTimeLimit;
  let log: RecordingLog;
  let secret: string;
  let lambda: ReturnType<typeof createHttpFunction>;

  beforeEach(async () => {
    clock = new ManualClock();
    accounts = new MemoryCarrierAccounts();
    reports = new MemoryReports();
    inQuery = new ReportsInQuery();
    timeLimit = new ManualTimeLimit();
    log = new RecordingLog();
    const deps = { carrierAccounts: accounts, clock, randomness: new CountingRandomness() };
    ({ secret } = await addCarrierAccount(deps, { carrier: "sandbox", protocol: "sandbox" }, [
      "sandbox",
    ]));
    await addCarrierAccount(deps, { carrier: "other", protocol: "query" }, ["query"]);
    lambda = createHttpFunction(
      createHandler({
        authenticate: createAuthenticateCarrier({ carrierAccounts: accounts, clock }),
        loadProtocol: async (name) => (name === "query" ? inQuery : loadProtocol(name)),
        reports,
        timeLimit,
        timeoutMs: 4_000,
        clock,
      }),
      log,
    );
  });

  async function call(request: Request = {}) {
    const { method = "POST", path = "/carriers/sandbox/dlr", query, body } = request;
    const text = body === undefined || typeof body === "string" ? body : JSON.stringify(body);
    const event = {
      version: "2.0",
      routeKey: `${method} /carriers/{carrier}/${path.split("/").at(-1)}`,
      rawPath: path,
      rawQueryString: String(new URLSearchParams(query)),
      headers: request.headers ?? bearer(secret),
      ...(query && { queryStringParameters: query }),
      pathParameters: { carrier: path.split("/")[2] },
      requestContext: { requestId: "r", http: { method, path, sourceIp: "127.0.0.1" } },
      body: text,
      isBase64Encoded: false,
    } as unknown as APIGatewayProxyEventV2;
    const { statusCode, headers, body: answer = "" } = await lambda(event);
    return { status: statusCode, headers, body: answer };
  }

  const bearer = (token: string) => ({ Authorization: `Bearer ${token}` });
  const basic = (user: string, password: string) => ({
    authorization: `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`,
  });
  const at = "2026-03-02T14:59:58.500Z";
  const receipt = (overrides: object = {}) => ({
    ref: { account: "acme", id: "id-1", traceId: "trace-1" },
    outcome: "delivered",
    at,
    ...overrides,
  });
  const mo = (overrides: object = {}) => ({
    from: PHONE,
    shortCode: "27182",
    text: TEXT,
    carrierMessageId: "mo-1",
    at,
    ...overrides,
  });
  const mos = { path: "/carriers/sandbox/mo" };

  it("takes a receipt, and answers after it is in the queue", async () => {
    expect(await call({ body: receipt({ part: 2, operator: "Claro" }) })).toMatchObject({
      status: 200,
      body: '{"taken":1}',
    });
    expect(reports.events).toEqual([
      {
        type: "receipt",
        outcome: "delivered",
        ref: { account: "acme", id: "id-1", traceId: "trace-1" },
        part: 2,
        carrier: "sandbox",
        at: Date.parse(at),
        operator: "Claro",
      },
    ]);
    expect(log.infos).toMatchObject([{ carrier: "sandbox", dlr: 1, status: 200 }]);
  });

  it("takes a list of receipts, up to a thousand", async () => {
    const lost = receipt({ outcome: "not-delivered", reason: "inactive-number" });
    expect(await call({ body: [receipt(), lost] })).toMatchObject({ body: '{"taken":2}' });
    expect(reports.events).toMatchObject([
      { outcome: "delivered" },
      { outcome: "not-delivered", reason: "inactive-number" },
    ]);
    expect(await call({ body: Array(1_000).fill(receipt()) })).toMatchObject({ status: 200 });
    expect(reports.asked).toEqual([2, 1_000]);
    expect(await call({ body: Array(1_001).fill(receipt()) })).toMatchObject({ status: 400 });
    expect(await call({ body: [] })).toMatchObject({ status: 400 });
  });

  it("takes MOs, and logs neither number nor text", async () => {
    expect(await call({ ...mos, body: mo() })).toMatchObject({ status: 200 });
    expect(reports.events).toEqual([
      {
        type: "mo",
        carrier: "sandbox",
        carrierMessageId: "mo-1",
        from: PHONE,
        shortCode: "27182",
        text: TEXT,
        at: Date.parse(at),
      },
    ]);
    for (const event of reports.events) expect(carrierEventSchema.parse(event)).toEqual(event);
    await call({ ...mos, body: mo({ from: `+${PHONE}` }) });
    await call({ ...mos, body: `{"text":"${TEXT}","from":"${PHONE}"` });
    reports.state = "refuses";
    await call({ ...mos, body: mo() });
    const lines = JSON.stringify(log);
    expect(lines).not.toContain(PHONE);
    expect(lines).not.toContain(TEXT);
    expect(lines).not.toContain(secret);
  });

  it("says of whom a report is by who is authenticated, whatever it claims", async () => {
    await call({ body: receipt({ carrier: "other", type: "mo" }) });
    await call({ ...mos, body: mo({ carrier: "other", type: "receipt" }) });
    expect(reports.events).toMatchObject([
      { carrier: "sandbox", type: "receipt" },
      { carrier: "sandbox", type: "mo" },
    ]);
  });

  it("takes no report for something that is to happen yet", async () => {
    await call({ ...mos, body: [mo({ at: "9999-12-31T23:59:59Z" }), mo()] });
    await call({ body: receipt({ at: "2026-03-02T18:00:00+03:00" }) });
    expect(reports.events.map((event) => event.at)).toEqual([
      clock.now(),
      Date.parse(at),
      clock.now(),
    ]);
  });

  describe("lets in", () => {
    it.each([
      ["a token", () => ({ headers: bearer(secret) })],
      ["a token, whatever the case", () => ({ headers: { authorization: `bearer ${secret}` } })],
      ["a password of the carrier's name", () => ({ headers: basic("sandbox", secret) })],
      ["a password of any name", () => ({ headers: basic("", secret) })],
      ["a secret in the URL", () => ({ headers: {}, query: { secret } })],
    ])("%s", async (_, request) => {
      expect(await call({ ...request(), body: receipt() })).toMatchObject({ status: 200 });
      expect(reports.events).toHaveLength(1);
    });
  });

  describe("does not let in", () => {
    it.each<[string, () => Request]>([
      ["nobody", () => ({ headers: {} })],
      ["a wrong token", () => ({ headers: bearer("wrong") })],
      [
        "a wrong token beside the right secret",
        () => ({ headers: bearer("x"), query: { secret } }),
      ],
      ["a wrong password", () => ({ headers: basic("sandbox", `${secret}x`) })],
      ["a secret where the name belongs", () => ({ headers: basic(secret, "") })],
      ["a wrong secret in the URL", () => ({ headers: {}, query: { secret: "wrong" } })],
      ["an empty secret", () => ({ headers: {}, query: { secret: "" } })],
      ["another carrier's secret", () => ({ path: "/carriers/other/dlr" })],
      ["a carrier that there is not", () => ({ path: "/carriers/unknown/dlr" })],
      ["a name that is none", () => ({ path: "/carriers/A%20b/dlr" })],
      ["another path", () => ({ path: "/carriers/sandbox/dlr/x" })],
    ])("%s, and says no more", async (_, request) => {
      expect(await call({ body: receipt(), ...request() })).toEqual({
        status: 401,
        headers: expect.objectContaining({ "www-authenticate": expect.any(String) }),
        body: '{"error":"unauthorized"}',
      });
      expect(reports.asked).toEqual([]);
    });

    it("who has a secret that was rotated out, within seconds", async () => {
      await call({ body: receipt() });
      const account = await accounts.findCarrierAccount("sandbox");
      if (!account) throw new Error("there is no such account");
      await accounts.updateCarrierAccount(account, { ...account, secrets: [], revision: 1 });
      expect(await call({ body: receipt() })).toMatchObject({ status: 200 });
      clock.advance(CARRIER_MEMORY_MS);
      expect(await call({ body: receipt() })).toMatchObject({ status: 401 });
    });
  });

  it.each<[string, unknown, string]>([
    ["a missing field", { ...receipt(), ref: { account: "acme", id: "id-1" } }, "ref.traceId: "],
    ["an empty name", receipt({ ref: { account: "", id: "i", traceId: "t" } }), "ref.account: "],
    [
      "an endless name",
      receipt({ ref: { account: "a", id: "i".repeat(257), traceId: "t" } }),
      "ref.id: ",
    ],
    ["an unknown outcome", receipt({ outcome: "lost" }), "outcome: "],
    ["an unknown reason", receipt({ outcome: "not-delivered", reason: "tired" }), "reason: "],
    ["part 0", receipt({ part: 0 }), "part: "],
    ["a time without zone", receipt({ at: "2026-03-02T15:00:00" }), "at: "],
    ["a time before there was any", receipt({ at: "1969-12-31T23:59:59Z" }), "at: "],
    ["the second of a list", [receipt(), receipt({ at: 5 })], "1.at: "],
    ["what is no object", [5], "0: "],
    ["no JSON", "{", "body: "],
    ["nothing", undefined, "body: "],
  ])("refuses a receipt with %s, and names the field", async (_, body, field) => {
    const answer = await call({ body });
    expect(answer).toMatchObject({ status: 400 });
    expect(JSON.parse(answer.body).error).toMatch(new RegExp(`^${field}.`));
    expect(reports.asked).toEqual([]);
    expect(log.errors).toEqual([]);
  });

  it.each([
    ["from", { from: `+${PHONE}` }],
    ["from", { from: "Vivo" }],
    ["text", { text: undefined }],
    ["text", { text: "x".repeat(255 * 153 + 1) }],
    ["carrierMessageId", { carrierMessageId: "" }],
    ["shortCode", { shortCode: undefined }],
  ])("refuses an MO whose `%s` is wrong, and names it", async (field, overrides) => {
    const answer = await call({ ...mos, body: mo(overrides) });
    expect(answer.status).toBe(400);
    expect(JSON.parse(answer.body).error).toMatch(new RegExp(`^${field}: .`));
    expect(answer.body).not.toContain(PHONE);
  });

  it("refuses what is too large, and takes what is just not", async () => {
    const padded = (bytes: number) => {
      const bare = JSON.stringify(receipt());
      return bare.padEnd(bytes);
    };
    expect(await call({ body: padded(MAX_BODY_BYTES) })).toMatchObject({ status: 200 });
    expect(await call({ body: padded(MAX_BODY_BYTES + 1) })).toMatchObject({ status: 413 });
    expect(reports.events).toHaveLength(1);
  });

  it("refuses a GET where the carrier posts", async () => {
    expect(await call({ method: "GET", body: receipt() })).toMatchObject({ status: 400 });
  });

  describe("has the carrier come again", () => {
    const unavailable = {
      status: 503,
      headers: expect.objectContaining({ "retry-after": expect.stringMatching(/^\d+$/) }),
      body: '{"error":"unavailable"}',
    };

    it("where the queue refuses", async () => {
      reports.state = "refuses";
      expect(await call({ body: receipt() })).toEqual(unavailable);
      reports.state = "fine";
      expect(await call({ body: receipt() })).toMatchObject({ status: 200 });
      expect(reports.events).toHaveLength(1);
    });

    it("where the queue does not answer in time", async () => {
      reports.state = "hangs";
      const answer = call({ body: receipt() });
      await expect.poll(() => reports.asked).toEqual([1]);
      expect(timeLimit.asked).toEqual([4_000]);
      timeLimit.reach();
      expect(await answer).toEqual(unavailable);
    });

    it("where nobody knows whether it may report", async () => {
      accounts.findCarrierAccount = async () => {
        throw new Error("the directory is away");
      };
      expect(await call({ body: receipt() })).toEqual(unavailable);
    });

    it("where this version does not know how it reports", async () => {
      const account = await accounts.findCarrierAccount("sandbox");
      if (!account) throw new Error("there is no such account");
      await accounts.updateCarrierAccount(account, { ...account, protocol: "new", revision: 1 });
      expect(await call({ body: receipt() })).toEqual(unavailable);
      expect(log.errors).toMatchObject([{ error: "UnknownProtocolError" }]);
    });
  });

  describe("of a carrier with words of its own", () => {
    const fields = { account: "acme", id: "id-1", trace: "trace-1" };
    const report = (status: string): Request => ({
      method: "GET",
      path: "/carriers/other/dlr",
      headers: { "x-from": "there" },
      query: { ...fields, status, secret: "secret-2" },
    });

    it("gets what was sent, without the secret, and answers as the carrier likes it", async () => {
      expect(await call(report("1"))).toEqual({
        status: 204,
        headers: expect.objectContaining({ "content-type": "text/plain" }),
        body: "",
      });
      expect(inQuery.requests).toEqual([
        {
          method: "GET",
          headers: { "x-from": "there" },
          query: { ...fields, status: "1" },
          body: Buffer.alloc(0),
        },
      ]);
      expect(reports.events).toMatchObject([{ carrier: "other", at: clock.now() }]);
      await call({ ...report("1"), headers: basic("any", "secret-2"), query: fields });
      expect(inQuery.requests[1]).toMatchObject({ headers: {} });
      expect(inQuery.requests[1]?.headers).not.toHaveProperty("authorization");
    });

    it("takes what needs nothing to be done, and refuses what cannot be read", async () => {
      expect(await call(report("8"))).toMatchObject({ status: 204 });
      expect(reports.events).toEqual([]);
      expect(await call(report("x"))).toMatchObject({
        status: 400,
        body: '{"error":"status: is not known"}',
      });
    });
  });
});
