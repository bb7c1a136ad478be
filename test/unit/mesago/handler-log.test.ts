import { describe, expect, it } from "vitest";
import type { ApiResponse } from "../../../functions/runtime/http.ts";
import { sampleLongMessage, sampleMo } from "../../support/samples.ts";
import { apiWithout, basic, expectHarmlessLog, TestApi } from "./support.ts";

const SCHEDULED = { scheduledDate: "2026-03-03T10:00:00" };

describe("the log", () => {
  const SECRET = {
    destination: "5519977778888",
    messageText: "secret text",
    correlationId: "secret-id",
    extraInfo: "secret info",
    from: "secret label",
    timeZone: "Asia/Tokyo",
  };
  const XML = Object.entries(SECRET)
    .map(([name, value]) => `<${name}>${value}</${name}>`)
    .join("");
  const BY_ID = "/id/secret-id";

  /** Every operation with secrets in every place that a client has for them. */
  const REQUESTS: readonly [string, (api: TestApi) => Promise<ApiResponse>][] = [
    ["send-sms", (api) => api.post("/api/send-sms", { sendSmsRequest: SECRET })],
    ["send-sms, refused", (api) => api.sendSms({ ...SECRET, destination: "secret" })],
    ["send-sms, no request", (api) => api.post("/api/send-sms", '{"secret"')],
    ["send-sms by GET", (api) => api.get("/api/send-sms", { query: SECRET })],
    [
      "send-sms, of no version",
      (api) => api.get("/api/send-sms", { query: { version: "secret" } }),
    ],
    ["send-sms-multiple", (api) => api.sendMany([SECRET, { destination: "secret" }, SECRET])],
    [
      "send-sms-multiple, refused",
      (api) => api.post("/api/send-sms-multiple", { sendSmsMultiRequest: { messages: "secret" } }),
    ],
    ["get-sms-status", (api) => api.status("secret-id")],
    ["get-sms-status of a part", (api) => api.status("secret-id_001")],
    ["get-sms-status, unknown", (api) => api.status("secret-unknown")],
    ["cancel-sms", (api) => api.cancel("secret-id")],
    ["cancel-sms, unknown", (api) => api.cancel("secret-unknown")],
    ["received/list", (api) => api.call({ path: "/api/received/list" })],
    [
      "received/search",
      (api) => api.get("/api/received/search/2020-01-01T00:00:00/2030-01-01T00:00:00"),
    ],
    ["received/search, refused", (api) => api.get("/api/received/search/secret/secret")],
    [
      "wrong credentials",
      (api) =>
        api.sendSms(SECRET).then(() => api.call({ headers: { authorization: basic("secret") } })),
    ],
    ["an unknown path", (api) => api.get("/api/secret")],
    [
      "an unknown method",
      (api) => api.call({ method: "SECRET", path: `/api/get-sms-status${BY_ID}` }),
    ],
    ["sendSms by SOAP", (api) => api.soap("sendSms", XML)],
    [
      "sendSms by SOAP, refused",
      (api) => api.soap("sendSms", XML.replace("5519977778888", "secret")),
    ],
    [
      "sendSmsMultiple by SOAP",
      (api) => api.soap("sendSmsMultiple", `<messages>${XML}</messages>`),
    ],
    ["getSmsStatus by SOAP", (api) => api.soap("getSmsStatus", "<id>secret-id</id>")],
    ["cancelSms by SOAP", (api) => api.soap("cancelSms", "<id>secret-id</id>")],
    ["receivedList by SOAP", (api) => api.soap("receivedList")],
    [
      "receivedSearch by SOAP",
      (api) => api.soap("receivedSearch", "<startDate>secret</startDate>"),
    ],
    [
      "a fault",
      (api) => api.post("/api/soap", "<secret>", { headers: { "content-type": "text/xml" } }),
    ],
    ["a fault about a name", (api) => api.soap("sendSms", "<secret:secret/>")],
  ];

  const furnish = async (api: TestApi) => {
    const now = api.clock.now();
    await api.messages.insert(
      sampleLongMessage(now, { id: "secret-id", destination: "5519977778888", state: "SCHEDULED" }),
    );
    await api.mos.insert(sampleMo(now, { text: "secret", from: "5519977778888" }));
    return api;
  };

  it.each(REQUESTS)("says of %s nothing of a client's numbers, texts and ids", async (_, ask) => {
    for (const api of [
      new TestApi(),
      await furnish(new TestApi()),
      apiWithout("stores"),
      apiWithout("directory"),
    ]) {
      api.batchQueue.refusesSchedules = true;
      const response = await ask(api);
      expectHarmlessLog(response);
      expect(JSON.stringify(response.log ?? {})).not.toMatch(/secret|5519977778888/i);
    }
  });

  it.each<[string, (api: TestApi) => Promise<ApiResponse>, object]>([
    [
      "a message",
      (api) => api.sendSms({}),
      { envelope: "sendSmsResponse", detailCode: "000", traceId: "uuid-1" },
    ],
    [
      "a refusal",
      (api) => api.sendSms({ destination: "1" }),
      { envelope: "sendSmsResponse", detailCode: "013" },
    ],
    [
      "many messages",
      (api) => api.sendMany([{}, { destination: "1" }, null]),
      { envelope: "sendSmsMultiResponse", traceId: "uuid-1", accepted: 1, refused: 2 },
    ],
    [
      "a status",
      (api) => api.sendSms({ correlationId: "x" }).then(() => api.status("x")),
      { envelope: "getSmsStatusResp", traceId: "uuid-1", state: "QUEUED" },
    ],
    [
      "a cancellation",
      (api) => api.sendSms({ ...SCHEDULED, correlationId: "x" }).then(() => api.cancel("x")),
      { envelope: "cancelSmsResp", traceId: "uuid-1", outcome: "canceled" },
    ],
    [
      "a message by SOAP",
      (api) => api.soap("sendSms", XML),
      { protocol: "soap", operation: "sendSms", detailCode: "000", traceId: "uuid-1" },
    ],
    [
      "a fault",
      (api) => api.post("/api/soap", "<", { headers: { "content-type": "text/xml" } }),
      { protocol: "soap", fault: "Client" },
    ],
    [
      "MOs",
      async (api) => (await furnish(api)).call({ path: "/api/received/list" }),
      { envelope: "receivedResponse", detailCode: "300", mos: 1 },
    ],
  ])("says of %s what an operator needs", async (_, ask, log) => {
    expect((await ask(new TestApi())).log).toEqual(log);
  });
});
