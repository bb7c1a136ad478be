import { describe, expect, it } from "vitest";
import {
  MESAGO_DETAIL,
  MESAGO_STATUS,
  type MesagoDetailCode,
} from "../../../functions/core/codes.ts";
import { MESAGO } from "../../../functions/mesago/naming.ts";
import {
  describeAnswer,
  fieldsOfQuery,
  isMessageId,
  openEnvelope,
  parseMultiple,
  parsePeriod,
  parseSms,
} from "../../../functions/mesago/schema.ts";
import { sampleAccount } from "../../support/samples.ts";

describe("isMessageId", () => {
  it.each(["a", "i".repeat(64), "ção", "👩‍💻", "__proto__", " ", "a/b", "\u00a0", "\u{1fffe}"])(
    "takes %j",
    (id) => {
      expect(isMessageId(id)).toBe(true);
    },
  );

  it.each([
    "i".repeat(65),
    "\u0000",
    "a\tb",
    "\u007f",
    "\u0085",
    "\ud800",
    "\udc00",
    "\ufffe",
    "\uffff",
  ])("does not take %j", (id) => {
    expect(isMessageId(id)).toBe(false);
  });
});

describe("describeAnswer", () => {
  it("describes an answer that the document shows, to the letter", () => {
    expect(JSON.stringify(describeAnswer("140"))).toBe(
      '{"statusCode":"05","statusDescription":"Blocked","detailCode":"140",' +
        '"detailDescription":"Mobile number not covered"}',
    );
  });

  it.each(Object.keys(MESAGO_DETAIL) as MesagoDetailCode[])(
    "has a status and both descriptions for %s",
    (detailCode) => {
      const answer = describeAnswer(detailCode);
      expect(answer.detailCode).toBe(detailCode);
      expect(answer.detailDescription).toBe(MESAGO_DETAIL[detailCode]);
      expect(answer.statusDescription).toBe(MESAGO_STATUS[answer.statusCode]);
    },
  );
});

describe("openEnvelope", () => {
  it("finds the fields", () => {
    expect(openEnvelope({ envelope: { a: 1 }, other: 2 }, "envelope")).toEqual({
      ok: true,
      fields: { a: 1 },
    });
  });

  it.each([
    [{}, "172"],
    [{ other: {} }, "172"],
    [{ envelope: null }, "172"],
    [{ envelope: undefined }, "172"],
    [{ envelope: [] }, "170"],
    [{ envelope: "text" }, "170"],
    [{ envelope: 0 }, "170"],
    [{ envelope: false }, "170"],
    [null, "170"],
    [undefined, "170"],
    [[], "170"],
    [[{ envelope: {} }], "170"],
    ["text", "170"],
    [5, "170"],
  ])("says of %j that it is %s, and why", (body, detailCode) => {
    expect(openEnvelope(body, "envelope")).toEqual({
      ok: false,
      detailCode,
      hint: expect.stringContaining("envelope"),
    });
  });

  it("finds no envelope in a prototype", () => {
    const body = JSON.parse('{"__proto__":{"envelope":{}}}');
    expect(openEnvelope(body, "envelope")).toMatchObject({ detailCode: "172" });
  });
});

describe("fieldsOfQuery", () => {
  it("takes parameters as they are, the hours of a window apart, and no version", () => {
    const query = { version: "1.0", destination: "1", messageText: "a,b", timeWindow: "11,12, 18" };
    expect(fieldsOfQuery(query)).toEqual({
      destination: "1",
      messageText: "a,b",
      timeWindow: ["11", "12", "18"],
    });
    expect(fieldsOfQuery({})).toEqual({});
  });

  it("finds no hours where there are none", () => {
    for (const timeWindow of ["", " ", ",", "[]"]) {
      expect(fieldsOfQuery({ timeWindow })).toEqual({ timeWindow: [] });
    }
  });
});

describe("parsePeriod", () => {
  const account = sampleAccount();
  const period = (startDate: unknown, endDate: unknown) =>
    parsePeriod({ startDate, endDate }, account);

  it("reads two dates in the account's zone, the end with all of its second", () => {
    expect(period("2014-08-22T00:00:00", "2014-08-22T23:59:59")).toEqual({
      from: Date.parse("2014-08-22T00:00:00.000-03:00"),
      to: Date.parse("2014-08-22T23:59:59.999-03:00"),
    });
  });

  it("stays within what the store can sort, by years of four digits, and finds all that is there", () => {
    const ever = period("0001-01-01T00:00:00", "9999-12-31T23:59:59");
    expect(ever?.from).toBeLessThanOrEqual(0);
    expect(ever?.to).toBeGreaterThan(Date.parse("9999-12-01T00:00:00Z"));
    for (const at of Object.values(ever ?? {})) {
      expect(new Date(at).toISOString()).toMatch(/^\d{4}-/);
    }
  });

  it.each([undefined, null, "", 5, {}, ["2014-08-22T00:00:00"]])("reads none out of %j", (date) => {
    expect(period(date, "2014-08-22T23:59:59")).toBeUndefined();
    expect(period("2014-08-22T00:00:00", date)).toBeUndefined();
  });
});

describe("what is read", () => {
  it("is read once for each of many messages, and soon, however long a value for all is", () => {
    const messages = Array.from({ length: 1_000 }, () => ({ destination: "5519900001111" }));
    const LONG_VALUES: Record<string, unknown> = {
      timeWindow: Array.from({ length: 10_000 }, () => 99),
      timeZone: "a".repeat(300_000),
      scheduledDate: "1".repeat(2_000_000),
      extraInfo: "x".repeat(2_000_000),
    };
    for (const [name, value] of Object.entries(LONG_VALUES)) {
      const before = performance.now();
      const parsed = parseMultiple({ messages, [name]: value }, MESAGO);
      expect(parsed.ok && parsed.elements.every(({ ok }) => !ok)).toBe(true);
      expect([name, performance.now() - before < 1_500]).toEqual([name, true]);
    }
  });

  it("is an hour of the day as often as there are hours, and not a million of them", () => {
    const hours = (length: number) => Array.from({ length }, (_, index) => index % 24);
    const sms = { destination: "1", messageText: "x" };
    expect(parseSms({ ...sms, timeWindow: hours(48) }, MESAGO)).toMatchObject({ ok: true });
    expect(parseSms({ ...sms, timeWindow: hours(1_000_000) }, MESAGO)).toEqual({
      ok: false,
      detailCode: "015",
    });
  });
});
