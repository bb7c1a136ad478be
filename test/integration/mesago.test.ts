import { beforeAll, describe, expect, it } from "vitest";
import { SEND_SMS_EXAMPLES } from "../support/mesago-examples.ts";
import { eventually } from "./support/eventually.ts";
import { stack, TestAccount } from "./support/stack.ts";

const ok = {
  statusCode: "00",
  statusDescription: "Ok",
  detailCode: "000",
  detailDescription: "Message Sent",
};

describe("the Mesago API over HTTP", () => {
  let account: TestAccount;
  beforeAll(async () => {
    account = await TestAccount.create();
  });

  it("takes the document's example 1 all the way to the phone", async () => {
    const { status, body } = await account.post("/api/send-sms", SEND_SMS_EXAMPLES[1]);
    expect(status).toBe(201);
    const { id, ...documented } = body.sendSmsResponse;
    expect(documented).toEqual(ok);
    await eventually(async () => expect(await account.codes(id)).toBe("03/120"));
    expect(await account.status(id)).toEqual({
      id,
      received: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$/),
      shortcode: 27182,
      mobileOperatorName: expect.stringMatching(/^(Vivo|Claro|TIM)$/),
      statusCode: "03",
      statusDescription: "Delivered",
      detailCode: "120",
      detailDescription: "Message received by mobile",
    });
  });

  it("takes the document's example 2, and the same id once only", async () => {
    const example = SEND_SMS_EXAMPLES[2];
    const first = await account.post("/api/send-sms", example);
    expect(first).toMatchObject({ status: 201, body: { sendSmsResponse: ok } });
    expect(first.body).toEqual({ sendSmsResponse: ok });
    const second = await account.post("/api/send-sms", example);
    expect(second.status).toBe(200);
    expect(second.body).toEqual({
      sendSmsResponse: {
        statusCode: "10",
        statusDescription: "Error",
        detailCode: "080",
        detailDescription: "Message with same ID already sent",
      },
    });
  });

  it("takes the document's example 4", async () => {
    const { status, body } = await account.post("/api/send-sms", {
      sendSmsRequest: { ...SEND_SMS_EXAMPLES[4].sendSmsRequest, correlationId: "myFlashId" },
    });
    expect({ status, body }).toEqual({ status: 201, body: { sendSmsResponse: ok } });
  });

  it("holds a message outside its time window", async () => {
    const hourNow = new Date().getUTCHours();
    const timeWindow = [(hourNow + 5) % 24, (hourNow + 6) % 24];
    await account.sendSms({ correlationId: "windowed", timeWindow, timeZone: "UTC" });
    expect(await account.codes("windowed")).toBe("01/100");
  });

  it.each(["a/b", "100%", "ção ü 😀", "a+b c", 'quo"te', "?q=1#f", "%2F"])(
    "finds a message again whose id is %s",
    async (id) => {
      await account.sendSms({ correlationId: id });
      expect(await account.status(id)).toMatchObject({ id, statusCode: expect.any(String) });
    },
  );

  it("knows each account by its password, and each account's messages only", async () => {
    const other = await TestAccount.create();
    await account.sendSms({ correlationId: "mine" });
    expect(await other.codes("mine")).toBe("10/180");
    const headers = { authorization: other.authorization.replace(/.{4}$/, "AAA=") };
    expect(await account.request("/api/get-sms-status/id/mine", { headers })).toMatchObject({
      status: 401,
      body: {
        getSmsStatusResp: {
          statusCode: "10",
          statusDescription: "Error",
          detailCode: "900",
          detailDescription: "Authentication error",
        },
      },
    });
  });

  it.each([
    ["malformed JSON", "POST", "/api/send-sms", "application/json", "{", 400, "170"],
    ["an empty body", "POST", "/api/send-sms", "application/json", "", 400, "170"],
    ["a wrong content type", "POST", "/api/send-sms", "text/plain", "{}", 415, "170"],
    [
      "a body over 1 MiB",
      "POST",
      "/api/send-sms",
      "application/json",
      "x".repeat(1_048_577),
      413,
      "170",
    ],
    ["an unknown path", "POST", "/api/nope", "application/json", "{}", 404, "998"],
    ["an unknown method", "DELETE", "/api/send-sms", "application/json", "{}", 405, "998"],
    ["a method of another operation", "PUT", "/api/send-sms", "application/json", "{}", 405, "998"],
  ])(
    "answers %s in the dialect's shape",
    async (_, method, path, contentType, body, status, detailCode) => {
      const answer = await account.request(path, {
        method,
        headers: { "content-type": contentType },
        body,
      });
      expect(answer).toMatchObject({ status, body: { sendSmsResponse: { detailCode } } });
      expect(JSON.stringify(answer.body)).not.toMatch(/stack|Error:|node_modules/);
    },
  );

  it("answers the root of the API, too", async () => {
    const response = await fetch(`${stack.apiUrl}/api`);
    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({ sendSmsResponse: { detailCode: "998" } });
  });
});
