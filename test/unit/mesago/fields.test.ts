import { describe, expect, it } from "vitest";
import { ALWAYS } from "../../../functions/core/time.ts";
import { MAX_BODY_BYTES } from "../../../functions/runtime/http.ts";
import { sampleMessage } from "../../support/samples.ts";
import {
  codesOf,
  contentOf,
  DIALECTS,
  type DialectName,
  type Fields,
  listOf,
  OK,
  TestApi,
} from "./support.ts";

const GOOD = { destination: "5519900001111", messageText: "Hello", correlationId: "the-id" };

/** A request of one message: what it was answered, and the HTTP status. */
type Send = (api: TestApi, fields: Fields) => Promise<{ status: number; content: Fields }>;

const single =
  (dialect: DialectName): Send =>
  async (api, fields) => {
    const { sendPath, named } = DIALECTS[dialect];
    const response = await api.post(sendPath, { sendSmsRequest: named(fields) });
    return { status: response.status, content: contentOf(response) };
  };

const element =
  (dialect: DialectName): Send =>
  async (api, fields) => {
    const { multiplePath, named, list } = DIALECTS[dialect];
    const response = await api.post(multiplePath, {
      sendSmsMultiRequest: { [list]: [named(fields)] },
    });
    return { status: response.status, content: listOf(response)[0] ?? {} };
  };

const byQuery =
  (dialect: DialectName): Send =>
  async (api, fields) => {
    const { sendPath, named } = DIALECTS[dialect];
    const query = JSON.parse(JSON.stringify(named(fields)));
    const response = await api.get(sendPath, { query });
    return { status: response.status, content: contentOf(response) };
  };

/** Every way in which a message can come over JSON or in a query. */
const WAYS: readonly [string, Send, { readonly textsOnly?: true; readonly tellsOurId?: true }][] = [
  ["send-sms", single("mesago"), { tellsOurId: true }],
  ["an element of send-sms-multiple", element("mesago"), { tellsOurId: true }],
  ["send-sms by GET", byQuery("mesago"), { textsOnly: true, tellsOurId: true }],
  ["send-sms in Zenvia's names", single("zenvia"), {}],
  ["an element of send-sms-multiple in Zenvia's names", element("zenvia"), {}],
  ["send-sms by GET in Zenvia's names", byQuery("zenvia"), { textsOnly: true }],
];

const isText = (value: unknown) => value === undefined || typeof value === "string";

/** The clock says 12:00 in São Paulo. */
const REFUSED: readonly [string, Fields, string][] = [
  ["no destination", { destination: undefined }, "10/014"],
  ["null for destination", { destination: null }, "10/014"],
  ["an empty destination", { destination: "" }, "10/014"],
  ["a blank destination", { destination: " " }, "10/014"],
  ["a destination that is too short", { destination: "123" }, "07/013"],
  ["a fixed line", { destination: "551132654321" }, "07/013"],
  ["a word for destination", { destination: "nobody" }, "07/013"],
  ["an object for destination", { destination: {} }, "07/013"],
  ["a list for destination", { destination: ["5519900001111"] }, "07/013"],
  ["a boolean for destination", { destination: true }, "07/013"],
  ["a negative number for destination", { destination: -5519900001111 }, "07/013"],
  ["a fraction for destination", { destination: 5519900001111.5 }, "07/013"],
  ["a number far too large for destination", { destination: 1e300 }, "07/013"],
  ["no text", { messageText: undefined }, "10/010"],
  ["null for messageText", { messageText: null }, "10/010"],
  ["an empty text", { messageText: "" }, "10/010"],
  ["a blank text", { messageText: " \n" }, "10/010"],
  ["a label without text", { messageText: "", from: "ACME" }, "10/010"],
  ["a number for messageText", { messageText: 42 }, "10/011"],
  ["a list for messageText", { messageText: ["a"] }, "10/011"],
  ["half a surrogate pair in messageText", { messageText: "a\udc00" }, "10/011"],
  ["a number for from", { from: 42 }, "10/011"],
  ["an object for from", { from: {} }, "10/011"],
  ["half a surrogate pair in from", { from: "a\ud800" }, "10/011"],
  ["a text of 161 characters", { messageText: "x".repeat(161) }, "10/012"],
  [
    "a text that its label makes longer than a part",
    { from: "ACME", messageText: "x".repeat(155) },
    "10/012",
  ],
  ["no date for scheduledDate", { scheduledDate: "tomorrow" }, "10/015"],
  ["a blank scheduledDate", { scheduledDate: " " }, "10/015"],
  ["a date without time for scheduledDate", { scheduledDate: "2026-03-03" }, "10/015"],
  ["a day that does not exist", { scheduledDate: "2026-02-30T12:00:00" }, "10/015"],
  ["an hour that does not exist, in a date", { scheduledDate: "2026-03-03T25:00:00" }, "10/015"],
  ["a zone in brackets", { scheduledDate: "2026-03-03T12:00:00[Asia/Tokyo]" }, "10/015"],
  ["a number for scheduledDate", { scheduledDate: 1_772_464_000_000 }, "10/015"],
  ["an object for scheduledDate", { scheduledDate: {} }, "10/015"],
  ["a schedule of more than a minute ago", { scheduledDate: "2026-03-02T11:58:59" }, "10/015"],
  ["a schedule in more than 366 days", { scheduledDate: "2027-03-03T12:00:01" }, "10/015"],
  ["a schedule in the year 0", { scheduledDate: "0000-01-01T00:00:00" }, "10/015"],
  ["no date for expiresDate", { expiresDate: "never" }, "10/015"],
  ["a number for expiresDate", { expiresDate: 0 }, "10/015"],
  [
    "an expiry before the message is due",
    { scheduledDate: "2026-03-02T13:00:00", expiresDate: "2026-03-02T13:00:00" },
    "10/015",
  ],
  ["an expiry in the past", { expiresDate: "2026-03-02T11:59:59" }, "08/136"],
  ["an expiry right now", { expiresDate: "2026-03-02T12:00:00" }, "08/136"],
  ["a window without hours", { timeWindow: [] }, "10/015"],
  ["a window that opens at 24", { timeWindow: [24] }, "10/015"],
  ["a negative hour", { timeWindow: [-1] }, "10/015"],
  ["half an hour", { timeWindow: [10.5] }, "10/015"],
  ["a word for an hour", { timeWindow: ["noon"] }, "10/015"],
  ["a list for an hour", { timeWindow: [[12]] }, "10/015"],
  ["null for an hour", { timeWindow: [null] }, "10/015"],
  ["a number for timeWindow", { timeWindow: 12 }, "10/015"],
  ["an object for timeWindow", { timeWindow: { 0: 12 } }, "10/015"],
  ["a word for timeWindow", { timeWindow: "always" }, "10/015"],
  ["a zone that does not exist", { timeZone: "America/Atlantis" }, "10/015"],
  ["a zone without end", { timeZone: "a".repeat(1_000) }, "10/015"],
  ["a date without end", { scheduledDate: `2026-03-03T12:00:00${" ".repeat(1_000)}x` }, "10/015"],
  ["a destination without end", { destination: "1".repeat(1_000) }, "07/013"],
  ["a date for timeZone", { timeZone: "2026-03-03T12:00:00[Asia/Tokyo]" }, "10/015"],
  ["a number for timeZone", { timeZone: 3 }, "10/015"],
  ["a long correlationId", { correlationId: "i".repeat(65) }, "10/016"],
  ["a line break in correlationId", { correlationId: "a\nb" }, "10/135"],
  ["a control character in correlationId", { correlationId: "a\u0000b" }, "10/135"],
  ["a C1 control character in correlationId", { correlationId: "a\u0085b" }, "10/135"],
  ["half a surrogate pair in correlationId", { correlationId: "a\ud800b" }, "10/135"],
  ["what is no character in correlationId", { correlationId: "a\uffffb" }, "10/135"],
  ["an object for correlationId", { correlationId: {} }, "10/135"],
  ["a boolean for correlationId", { correlationId: true }, "10/135"],
  ["a fraction for correlationId", { correlationId: 1.5 }, "10/135"],
  ["a negative number for correlationId", { correlationId: -1 }, "10/135"],
  ["a number that JSON rounds for correlationId", { correlationId: 2 ** 64 }, "10/135"],
  ["an unknown callbackOption", { callbackOption: "SOMETIMES" }, "10/170"],
  ["a callbackOption in small letters", { callbackOption: "final" }, "10/170"],
  ["a number for callbackOption", { callbackOption: 1 }, "10/170"],
  ["a word for flashSMS", { flashSMS: "perhaps" }, "10/170"],
  ["a number for flashSMS", { flashSMS: 1 }, "10/170"],
  ["an object for extraInfo", { extraInfo: { name: "Bob" } }, "10/170"],
  ["a boolean for extraInfo", { extraInfo: true }, "10/170"],
  ["a long extraInfo", { extraInfo: "x".repeat(1_001) }, "10/170"],
  ["half a surrogate pair in extraInfo", { extraInfo: "a\ud800" }, "10/170"],
];

/** What is taken, and what of the stored message shows it. */
const TAKEN: readonly [string, Fields, object][] = [
  ["a number for destination", { destination: 5519900001111 }, { destination: "5519900001111" }],
  [
    "a number without country",
    { destination: "(19) 99000-1111" },
    { destination: "5519990001111" },
  ],
  ["a label", { from: "ACME" }, { text: "ACME: Hello" }],
  ["a blank label", { from: " " }, { text: "Hello" }],
  ["null for from", { from: null }, { text: "Hello" }],
  ["160 characters", { messageText: "x".repeat(160) }, { text: "x".repeat(160) }],
  ["an emoji", { messageText: "👩‍💻" }, { text: "👩‍💻" }],
  ["a number for extraInfo", { extraInfo: 1231 }, { extraInfo: "1231" }],
  ["a long extraInfo", { extraInfo: "x".repeat(1_000) }, { extraInfo: "x".repeat(1_000) }],
  ["null for extraInfo", { extraInfo: null }, { extraInfo: undefined }],
  ["a boolean for flashSMS", { flashSMS: true }, { flash: true }],
  ["a text for flashSMS", { flashSMS: "true" }, { flash: true }],
  ["no flashSMS", { flashSMS: "false" }, { flash: false }],
  ["null for flashSMS", { flashSMS: null }, { flash: false }],
  ["ALL", { callbackOption: "ALL" }, { callbackOption: "ALL" }],
  ["FINAL", { callbackOption: "FINAL" }, { callbackOption: "FINAL" }],
  ["NONE", { callbackOption: "NONE" }, { callbackOption: "NONE" }],
  ["null for callbackOption", { callbackOption: null }, { callbackOption: undefined }],
  [
    "hours in any order, twice, as texts",
    { timeWindow: ["18", 12, "12", "06"] },
    { window: { hours: [6, 12, 18], timeZone: "America/Sao_Paulo" } },
  ],
  ["null for timeWindow", { timeWindow: null }, { window: undefined }],
  ["null for scheduledDate", { scheduledDate: null }, { state: "QUEUED" }],
  ["an empty scheduledDate", { scheduledDate: "" }, { state: "QUEUED" }],
  ["an empty expiresDate", { expiresDate: "" }, { claimableUntil: ALWAYS }],
  ["null for expiresDate", { expiresDate: null }, { claimableUntil: ALWAYS }],
  ["a schedule of a minute ago", { scheduledDate: "2026-03-02T11:59:00" }, { state: "QUEUED" }],
  [
    "a schedule in 366 days",
    { scheduledDate: "2027-03-03T12:00:00" },
    { claimableFrom: Date.parse("2027-03-03T15:00:00Z") },
  ],
  [
    "a date without offset, which is in the account's zone",
    { scheduledDate: "2026-03-03T10:00:00" },
    { state: "SCHEDULED", claimableFrom: Date.parse("2026-03-03T13:00:00Z") },
  ],
  [
    "a date without offset, in the request's zone",
    { scheduledDate: "2026-03-03T10:00:00", timeZone: "Asia/Tokyo" },
    { claimableFrom: Date.parse("2026-03-03T01:00:00Z") },
  ],
  [
    "a date without offset, in an offset for a zone",
    { scheduledDate: "2026-03-03T10:00", timeZone: "+05:30" },
    { claimableFrom: Date.parse("2026-03-03T04:30:00Z") },
  ],
  [
    "a date with offset, whatever the zone",
    { scheduledDate: "2026-03-03T10:00:00-05:00", timeZone: "Asia/Tokyo" },
    { claimableFrom: Date.parse("2026-03-03T15:00:00Z") },
  ],
  [
    "a date in UTC",
    { scheduledDate: "2026-03-03T10:00:00Z" },
    { claimableFrom: Date.parse("2026-03-03T10:00:00Z") },
  ],
  [
    "an expiry in the account's zone",
    { expiresDate: "2026-03-02T12:30:00" },
    { expiresAt: Date.parse("2026-03-02T15:30:00Z") },
  ],
  [
    "an expiry in the request's zone",
    { expiresDate: "2026-03-03T00:30:00", timeZone: "Asia/Tokyo" },
    { expiresAt: Date.parse("2026-03-02T15:30:00Z") },
  ],
  [
    "a window in the request's zone",
    { timeWindow: ["3"], timeZone: "Asia/Tokyo" },
    {
      window: { hours: [3], timeZone: "Asia/Tokyo" },
      claimableFrom: Date.parse("2026-03-03T03:00:00+09:00"),
    },
  ],
  [
    "a time that daylight saving skips, as much later",
    { scheduledDate: "2026-03-08T02:30:00", timeZone: "America/New_York" },
    { claimableFrom: Date.parse("2026-03-08T03:30:00-04:00") },
  ],
  [
    "the first of a time that daylight saving repeats",
    { scheduledDate: "2026-11-01T01:30:00", timeZone: "America/New_York" },
    { claimableFrom: Date.parse("2026-11-01T01:30:00-04:00") },
  ],
  [
    "fields it does not know",
    { account: "other", toString: "x", nonsense: "y" },
    { account: "acme" },
  ],
];

/** Ids of the client's that are taken as they are, or, where there is nothing in them, replaced by one of ours. */
const IDS: readonly [unknown, string][] = [
  ["i".repeat(64), "i".repeat(64)],
  [4, "4"],
  [0, "0"],
  [" a ", " a "],
  ["👩‍💻", "👩‍💻"],
  ["__proto__", "__proto__"],
  ["constructor", "constructor"],
  ["toString", "toString"],
];

describe.each(WAYS)("%s", (_, send, { textsOnly, tellsOurId }) => {
  const possible = <Row extends readonly [string, Fields, unknown]>(rows: readonly Row[]) =>
    rows.filter(([, fields]) => !textsOnly || Object.values(fields).every(isText));

  it.each(possible(REFUSED))("is refused for %s", async (_, fields, codes) => {
    const api = new TestApi();
    const { status, content } = await send(api, { ...GOOD, ...fields });
    expect([status, `${content.statusCode}/${content.detailCode}`]).toEqual([200, codes]);
    expect(Object.keys(content)).toEqual(Object.keys(OK));
    expect(await api.stored("the-id")).toBeUndefined();
    expect([...api.dispatchQueue.entries, ...api.batchQueue.jobs]).toEqual([]);
  });

  it.each(possible(TAKEN))("takes %s", async (_, fields, expected) => {
    const api = new TestApi();
    expect(await send(api, { ...GOOD, ...fields })).toEqual({ status: 201, content: OK });
    expect(await api.stored("the-id")).toMatchObject(expected);
  });

  it.each(IDS.filter(([given]) => !textsOnly || isText(given)))(
    "takes %j for an id",
    async (correlationId, id) => {
      const api = new TestApi();
      expect((await send(api, { ...GOOD, correlationId })).content).toEqual(OK);
      expect(await api.stored(id)).toMatchObject({ id, text: "Hello" });
      expect((await send(api, { ...GOOD, correlationId })).content).toMatchObject({
        detailCode: "080",
      });
    },
  );

  it.each([undefined, null, "", "  "].filter((given) => !textsOnly || isText(given)))(
    "gives a message an id of ours where the client's is %j, and says so where it may",
    async (correlationId) => {
      const api = new TestApi();
      const { status, content } = await send(api, { ...GOOD, correlationId });
      expect(status).toBe(201);
      expect(api.lastUuid).toMatch(/^uuid-\d$/);
      expect(content).toEqual({ ...OK, ...(tellsOurId && { id: api.lastUuid }) });
      expect(await api.stored(api.lastUuid)).toMatchObject({ text: "Hello" });
    },
  );

  it("takes what is empty for none wherever nothing is missed", async () => {
    const api = new TestApi();
    for (const name of ["timeZone", "callbackOption", "flashSMS", "extraInfo"]) {
      const { content } = await send(api, { ...GOOD, correlationId: name, [name]: "" });
      expect([name, content]).toEqual([name, OK]);
    }
  });

  it("takes up to 1520 characters of label and text together from accounts with long messages", async () => {
    const lengths = async (from: string, length: number) => {
      const api = new TestApi({ account: { longMessages: true } });
      const { content } = await send(api, { ...GOOD, from, messageText: "x".repeat(length) });
      return content.detailCode;
    };
    expect(await lengths("", 1_520)).toBe("000");
    expect(await lengths("", 1_521)).toBe("012");
    expect(await lengths("A", 1_519)).toBe("000");
    expect(await lengths("A", 1_520)).toBe("012");
  });

  it("lists the parts of a long message", async () => {
    const api = new TestApi({ account: { longMessages: true } });
    const { content } = await send(api, { ...GOOD, messageText: "x".repeat(161) });
    expect(content).toEqual({
      ...OK,
      parts: [
        { partId: "the-id_001", order: 1 },
        { partId: "the-id_002", order: 2 },
      ],
    });
  });

  it("leaves another account's message with the same id alone", async () => {
    const api = new TestApi();
    await api.messages.insert(sampleMessage(api.clock.now(), { account: "other", id: "the-id" }));
    expect((await send(api, GOOD)).content).toEqual(OK);
    expect(await api.stored("the-id", "other")).toMatchObject({ text: "Hello, I am a message" });
  });
});

describe("send-sms by GET", () => {
  const windowOf = async (timeWindow: string) => {
    const api = new TestApi();
    const response = await api.get("/api/send-sms", { query: { ...GOOD, timeWindow } });
    return response.status === 201
      ? (await api.stored("the-id"))?.window?.hours
      : codesOf(response);
  };

  it.each([
    ["11,12,18", [11, 12, 18]],
    ["12", [12]],
    ["[11, 12, 18]", [11, 12, 18]],
    ["11;12 18", [11, 12, 18]],
    [" 18 , 9 ", [9, 18]],
  ])("takes the hours %j", async (timeWindow, hours) => {
    expect(await windowOf(timeWindow)).toEqual(hours);
  });

  it.each(["24", "-1", "11-13", "noon", "11.5", "1e1", "011"])(
    "refuses the hours %j",
    async (timeWindow) => {
      expect(await windowOf(timeWindow)).toBe("10/015");
    },
  );

  it("takes the version for no field", async () => {
    const api = new TestApi();
    const query = { ...GOOD, version: "1.0" };
    expect(contentOf(await api.get("/api/send-sms", { query }))).toEqual(OK);
  });

  it("reads no body, whatever it is", async () => {
    const api = new TestApi();
    const body = Buffer.alloc(MAX_BODY_BYTES + 1);
    const headers = { "content-type": "text/plain" };
    expect(await api.get("/api/send-sms", { query: GOOD, body, headers })).toMatchObject({
      status: 201,
    });
  });

  it("is told what is missing by codes, with HTTP 200", async () => {
    const api = new TestApi();
    expect(await api.get("/api/send-sms")).toMatchObject({
      status: 200,
      body: { sendSmsResponse: { statusCode: "10", detailCode: "014" } },
    });
  });
});
