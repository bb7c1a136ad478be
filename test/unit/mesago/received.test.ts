import { describe, expect, it } from "vitest";
import type { Mo } from "../../../functions/core/mo.ts";
import type { ApiRequest } from "../../../functions/runtime/http.ts";
import { sampleMo } from "../../support/samples.ts";
import { basic, contentOf, DIALECTS, type DialectName, type Fields, TestApi } from "./support.ts";

const FOUND = {
  statusCode: "00",
  statusDescription: "Ok",
  detailCode: "300",
  detailDescription: "Received messages found",
};
const NONE = {
  statusCode: "00",
  statusDescription: "Ok",
  detailCode: "301",
  detailDescription: "No received messages found",
  receivedMessages: [],
};

const given = async (setting: ConstructorParameters<typeof TestApi>[0], ...mos: Partial<Mo>[]) => {
  const api = new TestApi(setting);
  for (const mo of mos) await api.mos.insert(sampleMo(api.clock.now(), mo));
  return api;
};

const messagesOf = (response: Parameters<typeof contentOf>[0]) =>
  contentOf(response).receivedMessages as Fields[];

describe.each(Object.keys(DIALECTS) as DialectName[])("the MOs, %s", (dialect) => {
  const { listPath, searchPath } = DIALECTS[dialect];
  const list = (api: TestApi) => api.call({ path: listPath });
  const search = (api: TestApi, from = "2020-01-01T00:00:00", to = "2099-12-31T23:59:59") =>
    api.get(searchPath(from, to));

  describe.each([
    ["list", list],
    ["search", search],
  ] as const)("of received/%s", (_, ask) => {
    const SHAPE = {
      id: 23190501,
      dateReceived: "2026-03-02T12:00:00",
      mobile: "5519900001111",
      shortcode: "27182",
      body: "Sim",
      correlationId: "id-1",
      correlatedMessageSmsId: "id-1",
      ...(dialect === "zenvia" && { mtId: "id-1" }),
    };

    it("have the documented fields and those that clients need", async () => {
      const response = await ask(await given({}, {}));
      expect(response.status).toBe(200);
      expect(response.body).toEqual({ receivedResponse: { ...FOUND, receivedMessages: [SHAPE] } });
    });

    it("name the operator to accounts that have it enabled, where it is known", async () => {
      const setting = { account: { operatorOfMo: true } };
      const api = await given(setting, { id: 1 }, { id: 2, operator: undefined });
      expect(messagesOf(await ask(api))).toEqual([
        { ...SHAPE, id: 1, mobileOperatorName: "Claro" },
        { ...SHAPE, id: 2 },
      ]);
    });

    it("name no message where they answer none", async () => {
      const [mo] = messagesOf(await ask(await given({}, { answers: undefined })));
      const { correlationId, correlatedMessageSmsId, mtId, ...rest } = SHAPE as Fields;
      expect(mo).toEqual(rest);
    });

    it("tell the time in the account's zone, to the second", async () => {
      const receivedAt = Date.parse("2026-03-02T14:59:59.999Z");
      const api = await given({ account: { timeZone: "Asia/Tokyo" } }, { receivedAt });
      expect(messagesOf(await ask(api))).toMatchObject([{ dateReceived: "2026-03-02T23:59:59" }]);
    });

    it("keep texts as they came", async () => {
      const texts = ["", "Sim, às 10 ☺", 'quo"te \\ <b>', "\u0000\n"];
      const api = await given({}, ...texts.map((text, id) => ({ id, text })));
      expect(messagesOf(await ask(api)).map(({ body }) => body)).toEqual(texts);
    });

    it("are those of both dialects", async () => {
      const api = await given({}, { id: 1, dialect: "mesago" }, { id: 2, dialect: "zenvia" });
      expect(messagesOf(await ask(api)).map(({ id }) => id)).toEqual([1, 2]);
    });

    it("are none where there are none, of another account, or past their retention", async () => {
      const api = await given({}, { account: "other" });
      const response = await ask(api);
      expect(response.status).toBe(200);
      expect(response.body).toEqual({ receivedResponse: NONE });
      const past = await given({}, {});
      past.clock.advance(86_401_000);
      expect((await ask(past)).body).toEqual({ receivedResponse: NONE });
    });
  });

  it("are listed once, oldest first", async () => {
    const api = await given({}, { id: 2 }, { id: 1, receivedAt: 0 });
    expect(messagesOf(await list(api)).map(({ id }) => id)).toEqual([1, 2]);
    expect((await list(api)).body).toEqual({ receivedResponse: NONE });
    await api.mos.insert(sampleMo(api.clock.now(), { id: 3 }));
    expect(messagesOf(await list(api)).map(({ id }) => id)).toEqual([3]);
  });

  it("are found however often one searches, and whether they were listed or not", async () => {
    const api = await given({}, {});
    await list(api);
    for (let times = 0; times < 2; times++) {
      expect(messagesOf(await search(api))).toHaveLength(1);
    }
  });

  it("are listed a thousand at a time", async () => {
    const mos = Array.from({ length: 1_001 }, (_, id) => ({ id }));
    const api = await given({}, ...mos);
    expect(messagesOf(await list(api))).toHaveLength(1_000);
    expect(messagesOf(await list(api)).map(({ id }) => id)).toEqual([1_000]);
  });

  it("are found up to ten thousand", async () => {
    const asked: unknown[] = [];
    const mos = {
      takeNew: async () => [],
      search: async (...args: unknown[]) => {
        asked.push(args);
        return [];
      },
    };
    await search(new TestApi({ ports: { mos } }), "2026-03-02T00:00:00", "2026-03-02T23:59:59");
    const period = {
      from: Date.parse("2026-03-02T00:00:00-03:00"),
      to: Date.parse("2026-03-02T23:59:59.999-03:00"),
    };
    expect(asked).toEqual([["acme", period, 10_000]]);
  });

  describe("of a period", () => {
    const foundBetween = async (
      from: string,
      to: string,
      receivedAt: string,
      timeZone?: string,
    ) => {
      const setting = timeZone ? { account: { timeZone } } : {};
      const api = await given(setting, { receivedAt: Date.parse(receivedAt) });
      return messagesOf(await search(api, from, to)).length === 1;
    };

    it("are those of its first and its last second, to the end of that", async () => {
      const period = ["2026-03-02T10:00:00", "2026-03-02T11:00:00"] as const;
      expect(await foundBetween(...period, "2026-03-02T09:59:59.999-03:00")).toBe(false);
      expect(await foundBetween(...period, "2026-03-02T10:00:00.000-03:00")).toBe(true);
      expect(await foundBetween(...period, "2026-03-02T11:00:00.000-03:00")).toBe(true);
      expect(await foundBetween(...period, "2026-03-02T11:00:00.999-03:00")).toBe(true);
      expect(await foundBetween(...period, "2026-03-02T11:00:01.000-03:00")).toBe(false);
    });

    it("are those of its last second where the end is a fraction of it, and not of the next", async () => {
      const period = ["2026-03-02T10:00:00", "2026-03-02T11:00:00.500"] as const;
      expect(await foundBetween(...period, "2026-03-02T11:00:00.500-03:00")).toBe(true);
      expect(await foundBetween(...period, "2026-03-02T11:00:01.200-03:00")).toBe(false);
    });

    it("are those of one second where start and end are the same", async () => {
      const second = "2026-03-02T10:00:00";
      expect(await foundBetween(second, second, "2026-03-02T10:00:00.500-03:00")).toBe(true);
    });

    it("are told by dates in the account's zone, or with an offset", async () => {
      const at = "2026-03-02T12:00:00Z";
      const between = (from: string, to: string, zone?: string) => foundBetween(from, to, at, zone);
      const hour = ["2026-03-02T20:30:00", "2026-03-02T21:30:00"] as const;
      expect(await between(...hour)).toBe(false);
      expect(await between(...hour, "Asia/Tokyo")).toBe(true);
      expect(await between("2026-03-02T11:30:00Z", "2026-03-02T12:30:00Z", "Asia/Tokyo")).toBe(
        true,
      );
      const offset = ["2026-03-02T06:30:00-05:00", "2026-03-02T14:30:00+02:00"] as const;
      expect(await between(...offset, "Asia/Tokyo")).toBe(true);
    });

    it.each([
      ["of all times", "0001-01-02T00:00:00", "9999-12-29T00:00:00"],
      [
        "that ends with the last day that can be written",
        "2026-01-01T00:00:00",
        "9999-12-31T23:59:59",
      ],
    ])("are found in one %s", async (_, from, to) => {
      expect(await foundBetween(from, to, "2026-03-02T12:00:00Z")).toBe(true);
    });
  });

  describe("are not searched for", () => {
    const HOUR = "2026-03-02T10:00:00";
    const base = searchPath("", "").replace(/\/+$/, "");

    it.each([
      ["no dates", base],
      ["no dates, and a slash", `${base}/`],
      ["no end", `${base}/${HOUR}`],
      ["no end, and a slash", `${base}/${HOUR}/`],
      ["no start", `${base}//${HOUR}`],
      ["empty dates", `${base}//`],
      ["the end before the start", searchPath("2026-03-02T10:00:01", HOUR)],
      ["words for dates", searchPath("yesterday", "today")],
      ["dates without time", searchPath("2026-03-01", "2026-03-02")],
      ["a day that does not exist", searchPath("2026-02-30T00:00:00", HOUR)],
      ["a zone in brackets", searchPath(`${HOUR}[UTC]`, HOUR)],
      ["years of five digits", searchPath(HOUR, "+010000-01-01T00:00:00")],
      ["names of prototypes", searchPath("__proto__", "constructor")],
    ])("with %s", async (_, path) => {
      const response = await new TestApi().get(path);
      expect(response.status).toBe(400);
      expect(response.body).toEqual({
        receivedResponse: {
          statusCode: "10",
          statusDescription: "Error",
          detailCode: "015",
          detailDescription: "Scheduling date invalid or incorrect",
          hint: expect.stringContaining("2014-08-22T00:00:00"),
        },
      });
    });
  });

  it("are listed whatever the body, and to whom they belong", async () => {
    const api = await given({}, {}, { account: "other", id: 2 });
    const headers = { "content-type": "text/plain", authorization: basic("other") };
    expect(messagesOf(await api.post(listPath, "{", { headers })).map(({ id }) => id)).toEqual([2]);
    expect(messagesOf(await list(api))).toHaveLength(1);
  });

  describe("of one phone, or in answer to one message", () => {
    const foundBy = async (query: ApiRequest["query"]) => {
      const api = await given(
        {},
        { id: 1, from: "5519900001111", answers: { id: "a/b?", traceId: "t1" } },
        { id: 2, from: "5519900002222", answers: { id: "a/b?", traceId: "t1" } },
        { id: 3, from: "5519900001111", answers: undefined },
        { id: 4, account: "other", from: "5519900001111" },
      );
      const path = searchPath("2020-01-01T00:00:00", "2099-12-31T23:59:59");
      const response = await api.get(path, { query });
      expect(response.status).toBe(200);
      expect(contentOf(response).detailCode).toBe(messagesOf(response).length ? "300" : "301");
      return messagesOf(response).map(({ id }) => id);
    };

    it("are those alone", async () => {
      expect(await foundBy({})).toEqual([1, 2, 3]);
      expect(await foundBy({ mobile: "5519900001111" })).toEqual([1, 3]);
      expect(await foundBy({ mtId: "a/b?" })).toEqual([1, 2]);
      expect(await foundBy({ mobile: "5519900001111", mtId: "a/b?" })).toEqual([1]);
    });

    it("are none where there are none", async () => {
      for (const other of ["5519900003333", "551990000111", "__proto__", "toString"]) {
        expect(await foundBy({ mobile: other })).toEqual([]);
        expect(await foundBy({ mtId: other })).toEqual([]);
      }
    });

    it("are all where the parameter is empty, which says as much as none", async () => {
      expect(await foundBy({ mobile: "", mtId: "" })).toEqual([1, 2, 3]);
    });

    it("are all where a parameter is another one", async () => {
      expect(await foundBy({ startDate: "x", endDate: "y", Mobile: "1", mtid: "1" })).toEqual([
        1, 2, 3,
      ]);
    });
  });

  describe("that are many", () => {
    const LAMBDA_ANSWERS = 6 * 1024 * 1024;
    const answers = { id: "ç".repeat(64), traceId: "trace" };
    const asked = async (ask: typeof list, text: string, count: number) => {
      const mos = Array.from({ length: count }, (_, id) => sampleMo(0, { id, text, answers }));
      const all = { takeNew: async () => mos, search: async () => mos };
      const response = await ask(new TestApi({ ports: { mos: all } }));
      const body = JSON.stringify(response.body);
      const size = Buffer.byteLength(JSON.stringify({ statusCode: 200, body }));
      expect(response.log).toMatchObject({ mos: messagesOf(response).length });
      return { size, found: messagesOf(response).map(({ id }) => id) };
    };

    it("are listed in answers that Lambda can carry, be they as long as ten SMS each", async () => {
      expect((await asked(list, "ç".repeat(1_530), 1_000)).size).toBeLessThan(LAMBDA_ANSWERS);
    });

    it("are all listed, however long, since nobody else will list them", async () => {
      expect((await asked(list, "x".repeat(5_200), 1_000)).found).toHaveLength(1_000);
    });

    it.each([
      ["of one SMS each", "ç".repeat(70)],
      ["of ten SMS each", "ç".repeat(1_530)],
      ["of nothing but emoji", "😀".repeat(35)],
      ["of nothing but quotation marks", '"'.repeat(160)],
      ["of nothing but line breaks", "\n".repeat(160)],
    ])("are found in answers that Lambda can carry, the first of them: %s", async (_, text) => {
      const { size, found } = await asked(search, text, 10_000);
      expect(size).toBeLessThan(LAMBDA_ANSWERS);
      expect(size).toBeGreaterThan(LAMBDA_ANSWERS / 3);
      expect(found).toEqual(Array.from({ length: found.length }, (_, id) => id));
    });
  });
});
