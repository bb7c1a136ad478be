import { describe, expect, it } from "vitest";
import {
  codesOf,
  MESAGO_DETAIL,
  MESAGO_STATUS,
  mesagoAnswer,
  WAVY_DELIVERED,
  WAVY_SENT,
} from "../../../functions/core/codes.ts";
import { REASONS, type Reason, STATES, type State } from "../../../functions/core/lifecycle.ts";

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

  it("keep the documents' words to the letter", () => {
    expect(MESAGO_DETAIL["000"]).toBe("Message Sent");
    expect(MESAGO_DETAIL["013"]).toBe("Incorrect or incomplete ‘destination’ mobile number");
    expect(MESAGO_DETAIL["080"]).toBe("Message with same ID already sent");
    expect(MESAGO_DETAIL["120"]).toBe("Message received by mobile");
    expect(MESAGO_DETAIL["900"]).toBe("Authentication error");
    expect(MESAGO_STATUS["04"]).toBe("Not Received");
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
  it.each([
    ["000", "00"],
    ["013", "07"],
    ["080", "10"],
    ["140", "05"],
    ["180", "10"],
    ["900", "10"],
    ["999", "99"],
  ] as const)("answers %s with status %s", (detailCode, statusCode) => {
    expect(mesagoAnswer(detailCode)).toEqual({ statusCode, detailCode });
  });
});
