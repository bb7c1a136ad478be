import { describe, expect, it } from "vitest";
import type { Template } from "../../../functions/core/content.ts";
import { ALWAYS } from "../../../functions/core/time.ts";
import {
  errorOf,
  type Fields,
  INVALID,
  idsOf,
  type Query,
  statusesOf,
  TestWavyApi,
  USERS,
} from "./support.ts";

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
/** What the clock of the tests shows. */
const NOW = Date.parse("2026-03-02T15:00:00Z");
const PHONE = "5519900001111";

/** The two forms of the request, and the same fields in each. */
const FORMS: readonly [
  string,
  (api: TestWavyApi, fields: Fields) => ReturnType<TestWavyApi["send"]>,
][] = [
  ["POST", (api, fields) => api.send(fields)],
  ["GET", (api, fields) => api.sendByGet(inQuery(fields))],
];

/** Fields as a query carries them. */
const inQuery = (fields: Fields): Query =>
  Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [
      name,
      typeof value === "string" ? value : JSON.stringify(value),
    ]),
  );

const messageOfError = ({ body }: Awaited<ReturnType<TestWavyApi["send"]>>) =>
  (body as { errorMessage: string }).errorMessage;

describe("an accepted message", () => {
  it("is answered with a list of one, and is on its way", async () => {
    const api = new TestWavyApi();
    const { status, headers, body, log } = await api.send({ correlationId: "myId" });
    expect({ status, headers, body }).toEqual({
      status: 200,
      headers: undefined,
      body: [{ id: "uuid-1", correlationId: "myId" }],
    });
    expect(log).toMatchObject({ account: "acme", traceId: "uuid-1", state: "QUEUED" });
    expect(api.dispatchQueue.entries).toEqual([
      { ref: { account: "acme", id: "uuid-1", traceId: "uuid-1" }, notBefore: NOW },
    ]);
    expect(await api.dispatch()).toMatchObject([{ destination: PHONE, text: "Hello" }]);
  });

  it("is answered without correlationId where it has none", async () => {
    expect((await new TestWavyApi().send()).body).toEqual([{ id: "uuid-1" }]);
  });

  it("is another one each time, also under the same correlationId", async () => {
    const api = new TestWavyApi();
    const ids = [
      ...idsOf(await api.send({ correlationId: "same" })),
      ...idsOf(await api.send({ correlationId: "same" })),
    ];
    expect(new Set(ids).size).toBe(2);
    expect(await api.dispatch()).toHaveLength(2);
  });

  it("is stored with everything that came with it, and who sent it for whom", async () => {
    const api = new TestWavyApi();
    const fields = {
      correlationId: "myId",
      extraInfo: '{"name": "Bob"}',
      flashSMS: true,
      timeWindow: [11, 12, 18],
      timeZone: "Asia/Tokyo",
      expiresInMinutes: 24 * 60,
    };
    expect(await api.sent(fields)).toEqual({
      version: 1,
      account: "acme",
      id: "uuid-1",
      traceId: "uuid-1",
      dialect: "wavy",
      destination: PHONE,
      text: "Hello",
      flash: true,
      correlationId: "myId",
      extraInfo: '{"name": "Bob"}',
      subAccount: "Marketing",
      sender: { username: "Ana", email: "Ana@acme.example" },
      window: { hours: [11, 12, 18], timeZone: "Asia/Tokyo" },
      state: "SCHEDULED",
      stateAt: NOW,
      acceptedAt: NOW,
      // It is midnight in Tokyo.
      claimableFrom: Date.parse("2026-03-03T11:00:00+09:00"),
      claimableUntil: Date.parse("2026-03-03T13:00:00+09:00"),
      expiresAt: NOW + DAY_MS,
      attempts: 0,
      removeAt: Date.parse("2026-03-04T11:00:00+09:00") / 1_000,
    });
  });

  it("names no e-mail address of a sender without", async () => {
    const message = await new TestWavyApi().sent({}, "admin");
    expect(message.sender).toEqual({ username: USERS.admin.username });
  });
});

describe.each(FORMS)("by %s, the field", (_, send) => {
  const accepted = async (fields: Fields, api = new TestWavyApi()) => {
    const [id] = idsOf(await send(api, fields));
    return api.stored(String(id));
  };

  it.each([
    ["as the document has it", "5519900001111", PHONE],
    ["as a number", 5519900001111, PHONE],
    ["with punctuation", "+55 (19) 90000-1111", PHONE],
    ["without country code", "19 90000-1111", PHONE],
    ["of the old numbering", "551980001111", "5519980001111"],
    ["of another country", "+351912345678", "351912345678"],
  ])("destination is read %s", async (_, destination, number) => {
    expect(await accepted({ destination })).toMatchObject({ destination: number, state: "QUEUED" });
  });

  it.each([
    ["messageText of one character", "x", undefined],
    ["messageText of 160 characters", "x".repeat(160), undefined],
    ["messageText of 161 characters", "x".repeat(161), 2],
    ["messageText of 1,280 characters", "x".repeat(1_280), 9],
    ["messageText of 1,280 characters of UCS-2", "ã".repeat(1_280), 20],
    ["messageText of 640 emoji", "😀".repeat(640), 20],
    ["messageText with line breaks", "linha\nquebrada", undefined],
    ["messageText with white space around", " Hello ", undefined],
  ])("%s is sent as it is, in as many parts as it takes", async (_, messageText, parts) => {
    const message = await accepted({ messageText });
    expect(message).toMatchObject({ text: messageText, state: "QUEUED" });
    expect(message?.parts?.length).toBe(parts);
  });

  it("messageText takes as many parts in accounts that send Mesago's long messages not at all", async () => {
    for (const longMessages of [true, false]) {
      const api = new TestWavyApi({ account: { longMessages, segmentation: "mesago" } });
      const message = await accepted({ messageText: "word ".repeat(64) }, api);
      expect(message?.parts?.map(({ length }) => length)).toEqual([153, 153, 14]);
    }
  });

  it("messageText is written in plain letters for accounts that want that", async () => {
    const api = new TestWavyApi({ account: { transliterate: true } });
    expect(await accepted({ messageText: "ação é" }, api)).toMatchObject({ text: "acao é" });
  });

  it.each([
    ["correlationId", { correlationId: "c".repeat(64) }],
    ["extraInfo", { extraInfo: "e".repeat(255) }],
    ["correlationId of any characters", { correlationId: "ção/ü 😀'\"#" }],
  ])("%s comes back", async (_, fields) => {
    expect(await accepted(fields)).toMatchObject(fields);
  });

  it("correlationId and extraInfo may be numbers, and come back as texts", async () => {
    expect(await accepted({ correlationId: 1876, extraInfo: 5 })).toMatchObject({
      correlationId: "1876",
      extraInfo: "5",
    });
  });

  it.each([
    [true, true],
    ["true", true],
    [false, false],
    ["false", false],
    [undefined, false],
  ])("flashSMS as %j is read", async (flashSMS, flash) => {
    expect(await accepted(flashSMS === undefined ? {} : { flashSMS })).toMatchObject({ flash });
  });

  describe("schedule", () => {
    const AT = NOW + 90 * MINUTE_MS;

    it.each([
      ["scheduledAt in milliseconds", { scheduledAt: AT }],
      ["scheduledAt in seconds", { scheduledAt: AT / 1_000 }],
      ["scheduledAt as a text", { scheduledAt: String(AT) }],
      ["delayedInMinutes", { delayedInMinutes: 90 }],
      ["delayedInMinutes as a text", { delayedInMinutes: "90" }],
      ["scheduledDate in the account's zone", { scheduledDate: "2026-03-02T13:30:00" }],
      ["scheduleDate", { scheduleDate: "2026-03-02T13:30:00" }],
      ["scheduledDate with an offset", { scheduledDate: "2026-03-02T17:30:00+01:00" }],
      ["scheduledDate in UTC", { scheduledDate: "2026-03-02T16:30:00Z" }],
      ["scheduledDate in a zone", { scheduledDate: "2026-03-03T01:30:00", timeZone: "Asia/Tokyo" }],
      ["scheduledDate at an offset", { scheduledDate: "2026-03-02T19:30:00", timeZone: "+03:00" }],
      ["scheduledDate at -0100", { scheduledDate: "2026-03-02T15:30:00", timeZone: "-0100" }],
      ["scheduledDate in UTC by name", { scheduledDate: "2026-03-02T16:30:00", timeZone: "UTC" }],
    ])("as %s is kept to the second", async (_, fields) => {
      const api = new TestWavyApi();
      expect(await accepted(fields, api)).toMatchObject({ state: "SCHEDULED", claimableFrom: AT });
      expect(api.dispatchQueue.entries).toMatchObject([{ notBefore: AT }]);
      api.clock.time = AT - 1;
      expect(await api.dispatch()).toEqual([]);
      api.clock.time = AT;
      expect(await api.dispatch()).toHaveLength(1);
    });

    it.each([
      ["in a second", { scheduledAt: NOW + 1_000 }, NOW + 1_000],
      ["in a minute", { delayedInMinutes: 1 }, NOW + MINUTE_MS],
      ["in 29 minutes", { delayedInMinutes: 29 }, NOW + 29 * MINUTE_MS],
      ["in 366 days", { delayedInMinutes: 366 * 24 * 60 }, NOW + 366 * DAY_MS],
    ])("%s is taken", async (_, fields, due) => {
      expect(await accepted(fields)).toMatchObject({ state: "SCHEDULED", claimableFrom: due });
    });

    it.each([
      ["now", { delayedInMinutes: 0 }],
      ["a minute ago", { scheduledAt: NOW - MINUTE_MS }],
    ])("%s means now", async (_, fields) => {
      expect(await accepted(fields)).toMatchObject({ state: "QUEUED", claimableFrom: NOW });
    });
  });

  describe("expiry", () => {
    const AT = NOW + 90 * MINUTE_MS;

    it.each([
      ["expiresAt in milliseconds", { expiresAt: AT }],
      ["expiresAt in seconds", { expiresAt: AT / 1_000 }],
      ["expiresInMinutes", { expiresInMinutes: 90 }],
      ["expiresDate in the account's zone", { expiresDate: "2026-03-02T13:30:00" }],
      ["expiresDate with an offset", { expiresDate: "2026-03-02T16:30:00Z" }],
      ["expiresDate in a zone", { expiresDate: "2026-03-03T01:30:00", timeZone: "Asia/Tokyo" }],
    ])("as %s is kept", async (_, fields) => {
      const api = new TestWavyApi();
      expect(await accepted(fields, api)).toMatchObject({ expiresAt: AT, claimableUntil: AT });
      api.clock.time = AT;
      expect(await api.dispatch()).toEqual([]);
      expect(statusesOf(await api.search({ ids: ["uuid-1"] }))).toMatchObject([
        { sentStatusCode: 101, sentStatus: "EXPIRED" },
      ]);
    });

    it("and schedule go together, each in a spelling of its own", async () => {
      const fields = { scheduledDate: "2026-03-02T13:00:00", expiresInMinutes: 61 };
      expect(await accepted(fields)).toMatchObject({
        claimableFrom: NOW + 60 * MINUTE_MS,
        expiresAt: NOW + 61 * MINUTE_MS,
      });
    });
  });

  describe("timeWindow", () => {
    it("lets a message out at once while it is open", async () => {
      expect(await accepted({ timeWindow: [12] })).toMatchObject({
        state: "QUEUED",
        claimableUntil: Date.parse("2026-03-02T13:00:00-03:00"),
      });
    });

    it("holds a message back until it opens, in the zone of the request", async () => {
      expect(await accepted({ timeWindow: [12], timeZone: "UTC" })).toMatchObject({
        state: "SCHEDULED",
        window: { hours: [12], timeZone: "UTC" },
        claimableFrom: Date.parse("2026-03-03T12:00:00Z"),
      });
    });

    it("counts after the schedule", async () => {
      const fields = { timeWindow: [9, 18], scheduledDate: "2026-03-02T19:00:00" };
      expect(await accepted(fields)).toMatchObject({
        claimableFrom: Date.parse("2026-03-03T09:00:00-03:00"),
      });
    });

    it("of all hours is none", async () => {
      const timeWindow = Array.from({ length: 24 }, (_, hour) => hour);
      expect(await accepted({ timeWindow })).toMatchObject({
        state: "QUEUED",
        claimableUntil: ALWAYS,
      });
    });

    it("may say its hours in any order, twice, and as texts", async () => {
      expect(await accepted({ timeWindow: ["18", 11, 12, 11] })).toMatchObject({
        window: { hours: [11, 12, 18] },
      });
    });
  });

  it.each([
    [{ timeZone: "UTC" }, { country: "JP" }, "PT", "UTC"],
    [{}, { timeZone: "Asia/Tokyo", country: "US" }, "PT", "Asia/Tokyo"],
    [{}, { country: "US" }, "PT", "America/New_York"],
    // A country that we know no zone of.
    [{}, { country: "AQ" }, "PT", "UTC"],
    [{}, {}, "PT", "Europe/Lisbon"],
  ])(
    "timeZone %j, else the user's %j, else the account's, is that of dates and windows",
    async (fields, user, country, timeZone) => {
      const api = new TestWavyApi({ user, account: { country, timeZone: "Europe/Lisbon" } });
      const destination = "+5519900001111";
      expect(await accepted({ ...fields, timeWindow: [5], destination }, api)).toMatchObject({
        window: { timeZone },
      });
    },
  );

  describe("is refused with a request that", () => {
    const EXCLUSIVE: readonly [string, Fields][] = (
      [
        ["scheduledAt", "delayedInMinutes", "scheduledDate", "scheduleDate"],
        ["expiresAt", "expiresInMinutes", "expiresDate"],
        ["flowId", "templateId"],
        ["flowId", "templateName"],
      ] as const
    ).flatMap((group) =>
      group.flatMap((one, index) =>
        group.slice(index + 1).map((other): [string, Fields] => {
          const values: Fields = {
            scheduledAt: NOW + DAY_MS,
            delayedInMinutes: 60,
            scheduledDate: "2026-03-03T10:00:00",
            scheduleDate: "2026-03-03T10:00:00",
            expiresAt: NOW + DAY_MS,
            expiresInMinutes: 60,
            expiresDate: "2026-03-03T10:00:00",
            flowId: "welcome",
            templateId: 1,
            templateName: "hello",
          };
          return [`${one} and ${other}`, { [one]: values[one], [other]: values[other] }];
        }),
      ),
    );

    it.each(EXCLUSIVE)("has both %s", async (_, fields) => {
      const response = await send(furnished(), fields);
      expect(errorOf(response)).toBe(INVALID);
      for (const name of Object.keys(fields)) expect(messageOfError(response)).toContain(name);
    });

    it.each<[string, Fields, string]>([
      ["has no destination", { destination: "" }, "destination"],
      ["has a destination of blanks", { destination: "  " }, "destination"],
      ["has a destination that is too long", { destination: "5".repeat(101) }, "destination"],
      ["has no text", { messageText: "" }, "messageText"],
      ["has a text of blanks", { messageText: " \n" }, "messageText"],
      ["has a text of 1,281 characters", { messageText: "x".repeat(1_281) }, "messageText"],
      ["has 641 emoji for a text", { messageText: "😀".repeat(641) }, "messageText"],
      ["has a correlationId of 65 characters", { correlationId: "c".repeat(65) }, "correlationId"],
      ["has an extraInfo of 256 characters", { extraInfo: "e".repeat(256) }, "extraInfo"],
      ["says maybe for flashSMS", { flashSMS: "maybe" }, "flashSMS"],
      ["says TRUE for flashSMS", { flashSMS: "TRUE" }, "flashSMS"],
      ["says 1 for flashSMS", { flashSMS: 1 }, "flashSMS"],
      ["is scheduled for the past", { scheduledAt: NOW - MINUTE_MS - 1 }, "past"],
      ["is scheduled for last year", { scheduledDate: "2025-03-02T12:00:00" }, "past"],
      ["is scheduled for 1970", { scheduledAt: 0 }, "past"],
      ["is scheduled in 367 days", { delayedInMinutes: 367 * 24 * 60 }, "year"],
      [
        "is scheduled in milliseconds for a date in thousands of years",
        { scheduledAt: NOW * 1_000 },
        "scheduledAt",
      ],
      ["has a negative scheduledAt", { scheduledAt: -1 }, "scheduledAt"],
      ["has a fraction for scheduledAt", { scheduledAt: NOW + 0.5 }, "scheduledAt"],
      ["has a word for scheduledAt", { scheduledAt: "tomorrow" }, "scheduledAt"],
      ["has a date for scheduledAt", { scheduledAt: "2026-03-03T10:00:00" }, "scheduledAt"],
      ["has a negative delay", { delayedInMinutes: -1 }, "delayedInMinutes"],
      ["has half a minute of delay", { delayedInMinutes: 0.5 }, "delayedInMinutes"],
      ["has a delay beyond measure", { delayedInMinutes: 1e15 }, "delayedInMinutes"],
      ["has a word for a date", { scheduledDate: "tomorrow" }, "scheduledDate"],
      ["has a date without time", { scheduledDate: "2026-03-03" }, "scheduledDate"],
      ["has a day that there is not", { scheduledDate: "2026-02-30T10:00:00" }, "scheduledDate"],
      [
        "has an offset of +99:00 in a date",
        { scheduledDate: "2026-03-03T10:00:00+99:00" },
        "scheduledDate",
      ],
      ["has a zone in brackets", { scheduledDate: "2026-03-03T10:00:00[UTC]" }, "scheduledDate"],
      ["has a number for a date", { scheduleDate: 5 }, "scheduleDate"],
      ["expired a second ago", { expiresAt: NOW - 1_000 }, "past"],
      ["expires now", { expiresAt: NOW }, "past"],
      ["expired last year", { expiresDate: "2025-03-02T12:00:00" }, "past"],
      ["expires in no minutes", { expiresInMinutes: 0 }, "expiresInMinutes"],
      ["expires in fewer than none", { expiresInMinutes: -5 }, "expiresInMinutes"],
      ["expires on a day that there is not", { expiresDate: "2026-13-01T00:00:00" }, "expiresDate"],
      ["expires before it is due", { delayedInMinutes: 60, expiresInMinutes: 30 }, "expire"],
      ["expires when it is due", { delayedInMinutes: 60, expiresInMinutes: 60 }, "expire"],
      ["expires before its window opens", { timeWindow: [18], expiresInMinutes: 60 }, "expire"],
      ["has an empty window", { timeWindow: [] }, "timeWindow"],
      ["has a window at 24 o'clock", { timeWindow: [24] }, "timeWindow"],
      ["has a window at -1 o'clock", { timeWindow: [-1] }, "timeWindow"],
      ["has a window at half past eleven", { timeWindow: [11.5] }, "timeWindow"],
      ["has a word for an hour", { timeWindow: ["noon"] }, "timeWindow"],
      ["has 101 hours", { timeWindow: Array(101).fill(5) }, "timeWindow"],
      ["has a zone that there is not", { timeZone: "America/Atlantis" }, "timeZone"],
      ["has an offset of +99:00", { timeZone: "+99:00" }, "timeZone"],
      ["has an offset of +24:00", { timeZone: "+24:00" }, "timeZone"],
      ["has an offset of -0160", { timeZone: "-0160" }, "timeZone"],
      ["has an offset without sign", { timeZone: "03:00" }, "timeZone"],
      ["has a number for a zone", { timeZone: 3 }, "timeZone"],
      ["names no template that there is", { templateId: 99 }, "template"],
      ["names no template that there is, by name", { templateName: "nope" }, "template"],
      ["has a negative templateId", { templateId: -1 }, "templateId"],
      ["has a word for a templateId", { templateId: "hello" }, "templateId"],
      ["names no flow that there is", { flowId: "nope" }, "flow"],
      ["has a flowId that none can have", { flowId: "a b#c" }, "flowId"],
      ["names no campaign that there is", { campaignAlias: "nope" }, "campaign"],
      ["has a campaign that none can be", { campaignAlias: "a#b" }, "campaignAlias"],
      ["has params that are not texts", { flowId: "welcome", params: { name: 5 } }, "params"],
      ["has params within params", { flowId: "welcome", params: { name: { x: "y" } } }, "params"],
      ["has a list for params", { flowId: "welcome", params: ["Ana"] }, "params"],
      ["has a text for params", { flowId: "welcome", params: "Ana" }, "params"],
      ["has params that are not texts, without a flow", { params: { name: true } }, "params"],
      [
        "has 101 params",
        { params: Object.fromEntries(Array.from({ length: 101 }, (_, at) => [`p${at}`, "x"])) },
        "params",
      ],
    ])("%s", async (_, fields, what) => {
      const api = furnished();
      const response = await send(api, fields);
      expect(errorOf(response)).toBe(INVALID);
      expect(messageOfError(response)).toContain(what);
      expect(api.dispatchQueue.entries).toEqual([]);
    });
  });
});

describe("what only JSON can say", () => {
  it.each<[string, Fields, string]>([
    ["an object for a destination", { destination: {} }, "destination"],
    ["a list for a destination", { destination: [PHONE] }, "destination"],
    ["true for a destination", { destination: true }, "destination"],
    ["a fraction for a destination", { destination: 5519900001111.5 }, "destination"],
    ["a negative number for a destination", { destination: -5519900001111 }, "destination"],
    ["a number for a text", { messageText: 5 }, "messageText"],
    ["an object for a text", { messageText: { text: "Hello" } }, "messageText"],
    ["half an emoji", { messageText: "\ud83d" }, "messageText"],
    ["half an emoji in correlationId", { correlationId: "\ud83d" }, "correlationId"],
    ["half an emoji in extraInfo", { extraInfo: "\ude00" }, "extraInfo"],
    ["an object for extraInfo", { extraInfo: { name: "Bob" } }, "extraInfo"],
    ["a list for correlationId", { correlationId: ["a"] }, "correlationId"],
    ["an object for flashSMS", { flashSMS: {} }, "flashSMS"],
    ["a number for timeWindow", { timeWindow: 11 }, "timeWindow"],
    ["an hour within a list", { timeWindow: [[11]] }, "timeWindow"],
    ["a list for timeZone", { timeZone: ["UTC"] }, "timeZone"],
    ["an object for scheduledAt", { scheduledAt: {} }, "scheduledAt"],
    ["true for delayedInMinutes", { delayedInMinutes: true }, "delayedInMinutes"],
    ["a list for expiresDate", { expiresDate: ["2026-03-03T10:00:00"] }, "expiresDate"],
    ["a number for campaignAlias", { campaignAlias: 64 }, "campaignAlias"],
    // DynamoDB looks for no key of it.
    ["half an emoji for campaignAlias", { campaignAlias: "\ud83d" }, "campaignAlias"],
    ["a number for flowId", { flowId: 14 }, "flowId"],
    ["a number for templateName", { templateName: 1 }, "templateName"],
    ["half an emoji in params", { params: { name: "\ud83d" } }, "params"],
  ])("is refused where it is %s", async (_, fields, what) => {
    const response = await furnished().send(fields);
    expect(errorOf(response)).toBe(INVALID);
    expect(messageOfError(response)).toContain(what);
  });

  it("is as good as nothing where it is null", async () => {
    const names = [
      "correlationId",
      "extraInfo",
      "flashSMS",
      "scheduledAt",
      "delayedInMinutes",
      "scheduledDate",
      "expiresAt",
      "timeWindow",
      "timeZone",
      "campaignAlias",
      "flowId",
      "templateId",
      "templateName",
      "params",
      "subAccount",
    ];
    const fields = Object.fromEntries(names.map((name) => [name, null]));
    const api = new TestWavyApi();
    expect(await api.sent(fields)).toEqual({
      ...(await api.sent()),
      id: "uuid-1",
      traceId: "uuid-1",
    });
    for (const name of ["destination", "messageText"]) {
      expect(errorOf(await api.send({ [name]: null }))).toBe(INVALID);
    }
  });
});

describe("what only a query can say", () => {
  it.each([
    ["11,12", [11, 12]],
    ["[11,12]", [11, 12]],
    ["[ 11, 12 ]", [11, 12]],
    ["11", [11]],
  ])("is a timeWindow of %s", async (timeWindow, hours) => {
    expect(await new TestWavyApi().sentByGet({ timeWindow })).toMatchObject({ window: { hours } });
  });

  it("is a plus sign that nobody escaped", async () => {
    const query = { scheduledDate: "2026-03-02T19:30:00", timeZone: " 03:00" };
    const due = { claimableFrom: NOW + 90 * MINUTE_MS };
    expect(await new TestWavyApi().sentByGet(query)).toMatchObject(due);
    const date = { scheduledDate: "2026-03-02T17:30:00 01:00" };
    expect(await new TestWavyApi().sentByGet(date)).toMatchObject(due);
  });

  it("is params as JSON", async () => {
    const params = '{"name":"Ana"}';
    expect(await furnished().sentByGet({ flowId: "welcome", params })).toMatchObject({
      text: "Welcome, Ana!",
    });
    for (const wrong of ["{", "name=Ana", "[]", '{"name":5}']) {
      const response = await furnished().sendByGet({ flowId: "welcome", params: wrong });
      expect(errorOf(response)).toBe(INVALID);
    }
  });

  it("is an empty value, which says nothing", async () => {
    const query = {
      correlationId: "",
      timeWindow: "",
      scheduledDate: "",
      flashSMS: "",
      params: "",
    };
    expect(await new TestWavyApi().sentByGet(query)).toMatchObject({ state: "QUEUED" });
  });
});

/** An API whose accounts have templates, a flow and a campaign. */
function furnished(setting: ConstructorParameters<typeof TestWavyApi>[0] = {}) {
  const api = new TestWavyApi(setting);
  const base = { version: 1, account: "acme", createdAt: 0 } as const;
  const templates: Pick<Template, "templateId" | "name" | "text" | "subAccount">[] = [
    { templateId: 0, name: "zero", text: "Number zero" },
    { templateId: 1, name: "hello", text: "Hello, {{name}}!" },
    { templateId: 2, name: "twice", text: "The first" },
    { templateId: 3, name: "twice", text: "The second" },
    { templateId: 4, name: "sale", text: "Of Vendas", subAccount: "Vendas" },
    { templateId: 5, name: "shared", text: "Of Marketing", subAccount: "Marketing" },
    { templateId: 6, name: "shared", text: "Of Vendas, too", subAccount: "Vendas" },
    { templateId: 7, name: "long", text: "{{a}}{{a}}" },
  ];
  for (const template of templates) api.contents.putTemplate({ ...base, ...template });
  api.contents.putTemplate({ ...base, account: "other", templateId: 8, name: "theirs", text: "x" });
  api.contents.putFlow({ ...base, flowId: "welcome", text: "Welcome, {{ name }}!" });
  api.contents.putFlow({ ...base, account: "other", flowId: "theirs", text: "x" });
  api.contents.insertCampaign({ ...base, campaignId: 64, alias: "Promo" });
  api.contents.insertCampaign({ ...base, account: "other", campaignId: 65, alias: "theirs" });
  return api;
}

describe.each(FORMS)("by %s, a text from elsewhere", (_, send) => {
  const stored = async (fields: Fields, api = furnished()) => {
    const [id] = idsOf(await send(api, { messageText: "", ...fields }));
    return api.stored(String(id));
  };

  it.each<[string, Fields, string]>([
    ["by the number of a template", { templateId: 2 }, "The first"],
    ["by the number of a template as a text", { templateId: "3" }, "The second"],
    ["by number 0", { templateId: 0 }, "Number zero"],
    ["by the name of a template", { templateName: "zero" }, "Number zero"],
    ["by both", { templateId: 3, templateName: "twice" }, "The second"],
    [
      "by the name of a template of one's own sub-account",
      { templateName: "shared" },
      "Of Marketing",
    ],
    ["by the id of a flow", { flowId: "welcome", params: { name: "Ana" } }, "Welcome, Ana!"],
  ])("is found %s", async (_, fields, text) => {
    expect(await stored(fields)).toMatchObject({ text, state: "QUEUED" });
  });

  it("counts, whatever messageText says", async () => {
    expect(await stored({ templateId: 2, messageText: "mine" })).toMatchObject({
      text: "The first",
    });
  });

  it.each<[string, Fields, string]>([
    ["a name that several templates have", { templateName: "twice" }, "several"],
    ["a number and another one's name", { templateId: 1, templateName: "zero" }, "no such"],
    ["the number of another sub-account's template", { templateId: 4 }, "no such"],
    ["the name of another sub-account's template", { templateName: "sale" }, "no such"],
    ["the number of another account's template", { templateId: 8 }, "no such"],
    ["the name of another account's template", { templateName: "theirs" }, "no such"],
    ["a name in other letters", { templateName: "Hello" }, "no such"],
    ["another account's flow", { flowId: "theirs" }, "no such"],
    ["another account's campaign", { campaignAlias: "theirs", messageText: "x" }, "no such"],
    ["a campaign in other letters", { campaignAlias: "promo", messageText: "x" }, "no such"],
  ])("is not found by %s", async (_, fields, problem) => {
    const response = await send(furnished(), { messageText: "", ...fields });
    expect(errorOf(response)).toBe(INVALID);
    expect(messageOfError(response)).toContain(problem);
  });

  it.each<[string, Fields, string, true | undefined]>([
    ["all there is", { name: "Ana" }, "Welcome, Ana!", undefined],
    ["nothing", {}, "Welcome, {{ name }}!", true],
    ["something else", { nome: "Ana" }, "Welcome, {{ name }}!", true],
    ["more than there is", { name: "Ana", age: "30" }, "Welcome, Ana!", true],
    ["an empty value", { name: "" }, "Welcome, !", undefined],
    ["what looks like a placeholder", { name: "{{name}}" }, "Welcome, {{name}}!", undefined],
    ["what means something to replace()", { name: "$& $1 $$" }, "Welcome, $& $1 $$!", undefined],
    ["a name of JavaScript's", { constructor: "x" }, "Welcome, {{ name }}!", true],
  ])("is filled with %s, and sent in any case", async (_, params, text, invalidParams) => {
    const api = furnished();
    const message = await stored({ flowId: "welcome", params }, api);
    expect([message?.text, message?.invalidParams, message?.state]).toEqual([
      text,
      invalidParams,
      "QUEUED",
    ]);
    expect(await api.dispatch()).toMatchObject([{ text }]);
  });

  it("without params is marked where it has placeholders, and not where it has none", async () => {
    expect(await stored({ templateId: 1 })).toMatchObject({
      text: "Hello, {{name}}!",
      invalidParams: true,
    });
    expect(await stored({ templateId: 2 })).not.toHaveProperty("invalidParams", true);
  });

  it("is what params are for: without it they are of no effect", async () => {
    const fields = { messageText: "Hello, {{name}}!", params: { name: "Ana", age: "30" } };
    const message = await stored(fields);
    expect(message?.text).toBe("Hello, {{name}}!");
    expect(message?.invalidParams).toBeUndefined();
  });

  it("that has become too long, or nothing, is accepted with its final status", async () => {
    const tooLong = { templateId: 7, params: { a: "x".repeat(1_000) } };
    expect(await stored(tooLong)).toMatchObject({ state: "BLOCKED", reason: "invalid-message" });
    expect(await stored({ templateId: 7, params: { a: " " } })).toMatchObject({
      state: "BLOCKED",
      reason: "invalid-message",
    });
    const long = { templateId: 7, params: { a: "x".repeat(760) } };
    expect(await stored(long)).toMatchObject({ state: "QUEUED" });
  });
});

describe("templates of sub-accounts", () => {
  it("are for their users and administrators", async () => {
    const api = furnished();
    expect(await api.sent({ templateName: "sale" }, "vendas")).toMatchObject({ text: "Of Vendas" });
    expect(await api.sent({ templateId: 4 }, "admin")).toMatchObject({ text: "Of Vendas" });
    expect(errorOf(await api.send({ templateId: 4 }))).toBe(INVALID);
  });

  it("of the same name are one for each user, and several for administrators", async () => {
    const api = furnished();
    expect(await api.sent({ templateName: "shared" })).toMatchObject({ text: "Of Marketing" });
    expect(await api.sent({ templateName: "shared" }, "vendas")).toMatchObject({
      text: "Of Vendas, too",
    });
    expect(errorOf(await api.send({ templateName: "shared" }, "admin"))).toBe(INVALID);
    const named = { templateName: "shared", templateId: 5 };
    expect(await api.sent(named, "admin")).toMatchObject({ text: "Of Marketing" });
  });
});

describe("a campaign", () => {
  it("is stored with its number, and told with the message's status", async () => {
    const api = furnished();
    const message = await api.sent({ campaignAlias: "Promo" });
    expect(message.campaign).toEqual({ id: 64, alias: "Promo" });
    expect(statusesOf(await api.search({ ids: [message.id] }))).toMatchObject([{ campaignId: 64 }]);
  });

  it("is none where none is named", async () => {
    const api = furnished();
    const message = await api.sent();
    expect(message.campaign).toBeUndefined();
    const [status] = statusesOf(await api.search({ ids: [message.id] }));
    expect(status).not.toHaveProperty("campaignId");
  });
});

describe.each(FORMS)("by %s, a message that will not be sent", (_, send) => {
  /** What becomes of a message that was accepted: its status, told by each of the three services. */
  const becomes = async (api: TestWavyApi, fields: Fields = {}) => {
    const [id = ""] = idsOf(await send(api, fields));
    expect(await api.dispatch()).toEqual([]);
    const [listed] = statusesOf(await api.listStatus());
    const [found] = statusesOf(await api.search({ ids: [id] }));
    expect((await api.status(id)).body).toEqual(found);
    expect(listed).toEqual(found);
    expect(found).toMatchObject({ id, sentStatusAt: NOW, sentStatusDate: "2026-03-02T15:00:00Z" });
    expect(found).not.toHaveProperty("deliveredStatusCode");
    return `${found?.sentStatusCode} ${found?.sentStatus}`;
  };

  it.each([
    ["123", "123"],
    ["a word", "a word"],
    ["a landline", "551933334444"],
    ["a number of no country", "+999123456789"],
    ["a number of sixty digits", "5".repeat(60)],
  ])("is 202 where its destination is %s", async (_, destination) => {
    const api = new TestWavyApi();
    expect(await becomes(api, { destination })).toBe("202 INVALID_DESTINATION_NUMBER");
    // As it was written, as far as that is worth keeping.
    expect((await api.stored("uuid-1"))?.destination).toBe(destination.slice(0, 50));
  });

  it("is 203 where its account has blocked the number", async () => {
    const api = new TestWavyApi();
    await api.blockedNumbers.block({ version: 1, account: "acme", number: PHONE, createdAt: 0 });
    expect(await becomes(api)).toBe("203 BLACKLISTED");
    expect(await becomes(api, { destination: "19 90000-1111" })).toBe("203 BLACKLISTED");
    expect(await api.sent({}, "stranger")).toMatchObject({ account: "other", state: "QUEUED" });
  });

  it("is 204 where the person opted out of its sub-account, or of the account", async () => {
    const word = { account: "acme", number: PHONE, at: 1, origin: "mo" };
    const api = new TestWavyApi();
    await api.blockedNumbers.optOut({ ...word, subAccount: "Marketing" });
    expect(await becomes(api)).toBe("204 DESTINATION_BLOCKED_BY_OPTOUT");
    expect(await api.sent({}, "vendas")).toMatchObject({ state: "QUEUED" });
    expect(await api.sent({}, "admin")).toMatchObject({ state: "QUEUED" });
    const other = new TestWavyApi();
    await other.blockedNumbers.optOut(word);
    expect(await becomes(other)).toBe("204 DESTINATION_BLOCKED_BY_OPTOUT");
    expect(await other.sent({}, "vendas")).toMatchObject({ reason: "opt-out" });
  });

  it("is 203 where the number is blocked and opted out", async () => {
    const api = new TestWavyApi();
    await api.blockedNumbers.block({ version: 1, account: "acme", number: PHONE, createdAt: 0 });
    await api.blockedNumbers.optOut({ account: "acme", number: PHONE, at: 1, origin: "mo" });
    expect(await becomes(api)).toBe("203 BLACKLISTED");
  });

  const NO_CREDIT = "201 NO_CREDIT";

  it.each([
    ["a day", { perDay: 2, prepaid: false }],
    ["a month", { perMonth: 2, prepaid: false }],
  ])("is 201 where a limit of %s is used up, counted in parts", async (_, limits) => {
    for (const setting of [{ account: { limits } }, { subAccount: { limits } }]) {
      const api = new TestWavyApi(setting);
      expect(await becomes(api, { messageText: "x".repeat(320) })).toBe(NO_CREDIT);
      expect(await api.sent({ messageText: "x".repeat(161) })).toMatchObject({ state: "QUEUED" });
      await api.dispatch();
      await api.listStatus();
      expect(await becomes(api)).toBe(NO_CREDIT);
    }
  });

  it("is 201 where the credit is used up", async () => {
    const api = new TestWavyApi({ account: { limits: { prepaid: true } } });
    expect(await becomes(api)).toBe(NO_CREDIT);
    await api.usage.addCredit({ account: "acme" }, 1, "token");
    expect(await api.sent()).toMatchObject({ state: "QUEUED" });
    await api.dispatch();
    await api.listStatus();
    expect(await becomes(api)).toBe(NO_CREDIT);
  });

  it("is 201 until the account's next day", async () => {
    const api = new TestWavyApi({
      now: "2026-03-03T02:59:00Z",
      account: { limits: { perDay: 1, prepaid: false } },
    });
    await api.sent();
    expect(await api.sent()).toMatchObject({ reason: "account-limit" });
    api.clock.advance(MINUTE_MS);
    expect(await api.sent()).toMatchObject({ state: "QUEUED" });
  });

  it("is not counted", async () => {
    const api = new TestWavyApi({ account: { limits: { perDay: 1, prepaid: false } } });
    await api.sent({ destination: "123" });
    expect(await api.usage.read({ account: "acme" })).toBeUndefined();
    expect(await api.sent()).toMatchObject({ state: "QUEUED" });
  });

  it("is refused and not stored where its times are wrong, too", async () => {
    const fields = { destination: "123", expiresAt: NOW - 1 };
    expect(errorOf(await send(new TestWavyApi(), fields))).toBe(INVALID);
  });
});
