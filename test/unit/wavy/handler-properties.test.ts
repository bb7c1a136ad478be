import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ApiResponse } from "../../../functions/runtime/http.ts";
import { sampleMo } from "../../support/samples.ts";
import {
  errorOf,
  expectHarmlessLog,
  goodRequest,
  idsOf,
  mosOf,
  OPERATIONS,
  statusesOf,
  TestWavyApi,
  USERS,
  type UserName,
} from "./support.ts";

const NOW = Date.parse("2026-03-02T15:00:00Z");

/** An API that has something of everything that can be named. */
async function furnished() {
  const api = new TestWavyApi({ account: { limits: { perDay: 1_000, prepaid: false } } });
  const base = { version: 1, account: "acme", createdAt: 0 } as const;
  await api.contents.putFlow({ ...base, flowId: "flow", text: "Hello, {{name}}!" });
  await api.contents.putTemplate({ ...base, templateId: 1, name: "hello", text: "{{a}}{{a}}" });
  await api.contents.insertCampaign({ ...base, campaignId: 1, alias: "Promo" });
  const number = "5519900002222";
  await api.blockedNumbers.block({ ...base, number });
  await api.mos.insert(sampleMo(NOW, { subAccount: "Marketing" }));
  await api.send({ correlationId: "a" });
  return api;
}

/** Checks that an answer is one that docs/wavy.md promises. @returns whether it is no error */
function expectDocumented(response: ApiResponse, path = ""): boolean {
  expectHarmlessLog(response);
  if (response.status !== 200) {
    expect(errorOf(response)).toMatch(
      /^(400 INVALID_REQUEST|401 UNAUTHORIZED|403 FORBIDDEN|404 NOT_FOUND|405 METHOD_NOT_ALLOWED|413 PAYLOAD_TOO_LARGE|415 UNSUPPORTED_MEDIA_TYPE)$/,
    );
    expect(JSON.stringify(response.body)).not.toMatch(/\.[jt]s:\d|node_modules|\n\s+at /);
    return false;
  }
  if (path.includes("send")) expect(idsOf(response).length).toBeGreaterThan(0);
  if (path.includes("/status/")) statusesOf(response);
  if (path.includes("/receive/")) mosOf(response);
  // What is answered is what the client gets.
  expect(JSON.parse(JSON.stringify(response.body))).toEqual(response.body);
  return true;
}

describe("whatever comes", () => {
  /** Values of which some are good, so that more than the first field is looked at. */
  const instant = fc.oneof(
    fc.integer({ min: NOW - 1e6, max: NOW + 1e10 }),
    fc.constantFrom(0, -1, NOW / 1_000, 1e11, 1e15, 1e300, 0.5, "12"),
  );
  const minutes = fc.oneof(fc.nat(1_000), fc.integer(), fc.double(), fc.constantFrom("5", 1e9));
  const date = fc.oneof(
    fc.constantFrom(
      "",
      "2026-03-03T10:00:00",
      "2026-03-02T17:00:00Z",
      "2026-03-03T10:00:00+99:99",
      "2026-03-29T02:30:00",
    ),
    fc.date().map(String),
    fc.date({ noInvalidDate: true }).map((at) => at.toISOString()),
  );
  const text = fc.string({ unit: "binary", maxLength: 300 });
  const FIELDS = new Map<string, fc.Arbitrary<unknown>>(
    Object.entries({
      destination: fc.oneof(
        fc.constantFrom("5519900001111", 5519900001111, "5519900002222", "123", ""),
        fc.string({ unit: "binary", maxLength: 120 }),
        fc.double(),
      ),
      messageText: text,
      correlationId: fc.oneof(text, fc.nat(), fc.constantFrom("a", "__proto__")),
      extraInfo: fc.oneof(text, fc.nat()),
      flashSMS: fc.constantFrom(true, "false", "TRUE", 1),
      scheduledAt: instant,
      delayedInMinutes: minutes,
      scheduledDate: date,
      scheduleDate: date,
      expiresAt: instant,
      expiresInMinutes: minutes,
      expiresDate: date,
      timeWindow: fc.array(fc.oneof(fc.nat(30), fc.string()), { maxLength: 30 }),
      timeZone: fc.oneof(fc.constantFrom("UTC", "Asia/Tokyo", "+25:00", "-0100", "x"), text),
      campaignAlias: fc.oneof(fc.constantFrom("Promo", "nope"), text),
      flowId: fc.oneof(fc.constantFrom("flow", "nope"), text),
      templateId: fc.oneof(fc.constantFrom(1, "1", 0), fc.double()),
      templateName: fc.oneof(fc.constantFrom("hello", "nope"), text),
      subAccount: fc.oneof(fc.constantFrom("Marketing", "Vendas", "nope"), text),
      params: fc.dictionary(
        fc.oneof(fc.constantFrom("name", "a", "__proto__", "constructor"), text),
        fc.oneof({ weight: 5, arbitrary: text }, { weight: 1, arbitrary: fc.jsonValue() }),
      ),
      ids: fc.array(fc.oneof(text, fc.constantFrom("uuid-1", "UUID-1"), fc.jsonValue())),
      correlationIds: fc.array(fc.oneof(text, fc.constantFrom("a"), fc.jsonValue())),
      messages: fc.array(fc.jsonValue()),
      defaultValues: fc.jsonValue(),
    }),
  );
  const anything = fc.jsonValue({ maxDepth: 3 });
  const names = [...FIELDS.keys(), "__proto__", "constructor", "toString", "valueOf"];
  /** An object in JSON, written by hand: `__proto__` would be no field of one in JavaScript. */
  const field = (name: string) =>
    fc
      .oneof(
        { weight: 8, arbitrary: FIELDS.get(name) ?? anything },
        { weight: 1, arbitrary: anything },
      )
      .map((value) => `${JSON.stringify(name)}:${JSON.stringify(value)}`);
  const fields = (maxLength: number) =>
    fc
      .uniqueArray(fc.constantFrom(...names), { maxLength })
      .chain((some) => fc.tuple(...some.map(field)));
  const object = (...first: string[]) =>
    fc
      .tuple(fc.constantFrom("", ...first), fields(4))
      .map(([good, more]) => `{${[...(good ? [good] : []), ...more]}}`);
  const sms = object('"destination":"5519900001111","messageText":"x"');

  const json = anything.map((value) => JSON.stringify(value));
  const bulk = fc
    .record({
      messages: fc.array(fc.oneof(sms, json), { minLength: 1, maxLength: 5 }),
      usual: fc.oneof(fc.constant('{"messageText":"x"}'), sms, json),
      root: fields(3),
    })
    .map(
      ({ messages, usual, root }) =>
        `{${[`"messages":[${messages}]`, `"defaultValues":${usual}`, ...root]}}`,
    );
  const search = object('"ids":["uuid-1"]', '"correlationIds":["a","b"]');
  const bodies = fc.oneof(json, sms, bulk, search);
  const users = fc.constantFrom(...(Object.keys(USERS) as UserName[]));

  it.each(OPERATIONS.filter(([method]) => method === "POST"))(
    "%s %s answers any JSON",
    async (_, path) => {
      const api = await furnished();
      await fc.assert(
        fc.asyncProperty(bodies, users, async (body, as) => {
          expectDocumented(await api.post(path, body, as), path);
        }),
        { numRuns: 400 },
      );
    },
  );

  it.each([
    ["/v1/send-sms", sms],
    ["/v1/send-bulk-sms", bulk],
    ["/v1/sms/status/search", search],
  ] as const)(
    "takes some of what that property sends to %s, and refuses some",
    async (path, good) => {
      const api = await furnished();
      const outcomes = await Promise.all(
        fc
          .sample(good, { numRuns: 200, seed: 1 })
          .map(async (body) => expectDocumented(await api.post(path, body), path)),
      );
      expect(new Set(outcomes)).toEqual(new Set([true, false]));
    },
  );

  it("stores messages of all it takes, in a batch or alone, that can be asked about", async () => {
    await fc.assert(
      fc.asyncProperty(fc.oneof(sms, bulk), async (body) => {
        const api = await furnished();
        for (const path of ["/v1/send-sms", "/v1/send-bulk-sms"]) {
          const response = await api.post(path, body);
          if (response.status !== 200) continue;
          const ids = idsOf(response);
          const asked = async () => statusesOf(await api.search({ ids })).map(({ id }) => id);
          expect((await asked()).sort()).toEqual([...ids].sort());
          await api.expand();
          expect((await asked()).sort()).toEqual([...ids].sort());
        }
      }),
      { numRuns: 200 },
    );
  });

  it("answers any bytes of any type", async () => {
    const api = await furnished();
    const types = fc.constantFrom("application/json", "text/xml", undefined, "x");
    await fc.assert(
      fc.asyncProperty(fc.uint8Array(), types, async (bytes, type) => {
        for (const [method, path] of OPERATIONS) {
          const headers = { "content-type": type };
          const request = { ...goodRequest(method, path), body: Buffer.from(bytes), headers };
          expectDocumented(await api.call(request), path);
        }
      }),
    );
  });

  const words = fc.oneof(fc.constantFrom(...names, "id", "start", "end", "username"), text);
  const queries = fc.dictionary(
    words,
    fc.oneof(
      text,
      date,
      words,
      fc.constantFrom("[11,12]", "11,12", '{"name":"Ana"}', "[", "{", "5519900001111"),
      fc.integer().map(String),
    ),
  );

  it.each(OPERATIONS)("%s %s answers any query", async (method, path) => {
    const api = await furnished();
    await fc.assert(
      fc.asyncProperty(queries, users, async (query, as) => {
        const request = goodRequest(method, path);
        expectDocumented(await api.call({ ...request, query }, as), path);
        const more = { ...request.query, ...query };
        expectDocumented(await api.call({ ...request, query: more }, as), path);
      }),
      { numRuns: 300 },
    );
  });

  it("answers any path and method", async () => {
    const api = await furnished();
    const starts = fc.constantFrom("", "/", "/v1/", ...OPERATIONS.map(([, path]) => path));
    const ends = fc
      .array(fc.oneof(words, date, fc.constantFrom("/", "..", "%00")))
      .map((some) => some.join("/"));
    const methods = fc.constantFrom("GET", "POST", "PUT", "HEAD", "toString", "");
    await fc.assert(
      fc.asyncProperty(methods, starts, ends, async (method, start, end) => {
        expectDocumented(await api.call({ method, path: start + end }));
      }),
      { numRuns: 1_000 },
    );
  });

  it("answers any headers, and lets nobody in by them", async () => {
    const api = await furnished();
    const headers = fc.dictionary(
      fc.oneof(fc.constantFrom("username", "authenticationtoken", "content-type"), text),
      fc.oneof(fc.constantFrom("", "Ana", "ana@acme.example", "chefe", "acme"), text),
    );
    await fc.assert(
      fc.asyncProperty(headers, fc.constantFrom(...OPERATIONS), async (given, [method, path]) => {
        const nobody = { username: undefined, authenticationtoken: undefined };
        const request = { ...goodRequest(method, path), headers: { ...nobody, ...given } };
        expect(errorOf(await api.call(request))).toBe("401 UNAUTHORIZED");
        const { username: _, authenticationtoken: __, ...others } = given;
        expectDocumented(await api.call({ ...request, headers: others }), path);
      }),
      { numRuns: 300 },
    );
  });

  it("leaves the function as JSON, whatever API Gateway hands it", async () => {
    const api = await furnished();
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...OPERATIONS), queries, bodies, async (it, query, body) => {
        const [method, path] = it;
        const { statusCode = 0, body: answer = "" } = await api.invoke({
          method,
          path,
          query,
          body,
        });
        expect(statusCode).toBeGreaterThanOrEqual(200);
        expect(statusCode).toBeLessThan(500);
        expect(() => JSON.parse(answer)).not.toThrow();
      }),
      { numRuns: 300 },
    );
  });
});
