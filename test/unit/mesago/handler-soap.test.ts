import { describe, expect, it } from "vitest";
import {
  SOAP_OPERATIONS,
  type SoapOperation,
  soapFault,
  soapResponse,
} from "../../../functions/mesago/soap.ts";
import { wsdl } from "../../../functions/mesago/wsdl.ts";
import {
  type ApiRequest,
  type ApiResponse,
  MAX_BODY_BYTES,
} from "../../../functions/runtime/http.ts";
import { sampleLongMessage, sampleMessage, sampleMo } from "../../support/samples.ts";
import { apiWithout, contentOf, soapEnvelope, TestApi, WRONG_CREDENTIALS } from "./support.ts";

const SMS = { destination: "5519900001111", messageText: "Hello" };

describe("SOAP", () => {
  const XML = "text/xml; charset=utf-8";
  const textOf = ({ body }: ApiResponse) => (typeof body === "string" ? body : "");
  const faultOf = (response: ApiResponse) => {
    expect(response.headers?.["content-type"]).toBe(XML);
    return /<faultcode>[^<]*:(?<code>\w+)<\/faultcode>/.exec(textOf(response))?.groups?.code;
  };
  const SMS_XML = "<destination>5519900001111</destination><messageText>Hello</messageText>";

  describe("GET ?wsdl", () => {
    it.each([{ wsdl: "" }, { WSDL: "" }, { Wsdl: "1" }, { wSdL: "", version: "2.0" }])(
      "is answered to %j with the description, without credentials",
      async (query) => {
        const headers = {
          authorization: undefined,
          host: "sms.example",
          "x-forwarded-proto": "https",
        };
        for (const path of ["/api/soap", "/api/soap/"]) {
          expect(await new TestApi().get(path, { query, headers })).toMatchObject({
            status: 200,
            headers: { "content-type": XML },
            body: wsdl("https://sms.example/api/soap"),
          });
        }
      },
    );

    it.each([
      [{ host: "sms.example", "x-forwarded-proto": "http" }, "http://sms.example/api/soap"],
      [{ host: "127.0.0.1:4566", "x-forwarded-proto": "http" }, "http://127.0.0.1:4566/api/soap"],
      [{ host: "sms.example", "x-forwarded-proto": "https" }, "https://sms.example/api/soap"],
      [{ host: "127.0.0.1:4566" }, "http://127.0.0.1:4566/api/soap"],
    ])("names the address that it was asked for at: %j", async (headers, location) => {
      const response = await new TestApi().get("/api/soap", { query: { wsdl: "" }, headers });
      expect(textOf(response)).toBe(wsdl(location));
      expect(textOf(response)).toContain(`location="${location}"`);
    });
  });

  it.each([
    ["GET", {}],
    ["GET", { wsdls: "" }],
    ["PUT", { wsdl: "" }],
    ["DELETE", {}],
    ["HEAD", { wsdl: "" }],
  ])("answers %s with the query %j with 405, and allows GET and POST", async (method, query) => {
    const response = await new TestApi().call({ method, path: "/api/soap", query });
    expect(response.status).toBe(405);
    expect(response.headers?.allow).toBe("GET, POST");
    expect(faultOf(response)).toBe("Client");
  });

  it.each(WRONG_CREDENTIALS)(
    "refuses %s with 401, before the body is looked at",
    async (_, authorization) => {
      for (const body of [soapEnvelope("sendSms", SMS_XML), "<", " ".repeat(MAX_BODY_BYTES + 1)]) {
        const api = new TestApi();
        const headers = { "content-type": "text/xml", authorization };
        const response = await api.post("/api/soap", body, { headers });
        expect(response.status).toBe(401);
        expect(response.headers).toHaveProperty(
          "www-authenticate",
          'Basic realm="SMS API", charset="UTF-8"',
        );
        expect(faultOf(response)).toBe("Client");
        expect(textOf(response)).toContain("900");
        expect(api.dispatchQueue.entries).toEqual([]);
      }
    },
  );

  it.each([
    ["no XML", "hello", "text/xml", "Client"],
    ["an empty body", "", "text/xml", "Client"],
    ["JSON", JSON.stringify({ sendSmsRequest: SMS }), "application/json", "Client"],
    ["a DTD", `<!DOCTYPE x><x/>`, "text/xml", "Client"],
    ["no envelope", "<x/>", "text/xml", "Client"],
    [
      "SOAP 1.2",
      soapEnvelope("sendSms", SMS_XML).replace(
        "http://schemas.xmlsoap.org/soap/envelope/",
        "http://www.w3.org/2003/05/soap-envelope",
      ),
      "text/xml",
      "VersionMismatch",
    ],
    [
      "a header that must be understood",
      soapEnvelope("sendSms", SMS_XML).replace(
        "<e:Body>",
        '<e:Header><x xmlns="urn:x" e:mustUnderstand="1"/></e:Header><e:Body>',
      ),
      "text/xml",
      "MustUnderstand",
    ],
    [
      "an unknown operation",
      soapEnvelope("sendSms", SMS_XML).replaceAll("sendSms", "constructor"),
      "text/xml",
      "Client",
    ],
  ])("answers %s with 400 and a fault", async (_, body, contentType, code) => {
    const api = new TestApi();
    const headers = { "content-type": contentType };
    const response = await api.post("/api/soap", body, { headers });
    expect(response.status).toBe(400);
    expect(faultOf(response)).toBe(code);
    expect(response.log).toEqual({ protocol: "soap", fault: code });
    expect(api.dispatchQueue.entries).toEqual([]);
  });

  it("takes 1 MiB, and no more", async () => {
    const sent = async (padding: number) => {
      const envelope = soapEnvelope("sendSms", SMS_XML);
      const body = envelope + " ".repeat(padding - envelope.length);
      const headers = { "content-type": "text/xml" };
      return new TestApi().post("/api/soap", body, { headers });
    };
    expect(await sent(MAX_BODY_BYTES)).toMatchObject({ status: 200 });
    const response = await sent(MAX_BODY_BYTES + 1);
    expect(response.status).toBe(413);
    expect(faultOf(response)).toBe("Client");
  });

  it("takes version 1.0, and no other", async () => {
    const ask = (version: string) => new TestApi().soap("sendSms", SMS_XML, { query: { version } });
    expect((await ask("1.0")).status).toBe(200);
    const response = await ask("2.0");
    expect(response.status).toBe(400);
    expect(faultOf(response)).toBe("Client");
    expect(textOf(response)).toContain("998");
  });

  /** Each operation by SOAP, and the same by JSON. */
  const CALLS: readonly [SoapOperation, string, string, Partial<ApiRequest>][] = [
    [
      "sendSms",
      "accepted",
      `${SMS_XML}<correlationId>a &amp; b?</correlationId><flashSMS>1</flashSMS>`,
      goodBody("/api/send-sms", {
        sendSmsRequest: { ...SMS, correlationId: "a & b?", flashSMS: true },
      }),
    ],
    [
      "sendSms",
      "long",
      `<destination>5519900001111</destination><messageText>${"x".repeat(400)}</messageText>`,
      goodBody("/api/send-sms", { sendSmsRequest: { ...SMS, messageText: "x".repeat(400) } }),
    ],
    [
      "sendSms",
      "refused",
      "<destination>123</destination><messageText>x</messageText>",
      goodBody("/api/send-sms", { sendSmsRequest: { destination: "123", messageText: "x" } }),
    ],
    ["sendSms", "empty", "", goodBody("/api/send-sms", { sendSmsRequest: {} })],
    [
      "sendSmsMultiple",
      "partly refused",
      `<messages>${SMS_XML}</messages><messages/><messages><destination>1</destination></messages>
       <defaultValues><messageText>Hi</messageText></defaultValues><timeZone>UTC</timeZone>`,
      goodBody("/api/send-sms-multiple", {
        sendSmsMultiRequest: {
          messages: [SMS, {}, { destination: "1" }],
          defaultValues: { messageText: "Hi" },
          timeZone: "UTC",
        },
      }),
    ],
    [
      "sendSmsMultiple",
      "refused as a whole",
      "",
      goodBody("/api/send-sms-multiple", { sendSmsMultiRequest: {} }),
    ],
    [
      "getSmsStatus",
      "known",
      "<id>id-1</id>",
      { method: "GET", path: "/api/get-sms-status/id/id-1" },
    ],
    [
      "getSmsStatus",
      "part",
      "<id>id-3_002</id>",
      { method: "GET", path: "/api/get-sms-status/id/id-3_002" },
    ],
    [
      "getSmsStatus",
      "unknown",
      "<id>a/b?</id>",
      { method: "GET", path: "/api/get-sms-status/id/a/b?" },
    ],
    ["getSmsStatus", "no id", "", { method: "GET", path: "/api/get-sms-status/id/" }],
    ["cancelSms", "scheduled", "<id>id-2</id>", { path: "/api/cancel-sms/id/id-2" }],
    ["cancelSms", "too late", "<id>id-1</id>", { path: "/api/cancel-sms/id/id-1" }],
    ["cancelSms", "unknown", "<id>nope</id>", { path: "/api/cancel-sms/id/nope" }],
    ["cancelSms", "no id", "<id/>", { path: "/api/cancel-sms/id/" }],
    ["receivedList", "found", "", { path: "/api/received/list" }],
    [
      "receivedSearch",
      "found",
      "<startDate>2026-03-02T00:00:00</startDate><endDate>2026-03-02T23:59:59</endDate>",
      { method: "GET", path: "/api/received/search/2026-03-02T00:00:00/2026-03-02T23:59:59" },
    ],
    [
      "receivedSearch",
      "refused",
      "<startDate>2026-03-02T00:00:00</startDate>",
      { method: "GET", path: "/api/received/search/2026-03-02T00:00:00" },
    ],
  ];

  function goodBody(path: string, body: object): Partial<ApiRequest> {
    return { path, body: Buffer.from(JSON.stringify(body)) };
  }

  const furnished = async () => {
    const api = new TestApi({ account: { longMessages: true } });
    const now = api.clock.now();
    await api.messages.insert(
      sampleMessage(now, { state: "DELIVERED", shortCode: "27182", operator: "Claro" }),
    );
    await api.messages.insert(
      sampleMessage(now, { id: "id-2", traceId: "t2", state: "SCHEDULED" }),
    );
    await api.messages.insert(sampleLongMessage(now, { id: "id-3", traceId: "t3" }));
    await api.mos.insert(sampleMo(now, { text: "<Sim> & não" }));
    return api;
  };

  it("has examples of every operation", () => {
    expect(new Set(CALLS.map(([operation]) => operation))).toEqual(new Set(SOAP_OPERATIONS));
  });

  it.each(CALLS)(
    "answers %s (%s) with 200 and the fields of the JSON answer",
    async (operation, _, xml, json) => {
      const byJson = await (await furnished()).call(json);
      const bySoap = await (await furnished()).soap(operation, xml);
      expect(bySoap.status).toBe(200);
      expect(bySoap.headers).toEqual({ "content-type": XML });
      expect(textOf(bySoap)).toBe(soapResponse(operation, contentOf(byJson)));
      expect(textOf(bySoap)).toContain("<detailCode>");
      expect(bySoap.log).toMatchObject({ protocol: "soap", operation });
    },
  );

  it("sends under the names of the Mesago document", async () => {
    const api = new TestApi();
    await api.soap("sendSms", `${SMS_XML}<correlationId>by-soap</correlationId>`);
    expect(await api.stored("by-soap")).toMatchObject({ dialect: "mesago", text: "Hello" });
  });

  it("takes for all messages of a request what JSON takes for them", async () => {
    const api = new TestApi();
    await api.soap(
      "sendSmsMultiple",
      `<messages>${SMS_XML}<correlationId>all</correlationId></messages>
       <scheduledDate>2026-03-03T12:00:00</scheduledDate><timeZone>UTC</timeZone>
       <expiresDate>2026-03-03T23:00:00</expiresDate><timeWindow>13</timeWindow>
       <callbackOption>NONE</callbackOption><extraInfo>7</extraInfo>`,
    );
    expect(await api.stored("all")).toMatchObject({
      claimableFrom: Date.parse("2026-03-03T13:00:00Z"),
      expiresAt: Date.parse("2026-03-03T23:00:00Z"),
      window: { hours: [13], timeZone: "UTC" },
      callbackOption: "NONE",
      extraInfo: "7",
    });
  });

  it("finds no more MOs than an answer of Lambda's can carry, in XML", async () => {
    const answers = { id: "i".repeat(64), traceId: "trace" };
    const text = "A reply of one whole SMS, not of a word. ".repeat(4).slice(0, 160);
    const mos = Array.from({ length: 10_000 }, (_, id) => sampleMo(0, { id, text, answers }));
    const all = { takeNew: async () => mos, search: async () => mos };
    const { body } = await new TestApi({ ports: { mos: all } }).soap(
      "receivedSearch",
      "<startDate>2026-03-02T00:00:00</startDate><endDate>2026-03-02T23:59:59</endDate>",
    );
    const size = Buffer.byteLength(JSON.stringify({ statusCode: 200, body }));
    expect(size).toBeLessThan(6 * 1024 * 1024);
    expect(size).toBeGreaterThan(2 * 1024 * 1024);
  });

  describe("faults of our own", () => {
    const fault = soapFault({ code: "Server", reason: "Unknown Error" });

    it.each(CALLS)("are 500 where the directory is away: %s (%s)", async (operation, _, xml) => {
      const response = await apiWithout("directory").soap(operation, xml);
      expect(response.status).toBe(500);
      expect(response.body).toBe(fault);
      expect(faultOf(response)).toBe("Server");
      expect(response.log).toEqual({ protocol: "soap" });
    });

    it.each([
      ["sendSms", SMS_XML, 503],
      ["sendSmsMultiple", `<messages>${SMS_XML}<correlationId>x</correlationId></messages>`, 503],
      ["getSmsStatus", "<id>id-1</id>", 500],
      ["cancelSms", "<id>id-1</id>", 500],
      ["receivedList", "", 500],
      [
        "receivedSearch",
        "<startDate>2026-03-02T00:00:00</startDate><endDate>2026-03-02T23:59:59</endDate>",
        500,
      ],
    ] as const)("are, where the stores are away: %s%s, %d", async (operation, xml, status) => {
      const response = await apiWithout("stores").soap(operation, xml);
      expect(response.status).toBe(status);
      expect(response.body).toBe(fault);
      expect(response.log).toEqual({
        protocol: "soap",
        ...(status === 503 && { traceId: "uuid-1" }),
      });
    });
  });
});
