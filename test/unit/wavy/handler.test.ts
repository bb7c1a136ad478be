import { describe, expect, it } from "vitest";
import { CREDENTIAL_MEMORY_MS } from "../../../functions/core/authenticate.ts";
import { hashSecret } from "../../../functions/core/passwords.ts";
import { type ApiRequest, MAX_BODY_BYTES } from "../../../functions/runtime/http.ts";
import {
  apiWithout,
  credentialsOf,
  errorOf,
  goodRequest,
  INVALID,
  idsOf,
  OPERATIONS,
  TestWavyApi,
  USERS,
} from "./support.ts";

const UNAUTHORIZED = "401 UNAUTHORIZED";
const SEND = "/v1/send-sms";
const BULK = "/v1/send-bulk-sms";
const SEARCH = "/v1/sms/status/search";
const POSTED = [SEND, BULK, SEARCH];
const GOTTEN = OPERATIONS.filter(([method]) => method === "GET");
const SMS = { destination: "5519900001111", messageText: "Hello" };

/** A good request, to `sms-status` for a message that there is. */
async function callWell(api: TestWavyApi, method: string, path: string, more = {}) {
  const request = goodRequest(method, path);
  if (path !== "/v1/sms-status") return api.call({ ...request, ...more });
  const [id] = idsOf(await api.send());
  return api.call({ ...request, query: { id }, ...more });
}

/** Headers that are nobody's. */
const WRONG_CREDENTIALS: readonly [string, Record<string, string | undefined>][] = [
  ["no credentials", { username: undefined, authenticationtoken: undefined }],
  ["no user name", { username: undefined }],
  ["no token", { authenticationtoken: undefined }],
  ["an empty user name", { username: "" }],
  ["an empty token", { authenticationtoken: "" }],
  ["a wrong token", { authenticationtoken: "wrong" }],
  ["a token in other letters", { authenticationtoken: USERS.marketing.token.toUpperCase() }],
  ["somebody else's token", { authenticationtoken: USERS.vendas.token }],
  ["an unknown user", { username: "nobody" }],
  ["an account instead of a user", { username: "acme" }],
  ["a hash for a token", { authenticationtoken: hashSecret(USERS.marketing.token) }],
  ["a name of JavaScript's", { username: "__proto__" }],
  ["a name that is far too long", { username: "x".repeat(100_000) }],
  ["two users", { username: `${USERS.marketing.username},${USERS.vendas.username}` }],
  [
    "Basic authentication",
    {
      username: undefined,
      authenticationtoken: undefined,
      authorization: `Basic ${Buffer.from("Ana:token-of-Ana").toString("base64")}`,
    },
  ],
];

describe("authentication", () => {
  it.each(WRONG_CREDENTIALS)("refuses %s, whatever is asked", async (_, headers) => {
    const api = new TestWavyApi();
    for (const [method, path] of OPERATIONS) {
      const response = await api.call({ ...goodRequest(method, path), headers });
      expect([path, errorOf(response)]).toEqual([path, UNAUTHORIZED]);
      expect(response.log).toEqual({ errorCode: "UNAUTHORIZED" });
    }
    expect(api.dispatchQueue.entries).toEqual([]);
    expect(api.batchQueue.jobs).toEqual([]);
  });

  it.each([
    ["the user name", "Ana"],
    ["the user name in other letters", "aNA"],
    ["the e-mail address", "Ana@acme.example"],
    ["the e-mail address in other letters", "ANA@ACME.example"],
    ["the user name with white space around", " Ana "],
  ])("takes %s", async (_, username) => {
    expect(
      await new TestWavyApi().call({ ...goodRequest("POST", SEND), headers: { username } }),
    ).toMatchObject({ status: 200 });
  });

  it("takes header names in any case", async () => {
    const { username, authenticationtoken: token } = credentialsOf("marketing");
    for (const headers of [
      { UserName: username, AuthenticationToken: token },
      { username, authenticationtoken: token },
      { USERNAME: username, AUTHENTICATIONTOKEN: token },
      { userName: username, authenticationToken: token },
    ]) {
      expect(await new TestWavyApi().invoke({ headers })).toMatchObject({ statusCode: 200 });
    }
  });

  const IN_QUERY = { username: "Ana", authenticationToken: USERS.marketing.token };
  const WITHOUT = { username: undefined, authenticationtoken: undefined };

  it.each(GOTTEN)("takes credentials in the query of %s %s", async (method, path) => {
    const api = new TestWavyApi();
    const [id] = idsOf(await api.send());
    const { query } = path === "/v1/sms-status" ? { query: { id } } : goodRequest(method, path);
    const response = await api.call({
      method,
      path,
      query: { ...query, ...IN_QUERY },
      headers: WITHOUT,
    });
    expect(response.status).toBe(200);
  });

  it.each([
    { username: "Ana", authenticationtoken: USERS.marketing.token },
    { UserName: "Ana@acme.example", AuthenticationToken: USERS.marketing.token },
    { USERNAME: "ana", AUTHENTICATIONTOKEN: USERS.marketing.token },
  ])("takes their names in the query in any case: %j", async (query) => {
    const api = new TestWavyApi();
    const request = { method: "GET", path: SEND, query: { ...SMS, ...query }, headers: WITHOUT };
    expect(await api.call(request)).toMatchObject({ status: 200 });
  });

  it("takes the header's where there are both, and each from where it is", async () => {
    const api = new TestWavyApi();
    const query = { ...SMS, ...IN_QUERY };
    expect(await api.sendByGet({ username: "nobody", authenticationToken: "wrong" })).toMatchObject(
      { status: 200 },
    );
    const wrong = { authenticationtoken: "wrong" };
    expect(errorOf(await api.call({ method: "GET", path: SEND, query, headers: wrong }))).toBe(
      UNAUTHORIZED,
    );
    const half = { username: undefined };
    expect(await api.call({ method: "GET", path: SEND, query, headers: half })).toMatchObject({
      status: 200,
    });
  });

  it.each(POSTED)("takes no credentials in the query of POST %s, or in its body", async (path) => {
    const api = new TestWavyApi();
    const request = { query: IN_QUERY, headers: WITHOUT };
    const { body } = goodRequest("POST", path);
    const withThem = { ...JSON.parse(String(body)), ...IN_QUERY };
    expect(errorOf(await api.post(path, withThem, undefined, request))).toBe(UNAUTHORIZED);
  });

  it("refuses users that are disabled, and those of disabled accounts", async () => {
    expect(errorOf(await new TestWavyApi({ user: { state: "disabled" } }).send())).toBe(
      UNAUTHORIZED,
    );
    expect(errorOf(await new TestWavyApi({ account: { state: "disabled" } }).send())).toBe(
      UNAUTHORIZED,
    );
  });

  it("refuses users without token, or whose token has ended", async () => {
    expect(errorOf(await new TestWavyApi({ user: { tokens: [] } }).send())).toBe(UNAUTHORIZED);
    const { clock } = new TestWavyApi();
    const hash = hashSecret(USERS.marketing.token);
    const tokens = [{ hash, createdAt: 0, validUntil: clock.now() }];
    expect(errorOf(await new TestWavyApi({ user: { tokens } }).send())).toBe(UNAUTHORIZED);
  });

  it("refuses regular users whose sub-account is gone", async () => {
    const api = new TestWavyApi();
    await api.subAccounts.removeSubAccount("acme", "Marketing");
    expect(errorOf(await api.send())).toBe(UNAUTHORIZED);
    expect(await api.send({}, "admin")).toMatchObject({ status: 200 });
  });

  it("forgets a user who was removed within a minute", async () => {
    const api = new TestWavyApi();
    await api.send();
    await api.users.removeUser("acme", USERS.marketing.username);
    expect(await api.send()).toMatchObject({ status: 200 });
    api.clock.advance(CREDENTIAL_MEMORY_MS);
    expect(errorOf(await api.send())).toBe(UNAUTHORIZED);
  });

  it.each([
    ["malformed JSON", "{", {}],
    ["a body that is too large", " ".repeat(4 * MAX_BODY_BYTES + 1), {}],
    ["another content type", "x", { "content-type": "text/plain" }],
  ])("comes before the body is looked at: %s", async (_, body, headers) => {
    for (const path of POSTED) {
      const refused = { headers: { ...headers, authenticationtoken: "wrong" } };
      const response = await new TestWavyApi().post(path, body, undefined, refused);
      expect(errorOf(response)).toBe(UNAUTHORIZED);
    }
  });

  it("does not tell strangers what there is", async () => {
    const headers = { authenticationtoken: "wrong" };
    for (const [method, path] of [
      ["GET", "/v1/nope"],
      ["DELETE", SEND],
    ] as const) {
      expect(errorOf(await new TestWavyApi().call({ method, path, headers }))).toBe(UNAUTHORIZED);
    }
  });
});

describe("paths and methods", () => {
  it.each(OPERATIONS)("has %s %s", async (method, path) => {
    expect(await callWell(new TestWavyApi(), method, path)).toMatchObject({ status: 200 });
  });

  it.each(OPERATIONS)("takes a slash at the end of %s %s", async (method, path) => {
    const response = await callWell(new TestWavyApi(), method, path, { path: `${path}/` });
    expect(response).toMatchObject({ status: 200 });
  });

  it.each([
    [SEND, "POST, GET"],
    [BULK, "POST"],
    [SEARCH, "POST"],
    ["/v1/sms/status/list", "GET"],
    ["/v1/sms-status", "GET"],
    ["/v1/sms/receive/list", "GET"],
    ["/v1/sms/receive/search", "GET"],
  ])("answers other methods of %s with 405, and allows %s", async (path, allow) => {
    const methods = ["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "get", "toString"];
    for (const method of methods.filter((it) => !allow.split(", ").includes(it))) {
      const response = await new TestWavyApi().call({ method, path });
      expect(errorOf(response)).toBe("405 METHOD_NOT_ALLOWED");
      expect(response.headers).toEqual({ allow });
    }
  });

  it.each([
    "/",
    "",
    "/v1",
    "/v1/",
    "/v2/send-sms",
    "/send-sms",
    "/v1/nope",
    "/v1/Send-Sms",
    "/v1//send-sms",
    "/v1/send-sms/x",
    "/v1/send-smsx",
    "/v1/sms",
    "/v1/sms/status",
    "/v1/sms-status/id-1",
    "/v1/sms/receive",
    "/v1/send-sms\n",
    "/x/v1/send-sms",
    "/__proto__",
    "/v1/constructor",
  ])("answers %j with 404", async (path) => {
    for (const method of ["GET", "POST"]) {
      const response = await new TestWavyApi().call({ method, path });
      expect(errorOf(response)).toBe("404 NOT_FOUND");
    }
  });
});

describe.each([
  [SEND, SMS, MAX_BODY_BYTES],
  [BULK, { messages: [SMS] }, 4 * MAX_BODY_BYTES],
  [SEARCH, { ids: ["id-1"] }, MAX_BODY_BYTES],
])("the body of POST %s", (path, good, maxBytes) => {
  it.each([
    ["malformed JSON", '{"destination":'],
    ["two values", "{}{}"],
    ["a comment", "{} // x"],
    ["texts in single quotation marks", "{'destination': '5519900001111'}"],
    ["an empty body", ""],
    ["white space", " \n"],
    ["a list", "[]"],
    ["a text", '"destination"'],
    ["a number", "5"],
    ["null", "null"],
    ["false", "false"],
    ["an empty object", "{}"],
    ["a prototype", `{"__proto__":${JSON.stringify(good)}}`],
    ["deep nesting", `{"ids":${"[".repeat(50_000)}${"]".repeat(50_000)}}`],
    ["a list of good ones", JSON.stringify([good])],
  ])("is refused for %s", async (_, body) => {
    expect(errorOf(await new TestWavyApi().post(path, body))).toBe(INVALID);
  });

  it("is refused in another encoding than UTF-8", async () => {
    const body = Buffer.from(JSON.stringify({ ...good, note: "olá" }), "latin1");
    expect(errorOf(await new TestWavyApi().call({ path, body }))).toBe(INVALID);
  });

  it("is taken with a byte-order mark", async () => {
    const response = await new TestWavyApi().post(path, `\ufeff${JSON.stringify(good)}`);
    expect(response).toMatchObject({ status: 200 });
  });

  it("is taken up to its size, and no more, counted in bytes", async () => {
    const padded = (pad: string) => new TestWavyApi().post(path, { ...good, pad });
    const room = maxBytes - JSON.stringify({ ...good, pad: "" }).length;
    expect(await padded("p".repeat(room))).toMatchObject({ status: 200 });
    expect(errorOf(await padded("p".repeat(room + 1)))).toBe("413 PAYLOAD_TOO_LARGE");
    expect(errorOf(await padded("ç".repeat(room / 2 + 1)))).toBe("413 PAYLOAD_TOO_LARGE");
  });

  it.each([
    undefined,
    "application/json",
    "application/json; charset=utf-8",
    "application/vnd.client+json",
    "APPLICATION/JSON",
    'application/json;charset="UTF-8"',
    "application/json; charset=us-ascii",
  ])("may be of the type %s", async (contentType) => {
    const headers = { "content-type": contentType };
    const response = await new TestWavyApi().post(path, good, undefined, { headers });
    expect(response).toMatchObject({ status: 200 });
  });

  it.each([
    "application/json; charset=iso-8859-1",
    "text/plain",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "application/jsonp",
    "",
  ])("may not be of the type %j", async (contentType) => {
    const headers = { "content-type": contentType };
    const response = await new TestWavyApi().post(path, good, undefined, { headers });
    expect(errorOf(response)).toBe("415 UNSUPPORTED_MEDIA_TYPE");
  });
});

describe("a request by GET", () => {
  it.each(GOTTEN)("has no body that is looked at: %s %s", async (method, path) => {
    for (const [body, type] of [
      ["{", "application/json"],
      ["x", "text/plain"],
      [" ".repeat(5 * MAX_BODY_BYTES), undefined],
    ] as const) {
      const headers = { "content-type": type };
      const more = { body: Buffer.from(body), headers };
      expect(await callWell(new TestWavyApi(), method, path, more)).toMatchObject({ status: 200 });
    }
  });
});

describe("what goes wrong on our side", () => {
  const failing = async (api: TestWavyApi, method: string, path: string) => {
    const response = await api.call(goodRequest(method, path));
    expect(JSON.stringify(response.body)).not.toMatch(/secret|refused|away|Error:|\bat /);
    return response;
  };
  const INTERNAL = "500 INTERNAL_ERROR";
  const UNAVAILABLE = "503 SERVICE_UNAVAILABLE";
  const isSend = (path: string) => path === SEND || path === BULK;

  it.each(OPERATIONS)("is 500 where the directory is away: %s %s", async (method, path) => {
    expect(errorOf(await failing(apiWithout("directory"), method, path))).toBe(INTERNAL);
  });

  it.each(OPERATIONS)("is 503 or 500 where what they need is away: %s %s", async (method, path) => {
    const response = await failing(apiWithout("messages", "mos"), method, path);
    expect(errorOf(response)).toBe(isSend(path) ? UNAVAILABLE : INTERNAL);
    expect(response.log?.traceId).toEqual(isSend(path) ? "uuid-1" : undefined);
  });

  it.each(OPERATIONS.filter(([, path]) => isSend(path)))(
    "is 503 where %s %s cannot look up who must not be sent to",
    async (method, path) => {
      const api = apiWithout("customers");
      expect(errorOf(await failing(api, method, path))).toBe(UNAVAILABLE);
      expect(api.dispatchQueue.entries).toEqual([]);
      expect(api.batchQueue.jobs).toEqual([]);
    },
  );

  it.each(OPERATIONS.filter(([, path]) => isSend(path)))(
    "is 503 where %s %s cannot put a message on its way, and it can be sent again",
    async (method, path) => {
      const api = new TestWavyApi();
      api.dispatchQueue.refuses = true;
      api.batchQueue.refuses = true;
      const response = await failing(api, method, path);
      expect(errorOf(response)).toBe(UNAVAILABLE);
      expect(response.log).toMatchObject({ errorCode: "SERVICE_UNAVAILABLE", traceId: "uuid-1" });
      api.dispatchQueue.refuses = false;
      api.batchQueue.refuses = false;
      await api.call(goodRequest(method, path));
      await api.expand();
      expect(await api.dispatch()).toHaveLength(1);
    },
  );

  it("gives back what was counted for a message that could not be put on its way", async () => {
    const api = new TestWavyApi({ account: { limits: { perDay: 1, prepaid: false } } });
    api.dispatchQueue.refuses = true;
    expect(errorOf(await api.send())).toBe(UNAVAILABLE);
    api.dispatchQueue.refuses = false;
    expect(await api.sent()).toMatchObject({ state: "QUEUED" });
    expect(await api.sent()).toMatchObject({ state: "BLOCKED", reason: "account-limit" });
  });

  it.each(OPERATIONS.filter(([, path]) => !isSend(path)))(
    "does not matter to %s %s where it is the queues",
    async (method, path) => {
      const api = apiWithout("queues");
      const response = await api.call(goodRequest(method, path));
      expect(response.status).toBe(path === "/v1/sms-status" ? 404 : 200);
    },
  );

  it("is an error body, whatever was thrown", () => {
    const request = { path: "/v1/nope" } as ApiRequest;
    for (const thrown of ["a text that was thrown", undefined, null, new TypeError("x")]) {
      expect(errorOf(new TestWavyApi().handler.onError(request, thrown))).toBe(INTERNAL);
    }
  });

  it("leaves the function as JSON with a status", async () => {
    const { statusCode, headers, body } = await apiWithout("directory").invoke();
    expect([statusCode, headers]).toEqual([
      500,
      { "content-type": "application/json; charset=utf-8" },
    ]);
    expect(JSON.parse(body ?? "")).toEqual({
      errorCode: "INTERNAL_ERROR",
      errorMessage: expect.any(String),
    });
  });
});

describe("names that JavaScript has for itself", () => {
  const NAMES = ["__proto__", "constructor", "toString", "hasOwnProperty", "valueOf"];

  it("are fields that say nothing", async () => {
    const fields = { constructor: "x", toString: {}, valueOf: 5, hasOwnProperty: [] };
    const api = new TestWavyApi();
    expect(await api.sent(fields)).toMatchObject({ state: "QUEUED" });
    expect(await api.sentBulk([{ ...SMS, ...fields }], fields)).toMatchObject([
      { state: "QUEUED" },
    ]);
    const query = { constructor: "x", toString: "y" } as unknown as ApiRequest["query"];
    expect(await api.sentByGet(query)).toMatchObject({ state: "QUEUED" });
  });

  it.each(NAMES)("are texts like any other: %s", async (name) => {
    const api = new TestWavyApi();
    expect(await api.sent({ correlationId: name, extraInfo: name })).toMatchObject({
      correlationId: name,
      extraInfo: name,
    });
    expect(await api.search({ correlationIds: [name] })).toMatchObject({ body: { total: 1 } });
    expect(await api.search({ ids: [name] })).toMatchObject({ body: { total: 0 } });
    expect(errorOf(await api.status(name))).toBe("404 NOT_FOUND");
    for (const field of ["campaignAlias", "flowId", "templateName"]) {
      expect([field, errorOf(await api.send({ [field]: name }))]).toEqual([field, INVALID]);
    }
  });
});
