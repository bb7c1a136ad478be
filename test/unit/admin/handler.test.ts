import { describe, expect, it } from "vitest";
import { BASE } from "../../../functions/admin/route.ts";
import { ROUTES } from "../../../functions/admin/routes.ts";
import { UnavailableError } from "../../../functions/core/errors.ts";
import type { ApiRequest, ApiResponse } from "../../../functions/runtime/http.ts";
import { as, basic, codeOf, GOOD_REQUESTS, messageOf, routeOf, TestAdmin } from "./support.ts";

const furnished = async () => {
  const api = await TestAdmin.create();
  for (const account of ["acme", "other"]) await api.furnish(account);
  return api;
};

describe("every route", () => {
  it("has a good request in these tests", () => {
    const asked = GOOD_REQUESTS.map(([method, path]) => routeOf(method, `${BASE}${path}`));
    expect(new Set(asked)).toEqual(new Set(ROUTES));
  });

  it.each(GOOD_REQUESTS)("%s %s answers as it is described", async (method, path, body) => {
    const api = await furnished();
    api.clock.advance(1_000);
    const response = await api.ask(method, path, body);
    expect(response.status).toBe(routeOf(method, `${BASE}${path}`)?.status);
    expect(response.log).toEqual({
      account: "acme",
      route: `${method} ${BASE}${routeOf(method, `${BASE}${path}`)?.path}`,
    });
    expect(JSON.stringify(response.body)).not.toContain("hash");
  });

  it.each(GOOD_REQUESTS)("%s %s is for administrators only", async (method, path, body) => {
    const api = await furnished();
    const regular = await api.ask(method, path, body, { headers: as("clerk") });
    expect(codeOf(regular)).toBe("403 FORBIDDEN");
    const nobody = await api.ask(method, path, body, { headers: as("boss", "wrong") });
    expect(codeOf(nobody)).toBe("401 UNAUTHORIZED");
  });

  it.each(GOOD_REQUESTS)(
    "%s %s changes nothing of another account's",
    async (method, path, body) => {
      const api = await furnished();
      const before = await everythingOf(api, "rival");
      await api.ask(method, path, body);
      expect(await everythingOf(api, "rival")).toEqual(before);
    },
  );

  it.each(GOOD_REQUESTS.filter(([, path]) => /secret|77/i.test(path)))(
    "%s %s finds nothing of another account's",
    async (method, path, body) => {
      const api = await TestAdmin.create();
      await api.furnish("other");
      const creates = method === "PUT" && !path.endsWith("/state");
      const created = creates ? "200" : "404 NOT_FOUND";
      expect(codeOf(await api.ask(method, path.replace("acme", "other"), body))).toBe(created);
    },
  );
});

/** All that an administrator sees. */
async function everythingOf(api: TestAdmin, username: string): Promise<unknown[]> {
  const lists = GOOD_REQUESTS.filter(([method, path]) => method === "GET" && !/\/.*\//.test(path));
  const answers = lists.map(([method, path]) =>
    api.ask(method, path, undefined, { headers: as(username) }),
  );
  return (await Promise.all(answers)).map(({ body }) => body);
}

describe("credentials", () => {
  const account = (headers: ApiRequest["headers"]) =>
    TestAdmin.create().then((api) => api.call({ headers }));
  const WITHOUT = { username: undefined, authenticationtoken: undefined };

  it.each([
    ["user name and token", as("boss")],
    ["e-mail address and token", as("BOSS@acme.example")],
    ["Basic authentication", { ...WITHOUT, authorization: basic("boss") }],
    ["headers, whatever Basic authentication says", { authorization: basic("nobody") }],
  ])("can be %s", async (_, headers) => {
    expect(await account(headers)).toMatchObject({ status: 200, body: { account: "acme" } });
  });

  it.each([
    ["none", WITHOUT],
    ["a user name alone", { ...WITHOUT, username: "boss" }],
    ["a token alone", { ...WITHOUT, authenticationtoken: "a-token" }],
    ["empty ones", as("", "")],
    ["a wrong token", as("boss", "wrong")],
    ["an unknown user", as("nobody")],
    ["a name of JavaScript's", as("__proto__")],
    ["those of an account", as("acme", "a-password")],
    ["Basic authentication without colon", { ...WITHOUT, authorization: "Basic Ym9zcw==" }],
  ])("are refused where they are %s", async (_, headers) => {
    const refused = await account(headers);
    expect(codeOf(refused)).toBe("401 UNAUTHORIZED");
    expect(refused.headers).toMatchObject({ "www-authenticate": expect.stringMatching(/^Basic /) });
  });

  it("are refused of a disabled user, and of users of a disabled account", async () => {
    const api = await TestAdmin.create();
    const rival = await api.users.findUser("other", "rival");
    if (rival) await api.users.updateUser(rival, { ...rival, state: "disabled", revision: 1 });
    expect(codeOf(await api.call({ headers: as("rival") }))).toBe("401 UNAUTHORIZED");
    const acme = api.directory.accounts.get("acme");
    if (acme) api.directory.accounts.set("acme", { ...acme, state: "disabled" });
    expect(codeOf(await api.call({}))).toBe("401 UNAUTHORIZED");
  });
});

describe("paths", () => {
  it.each(["/admin", "/admin/", "/admin/v1", "/admin/v2/account", "/admin/v1/users/a/b", "/"])(
    "%s is none",
    async (path) => {
      const api = await TestAdmin.create();
      expect(codeOf(await api.call({ path }))).toBe("404 NOT_FOUND");
    },
  );

  it("may end with a slash", async () => {
    const api = await TestAdmin.create();
    expect((await api.get("/users/")).status).toBe(200);
    expect((await api.get("/users/boss/")).status).toBe(200);
  });

  it.each([
    ["POST", "/account", "GET, PATCH"],
    ["HEAD", "/users", "GET, POST"],
    ["get", "/users", "GET, POST"],
    ["PUT", "/users/boss", "GET, PATCH, DELETE"],
    ["GET", "/blocked-numbers/1", "PUT, DELETE"],
  ])("%s %s is refused with what there is", async (method, path, allow) => {
    const refused = await (await TestAdmin.create()).ask(method, path);
    expect(codeOf(refused)).toBe("405 METHOD_NOT_ALLOWED");
    expect(refused.headers).toEqual({ allow });
  });

  it.each([
    "/users/no user",
    `/users/${"a".repeat(65)}`,
    "/sub-accounts/#",
    `/sub-accounts/${"é".repeat(65)}`,
    "/templates/x",
    "/templates/-1",
    "/templates/1.5",
    "/templates/9007199254740993",
    `/templates/${"9".repeat(400)}`,
    `/campaigns/${"a".repeat(65)}`,
    "/campaigns/\n",
    "/campaigns/\ud800",
    "/flows/ç",
    `/endpoints/${"a".repeat(2_000)}`,
  ])("names that nothing can have are not looked for: %j", async (path) => {
    const api = await TestAdmin.create({ subAccounts: broken(), contents: broken() });
    expect(codeOf(await api.get(path))).toBe("404 NOT_FOUND");
  });
});

/** A port that nobody may call. */
const broken = <Port extends object>() =>
  new Proxy({} as Port, {
    get: () => async () => {
      throw new Error("5519977778888 secret");
    },
  });

describe("bodies", () => {
  const create = async (body: string, headers: ApiRequest["headers"] = {}) =>
    (await TestAdmin.create()).ask("POST", "/sub-accounts", body, { headers });

  it.each<[string, Promise<ApiResponse> | (() => Promise<ApiResponse>), string]>([
    ["larger than 1 MiB", () => create(" ".repeat(1024 * 1024 + 1)), "413 PAYLOAD_TOO_LARGE"],
    [
      "no JSON by type",
      () => create("{}", { "content-type": "text/xml" }),
      "415 UNSUPPORTED_MEDIA_TYPE",
    ],
    ["empty", () => create(""), "400 INVALID_REQUEST"],
    ["malformed", () => create("{"), "400 INVALID_REQUEST"],
    ["no object", () => create("[]"), "400 INVALID_REQUEST"],
    ["null", () => create("null"), "400 INVALID_REQUEST"],
  ])("that are %s are refused", async (_, ask, code) => {
    expect(codeOf(await (typeof ask === "function" ? ask() : ask))).toBe(code);
  });

  it("with fields that are unknown are refused, and these named", async () => {
    const refused = await create('{"subAccount":"a","limit":1,"limits":{"perWeek":1}}');
    expect(codeOf(refused)).toBe("400 INVALID_REQUEST");
    expect(messageOf(refused)).toBe(
      'limits: there is no field "perWeek"; the body: there is no field "limit"',
    );
  });

  it("with many long unknown fields are refused in few words", async () => {
    const fields = Array.from({ length: 1_000 }, (_, index) => [`${index}${"a".repeat(500)}`, 1]);
    const refused = await create(JSON.stringify(Object.fromEntries(fields)));
    expect(messageOf(refused).length).toBeLessThan(600);
  });

  it.each(["__proto__", "constructor", "toString"])("cannot smuggle in %s", async (name) => {
    expect(codeOf(await create(`{"subAccount":"a","${name}":{"limits":{}}}`))).toBe(
      "400 INVALID_REQUEST",
    );
  });

  const UNASKED = GOOD_REQUESTS.filter(([, , body]) => body === undefined);

  it.each(UNASKED)("may be empty where there is nothing to say: %s %s", async (method, path) => {
    for (const [body, type] of [
      ["", "application/json"],
      ["", "application/x-www-form-urlencoded"],
      ["{}", "application/json"],
      [" \n", "application/json"],
    ] as const) {
      const api = await TestAdmin.create();
      await api.furnish("acme");
      const headers = { "content-type": type };
      expect((await api.ask(method, path, body, { headers })).status).toBeLessThan(300);
    }
  });

  it.each(UNASKED)("hold nothing where there is nothing to say: %s %s", async (method, path) => {
    const api = await TestAdmin.create();
    await api.furnish("acme");
    const before = await everythingOf(api, "boss");
    const refused = await api.ask(method, path, { x: 1 });
    expect(codeOf(refused)).toBe("400 INVALID_REQUEST");
    expect(messageOf(refused)).toBe('the body: there is no field "x"');
    for (const [body, type] of [
      ["{", "application/json"],
      ["[]", "application/json"],
      ["x=1", "application/x-www-form-urlencoded"],
      [" ".repeat(1024 * 1024 + 1), "application/json"],
    ] as const) {
      const headers = { "content-type": type };
      const answer = await api.ask(method, path, body, { headers });
      expect(codeOf(answer)).toBe("400 INVALID_REQUEST");
    }
    expect(await everythingOf(api, "boss")).toEqual(before);
  });
});

describe("queries", () => {
  it.each([
    ["/users", { limit: "0" }],
    ["/users", { limit: "1001" }],
    ["/users", { limit: "many" }],
    ["/users", { offset: "-1" }],
    ["/users", { Limit: "1" }],
    ["/users/boss", { limit: "1" }],
    ["/opt-outs", { subaccount: "Sales" }],
    ["/opt-outs", { subAccount: "#" }],
  ])("%s refuses %j", async (path, query) => {
    const api = await TestAdmin.create();
    expect(codeOf(await api.get(path, query))).toBe("400 INVALID_REQUEST");
  });

  it("say which part of a list is wanted", async () => {
    const api = await TestAdmin.create();
    for (const subAccount of ["A", "B", "C"])
      await api.ask("POST", "/sub-accounts", { subAccount });
    expect(await api.get("/sub-accounts", { limit: "2", offset: "1" })).toMatchObject({
      body: { total: 4, subAccounts: [{ subAccount: "A" }, { subAccount: "B" }] },
    });
    expect(await api.get("/sub-accounts", { offset: "4" })).toMatchObject({
      body: { total: 4, subAccounts: [] },
    });
  });
});

describe("what goes wrong on our side", () => {
  it("is told without a word of what it was", async () => {
    const api = await TestAdmin.create({ contents: broken() });
    const failed = await api.get("/templates");
    expect(codeOf(failed)).toBe("500 INTERNAL_ERROR");
    expect(JSON.stringify(failed)).not.toMatch(/secret|55199/);
  });

  it("is told as passing where it is", async () => {
    const api = await TestAdmin.create({
      authenticateUser: async () => {
        throw new UnavailableError("away", "trace-1");
      },
    });
    expect(codeOf(await api.get("/templates"))).toBe("503 SERVICE_UNAVAILABLE");
  });
});

describe("the log", () => {
  it.each<[string, string, unknown?]>([
    ["POST", "/campaigns", { alias: "secret" }],
    ["GET", "/users/secret"],
    ["GET", "/campaigns/secret"],
    ["PUT", "/blocked-numbers/5519977778888"],
    ["PUT", "/blocked-numbers/secret"],
    ["PUT", "/opt-outs/5519977778888"],
    ["POST", "/users", { username: "secret", role: "regular", subAccount: "secret" }],
    ["POST", "/users/boss/token", {}],
    ["POST", "/templates", { secret: 1 }],
    ["GET", "/secret"],
    ["SECRET", "/users"],
  ])("says of %s %s nothing of a client's", async (method, path, body) => {
    const api = await TestAdmin.create();
    const { log } = await api.ask(method, path, body);
    expect(JSON.stringify(log)).not.toMatch(/secret|5519977778888/i);
  });

  it("says which error it was", async () => {
    const { log } = await (await TestAdmin.create()).get("/users/nobody");
    expect(log).toEqual({
      route: "GET /admin/v1/users/{username}",
      account: "acme",
      errorCode: "NOT_FOUND",
    });
  });
});

describe("the OpenAPI document", () => {
  const headers = { username: undefined, authenticationtoken: undefined };
  const path = "/openapi.json";

  it("is for everybody, and says where the API was asked for it", async () => {
    const api = await TestAdmin.create();
    const asked = { ...headers, host: "sms.acme.example", "x-forwarded-proto": "https" };
    expect(await api.call({ path, headers: asked })).toEqual({
      status: 200,
      body: { openapi: "3.1.0", paths: {}, servers: [{ url: "https://sms.acme.example" }] },
      log: { route: "GET /openapi.json" },
    });
  });

  it("can only be got", async () => {
    const refused = await (await TestAdmin.create()).call({ method: "POST", path, headers });
    expect(codeOf(refused)).toBe("405 METHOD_NOT_ALLOWED");
    expect(refused.headers).toEqual({ allow: "GET" });
  });
});
