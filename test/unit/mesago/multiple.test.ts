import { describe, expect, it } from "vitest";
import { MAX_BODY_BYTES } from "../../../functions/runtime/http.ts";
import { sampleLongMessage, sampleMessage } from "../../support/samples.ts";
import {
  contentOf,
  DIALECTS,
  type DialectName,
  detailsOf,
  type Fields,
  isFields,
  listOf,
  OK,
  TestApi,
} from "./support.ts";

const GOOD = { destination: "5519900001111", messageText: "Hello" };
const LONG = "word ".repeat(40);

describe.each(Object.keys(DIALECTS) as DialectName[])("send-sms-multiple, %s", (dialect) => {
  const { multiplePath, list, named, tellsOurId } = DIALECTS[dialect];
  const hint = expect.stringMatching(/^[A-Z].+\.$/);
  const sendRoot = (api: TestApi, root: Fields) =>
    api.post(multiplePath, { sendSmsMultiRequest: root });
  /** Sends messages in this dialect's names; `root` and `defaultValues` by Mesago's. */
  const sendMany = (
    api: TestApi,
    messages: readonly unknown[],
    root: Fields = {},
    defaultValues?: Fields,
  ) =>
    sendRoot(api, {
      ...named(root),
      [list]: messages.map((message) => (isFields(message) ? named(message) : message)),
      ...(defaultValues && { defaultValues: named(defaultValues) }),
    });

  it("answers each message in order, good ones between refused ones", async () => {
    const api = new TestApi();
    const response = await sendMany(api, [
      { ...GOOD, correlationId: "first" },
      null,
      5,
      "text",
      [],
      { destination: "123", messageText: "Hello" },
      { ...GOOD, timeWindow: [24] },
      { messageText: "Hello" },
      { destination: "5519900001111" },
      {},
      { ...GOOD, correlationId: "last" },
    ]);
    expect(response.status).toBe(201);
    expect(listOf(response).map((it) => `${it.statusCode}/${it.detailCode}`)).toEqual([
      "00/000",
      "10/170",
      "10/170",
      "10/170",
      "10/170",
      "07/013",
      "10/015",
      "10/014",
      "10/010",
      "10/014",
      "00/000",
    ]);
    for (const answer of listOf(response)) expect(Object.keys(answer)).toEqual(Object.keys(OK));
    expect(await api.stored("first")).toBeDefined();
    expect(await api.stored("last")).toBeDefined();
    expect(api.batchQueue.jobs).toMatchObject([{ kind: "expand" }]);
  });

  it("answers 200 where every message is refused, and puts nothing on its way", async () => {
    const api = new TestApi();
    const response = await sendMany(api, [null, { destination: "123", messageText: "Hello" }]);
    expect(response.status).toBe(200);
    expect(detailsOf(response)).toEqual(["170", "013"]);
    expect(api.batchQueue.jobs).toEqual([]);
  });

  it("refuses an id that is taken, in the request or before, and not one whose message was refused", async () => {
    const api = new TestApi();
    await api.messages.insert(sampleMessage(api.clock.now(), { id: "before" }));
    await sendMany(api, [{ ...GOOD, correlationId: "unexpanded" }]);
    const response = await sendMany(api, [
      { ...GOOD, correlationId: "before" },
      { ...GOOD, correlationId: "unexpanded" },
      { destination: "123", messageText: "Hello", correlationId: "again" },
      { ...GOOD, correlationId: "again" },
      { ...GOOD, correlationId: "again" },
      GOOD,
      GOOD,
    ]);
    expect(detailsOf(response)).toEqual(["080", "080", "013", "000", "080", "000", "000"]);
    expect(listOf(response)[4]).toEqual({
      statusCode: "10",
      statusDescription: "Error",
      detailCode: "080",
      detailDescription: "Message with same ID already sent",
    });
  });

  it("has a message asked about and cancelled as soon as it is answered", async () => {
    const api = new TestApi();
    await sendMany(api, [
      { ...GOOD, correlationId: "now" },
      { ...GOOD, correlationId: "later", scheduledDate: "2026-03-02T13:00:00" },
    ]);
    expect(contentOf(await api.status("now", dialect))).toMatchObject({ detailCode: "100" });
    expect(contentOf(await api.status("later", dialect))).toMatchObject({ statusCode: "01" });
    expect(contentOf(await api.cancel("later", dialect))).toMatchObject({ detailCode: "002" });
    expect(contentOf(await api.cancel("now", dialect))).toMatchObject({
      statusCode: "10",
      detailCode: "100",
    });
  });

  describe("a field's value", () => {
    const dates = [1, 2, 3].map((hour) => `2026-03-03T0${hour}:00:00Z`);
    /** Fields that all three levels have, each with three values and what the stored message shows of them. */
    const FIELDS: readonly [string, readonly (readonly [unknown, object])[]][] = [
      ["scheduledDate", dates.map((date) => [date, { claimableFrom: Date.parse(date) }])],
      ["expiresDate", dates.map((date) => [date, { expiresAt: Date.parse(date) }])],
      ["timeWindow", [1, 2, 3].map((hour) => [[hour], { window: { hours: [hour] } }])],
      ["callbackOption", ["ALL", "FINAL", "NONE"].map((it) => [it, { callbackOption: it }])],
      ["extraInfo", ["1", "2", "3"].map((it) => [it, { extraInfo: it }])],
    ];

    it.each(FIELDS)(
      "of %s is the message's, else the default, else the request's",
      async (name, values) => {
        const api = new TestApi();
        const [[own, ofOwn], [usual, ofUsual], [root, ofRoot]] = values as [
          [unknown, object],
          [unknown, object],
          [unknown, object],
        ];
        let count = 0;
        const storedOf = async (...[message, byDefault, ofRequest]: unknown[]) => {
          const correlationId = `id-${count++}`;
          await sendMany(
            api,
            [{ ...GOOD, correlationId, [name]: message }],
            { [name]: ofRequest },
            { [name]: byDefault },
          );
          return api.stored(correlationId);
        };
        expect(await storedOf(own, usual, root)).toMatchObject(ofOwn);
        for (const none of [undefined, null]) {
          expect(await storedOf(none, usual, root)).toMatchObject(ofUsual);
          expect(await storedOf(none, none, root)).toMatchObject(ofRoot);
          expect(await storedOf(own, none, none)).toMatchObject(ofOwn);
        }
      },
    );

    it.each([
      ["the message's", "UTC", "Asia/Tokyo", "America/Bogota", "2026-03-03T10:00:00Z"],
      ["the default", null, "Asia/Tokyo", "America/Bogota", "2026-03-03T10:00:00+09:00"],
      ["the request's", undefined, null, "America/Bogota", "2026-03-03T10:00:00-05:00"],
      ["the account's", null, null, null, "2026-03-03T10:00:00-03:00"],
    ])("of timeZone is %s, for a date of any of them", async (_, own, usual, root, expected) => {
      const api = new TestApi();
      const date = { scheduledDate: "2026-03-03T10:00:00" };
      const dates: [Fields, Fields, Fields][] = [
        [date, {}, {}],
        [{}, date, {}],
        [{}, {}, date],
      ];
      for (const [index, [ofMessage, ofDefaults, ofRoot]] of dates.entries()) {
        const correlationId = `id-${index}`;
        await sendMany(
          api,
          [{ ...GOOD, ...ofMessage, correlationId, timeZone: own }],
          { ...ofRoot, timeZone: root },
          { ...ofDefaults, timeZone: usual },
        );
        expect(await api.stored(correlationId)).toMatchObject({
          claimableFrom: Date.parse(expected),
        });
      }
    });

    it("is the default where the message's is null, of every other field, too", async () => {
      const api = new TestApi();
      const names = ["destination", "messageText", "from", "flashSMS", "correlationId"];
      await sendMany(
        api,
        [Object.fromEntries(names.map((name) => [name, null]))],
        {},
        {
          ...GOOD,
          from: "ACME",
          flashSMS: true,
          correlationId: "by-default",
        },
      );
      expect(await api.stored("by-default")).toMatchObject({
        destination: "5519900001111",
        text: "ACME: Hello",
        flash: true,
      });
    });

    it("is false where the message says so and the default is true", async () => {
      const api = new TestApi();
      const flashes = [false, "false", true, null].map((flashSMS, index) => ({
        ...GOOD,
        correlationId: `id-${index}`,
        flashSMS,
      }));
      await sendMany(api, flashes, {}, { flashSMS: true });
      const stored = await Promise.all(
        flashes.map(({ correlationId }) => api.stored(correlationId)),
      );
      expect(stored.map((message) => message?.flash)).toEqual([false, false, true, true]);
    });

    it.each(FIELDS.filter(([name]) => name !== "timeWindow"))(
      "is the default or the request's where %s is empty, which says as much as none",
      async (name, values) => {
        const [[value, shown]] = values as [[unknown, object]];
        const api = new TestApi();
        await sendMany(
          api,
          [{ ...GOOD, correlationId: "by-default", [name]: "" }],
          {},
          { [name]: value },
        );
        await sendMany(
          api,
          [{ ...GOOD, correlationId: "of-request", [name]: "" }],
          { [name]: value },
          { [name]: "" },
        );
        expect(await api.stored("by-default")).toMatchObject(shown);
        expect(await api.stored("of-request")).toMatchObject(shown);
      },
    );

    it("is the default where flashSMS or timeZone is empty", async () => {
      const api = new TestApi();
      const empty = { flashSMS: "", timeZone: "", scheduledDate: "2026-03-03T10:00:00" };
      await sendMany(
        api,
        [{ ...GOOD, ...empty, correlationId: "id" }],
        {},
        { flashSMS: true, timeZone: "UTC" },
      );
      expect(await api.stored("id")).toMatchObject({
        flash: true,
        claimableFrom: Date.parse("2026-03-03T10:00:00Z"),
      });
    });

    it("is the message's own where what it must have is empty", async () => {
      const response = await sendMany(
        new TestApi(),
        [
          { ...GOOD, messageText: "" },
          { ...GOOD, destination: "" },
        ],
        {},
        GOOD,
      );
      expect(detailsOf(response)).toEqual(["010", "014"]);
    });

    it.each(["destination", "messageText"])("of %s is not taken from the request", async (name) => {
      const { [name]: value, ...others } = GOOD as Fields;
      const response = await sendMany(new TestApi(), [others], { [name]: value });
      expect(detailsOf(response)).toEqual([name === "destination" ? "014" : "010"]);
    });

    it("of other fields of one message is not taken from the request either", async () => {
      const api = new TestApi();
      const root = { from: "ACME", flashSMS: true, correlationId: "of-request" };
      await sendMany(api, [{ ...GOOD, correlationId: "id" }, GOOD], root);
      expect(await api.stored("id")).toMatchObject({ text: "Hello", flash: false });
      expect(await api.stored("of-request")).toBeUndefined();
    });

    it("is read by either spelling of the schedule, at every level", async () => {
      const api = new TestApi();
      const [own, usual, root] = dates;
      let count = 0;
      const dueOf = async (message: Fields, more: Fields, defaultValues: Fields) => {
        const correlationId = `id-${count++}`;
        await sendRoot(api, {
          ...more,
          [list]: [{ ...named({ ...GOOD, correlationId }), ...message }],
          defaultValues,
        });
        const stored = await api.stored(correlationId);
        return stored && new Date(stored.claimableFrom).toISOString().replace(".000", "");
      };
      for (const one of ["scheduledDate", "scheduleDate"]) {
        for (const other of ["scheduledDate", "scheduleDate"]) {
          expect(await dueOf({ [one]: own }, { [other]: root }, { [other]: usual })).toBe(own);
          expect(await dueOf({}, { [other]: root }, { [one]: usual })).toBe(usual);
        }
        expect(await dueOf({}, { [one]: root }, {})).toBe(root);
      }
      expect(await dueOf({ scheduledDate: own, scheduleDate: usual }, {}, {})).toBe(own);
      expect(await dueOf({ scheduledDate: null, scheduleDate: usual }, {}, {})).toBe(usual);
    });
  });

  describe("what is wrong for all", () => {
    it.each([
      ["a wrong schedule", { scheduledDate: "tomorrow" }, "015"],
      ["a wrong expiry", { expiresDate: 5 }, "015"],
      ["a wrong window", { timeWindow: [24] }, "015"],
      ["a wrong zone", { timeZone: "Atlantis" }, "015"],
      ["a wrong callbackOption", { callbackOption: "SOME" }, "170"],
      ["a wrong extraInfo", { extraInfo: {} }, "170"],
    ])("is answered for each message: %s", async (_, fields, detailCode) => {
      const api = new TestApi();
      for (const response of [
        await sendMany(api, [GOOD, GOOD], fields),
        await sendMany(api, [GOOD, GOOD], {}, fields),
      ]) {
        expect(response.status).toBe(200);
        expect(detailsOf(response)).toEqual([detailCode, detailCode]);
      }
    });

    it("is nothing where a message has a good value of its own", async () => {
      const api = new TestApi();
      const response = await sendMany(api, [{ ...GOOD, timeWindow: [12] }], { timeWindow: [24] });
      expect(detailsOf(response)).toEqual(["000"]);
    });
  });

  describe("parts", () => {
    const parts = (id: string) =>
      ["001", "002"].map((order, index) => ({
        partId: `${id}_${order}`,
        order: index + 1,
      }));
    const enabled = { account: { longMessages: true } };

    it("are listed of all accepted messages where one has several", async () => {
      const response = await sendMany(new TestApi(enabled), [
        { ...GOOD, correlationId: "short" },
        { ...GOOD, correlationId: "long", messageText: LONG },
        { destination: "123", messageText: LONG },
        GOOD,
      ]);
      const [, , refused, unnamed] = listOf(response);
      const [ours] = (unnamed?.parts ?? []) as { partId: string }[];
      expect(listOf(response).slice(0, 2)).toEqual([
        { ...OK, parts: [{ partId: "short", order: 1 }] },
        { ...OK, parts: parts("long") },
      ]);
      expect(Object.keys(refused ?? {})).toEqual(Object.keys(OK));
      expect(unnamed).toEqual({
        ...OK,
        ...(tellsOurId && { id: ours?.partId }),
        parts: [{ partId: ours?.partId, order: 1 }],
      });
    });

    it("are listed of none where none has several, or only a refused one", async () => {
      const api = new TestApi(enabled);
      const response = await sendMany(api, [
        { ...GOOD, correlationId: "short" },
        { destination: "123", messageText: LONG },
      ]);
      for (const answer of listOf(response)) expect(Object.keys(answer)).toEqual(Object.keys(OK));
    });

    it("are not listed of a message whose id is taken", async () => {
      const api = new TestApi(enabled);
      await api.messages.insert(sampleLongMessage(api.clock.now(), { id: "taken" }));
      const response = await sendMany(api, [
        { ...GOOD, correlationId: "taken", messageText: LONG },
      ]);
      expect(listOf(response)[0]).not.toHaveProperty("parts");
    });
  });

  describe("as a whole", () => {
    const messages = (count: number) => Array.from({ length: count }, () => named(GOOD));

    it("is taken with a thousand messages", async () => {
      const response = await sendRoot(new TestApi(), { [list]: messages(1_000) });
      expect(response.status).toBe(201);
      expect(listOf(response)).toHaveLength(1_000);
      expect(new Set(detailsOf(response))).toEqual(new Set(["000"]));
    });

    it.each<[string, Fields, string]>([
      ["1001 messages", { [list]: messages(1_001) }, "170"],
      ["no messages", { [list]: [] }, "172"],
      ["no list", {}, "172"],
      ["null for the list", { [list]: null }, "172"],
      ["an object for the list", { [list]: named(GOOD) }, "170"],
      ["a text for the list", { [list]: "5519900001111" }, "170"],
      ["a list for defaultValues", { [list]: messages(1), defaultValues: [] }, "170"],
      ["a text for defaultValues", { [list]: messages(1), defaultValues: "x" }, "170"],
      ["false for defaultValues", { [list]: messages(1), defaultValues: false }, "170"],
    ])("is refused for %s, with a hint and a list that is empty", async (_, root, detailCode) => {
      const api = new TestApi();
      const response = await sendRoot(api, root);
      expect(response.status).toBe(400);
      expect(response.body).toEqual({
        sendSmsMultiResponse: {
          statusCode: "10",
          statusDescription: "Error",
          detailCode,
          detailDescription: detailCode === "170" ? "Bad message" : "Missing parameter",
          hint,
          sendSmsResponseList: [],
        },
      });
      expect(api.batchQueue.jobs).toEqual([]);
    });

    it("is taken without and with null for defaultValues", async () => {
      for (const defaultValues of [undefined, null]) {
        const root = { [list]: messages(1), defaultValues };
        expect(await sendRoot(new TestApi(), root)).toMatchObject({ status: 201 });
      }
    });

    it("is taken with 4 MiB, and no more", async () => {
      const root = { [list]: messages(1), pad: "" };
      const room = 4 * MAX_BODY_BYTES - JSON.stringify({ sendSmsMultiRequest: root }).length;
      root.pad = "p".repeat(room);
      expect(await sendRoot(new TestApi(), root)).toMatchObject({ status: 201 });
      root.pad += "p";
      expect(await sendRoot(new TestApi(), root)).toMatchObject({
        status: 413,
        body: { sendSmsMultiResponse: { detailCode: "170" } },
      });
    });

    it.each([
      ["malformed JSON", "{", "application/json", 400, "170"],
      ["an empty body", "", "application/json", 400, "170"],
      ["no envelope", "{}", "application/json", 400, "172"],
      ["another envelope", '{"sendSmsRequest":{}}', "application/json", 400, "172"],
      ["an envelope that is a list", '{"sendSmsMultiRequest":[]}', "application/json", 400, "170"],
      ["another content type", "{}", "text/plain", 415, "170"],
      [
        "a body that is too large",
        " ".repeat(4 * MAX_BODY_BYTES + 1),
        "application/json",
        413,
        "170",
      ],
    ])(
      "has an empty list beside its codes where it has %s",
      async (_, body, type, status, code) => {
        const headers = { "content-type": type };
        const response = await new TestApi().post(multiplePath, body, { headers });
        expect(response.status).toBe(status);
        expect(contentOf(response)).toMatchObject({
          statusCode: "10",
          detailCode: code,
          hint: expect.any(String),
          sendSmsResponseList: [],
        });
      },
    );
  });

  it.each(["__proto__", "constructor", "toString", "hasOwnProperty", "length"])(
    "takes %s for an id, and finds and cancels it",
    async (correlationId) => {
      const api = new TestApi();
      const message = { ...GOOD, correlationId, scheduledDate: "2026-03-03T10:00:00" };
      const response = await sendMany(api, [message, message]);
      expect(detailsOf(response)).toEqual(["000", "080"]);
      expect(contentOf(await api.status(correlationId, dialect))).toMatchObject({
        id: correlationId,
        statusCode: "01",
      });
      expect(contentOf(await api.cancel(correlationId, dialect))).toMatchObject({
        detailCode: "002",
      });
    },
  );

  it("reads no field out of what JSON calls __proto__, at any level", async () => {
    const good = JSON.stringify(named(GOOD));
    const bodies: [string, string][] = [
      [`{"sendSmsMultiRequest":{"${list}":[{"__proto__":${good}}]}}`, "014"],
      [`{"sendSmsMultiRequest":{"${list}":[{}],"defaultValues":{"__proto__":${good}}}}`, "014"],
      [`{"sendSmsMultiRequest":{"${list}":[${good}],"__proto__":{"timeWindow":[24]}}}`, "000"],
    ];
    for (const [body, detailCode] of bodies) {
      expect(detailsOf(await new TestApi().post(multiplePath, body))).toEqual([detailCode]);
    }
    const response = await new TestApi().post(
      multiplePath,
      `{"__proto__":{"sendSmsMultiRequest":{"${list}":[${good}]}}}`,
    );
    expect(contentOf(response)).toMatchObject({ detailCode: "172" });
  });
});
