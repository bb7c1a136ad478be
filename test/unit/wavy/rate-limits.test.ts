import { describe, expect, it } from "vitest";
import type { Account } from "../../../functions/core/account.ts";
import type { ApiRequest, ApiResponse } from "../../../functions/runtime/http.ts";
import { errorOf, goodRequest, OPERATIONS, TestWavyApi, type UserName } from "./support.ts";

/** What a stage has unless it is changed (document: "700 requisições por segundo por IP", "1 requisição por segundo"). */
const DOCUMENTED = { requestsPerSecond: 700, statusQueriesPerSecond: 1 };
const TOO_MANY = "429 TOO_MANY_REQUESTS";
/** The services that are status queries. */
const STATUS_QUERIES = ["/v1/sms/status/search", "/v1/sms/status/list", "/v1/sms-status"];

const limited = (account: Partial<Account> = {}) =>
  new TestWavyApi({ rateLimits: DOCUMENTED, account });

/** How many of so many requests at the same time are let through. */
async function passing(count: number, ask: (index: number) => Promise<ApiResponse>) {
  const responses = await Promise.all(Array.from({ length: count }, (_, index) => ask(index)));
  return responses.filter(({ status }) => status !== 429).length;
}

/** Asks for a list of MOs, which counts as a request and no more. */
const request = (api: TestWavyApi, more: Partial<ApiRequest> = {}, as?: UserName) =>
  api.call({ method: "GET", path: "/v1/sms/receive/list", ...more }, as);
const query = (api: TestWavyApi, more: Partial<ApiRequest> = {}, as?: UserName) =>
  api.call({ method: "GET", path: "/v1/sms/status/list", ...more }, as);

describe("requests per second", () => {
  it("are 700 from one source address", async () => {
    const api = limited();
    expect(await passing(750, () => request(api))).toBe(700);
    api.clock.advance(1_000);
    expect(await passing(750, () => request(api))).toBe(700);
  });

  it("are counted over all services and users, and wrong credentials", async () => {
    const api = limited();
    const asks: ((index: number) => Promise<ApiResponse>)[] = [
      () => api.send(),
      () => api.sendBulk([{ destination: "5519900001111" }], {}, "vendas"),
      () => request(api, {}, "admin"),
      () => request(api, {}, "stranger"),
      () => request(api, { headers: { authenticationtoken: "wrong" } }),
      () => request(api, { path: "/v1/nope" }),
      () => request(api, { method: "DELETE" }),
    ];
    expect(await passing(750, (index) => asks[index % asks.length]?.(index) as never)).toBe(700);
  });

  it("are counted for each address by itself", async () => {
    const api = limited();
    const sourceIps = ["203.0.113.1", "203.0.113.2", "2001:db8::1"];
    const ask = (index: number) => request(api, { sourceIp: sourceIps[index % 3] ?? "" });
    expect(await passing(2_250, ask)).toBe(2_100);
  });

  it("beyond the limit are answered with when to come back, and do nothing", async () => {
    const api = limited();
    await passing(700, () => request(api));
    const response = await api.send();
    expect(errorOf(response)).toBe(TOO_MANY);
    expect(response.headers).toEqual({ "retry-after": "1" });
    expect(api.dispatchQueue.entries).toEqual([]);
    api.clock.advance(1_000);
    expect(await api.send()).toMatchObject({ status: 200 });
  });

  it.each(OPERATIONS)("count %s %s", async (method, path) => {
    const api = new TestWavyApi({
      rateLimits: { requestsPerSecond: 1, statusQueriesPerSecond: 9 },
    });
    expect((await api.call(goodRequest(method, path))).status).not.toBe(429);
    expect(errorOf(await api.call(goodRequest(method, path)))).toBe(TOO_MANY);
  });
});

describe("status queries per second", () => {
  it("are one from one source address, over all of them and all users", async () => {
    const api = limited();
    const asks = STATUS_QUERIES.flatMap((path) =>
      (["marketing", "vendas", "admin", "stranger"] as const).map((as) => {
        const method = path.endsWith("search") ? "POST" : "GET";
        return () => api.call(goodRequest(method, path), as);
      }),
    );
    expect(await passing(asks.length, (index) => asks[index]?.() as never)).toBe(1);
    api.clock.advance(1_000);
    expect(await passing(asks.length, (index) => asks[index]?.() as never)).toBe(1);
  });

  it("tell when to come back", async () => {
    const api = limited();
    expect(await query(api)).toMatchObject({ status: 200 });
    const response = await query(api);
    expect(errorOf(response)).toBe(TOO_MANY);
    expect(response.headers).toEqual({ "retry-after": "1" });
    expect(response.log).toEqual({ errorCode: "TOO_MANY_REQUESTS" });
  });

  it("keep nobody from sending, or from MOs", async () => {
    const api = limited();
    await passing(5, () => query(api));
    for (const [method, path] of OPERATIONS.filter(([, it]) => !STATUS_QUERIES.includes(it))) {
      expect(await api.call(goodRequest(method, path))).toMatchObject({ status: 200 });
    }
  });

  it("are counted for each address by itself", async () => {
    const api = limited();
    const ask = (index: number) => query(api, { sourceIp: `203.0.113.${index % 5}` });
    expect(await passing(20, ask)).toBe(5);
  });

  it("count as requests, too", async () => {
    const api = new TestWavyApi({
      rateLimits: { requestsPerSecond: 2, statusQueriesPerSecond: 9 },
    });
    await query(api);
    await query(api);
    expect(errorOf(await api.send())).toBe(TOO_MANY);
  });

  it("take no status away from who is refused", async () => {
    const api = limited();
    await api.send({ destination: "123" });
    const answers = await Promise.all(Array.from({ length: 5 }, () => query(api)));
    const totals = answers.flatMap(({ status, body }) =>
      status === 200 ? [(body as { total: number }).total] : [],
    );
    expect(totals).toEqual([1]);
  });
});

describe("an account with limits of its own", () => {
  it("has these, and a count of its own at each address", async () => {
    const api = limited();
    const acme = api.directory.accounts.get("acme");
    if (acme) {
      const rateLimits = { requestsPerSecond: 20, statusQueriesPerSecond: 5 };
      api.directory.accounts.set("acme", { ...acme, rateLimits });
    }
    expect(await passing(50, () => query(api))).toBe(5);
    // What is left of twenty.
    expect(await passing(50, () => request(api))).toBe(0);
    const elsewhere = { sourceIp: "203.0.113.9" };
    expect(await passing(50, () => request(api, elsewhere))).toBe(20);
    // Others at the same address are not concerned.
    expect(await passing(50, () => query(api, {}, "stranger"))).toBe(1);
    expect(await passing(1_000, () => request(api, {}, "stranger"))).toBe(700 - 50);
  });

  it("may have one of the two, and the stage's other", async () => {
    const api = limited({ rateLimits: { statusQueriesPerSecond: 3 } });
    expect(await passing(10, () => query(api))).toBe(3);
    expect(await passing(800, () => request(api))).toBe(690);
    const other = limited({ rateLimits: { requestsPerSecond: 1_000 } });
    expect(await passing(5, () => query(other))).toBe(1);
    expect(await passing(1_100, () => request(other))).toBe(995);
  });

  it("lends them to nobody who has not its token", async () => {
    const api = limited({ rateLimits: { statusQueriesPerSecond: 100 } });
    const headers = { authenticationtoken: "wrong" };
    expect(await passing(5, () => query(api, { headers }))).toBe(1);
  });
});

describe("a counter that fails", () => {
  it("lets everything through", async () => {
    const api = limited();
    api.rateCounter.error = new Error("away");
    expect(await passing(800, () => query(api))).toBe(800);
    api.clock.advance(500);
    expect(await passing(800, () => api.send())).toBe(800);
  });

  it("is asked again after a second, and limits again once it is back", async () => {
    const api = limited();
    api.rateCounter.error = new Error("away");
    await query(api);
    const { length } = api.rateCounter.writes;
    await query(api);
    expect(api.rateCounter.writes).toHaveLength(length);
    api.rateCounter.error = undefined;
    api.clock.advance(1_000);
    expect(await passing(10, () => query(api))).toBe(1);
  });

  it("is no reason to let strangers in", async () => {
    const api = limited();
    api.rateCounter.error = new Error("away");
    expect(errorOf(await query(api, { headers: { authenticationtoken: "wrong" } }))).toBe(
      "401 UNAUTHORIZED",
    );
  });
});

describe("callers far from their limit", () => {
  it("cost nothing to count", async () => {
    const api = limited();
    for (let second = 0; second < 10; second++) {
      await api.send();
      api.clock.advance(1_000);
    }
    expect(api.rateCounter.writes).toEqual([]);
  });
});
