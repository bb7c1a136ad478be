import { describe, expect, it } from "vitest";
import type { ApiResponse } from "../../../functions/runtime/http.ts";
import { errorOf, type Fields, INVALID, idsOf, statusesOf, TestWavyApi } from "./support.ts";

const MINUTE_MS = 60_000;
const NOW = Date.parse("2026-03-02T15:00:00Z");
const PHONE = "5519900001111";
const GOOD = { destination: PHONE };

const post = (api: TestWavyApi, body: unknown) => api.post("/v1/send-bulk-sms", body);

/** The first level of the status of each message, in the order of the answer; undefined while there is none. */
async function sentStatusesOf(api: TestWavyApi, response: ApiResponse) {
  const ids = idsOf(response);
  const found = statusesOf(await api.search({ ids }));
  return ids.map((id) => found.find((status) => status.id === id)?.sentStatusCode);
}

/** An API whose account has a flow, a template and a campaign. */
function furnished() {
  const api = new TestWavyApi();
  const base = { version: 1, account: "acme", createdAt: 0 } as const;
  api.contents.putFlow({ ...base, flowId: "flow", text: "{{greeting}}, {{name}}!" });
  api.contents.putTemplate({ ...base, templateId: 7, name: "bye", text: "Bye, {{name}}." });
  api.contents.insertCampaign({ ...base, campaignId: 64, alias: "Promo" });
  return api;
}

describe("a batch", () => {
  it("is answered with its id and those of its messages, in order", async () => {
    const api = new TestWavyApi();
    const { status, body, log } = await api.sendBulk([
      { ...GOOD, correlationId: "first" },
      GOOD,
      { ...GOOD, correlationId: "first" },
    ]);
    expect({ status, body }).toEqual({
      status: 200,
      body: {
        id: "uuid-1",
        messages: [
          { id: "uuid-2", correlationId: "first" },
          { id: "uuid-3" },
          { id: "uuid-4", correlationId: "first" },
        ],
      },
    });
    expect(log).toEqual({ account: "acme", traceId: "uuid-1", accepted: 3, blocked: 0 });
    expect(api.batchQueue.jobs).toEqual([{ kind: "expand", account: "acme", batchId: "uuid-1" }]);
  });

  it("is sent once, each message with its own text or the default one", async () => {
    const api = new TestWavyApi();
    await api.sendBulk([{ ...GOOD, messageText: "First" }, GOOD]);
    expect(api.dispatchQueue.entries).toEqual([]);
    await api.expand();
    const handedOver = await api.dispatch();
    expect(handedOver.map(({ text }) => text)).toEqual(["First", "Hello"]);
    await api.expand();
    expect(await api.dispatch()).toEqual([]);
  });

  it("may hold one message, and a thousand", async () => {
    expect(idsOf(await new TestWavyApi().sendBulk([GOOD]))).toHaveLength(1);
    const api = new TestWavyApi();
    const ids = idsOf(await api.sendBulk(Array(1_000).fill(GOOD)));
    expect(new Set(ids).size).toBe(1_000);
    await api.expand();
    expect(await api.dispatch()).toHaveLength(1_000);
  });

  it("may be as large as a thousand long messages with all their fields", async () => {
    const message = {
      ...GOOD,
      messageText: "ã".repeat(1_280),
      correlationId: "c".repeat(64),
      extraInfo: "e".repeat(255),
    };
    expect(idsOf(await new TestWavyApi().sendBulk(Array(1_000).fill(message)))).toHaveLength(1_000);
  });

  it("is stored with everything that came with it, and who sent it for whom", async () => {
    const api = furnished();
    const root = {
      campaignAlias: "Promo",
      scheduledDate: "2026-03-03T00:30:00",
      expiresDate: "2026-03-05T12:00:00",
      timeWindow: [9, 10],
      timeZone: "Asia/Tokyo",
      defaultValues: { messageText: "Hello", flashSMS: "true", extraInfo: "usual" },
    };
    const [message] = await api.sentBulk([{ ...GOOD, correlationId: "myId" }], root);
    expect(message).toMatchObject({
      dialect: "wavy",
      id: "uuid-2",
      traceId: "uuid-2",
      correlationId: "myId",
      extraInfo: "usual",
      flash: true,
      subAccount: "Marketing",
      campaign: { id: 64, alias: "Promo" },
      sender: { username: "Ana", email: "Ana@acme.example" },
      window: { hours: [9, 10], timeZone: "Asia/Tokyo" },
      state: "SCHEDULED",
      claimableFrom: Date.parse("2026-03-03T09:00:00+09:00"),
      claimableUntil: Date.parse("2026-03-03T11:00:00+09:00"),
      expiresAt: Date.parse("2026-03-05T12:00:00+09:00"),
      batch: { batchId: "uuid-1", dueTogether: 1 },
    });
  });
});

describe("the root of a batch", () => {
  it.each<[string, Fields]>([
    ["scheduledAt", { scheduledAt: NOW + 30 * MINUTE_MS }],
    ["scheduledAt in seconds", { scheduledAt: NOW / 1_000 + 1_800 }],
    ["delayedInMinutes", { delayedInMinutes: 30 }],
    ["scheduledDate", { scheduledDate: "2026-03-02T12:30:00" }],
    ["scheduleDate", { scheduleDate: "2026-03-02T12:30:00" }],
    ["scheduledDate in a zone", { scheduledDate: "2026-03-02T15:30:00", timeZone: "UTC" }],
  ])("says when all are due: %s", async (_, root) => {
    const due = { state: "SCHEDULED", claimableFrom: NOW + 30 * MINUTE_MS };
    const api = new TestWavyApi();
    expect(await api.sentBulk([GOOD, GOOD], root)).toMatchObject([due, due]);
    expect(api.batchQueue.schedules).toMatchObject([{ due: due.claimableFrom }]);
  });

  it.each<[string, Fields]>([
    ["expiresAt", { expiresAt: NOW + 30 * MINUTE_MS }],
    ["expiresInMinutes", { expiresInMinutes: 30 }],
    ["expiresDate", { expiresDate: "2026-03-02T12:30:00" }],
  ])("says when all expire: %s", async (_, root) => {
    expect(await new TestWavyApi().sentBulk([GOOD], root)).toMatchObject([
      { expiresAt: NOW + 30 * MINUTE_MS },
    ]);
  });

  const ROOT_FIELDS: Fields = {
    scheduledAt: NOW + 30 * MINUTE_MS,
    delayedInMinutes: 30,
    scheduledDate: "2026-03-02T12:30:00",
    scheduleDate: "2026-03-02T12:30:00",
    expiresAt: NOW + 30 * MINUTE_MS,
    expiresInMinutes: 30,
    expiresDate: "2026-03-02T12:30:00",
    timeWindow: [3],
    timeZone: "Asia/Tokyo",
    campaignAlias: "Promo",
    flowId: "flow",
    templateId: 7,
    templateName: "bye",
    subAccount: "Vendas",
  };

  it.each(Object.keys(ROOT_FIELDS))(
    "is the only place of %s, which is not looked at elsewhere",
    async (name) => {
      for (const value of [ROOT_FIELDS[name], "what it cannot be", {}]) {
        const api = furnished();
        const defaultValues = { messageText: "Hello", [name]: value };
        const [own, usual, plain] = [
          ...(await api.sentBulk([{ ...GOOD, [name]: value }])),
          ...(await api.sentBulk([GOOD], { defaultValues })),
          ...(await api.sentBulk([GOOD])),
        ];
        const { id: _, traceId: __, batch: ___, ...expected } = plain ?? {};
        expect(plain).toMatchObject({ state: "QUEUED", subAccount: "Marketing", text: "Hello" });
        expect(own).toMatchObject(expected);
        expect(usual).toMatchObject(expected);
      }
    },
  );

  it.each<[string, Fields]>([
    ["destination", { destination: PHONE }],
    ["messageText", { messageText: "Hello" }],
    ["correlationId", { correlationId: "x".repeat(100) }],
    ["extraInfo", { extraInfo: {} }],
    ["flashSMS", { flashSMS: "maybe" }],
    ["params", { params: "x" }],
  ])("is no place of %s", async (_, root) => {
    const body = { messages: [{}], ...root };
    const api = new TestWavyApi();
    expect(await sentStatusesOf(api, await post(api, body))).toEqual([207]);
  });

  it.each<[string, unknown]>([
    ["no messages", {}],
    ["an empty list of messages", { messages: [] }],
    ["messages of null", { messages: null }],
    ["an object of messages", { messages: GOOD }],
    ["a text of messages", { messages: "x" }],
    ["1,001 messages", { messages: Array(1_001).fill(GOOD) }],
    ["1,001 messages of which none is any", { messages: Array(1_001).fill(null) }],
    ["a list of default values", { messages: [GOOD], defaultValues: [{ messageText: "x" }] }],
    ["a text for default values", { messages: [GOOD], defaultValues: "x" }],
    [
      "a default text that is too long",
      { messages: [GOOD], defaultValues: { messageText: "x".repeat(1_281) } },
    ],
    [
      "default params that are not texts",
      { messages: [GOOD], defaultValues: { params: { a: 1 } } },
    ],
    ["a default flashSMS that is neither", { messages: [GOOD], defaultValues: { flashSMS: 5 } }],
    [
      "both spellings of a schedule",
      {
        messages: [GOOD],
        scheduledDate: "2026-03-03T10:00:00",
        scheduleDate: "2026-03-03T10:00:00",
      },
    ],
    ["two schedules", { messages: [GOOD], scheduledAt: NOW + 1e6, delayedInMinutes: 5 }],
    ["two expiries", { messages: [GOOD], expiresAt: NOW + 1e6, expiresInMinutes: 5 }],
    ["a flow and a template", { messages: [GOOD], flowId: "flow", templateId: 7 }],
    ["a schedule in the past", { messages: [GOOD], scheduledDate: "2017-01-28T02:30:43" }],
    ["a schedule far ahead", { messages: [GOOD], delayedInMinutes: 10_000_000 }],
    ["a negative delay", { messages: [GOOD], delayedInMinutes: -1 }],
    ["an expiry in the past", { messages: [GOOD], expiresAt: NOW - 1 }],
    [
      "an expiry before the schedule",
      { messages: [GOOD], delayedInMinutes: 60, expiresInMinutes: 30 },
    ],
    ["an empty window", { messages: [GOOD], timeWindow: [] }],
    ["an hour too late", { messages: [GOOD], timeWindow: [24] }],
    ["an offset of +99:00", { messages: [GOOD], timeZone: "+99:00" }],
    ["an unknown campaign", { messages: [GOOD], campaignAlias: "nope" }],
    ["an unknown flow", { messages: [GOOD], flowId: "nope" }],
    ["an unknown template", { messages: [GOOD], templateId: 99 }],
    [
      "a template's number and another one's name",
      { messages: [GOOD], templateId: 7, templateName: "nope" },
    ],
  ])("is refused as a whole for %s", async (_, body) => {
    const api = furnished();
    expect(errorOf(await post(api, body))).toBe(INVALID);
    expect(api.batchQueue.jobs).toEqual([]);
  });

  it("is refused as a whole also where every element is bad by itself", async () => {
    const api = new TestWavyApi();
    const body = { messages: [null, { destination: "123" }], expiresAt: NOW - 1 };
    expect(errorOf(await post(api, body))).toBe(INVALID);
  });
});

describe("default values", () => {
  it("fill what a message leaves out, null or empty, and nothing else", async () => {
    const api = new TestWavyApi();
    const defaultValues = {
      destination: "5519900002222",
      messageText: "Usual",
      correlationId: "usual",
      extraInfo: "usual",
      flashSMS: true,
    };
    const messages = await api.sentBulk(
      [
        {},
        { correlationId: null, extraInfo: "", flashSMS: null },
        { ...GOOD, messageText: "Own", correlationId: "own", extraInfo: "own", flashSMS: false },
        { ...GOOD, correlationId: 0, extraInfo: 0, flashSMS: "false" },
      ],
      { defaultValues },
    );
    const usual = {
      destination: "5519900002222",
      text: "Usual",
      correlationId: "usual",
      extraInfo: "usual",
      flash: true,
    };
    const own = {
      destination: PHONE,
      text: "Own",
      correlationId: "own",
      extraInfo: "own",
      flash: false,
    };
    expect(messages).toMatchObject([
      usual,
      usual,
      own,
      { ...own, text: "Usual", correlationId: "0", extraInfo: "0" },
    ]);
  });

  it("do not speak for a message that says nothing on purpose", async () => {
    const api = new TestWavyApi();
    const response = await api.sendBulk(
      [{ ...GOOD, messageText: "" }, { destination: "" }, { destination: " " }],
      { defaultValues: { messageText: "Usual", destination: PHONE } },
    );
    expect(await sentStatusesOf(api, response)).toEqual([207, 202, 202]);
  });

  it("merge params name by name", async () => {
    const api = furnished();
    const defaultValues = { params: { greeting: "Oi", name: "cliente" } };
    const messages = await api.sentBulk(
      [
        { ...GOOD, params: { name: "Ana" } },
        GOOD,
        { ...GOOD, params: { name: null, greeting: "Olá" } },
        { ...GOOD, params: { name: "Rui", age: "30" } },
        { ...GOOD, params: { name: "" } },
        { ...GOOD, params: null },
      ],
      { defaultValues, flowId: "flow" },
    );
    expect(messages.map((it) => [it?.text, it?.invalidParams])).toEqual([
      ["Oi, Ana!", undefined],
      ["Oi, cliente!", undefined],
      ["Olá, cliente!", undefined],
      ["Oi, Rui!", true],
      ["Oi, !", undefined],
      ["Oi, cliente!", undefined],
    ]);
  });

  it("and params of a thousand messages with a hundred each take no time", async () => {
    const api = furnished();
    const params = Object.fromEntries(Array.from({ length: 98 }, (_, at) => [`p${at}`, "x"]));
    const messages = Array.from({ length: 1_000 }, () => ({ ...GOOD, params: { name: "Ana" } }));
    const defaultValues = { params: { ...params, greeting: "Oi" } };
    const ids = idsOf(await api.sendBulk(messages, { defaultValues, flowId: "flow" }));
    expect(await api.stored(ids[999] ?? "")).toMatchObject({
      text: "Oi, Ana!",
      invalidParams: true,
    });
  });
});

describe("the text of a batch", () => {
  it.each<[string, Fields, string]>([
    [
      "flow",
      { flowId: "flow", defaultValues: { params: { greeting: "Oi", name: "Ana" } } },
      "Oi, Ana!",
    ],
    [
      "template by number",
      { templateId: 7, defaultValues: { params: { name: "Ana" } } },
      "Bye, Ana.",
    ],
    [
      "template by name",
      { templateName: "bye", defaultValues: { params: { name: "Ana" } } },
      "Bye, Ana.",
    ],
    [
      "template by both",
      { templateId: 7, templateName: "bye", defaultValues: {} },
      "Bye, {{name}}.",
    ],
    ["template, without default values", { templateId: 7, defaultValues: null }, "Bye, {{name}}."],
  ])("is that of a %s, whatever its messages say", async (_, root, text) => {
    const messages = await furnished().sentBulk(
      [GOOD, { ...GOOD, messageText: "mine" }, { ...GOOD, messageText: "" }],
      root,
    );
    expect(messages.map((it) => it?.text)).toEqual([text, text, text]);
  });

  it("has no placeholders without a flow or template", async () => {
    const [message] = await new TestWavyApi().sentBulk([
      { ...GOOD, messageText: "{{name}}", params: { name: "Ana" } },
    ]);
    expect(message?.text).toBe("{{name}}");
    expect(message?.invalidParams).toBeUndefined();
  });
});

describe("elements that are no good", () => {
  const ELEMENTS: readonly [string, unknown, number | undefined][] = [
    ["a good one", GOOD, undefined],
    ["null", null, 207],
    ["a number", 5, 207],
    ["a text", "text", 207],
    ["a list", [GOOD], 207],
    ["true", true, 207],
    ["an object without fields", {}, 202],
    ["no destination", { messageText: "x" }, 202],
    ["an empty destination", { destination: "" }, 202],
    ["a number that is none", { destination: "123" }, 202],
    ["a landline", { destination: "551933334444" }, 202],
    ["an object for a destination", { destination: {} }, 202],
    ["half an emoji for a destination", { destination: "\ud83d" }, 202],
    ["an empty text", { ...GOOD, messageText: "" }, 207],
    ["a text of blanks", { ...GOOD, messageText: "  " }, 207],
    ["a number for a text", { ...GOOD, messageText: 5 }, 207],
    ["a text that is too long", { ...GOOD, messageText: "x".repeat(1_281) }, 207],
    ["half an emoji", { ...GOOD, messageText: "\ud83d" }, 207],
    ["a long correlationId", { ...GOOD, correlationId: "c".repeat(65) }, 207],
    ["an object for a correlationId", { ...GOOD, correlationId: {} }, 207],
    ["a long extraInfo", { ...GOOD, extraInfo: "e".repeat(256) }, 207],
    ["maybe for flashSMS", { ...GOOD, flashSMS: "maybe" }, 207],
    ["params that are not texts", { ...GOOD, params: { a: 5 } }, 207],
    ["params that are a list", { ...GOOD, params: ["a"] }, 207],
    [
      "params that are too many",
      {
        ...GOOD,
        params: Object.fromEntries(Array.from({ length: 101 }, (_, at) => [`p${at}`, "x"])),
      },
      207,
    ],
    ["nothing that is right", { destination: [], messageText: {}, correlationId: [] }, 207],
    ["another good one", { ...GOOD, messageText: "the last" }, undefined],
  ];

  it.each(ELEMENTS)("have an id and a final status: %s", async (_, element, code) => {
    const api = new TestWavyApi();
    const response = await api.sendBulk([element]);
    expect(await sentStatusesOf(api, response)).toEqual([code]);
    await api.expand();
    expect(await sentStatusesOf(api, response)).toEqual([code]);
    expect(await api.dispatch()).toHaveLength(code === undefined ? 1 : 0);
  });

  it("do not sink the others, wherever they stand", async () => {
    const api = new TestWavyApi();
    const response = await api.sendBulk(ELEMENTS.map(([, element]) => element));
    expect(await sentStatusesOf(api, response)).toEqual(ELEMENTS.map(([, , code]) => code));
    expect(response.log).toMatchObject({
      accepted: ELEMENTS.length,
      blocked: ELEMENTS.length - 2,
    });
    await api.expand();
    expect((await api.dispatch()).map(({ text }) => text)).toEqual(["Hello", "the last"]);
  });

  it("are listed like any other status, once the batch is expanded", async () => {
    const api = new TestWavyApi();
    const ids = idsOf(await api.sendBulk([null, { destination: "123", correlationId: "mine" }]));
    await api.expand();
    expect(statusesOf(await api.listStatus())).toEqual([
      {
        id: ids[0],
        destination: "",
        sentStatusCode: 207,
        sentStatus: "INVALID_MESSAGE_TEXT",
        sentStatusAt: NOW,
        sentStatusDate: "2026-03-02T15:00:00Z",
      },
      {
        id: ids[1],
        correlationId: "mine",
        destination: "123",
        sentStatusCode: 202,
        sentStatus: "INVALID_DESTINATION_NUMBER",
        sentStatusAt: NOW,
        sentStatusDate: "2026-03-02T15:00:00Z",
      },
    ]);
    expect(statusesOf(await api.listStatus())).toEqual([]);
  });

  it("may be all of them: the batch is accepted, and nothing is sent", async () => {
    const api = new TestWavyApi();
    expect(idsOf(await api.sendBulk(Array(1_000).fill(null)))).toHaveLength(1_000);
    await api.expand();
    expect(await api.dispatch()).toEqual([]);
    expect(statusesOf(await api.listStatus())).toHaveLength(1_000);
  });

  it("keep what could be read of them, with the default values", async () => {
    const api = new TestWavyApi();
    const defaultValues = { messageText: "Usual", correlationId: "usual", extraInfo: "usual" };
    const element = { ...GOOD, messageText: 5, correlationId: "own" };
    expect(await api.sentBulk([element], { defaultValues })).toMatchObject([
      { destination: PHONE, correlationId: "own", extraInfo: "usual", state: "BLOCKED" },
    ]);
  });

  it("may be those whose text a template made too long", async () => {
    const api = furnished();
    const name = "x".repeat(1_280);
    const messages = [
      { ...GOOD, params: { name, greeting: "x".repeat(240) } },
      { ...GOOD, params: { name, greeting: "x".repeat(234) } },
    ];
    const response = await api.sendBulk(messages, { flowId: "flow", defaultValues: {} });
    expect(await sentStatusesOf(api, response)).toEqual([207, undefined]);
  });
});

describe("numbers that are not sent to", () => {
  it("have their status, each of its own", async () => {
    const api = new TestWavyApi();
    const [blocked, optedOut, elsewhere] = ["5519900002222", "5519900003333", "5519900004444"];
    await api.blockedNumbers.block({ version: 1, account: "acme", number: blocked, createdAt: 0 });
    const word = { account: "acme", at: 1, origin: "mo" };
    await api.blockedNumbers.optOut({ ...word, number: optedOut, subAccount: "Marketing" });
    await api.blockedNumbers.optOut({ ...word, number: elsewhere, subAccount: "Vendas" });
    const destinations = [blocked, PHONE, optedOut, elsewhere, blocked];
    const messages = destinations.map((destination) => ({ destination }));
    const response = await api.sendBulk(messages);
    expect(await sentStatusesOf(api, response)).toEqual([203, undefined, 204, undefined, 203]);
    const others = await api.sendBulk(messages, {}, "vendas");
    await api.expand();
    const found = statusesOf(await api.search({ ids: idsOf(others) }, "vendas"));
    expect(found.map(({ destination, sentStatusCode }) => [destination, sentStatusCode])).toEqual([
      [blocked, 203],
      [PHONE, undefined],
      [optedOut, undefined],
      [elsewhere, 204],
      [blocked, 203],
    ]);
  });
});

describe("limits", () => {
  const LONG = { ...GOOD, messageText: "x".repeat(161) };

  it("let the first messages through that fit, in parts", async () => {
    const api = new TestWavyApi({ account: { limits: { perDay: 4, prepaid: false } } });
    const response = await api.sendBulk([GOOD, LONG, { destination: "123" }, LONG, GOOD, GOOD]);
    expect(await sentStatusesOf(api, response)).toEqual([
      undefined,
      undefined,
      202,
      201,
      undefined,
      201,
    ]);
    expect(await api.usage.read({ account: "acme" })).toMatchObject({ usedToday: 4 });
    await api.expand();
    expect(await api.dispatch()).toHaveLength(4);
  });

  it("of account and sub-account both count", async () => {
    const api = new TestWavyApi({
      account: { limits: { perDay: 3, prepaid: false } },
      subAccount: { limits: { perMonth: 2, prepaid: false } },
    });
    const marketing = await api.sendBulk([GOOD, GOOD, GOOD]);
    expect(await sentStatusesOf(api, marketing)).toEqual([undefined, undefined, 201]);
    const vendas = await api.sendBulk([GOOD, GOOD], {}, "vendas");
    await api.expand();
    const found = statusesOf(await api.search({ ids: idsOf(vendas) }, "vendas"));
    expect(found.map(({ sentStatusCode }) => sentStatusCode)).toEqual([undefined, 201]);
  });

  it("refuse nothing as a whole where nothing is left", async () => {
    const api = new TestWavyApi({ account: { limits: { prepaid: true } } });
    const response = await api.sendBulk([GOOD, null, { destination: "123" }]);
    expect(await sentStatusesOf(api, response)).toEqual([201, 207, 202]);
  });

  it("get back what a batch had counted that could not be put on its way", async () => {
    const api = new TestWavyApi({ account: { limits: { perDay: 2, prepaid: false } } });
    api.batchQueue.refuses = true;
    expect(errorOf(await api.sendBulk([GOOD, GOOD]))).toBe("503 SERVICE_UNAVAILABLE");
    api.batchQueue.refuses = false;
    expect(await api.sentBulk([GOOD, GOOD])).toMatchObject([
      { state: "QUEUED" },
      { state: "QUEUED" },
    ]);
  });
});
