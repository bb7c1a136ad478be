import { describe, expect, it } from "vitest";
import type { ApiResponse } from "../../../functions/runtime/http.ts";
import { sampleLongMessage, sampleMo } from "../../support/samples.ts";
import { apiWithout, expectHarmlessLog, type Fields, TestWavyApi, USERS } from "./support.ts";

const PHONE = "5519977778888";

/** Secrets in every place that a client has for them. */
const SECRET = {
  destination: PHONE,
  messageText: "secret text",
  correlationId: "secret-id",
  extraInfo: "secret info",
  timeZone: "Asia/Tokyo",
  params: { secret: "secret value" },
};
const IN_QUERY = {
  ...SECRET,
  params: JSON.stringify(SECRET.params),
  username: "secret-user",
  authenticationToken: "secret-token",
};
const SMS = { destination: PHONE, messageText: "secret text" };

/** Every operation, with good credentials unless it is about wrong ones. */
const REQUESTS: readonly [string, (api: TestWavyApi) => Promise<ApiResponse>][] = [
  ["send-sms", (api) => api.send(SECRET)],
  ["send-sms to a number that is none", (api) => api.send({ ...SECRET, destination: "secret" })],
  ["send-sms, refused", (api) => api.send({ ...SECRET, timeZone: "secret" })],
  ["send-sms, refused for its params", (api) => api.send({ params: { secret: 5 } })],
  ["send-sms for an unknown campaign", (api) => api.send({ campaignAlias: "secret" })],
  ["send-sms with an unknown template", (api) => api.send({ templateName: "secret" })],
  ["send-sms for another sub-account", (api) => api.send({ subAccount: "secret" })],
  ["send-sms, no JSON", (api) => api.post("/v1/send-sms", '{"secret"')],
  ["send-sms by GET", (api) => api.sendByGet(IN_QUERY)],
  [
    "send-bulk-sms",
    (api) => api.sendBulk([SECRET, { destination: "secret" }, { ...SECRET, messageText: 5 }]),
  ],
  ["send-bulk-sms, refused", (api) => api.sendBulk([SECRET], { flowId: "secret" })],
  [
    "status/search",
    (api) => api.search({ ids: ["secret-id"], correlationIds: ["secret-id", PHONE] }),
  ],
  ["status/search, refused", (api) => api.search({ ids: "secret" })],
  ["status/list", (api) => api.listStatus()],
  ["status/list of a sub-account", (api) => api.listStatus("admin", { subAccount: "secret" })],
  ["sms-status", (api) => api.status("secret-id")],
  ["sms-status, unknown", (api) => api.status("secret-unknown")],
  ["receive/list", (api) => api.listMos()],
  ["receive/search", (api) => api.searchMos()],
  ["receive/search, refused", (api) => api.searchMos({ start: "secret" })],
  ["an unknown path", (api) => api.get("/v1/secret")],
  ["an unknown method", (api) => api.call({ method: "SECRET" })],
  ["a wrong token", (api) => api.call({ headers: { authenticationtoken: "secret-token" } })],
  [
    "an unknown user",
    (api) =>
      api.call({ headers: { username: "secret-user", authenticationtoken: "secret-token" } }),
  ],
  [
    "wrong credentials in the query",
    (api) =>
      api.call({
        method: "GET",
        query: IN_QUERY,
        headers: { username: undefined, authenticationtoken: undefined },
      }),
  ],
];

/** With a message and an MO of the caller's, and a number that is blocked. */
async function furnished() {
  const api = new TestWavyApi();
  const now = api.clock.now();
  const own = { subAccount: "Marketing", dialect: "wavy" } as const;
  await api.messages.insert(
    sampleLongMessage(now, { ...own, id: "secret-id", destination: PHONE, state: "SENT" }),
  );
  await api.mos.insert(sampleMo(now, { ...own, text: "secret", from: PHONE }));
  await api.blockedNumbers.block({ version: 1, account: "acme", number: PHONE, createdAt: 0 });
  return api;
}

/** What must not be in a log: texts, numbers, tokens, and names that failed to log in. */
const NEVER = new RegExp(
  ["secret", PHONE, ...Object.values(USERS).map(({ token }) => token)].join("|"),
  "i",
);

describe("the log", () => {
  it.each(REQUESTS)("says of %s nothing of a client's", async (_, ask) => {
    const limited = new TestWavyApi({
      rateLimits: { requestsPerSecond: 1, statusQueriesPerSecond: 1 },
    });
    await limited.listMos();
    for (const api of [
      new TestWavyApi(),
      await furnished(),
      limited,
      apiWithout("messages", "mos"),
      apiWithout("customers"),
      apiWithout("directory"),
      apiWithout("queues"),
    ]) {
      const response = await ask(api);
      expectHarmlessLog(response);
      expect(JSON.stringify(response.log ?? {})).not.toMatch(NEVER);
    }
  });

  it.each([
    ["a good request", {}],
    ["an unknown user", { username: "secret-user" }],
    ["a wrong token", { authenticationtoken: "secret-token" }],
    ["a token for a name", { username: USERS.marketing.token, authenticationtoken: "Ana" }],
  ])("of the function says so neither: %s", async (_, headers) => {
    const { username, token } = USERS.marketing;
    const credentials = { username, authenticationtoken: token, ...headers };
    for (const api of [new TestWavyApi(), await furnished(), apiWithout("messages", "mos")]) {
      for (const request of [
        { method: "POST", path: "/v1/send-sms", body: JSON.stringify(SECRET) },
        { method: "POST", path: "/v1/send-sms", body: `{"secret": "${PHONE}` },
        { method: "POST", path: "/v1/send-bulk-sms", body: JSON.stringify({ messages: [SMS] }) },
        { method: "GET", path: "/v1/send-sms", query: IN_QUERY },
        { method: "GET", path: "/v1/sms/status/list" },
        { method: "GET", path: "/v1/sms/receive/list" },
        { method: "GET", path: "/v1/secret" },
      ]) {
        await api.invoke({ ...request, headers: { ...credentials } });
      }
      const { infos, errors } = api.log;
      expect(infos).toHaveLength(7);
      expect(JSON.stringify([infos, errors])).not.toMatch(NEVER);
    }
  });

  it("tells what went wrong on our side, with what it takes to find it", async () => {
    const api = apiWithout("messages");
    await api.invoke({
      method: "POST",
      path: "/v1/send-sms",
      body: JSON.stringify(SMS),
    });
    expect(api.log.errors).toEqual([
      expect.objectContaining({
        message: "request failed",
        error: "UnavailableError",
        cause: "Error",
        stack: expect.stringContaining("at "),
      }),
    ]);
    expect(api.log.infos).toEqual([
      expect.objectContaining({
        message: "request",
        status: 503,
        errorCode: "SERVICE_UNAVAILABLE",
        traceId: "uuid-1",
        requestId: "request-1",
      }),
    ]);
  });

  it.each<[string, (api: TestWavyApi) => Promise<ApiResponse>, Fields]>([
    ["a message", (api) => api.send(), { account: "acme", traceId: "uuid-1", state: "QUEUED" }],
    [
      "a message that is not sent",
      (api) => api.send({ destination: "1" }),
      { account: "acme", traceId: "uuid-1", state: "BLOCKED", reason: "invalid-number" },
    ],
    [
      "a refusal",
      (api) => api.send({ timeWindow: [24] }),
      { account: "acme", errorCode: "INVALID_REQUEST" },
    ],
    [
      "what is forbidden",
      (api) => api.send({ subAccount: "Vendas" }),
      { account: "acme", errorCode: "FORBIDDEN" },
    ],
    [
      "many messages",
      (api) => api.sendBulk([SMS, { destination: "1" }, null]),
      { account: "acme", traceId: "uuid-1", accepted: 3, blocked: 2 },
    ],
    [
      "a status",
      (api) => api.send().then(() => api.status("uuid-1")),
      { account: "acme", traceId: "uuid-1" },
    ],
    [
      "statuses",
      (api) => api.send().then(() => api.search({ ids: ["uuid-1", "uuid-2"] })),
      { account: "acme", statuses: 1 },
    ],
    ["a list of statuses", (api) => api.listStatus(), { account: "acme", statuses: 0 }],
    [
      "MOs",
      async (api) => {
        await api.mos.insert(sampleMo(api.clock.now(), { subAccount: "Marketing" }));
        return api.listMos();
      },
      { account: "acme", mos: 1 },
    ],
    [
      "wrong credentials",
      (api) => api.call({ headers: { username: "nobody" } }),
      { errorCode: "UNAUTHORIZED" },
    ],
  ])("says of %s what an operator needs", async (_, ask, log) => {
    const written = (await ask(new TestWavyApi())).log;
    expect(JSON.parse(JSON.stringify(written))).toEqual(log);
  });
});
