import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeText } from "../../../functions/adapters/carriers/kannel/mo-text.ts";
import { receiptUrl } from "../../../functions/adapters/carriers/kannel/receipt-url.ts";
import { kannelProtocol } from "../../../functions/adapters/carriers/kannel/reports.ts";
import {
  concatenationHeader,
  readConcatenation,
} from "../../../functions/adapters/carriers/kannel/user-data-header.ts";
import {
  carrierEventSchema,
  InvalidReportError,
  type Receipt,
  type ReportRequest,
} from "../../../functions/core/carrier.ts";

const NOW = Date.parse("2026-03-02T15:00:00Z");
const CONTEXT = { carrier: "kannel", now: NOW };
const SECONDS = String(NOW / 1_000 - 60);
const REF = { account: "acme", id: "id-1", traceId: "trace-1" };

type Query = Record<string, string | undefined>;

const requestOf = (query: Query, more: Partial<ReportRequest> = {}): ReportRequest => ({
  method: "GET",
  headers: {},
  query,
  body: Buffer.alloc(0),
  ...more,
});

/** The query of what a hand-over has Kannel call, with what it fills in. */
function receiptQuery(
  filledIn: { type?: number | string; answer?: string; at?: string; from?: string } = {},
  part?: number,
): Query {
  const of = { ref: REF, ...(part && { part: { order: part, total: 3 } }) };
  const url = receiptUrl("https://api.example/dlr", of, { smscsAreOperators: true });
  const { type = 1, answer = "", at = SECONDS, from = "27182" } = filledIn;
  const values = { d: String(type), A: answer, T: at, P: from, i: "VIVO" };
  const called = url.replace(/%([dATPi])/g, (_, it) =>
    encodeURIComponent(values[it as keyof typeof values]),
  );
  return Object.fromEntries(new URL(called).searchParams);
}

const receiptsOf = (query: Query, more?: Partial<ReportRequest>) =>
  kannelProtocol.parseReceipts(requestOf(query, more), CONTEXT) as readonly Receipt[];

const moQuery = (bytes: Uint8Array, more: Query = {}): Query => ({
  id: "8f1a",
  from: "+5519900005555",
  to: "27182",
  coding: "0",
  charset: "UTF-8",
  hex: Buffer.from(bytes).toString("hex").toUpperCase(),
  at: SECONDS,
  ...more,
});

const moOf = (query: Query, more?: Partial<ReportRequest>) =>
  (kannelProtocol.parseMos(requestOf(query, more), CONTEXT) as unknown[])[0];

/** As Kannel writes bytes in URLs: a space as a plus sign, letters and digits as they are. */
const inUrl = (bytes: Buffer) =>
  Array.from(bytes, (byte) => {
    const character = String.fromCharCode(byte);
    if (character === " ") return "+";
    if (/[\w.-]/.test(character)) return character;
    return `%${byte.toString(16).padStart(2, "0").toUpperCase()}`;
  }).join("");

const ucs2 = (text: string) => Buffer.from(text, "utf16le").swap16();

describe("a receipt of Kannel's", () => {
  const DELIVERED = { outcome: "delivered" };
  const EXPIRED = { outcome: "not-delivered", reason: "operator-expired" };
  const UNDELIVERABLE = { outcome: "not-delivered", reason: "undeliverable" };

  it("tells of the message that was handed over", () => {
    expect(receiptsOf(receiptQuery())).toEqual([
      {
        type: "receipt",
        ref: REF,
        carrier: "kannel",
        at: NOW - 60_000,
        operator: "VIVO",
        shortCode: "27182",
        outcome: "delivered",
      },
    ]);
  });

  it("tells of one part of it", () => {
    expect(receiptsOf(receiptQuery({}, 2))).toMatchObject([{ ref: REF, part: 2 }]);
    expect(receiptsOf(receiptQuery())[0]).not.toHaveProperty("part");
  });

  it.each([
    ["that it was delivered", 1, "stat:DELIVRD err:000", [DELIVERED]],
    ["that it was not", 2, "stat:UNDELIV err:011", [UNDELIVERABLE]],
    ["that it expired", 34, "stat:EXPIRED err:027", [EXPIRED]],
    ["that it expired, in words only", 2, "id:1 stat:EXPIRED err:027", [EXPIRED]],
    ["that it expired, in a number only", 34, "", [EXPIRED]],
    ["that the operator refused it", 16, "NACK/0x0000000b/Invalid Destination", [UNDELIVERABLE]],
    ["that it expired in Kannel", 16, "NACK/validity expired", [EXPIRED]],
    ["that Kannel gave up", 16, "NACK/retries exceeded", [UNDELIVERABLE]],
    ["that it was rejected", 2, "stat:REJECTD err:099", [UNDELIVERABLE]],
    ["that it is with the operator", 8, "ACK/", []],
    ["that it is on its way", 4, "stat:ENROUTE err:000", []],
    ["that it was accepted", 4, "stat:ACCEPTD err:000", []],
    ["nothing", 0, "", []],
  ])("says %s", (_, type, answer, outcomes) => {
    expect(receiptsOf(receiptQuery({ type, answer }))).toMatchObject(outcomes);
  });

  it("is a sum of bits, of which the delivery counts for most", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 255 }), (type) => {
        const [receipt] = receiptsOf(receiptQuery({ type }));
        const expected = type % 2 === 1 ? "delivered" : type & 50 ? "not-delivered" : undefined;
        expect(receipt?.outcome).toBe(expected);
        if (receipt) expect(carrierEventSchema.safeParse(receipt).success).toBe(true);
      }),
    );
  });

  it.each([
    ["", NOW],
    ["0", NOW],
    ["-1", NOW],
    ["soon", NOW],
    [String(NOW / 1_000 + 3_600), NOW],
    [String(NOW / 1_000 - 31 * 86_400), NOW],
    [String(NOW / 1_000 - 86_400), NOW - 86_400_000],
  ])("is of our time where Kannel's cannot be: %j", (at, expected) => {
    expect(receiptsOf(receiptQuery({ at }))).toMatchObject([{ at: expected }]);
  });

  it("names no short code and no operator where Kannel does not", () => {
    const { operator: _, ...query } = receiptQuery({ from: "" });
    const [receipt] = receiptsOf(query);
    expect(receipt).not.toHaveProperty("shortCode");
    expect(receipt).not.toHaveProperty("operator");
    expect(receiptsOf(receiptQuery({ from: "+5511999990000" }))).toMatchObject([
      { shortCode: "5511999990000" },
    ]);
  });

  it.each<[string, Query, string]>([
    ["no reference", { ref: undefined }, "ref"],
    ["a reference that we did not write", { ref: "abc" }, "ref"],
    ["a reference to nothing", { ref: Buffer.from('["a","",""]').toString("base64url") }, "ref"],
    ["a reference that is too long", { ref: "a".repeat(3_000) }, "ref"],
    ["a part that is none", { part: "0" }, "part"],
    ["no type", { dlr: undefined }, "dlr"],
    ["a type that Kannel did not fill in", { dlr: "%d" }, "dlr"],
    ["an unending type", { dlr: "1".repeat(100) }, "dlr"],
  ])("is refused with %s", (_, wrong, field) => {
    expect(() => receiptsOf({ ...receiptQuery(), ...wrong })).toThrow(InvalidReportError);
    expect(() => receiptsOf({ ...receiptQuery(), ...wrong })).toThrow(
      new RegExp(`^${field}\\b.*: `),
    );
  });

  it("is refused by another method", () => {
    expect(() => receiptsOf(receiptQuery(), { method: "POST" })).toThrow(InvalidReportError);
  });

  it("is read or refused, whatever comes", () => {
    const value = fc.option(fc.string({ unit: "binary" }), { nil: undefined });
    const query = fc.record({ ref: value, part: value, dlr: value, answer: value, at: value });
    fc.assert(
      fc.property(query, (wrong) => {
        try {
          receiptsOf({ ...receiptQuery(), ...wrong });
        } catch (error) {
          expect(error).toBeInstanceOf(InvalidReportError);
        }
      }),
    );
  });
});

describe("an MO of Kannel's", () => {
  it("is what a phone sent", () => {
    expect(moOf(moQuery(Buffer.from("Olá")))).toEqual({
      type: "mo",
      carrier: "kannel",
      carrierMessageId: "8f1a",
      from: "5519900005555",
      shortCode: "27182",
      text: "Olá",
      at: NOW - 60_000,
    });
  });

  it.each([
    ["in the GSM alphabet", Buffer.from("@£ €{}"), "0", "UTF-8", "@£ €{}"],
    ["in Latin-1, which Kannel has made UTF-8 of", Buffer.from("ção"), "0", "UTF-8", "ção"],
    ["in Latin-1, which Kannel left as it is", Buffer.from("ção", "latin1"), "0", "UTF-8", "ção"],
    ["in Latin-1, and said so", Buffer.from("ção", "latin1"), "0", "ISO-8859-1", "ção"],
    ["in UCS-2", ucs2("Olá 😀"), "2", "UTF-16BE", "Olá 😀"],
    ["in UCS-2, with a byte-order mark", ucs2("\ufeffOlá"), "2", "UTF-16BE", "Olá"],
    [
      "in UCS-2, and half a character",
      ucs2("Olá 😀").subarray(0, -2),
      "2",
      "UTF-16BE",
      "Olá \ufffd",
    ],
    ["in UCS-2, and half a code unit", ucs2("Olá").subarray(0, -1), "2", "UTF-16BE", "Ol"],
    ["recoded by Kannel", Buffer.from("Olá 😀"), "0", "UTF-8", "Olá 😀"],
    ["in bytes", Buffer.from("deadbeef00ff", "hex"), "1", "8-BIT", "\xde\xad\xbe\xef\0\xff"],
    ["in nobody knows what", Buffer.from("abc"), "0", "KLINGON", "abc"],
    ["without a text", Buffer.alloc(0), "0", "UTF-8", ""],
    ["without a text in UCS-2", Buffer.alloc(0), "2", "UTF-16BE", ""],
  ])("has its text %s", (_, bytes, coding, charset, text) => {
    expect(moOf(moQuery(bytes, { coding, charset }))).toMatchObject({ text });
  });

  it("has any text back", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), (text) => {
        const isMarked = text.startsWith("\ufeff");
        const expected = isMarked ? text.slice(1) : text;
        expect(decodeText(ucs2(text), 2, "UTF-16BE")).toBe(expected);
        expect(decodeText(Buffer.from(text), 0, "UTF-8")).toBe(expected);
      }),
    );
  });

  it("is one event for any bytes", () => {
    const bytes = fc.uint8Array({ maxLength: 140 });
    const coding = fc.constantFrom("-1", "0", "1", "2", "3");
    const charset = fc.constantFrom("UTF-8", "UTF-16BE", "UTF-16", "8-BIT", "", "ISO-8859-1");
    fc.assert(
      fc.property(bytes, coding, charset, bytes, (text, ofText, inCharset, header) => {
        const headers = { "x-kannel-udh": inUrl(Buffer.from(header)) };
        const query = moQuery(text, { coding: ofText, charset: inCharset });
        const mo = moOf(query, { method: "POST", headers });
        expect(carrierEventSchema.safeParse(mo).success).toBe(true);
      }),
    );
  });

  it("says by its header which part of a long one it is, where Kannel has not put it together", () => {
    const part = (header: string, text = ucs2("a😀").subarray(0, 4)) =>
      moOf(moQuery(text, { coding: "2", charset: "UTF-16BE" }), {
        method: "POST",
        headers: { "x-kannel-udh": inUrl(Buffer.from(header, "hex")) },
      });
    expect(part("050003AA0302")).toMatchObject({
      text: "a\ud83d",
      part: { reference: 0xaa, order: 2, total: 3 },
    });
    expect(part("06080401aa0301")).toMatchObject({
      part: { reference: 0x01aa, order: 1, total: 3 },
    });
    // Bytes that stand for themselves in an URL.
    expect(part("050003205a41")).toMatchObject({
      part: { reference: 0x20, order: 0x41, total: 0x5a },
    });
    // Behind another element: ports, as business cards have them.
    expect(part("0b050400001f900003aa0302")).toMatchObject({
      part: { reference: 0xaa, order: 2, total: 3 },
    });
    expect(part("")).not.toHaveProperty("part");
    expect(part("")).toMatchObject({ text: "a\ufffd" });
  });

  it("leaves out the signs that a number is international", () => {
    const from = (number: string) => moOf(moQuery(Buffer.alloc(0), { from: number }));
    for (const number of ["+5519900005555", "005519900005555", "5519900005555"]) {
      expect(from(number)).toMatchObject({ from: "5519900005555" });
    }
    expect(moOf(moQuery(Buffer.alloc(0), { to: "+5511999990000" }))).toMatchObject({
      shortCode: "5511999990000",
    });
  });

  it("may name the operator", () => {
    const operatorOf = (operator: string) => moOf(moQuery(Buffer.alloc(0), { operator }));
    expect(operatorOf("VIVO")).toMatchObject({ operator: "VIVO" });
    expect(operatorOf("")).not.toHaveProperty("operator");
  });

  it.each<[string, Query, string]>([
    ["no id", { id: "" }, "id"],
    ["no id at all", { id: undefined }, "id"],
    ["a sender that is no number", { from: "Vivo" }, "from"],
    ["no receiver", { to: "" }, "to"],
    ["no text", { hex: undefined }, "hex"],
    ["a text that is not hex", { hex: "Hello" }, "hex"],
    ["half a byte", { hex: "abc" }, "hex"],
    ["no coding", { coding: undefined }, "coding"],
    ["what Kannel did not fill in", { coding: "%c" }, "coding"],
  ])("is refused with %s", (_, wrong, field) => {
    expect(() => moOf(moQuery(Buffer.from("x"), wrong))).toThrow(InvalidReportError);
    expect(() => moOf(moQuery(Buffer.from("x"), wrong))).toThrow(new RegExp(`^${field}\\b.*: `));
  });

  it("is refused by another method", () => {
    expect(() => moOf(moQuery(Buffer.from("x")), { method: "PUT" })).toThrow(InvalidReportError);
  });

  it("stands by itself with a header that cannot be read", () => {
    const headers = { "x-kannel-udh": "%05%00%03" };
    const mo = moOf(moQuery(Buffer.from("x")), { method: "POST", headers });
    expect(mo).toMatchObject({ text: "x" });
    expect(mo).not.toHaveProperty("part");
  });
});

describe("the header of parts", () => {
  it("says what was put into it", () => {
    const total = fc.integer({ min: 2, max: 255 });
    const of = total.chain((all) => fc.tuple(fc.constant(all), fc.integer({ min: 1, max: all })));
    fc.assert(
      fc.property(fc.string(), of, (message, [all, order]) => {
        const header = Buffer.from(concatenationHeader(message, order, all), "hex");
        expect(header).toHaveLength(6);
        expect(readConcatenation(header)).toMatchObject({ order, total: all });
      }),
    );
  });

  it.each([
    "",
    "00",
    "05",
    "0500",
    "050003",
    "050003aa",
    "050003aa03",
    "050003aa0300",
    "050003aa0304",
    "050003aa0101",
    "040003aa0302",
    "050803aa0302",
    "06000401aa0301",
    "ff0003aa",
  ])("says nothing where it cannot be: %s", (hex) => {
    expect(readConcatenation(Buffer.from(hex, "hex"))).toBeUndefined();
  });
});

describe("the answer to a report of Kannel's", () => {
  it("is 200, which alone it takes for success, and empty, since it sends it to phones", () => {
    expect(kannelProtocol.accept([])).toMatchObject({ status: 200, body: "" });
  });
});
