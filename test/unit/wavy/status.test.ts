import { describe, expect, it } from "vitest";
import { WAVY_SENT } from "../../../functions/core/codes.ts";
import { REASONS, type Reason, STATES } from "../../../functions/core/lifecycle.ts";
import type { Message } from "../../../functions/core/message.ts";
import { sampleMessage } from "../../support/samples.ts";
import { errorOf, type Fields, INVALID, idsOf, statusesOf, TestWavyApi } from "./support.ts";

const NOW = Date.parse("2026-03-02T15:00:00Z");
const DAY_MS = 24 * 60 * 60 * 1_000;
const SENT_AT = NOW - 5_000;
const UUID = "0198c0de-9ad6-7111-9c9b-e255b01a8b1a";

/** A message of the regular user's. */
const ofMarketing = (overrides: Partial<Message> = {}) =>
  sampleMessage(NOW, { dialect: "wavy", subAccount: "Marketing", ...overrides });

const given = async (...messages: Partial<Message>[]) => {
  const api = new TestWavyApi();
  for (const [index, message] of messages.entries()) {
    await api.messages.insert(ofMarketing({ traceId: `trace-${index + 1}`, ...message }));
  }
  return api;
};

/** What is told of each state, by each of its reasons. */
const SENT_FIELDS = {
  sentStatusCode: 2,
  sentStatus: "SENT_SUCCESS",
  sentStatusAt: SENT_AT,
  sentStatusDate: "2026-03-02T14:59:55Z",
};
const failed = (sentStatusCode: keyof typeof WAVY_SENT) => ({
  sentStatusCode,
  sentStatus: WAVY_SENT[sentStatusCode],
  sentStatusAt: NOW,
  sentStatusDate: "2026-03-02T15:00:00Z",
});
const delivered = (deliveredStatusCode: number, deliveredStatus: string) => ({
  ...SENT_FIELDS,
  deliveredStatusCode,
  deliveredStatus,
  deliveredAt: NOW,
  deliveredDate: "2026-03-02T15:00:00Z",
});
const NOT_DELIVERED = delivered(104, "NOT_DELIVERED");

const SITUATIONS: readonly [Message["state"], Reason | undefined, Fields][] = [
  ["SCHEDULED", undefined, {}],
  ["QUEUED", undefined, {}],
  ["SENDING", undefined, {}],
  ["CANCELED", undefined, {}],
  ["SENT", undefined, SENT_FIELDS],
  ["SENT", "no-receipts", SENT_FIELDS],
  ["DELIVERED", undefined, delivered(4, "DELIVERED_SUCCESS")],
  ["NOT_DELIVERED", "operator-expired", NOT_DELIVERED],
  ["NOT_DELIVERED", "inactive-number", NOT_DELIVERED],
  ["NOT_DELIVERED", "undeliverable", NOT_DELIVERED],
  ["EXPIRED", undefined, failed(101)],
  ["FAILED", "operator-unreachable", failed(102)],
  ["FAILED", "operator-rejected", failed(103)],
  ["FAILED", "internal-error", failed(301)],
  ["BLOCKED", "no-coverage", failed(103)],
  ["BLOCKED", "international-not-allowed", failed(103)],
  ["BLOCKED", "account-limit", failed(201)],
  ["BLOCKED", "invalid-number", failed(202)],
  ["BLOCKED", "block-list", failed(203)],
  ["BLOCKED", "opt-out", failed(204)],
  ["BLOCKED", "invalid-message", failed(207)],
  ["BLOCKED", "content", failed(207)],
];

it("knows situations of every state and reason, and every code but 205", () => {
  expect(new Set(SITUATIONS.map(([state]) => state))).toEqual(new Set(STATES));
  const reasons = SITUATIONS.flatMap(([, reason]) => reason ?? []);
  expect(reasons.sort()).toEqual(Object.values(REASONS).flat().sort());
  const codes = SITUATIONS.flatMap(([, , fields]) => (fields.sentStatusCode as number) ?? []);
  expect([...new Set(codes), 205].sort((a, b) => a - b)).toEqual(
    Object.keys(WAVY_SENT).map(Number),
  );
});

describe("a status", () => {
  it.each(SITUATIONS)(
    "of a message that is %s (%s) tells each level",
    async (state, reason, fields) => {
      const wasSent = Object.hasOwn(fields, "sentStatusCode") && fields.sentStatusCode === 2;
      const api = await given({ state, reason, ...(wasSent && { sentAt: SENT_AT }) });
      const status = { id: "id-1", destination: "5519900001111", ...fields };
      expect(statusesOf(await api.search({ ids: ["id-1"] }))).toEqual([status]);
      expect(await api.status("id-1")).toMatchObject({ status: 200, body: status });
      const isListed = Object.keys(fields).length > 0;
      expect(statusesOf(await api.listStatus())).toEqual(isListed ? [status] : []);
      expect(statusesOf(await api.listStatus())).toEqual([]);
    },
  );

  it("tells all that the message came with, and the operator's name and number", async () => {
    const api = await given({
      state: "SENT",
      sentAt: NOW,
      correlationId: "myId",
      extraInfo: "",
      campaign: { id: 1234, alias: "Promo" },
      operator: "Vivo",
      shortCode: "27182",
    });
    expect((await api.status("id-1")).body).toEqual({
      id: "id-1",
      correlationId: "myId",
      carrierId: 1,
      carrierName: "VIVO",
      destination: "5519900001111",
      sentStatusCode: 2,
      sentStatus: "SENT_SUCCESS",
      sentStatusAt: NOW,
      sentStatusDate: "2026-03-02T15:00:00Z",
      campaignId: 1234,
      extraInfo: "",
    });
  });

  it("follows its message from acceptance to the phone", async () => {
    const api = new TestWavyApi();
    const [id = ""] = idsOf(await api.send({ correlationId: "myId" }));
    const status = async () => {
      const { body } = await api.status(id);
      const { sentStatusCode, deliveredStatusCode } = body as Fields;
      return [sentStatusCode, deliveredStatusCode];
    };
    expect(await status()).toEqual([undefined, undefined]);
    await api.dispatch();
    expect(await status()).toEqual([2, undefined]);
    const sent = await api.stored(id);
    if (sent) await api.messages.change(sent, { state: "DELIVERED", stateAt: NOW + 1 });
    expect(await status()).toEqual([2, 4]);
  });

  it("is kept for the stage's retention, and then gone", async () => {
    const api = new TestWavyApi();
    const [id = ""] = idsOf(await api.send({ correlationId: "myId" }));
    api.clock.advance(DAY_MS - 1);
    expect(statusesOf(await api.search({ ids: [id] }))).toHaveLength(1);
    api.clock.advance(1_000);
    expect(statusesOf(await api.search({ ids: [id], correlationIds: ["myId"] }))).toEqual([]);
    expect(errorOf(await api.status(id))).toBe("404 NOT_FOUND");
  });
});

describe("sms-status", () => {
  it.each<[string, Record<string, string | undefined>]>([
    ["no id", {}],
    ["an empty id", { id: "" }],
    ["an id of blanks", { id: "  " }],
    ["an id by another name", { ID: "id-1" }],
    ["an id longer than any", { id: "i".repeat(65) }],
    ["an id that no table could look for", { id: "i".repeat(5_000) }],
  ])("is refused with %s", async (_, query) => {
    expect(errorOf(await (await given({})).get("/v1/sms-status", query))).toBe(INVALID);
  });

  it.each(["unknown", "id-2", "id", "__proto__", "id-1_001"])(
    "is 404 where there is no message %j",
    async (id) => {
      expect(errorOf(await (await given({})).status(id))).toBe("404 NOT_FOUND");
    },
  );

  it("is 404 for another account's message, and another sub-account's", async () => {
    const api = await given(
      {},
      { id: "id-2", subAccount: "Vendas" },
      { id: "id-3", subAccount: undefined },
    );
    expect(errorOf(await api.status("id-1", "stranger"))).toBe("404 NOT_FOUND");
    expect(errorOf(await api.status("id-2"))).toBe("404 NOT_FOUND");
    expect(errorOf(await api.status("id-3"))).toBe("404 NOT_FOUND");
    for (const id of ["id-1", "id-2", "id-3"]) {
      expect(await api.status(id, "admin")).toMatchObject({ status: 200 });
    }
  });

  it("knows a message of a batch at once", async () => {
    const api = new TestWavyApi();
    const [id = ""] = idsOf(await api.sendBulk([{ destination: "5519900001111" }]));
    expect(await api.status(id)).toMatchObject({ status: 200, body: { id } });
    await api.expand();
    expect(await api.status(id)).toMatchObject({ status: 200, body: { id } });
  });

  it("takes ids in capitals, and with white space around", async () => {
    const api = await given({ id: UUID });
    for (const written of [UUID.toUpperCase(), ` ${UUID} `]) {
      expect(await api.status(written)).toMatchObject({ status: 200, body: { id: UUID } });
    }
  });
});

describe("status/search", () => {
  it("finds by ids and correlationIds together, each message once", async () => {
    const api = await given(
      { id: "a", correlationId: "x" },
      { id: "b", correlationId: "x" },
      { id: "c", correlationId: "y" },
      { id: "d", correlationId: "z" },
      { id: "e" },
    );
    const found = async (body: Fields) =>
      statusesOf(await api.search(body))
        .map(({ id }) => id)
        .sort();
    expect(await found({ ids: ["a", "e"] })).toEqual(["a", "e"]);
    expect(await found({ correlationIds: ["x"] })).toEqual(["a", "b"]);
    expect(await found({ ids: ["a", "d"], correlationIds: ["x", "y"] })).toEqual([
      "a",
      "b",
      "c",
      "d",
    ]);
    expect(await found({ ids: ["a", "a"], correlationIds: ["x", "x"] })).toEqual(["a", "b"]);
    expect(await found({ ids: ["a"], correlationIds: [] })).toEqual(["a"]);
    expect(await found({ ids: null, correlationIds: ["z"] })).toEqual(["d"]);
    expect(await found({ ids: ["x", "nope"], correlationIds: ["a"] })).toEqual([]);
  });

  it("answers a total and the messages, also where there are none", async () => {
    const api = await given({});
    expect((await api.search({ ids: ["nope"] })).body).toEqual({ total: 0, messages: [] });
    expect(await api.search({ ids: ["id-1", "nope"] })).toMatchObject({
      body: { total: 1, messages: [{ id: "id-1" }] },
      log: { account: "acme", statuses: 1 },
    });
  });

  it("finds the same however often one asks", async () => {
    const api = await given({ state: "SENT" });
    await api.listStatus();
    for (let times = 0; times < 3; times++) {
      expect(statusesOf(await api.search({ ids: ["id-1"] }))).toHaveLength(1);
    }
  });

  it("takes ids in capitals, as the document's example has them", async () => {
    const api = await given({ id: UUID });
    expect(statusesOf(await api.search({ ids: [UUID.toUpperCase()] }))).toMatchObject([
      { id: UUID },
    ]);
  });

  it("takes correlationIds to the letter", async () => {
    const api = await given({ id: "a", correlationId: "myId" });
    expect(statusesOf(await api.search({ correlationIds: ["myid"] }))).toEqual([]);
    expect(statusesOf(await api.search({ correlationIds: ["myId"] }))).toHaveLength(1);
  });

  it("finds the account's messages that came by Mesago, whatever their id", async () => {
    const api = await given({ id: "myId", dialect: "mesago", subAccount: undefined });
    expect(statusesOf(await api.search({ ids: ["myId"] }, "admin"))).toMatchObject([
      { id: "myId" },
    ]);
    expect(await api.status("myId", "admin")).toMatchObject({ status: 200, body: { id: "myId" } });
  });

  describe("of a batch that is not expanded yet", () => {
    it("finds its messages by id and by correlationId", async () => {
      const api = new TestWavyApi();
      const ids = idsOf(
        await api.sendBulk([
          { destination: "5519900001111", correlationId: "x" },
          { destination: "123", correlationId: "x" },
          { destination: "5519900001111", correlationId: "y" },
        ]),
      );
      const both = async () => [
        statusesOf(await api.search({ ids })).map(({ id, sentStatusCode }) => [id, sentStatusCode]),
        statusesOf(await api.search({ correlationIds: ["x"] })).map(({ id }) => id),
        statusesOf(await api.search({ ids: ids.slice(0, 1), correlationIds: ["y"] })).map(
          ({ id }) => id,
        ),
      ];
      const expected = [
        [
          [ids[0], undefined],
          [ids[1], 202],
          [ids[2], undefined],
        ],
        [ids[0], ids[1]],
        [ids[0], ids[2]],
      ];
      const before = await both();
      await api.expand();
      const after = await both();
      expect(before.map((found) => found.sort())).toEqual(expected.map((found) => found.sort()));
      expect(after.map((found) => found.sort())).toEqual(before);
    });

    it("tells each message once, as it stands", async () => {
      const api = new TestWavyApi();
      const [id = ""] = idsOf(await api.sendBulk([{ destination: "5519900001111" }]));
      // Expanded and handed over, but not closed yet.
      const open = await api.stored(id);
      if (open) await api.messages.insert({ ...open, state: "SENT", sentAt: NOW });
      expect(statusesOf(await api.search({ ids: [id] }))).toMatchObject([
        { id, sentStatusCode: 2 },
      ]);
    });

    it("finds nothing of other accounts and sub-accounts", async () => {
      const api = new TestWavyApi();
      const ids = idsOf(await api.sendBulk([{ destination: "5519900001111", correlationId: "x" }]));
      for (const as of ["vendas", "stranger"] as const) {
        expect(statusesOf(await api.search({ ids, correlationIds: ["x"] }, as))).toEqual([]);
      }
      expect(statusesOf(await api.search({ ids, correlationIds: ["x"] }, "admin"))).toHaveLength(1);
    });
  });

  const some = (count: number, of = "i") => Array.from({ length: count }, (_, at) => `${of}${at}`);

  it.each<[string, unknown]>([
    ["nothing to search for", {}],
    ["empty lists", { ids: [], correlationIds: [] }],
    ["lists that are null", { ids: null, correlationIds: null }],
    ["1,001 ids", { ids: some(1_001) }],
    ["1,001 correlationIds", { correlationIds: some(1_001) }],
    ["1,001 together", { ids: some(500), correlationIds: some(501) }],
    ["1,001 times the same id", { ids: Array(1_001).fill("i") }],
    ["a text for ids", { ids: "id-1" }],
    ["an object for ids", { ids: { 0: "id-1" } }],
    ["a number among the ids", { ids: ["id-1", 5] }],
    ["null among the ids", { ids: [null] }],
    ["an empty id", { ids: [""] }],
    ["an id that is too long", { ids: ["i".repeat(65)] }],
    ["an empty correlationId", { correlationIds: [""] }],
    // DynamoDB looks for no key of these.
    ["half an emoji for an id", { ids: ["\ud83d"] }],
    ["half an emoji for a correlationId", { correlationIds: ["\ude00"] }],
    ["a list among the correlationIds", { correlationIds: [["x"]] }],
    ["a list of ids", ["id-1"]],
    ["other names", { id: "id-1", correlationId: "x" }],
  ])("is refused with %s", async (_, body) => {
    expect(errorOf(await (await given({})).search(body))).toBe(INVALID);
  });

  it("takes a thousand, of either kind or both", async () => {
    const api = await given(...some(1_000).map((id) => ({ id, correlationId: `c-${id}` })));
    const byCorrelation = some(1_000).map((id) => `c-${id}`);
    expect(statusesOf(await api.search({ ids: some(1_000) }))).toHaveLength(1_000);
    expect(statusesOf(await api.search({ correlationIds: byCorrelation }))).toHaveLength(1_000);
    const half = { ids: some(500), correlationIds: byCorrelation.slice(500) };
    expect(statusesOf(await api.search(half))).toHaveLength(1_000);
  });

  it("answers as much as Lambda can carry", async () => {
    const extraInfo = "😀".repeat(127);
    const api = await given(
      ...some(6_000).map((id) => ({ id, traceId: id, correlationId: "same", extraInfo })),
    );
    const response = await api.search({ correlationIds: ["same"] });
    const body = JSON.stringify(response.body);
    expect(Buffer.byteLength(JSON.stringify({ body }))).toBeLessThan(6 * 1024 * 1024);
    expect(statusesOf(response).length).toBeGreaterThan(2_000);
  });
});

describe("status/list", () => {
  const listed = async (api: TestWavyApi) =>
    statusesOf(await api.listStatus())
      .map(({ id }) => id)
      .sort();

  it("tells each status once, at every change", async () => {
    const api = new TestWavyApi();
    const [id = ""] = idsOf(await api.send());
    expect(await listed(api)).toEqual([]);
    await api.dispatch();
    expect(statusesOf(await api.listStatus())).toMatchObject([{ id, sentStatusCode: 2 }]);
    expect(await listed(api)).toEqual([]);
    const sent = await api.stored(id);
    if (sent) await api.messages.change(sent, { state: "DELIVERED", stateAt: NOW });
    expect(statusesOf(await api.listStatus())).toMatchObject([
      { id, sentStatusCode: 2, deliveredStatusCode: 4 },
    ]);
    expect(await listed(api)).toEqual([]);
  });

  it("tells a message that changed twice once, with both levels", async () => {
    const api = await given({ state: "SENT" });
    const sent = await api.stored("id-1");
    if (sent) await api.messages.change(sent, { state: "DELIVERED", stateAt: NOW });
    expect(statusesOf(await api.listStatus())).toMatchObject([
      { sentStatusCode: 2, deliveredStatusCode: 4 },
    ]);
    expect(await listed(api)).toEqual([]);
  });

  it("tells each message to one of ten callers at the same time", async () => {
    const ids = Array.from({ length: 200 }, (_, at) => `id-${at}`);
    const api = await given(...ids.map((id) => ({ id, traceId: id, state: "SENT" as const })));
    const lists = await Promise.all(Array.from({ length: 10 }, () => listed(api)));
    expect(lists.flat().sort()).toEqual(ids.sort());
  });

  it("tells a thousand at a time", async () => {
    const ids = Array.from({ length: 1_001 }, (_, at) => `id-${at}`);
    const api = await given(...ids.map((id) => ({ id, traceId: id, state: "SENT" as const })));
    expect([(await listed(api)).length, (await listed(api)).length]).toEqual([1_000, 1]);
    expect(await listed(api)).toEqual([]);
  });

  it("tells nothing of Mesago's messages, of confirmations, and of other accounts", async () => {
    const api = await given(
      { id: "mesago", dialect: "mesago", state: "SENT" },
      { id: "confirmation", callbackOption: "NONE", state: "SENT" },
      { id: "other", account: "other", state: "SENT" },
      { id: "own", state: "SENT" },
    );
    expect(await listed(api)).toEqual(["own"]);
  });

  it("has taken nothing where it fails", async () => {
    const api = await given({ state: "SENT" });
    const fails = new TestWavyApi({
      ports: {
        messages: Object.assign(Object.create(api.messages), {
          takeChanged: async () => {
            throw new Error("away");
          },
        }),
      },
    });
    expect(errorOf(await fails.listStatus())).toBe("500 INTERNAL_ERROR");
    expect(await listed(api)).toEqual(["id-1"]);
  });

  it("answers what Lambda can carry, however long it is", async () => {
    const long = { extraInfo: "😀".repeat(127), correlationId: "😀".repeat(32) };
    const ids = Array.from({ length: 1_000 }, (_, at) => `id-${at}`);
    const api = await given(
      ...ids.map((id) => ({ id, traceId: id, state: "SENT" as const, ...long })),
    );
    const body = JSON.stringify((await api.listStatus()).body);
    expect(Buffer.byteLength(JSON.stringify({ body }))).toBeLessThan(6 * 1024 * 1024);
  });
});
