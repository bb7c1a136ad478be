import { describe, expect, it } from "vitest";
import type { Mo } from "../../../functions/core/mo.ts";
import { sampleMo } from "../../support/samples.ts";
import { errorOf, INVALID, mosOf, type Query, TestWavyApi } from "./support.ts";

const NOW = Date.parse("2026-03-02T15:00:00Z");
const HOUR_MS = 60 * 60 * 1_000;
const DAY_MS = 24 * HOUR_MS;
const WEEK = Math.ceil(NOW / 1_000) + 7 * 86_400;

/** An API with MOs in answer to the regular user's messages. */
const given = async (...mos: Partial<Mo>[]) => {
  const api = new TestWavyApi();
  for (const [id, mo] of mos.entries()) {
    await api.mos.insert(
      sampleMo(NOW, { id, dialect: "wavy", subAccount: "Marketing", removeAt: WEEK, ...mo }),
    );
  }
  return api;
};

const SERVICES = [
  ["list", (api: TestWavyApi) => api.listMos()],
  ["search", (api: TestWavyApi) => api.searchMos()],
] as const;

describe.each(SERVICES)("receive/%s", (_, ask) => {
  it("tells MOs in the document's shape", async () => {
    const api = await given({
      uuid: "25950050-7362-81e6-8e62-001b7843e7d4",
      campaign: { id: 64, alias: "Promo" },
      operator: "Vivo",
      from: "5516981562820",
      shortCode: "28128",
      text: "Eu quero pizza",
      answers: {
        id: "8be584fd-2554-439b-9ba9-aab507278992",
        traceId: "trace-1",
        correlationId: "1876",
        sender: { username: "iFoodCS", email: "cs@ifood.example" },
      },
    });
    const response = await ask(api);
    expect(mosOf(response)).toEqual([
      {
        id: "25950050-7362-81e6-8e62-001b7843e7d4",
        subAccount: "Marketing",
        campaignAlias: "Promo",
        carrierId: 1,
        carrierName: "VIVO",
        source: "5516981562820",
        shortCode: "28128",
        messageText: "Eu quero pizza",
        receivedAt: NOW,
        receivedDate: "2026-03-02T15:00:00Z",
        mt: {
          id: "8be584fd-2554-439b-9ba9-aab507278992",
          correlationId: "1876",
          username: "iFoodCS",
          email: "cs@ifood.example",
        },
      },
    ]);
    expect(response.log).toEqual({ account: "acme", mos: 1 });
  });

  it("tells how many there are, and of which period", async () => {
    const { body } = await ask(await given({}, {}));
    expect(Object.keys(body as object)).toEqual(["total", "start", "end", "messages"]);
    expect(body).toMatchObject({ total: 2, end: "2026-03-02T15:00:00Z" });
  });

  it("tells none where there are none, or they are past their retention", async () => {
    expect(mosOf(await ask(await given()))).toEqual([]);
    expect(mosOf(await ask(await given({ removeAt: NOW / 1_000 })))).toEqual([]);
  });

  it("tells none of other accounts and sub-accounts", async () => {
    const others = [{ account: "other" }, { subAccount: "Vendas" }, { subAccount: undefined }];
    expect(mosOf(await ask(await given(...others)))).toEqual([]);
  });

  it("tells the oldest first, and texts as they came", async () => {
    const texts = ["", "Sim, às 10 ☺", 'quo"te \\ <b>', "\u0000\n"];
    const api = await given(
      ...texts.map((text, index) => ({ text, receivedAt: NOW - index * 1_000 })),
    );
    expect(mosOf(await ask(api)).map(({ messageText }) => messageText)).toEqual(texts.reverse());
  });

  it("leaves out what is not known", async () => {
    const api = await given({ operator: undefined, answers: undefined });
    expect(mosOf(await ask(api))).toEqual([
      {
        id: "0",
        subAccount: "Marketing",
        source: "5519900001111",
        shortCode: "27182",
        messageText: "Sim",
        receivedAt: NOW,
        receivedDate: "2026-03-02T15:00:00Z",
      },
    ]);
  });
});

describe("receive/list", () => {
  const texts = async (api: TestWavyApi) => mosOf(await api.listMos()).map((mo) => mo.messageText);

  it("hands each MO over once", async () => {
    const api = await given({ text: "first" });
    expect(await texts(api)).toEqual(["first"]);
    expect(await texts(api)).toEqual([]);
    await api.mos.insert(sampleMo(NOW, { id: 9, subAccount: "Marketing", text: "second" }));
    expect(await texts(api)).toEqual(["second"]);
  });

  it("hands each MO to one of ten callers at the same time", async () => {
    const sent = Array.from({ length: 200 }, (_, at) => String(at));
    const api = await given(...sent.map((text) => ({ text })));
    const lists = await Promise.all(Array.from({ length: 10 }, () => texts(api)));
    expect(lists.flat().sort()).toEqual(sent.sort());
  });

  it("goes back three days, to the millisecond, and leaves older ones alone", async () => {
    const api = await given(
      { text: "too old", receivedAt: NOW - 3 * DAY_MS - 1 },
      { text: "old", receivedAt: NOW - 3 * DAY_MS },
    );
    const response = await api.listMos();
    expect(mosOf(response).map(({ messageText }) => messageText)).toEqual(["old"]);
    expect(response.body).toMatchObject({
      start: "2026-02-27T15:00:00Z",
      end: "2026-03-02T15:00:00Z",
    });
    expect(mosOf(await api.searchMos()).map(({ messageText }) => messageText)).toEqual([
      "too old",
      "old",
    ]);
  });

  it("hands over a thousand at a time, the oldest first", async () => {
    const api = await given(
      ...Array.from({ length: 1_001 }, (_, at) => ({ text: String(at), receivedAt: NOW - at })),
    );
    const first = await texts(api);
    expect([first.length, first[0]]).toEqual([1_000, "1000"]);
    expect(await texts(api)).toEqual(["0"]);
  });

  it("hands over no period of the caller's", async () => {
    const api = await given({ text: "x" });
    const query = { start: "2020-01-01T00:00:00", end: "nonsense" };
    expect(mosOf(await api.listMos("marketing", query))).toHaveLength(1);
  });

  it("takes milliseconds into account where the time has any", async () => {
    const api = await given();
    api.clock.advance(113);
    expect((await api.listMos()).body).toMatchObject({ end: "2026-03-02T15:00:00.113Z" });
  });

  it("answers what Lambda can carry, be they as long as ten SMS each", async () => {
    const api = await given(...Array.from({ length: 1_000 }, () => ({ text: "ç".repeat(1_530) })));
    const body = JSON.stringify((await api.listMos()).body);
    expect(Buffer.byteLength(JSON.stringify({ body }))).toBeLessThan(6 * 1024 * 1024);
  });
});

describe("receive/search", () => {
  const found = async (api: TestWavyApi, query: Query = {}) =>
    mosOf(await api.searchMos(query)).map(({ messageText }) => messageText);

  it("finds the same however often one asks, listed or not", async () => {
    const api = await given({ text: "x" });
    await api.listMos();
    for (let times = 0; times < 3; times++) expect(await found(api)).toEqual(["x"]);
  });

  it("goes back five days unless told otherwise, and no further when told", async () => {
    const api = await given(
      { text: "too old", receivedAt: NOW - 5 * DAY_MS - 1 },
      { text: "old", receivedAt: NOW - 5 * DAY_MS },
    );
    for (const query of [{}, { start: "2020-01-01T00:00:00" }, { start: "2020-01-01" }]) {
      expect(await found(api, query)).toEqual(["old"]);
      expect((await api.searchMos(query)).body).toMatchObject({
        start: "2026-02-25T15:00:00Z",
        end: "2026-03-02T15:00:00Z",
      });
    }
  });

  it("finds nothing in a period that ended before", async () => {
    const api = await given({ receivedAt: NOW - 6 * DAY_MS });
    const query = { start: "2016-09-12T00:00:00", end: "2016-09-15T00:00:00" };
    expect(await found(api, query)).toEqual([]);
    expect(await found(api, { end: "2016-09-15T00:00:00" })).toEqual([]);
  });

  it.each<[string, Query, readonly string[]]>([
    ["start and end", { start: "2026-03-01T12:00:00", end: "2026-03-01T13:00:00" }, ["12", "13"]],
    ["start alone", { start: "2026-03-01T13:00:00" }, ["13", "14"]],
    ["end alone", { end: "2026-03-01T13:00:00" }, ["11", "12", "13"]],
    ["a start with an offset", { start: "2026-03-01T11:00:00-03:00" }, ["14"]],
    ["a start whose plus sign came as a space", { start: "2026-03-01T15:00:00 01:00" }, ["14"]],
    ["an end in UTC", { end: "2026-03-01T11:00:00Z" }, ["11"]],
    ["an end with milliseconds", { end: "2026-03-01T11:59:59.999Z" }, ["11"]],
    ["one instant", { start: "2026-03-01T12:00:00", end: "2026-03-01T12:00:00" }, ["12"]],
    ["a day", { start: "2026-03-01", end: "2026-03-01" }, ["11", "12", "13", "14"]],
    ["a day ahead", { end: "2026-03-09" }, ["11", "12", "13", "14"]],
    ["nothing, in so many words", { start: "", end: "" }, ["11", "12", "13", "14"]],
  ])("finds by %s, in UTC, both inclusive", async (_, query, expected) => {
    const hours = ["11", "12", "13", "14"];
    const api = await given(
      ...hours.map((text) => ({ text, receivedAt: Date.parse(`2026-03-01T${text}:00:00Z`) })),
    );
    expect(await found(api, query)).toEqual(expected);
  });

  it("is in UTC also for users with a zone", async () => {
    const api = new TestWavyApi({ user: { timeZone: "Asia/Tokyo" } });
    const query = { start: "2026-03-01T12:00:00", end: "2026-03-01T13:00:00" };
    expect((await api.searchMos(query)).body).toMatchObject({
      start: "2026-03-01T12:00:00Z",
      end: "2026-03-01T13:00:00Z",
    });
  });

  it.each<[string, Query]>([
    ["start after end", { start: "2026-03-01T13:00:00", end: "2026-03-01T12:00:00" }],
    [
      "start after end by an offset",
      { start: "2026-03-01T12:00:00-01:00", end: "2026-03-01T12:30:00Z" },
    ],
    ["start in the future", { start: "2026-03-03T00:00:00" }],
    ["a word for start", { start: "yesterday" }],
    ["a word for end", { end: "today" }],
    ["a day that there is not", { start: "2026-02-30T00:00:00" }],
    ["an offset of +99:00", { start: "2026-03-01T00:00:00+99:00" }],
    ["a Unix time", { start: "1772377200000" }],
    ["a date in words", { start: "Sun, 01 Mar 2026 00:00:00 GMT" }],
    ["a zone in brackets", { end: "2026-03-01T00:00:00[UTC]" }],
    ["a year of five digits", { end: "+010000-01-01T00:00:00" }],
    ["JavaScript's names", { start: "__proto__", end: "constructor" }],
    ["something far too long", { start: "2026-03-01T00:00:00".repeat(10_000) }],
  ])("is refused with %s", async (_, query) => {
    expect(errorOf(await (await given({})).searchMos(query))).toBe(INVALID);
  });

  it.each<[string, Query]>([
    ["of all times", { start: "0001-01-01T00:00:00", end: "9999-12-31T23:59:59" }],
    ["in a leap second", { start: "2016-12-31T23:59:60" }],
  ])("is answered for a period %s", async (_, query) => {
    expect(mosOf(await (await given()).searchMos(query))).toEqual([]);
  });

  it("asks for ten thousand at most", async () => {
    const asked: unknown[] = [];
    const mos = {
      takeNew: async () => [],
      search: async (...args: unknown[]) => {
        asked.push(args);
        return [];
      },
    };
    await new TestWavyApi({ ports: { mos } }).searchMos();
    expect(asked).toMatchObject([
      ["acme", { from: NOW - 5 * DAY_MS, to: NOW }, 10_000, "Marketing"],
    ]);
  });

  it("answers what Lambda can carry, the oldest first", async () => {
    const text = "ç".repeat(1_530);
    const api = await given(
      ...Array.from({ length: 3_000 }, (_, at) => ({ text, receivedAt: NOW - 3_000 + at })),
    );
    const response = await api.searchMos();
    const body = JSON.stringify(response.body);
    expect(Buffer.byteLength(JSON.stringify({ body }))).toBeLessThan(6 * 1024 * 1024);
    const mos = mosOf(response);
    expect(mos.length).toBeGreaterThan(500);
    expect(mos.map(({ receivedAt }) => receivedAt - NOW + 3_000)).toEqual(
      Array.from({ length: mos.length }, (_, at) => at),
    );
  });
});
