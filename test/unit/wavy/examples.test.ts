import { describe, expect, it } from "vitest";
import { sampleMessage, sampleMo } from "../../support/samples.ts";
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
import {
  errorOf,
  FORBIDDEN,
  INVALID,
  idsOf,
  mosOf,
  statusesOf,
  TestWavyApi,
  USERS,
} from "./support.ts";

const SEND = "/v1/send-sms";
const BULK = "/v1/send-bulk-sms";

/** As JSON, because clients see the order of fields, too. */
const json = (value: unknown) => JSON.stringify(value);

describe("the document's examples of send-sms", () => {
  it.each([
    [SEND_SMS_BODIES[0], "linha\nquebrada"],
    [SEND_SMS_BODIES[1], "A combinação foi perfeita :)"],
    [SEND_SMS_BODIES[2], "A combinação foi perfeita :)"],
  ])("%s is accepted", async (body, text) => {
    const api = new TestWavyApi();
    const response = await api.post(SEND, body);
    expect(response.status).toBe(200);
    expect(json(response.body)).toBe(json([{ id: "uuid-1" }]));
    expect(await api.dispatch()).toMatchObject([{ destination: "5511900000000", text }]);
  });

  it("is answered to the letter under the correlationId of the answer", async () => {
    const response = await new TestWavyApi().send({ correlationId: "myId" });
    expect(json(response.body)).toBe(json([{ id: "uuid-1", correlationId: "myId" }]));
  });

  it("by GET is accepted, with the credentials in the query", async () => {
    const api = new TestWavyApi();
    const { username, token } = USERS.marketing;
    const response = await api.call({
      method: "GET",
      path: SEND,
      query: { ...SEND_SMS_QUERY, username, authenticationToken: token },
      headers: { username: undefined, authenticationtoken: undefined },
    });
    expect(json(response.body)).toBe(json([{ id: "uuid-1", correlationId: "myId" }]));
    expect(await api.stored("uuid-1")).toMatchObject({
      text: "A combinação foi perfeita :)",
      correlationId: "myId",
      flash: true,
      window: { hours: [11, 12, 18], timeZone: "America/Sao_Paulo" },
    });
  });

  it("by GET is refused with the credentials of the example", async () => {
    const headers = { username: undefined, authenticationtoken: undefined };
    const request = { method: "GET", path: SEND, query: SEND_SMS_QUERY, headers };
    expect(errorOf(await new TestWavyApi().call(request))).toBe("401 UNAUTHORIZED");
  });
});

describe("the document's examples of send-bulk-sms", () => {
  const textsOf = async (api: TestWavyApi) => {
    await api.expand();
    return (await api.dispatch()).map(({ destination, text }) => [destination, text]);
  };

  it("the curl line is accepted", async () => {
    const api = new TestWavyApi();
    const response = await api.post(BULK, SEND_BULK_CURL_EXAMPLE);
    expect(json(response.body)).toBe(
      json({ id: "uuid-1", messages: [{ id: "uuid-2" }, { id: "uuid-3" }, { id: "uuid-4" }] }),
    );
    expect(await textsOf(api)).toEqual([
      ["5519999999999", "First message"],
      ["5519999999999", "Default message"],
      ["5519999999999", "Default message"],
    ]);
  });

  it("1 is accepted, with the default text where a message has none", async () => {
    const api = new TestWavyApi();
    expect(idsOf(await api.post(BULK, SEND_BULK_EXAMPLES[1]))).toHaveLength(3);
    expect(await textsOf(api)).toEqual([
      ["5519900001111", "First message"],
      ["5519900002222", "Default message"],
      ["5519900003333", "Default message"],
    ]);
  });

  it("2 is long past, and refused for its schedule", async () => {
    const response = await new TestWavyApi().post(BULK, SEND_BULK_EXAMPLES[2]);
    expect(errorOf(response)).toBe(INVALID);
    expect(response.body).toMatchObject({ errorMessage: "The scheduling date is in the past." });
  });

  it("2 was accepted the day before, and sent when its window opened", async () => {
    const api = new TestWavyApi({
      now: "2017-01-27T12:00:00Z",
      account: { timeZone: "Asia/Tokyo" },
    });
    const ids = idsOf(await api.post(BULK, SEND_BULK_EXAMPLES[2]));
    // It is summer there; half past two is before the window's first hour.
    const opening = Date.parse("2017-01-28T12:00:00-02:00");
    for (const [index, id] of ids.entries()) {
      expect(await api.stored(id)).toMatchObject({
        text: ["First message", "Default message"][index],
        state: "SCHEDULED",
        window: { hours: [12, 15, 20], timeZone: "America/Sao_Paulo" },
        claimableFrom: opening,
        claimableUntil: Date.parse("2017-01-28T13:00:00-02:00"),
      });
    }
    expect(api.batchQueue.schedules).toMatchObject([{ due: opening }]);
  });

  it("3 is accepted, all of them flash messages", async () => {
    const api = new TestWavyApi();
    for (const id of idsOf(await api.post(BULK, SEND_BULK_EXAMPLES[3]))) {
      expect(await api.stored(id)).toMatchObject({ flash: true, text: "Default message" });
    }
  });

  /** The texts that examples 4 and 5 take for granted. */
  function furnished() {
    const api = new TestWavyApi();
    const base = { version: 1, account: "acme", createdAt: 0 } as const;
    const text = "{{param1}} and {{param2}}";
    api.contents.putFlow({ ...base, flowId: SEND_BULK_EXAMPLES[4].flowId, text });
    api.contents.putTemplate({ ...base, templateId: 0, name: "name", text });
    return api;
  }

  it.each([4, 5] as const)(
    "%d is accepted, with values of its own and default ones",
    async (example) => {
      const api = furnished();
      const ids = idsOf(await api.post(BULK, SEND_BULK_EXAMPLES[example]));
      for (const id of ids) expect((await api.stored(id))?.invalidParams).toBeUndefined();
      expect(await textsOf(api)).toEqual([
        ["5519900001111", "other_value1 and other_value2"],
        ["5519900002222", "value1 and value2"],
      ]);
    },
  );

  it.each(["templateId", "templateName"] as const)(
    "5 is accepted with its %s alone",
    async (name) => {
      const api = furnished();
      const { templateId: _, templateName: __, ...rest } = SEND_BULK_EXAMPLES[5];
      await api.post(BULK, { ...rest, [name]: SEND_BULK_EXAMPLES[5][name] });
      expect(await textsOf(api)).toEqual([
        ["5519900001111", "other_value1 and other_value2"],
        ["5519900002222", "value1 and value2"],
      ]);
    },
  );

  it.each([4, 5] as const)("%d is refused where there is no such text", async (example) => {
    const response = await new TestWavyApi().post(BULK, SEND_BULK_EXAMPLES[example]);
    expect(errorOf(response)).toBe(INVALID);
  });

  it("5 is no JSON as the document prints it", async () => {
    const printed = json(SEND_BULK_EXAMPLES[5]).replace('"name"', "'name'");
    expect(errorOf(await furnished().post(BULK, printed))).toBe(INVALID);
  });
});

describe("the document's examples of statuses", () => {
  it("status/search finds by ids in capitals and by correlationId", async () => {
    const api = new TestWavyApi();
    const own = { dialect: "wavy", subAccount: "Marketing" } as const;
    const [first = "", second = ""] = SEARCH_EXAMPLE.ids.map((id) => id.toLowerCase());
    const messages = [
      { id: first, traceId: "trace-1" },
      { id: second, traceId: "trace-2" },
      { id: "third", traceId: "trace-3", correlationId: SEARCH_EXAMPLE.correlationIds[0] },
    ];
    for (const message of messages) {
      await api.messages.insert(sampleMessage(api.clock.now(), { ...own, ...message }));
    }
    const found = statusesOf(await api.search(SEARCH_EXAMPLE));
    expect(found.map(({ id }) => id).sort()).toEqual([first, second, "third"].sort());
  });

  it("status/search answers where it finds nothing", async () => {
    const response = await new TestWavyApi().search(SEARCH_EXAMPLE);
    expect(json(response.body)).toBe(json({ total: 0, messages: [] }));
  });

  it("a status is ours to the letter", async () => {
    const api = new TestWavyApi({ now: "2015-01-08T16:05:00Z" });
    await api.messages.insert(
      sampleMessage(api.clock.now(), {
        id: "8f5af680-973e-11e4-ad43-4ee58e9a13a6",
        dialect: "wavy",
        subAccount: "Marketing",
        correlationId: "myId",
        operator: "TIM",
        state: "DELIVERED",
        sentAt: 1420732929252,
        stateAt: 1420732954000,
        campaign: { id: 1234, alias: "Promo" },
      }),
    );
    const status = {
      id: "8f5af680-973e-11e4-ad43-4ee58e9a13a6",
      correlationId: "myId",
      carrierId: 5,
      carrierName: "TIM",
      destination: "5519900001111",
      sentStatusCode: 2,
      sentStatus: "SENT_SUCCESS",
      sentStatusAt: 1420732929252,
      sentStatusDate: "2015-01-08T16:02:09Z",
      deliveredStatusCode: 4,
      deliveredStatus: "DELIVERED_SUCCESS",
      deliveredAt: 1420732954000,
      deliveredDate: "2015-01-08T16:02:34Z",
      campaignId: 1234,
    };
    expect(json((await api.status(status.id)).body)).toBe(json(status));
    expect(json((await api.listStatus()).body)).toBe(json({ total: 1, messages: [status] }));
  });

  it("sms-status does not know the example's id", async () => {
    const response = await new TestWavyApi().get("/v1/sms-status", SMS_STATUS_QUERY);
    expect(errorOf(response)).toBe("404 NOT_FOUND");
  });

  it("sms-status knows it where there is such a message", async () => {
    const api = new TestWavyApi();
    const own = { dialect: "wavy", subAccount: "Marketing", ...SMS_STATUS_QUERY } as const;
    await api.messages.insert(sampleMessage(api.clock.now(), own));
    expect(await api.get("/v1/sms-status", SMS_STATUS_QUERY)).toMatchObject({
      status: 200,
      body: SMS_STATUS_QUERY,
    });
  });
});

describe("the document's examples of MOs", () => {
  /** In September 2016, with the sub-accounts that the examples name, and an MO of each. */
  async function furnished() {
    const api = new TestWavyApi({ now: "2016-09-15T12:00:00Z" });
    const now = api.clock.now();
    for (const [id, subAccount] of ["referencia_subconta", "iFoodMarketing"].entries()) {
      await api.subAccounts.insertSubAccount({
        version: 1,
        account: "acme",
        subAccount,
        limits: { prepaid: false },
        createdAt: 0,
        revision: 0,
      });
      const receivedAt = now - (id + 1) * 24 * 60 * 60 * 1_000;
      await api.mos.insert(sampleMo(now, { id, subAccount, receivedAt }));
    }
    return api;
  }
  const BOTH = ["iFoodMarketing", "referencia_subconta"];

  it.each([
    [RECEIVE_LIST_QUERIES[0], BOTH],
    [RECEIVE_LIST_QUERIES[1], ["referencia_subconta"]],
  ])("receive/list is answered to an administrator: %j", async (query, subAccounts) => {
    const api = await furnished();
    const mos = mosOf(await api.listMos("admin", query));
    expect(mos.map(({ subAccount }) => subAccount)).toEqual(subAccounts);
    expect(mosOf(await api.listMos("admin", query))).toEqual([]);
  });

  it.each([
    [RECEIVE_SEARCH_QUERIES[0], BOTH],
    [RECEIVE_SEARCH_QUERIES[1], ["referencia_subconta"]],
    [RECEIVE_SEARCH_QUERIES[2], BOTH],
    [RECEIVE_SEARCH_QUERIES[3], BOTH],
    [RECEIVE_SEARCH_QUERIES[4], BOTH],
    [RECEIVE_SEARCH_QUERIES[5], ["iFoodMarketing"]],
  ])("receive/search is answered to an administrator: %j", async (query, subAccounts) => {
    const mos = mosOf(await (await furnished()).searchMos(query, "admin"));
    expect(mos.map(({ subAccount }) => subAccount)).toEqual(subAccounts);
  });

  it("tell a regular user its own, and forbid others", async () => {
    const api = await furnished();
    await api.mos.insert(sampleMo(api.clock.now(), { id: 9, subAccount: "Marketing" }));
    for (const query of [...RECEIVE_LIST_QUERIES, ...RECEIVE_SEARCH_QUERIES]) {
      for (const response of [await api.searchMos(query), await api.listMos("marketing", query)]) {
        if ("subAccount" in query) expect(errorOf(response)).toBe(FORBIDDEN);
        else for (const mo of mosOf(response)) expect(mo.subAccount).toBe("Marketing");
      }
    }
  });

  it("are ours to the letter, but for the date, which is not the document's `receivedAt`", async () => {
    const api = new TestWavyApi({ now: "2016-09-08T11:17:39.113Z" });
    await api.mos.insert(
      sampleMo(1473088405588, {
        uuid: "25950050-7362-11e6-be62-001b7843e7d4",
        subAccount: "Marketing",
        campaign: { id: 1, alias: "Promo" },
        operator: "Vivo",
        from: "5516981562820",
        shortCode: "28128",
        text: "Eu quero pizza",
        answers: {
          id: "8be584fd-2554-439b-9ba9-aab507278992",
          traceId: "trace-1",
          correlationId: "1876",
          sender: { username: "CS", email: "cs@ifood.example" },
        },
        removeAt: 2_000_000_000,
      }),
    );
    const query = { start: "2016-09-04T11:12:41Z" };
    expect(json((await api.searchMos(query)).body)).toBe(
      json({
        total: 1,
        start: "2016-09-04T11:12:41Z",
        end: "2016-09-08T11:17:39.113Z",
        messages: [
          {
            id: "25950050-7362-11e6-be62-001b7843e7d4",
            subAccount: "Marketing",
            campaignAlias: "Promo",
            carrierId: 1,
            carrierName: "VIVO",
            source: "5516981562820",
            shortCode: "28128",
            messageText: "Eu quero pizza",
            receivedAt: 1473088405588,
            receivedDate: "2016-09-05T15:13:25Z",
            mt: {
              id: "8be584fd-2554-439b-9ba9-aab507278992",
              correlationId: "1876",
              username: "CS",
              email: "cs@ifood.example",
            },
          },
        ],
      }),
    );
  });
});
