import { describe, expect, it } from "vitest";
import {
  codesOf,
  MESAGO_DETAIL,
  MESAGO_STATUS,
  type MesagoDetailCode,
  type MesagoStatusCode,
  mesagoAnswer,
  WAVY_DELIVERED,
  WAVY_SENT,
  wavyCarrier,
} from "../../../functions/core/codes.ts";
import { REASONS, type Reason, STATES, type State } from "../../../functions/core/lifecycle.ts";

/** The document's table of `detailCode`, as it is written there. */
const DOCUMENTED = {
  "000": "Message Sent",
  "002": "Message successfully canceled",
  "010": "Empty message content",
  "011": "Message body invalid",
  "012": "Message content overflow",
  "013": "Incorrect or incomplete ‘destination’ mobile number",
  "014": "Empty ‘destination’ mobile number",
  "015": "Scheduling date invalid or incorrect",
  "016": "ID overflow",
  "017": "Parameter ‘url’ is invalid or incorrect",
  "021": "‘id’ fieldismandatory",
  "080": "Message with same ID already sent",
  "100": "Message Queued",
  "110": "Message sent to operator",
  "111": "Message confirmation unavailable",
  "120": "Message received by mobile",
  "130": "Message blocked",
  "131": "Message blocked by predictive cleansing",
  "132": "Message already canceled",
  "133": "Message content in analysis",
  "134": "Message blocked by forbidden content",
  "135": "CorrelationId is Invalid or Inactive",
  "136": "Message expired",
  "140": "Mobile number not covered",
  "141": "International sending not allowed",
  "145": "Inactive mobile number",
  "150": "Message expired in operator",
  "160": "Operator network error",
  "161": "Message rejected by operator",
  "162": "Message cancelled or blocked by operator",
  "170": "Bad message",
  "171": "Bad number",
  "172": "Missing parameter",
  "173": "Gateway don't defined to user",
  "180": "Message ID notfound",
  "190": "Unknown error",
  "200": "Messages Sent",
  "210": "Messages scheduled but Account Limit Reached",
  "240": "File empty or not sent",
  "241": "File too large",
  "242": "File readerror",
  "300": "Received messages found",
  "301": "No received messages found",
  "400": "Entity saved",
  "900": "Authentication error",
  "901": "Account type not support this operation.",
  "990": "Account Limit Reached – Please contact support",
  "998": "Wrong operation requested",
  "999": "Unknown Error",
};

/** Every state with every reason that it can have, and without one where it needs none. */
const situations = STATES.flatMap((state): [State, Reason | undefined][] => [
  [state, undefined],
  ...((REASONS as Partial<Record<State, readonly Reason[]>>)[state] ?? []).map(
    (reason): [State, Reason] => [state, reason],
  ),
]);

describe("the code tables", () => {
  it("hold every code of the documents", () => {
    expect(Object.keys(MESAGO_DETAIL).sort().join(" ")).toBe(
      "000 002 010 011 012 013 014 015 016 017 021 080 100 110 111 120 130 131 132 133 134 135 136 " +
        "140 141 145 150 160 161 162 170 171 172 173 180 190 200 210 240 241 242 300 301 400 900 901 " +
        "990 998 999",
    );
    expect(Object.keys(MESAGO_STATUS).sort().join(" ")).toBe("00 01 02 03 04 05 06 07 08 09 10 99");
    expect(Object.keys(WAVY_SENT).join(" ")).toBe("2 101 102 103 201 202 203 204 205 207 301");
    expect(Object.keys(WAVY_DELIVERED).join(" ")).toBe("4 104");
  });

  it("keep the document's words to the letter", () => {
    expect(MESAGO_DETAIL).toEqual(DOCUMENTED);
  });

  it("word each status as the document's answers do", () => {
    expect(MESAGO_STATUS).toEqual({
      "00": "Ok",
      "01": "Scheduled",
      "02": "Sent",
      "03": "Delivered",
      "04": "Not Received",
      "05": "Blocked",
      "06": "Blocked",
      "07": "Blocked",
      "08": "Blocked",
      "09": "Blocked",
      "10": "Error",
      "99": "Nok",
    });
  });

  it.each(situations)("have codes for %s %s", (state, reason) => {
    const { mesago, wavy } = codesOf(state, reason);
    expect(MESAGO_STATUS).toHaveProperty(mesago.statusCode);
    expect(MESAGO_DETAIL).toHaveProperty(mesago.detailCode);
    if (wavy.sent) expect(WAVY_SENT).toHaveProperty(String(wavy.sent));
    if (wavy.delivered) {
      expect(WAVY_DELIVERED).toHaveProperty(String(wavy.delivered));
      expect(wavy.sent, "a delivered status exists only where the sent status is 2").toBe(2);
    }
  });
});

describe("codesOf", () => {
  it.each([
    ["SCHEDULED", undefined, "01", "100", undefined, undefined],
    ["QUEUED", undefined, "00", "100", undefined, undefined],
    ["SENDING", undefined, "00", "100", undefined, undefined],
    ["SENT", undefined, "02", "110", 2, undefined],
    ["SENT", "no-receipts", "02", "111", 2, undefined],
    ["DELIVERED", undefined, "03", "120", 2, 4],
    ["NOT_DELIVERED", "operator-expired", "04", "150", 2, 104],
    ["NOT_DELIVERED", "inactive-number", "04", "145", 2, 104],
    ["NOT_DELIVERED", "undeliverable", "04", "161", 2, 104],
    ["EXPIRED", undefined, "08", "136", 101, undefined],
    ["CANCELED", undefined, "09", "002", undefined, undefined],
    ["BLOCKED", "no-coverage", "05", "140", 103, undefined],
    ["BLOCKED", "international-not-allowed", "05", "141", 103, undefined],
    ["BLOCKED", "block-list", "06", "130", 203, undefined],
    ["BLOCKED", "opt-out", "06", "130", 204, undefined],
    ["BLOCKED", "invalid-number", "07", "013", 202, undefined],
    ["BLOCKED", "content", "08", "134", 207, undefined],
    ["BLOCKED", "account-limit", "09", "990", 201, undefined],
    ["FAILED", "operator-rejected", "10", "161", 103, undefined],
    ["FAILED", "operator-unreachable", "10", "160", 102, undefined],
    ["FAILED", "internal-error", "10", "190", 301, undefined],
  ] as const)(
    "%s %s is %s/%s and Wavy's %s, %s",
    (state, reason, status, detail, sent, delivered) => {
      expect(codesOf(state, reason)).toEqual({
        mesago: { statusCode: status, detailCode: detail },
        wavy: { ...(sent && { sent }), ...(delivered && { delivered }) },
      });
    },
  );
});

describe("mesagoAnswer", () => {
  /** The statuses of answers that are no errors, or no mere errors. */
  const STATUS: Partial<Record<MesagoDetailCode, MesagoStatusCode>> = {
    "000": "00",
    "002": "09",
    "013": "07",
    "130": "06",
    "132": "09",
    "134": "08",
    "136": "08",
    "140": "05",
    "141": "05",
    "300": "00",
    "301": "00",
    "990": "09",
    "999": "99",
  };

  it.each(Object.keys(MESAGO_DETAIL) as MesagoDetailCode[])(
    "answers %s with its status, else as an error",
    (detailCode) => {
      const statusCode = STATUS[detailCode] ?? "10";
      expect(mesagoAnswer(detailCode)).toEqual({ statusCode, detailCode });
    },
  );

  it.each([
    ["BLOCKED", "no-coverage"],
    ["BLOCKED", "international-not-allowed"],
    ["BLOCKED", "block-list"],
    ["BLOCKED", "invalid-number"],
    ["BLOCKED", "content"],
    ["BLOCKED", "account-limit"],
    ["EXPIRED", undefined],
    ["CANCELED", undefined],
  ] as const)(
    "says of a request what a status says of a message that is %s %s",
    (state, reason) => {
      const { mesago } = codesOf(state, reason);
      expect(mesagoAnswer(mesago.detailCode)).toEqual(mesago);
    },
  );
});

describe("what Wavy calls an operator", () => {
  it.each([
    ["Vivo", { carrierId: 1, carrierName: "VIVO" }],
    ["TIM", { carrierId: 5, carrierName: "TIM" }],
    ["Claro", { carrierId: 1001, carrierName: "CLARO" }],
    ["Correios Celular", { carrierName: "CORREIOS CELULAR" }],
    ["constructor", { carrierName: "CONSTRUCTOR" }],
    ["__proto__", { carrierName: "__PROTO__" }],
  ])("is its name in capitals, and its number where it has one: %s", (operator, carrier) => {
    expect(wavyCarrier(operator)).toEqual(carrier);
  });
});
