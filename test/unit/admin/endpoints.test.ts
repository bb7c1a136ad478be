import { describe, expect, it } from "vitest";
import type { Endpoint } from "../../../functions/core/account.ts";
import { keyOfDelivery } from "../../../functions/core/callback-delivery.ts";
import type { EndpointHealth } from "../../../functions/core/endpoint-health.ts";
import { sampleDelivery, sampleEndpoint } from "../../support/samples.ts";
import { as, CALLBACK, codeOf, GOOD_REQUESTS, messageOf, TestAdmin } from "./support.ts";

const bodyOf = async <T = unknown>(answer: Promise<{ status: number; body: unknown }>) => {
  const { status, body } = await answer;
  expect(status).toBeLessThan(300);
  return body as T;
};

const withEndpoint = async (endpoint: Partial<Endpoint> = {}) => {
  const api = await TestAdmin.create();
  api.directory.endpoints.push(sampleEndpoint(endpoint));
  return api;
};

async function setHealth(api: TestAdmin, change: Partial<EndpointHealth>) {
  const read = await api.endpointHealths.find(sampleEndpoint());
  await api.endpointHealths.update(read, { ...read, ...change, revision: read.revision + 1 });
}

const PATH = "/endpoints/endpoint-1";

describe("endpoints", () => {
  it("are added, shown, listed and removed", async () => {
    const api = await TestAdmin.create();
    const added = await api.ask("POST", "/endpoints", {
      url: "https://acme.example/mo",
      events: ["received"],
      method: "GET",
      format: "wavy",
      headers: { Authorization: "Bearer 1" },
      subAccount: "Sales",
    });
    const { secret, ...shown } = added.body as { secret: string; endpointId: string };
    expect(shown).toEqual({
      endpointId: expect.any(String),
      url: "https://acme.example/mo",
      events: ["received"],
      method: "GET",
      format: "wavy",
      headers: ["authorization"],
      subAccount: "Sales",
      callbackOption: "ALL",
      secrets: [{ createdAt: "2026-03-02T15:00:00Z" }],
      state: "active",
      createdAt: "2026-03-02T15:00:00Z",
    });
    expect(secret).toBe(api.directory.endpoints[0]?.secrets[0]?.secret);
    const path = `/endpoints/${shown.endpointId}`;
    expect(added).toMatchObject({ status: 201, headers: { location: `/admin/v1${path}` } });
    expect(await bodyOf(api.get(path))).toEqual(shown);
    expect(await bodyOf(api.get("/endpoints"))).toEqual({ total: 1, endpoints: [shown] });
    expect((await api.ask("DELETE", path)).status).toBe(204);
    expect(await bodyOf(api.get("/endpoints"))).toEqual({ total: 0, endpoints: [] });
  });

  it("are told of everything that is known unless they are told of something", async () => {
    const api = await TestAdmin.create();
    const added = await bodyOf(api.ask("POST", "/endpoints", { url: "https://a.example" }));
    expect(added).toMatchObject({
      events: ["sent", "delivered", "received"],
      method: "POST",
      format: "dialect",
      headers: [],
      callbackOption: "ALL",
    });
  });

  const url = "https://a.example";
  it.each([
    {},
    { url: "no url" },
    { url: "http://plain.example" },
    { url: "ftp://a.example" },
    { url: "javascript:alert(1)" },
    { url: "https://user:pass@a.example" },
    { url: "https://10.0.0.1" },
    { url: "https://localhost" },
    { url: `https://a.example/${"é".repeat(2_040)}` },
    { url: "https://a.example/\ud800" },
    { url, events: [] },
    { url, events: ["all"] },
    { url, events: Array(5).fill("sent") },
    { url, method: "PUT" },
    { url, format: "xml" },
    { url, headers: { host: "b.example" } },
    { url, headers: { "webhook-id": "1" } },
    { url, headers: { "x-key": "a\nb" } },
    { url, headers: { "x-key": 1 } },
    { url, headers: { "x-key": null } },
    { url, headers: ["x-key"] },
    { url, subAccount: "None" },
    { url, secret: "whsec_mine" },
    { url, account: "other" },
    { url, endpointId: "mine" },
  ])("cannot be wrong ones (%#)", async (body) => {
    const api = await TestAdmin.create();
    expect(codeOf(await api.ask("POST", "/endpoints", body))).toBe("400 INVALID_REQUEST");
    expect(api.directory.endpoints).toEqual([]);
  });

  it("may be plain HTTP, and here, where the stage lets callbacks go there", async () => {
    const endpointPolicy = { protocols: ["https", "http"], allowLoopback: true };
    const api = await TestAdmin.create({ endpointPolicy });
    const added = await api.ask("POST", "/endpoints", { url: "http://127.0.0.1:8080" });
    expect(added.status).toBe(201);
  });

  it("are changed field by field, and back to their defaults", async () => {
    const api = await withEndpoint({ headers: { "x-a": "1" } });
    const changes = { events: ["any"], format: "cloudevents", headers: { "X-B": "2" } };
    const changed = await bodyOf(api.ask("PATCH", PATH, changes));
    expect(changed).toMatchObject({ ...changes, headers: ["x-a", "x-b"], method: "POST" });
    expect(await bodyOf(api.get(PATH))).toEqual(changed);
    const back = { events: null, format: null, headers: { "x-a": null } };
    expect(await bodyOf(api.ask("PATCH", PATH, back))).toMatchObject({
      events: ["sent", "delivered", "received"],
      format: "dialect",
      headers: ["x-b"],
    });
  });

  it.each([
    { url: null },
    { url: "http://a.example" },
    { url: "https://192.168.0.1" },
    { events: [] },
    { headers: { Host: null, "content-type": "x" } },
    { subAccount: "None" },
    { state: "paused" },
    { secrets: [] },
  ])("are not changed to %j", async (changes) => {
    const api = await withEndpoint();
    expect(codeOf(await api.ask("PATCH", PATH, changes))).toBe("400 INVALID_REQUEST");
    expect(api.directory.endpoints).toEqual([sampleEndpoint()]);
  });

  it("say what is wrong with a header", async () => {
    const api = await withEndpoint();
    const refused = await api.ask("PATCH", PATH, { headers: { Host: "b.example" } });
    expect(messageOf(refused)).toBe("headers.Host: this header is not for you to set");
  });

  it("get new secrets, the old one signing for a day beside it", async () => {
    const api = await withEndpoint({ secrets: [{ secret: "whsec_b2xk", createdAt: 0 }] });
    const rotated = await bodyOf(api.ask("POST", `${PATH}/secret`));
    expect(rotated).toMatchObject({
      secret: api.directory.endpoints[0]?.secrets[0]?.secret,
      secrets: [
        { createdAt: "2026-03-02T15:00:00Z" },
        { createdAt: "1970-01-01T00:00:00Z", validUntil: "2026-03-03T15:00:00Z" },
      ],
    });
    expect(JSON.stringify(rotated)).not.toContain("whsec_b2xk");
    api.clock.advance(86_400_000);
    expect(await bodyOf(api.get(PATH))).toMatchObject({
      secrets: [{ createdAt: "2026-03-02T15:00:00Z" }],
    });
    const atOnce = await bodyOf(api.ask("POST", `${PATH}/secret`, { overlapMinutes: 0 }));
    expect(atOnce).toMatchObject({ secrets: [{ createdAt: "2026-03-03T15:00:00Z" }] });
  });

  it("tell how they fare", async () => {
    const api = await withEndpoint();
    const now = api.clock.now();
    await setHealth(api, { failingSince: now - 60_000, openUntil: now + 30_000, failures: 7 });
    const troubled = {
      state: "active",
      failingSince: "2026-03-02T14:59:00Z",
      circuitOpenUntil: "2026-03-02T15:00:30Z",
    };
    expect(await bodyOf(api.get(PATH))).toMatchObject(troubled);
    expect(await bodyOf(api.get("/endpoints"))).toMatchObject({ endpoints: [troubled] });
    api.clock.advance(30_000);
    expect(await bodyOf(api.get(PATH))).not.toHaveProperty("circuitOpenUntil");
    await setHealth(api, { state: "disabled", disabledReason: "gone", stateAt: now });
    expect(await bodyOf(api.get(PATH))).toMatchObject({
      state: "disabled",
      disabledReason: "gone",
      stateAt: "2026-03-02T15:00:00Z",
    });
  });

  it("are paused, disabled and made active again", async () => {
    const api = await withEndpoint();
    const set = (state: string) => api.ask("PUT", `${PATH}/state`, { state });
    for (const state of ["paused", "active", "disabled"]) {
      const changed = await bodyOf(set(state));
      expect(changed).toMatchObject({ state });
      expect(await bodyOf(api.get(PATH))).toEqual(changed);
    }
    const refused = await set("paused");
    expect(codeOf(refused)).toBe("409 CONFLICT");
    expect(messageOf(refused)).toMatch(/enable it first/);
    expect(codeOf(await set("gone"))).toBe("400 INVALID_REQUEST");
    expect(await bodyOf(set("active"))).not.toHaveProperty("disabledReason");
  });

  it("are told of something made up, which is found where the answer says", async () => {
    const api = await withEndpoint();
    const begun = await api.ask("POST", `${PATH}/test`);
    expect(begun).toMatchObject({ status: 202, body: { level: "test", state: "pending" } });
    const location = begun.headers?.location ?? "";
    expect(await bodyOf(api.get(location.replace("/admin/v1", "")))).toEqual(begun.body);
    expect(api.callbackQueue.turns).toHaveLength(1);
  });

  it("are told again of what has failed since a time, with an offset or without", async () => {
    const api = await withEndpoint();
    for (const since of ["2026-03-02T12:00:00Z", "2026-03-02T09:00:00.000-03:00"]) {
      expect(await api.ask("POST", `${PATH}/replay`, { since })).toMatchObject({ status: 202 });
    }
    const jobs = api.callbackQueue.releases.map(({ job }) => job.since);
    expect(jobs).toEqual(Array(2).fill(Date.parse("2026-03-02T12:00:00Z")));
    for (const since of ["yesterday", "2026-03-02", 0, "2026-03-02T12:00:00", undefined]) {
      const refused = await api.ask("POST", `${PATH}/replay`, { since });
      expect(codeOf(refused)).toBe("400 INVALID_REQUEST");
    }
    await setHealth(api, { state: "disabled" });
    const since = "2026-03-02T12:00:00Z";
    expect(codeOf(await api.ask("POST", `${PATH}/replay`, { since }))).toBe("409 CONFLICT");
  });

  it("are changed by one of two at a time", async () => {
    const api = await withEndpoint();
    const both = await Promise.all([
      api.ask("PATCH", PATH, { events: ["any"] }),
      api.ask("POST", `${PATH}/secret`),
    ]);
    expect(both.map(codeOf).sort()).toEqual(["200", "409 CONFLICT"]);
  });
});

describe("callbacks", () => {
  const withCallbacks = async (count: number) => {
    const api = await withEndpoint();
    for (let i = 0; i < count; i++) {
      api.clock.advance(1_000);
      await api.deliveries.insert(
        sampleDelivery(api.clock.now(), {
          subject: `subject-${i}`,
          state: i % 2 === 0 ? "failed" : "delivered",
        }),
      );
    }
    return api;
  };
  interface Page {
    callbacks: { callbackId: string }[];
    next?: string;
  }
  const idsOf = ({ callbacks }: Page) => callbacks.map(({ callbackId }) => callbackId);

  it("are listed newest first, page by page", async () => {
    const api = await withCallbacks(5);
    const first = await bodyOf<Page>(api.get("/callbacks", { limit: "3" }));
    expect(first.callbacks[0]).toEqual({
      callbackId: "endpoint-1_subject-4_sent",
      endpointId: "endpoint-1",
      level: "sent",
      messageId: "id-1",
      state: "failed",
      attemptCount: 0,
      createdAt: "2026-03-02T15:00:05.000Z",
    });
    const before = first.next ?? "";
    const second = await bodyOf<Page>(api.get("/callbacks", { limit: "3", before }));
    expect(second).not.toHaveProperty("next");
    expect([...idsOf(first), ...idsOf(second)]).toEqual(
      [4, 3, 2, 1, 0].map((i) => `endpoint-1_subject-${i}_sent`),
    );
    expect(idsOf(await bodyOf(api.get("/callbacks", { state: "delivered" })))).toEqual([
      "endpoint-1_subject-3_sent",
      "endpoint-1_subject-1_sent",
    ]);
    expect(idsOf(await bodyOf(api.get("/callbacks", { endpoint: "endpoint-1" })))).toHaveLength(5);
    expect(codeOf(await api.get("/callbacks", { endpoint: "endpoint-2" }))).toBe("404 NOT_FOUND");
  });

  it("are fifty where nobody says how many", async () => {
    const api = await withCallbacks(60);
    expect(idsOf(await bodyOf(api.get("/callbacks")))).toHaveLength(50);
  });

  it.each([
    { limit: "0" },
    { limit: "201" },
    { limit: "x" },
    { before: "now" },
    { before: "0" },
    { state: "lost" },
    { endpoint: "" },
    { endpoint: "a#b" },
    { account: "other" },
  ])("are not listed by %j", async (query) => {
    const api = await withCallbacks(1);
    expect(codeOf(await api.get("/callbacks", query))).toBe("400 INVALID_REQUEST");
  });

  it("are shown with all attempts", async () => {
    const api = await withEndpoint();
    const now = api.clock.now();
    const attempts = [
      { at: now, durationMs: 10_000, failure: "timeout" },
      { at: now + 5_000, durationMs: 12, status: 500, answer: "\u001b[2Joops" },
    ];
    const delivery = await api.deliveries.insert(
      sampleDelivery(now, { state: "failed", cause: "HTTP 500", attempts, settledAt: now + 6_000 }),
    );
    expect(await bodyOf(api.get("/callbacks/endpoint-1_trace-1_sent"))).toEqual({
      callbackId: "endpoint-1_trace-1_sent",
      endpointId: "endpoint-1",
      level: "sent",
      messageId: "id-1",
      state: "failed",
      cause: "HTTP 500",
      attemptCount: 2,
      createdAt: "2026-03-02T15:00:00.000Z",
      settledAt: "2026-03-02T15:00:06.000Z",
      deadline: "2026-03-03T15:00:00.000Z",
      attempts: [
        { ...attempts[0], at: "2026-03-02T15:00:00.000Z" },
        { ...attempts[1], at: "2026-03-02T15:00:05.000Z" },
      ],
      event: delivery.event,
    });
  });

  it("are replayed, whatever became of them", async () => {
    const api = await withCallbacks(1);
    const path = "/callbacks/endpoint-1_subject-0_sent/replay";
    const replayed = await api.ask("POST", path);
    expect(replayed).toMatchObject({ status: 202, body: { state: "pending" } });
    expect(api.callbackQueue.later).toHaveLength(1);
    expect(await api.ask("POST", path)).toEqual(replayed);
    expect(api.callbackQueue.later).toHaveLength(2);
    expect(codeOf(await api.ask("POST", path.replace("-0", "-1")))).toBe("404 NOT_FOUND");
  });

  it.each([
    [{ since: "2026-03-02T09:00:00-03:00" }, Date.parse("2026-03-02T12:00:00Z")],
    [{}, 0],
    [undefined, 0],
  ])("of all endpoints are replayed that have failed: %j", async (body, since) => {
    const api = await TestAdmin.create();
    for (const account of ["acme", "other"]) await api.furnish(account);
    const disabled = sampleEndpoint({ endpointId: "endpoint-1" });
    api.directory.endpoints.push(disabled);
    await setHealth(api, { state: "disabled" });
    const begun = await api.ask("POST", "/callbacks/replay", body);
    expect(begun).toMatchObject({ status: 202, body: { endpointIds: ["secret"] } });
    expect(api.callbackQueue.releases.map(({ job }) => job)).toEqual([
      {
        kind: "release",
        account: "acme",
        endpointId: "secret",
        state: "failed",
        since,
        until: api.clock.now(),
      },
    ]);
  });
});

describe("what is another account's", () => {
  const PATHS = GOOD_REQUESTS.filter(([, path]) => /^\/(endpoints|callbacks)/.test(path));

  it.each(PATHS)("is neither seen nor touched by %s %s", async (method, path, body) => {
    const api = await TestAdmin.create();
    await api.furnish("other");
    const key = { account: "other", endpointId: "secret", subject: "secret", level: "sent" };
    const look = async () => ({
      endpoints: await api.directory.listEndpoints("other"),
      health: await api.endpointHealths.find({ account: "other", endpointId: "secret" }),
      deliveries: api.deliveries.all().filter(({ account }) => account === "other"),
      replays: api.callbackQueue.releases.filter(({ job }) => job.account === "other"),
    });
    const before = await look();
    const answer = await api.ask(method, path, body);
    expect(await look()).toEqual(before);
    expect(JSON.stringify(answer.body)).not.toMatch(/secret_|trace-1/);
    const { turns, later, releases } = api.callbackQueue;
    const queued = [...turns, ...later.map(({ turn }) => turn), ...releases.map(({ job }) => job)];
    expect(queued.filter(({ account }) => account === "other")).toEqual([]);
    expect(before.deliveries.map(keyOfDelivery)).toEqual([key]);
    // It is there for those whose it is.
    const rival = await api.ask("GET", `/callbacks/${CALLBACK}`, undefined, {
      headers: as("rival"),
    });
    expect(rival.status).toBe(200);
  });

  it.each(PATHS)("secrets and headers are in no answer of %s %s", async (method, path, body) => {
    const api = await TestAdmin.create();
    await api.furnish("acme");
    const answer = JSON.stringify(await api.ask(method, path, body));
    expect(answer).not.toMatch(/hash|Bearer/);
  });
});
