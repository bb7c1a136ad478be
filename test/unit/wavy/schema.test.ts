import fc from "fast-check";
import { describe, expect, it } from "vitest";
import * as z from "zod";
import * as schema from "../../../functions/wavy/schema.ts";
import {
  credentialsOfQuery,
  fieldsOfQuery,
  type ReadMessage,
  readBulk,
  readPeriod,
  readSearch,
  readSingle,
  readStatusQuery,
  readSubAccount,
} from "../../../functions/wavy/schema.ts";
import {
  RECEIVE_LIST_QUERIES,
  RECEIVE_SEARCH_QUERIES,
  SEARCH_EXAMPLE,
  SEND_BULK_CURL_EXAMPLE,
  SEND_BULK_EXAMPLES,
  SEND_SMS_BODIES,
  SEND_SMS_QUERY,
  SMS_STATUS_QUERY,
} from "../../support/wavy-examples.ts";

const NOW = Date.UTC(2026, 2, 2, 12);
const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
const CONTEXT = { now: NOW, zone: "America/Sao_Paulo" };
const SMS = { destination: "5519900001111", messageText: "Hello" };
/** A read message without anything but number and text. */
const plain = (destination: string, messageText?: string) => ({
  ok: true,
  destination,
  messageText,
  flash: false,
});

function single(fields: object) {
  const read = readSingle({ ...SMS, ...fields }, CONTEXT);
  if (!read.ok) throw new Error(read.problem);
  return read;
}
const settings = (fields: object) => single(fields).settings;
const message = (fields: object) => single(fields).message;

function problem(fields: object): string {
  const read = readSingle({ ...SMS, ...fields }, CONTEXT);
  if (read.ok) throw new Error("there is no problem");
  return read.problem;
}

function bulk(body: object) {
  const read = readBulk(body, CONTEXT);
  if (!read.ok) throw new Error(read.problem);
  return read;
}
const elements = (messages: unknown[], root: object = {}): readonly ReadMessage[] =>
  bulk({ messages, ...root }).messages;

const refused = (text: string) => ({ ok: false, problem: expect.stringContaining(text) });
const times = (count: number, text: string) => Array.from({ length: count }, () => text);

describe("readSingle", () => {
  it.each(SEND_SMS_BODIES)("reads the document's %s", (body) => {
    const { messageText } = JSON.parse(body);
    expect(readSingle(JSON.parse(body), CONTEXT)).toEqual({
      ok: true,
      settings: {},
      message: plain("5511900000000", messageText),
    });
    expect(["linha\nquebrada", "A combinação foi perfeita :)"]).toContain(messageText);
  });

  it("reads a query", () => {
    expect(readSingle(fieldsOfQuery(SEND_SMS_QUERY), CONTEXT)).toEqual({
      ok: true,
      settings: { window: { hours: [11, 12, 18], timeZone: "America/Sao_Paulo" } },
      message: {
        ...plain("5511900000000", "A combinação foi perfeita :)"),
        correlationId: "myId",
        flash: true,
      },
    });
  });

  it.each([null, undefined, [], [SMS], "text", 1, true])("does not read %j", (body) => {
    expect(readSingle(body, CONTEXT)).toEqual(refused("not an object"));
  });

  it.each([
    [{ destination: undefined }, "destination: missing"],
    [{ destination: null }, "destination: missing"],
    [{ destination: "" }, "destination: missing"],
    [{ destination: " " }, "destination: missing"],
    [{ destination: 5.5 }, "destination: neither"],
    [{ destination: -1 }, "destination: negative"],
    [{ destination: 2 ** 60 }, "destination: neither"],
    [{ destination: ["5519900001111"] }, "destination: neither"],
    [{ destination: "1".repeat(101) }, "destination: longer"],
    [{ destination: "55\ud800" }, "destination: holds"],
    [{ messageText: undefined }, "messageText: missing"],
    [{ messageText: null }, "messageText: missing"],
    [{ messageText: "" }, "messageText: missing"],
    [{ messageText: " \n" }, "messageText: missing"],
    [{ messageText: 5 }, "messageText: not a text"],
    [{ messageText: "x".repeat(1_281) }, "messageText: longer than 1280"],
    [{ messageText: "a\ud83d" }, "messageText: holds"],
    [{ correlationId: "i".repeat(65) }, "correlationId: longer than 64"],
    [{ correlationId: {} }, "correlationId: neither"],
    [{ correlationId: "\uffff" }, "correlationId: holds"],
    [{ extraInfo: "i".repeat(256) }, "extraInfo: longer than 255"],
    [{ extraInfo: true }, "extraInfo: neither"],
    [{ extraInfo: 1.5 }, "extraInfo: neither"],
    [{ extraInfo: "\udc00" }, "extraInfo: holds"],
    [{ flashSMS: "yes" }, "flashSMS: neither true nor false"],
    [{ flashSMS: 1 }, "flashSMS: neither true nor false"],
    [{ timeWindow: [] }, "timeWindow: an empty list"],
    [{ timeWindow: [24] }, "timeWindow: not a whole number from 0 to 23"],
    [{ timeWindow: ["24"] }, "timeWindow: not a whole number from 0 to 23"],
    [{ timeWindow: [-1] }, "timeWindow: not a whole number from 0 to 23"],
    [{ timeWindow: [1.5] }, "timeWindow: not a whole number from 0 to 23"],
    [{ timeWindow: [null] }, "timeWindow: not a whole number from 0 to 23"],
    [{ timeWindow: 11 }, "timeWindow: not a list of hours"],
    [{ timeWindow: "11" }, "timeWindow: not a list of hours"],
    [{ timeWindow: Array(101).fill(1) }, "timeWindow: 101 elements"],
    [{ timeZone: "+99:00" }, "timeZone: "],
    [{ timeZone: "Mars/Olympus" }, "timeZone: "],
    [{ timeZone: -3 }, "timeZone: "],
    [{ timeZone: "x".repeat(1_000) }, "timeZone: "],
    [{ campaignAlias: 5 }, "campaignAlias: "],
    [{ campaignAlias: "a#b" }, "campaignAlias: an alias"],
    [{ flowId: {} }, "flowId: "],
    [{ flowId: "a/b" }, "flowId: an id"],
    [{ templateId: -1 }, "templateId: not a whole number"],
    [{ templateId: "x" }, "templateId: not a whole number"],
    [{ templateId: 1.5 }, "templateId: not a whole number"],
    [{ templateName: 5 }, "templateName: "],
    [{ templateName: "x".repeat(101) }, "templateName: "],
    [{ subAccount: [] }, "subAccount: "],
    [{ subAccount: "a#b" }, "subAccount: a sub-account"],
  ])("refuses %j", (fields, expected) => {
    expect(problem(fields)).toContain(expected);
  });

  it("counts UTF-16 code units", () => {
    expect(problem({ messageText: `${"😀".repeat(640)}x` })).toContain("messageText: longer");
    expect(problem({ correlationId: `${"😀".repeat(32)}x` })).toContain("correlationId: longer");
    expect(problem({ extraInfo: `${"😀".repeat(127)}xx` })).toContain("extraInfo: longer");
  });

  it("takes the longest fields", () => {
    const fields = {
      messageText: "😀".repeat(640),
      correlationId: "i".repeat(64),
      extraInfo: "e".repeat(255),
    };
    expect(message(fields)).toMatchObject(fields);
  });

  it("takes numbers where the client's own texts are expected", () => {
    expect(
      message({ destination: 5519900001111, correlationId: 2468, extraInfo: -7 }),
    ).toMatchObject({ destination: "5519900001111", correlationId: "2468", extraInfo: "-7" });
  });

  it("takes null and, but for the text, an empty text for a field that is left out", () => {
    const names = Object.keys(schema.singleRequestSchema.shape).filter(
      (name) => name !== "destination" && name !== "messageText",
    );
    for (const nothing of [null, "", undefined]) {
      const fields = Object.fromEntries(names.map((name) => [name, nothing]));
      expect(single(fields)).toEqual(single({}));
    }
  });

  it("ignores what it does not know", () => {
    const fields = JSON.parse('{"__proto__":{"flashSMS":true},"constructor":1,"other":{}}');
    expect(single(fields)).toEqual(single({}));
  });

  it.each([
    [true, true],
    ["true", true],
    [false, false],
    ["false", false],
  ])("reads flashSMS %j", (flashSMS, flash) => {
    expect(message({ flashSMS }).flash).toBe(flash);
  });

  it("reads a window's hours in order and once, in the request's zone", () => {
    expect(settings({ timeWindow: [18, "11", 12, 11], timeZone: "-0100" }).window).toEqual({
      hours: [11, 12, 18],
      timeZone: "-0100",
    });
  });

  it("reads what belongs to the request", () => {
    const fields = { campaignAlias: "Promo", subAccount: "Marketing", flowId: "flow-1" };
    expect(settings(fields)).toEqual(fields);
  });
});

describe("the text of a template or a flow", () => {
  it.each([
    { flowId: "flow" },
    { templateId: 0 },
    { templateId: "0" },
    { templateName: "n" },
    { templateId: 7, templateName: "n" },
  ])("is that of the message: %j", (fields) => {
    const { message: own } = single({ ...fields, messageText: undefined });
    expect(own).toEqual(plain(SMS.destination));
    expect(single({ ...fields, messageText: "its own" }).message).toEqual(own);
    expect(single({ ...fields, messageText: " " }).message).toEqual(own);
  });

  it("has the number that digits write", () => {
    expect(settings({ templateId: "0042" }).templateId).toBe(42);
  });

  it("does not come from two places", () => {
    expect(problem({ flowId: "f", templateId: 0 })).toBe(
      "flowId and templateId exclude each other",
    );
    expect(problem({ flowId: "f", templateName: "n" })).toContain("templateName");
  });
});

describe("params", () => {
  it("are texts by name", () => {
    expect(message({ params: { a: "1", "": "", b: null } }).params).toEqual({ a: "1", "": "" });
    expect(message({ params: null }).params).toBeUndefined();
  });

  it.each([
    { a: 1 },
    { a: true },
    { a: {} },
    { a: ["x"] },
    { a: "\ud800" },
    { a: "x".repeat(1_281) },
    { ["a".repeat(101)]: "x" },
    ["a"],
    "a",
    5,
  ])("cannot be %j", (params) => {
    expect(problem({ params })).toMatch(/^params: /);
  });

  it("are at most 100", () => {
    const params = (count: number) =>
      Object.fromEntries(Array.from({ length: count }, (_, i) => [`p${i}`, "x"]));
    expect(Object.keys(message({ params: params(100) }).params ?? {})).toHaveLength(100);
    expect(problem({ params: params(101) })).toBe("params: more than 100 placeholders");
    expect(
      elements([{ ...SMS, params: { other: "x" } }], { defaultValues: { params: params(100) } }),
    ).toMatchObject([refused("params: more than 100 placeholders")]);
  });

  it("do not repeat the client's names in a problem", () => {
    expect(problem({ params: { secret: 1 } })).toBe("params: a value is not a text");
  });

  it("change nothing of objects", () => {
    const params = JSON.parse('{"__proto__":"p","constructor":"c","toString":"t"}');
    const read = message({ params }).params;
    expect(Object.getPrototypeOf(read)).toBe(Object.prototype);
    expect(Object.entries(read ?? {})).toEqual([
      ["constructor", "c"],
      ["toString", "t"],
    ]);
  });
});

describe("schedules and expiries", () => {
  const AT = Date.UTC(2026, 2, 3, 10);

  it.each([
    [{ scheduledAt: AT }, AT],
    [{ scheduledAt: String(AT) }, AT],
    [{ scheduledAt: AT / 1_000 }, AT],
    [{ scheduledAt: String(AT / 1_000) }, AT],
    [{ scheduledAt: 99_999_999_999 }, 99_999_999_999_000],
    [{ scheduledAt: 100_000_000_000 }, 100_000_000_000],
    [{ scheduledAt: 0 }, 0],
    [{ delayedInMinutes: 30 }, NOW + 30 * MINUTE],
    [{ delayedInMinutes: "30" }, NOW + 30 * MINUTE],
    [{ delayedInMinutes: 0 }, NOW],
    [{ scheduledDate: "2026-03-03T07:00:00" }, AT],
    [{ scheduleDate: "2026-03-03T07:00:00" }, AT],
    [{ scheduledDate: "2026-03-03T10:00:00", timeZone: "UTC" }, AT],
    [{ scheduledDate: "2026-03-03T13:00:00", timeZone: "+03:00" }, AT],
    [{ scheduledDate: "2026-03-03T09:00:00", timeZone: "-0100" }, AT],
    [{ scheduledDate: "2026-03-03T19:00:00", timeZone: "Asia/Tokyo" }, AT],
    [{ scheduledDate: "2026-03-03T12:00:00+02:00", timeZone: "Asia/Tokyo" }, AT],
    [{ scheduledDate: "2026-03-03T07:00:00", scheduleDate: "" }, AT],
    [{ scheduledDate: null, scheduledAt: AT, delayedInMinutes: "" }, AT],
    [{}, undefined],
  ])("schedules by %j", (fields, scheduledAt) => {
    expect(settings(fields).scheduledAt).toBe(scheduledAt);
  });

  it.each([
    [{ expiresAt: AT }, AT],
    [{ expiresAt: AT / 1_000 }, AT],
    [{ expiresInMinutes: 1 }, NOW + MINUTE],
    [{ expiresInMinutes: "90" }, NOW + 90 * MINUTE],
    [{ expiresInMinutes: 2_147_483_647 }, NOW + 2_147_483_647 * MINUTE],
    [{ expiresDate: "2026-03-03T07:00:00" }, AT],
    [{}, undefined],
  ])("expires by %j", (fields, expiresAt) => {
    expect(settings(fields).expiresAt).toBe(expiresAt);
  });

  it.each([
    { scheduledAt: -1 },
    { scheduledAt: "-1" },
    { scheduledAt: 1.5 },
    { scheduledAt: "soon" },
    { scheduledAt: 8_640_000_000_000_001 },
    { scheduledAt: true },
    { scheduledAt: [AT] },
    { delayedInMinutes: -1 },
    { delayedInMinutes: "-1" },
    { delayedInMinutes: 0.5 },
    { delayedInMinutes: 1e300 },
    { delayedInMinutes: "9".repeat(16) },
    { scheduledDate: "2026-02-30T10:00:00" },
    { scheduledDate: "2026-03-03" },
    { scheduledDate: "tomorrow" },
    { scheduledDate: AT },
    { scheduleDate: "2026-03-03T25:00:00" },
    { expiresAt: -1 },
    { expiresAt: {} },
    { expiresInMinutes: 0 },
    { expiresInMinutes: "0" },
    { expiresInMinutes: -5 },
    { expiresDate: "2026-03-03T10:00:00+99:00" },
    { expiresDate: "x".repeat(10_000) },
  ])("refuses %j", (fields) => {
    expect(problem(fields)).toMatch(new RegExp(`^${Object.keys(fields)[0]}: `));
  });

  it("takes one way of each group", () => {
    const ways = {
      scheduledAt: AT,
      delayedInMinutes: 5,
      scheduledDate: "2026-03-03T07:00:00",
      scheduleDate: "2026-03-03T07:00:00",
    };
    const ends = { expiresAt: AT, expiresInMinutes: 5, expiresDate: "2026-03-03T07:00:00" };
    for (const group of [ways, ends]) {
      const names = Object.keys(group) as (keyof typeof group)[];
      for (const [one, other] of names.flatMap((a, i) => names.slice(i + 1).map((b) => [a, b]))) {
        if (!one || !other) continue;
        expect(problem({ [one]: group[one], [other]: group[other] })).toBe(
          `${one} and ${other} exclude each other`,
        );
      }
    }
    expect(problem(ways)).toContain("scheduledAt and delayedInMinutes and scheduledDate");
    expect(settings({ scheduledAt: AT, expiresAt: AT + 1 })).toEqual({
      scheduledAt: AT,
      expiresAt: AT + 1,
    });
  });

  it("reads seconds as it reads milliseconds", () => {
    fc.assert(
      fc.property(fc.integer({ min: 100_000_000, max: 99_999_999_999 }), (seconds) => {
        const expected = settings({ scheduledAt: seconds * 1_000 });
        expect(settings({ scheduledAt: seconds })).toEqual(expected);
        expect(settings({ scheduledAt: String(seconds) })).toEqual(expected);
        expect(expected.scheduledAt).toBe(seconds * 1_000);
      }),
    );
  });
});

describe("readBulk", () => {
  it("reads the document's examples", () => {
    const text = "Default message";
    expect(bulk(SEND_BULK_CURL_EXAMPLE)).toEqual({
      ok: true,
      settings: {},
      messages: [
        plain("5519999999999", "First message"),
        plain("5519999999999", text),
        plain("5519999999999", text),
      ],
    });
    expect(bulk(SEND_BULK_EXAMPLES[1]).messages).toEqual([
      plain("5519900001111", "First message"),
      plain("5519900002222", text),
      plain("5519900003333", text),
    ]);
    expect(bulk(SEND_BULK_EXAMPLES[2])).toEqual({
      ok: true,
      settings: {
        scheduledAt: Date.parse("2017-01-28T02:30:43-02:00"),
        window: { hours: [12, 15, 20], timeZone: "America/Sao_Paulo" },
      },
      messages: [plain("5519900001111", "First message"), plain("5519900002222", text)],
    });
    expect(bulk(SEND_BULK_EXAMPLES[3]).messages).toEqual([
      { ...plain("5519900001111", text), flash: true },
      { ...plain("5519900002222", text), flash: true },
    ]);
  });

  it("reads the document's examples with flow and template", () => {
    const messages = [
      { ...plain("5519900001111"), params: { param1: "other_value1", param2: "other_value2" } },
      { ...plain("5519900002222"), params: { param1: "value1", param2: "value2" } },
    ];
    expect(bulk(SEND_BULK_EXAMPLES[4])).toEqual({
      ok: true,
      settings: { flowId: "14f8142d-e731-4971-8220-5a76a12c413f" },
      messages,
    });
    expect(bulk(SEND_BULK_EXAMPLES[5])).toEqual({
      ok: true,
      settings: { templateId: 0, templateName: "name" },
      messages,
    });
  });

  it.each([
    [null, "not an object"],
    [[SMS], "not an object"],
    ["text", "not an object"],
    [{}, "messages: missing"],
    [{ messages: null }, "messages: missing"],
    [{ messages: SMS }, "messages: not a list"],
    [{ messages: [] }, "messages: an empty list"],
    [{ messages: Array(1_001).fill(SMS) }, "messages: 1001 elements; at most 1000"],
    [{ messages: [SMS], defaultValues: [] }, "defaultValues: "],
    [{ messages: [SMS], defaultValues: "text" }, "defaultValues: "],
    [{ messages: [SMS], defaultValues: { messageText: 5 } }, "defaultValues.messageText: not"],
    [
      { messages: [SMS], defaultValues: { params: { x: 1 } } },
      "defaultValues.params: a value is not a text",
    ],
    [{ messages: [SMS], defaultValues: { destination: {} } }, "defaultValues.destination: "],
    [{ messages: [SMS], delayedInMinutes: -1 }, "delayedInMinutes: "],
    [{ messages: [SMS], timeZone: "+99:00" }, "timeZone: "],
    [{ messages: [SMS], flowId: "f", templateId: 1 }, "flowId and templateId"],
    [
      { messages: [SMS], scheduledDate: "2026-03-03T07:00:00", scheduledAt: 5 },
      "scheduledAt and scheduledDate exclude each other",
    ],
  ])("refuses %j", (body, expected) => {
    expect(readBulk(body, CONTEXT)).toEqual(refused(expected));
  });

  it("takes 1000 messages", () => {
    expect(elements(Array(1_000).fill(SMS))).toHaveLength(1_000);
  });

  it("ignores null for defaults", () => {
    expect(elements([SMS], { defaultValues: null })).toEqual([plain(SMS.destination, "Hello")]);
    expect(elements([SMS], { defaultValues: { params: null } })).toEqual(elements([SMS]));
  });

  const IN_THE_ROOT = {
    scheduledAt: -1,
    delayedInMinutes: -1,
    scheduledDate: {},
    expiresAt: "x",
    expiresInMinutes: 0,
    expiresDate: 5,
    timeZone: "+99:00",
    timeWindow: [],
    campaignAlias: 5,
    flowId: 5,
    templateId: "x",
    templateName: [],
    subAccount: 5,
  };

  it("ignores in messages and in their defaults what belongs to the root", () => {
    const body = { messages: [{ ...SMS, ...IN_THE_ROOT }], defaultValues: IN_THE_ROOT };
    expect(bulk(body)).toEqual(bulk({ messages: [SMS] }));
    const elsewhere = { destination: SMS.destination, flowId: "f" };
    expect(elements([elsewhere], { defaultValues: { flowId: "f" } })).toMatchObject([
      refused("messageText: missing"),
    ]);
  });

  it("fills what a message leaves out", () => {
    const defaultValues = {
      destination: "5519900009999",
      messageText: "Default",
      correlationId: "d",
      extraInfo: 5,
      flashSMS: true,
      params: { a: "1", b: "2" },
    };
    const usual = {
      ok: true,
      destination: "5519900009999",
      messageText: "Default",
      correlationId: "d",
      extraInfo: "5",
      flash: true,
      params: { a: "1", b: "2" },
    };
    const own = {
      destination: "5519900001111",
      messageText: "Own",
      correlationId: 1,
      extraInfo: "o",
      flashSMS: "false",
      params: { b: "3", c: "4" },
    };
    const blank = { messageText: null, correlationId: "", flashSMS: null, params: { a: null } };
    expect(elements([{}, own, blank], { defaultValues })).toEqual([
      usual,
      {
        ...own,
        ok: true,
        flashSMS: undefined,
        correlationId: "1",
        flash: false,
        params: { a: "1", b: "3", c: "4" },
      },
      usual,
    ]);
  });

  it("does not send the default text where an empty one is given", () => {
    expect(
      elements([{ ...SMS, messageText: "" }], { defaultValues: { messageText: "Default" } }),
    ).toMatchObject([refused("messageText: missing")]);
  });

  it.each([
    [null, "not an object"],
    [[], "not an object"],
    ["5519900001111", "not an object"],
    [{ destination: SMS.destination }, "messageText: missing"],
    [{ ...SMS, messageText: " " }, "messageText: missing"],
    [{ ...SMS, messageText: 5 }, "messageText: not a text"],
    [{ ...SMS, messageText: "x".repeat(1_281) }, "messageText: longer"],
    [{ ...SMS, correlationId: "i".repeat(65) }, "correlationId: longer"],
    [{ ...SMS, extraInfo: {} }, "extraInfo: "],
    [{ ...SMS, flashSMS: "x" }, "flashSMS: "],
    [{ ...SMS, params: { a: 1 } }, "params: "],
    [{ ...SMS, params: "x" }, "params: "],
  ])("does not sink the others with %j", (element, expected) => {
    const read = elements([SMS, element, SMS]);
    expect(read).toMatchObject([{ ok: true }, refused(expected), { ok: true }]);
  });

  it("tells of a wrong message what can be told", () => {
    const wrong = { ...SMS, messageText: 5, correlationId: 7, extraInfo: "e" };
    const defaultValues = { correlationId: "d", extraInfo: "x", destination: "5519900009999" };
    expect(
      elements(
        [
          wrong,
          { ...wrong, correlationId: {}, destination: [] },
          { messageText: 5, extraInfo: "" },
          null,
        ],
        { defaultValues },
      ),
    ).toMatchObject([
      { ok: false, destination: SMS.destination, correlationId: "7", extraInfo: "e" },
      { ok: false, destination: "", correlationId: undefined, extraInfo: "e" },
      { ok: false, destination: "5519900009999", correlationId: "d", extraInfo: "x" },
      { ok: false, destination: "" },
    ]);
  });

  it.each([undefined, null, "", [], {}, true, 5.5, -1, "1".repeat(101), "\uffff", 2 ** 60])(
    "has no number where it is %j, which is for the core to refuse",
    (destination) => {
      expect(elements([{ ...SMS, destination }])).toEqual([plain("", "Hello")]);
    },
  );

  it("reads a wrong number as it is written", () => {
    expect(elements([{ ...SMS, destination: "no number" }])).toEqual([plain("no number", "Hello")]);
  });
});

describe("credentialsOfQuery", () => {
  it("finds them in any case of letters", () => {
    const found = { username: "acme", authenticationToken: "secret" };
    expect(credentialsOfQuery(SEND_SMS_QUERY)).toEqual(found);
    expect(credentialsOfQuery({ UserName: "acme", AUTHENTICATIONTOKEN: "secret" })).toEqual(found);
    expect(credentialsOfQuery({ user: "acme" })).toEqual({});
  });
});

describe("fieldsOfQuery", () => {
  it("leaves the credentials out", () => {
    const { username: _, authenticationToken: __, timeWindow: ___, ...fields } = SEND_SMS_QUERY;
    expect(fieldsOfQuery(SEND_SMS_QUERY)).toEqual({ ...fields, timeWindow: ["11", "12", "18"] });
    expect(fieldsOfQuery({ UserName: "a", authenticationtoken: "b" })).toEqual({});
  });

  it.each(["[11,12]", "11,12", " [ 11 , 12 ] ", '["11","12"]', "11;12", "11 12"])(
    "reads the window %j",
    (timeWindow) => {
      expect(fieldsOfQuery({ timeWindow })).toEqual({ timeWindow: ["11", "12"] });
    },
  );

  it("reads params, and leaves what is no JSON as it is", () => {
    expect(fieldsOfQuery({ params: '{"a":"1"}' })).toEqual({ params: { a: "1" } });
    expect(fieldsOfQuery({ params: "{" })).toEqual({ params: "{" });
    expect(problem(fieldsOfQuery({ params: "{" }))).toContain("params: ");
  });

  it("reads what is written in texts", () => {
    const query = { templateId: "7", delayedInMinutes: "5", flashSMS: "true", timeWindow: "9" };
    expect(single(fieldsOfQuery(query))).toMatchObject({
      settings: {
        templateId: 7,
        scheduledAt: NOW + 5 * MINUTE,
        window: { hours: [9], timeZone: CONTEXT.zone },
      },
      message: { flash: true },
    });
    expect(problem(fieldsOfQuery({ timeWindow: "[]" }))).toContain("timeWindow: an empty list");
  });

  it("takes empty parameters for none", () => {
    const names = Object.keys(schema.singleRequestSchema.shape).filter((name) => !(name in SMS));
    const query = Object.fromEntries(names.map((name) => [name, ""]));
    expect(single(fieldsOfQuery(query))).toEqual(single({}));
  });

  it("takes a plus sign that was not escaped for what it was", () => {
    const query = {
      timeZone: " 03:00",
      scheduledDate: "2026-03-03T10:00:00 02:00",
      expiresDate: "2026-03-03 10:00",
      messageText: " 03:00",
    };
    expect(fieldsOfQuery(query)).toEqual({
      timeZone: "+03:00",
      scheduledDate: "2026-03-03T10:00:00+02:00",
      expiresDate: "2026-03-03 10:00",
      messageText: " 03:00",
    });
  });
});

describe("readSearch", () => {
  it("reads the document's example", () => {
    expect(readSearch(SEARCH_EXAMPLE)).toEqual({
      ok: true,
      // As written, for those that Mesago's clients chose, and as ours are.
      ids: [
        "918F3591-9AD6-11E7-9C9B-E255B01A8B1A",
        "918f3591-9ad6-11e7-9c9b-e255b01a8b1a",
        "234F3591-6AD6-11E7-9C9B-E255B01A8B1A",
        "234f3591-6ad6-11e7-9c9b-e255b01a8b1a",
      ],
      correlationIds: ["2468"],
    });
  });

  it("reads each once", () => {
    const uuid = "01a2012b-98e9-7702-9be1-6967e9b4edaa";
    const ids = [uuid, uuid.toUpperCase(), "a", "A", "a"];
    expect(readSearch({ ids, correlationIds: ["x", "X", "x"] })).toEqual({
      ok: true,
      ids: [uuid, uuid.toUpperCase(), "a", "A"],
      correlationIds: ["x", "X"],
    });
    expect(readSearch({ ids: null, correlationIds: ["x"] })).toMatchObject({ ids: [] });
  });

  const IDS = Array.from({ length: 1_000 }, (_, i) => `id-${i}`);

  it("takes 1000 together", () => {
    expect(readSearch({ ids: IDS })).toMatchObject({ ok: true, ids: IDS });
    expect(readSearch({ ids: IDS.slice(0, 400), correlationIds: IDS.slice(0, 600) })).toMatchObject(
      { ok: true },
    );
  });

  it.each([
    [null, "not an object"],
    [[], "not an object"],
    [{}, "nothing to search for"],
    [{ ids: [] }, "nothing to search for"],
    [{ ids: [], correlationIds: null }, "nothing to search for"],
    [{ ids: "a" }, "ids: not a list"],
    [{ ids: [5] }, "ids: not all"],
    [{ ids: [""] }, "ids: not all"],
    [{ ids: [null] }, "ids: not all"],
    [{ ids: ["a"], correlationIds: {} }, "correlationIds: not a list"],
    [{ correlationIds: ["i".repeat(65)] }, "correlationIds: not all"],
    [{ ids: [...IDS, "one more"] }, "ids: 1001 elements"],
    [{ ids: times(1_001, "the same") }, "ids: 1001 elements"],
    [{ ids: IDS, correlationIds: ["one more"] }, "1001 ids and correlationIds"],
  ])("refuses %j", (body, expected) => {
    expect(readSearch(body)).toEqual(refused(expected));
  });
});

describe("readStatusQuery", () => {
  it("reads the id in any case of letters", () => {
    const { id } = SMS_STATUS_QUERY;
    expect(readStatusQuery({ id: ` ${id.toUpperCase()} ` })).toEqual({
      ok: true,
      ids: [id.toUpperCase(), id],
    });
    expect(readStatusQuery({ id: "chosen-ID" })).toEqual({ ok: true, ids: ["chosen-ID"] });
  });

  it.each([{}, { id: "" }, { id: " " }, { id: "i".repeat(65) }])("refuses %j", (query) => {
    expect(readStatusQuery(query)).toEqual(refused("id: "));
  });
});

describe("readPeriod", () => {
  const OLDEST = NOW - 5 * DAY;

  it.each(RECEIVE_SEARCH_QUERIES)("reads the document's %j", (query) => {
    const end = "end" in query ? Date.parse(`${query.end}Z`) : NOW;
    // Of a period that is wholly older than five days nothing is left but its end.
    const from = Math.min(OLDEST, end);
    expect(readPeriod(query, CONTEXT)).toEqual({ ok: true, from, to: end });
  });

  it.each([
    ["2026-03-01T10:00:00", "2026-03-01T11:00:00", "2026-03-01T10:00:00Z", "2026-03-01T11:00:00Z"],
    ["2026-03-01T10:00", "2026-03-01T10:00", "2026-03-01T10:00:00Z", "2026-03-01T10:00:00Z"],
    [
      "2026-03-01T10:00:00-03:00",
      "2026-03-02T00:00:00.5Z",
      "2026-03-01T13:00:00Z",
      "2026-03-02T00:00:00.500Z",
    ],
    [
      "2026-03-01T10:00:00 03:00",
      "2026-03-02T00:00:00 0300",
      "2026-03-01T07:00:00Z",
      "2026-03-01T21:00:00Z",
    ],
    ["2026-03-01", "2026-03-01", "2026-03-01T00:00:00Z", "2026-03-01T23:59:59.999Z"],
    ["2020-01-01", "2026-03-01", "2026-02-25T12:00:00Z", "2026-03-01T23:59:59.999Z"],
    ["2026-03-01", "9999-12-31", "2026-03-01T00:00:00Z", "9999-12-31T23:59:59.999Z"],
  ])("reads %s to %s", (start, end, from, to) => {
    expect(readPeriod({ start, end }, CONTEXT)).toEqual({
      ok: true,
      from: Date.parse(from),
      to: Date.parse(to),
    });
  });

  it("takes empty parameters for none", () => {
    expect(readPeriod({ start: "", end: "" }, CONTEXT)).toEqual({
      ok: true,
      from: OLDEST,
      to: NOW,
    });
  });

  it.each([
    [{ start: "2026-03-02T00:00:00", end: "2026-03-01T00:00:00" }, "start is after end"],
    [{ start: "2016-03-02T00:00:00", end: "2016-03-01T00:00:00" }, "start is after end"],
    [{ start: "2026-03-02T12:00:01" }, "start is after end"],
    [{ start: "yesterday" }, "start: not an ISO 8601 date"],
    [{ start: "1772452800000" }, "start: not an ISO 8601 date"],
    [{ end: "2026-02-30" }, "end: not an ISO 8601 date"],
    [{ end: "2026-03-01T10:00:00+99:00" }, "end: not an ISO 8601 date"],
    [{ end: "2026-03-01,2026-03-02" }, "end: not an ISO 8601 date"],
    [{ end: "2".repeat(10_000) }, "end: not an ISO 8601 date"],
  ])("refuses %j", (query, expected) => {
    expect(readPeriod(query, CONTEXT)).toEqual(refused(expected));
  });
});

describe("readSubAccount", () => {
  it.each(RECEIVE_LIST_QUERIES)("reads the document's %j", (query) => {
    expect(readSubAccount(query)).toEqual({ ok: true, ...query });
  });

  it("takes an empty one for none, and refuses what no sub-account is called", () => {
    expect(readSubAccount({ subAccount: "" })).toEqual({ ok: true });
    expect(readSubAccount({ subAccount: "a#b" })).toEqual(refused("subAccount: "));
    expect(readSubAccount({ subAccount: "x".repeat(10_000) })).toEqual(refused("subAccount: "));
  });
});

describe("whatever comes", () => {
  const anything = fc.jsonValue({ maxDepth: 3 });
  /** Values of which some are good, so that more than the first field is looked at. */
  const GOOD_VALUES: Record<string, fc.Arbitrary<unknown>> = {
    destination: fc.constantFrom("5519900001111", 5519900001111, "123"),
    messageText: fc.string({ unit: "binary", maxLength: 100 }),
    correlationId: fc.oneof(fc.string(), fc.nat()),
    extraInfo: fc.oneof(fc.string(), fc.integer()),
    flashSMS: fc.constantFrom(true, "false"),
    params: fc.dictionary(fc.string(), fc.string()),
    scheduledAt: fc.oneof(fc.nat(), fc.date({ noInvalidDate: true }).map(Number)),
    delayedInMinutes: fc.integer(),
    scheduledDate: fc.constantFrom("2026-03-03T10:00:00", "2026-03-03T10:00:00+99:99"),
    expiresInMinutes: fc.maxSafeInteger(),
    expiresDate: fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
    timeZone: fc.constantFrom("UTC", "Asia/Tokyo", "+14:00", "+99:00", "constructor"),
    timeWindow: fc.array(fc.oneof(fc.nat(25), fc.constantFrom("7", "x"))),
    flowId: fc.string(),
    templateId: fc.oneof(fc.nat(), fc.string()),
    subAccount: fc.string(),
  };
  const FIELDS = new Map(Object.entries(GOOD_VALUES));
  const anyValueOf = (name: string) =>
    fc.oneof(
      { weight: 8, arbitrary: FIELDS.get(name) ?? anything },
      { weight: 1, arbitrary: anything },
    );
  /** An object in JSON, written by hand: `__proto__` would be no field of one in JavaScript. */
  const fields = fc
    .tuple(
      fc.constantFrom({}, SMS, SMS),
      fc
        .uniqueArray(fc.constantFrom(...FIELDS.keys(), "constructor", "__proto__"), {
          maxLength: 4,
        })
        .chain((names) =>
          fc.tuple(
            ...names.map((name) =>
              anyValueOf(name).map((value) => `${JSON.stringify(name)}:${JSON.stringify(value)}`),
            ),
          ),
        ),
    )
    .map(([base, written]) => ({ ...base, ...JSON.parse(`{${written}}`) }));
  const zone = fc.constantFrom("UTC", "America/Sao_Paulo");
  const context = fc.record({ now: fc.nat(4_000_000_000_000), zone });

  const isSane = (at: number | undefined) => at === undefined || Number.isSafeInteger(at);

  it("is read or refused as a single message", () => {
    fc.assert(
      fc.property(fc.oneof(fields, anything), context, (body, reading) => {
        const read = readSingle(body, reading);
        if (!read.ok) {
          expect(read.problem).not.toBe("");
          return;
        }
        expect(read.message.destination).not.toBe("");
        expect(isSane(read.settings.scheduledAt) && isSane(read.settings.expiresAt)).toBe(true);
        expect(JSON.parse(JSON.stringify(read))).toEqual(read);
      }),
    );
  });

  it("is read or refused as a bulk, with one message for each element", () => {
    const body = fc
      .tuple(fields, fc.array(fc.oneof(fields, anything)), fc.oneof(fields, anything))
      .map(([root, messages, defaultValues]) => ({ ...root, messages, defaultValues }));
    fc.assert(
      fc.property(fc.oneof(body, anything), context, (input, reading) => {
        const read = readBulk(input, reading);
        if (!read.ok) {
          expect(read.problem).not.toBe("");
          return;
        }
        const { messages } = input as { messages: unknown[] };
        expect(read.messages).toHaveLength(messages.length);
        for (const it of read.messages) if (!it.ok) expect(it.problem).not.toBe("");
      }),
    );
  });

  it("is one message per element, whatever the elements", () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(fields, anything), { minLength: 1 }), (messages) => {
        expect(elements(messages)).toHaveLength(messages.length);
      }),
    );
  });

  it("reads a bulk's message as it reads it alone", () => {
    fc.assert(
      fc.property(fields, (own) => {
        const { destination, messageText, correlationId, extraInfo, flashSMS, params } = own;
        const fieldsOfMessage = {
          ...{ destination, messageText, correlationId, extraInfo, flashSMS, params },
        };
        const alone = readSingle(fieldsOfMessage, CONTEXT);
        const [inBulk] = elements([fieldsOfMessage]);
        if (alone.ok) expect(inBulk).toEqual(alone.message);
        else if (!alone.problem.startsWith("destination")) expect(inBulk?.ok).toBe(false);
      }),
    );
  });

  it("merges params key by key, a message's own before the defaults", () => {
    const params = fc.dictionary(fc.constantFrom("a", "b", "c", "toString"), fc.string());
    fc.assert(
      fc.property(params, params, (own, usual) => {
        const [read] = elements([{ ...SMS, params: own }], { defaultValues: { params: usual } });
        expect(read).toMatchObject({ ok: true, params: { ...usual, ...own } });
      }),
    );
  });

  it("is read or refused as a search", () => {
    const ids = fc.array(fc.oneof(fc.string(), anything));
    const body = fc.record({ ids, correlationIds: ids }, { requiredKeys: [] });
    fc.assert(
      fc.property(fc.oneof(body, anything), (input) => {
        const read = readSearch(input);
        if (!read.ok) {
          expect(read.problem).not.toBe("");
          return;
        }
        expect(read.ids.length + read.correlationIds.length).toBeGreaterThan(0);
      }),
    );
  });

  it("is read or refused as a query", () => {
    const text = fc.oneof(
      fc.string(),
      fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
    );
    const names = fc.constantFrom(
      ...["start", "end", "subAccount", "id", "__proto__", "username"],
      ...FIELDS.keys(),
    );
    fc.assert(
      fc.property(fc.dictionary(names, text), context, (query, reading) => {
        const period = readPeriod(query, reading);
        if (period.ok) {
          expect(period.from).toBeLessThanOrEqual(period.to);
          expect(period.from).toBeGreaterThanOrEqual(Math.min(0, reading.now - 5 * DAY));
          expect(isSane(period.from) && isSane(period.to)).toBe(true);
        }
        readSubAccount(query);
        readStatusQuery(query);
        credentialsOfQuery(query);
        readSingle(fieldsOfQuery(query), reading);
      }),
    );
  });
});

describe("the schemas", () => {
  const isSchema = (value: unknown) => value instanceof z.ZodType;

  it.each(Object.keys(schema).filter((name) => isSchema(Reflect.get(schema, name))))(
    "%s can be said in JSON Schema",
    (name) => {
      const json = z.toJSONSchema(Reflect.get(schema, name), { io: "input" });
      expect(JSON.stringify(json)).not.toMatch(/[:,[]\{\}/);
    },
  );
});
