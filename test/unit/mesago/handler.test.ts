import { describe, expect, it } from "vitest";
import { type ApiRequest, MAX_BODY_BYTES } from "../../../functions/runtime/http.ts";
import {
  apiWithout,
  codesOf,
  contentOf,
  DIALECTS,
  type DialectName,
  type Fields,
  goodRequest,
  OK,
  OPERATIONS,
  TestApi,
  WRONG_CREDENTIALS,
} from "./support.ts";

const SMS = { destination: "5519900001111", messageText: "Hello" };
const SCHEDULED = { ...SMS, scheduledDate: "2026-03-03T10:00:00" };

describe("authentication", () => {
  it.each(WRONG_CREDENTIALS)(
    "refuses %s with 900, in every operation's envelope",
    async (_, authorization) => {
      const api = new TestApi();
      for (const [method, path, envelope] of OPERATIONS) {
        const request = { ...goodRequest(method, path), headers: { authorization } };
        const { log: __, ...response } = await api.call(request);
        expect([path, response]).toEqual([
          path,
          {
            status: 401,
            headers: { "www-authenticate": 'Basic realm="SMS API", charset="UTF-8"' },
            body: {
              [envelope]: {
                statusCode: "10",
                statusDescription: "Error",
                detailCode: "900",
                detailDescription: "Authentication error",
              },
            },
          },
        ]);
      }
      expect(api.dispatchQueue.entries).toEqual([]);
      expect(api.batchQueue.jobs).toEqual([]);
    },
  );

  it("refuses an account that was disabled, or has no password", async () => {
    const disabled = new TestApi({ account: { state: "disabled" } });
    expect(await disabled.sendSms({})).toMatchObject({ status: 401 });
    const without = new TestApi({ account: { credentials: [] } });
    expect(await without.sendSms({})).toMatchObject({ status: 401 });
  });

  it.each([
    ["malformed JSON", "{", {}],
    ["a body that is too large", " ".repeat(4 * MAX_BODY_BYTES + 1), {}],
    ["another content type", "x", { "content-type": "text/plain" }],
  ])("comes before the body is looked at: %s", async (_, body, headers) => {
    const api = new TestApi();
    for (const { sendPath, multiplePath } of Object.values(DIALECTS)) {
      for (const path of [sendPath, multiplePath]) {
        const refused = { ...headers, authorization: undefined };
        expect(await api.post(path, body, { headers: refused })).toMatchObject({ status: 401 });
      }
    }
  });
});

describe("paths and methods", () => {
  it.each(OPERATIONS)("has %s %s, answered in %s", async (method, path, envelope) => {
    const response = await new TestApi().call(goodRequest(method, path));
    expect(response.status).toBeLessThan(300);
    expect(response.body).toHaveProperty(envelope);
  });

  it.each(["send-sms", "send-sms-multiple", "received/list"])(
    "takes a slash at the end of %s",
    async (name) => {
      for (const base of ["/api", "/services"]) {
        const path = `${base}/${name}`;
        const request = goodRequest("POST", path);
        const response = await new TestApi().call({ ...request, path: `${path}/` });
        expect(response.status).toBe(name === "received/list" ? 200 : 201);
      }
    },
  );

  it("takes a slash at the end of a search", async () => {
    const path = `${DIALECTS.mesago.searchPath("2026-03-01T00:00:00", "2026-03-02T00:00:00")}/`;
    expect(await new TestApi().get(path)).toMatchObject({ status: 200 });
  });

  const ALLOWED: readonly [string, string, string][] = ["/api", "/services"].flatMap((base) => {
    const id = base === "/api" ? "/id/x" : "/x";
    return [
      [`${base}/send-sms`, "POST, GET", "sendSmsResponse"],
      [`${base}/send-sms-multiple`, "POST", "sendSmsMultiResponse"],
      [`${base}/get-sms-status${id}`, "GET", "getSmsStatusResp"],
      [`${base}/cancel-sms${id}`, "POST", "cancelSmsResp"],
      [`${base}/received/list`, "POST", "receivedResponse"],
      [`${base}/received/search/x/y`, "GET", "receivedResponse"],
    ] as [string, string, string][];
  });

  it.each(ALLOWED)(
    "answers other methods of %s with 405, and allows %s",
    async (path, allow, envelope) => {
      const methods = [
        "GET",
        "POST",
        "PUT",
        "DELETE",
        "PATCH",
        "HEAD",
        "OPTIONS",
        "get",
        "constructor",
      ];
      for (const method of methods.filter((it) => !allow.split(", ").includes(it))) {
        const { log: _, ...response } = await new TestApi().call({ method, path });
        expect(response).toEqual({
          status: 405,
          headers: { allow },
          body: {
            [envelope]: {
              statusCode: "10",
              statusDescription: "Error",
              detailCode: "998",
              detailDescription: "Wrong operation requested",
            },
          },
        });
      }
    },
  );

  it.each([
    "/",
    "",
    "/api",
    "/api/",
    "/services",
    "/api/nope",
    "/api/send-sms/x",
    "/api/send-smsx",
    "/api/Send-Sms",
    "/api//send-sms",
    "/apisend-sms",
    "/x/api/send-sms",
    "/api/get-sms-status",
    "/api/get-sms-status/idx",
    "/api/received",
    "/api/received/search/a/b/c",
    "/api/soap/x",
    "/services/soap",
    "/api/send-sms\n",
    "/__proto__",
    "/api/constructor",
  ])("answers %j with 404, in the envelope of send-sms", async (path) => {
    for (const method of ["GET", "POST"]) {
      const { log: _, ...response } = await new TestApi().call({ method, path });
      expect(response).toEqual({
        status: 404,
        body: {
          sendSmsResponse: {
            statusCode: "10",
            statusDescription: "Error",
            detailCode: "998",
            detailDescription: "Wrong operation requested",
          },
        },
      });
    }
  });
});

describe("the version", () => {
  it.each(OPERATIONS)("of %s %s is 1.0, and no other", async (method, path, envelope) => {
    const ask = (version: string) => {
      const request = goodRequest(method, path);
      return new TestApi().call({ ...request, query: { ...request.query, version } });
    };
    expect((await ask("1.0")).status).toBeLessThan(300);
    for (const version of ["2.0", "1", "1.0.0", "", "__proto__", "1.0,1.0"]) {
      expect(await ask(version)).toMatchObject({
        status: 400,
        body: { [envelope]: { statusCode: "10", detailCode: "998", hint: expect.any(String) } },
      });
    }
  });
});

describe.each(Object.keys(DIALECTS) as DialectName[])("the body of send-sms, %s", (dialect) => {
  const { sendPath, named } = DIALECTS[dialect];
  const good = { sendSmsRequest: named(SMS) };
  const NO_DESTINATION = "10/014";

  it.each([
    ["malformed JSON", '{"sendSmsRequest":', 400, "170"],
    ["two values", "{}{}", 400, "170"],
    ["a comment", '{"sendSmsRequest":{}} // x', 400, "170"],
    ["an empty body", "", 400, "170"],
    ["white space", " \n", 400, "170"],
    ["a list", "[]", 400, "170"],
    ["a text", '"sendSmsRequest"', 400, "170"],
    ["a number", "5", 400, "170"],
    ["null", "null", 400, "170"],
    ["no envelope", "{}", 400, "172"],
    ["another envelope", '{"sendSmsMultiRequest":{}}', 400, "172"],
    ["a prototype", '{"__proto__":{"sendSmsRequest":{}}}', 400, "172"],
    ["an envelope of null", '{"sendSmsRequest":null}', 400, "172"],
    ["an envelope that is a list", '{"sendSmsRequest":[]}', 400, "170"],
    ["an envelope that is a number", '{"sendSmsRequest":5}', 400, "170"],
    ["an envelope that is false", '{"sendSmsRequest":false}', 400, "170"],
    ["deep nesting", `{"sendSmsRequest":${"[".repeat(50_000)}${"]".repeat(50_000)}}`, 400, "170"],
  ])("is refused for %s, with a hint", async (_, body, status, detailCode) => {
    const response = await new TestApi().post(sendPath, body);
    expect(response.status).toBe(status);
    expect(response.body).toEqual({
      sendSmsResponse: {
        statusCode: "10",
        statusDescription: "Error",
        detailCode,
        detailDescription: detailCode === "170" ? "Bad message" : "Missing parameter",
        hint: expect.stringMatching(/^[A-Z].+\.$/),
      },
    });
  });

  it("has no hint where a field is refused", async () => {
    const response = await new TestApi().post(sendPath, { sendSmsRequest: { timeWindow: [24] } });
    expect(contentOf(response)).not.toHaveProperty("hint");
  });

  it("is refused in another encoding than UTF-8", async () => {
    const body = Buffer.from('{"sendSmsRequest":{"messageText":"olá"}}', "latin1");
    expect(await new TestApi().call({ path: sendPath, body })).toMatchObject({
      status: 400,
      body: { sendSmsResponse: { detailCode: "170", hint: "The body is not JSON in UTF-8." } },
    });
  });

  it("is taken with a byte-order mark", async () => {
    const response = await new TestApi().post(sendPath, `\ufeff${JSON.stringify(good)}`);
    expect(response.status).toBe(201);
  });

  it("is taken with 1 MiB, and no more", async () => {
    const body = { ...good, pad: "" };
    body.pad = "p".repeat(MAX_BODY_BYTES - JSON.stringify(body).length);
    expect(await new TestApi().post(sendPath, body)).toMatchObject({ status: 201 });
    body.pad += "p";
    expect(await new TestApi().post(sendPath, body)).toMatchObject({
      status: 413,
      body: { sendSmsResponse: { detailCode: "170", hint: "The body is too large." } },
    });
  });

  it("is counted in bytes", async () => {
    const pad = "ç".repeat(MAX_BODY_BYTES / 2);
    expect(await new TestApi().post(sendPath, { ...good, pad })).toMatchObject({ status: 413 });
  });

  it.each([
    [undefined, 201],
    ["application/json", 201],
    ["application/json; charset=utf-8", 201],
    ["application/vnd.client+json", 201],
    ["APPLICATION/JSON", 201],
    ['application/json;charset="UTF-8"', 201],
    ["application/json; charset=us-ascii", 201],
    ["application/json; charset=iso-8859-1", 415],
    ["text/plain", 415],
    ["text/xml", 415],
    ["application/x-www-form-urlencoded", 415],
    ["application/jsonp", 415],
    ["", 415],
  ])("of the type %s is answered with %d", async (contentType, status) => {
    const response = await new TestApi().post(sendPath, good, {
      headers: { "content-type": contentType },
    });
    expect(response.status).toBe(status);
    if (status === 415) {
      expect(contentOf(response)).toMatchObject({ detailCode: "170", hint: expect.any(String) });
    }
  });

  it("has no field in what JSON calls __proto__", async () => {
    const body = `{"sendSmsRequest":{"__proto__":${JSON.stringify(named(SMS))}}}`;
    expect(codesOf(await new TestApi().post(sendPath, body))).toBe(NO_DESTINATION);
    const query = JSON.parse(`{"__proto__":${JSON.stringify(named(SMS))}}`);
    expect(codesOf(await new TestApi().get(sendPath, { query }))).toBe(NO_DESTINATION);
    expect(Object.hasOwn(Object.prototype, "destination")).toBe(false);
  });
});

describe("what goes wrong on our side", () => {
  const failing = async (api: TestApi, method: string, path: string) => {
    const response = await api.call(goodRequest(method, path));
    expect(JSON.stringify(response.body)).not.toMatch(/secret|refused|away|Error:/);
    return response;
  };
  const UNKNOWN = {
    statusCode: "99",
    statusDescription: "Nok",
    detailCode: "999",
    detailDescription: "Unknown Error",
  };

  it.each(OPERATIONS)(
    "is 500 in the envelope of %s %s where the directory is away",
    async (method, path, envelope) => {
      const response = await failing(apiWithout("directory"), method, path);
      expect(response).toMatchObject({ status: 500, body: { [envelope]: UNKNOWN } });
      expect(contentOf(response)).toEqual(UNKNOWN);
    },
  );

  it.each(OPERATIONS)(
    "is 503 or 500 in the envelope of %s %s where the stores are away",
    async (method, path, envelope) => {
      const response = await failing(apiWithout("stores"), method, path);
      const isSend = envelope === "sendSmsResponse" || envelope === "sendSmsMultiResponse";
      expect(response.status).toBe(isSend ? 503 : 500);
      expect(contentOf(response)).toEqual(UNKNOWN);
      expect(response.log?.traceId).toEqual(isSend ? "uuid-1" : undefined);
    },
  );

  it.each(OPERATIONS)(
    "is 503 where %s %s cannot put a message on its way, and it can be sent again",
    async (method, path, envelope) => {
      const isSend = envelope === "sendSmsResponse" || envelope === "sendSmsMultiResponse";
      const api = new TestApi();
      api.dispatchQueue.refuses = true;
      api.batchQueue.refuses = true;
      const response = await failing(api, method, path);
      if (!isSend) return expect(response.status).toBeLessThan(300);
      expect(response).toMatchObject({ status: 503, log: { traceId: "uuid-1" } });
      expect(contentOf(response)).toEqual(UNKNOWN);
      api.dispatchQueue.refuses = false;
      api.batchQueue.refuses = false;
      expect(await api.call(goodRequest(method, path))).toMatchObject({ status: 201 });
    },
  );

  it("is told in the envelope of send-sms where the path is no operation's", () => {
    const request = { path: "/api/nope" } as ApiRequest;
    const response = new TestApi().handler.onError(request, "a text that was thrown");
    expect(response).toMatchObject({ status: 500, body: { sendSmsResponse: UNKNOWN } });
  });
});

describe("names that JavaScript has for itself", () => {
  it.each(["__proto__", "constructor", "toString", "hasOwnProperty", "valueOf"])(
    "are ids like any other: %s",
    async (id) => {
      for (const dialect of Object.keys(DIALECTS) as DialectName[]) {
        const api = new TestApi();
        expect(contentOf(await api.sendSms({ ...SCHEDULED, correlationId: id }, dialect))).toEqual(
          OK,
        );
        expect(codesOf(await api.sendSms({ correlationId: id }, dialect))).toBe("10/080");
        expect(contentOf(await api.status(id, dialect))).toMatchObject({ id, statusCode: "01" });
        expect(codesOf(await api.cancel(id, dialect))).toBe("09/002");
      }
    },
  );

  it("are fields that say nothing", async () => {
    const api = new TestApi();
    const fields: Fields = { constructor: "x", toString: {}, valueOf: 5, hasOwnProperty: [] };
    expect(await api.sendSms(fields)).toMatchObject({ status: 201 });
    expect(await api.sendMany([fields], fields)).toMatchObject({ status: 201 });
    const query = { ...SMS, constructor: "x", toString: "y" } as unknown as ApiRequest["query"];
    expect(await api.get("/api/send-sms", { query })).toMatchObject({ status: 201 });
  });
});
