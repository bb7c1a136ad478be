import { describe, expect, it } from "vitest";
import { STATES } from "../../../functions/core/lifecycle.ts";
import type { Message } from "../../../functions/core/message.ts";
import { sampleLongMessage, sampleMessage } from "../../support/samples.ts";
import { apiWithout, codesOf, contentOf, DIALECTS, type DialectName, TestApi } from "./support.ts";

const NOT_FOUND = {
  statusCode: "10",
  statusDescription: "Error",
  detailCode: "180",
  detailDescription: "Message ID notfound",
};
const MISSING = {
  statusCode: "10",
  statusDescription: "Error",
  detailCode: "021",
  detailDescription: "‘id’ fieldismandatory",
};

/** What may be in a client's id and means something to paths, queries, JSON, tables or JavaScript. */
const AWKWARD_IDS = [
  "a/b",
  "abc/",
  "/abc",
  "id/abc",
  "..",
  "100%",
  "%2F",
  "%25",
  'quo"te',
  "it's",
  "'; DROP TABLE",
  "ção ü 😀",
  "a b",
  " a ",
  "a+b",
  "#",
  "?q=1#f",
  "$&",
  "a\\b",
  "<id>&amp;",
  "a_001",
  "_001",
  "__proto__",
  "constructor",
  "toString",
  "i".repeat(64),
];

/** Ids that no message can have. */
const IMPOSSIBLE_IDS = ["i".repeat(65), "x".repeat(3_000), "a\nb", "a\u0000", "a\ud800", "a\uffff"];

/** Every state with the reasons that it can have: what a status says, and what a cancellation. */
const SITUATIONS: readonly [Partial<Message>, string, string][] = [
  [{ state: "SCHEDULED" }, "01/100", "09/002"],
  [{ state: "QUEUED" }, "00/100", "10/100"],
  [{ state: "SENDING" }, "00/100", "10/100"],
  [{ state: "SENT" }, "02/110", "10/110"],
  [{ state: "SENT", reason: "no-receipts" }, "02/111", "10/111"],
  [{ state: "DELIVERED" }, "03/120", "10/120"],
  [{ state: "NOT_DELIVERED", reason: "operator-expired" }, "04/150", "10/150"],
  [{ state: "NOT_DELIVERED", reason: "inactive-number" }, "04/145", "10/145"],
  [{ state: "NOT_DELIVERED", reason: "undeliverable" }, "04/161", "10/161"],
  [{ state: "CANCELED" }, "09/002", "09/132"],
  [{ state: "BLOCKED", reason: "no-coverage" }, "05/140", "10/140"],
  [{ state: "BLOCKED", reason: "international-not-allowed" }, "05/141", "10/141"],
  [{ state: "BLOCKED", reason: "block-list" }, "06/130", "10/130"],
  [{ state: "BLOCKED", reason: "invalid-number" }, "07/013", "10/013"],
  [{ state: "BLOCKED", reason: "content" }, "08/134", "10/134"],
  [{ state: "BLOCKED", reason: "account-limit" }, "09/990", "10/990"],
  [{ state: "EXPIRED" }, "08/136", "10/136"],
  [{ state: "FAILED", reason: "operator-rejected" }, "10/161", "10/161"],
  [{ state: "FAILED", reason: "operator-unreachable" }, "10/160", "10/160"],
  [{ state: "FAILED", reason: "internal-error" }, "10/190", "10/190"],
];

it("knows situations of every state", () => {
  expect(new Set(SITUATIONS.map(([{ state }]) => state))).toEqual(new Set(STATES));
});

describe.each(Object.keys(DIALECTS) as DialectName[])("get-sms-status, %s", (dialect) => {
  const { statusPath } = DIALECTS[dialect];
  const given = async (overrides: Partial<Message>) => {
    const api = new TestApi();
    await api.messages.insert(sampleMessage(api.clock.now(), overrides));
    return api;
  };

  it("leaves out what is not known yet", async () => {
    const api = await given({});
    expect(await api.status("id-1", dialect)).toMatchObject({ status: 200 });
    expect((await api.status("id-1", dialect)).body).toEqual({
      getSmsStatusResp: {
        id: "id-1",
        received: "2026-03-02T12:00:00",
        statusCode: "00",
        statusDescription: "Ok",
        detailCode: "100",
        detailDescription: "Message Queued",
      },
    });
  });

  it("tells when the message came into its state, in the account's zone", async () => {
    const api = new TestApi({ account: { timeZone: "Asia/Tokyo" } });
    const stateAt = api.clock.now() + 1_999;
    await api.messages.insert(sampleMessage(api.clock.now(), { state: "SENT", stateAt }));
    expect(contentOf(await api.status("id-1", dialect))).toMatchObject({
      received: "2026-03-03T00:00:01",
    });
  });

  it("tells a short code as a number, and what is none as it is", async () => {
    const shortCodeOf = async (shortCode: string) => {
      const api = await given({ state: "SENT", shortCode });
      const { body } = await api.status("id-1", dialect);
      return JSON.parse(JSON.stringify(body)).getSmsStatusResp.shortcode;
    };
    expect(await shortCodeOf("27182")).toBe(27182);
    expect(await shortCodeOf("7")).toBe(7);
    expect(await shortCodeOf("123456789012345")).toBe(123456789012345);
    // What a carrier calls a short code need not be one (functions/core/carrier.ts).
    for (const other of ["ACME", "027182", "9999999999999999"]) {
      expect(await shortCodeOf(other)).toBe(other);
    }
  });

  it.each(SITUATIONS)("tells of a message that is %j by %s", async (situation, codes) => {
    const api = await given(situation);
    expect(codesOf(await api.status("id-1", dialect))).toBe(codes);
  });

  it("knows a message of another dialect of the same account", async () => {
    const api = await given({ dialect: dialect === "mesago" ? "zenvia" : "mesago" });
    expect(contentOf(await api.status("id-1", dialect))).toMatchObject({ detailCode: "100" });
  });

  it.each(AWKWARD_IDS)("finds a message whose id is %j", async (id) => {
    const api = new TestApi();
    await api.sendSms({ correlationId: id });
    expect(contentOf(await api.status(id, dialect))).toMatchObject({ id, detailCode: "100" });
  });

  it.each([...AWKWARD_IDS, ...IMPOSSIBLE_IDS])(
    "does not know %j, which was never sent",
    async (id) => {
      const api = await given({});
      const response = await api.status(id, dialect);
      expect(response.status).toBe(200);
      expect(contentOf(response)).toEqual({ ...NOT_FOUND, id });
    },
  );

  it.each(IMPOSSIBLE_IDS)("asks no store for %j", async (id) => {
    expect(codesOf(await apiWithout("stores").status(id, dialect))).toBe("10/180");
  });

  it("takes a slash at the end of an id for a part of it", async () => {
    const api = await given({ id: "abc" });
    expect(contentOf(await api.status("abc/", dialect))).toEqual({ ...NOT_FOUND, id: "abc/" });
  });

  it("does not know a message past its retention, or of another account", async () => {
    const api = await given({});
    await api.messages.insert(
      sampleMessage(api.clock.now(), { account: "other", id: "of-other", traceId: "trace-2" }),
    );
    expect(contentOf(await api.status("of-other", dialect))).toMatchObject(NOT_FOUND);
    api.clock.advance(86_401_000);
    expect(contentOf(await api.status("id-1", dialect))).toMatchObject(NOT_FOUND);
  });

  it.each([statusPath(""), statusPath("").replace(/\/$/, "")])(
    "misses the id in %s",
    async (path) => {
      const response = await new TestApi().get(path);
      expect([response.status, contentOf(response)]).toEqual([200, MISSING]);
    },
  );

  describe("of a part", () => {
    const longMessage = async (overrides: Partial<Message>) => {
      const api = new TestApi({ account: { longMessages: true } });
      await api.messages.insert(sampleLongMessage(api.clock.now(), overrides));
      return api;
    };
    const part = (length: number, rest: Partial<NonNullable<Message["parts"]>[number]> = {}) => ({
      length,
      state: "QUEUED" as const,
      ...rest,
    });

    it("tells its own state, under its own id", async () => {
      const api = await longMessage({
        state: "SENT",
        shortCode: "27182",
        operator: "Claro",
        parts: [
          part(150, { state: "DELIVERED" }),
          part(147, { state: "SENT" }),
          part(5, { state: "NOT_DELIVERED", reason: "inactive-number" }),
        ],
      });
      expect(contentOf(await api.status("id-1_001", dialect))).toEqual({
        id: "id-1_001",
        received: "2026-03-02T12:00:00",
        shortcode: 27182,
        mobileOperatorName: "Claro",
        statusCode: "03",
        statusDescription: "Delivered",
        detailCode: "120",
        detailDescription: "Message received by mobile",
      });
      expect(codesOf(await api.status("id-1_002", dialect))).toBe("02/110");
      expect(codesOf(await api.status("id-1_003", dialect))).toBe("04/145");
      expect(codesOf(await api.status("id-1", dialect))).toBe("02/110");
    });

    it.each<[Partial<Message>, string]>([
      [{ state: "SCHEDULED" }, "01/100"],
      [{ state: "QUEUED" }, "00/100"],
      [{ state: "SENDING" }, "00/100"],
      [{ state: "CANCELED" }, "09/002"],
      [{ state: "EXPIRED" }, "08/136"],
      [{ state: "FAILED", reason: "operator-unreachable" }, "10/160"],
    ])(
      "that was never handed over tells what became of the message: %j",
      async (message, codes) => {
        const api = await longMessage(message);
        expect(codesOf(await api.status("id-1", dialect))).toBe(codes);
        expect(codesOf(await api.status("id-1_002", dialect))).toBe(codes);
      },
    );

    it("is found under every id that the answer to send-sms lists", async () => {
      const api = new TestApi({ account: { longMessages: true } });
      const id = "i".repeat(64);
      const response = await api.sendSms({ correlationId: id, messageText: "x".repeat(400) });
      const parts = contentOf(response).parts as { partId: string; order: number }[];
      expect(parts).toHaveLength(3);
      for (const { partId } of parts) {
        expect(contentOf(await api.status(partId, dialect))).toMatchObject({
          id: partId,
          detailCode: "100",
        });
      }
    });

    it.each([
      "id-1_000",
      "id-1_004",
      "id-1_01",
      "id-1_0001",
      "id-1_002_001",
      "_001",
      "id-2_001",
      "id-1_١",
    ])("does not exist under %s", async (id) => {
      const api = await longMessage({});
      expect(contentOf(await api.status(id, dialect))).toEqual({ ...NOT_FOUND, id });
    });

    it("does not exist of a short message", async () => {
      const api = await given({});
      expect(contentOf(await api.status("id-1_001", dialect))).toMatchObject(NOT_FOUND);
    });

    it("gives way to a message that has its id", async () => {
      const api = await longMessage({ state: "SENT" });
      await api.messages.insert(
        sampleMessage(api.clock.now(), { id: "id-1_001", traceId: "trace-2", state: "DELIVERED" }),
      );
      expect(codesOf(await api.status("id-1_001", dialect))).toBe("03/120");
    });

    it("is found where its message came in a batch that is not expanded yet", async () => {
      const api = new TestApi({ account: { longMessages: true } });
      await api.sendMany([{ correlationId: "in-batch", messageText: "x".repeat(161) }]);
      expect(codesOf(await api.status("in-batch_002", dialect))).toBe("00/100");
      expect(codesOf(await api.status("in-batch_003", dialect))).toBe("10/180");
    });
  });
});

describe.each(Object.keys(DIALECTS) as DialectName[])("cancel-sms, %s", (dialect) => {
  const { cancelPath } = DIALECTS[dialect];
  const AT = { scheduledDate: "2026-03-03T10:00:00" };

  it.each(SITUATIONS)(
    "answers of a message that is %j, after its status %s, %s",
    async (situation, _, codes) => {
      const api = new TestApi();
      await api.messages.insert(sampleMessage(api.clock.now(), situation));
      const response = await api.cancel("id-1", dialect);
      expect([response.status, codesOf(response)]).toEqual([200, codes]);
      expect(contentOf(response).statusDescription).toBe(
        codes.startsWith("10") ? "Error" : "Blocked",
      );
      const { state } = (await api.stored("id-1")) ?? {};
      expect(state).toBe(situation.state === "SCHEDULED" ? "CANCELED" : situation.state);
    },
  );

  it("tells of the second time", async () => {
    const api = new TestApi();
    await api.sendSms({ correlationId: "id", ...AT });
    expect(codesOf(await api.cancel("id", dialect))).toBe("09/002");
    expect((await api.cancel("id", dialect)).body).toEqual({
      cancelSmsResp: {
        statusCode: "09",
        statusDescription: "Blocked",
        detailCode: "132",
        detailDescription: "Message already canceled",
      },
    });
    expect(codesOf(await api.status("id", dialect))).toBe("09/002");
  });

  it("deletes the schedule, and is answered the same where that cannot be done", async () => {
    const api = new TestApi();
    await api.sendSms({ correlationId: "one", ...AT });
    await api.sendSms({ correlationId: "other", ...AT });
    await api.cancel("one", dialect);
    const due = Date.parse("2026-03-03T13:00:00Z");
    expect(api.dispatchQueue.unscheduled).toMatchObject([{ ref: { id: "one" }, notBefore: due }]);
    api.dispatchQueue.refuses = true;
    const response = await api.cancel("other", dialect);
    expect(codesOf(response)).toBe("09/002");
    expect(response.log).toMatchObject({ outcome: "canceled", scheduleLeft: "Error" });
  });

  it("stops a message that waits for its window", async () => {
    const api = new TestApi();
    await api.sendSms({ correlationId: "id", timeWindow: [18] });
    expect(codesOf(await api.cancel("id", dialect))).toBe("09/002");
  });

  it.each(AWKWARD_IDS)("stops a message whose id is %j", async (id) => {
    const api = new TestApi();
    await api.sendSms({ correlationId: id, ...AT });
    expect(codesOf(await api.cancel(id, dialect))).toBe("09/002");
    expect(await api.stored(id)).toMatchObject({ state: "CANCELED" });
  });

  it.each([...AWKWARD_IDS, ...IMPOSSIBLE_IDS])(
    "does not know %j, which was never sent",
    async (id) => {
      const response = await new TestApi().cancel(id, dialect);
      expect([response.status, contentOf(response)]).toEqual([200, NOT_FOUND]);
    },
  );

  it.each(IMPOSSIBLE_IDS)("asks no store for %j", async (id) => {
    expect(codesOf(await apiWithout("stores").cancel(id, dialect))).toBe("10/180");
  });

  it("does not know a message of another account", async () => {
    const api = new TestApi();
    await api.messages.insert(
      sampleMessage(api.clock.now(), { account: "other", state: "SCHEDULED" }),
    );
    expect(contentOf(await api.cancel("id-1", dialect))).toEqual(NOT_FOUND);
    expect(await api.stored("id-1", "other")).toMatchObject({ state: "SCHEDULED" });
  });

  it("does not stop a part alone", async () => {
    const api = new TestApi({ account: { longMessages: true } });
    await api.sendSms({ correlationId: "id", messageText: "x".repeat(161), ...AT });
    expect(contentOf(await api.cancel("id_001", dialect))).toEqual(NOT_FOUND);
    expect(await api.stored("id")).toMatchObject({ state: "SCHEDULED" });
  });

  it.each([cancelPath(""), cancelPath("").replace(/\/$/, "")])(
    "misses the id in %s",
    async (path) => {
      const response = await new TestApi().call({ path });
      expect([response.status, contentOf(response)]).toEqual([200, MISSING]);
    },
  );

  it("reads no body", async () => {
    const api = new TestApi();
    await api.sendSms({ correlationId: "id", ...AT });
    const headers = { "content-type": "text/plain" };
    const response = await api.post(cancelPath("id"), "{", { headers });
    expect(codesOf(response)).toBe("09/002");
  });
});
