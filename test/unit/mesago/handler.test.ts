import fc from "fast-check";
import { beforeEach, describe, expect, it } from "vitest";
import { createAuthenticate } from "../../../functions/core/authenticate.ts";
import type { Message } from "../../../functions/core/message.ts";
import { createHandler } from "../../../functions/mesago/handler.ts";
import {
  type ApiHandler,
  type ApiRequest,
  MAX_BODY_BYTES,
} from "../../../functions/runtime/http.ts";
import {
  CountingRandomness,
  ManualClock,
  MemoryDirectory,
  MemoryDispatchQueue,
  MemoryMessages,
} from "../../support/memory.ts";
import { SEND_SMS_EXAMPLES } from "../../support/mesago-examples.ts";
import { SAMPLE_PASSWORD, sampleAccount, sampleMessage } from "../../support/samples.ts";

const basic = (user: string, password: string) =>
  `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;

describe("the Mesago API", () => {
  let clock: ManualClock;
  let messages: MemoryMessages;
  let dispatchQueue: MemoryDispatchQueue;
  let handler: ApiHandler;

  beforeEach(() => {
    clock = new ManualClock();
    messages = new MemoryMessages(clock);
    dispatchQueue = new MemoryDispatchQueue();
    const directory = new MemoryDirectory();
    directory.accounts.set("acme", sampleAccount());
    directory.accounts.set("other", sampleAccount({ account: "other" }));
    handler = createHandler({
      authenticate: createAuthenticate({ directory, clock }),
      messages,
      dispatchQueue,
      clock,
      randomness: new CountingRandomness(),
      retentionMs: 86_400_000,
    });
  });

  const call = (request: Partial<ApiRequest>) =>
    handler.handle({
      method: "POST",
      path: "/api/send-sms",
      query: {},
      body: Buffer.from(""),
      ...request,
      headers: {
        authorization: basic("acme", SAMPLE_PASSWORD),
        "content-type": "application/json",
        ...request.headers,
      },
    });
  const send = (body: unknown, request: Partial<ApiRequest> = {}) =>
    call({ body: Buffer.from(typeof body === "string" ? body : JSON.stringify(body)), ...request });
  const sendSms = (fields: object) =>
    send({ sendSmsRequest: { destination: "5519900001111", messageText: "Hello", ...fields } });
  const status = (id: string, account = "acme") =>
    call({
      method: "GET",
      path: `/api/get-sms-status/id/${id}`,
      headers: { authorization: basic(account, SAMPLE_PASSWORD) },
    });

  const ok = {
    statusCode: "00",
    statusDescription: "Ok",
    detailCode: "000",
    detailDescription: "Message Sent",
  };
  const error = (detailCode: string, detailDescription: string, statusCode = "10") => ({
    statusCode,
    statusDescription: { "07": "Blocked", "10": "Error", "99": "Nok" }[statusCode],
    detailCode,
    detailDescription,
  });

  describe("POST /api/send-sms", () => {
    it("accepts the document's example 1, and says which id the message has", async () => {
      const response = await send(SEND_SMS_EXAMPLES[1]);
      expect(response.status).toBe(201);
      expect(response.body).toEqual({ sendSmsResponse: { ...ok, id: "uuid-1" } });
      expect(await status("uuid-1")).toMatchObject({ status: 200 });
    });

    it("accepts the document's example 2, and answers its four fields and no others", async () => {
      const response = await send(SEND_SMS_EXAMPLES[2]);
      expect(response).toMatchObject({ status: 201, body: { sendSmsResponse: ok } });
      expect(response.body).toEqual({ sendSmsResponse: ok });
      expect(await messages.find("acme", "myId")).toMatchObject({
        extraInfo: '{"name": "Bob"}',
        window: { hours: [11, 12, 18, 19, 20, 21], timeZone: "America/Sao_Paulo" },
      });
    });

    it("accepts the document's example 4", async () => {
      const response = await send(SEND_SMS_EXAMPLES[4]);
      expect(response.body).toEqual({ sendSmsResponse: ok });
      expect(await messages.find("acme", "myId")).toMatchObject({ flash: true });
    });

    it.each([
      [
        "a number for destination",
        { destination: 5519900001111 },
        { destination: "5519900001111" },
      ],
      ["a number for extraInfo", { extraInfo: 1231 }, { extraInfo: "1231" }],
      ["a number for correlationId", { correlationId: 4 }, { id: "4" }],
      ["a boolean for flashSMS", { flashSMS: true }, { flash: true }],
      ["hours as strings", { timeWindow: ["12", 13, 12] }, { window: { hours: [12, 13] } }],
      [
        "a zone for the window",
        { timeWindow: [3], timeZone: "Asia/Tokyo" },
        { window: { timeZone: "Asia/Tokyo" } },
      ],
      ["null for what is optional", { flashSMS: null, scheduledDate: null }, { flash: false }],
      ["a blank correlationId", { correlationId: "  " }, { id: "uuid-1" }],
      ["an emoji in correlationId", { correlationId: "👩‍💻" }, { id: "👩‍💻" }],
      ["an empty correlationId", { correlationId: "" }, { id: "uuid-1" }],
      ["unknown fields", { account: "other", nonsense: {} }, { account: "acme" }],
      ["a callbackOption", { callbackOption: "FINAL" }, { callbackOption: "FINAL" }],
    ])("takes %s", async (_, fields, expected) => {
      expect(await sendSms({ correlationId: "id", ...fields })).toMatchObject({ status: 201 });
      const id = "id" in expected ? String(expected.id) : "id";
      expect(await messages.find("acme", id)).toMatchObject(expected);
    });

    it.each([
      ["no destination", { destination: undefined }, "014"],
      ["an empty destination", { destination: "" }, "014"],
      ["a fixed line", { destination: "551132654321" }, "013"],
      ["an object for destination", { destination: {} }, "013"],
      ["a boolean for destination", { destination: true }, "013"],
      ["a negative number for destination", { destination: -5519900001111 }, "013"],
      ["a number that JSON rounds for correlationId", { correlationId: 2 ** 64 }, "135"],
      ["a fraction for correlationId", { correlationId: 1.5 }, "135"],
      ["a number far too large for destination", { destination: 1e300 }, "013"],
      ["no text", { messageText: undefined }, "010"],
      ["an empty text", { messageText: "" }, "010"],
      ["a number for messageText", { messageText: 42 }, "011"],
      ["a list for messageText", { messageText: ["a"] }, "011"],
      ["a long text", { messageText: "x".repeat(161) }, "012"],
      ["an object for correlationId", { correlationId: {} }, "135"],
      ["a control character in correlationId", { correlationId: "a\u0000b" }, "135"],
      ["half a character in correlationId", { correlationId: "a\ud800b" }, "135"],
      ["what is no character in correlationId", { correlationId: "a\uffffb" }, "135"],
      ["half a character in messageText", { messageText: "a\udc00" }, "011"],
      ["half a character in extraInfo", { extraInfo: "a\ud800" }, "170"],
      ["a long correlationId", { correlationId: "x".repeat(65) }, "016"],
      ["another callbackOption", { callbackOption: "SOME" }, "170"],
      ["a list for extraInfo", { extraInfo: [] }, "170"],
      ["a long extraInfo", { extraInfo: "x".repeat(1_001) }, "170"],
      ["a word for flashSMS", { flashSMS: "perhaps" }, "170"],
      ["an hour that does not exist", { timeWindow: [24] }, "015"],
      ["half an hour", { timeWindow: [10.5] }, "015"],
      ["no hours", { timeWindow: [] }, "015"],
      ["a word for timeWindow", { timeWindow: "always" }, "015"],
      ["words for hours", { timeWindow: ["noon"] }, "015"],
      ["a zone that does not exist", { timeZone: "America/Atlantis" }, "015"],
      ["a number for timeZone", { timeZone: 3 }, "015"],
      ["scheduledDate, until it is supported", { scheduledDate: "2030-01-01T00:00:00" }, "015"],
      ["scheduleDate, until it is supported", { scheduleDate: "2030-01-01T00:00:00" }, "015"],
      ["expiresDate, until it is supported", { expiresDate: "2030-01-01T00:00:00" }, "015"],
    ])("answers %s with the code that names the field", async (_, fields, detailCode) => {
      const response = await sendSms({ correlationId: "id", ...fields });
      expect(response).toMatchObject({ status: 200, body: { sendSmsResponse: { detailCode } } });
      expect(await messages.find("acme", "id")).toBeUndefined();
    });

    it("answers the document's example 3 with 015 until scheduling is supported", async () => {
      const response = await send(SEND_SMS_EXAMPLES[3]);
      expect(response.body).toEqual({
        sendSmsResponse: error("015", "Scheduling date invalid or incorrect"),
      });
    });

    it("takes a slash at the end of the path", async () => {
      const body = Buffer.from(
        '{"sendSmsRequest":{"destination":"5519900001111","messageText":"x"}}',
      );
      expect(await call({ path: "/api/send-sms/", body })).toMatchObject({ status: 201 });
    });

    it("words a wrong number as the document does", async () => {
      expect((await sendSms({ destination: "123" })).body).toEqual({
        sendSmsResponse: error("013", "Incorrect or incomplete ‘destination’ mobile number", "07"),
      });
    });

    it("answers an id sent before with 080, HTTP 200", async () => {
      await sendSms({ correlationId: "id" });
      const response = await sendSms({ correlationId: "id" });
      expect(response.status).toBe(200);
      expect(response.body).toEqual({
        sendSmsResponse: error("080", "Message with same ID already sent"),
      });
    });

    it.each([
      ["malformed JSON", '{"sendSmsRequest":', 400, "170"],
      ["an empty body", "", 400, "170"],
      ["white space", " \n", 400, "170"],
      ["a list", "[]", 400, "170"],
      ["a word", '"hello"', 400, "170"],
      ["null", "null", 400, "170"],
      ["no envelope", "{}", 400, "172"],
      ["an envelope that is no object", '{"sendSmsRequest":[]}', 400, "170"],
      ["an envelope of null", '{"sendSmsRequest":null}', 400, "172"],
    ])("answers %s", async (_, body, httpStatus, detailCode) => {
      const response = await send(body);
      expect(response).toMatchObject({
        status: httpStatus,
        body: { sendSmsResponse: { statusCode: "10", statusDescription: "Error", detailCode } },
      });
    });

    it("does not take text in another encoding than UTF-8", async () => {
      const body = Buffer.from(
        '{"sendSmsRequest":{"destination":"5519900001111","messageText":"olá"}}',
        "latin1",
      );
      expect(await call({ body })).toMatchObject({
        status: 400,
        body: { sendSmsResponse: { detailCode: "170", hint: "The body is not JSON in UTF-8." } },
      });
    });

    it("answers a body of over 1 MiB with 413, and takes one of exactly that", async () => {
      const body = { sendSmsRequest: { destination: "5519900001111", messageText: "x", pad: "" } };
      const room = MAX_BODY_BYTES - JSON.stringify(body).length;
      body.sendSmsRequest.pad = "p".repeat(room);
      expect(await send(body)).toMatchObject({ status: 201 });
      body.sendSmsRequest.pad += "p";
      expect(await send(body)).toMatchObject({
        status: 413,
        body: { sendSmsResponse: { detailCode: "170" } },
      });
    });

    it.each([
      ["application/json", 201],
      ["application/json; charset=utf-8", 201],
      ["application/vnd.client+json", 201],
      ["APPLICATION/JSON", 201],
      ['application/json;charset="UTF-8"', 201],
      ["application/json; charset=iso-8859-1", 415],
      ["text/plain", 415],
      ["application/x-www-form-urlencoded", 415],
      ["application/jsonp", 415],
    ])("answers the content type %s with %d", async (contentType, httpStatus) => {
      const body = { sendSmsRequest: { destination: "5519900001111", messageText: "x" } };
      expect(await send(body, { headers: { "content-type": contentType } })).toMatchObject({
        status: httpStatus,
      });
    });

    it("answers 503 in the envelope where the message could not be put on its way", async () => {
      dispatchQueue.refuses = true;
      const request = { path: "/api/send-sms" } as ApiRequest;
      const failure = await sendSms({ correlationId: "id" }).catch((reason) => reason);
      expect(handler.onError(request, failure)).toMatchObject({
        status: 503,
        body: { sendSmsResponse: error("999", "Unknown Error", "99") },
        log: { traceId: "uuid-1" },
      });
    });

    it("answers anything unexpected with 500 in the envelope, and none of its details", () => {
      const response = handler.onError(
        { path: "/api/get-sms-status/id/1" } as ApiRequest,
        new Error("secret detail"),
      );
      expect(response).toMatchObject({
        status: 500,
        body: { getSmsStatusResp: error("999", "Unknown Error", "99") },
      });
      expect(JSON.stringify(response)).not.toContain("secret");
    });

    it("never throws and always answers in the envelope, whatever the JSON", async () => {
      const knownFields = fc.constantFrom(
        "destination",
        "messageText",
        "correlationId",
        "callbackOption",
        "extraInfo",
        "flashSMS",
        "timeWindow",
        "timeZone",
        "scheduledDate",
        "__proto__",
      );
      const body = fc.oneof(
        fc.jsonValue(),
        fc.record({
          sendSmsRequest: fc.oneof(fc.jsonValue(), fc.dictionary(knownFields, fc.jsonValue())),
        }),
      );
      await fc.assert(
        fc.asyncProperty(body, async (value) => {
          const response = await send(value);
          expect(response.status).toBeLessThan(500);
          expect(response.body).toHaveProperty("sendSmsResponse.detailCode");
        }),
      );
    });
  });

  describe("GET /api/get-sms-status/id/{id}", () => {
    const given = (overrides: Partial<Message>) =>
      messages.insert(sampleMessage(clock.now(), overrides));

    it("answers a delivered message as the document does", async () => {
      await given({ state: "DELIVERED", operator: "Claro", shortCode: "69788" });
      const response = await status("id-1");
      expect(response.status).toBe(200);
      expect(response.body).toEqual({
        getSmsStatusResp: {
          id: "id-1",
          received: "2026-03-02T12:00:00",
          shortcode: 69788,
          mobileOperatorName: "Claro",
          statusCode: "03",
          statusDescription: "Delivered",
          detailCode: "120",
          detailDescription: "Message received by mobile",
        },
      });
    });

    it("leaves out what is not known yet", async () => {
      await given({});
      expect((await status("id-1")).body).toEqual({
        getSmsStatusResp: {
          id: "id-1",
          received: "2026-03-02T12:00:00",
          statusCode: "00",
          statusDescription: "Ok",
          detailCode: "100",
          detailDescription: "Message Queued",
        },
      });
    });

    it.each(["a/b", 'quo"te', "ção", "a b", "#", "100%", "?"])(
      "finds a message whose id is %s",
      async (id) => {
        await sendSms({ correlationId: id });
        expect(await status(id)).toMatchObject({ body: { getSmsStatusResp: { id } } });
      },
    );

    it("does not know an id that no message can have", async () => {
      expect(await status("x".repeat(3_000))).toMatchObject({
        status: 200,
        body: { getSmsStatusResp: { detailCode: "180" } },
      });
    });

    it("takes a slash at the end of an id for a part of it", async () => {
      await sendSms({ correlationId: "abc" });
      expect(await status("abc/")).toMatchObject({
        body: { getSmsStatusResp: { id: "abc/", detailCode: "180" } },
      });
    });

    it("does not know an id never sent, past its retention, or of another account", async () => {
      await given({});
      const unknown = error("180", "Message ID notfound");
      expect((await status("nope")).body).toEqual({ getSmsStatusResp: { ...unknown, id: "nope" } });
      expect((await status("id-1", "other")).body).toMatchObject({ getSmsStatusResp: unknown });
      clock.advance(86_401_000);
      expect((await status("id-1")).body).toMatchObject({ getSmsStatusResp: unknown });
    });
  });

  describe("authentication", () => {
    it.each([
      ["no header", undefined],
      ["another scheme", "Bearer abc"],
      ["no colon", `Basic ${Buffer.from("acme").toString("base64")}`],
      ["not base64", "Basic ñ"],
      ["a wrong password", basic("acme", "wrong")],
      ["an unknown account", basic("nobody", SAMPLE_PASSWORD)],
    ])("refuses %s with 900 in the envelope of the operation", async (_, authorization) => {
      const refused = error("900", "Authentication error");
      const headers = { authorization };
      expect(await send({}, { headers })).toMatchObject({
        status: 401,
        body: { sendSmsResponse: refused },
      });
      expect(
        await call({ method: "GET", path: "/api/get-sms-status/id/1", headers }),
      ).toMatchObject({ status: 401, body: { getSmsStatusResp: refused } });
    });

    it("comes before the body is looked at", async () => {
      expect(await send("{", { headers: { authorization: undefined } })).toMatchObject({
        status: 401,
      });
    });
  });

  it.each([
    ["POST", "/api/nope", 404, "sendSmsResponse", undefined],
    ["GET", "/api", 404, "sendSmsResponse", undefined],
    ["DELETE", "/api/send-sms", 405, "sendSmsResponse", "POST"],
    ["POST", "/api/get-sms-status/id/1", 405, "getSmsStatusResp", "GET"],
  ])("answers %s %s with 998", async (method, path, httpStatus, envelope, allow) => {
    const response = await call({ method, path });
    expect(response).toMatchObject({
      status: httpStatus,
      body: { [envelope]: error("998", "Wrong operation requested") },
    });
    expect(response.headers?.allow).toBe(allow);
  });

  it("writes neither numbers nor texts into its log", async () => {
    const response = await sendSms({ messageText: "a secret text" });
    expect(JSON.stringify(response.log)).not.toMatch(/5519900001111|secret/);
  });
});
