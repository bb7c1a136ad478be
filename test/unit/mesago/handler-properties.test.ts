import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MESAGO_DETAIL, MESAGO_STATUS } from "../../../functions/core/codes.ts";
import { SOAP_OPERATIONS } from "../../../functions/mesago/soap.ts";
import type { ApiResponse } from "../../../functions/runtime/http.ts";
import {
  contentOf,
  ENVELOPES,
  expectHarmlessLog,
  goodRequest,
  isFields,
  listOf,
  OPERATIONS,
  TestApi,
} from "./support.ts";

describe("whatever comes", () => {
  /** Values of which some are good, so that more than the first field is looked at. */
  const date = fc.oneof(
    fc.constantFrom("", "2026-03-03T10:00:00", "2026-03-02T12:00:00Z", "2026-03-03T10:00:00+99:99"),
    fc.date().map(String),
  );
  const FIELDS = new Map<string, fc.Arbitrary<unknown>>(
    Object.entries({
      destination: fc.constantFrom("5519900001111", 5519900001111, "123"),
      messageText: fc.string({ unit: "binary", maxLength: 300 }),
      correlationId: fc.oneof(fc.string(), fc.nat(), fc.constantFrom("a", "__proto__")),
      callbackOption: fc.constantFrom("ALL", "NONE"),
      extraInfo: fc.oneof(fc.string(), fc.nat()),
      flashSMS: fc.constantFrom(true, "false"),
      timeWindow: fc.array(fc.oneof(fc.nat(30), fc.string())),
      timeZone: fc.constantFrom("UTC", "Asia/Tokyo", "+25:00", "+14:00", "x"),
      scheduledDate: date,
      expiresDate: date,
      from: fc.string(),
      messages: fc.array(fc.jsonValue()),
      defaultValues: fc.jsonValue(),
    }),
  );
  const anything = fc.jsonValue({ maxDepth: 3 });
  const names = [
    ...FIELDS.keys(),
    ...["to", "msg", "id", "schedule", "aggregateId", "flashSms"],
    ...["__proto__", "constructor", "toString", "valueOf"],
  ];
  /** An object in JSON, written by hand: `__proto__` would be no field of one in JavaScript. */
  const field = (name: string) =>
    fc
      .oneof(
        { weight: 5, arbitrary: FIELDS.get(name) ?? anything },
        { weight: 1, arbitrary: anything },
      )
      .map((value) => `${JSON.stringify(name)}:${JSON.stringify(value)}`);
  const sms = fc
    .tuple(
      fc.constantFrom("", '"destination":"5519900001111","messageText":"x",'),
      fc
        .uniqueArray(fc.constantFrom(...names), { minLength: 1, maxLength: 6 })
        .chain((some) => fc.tuple(...some.map(field))),
    )
    .map(([good, fields]) => `{${good}${fields}}`);

  const json = anything.map((value) => JSON.stringify(value));
  const bodies = fc.oneof(
    json,
    fc.oneof(sms, json).map((fields) => `{"sendSmsRequest":${fields}}`),
    fc
      .record({
        messages: fc.array(fc.oneof(sms, json), { maxLength: 5 }),
        usual: fc.oneof(sms, json),
        root: sms,
      })
      .map(({ messages, usual, root }) => {
        const list = `"messages":[${messages}],"sendSmsRequestList":[${messages}]`;
        return `{"sendSmsMultiRequest":{${list},"defaultValues":${usual},${root.slice(1)}}`;
      }),
  );

  /** Checks that an answer is one that docs/mesago.md promises, in this envelope. */
  function expectDocumented(response: ApiResponse, envelope?: string) {
    expect(response.status).toBeGreaterThanOrEqual(200);
    expect(response.status).toBeLessThan(500);
    const keys = isFields(response.body) ? Object.keys(response.body) : [];
    expect(envelope === undefined ? ENVELOPES : [envelope]).toContain(keys[0]);
    const content = contentOf(response);
    const isList = keys[0] === "sendSmsMultiResponse" && content.detailCode === undefined;
    for (const answer of isList ? listOf(response) : [content]) {
      const { statusCode, statusDescription, detailCode, detailDescription } = answer;
      expect(Object.entries(MESAGO_STATUS)).toContainEqual([statusCode, statusDescription]);
      expect(Object.entries(MESAGO_DETAIL)).toContainEqual([detailCode, detailDescription]);
      expect(detailCode).not.toBe("999");
    }
    const accepted = isList && listOf(response).some(({ detailCode }) => detailCode === "000");
    if (isList || content.detailCode === "000")
      expect(response.status).toBe(accepted || !isList ? 201 : 200);
    expectHarmlessLog(response);
  }

  it.each(OPERATIONS.filter(([method]) => method === "POST"))(
    "%s %s answers any JSON with known codes in its envelope",
    async (_, path, envelope) => {
      const api = new TestApi({ account: { longMessages: true } });
      await fc.assert(
        fc.asyncProperty(bodies, async (body) => {
          expectDocumented(await api.post(path, body), envelope);
        }),
        { numRuns: 200 },
      );
    },
  );

  it("takes some of what that property sends, so that it says something", async () => {
    const api = new TestApi();
    const accepted = await Promise.all(
      fc
        .sample(bodies, { numRuns: 300, seed: 1 })
        .flatMap((body) =>
          ["/api/send-sms", "/api/send-sms-multiple"].map((path) => api.post(path, body)),
        ),
    );
    for (const status of [200, 201, 400]) {
      expect(accepted.map((response) => response.status)).toContain(status);
    }
  });

  it("answers any bytes", async () => {
    const api = new TestApi();
    const types = fc.constantFrom("application/json", "text/xml", undefined, "x");
    await fc.assert(
      fc.asyncProperty(fc.uint8Array(), types, async (bytes, type) => {
        for (const [method, path, envelope] of OPERATIONS) {
          const headers = { "content-type": type };
          const body = Buffer.from(bytes);
          expectDocumented(await api.call({ method, path, body, headers }), envelope);
        }
      }),
    );
  });

  const words = fc.oneof(
    fc.constantFrom("version", "1.0", "wsdl", "__proto__", "constructor", "to", "msg", ...names),
    fc.string({ unit: "binary" }),
  );
  const queries = fc.dictionary(words, fc.oneof(fc.string({ unit: "binary" }), date, words));

  it("answers any query", async () => {
    const api = new TestApi();
    await fc.assert(
      fc.asyncProperty(
        queries,
        fc.constantFrom(...OPERATIONS),
        async (query, [method, path, envelope]) => {
          const request = goodRequest(method, path);
          expectDocumented(await api.call({ ...request, query }), envelope);
          expectDocumented(
            await api.call({ ...request, query: { ...request.query, ...query } }),
            envelope,
          );
        },
      ),
      { numRuns: 500 },
    );
  });

  it("answers any path and method", async () => {
    const api = new TestApi();
    const starts = fc.constantFrom(
      "",
      "/",
      ...OPERATIONS.map(([, path]) => path.replace(/(?:id-1|2026.*)$/, "")),
    );
    const ends = fc
      .array(fc.oneof(words, date, fc.constantFrom("/", "..", "%00")))
      .map((some) => some.join("/"));
    const methods = fc.constantFrom("GET", "POST", "PUT", "HEAD", "toString");
    await fc.assert(
      fc.asyncProperty(methods, starts, ends, async (method, start, end) => {
        expectDocumented(await api.call({ method, path: start + end }));
      }),
      { numRuns: 1_000 },
    );
  });

  it("answers any SOAP, any query with it, and any text in any field", async () => {
    const api = new TestApi();
    const escaped = (text: string) =>
      text
        .replace(/[&<>]/g, (it) => `&#${it.codePointAt(0)};`)
        .replace(/[^\t\n\r\u0020-\ud7ff]/g, "?");
    const fields = fc
      .array(
        fc.tuple(
          fc.constantFrom(...names.slice(0, 11), "id", "startDate", "endDate"),
          fc.oneof(words, date),
        ),
      )
      .map((some) => some.map(([name, text]) => `<${name}>${escaped(text)}</${name}>`).join(""));
    const operations = fc.constantFrom(...SOAP_OPERATIONS);
    await fc.assert(
      fc.asyncProperty(
        operations,
        fields,
        fc.array(fields, { maxLength: 3 }),
        queries,
        async (operation, own, messages, query) => {
          const list = messages.map((it) => `<messages>${it}</messages>`).join("");
          const { version: _, ...others } = query;
          const response = await api.soap(operation, own + list, { query: others });
          expect([200, 400]).toContain(response.status);
          expect(String(response.body)).toMatch(
            response.status === 200 ? /<detailCode>\d{3}<\/detailCode>/ : /<faultcode>\w+:Client</,
          );
          expectHarmlessLog(response);
        },
      ),
      { numRuns: 300 },
    );
  });
});
