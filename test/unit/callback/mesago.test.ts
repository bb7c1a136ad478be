import { describe, expect, it } from "vitest";
import { formatCallback } from "../../../functions/callback/schema.ts";
import { messageReceived, messageStatusChanged } from "../../../functions/core/events.ts";
import type { Message } from "../../../functions/core/message.ts";
import type { Mo } from "../../../functions/core/mo.ts";
import { sampleAccount, sampleEndpoint, sampleMessage, sampleMo } from "../../support/samples.ts";

const at = Date.parse("2014-08-26T15:55:48.593Z");
const eventIn = (overrides: Partial<Message>) =>
  messageStatusChanged(sampleMessage(at, { id: "hs765939216", ...overrides }));
const request = { id: "endpoint-1_trace-1_sent", at };
const requestOf = (event: Parameters<typeof formatCallback>[0], account = sampleAccount()) =>
  formatCallback(event, account, sampleEndpoint(), request);
const bodyOf = (overrides: Partial<Message>) =>
  JSON.parse(requestOf(eventIn(overrides)).body ?? "");

describe("callbackMtRequest", () => {
  it("is the document's example to the letter", () => {
    const { method, url, body } = requestOf(eventIn({ state: "DELIVERED", operator: "Claro" }));
    expect({ method, url }).toEqual({ method: "POST", url: "https://customer.example/callback" });
    expect(body).toBe(
      JSON.stringify({
        callbackMtRequest: {
          status: "03",
          statusMessage: "Delivered",
          statusDetail: "120",
          statusDetailMessage: "Message received by mobile",
          id: "hs765939216",
          received: "2014-08-26T12:55:48.593-03:00",
          mobileOperatorName: "Claro",
        },
      }),
    );
  });

  it("leaves the operator out where it is not known", () => {
    expect(bodyOf({ state: "FAILED", reason: "operator-unreachable" })).toEqual({
      callbackMtRequest: {
        status: "10",
        statusMessage: "Error",
        statusDetail: "160",
        statusDetailMessage: "Operator network error",
        id: "hs765939216",
        received: "2014-08-26T12:55:48.593-03:00",
      },
    });
  });

  it("carries neither the number nor the text", () => {
    expect(JSON.stringify(bodyOf({ state: "SENT" }))).not.toMatch(/5519900001111|Hello/);
  });
});

describe("callbackMoRequest", () => {
  const moBodyOf = (overrides: Partial<Mo>, timeZone = "America/Sao_Paulo") =>
    JSON.parse(
      requestOf(messageReceived(sampleMo(at, overrides)), sampleAccount({ timeZone })).body ?? "",
    );

  it("is the document's example, with what real clients want beside it", () => {
    const mo = sampleMo(Date.parse("2014-08-26T15:27:08.488Z"), {
      account: "mesago.envio",
      id: 20690090,
      from: "555191951711",
      shortCode: "40001",
      text: "Sim",
      answers: { id: "hs765939061", traceId: "trace-1" },
    });
    const { headers, body = "" } = requestOf(messageReceived(mo));
    expect(headers).toMatchObject({ "content-type": "application/json; charset=utf-8" });
    expect(JSON.parse(body)).toStrictEqual({
      callbackMoRequest: {
        id: "20690090",
        mobile: "555191951711",
        shortCode: "40001",
        account: "mesago.envio",
        body: "Sim",
        received: "2014-08-26T12:27:08.488-03:00",
        campaignId: "hs765939061",
        correlatedMessageSmsId: "hs765939061",
      },
    });
  });

  it("names no message where the MO answers none", () => {
    const { callbackMoRequest } = moBodyOf({ answers: undefined });
    expect(Object.keys(callbackMoRequest)).toEqual([
      "id",
      "mobile",
      "shortCode",
      "account",
      "body",
      "received",
    ]);
  });

  it("has the date in the account's zone", () => {
    expect(moBodyOf({}, "Asia/Kolkata").callbackMoRequest.received).toBe(
      "2014-08-26T21:25:48.593+05:30",
    );
    expect(moBodyOf({}, "UTC").callbackMoRequest.received).toBe("2014-08-26T15:55:48.593+00:00");
  });

  it("carries every text as it is, the empty one too", () => {
    for (const text of ["", 'Não 😀\n"quoted"']) {
      expect(moBodyOf({ text }).callbackMoRequest.body).toBe(text);
    }
  });

  it("carries the whole of a long id", () => {
    expect(moBodyOf({ id: 2 ** 52 - 1 }).callbackMoRequest.id).toBe("4503599627370495");
    expect(moBodyOf({ id: 0 }).callbackMoRequest.id).toBe("0");
  });

  it.each(["mesago", "zenvia"] as const)(
    "is posted for %s, whatever the endpoint's method",
    (dialect) => {
      const mo = messageReceived(sampleMo(at, { dialect }));
      const endpoint = sampleEndpoint({ method: "GET" });
      expect(formatCallback(mo, sampleAccount(), endpoint, request)).toEqual(requestOf(mo));
    },
  );
});
