import { describe, expect, it } from "vitest";
import { formatCallback } from "../../../functions/callback/schema.ts";
import {
  messageReceived,
  messageStatusChanged,
  type TorpedoEvent,
} from "../../../functions/core/events.ts";
import type { Message } from "../../../functions/core/message.ts";
import type { Mo } from "../../../functions/core/mo.ts";
import { sampleAccount, sampleEndpoint, sampleMessage, sampleMo } from "../../support/samples.ts";

const sentAt = Date.parse("2010-02-20T10:05:00Z");
const statusOf = (overrides: Partial<Message>) =>
  messageStatusChanged(
    sampleMessage(sentAt, {
      dialect: "wavy",
      id: "f9c100ff-aed0-4456-898c-e57d754c439c",
      ...overrides,
    }),
  );
const request = { id: "endpoint-1_trace-1_sent", at: sentAt + 1_500 };
const requestOf = (event: TorpedoEvent, endpoint = sampleEndpoint()) =>
  formatCallback(event, sampleAccount(), endpoint, request);
const OWN_HEADERS = {
  "user-agent": "Torpedo",
  "webhook-id": "endpoint-1_trace-1_sent",
  "webhook-timestamp": "1266660301",
};
const bodyOf = (overrides: Partial<Message>) =>
  JSON.parse(requestOf(statusOf(overrides)).body ?? "");

describe("the callback of Wavy", () => {
  it("is the document's example to the letter", () => {
    const event = statusOf({
      state: "SENT",
      sentAt,
      correlationId: "client-id",
      operator: "Vivo",
      destination: "5511900009999",
      campaign: { id: 64, alias: "Promo" },
    });
    expect(requestOf(event)).toEqual({
      method: "POST",
      url: "https://customer.example/callback",
      headers: { ...OWN_HEADERS, "content-type": "application/json; charset=utf-8" },
      body: JSON.stringify({
        id: "f9c100ff-aed0-4456-898c-e57d754c439c",
        correlationId: "client-id",
        carrierId: 1,
        carrierName: "VIVO",
        destination: "5511900009999",
        sentStatusCode: 2,
        sentStatus: "SENT_SUCCESS",
        sentAt: 1266660300000,
        sentDate: "2010-02-20T10:05:00Z",
        campaignId: "64",
        extraInfo: "",
      }),
    });
  });

  it("leaves out what there is not, but for extraInfo", () => {
    expect(bodyOf({ state: "EXPIRED", stateAt: sentAt + 5_999 })).toStrictEqual({
      id: "f9c100ff-aed0-4456-898c-e57d754c439c",
      destination: "5519900001111",
      sentStatusCode: 101,
      sentStatus: "EXPIRED",
      sentAt: 1266660305999,
      sentDate: "2010-02-20T10:05:05Z",
      extraInfo: "",
    });
  });

  it("carries what the client sent along, as it is", () => {
    const extraInfo = 'Não 😀\n"quoted"';
    expect(bodyOf({ state: "SENT", sentAt, extraInfo })).toMatchObject({ extraInfo });
    expect(bodyOf({ state: "SENT", sentAt, correlationId: "" })).toMatchObject({
      correlationId: "",
    });
  });

  it("carries the name of an operator that has no number", () => {
    const body = bodyOf({ state: "SENT", sentAt, operator: "Nova" });
    expect(body).toMatchObject({ carrierName: "NOVA" });
    expect(body).not.toHaveProperty("carrierId");
  });

  it("carries the destination of a message that had none as it was written", () => {
    expect(
      bodyOf({ state: "BLOCKED", reason: "invalid-number", destination: "12ab" }),
    ).toMatchObject({ destination: "12ab", sentStatusCode: 202 });
  });

  it.each([
    [{ state: "SENT", reason: "no-receipts" }, 2, "SENT_SUCCESS"],
    [{ state: "EXPIRED" }, 101, "EXPIRED"],
    [{ state: "FAILED", reason: "operator-unreachable" }, 102, "CARRIER_COMMUNICATION_ERROR"],
    [{ state: "FAILED", reason: "operator-rejected" }, 103, "REJECTED_BY_CARRIER"],
    [{ state: "BLOCKED", reason: "account-limit" }, 201, "NO_CREDIT"],
    [{ state: "BLOCKED", reason: "invalid-number" }, 202, "INVALID_DESTINATION_NUMBER"],
    [{ state: "BLOCKED", reason: "block-list" }, 203, "BLACKLISTED"],
    [{ state: "BLOCKED", reason: "opt-out" }, 204, "DESTINATION_BLOCKED_BY_OPTOUT"],
    [{ state: "BLOCKED", reason: "content" }, 207, "INVALID_MESSAGE_TEXT"],
    [{ state: "BLOCKED", reason: "invalid-message" }, 207, "INVALID_MESSAGE_TEXT"],
    [{ state: "FAILED", reason: "internal-error" }, 301, "INTERNAL_ERROR"],
  ] as const)("says %j as %i %s, and nothing of the phone", (state, code, name) => {
    const body = bodyOf(state);
    expect(body).toMatchObject({ sentStatusCode: code, sentStatus: name });
    expect(Object.keys(body).filter((field) => field.startsWith("delivered"))).toEqual([]);
  });

  it("does not carry the text", () => {
    expect(requestOf(statusOf({ state: "SENT", sentAt })).body).not.toContain("Hello");
  });

  it("is posted to an endpoint that wants its MOs by GET", () => {
    const event = statusOf({ state: "SENT", sentAt });
    expect(requestOf(event, sampleEndpoint({ method: "GET" }))).toEqual(requestOf(event));
  });
});

describe("the DR of Wavy", () => {
  const example: Partial<Message> = {
    id: "8f5af680-973e-11e4-ad43-4ee58e9a13a6",
    correlationId: "myId",
    operator: "TIM",
    state: "DELIVERED",
    sentAt: 1420732929252,
    stateAt: 1420732954000,
    campaign: { id: 1234, alias: "Promo" },
  };

  it("is the document's example, with the time by the names of the table of fields as well", () => {
    const { method, body } = requestOf(statusOf(example));
    expect(method).toBe("POST");
    expect(body).toBe(
      JSON.stringify({
        id: "8f5af680-973e-11e4-ad43-4ee58e9a13a6",
        correlationId: "myId",
        carrierId: 5,
        carrierName: "TIM",
        destination: "5519900001111",
        sentStatusCode: 2,
        sentStatus: "SENT_SUCCESS",
        sentStatusAt: 1420732929252,
        sentStatusDate: "2015-01-08T16:02:09Z",
        sentAt: 1420732929252,
        sentDate: "2015-01-08T16:02:09Z",
        deliveredStatusCode: 4,
        deliveredStatus: "DELIVERED_SUCCESS",
        deliveredAt: 1420732954000,
        deliveredDate: "2015-01-08T16:02:34Z",
        campaignId: 1234,
      }),
    );
  });

  it.each(["operator-expired", "inactive-number", "undeliverable"] as const)(
    "says that the phone did not get it: %s",
    (reason) => {
      expect(bodyOf({ ...example, state: "NOT_DELIVERED", reason })).toMatchObject({
        sentStatusCode: 2,
        sentStatus: "SENT_SUCCESS",
        deliveredStatusCode: 104,
        deliveredStatus: "NOT_DELIVERED",
      });
    },
  );

  it("carries what the client sent along, where it did", () => {
    expect(bodyOf({ ...example, extraInfo: "x" })).toMatchObject({ extraInfo: "x" });
    expect(bodyOf(example)).not.toHaveProperty("extraInfo");
  });
});

describe("an MO forwarded to Wavy's clients", () => {
  const receivedAt = 1473088405588;
  const moOf = (overrides: Partial<Mo> = {}) =>
    messageReceived(
      sampleMo(receivedAt, {
        dialect: "wavy",
        uuid: "25950050-7362-11e6-be62-001b7843e7d4",
        subAccount: "Marketing",
        campaign: { id: 64, alias: "Promo" },
        operator: "Vivo",
        from: "5516981562820",
        shortCode: "28128",
        text: "Eu quero pizza",
        answers: {
          id: "8be584fd-2554-439b-9ba9-aab507278992",
          traceId: "trace-1",
          correlationId: "1876",
          sender: { username: "iFoodCS", email: "cs@example.com" },
        },
        ...overrides,
      }),
    );
  const bare: Partial<Mo> = {
    uuid: undefined,
    subAccount: undefined,
    campaign: undefined,
    operator: undefined,
    answers: undefined,
  };

  describe("by POST", () => {
    it("is the document's example", () => {
      // The example's date is three hours before its time; by the table of fields it is in UTC.
      expect(requestOf(moOf())).toEqual({
        method: "POST",
        url: "https://customer.example/callback",
        headers: { ...OWN_HEADERS, "content-type": "application/json; charset=utf-8" },
        body: JSON.stringify({
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
            username: "iFoodCS",
            email: "cs@example.com",
          },
        }),
      });
    });

    it("leaves out what there is not, the message answered too", () => {
      expect(JSON.parse(requestOf(moOf(bare)).body ?? "")).toStrictEqual({
        id: "23190501",
        source: "5516981562820",
        shortCode: "28128",
        messageText: "Eu quero pizza",
        receivedAt: 1473088405588,
        receivedDate: "2016-09-05T15:13:25Z",
      });
    });

    it("carries of the message answered what is known", () => {
      const answers = { id: "id-1", traceId: "trace-1" };
      const mtOf = (overrides: Partial<Mo>) => JSON.parse(requestOf(moOf(overrides)).body ?? "").mt;
      expect(mtOf({ answers })).toStrictEqual({ id: "id-1" });
      expect(mtOf({ answers: { ...answers, sender: { username: "CS" } } })).toStrictEqual({
        id: "id-1",
        username: "CS",
      });
    });

    it("carries every text as it is, the empty one too", () => {
      for (const text of ["", 'Não 😀\n"quoted"']) {
        expect(JSON.parse(requestOf(moOf({ text })).body ?? "").messageText).toBe(text);
      }
    });
  });

  describe("by GET", () => {
    const getting = (url = "https://customer.example/mo") => sampleEndpoint({ url, method: "GET" });
    const fieldsOf = (overrides: Partial<Mo>) =>
      Object.fromEntries(new URL(requestOf(moOf(overrides), getting()).url).searchParams);

    it("has the same fields in the query, those of the message answered by names of their own", () => {
      const { method, headers, body } = requestOf(moOf(), getting());
      expect({ method, headers, body }).toEqual({
        method: "GET",
        headers: OWN_HEADERS,
        body: undefined,
      });
      expect(fieldsOf({})).toStrictEqual({
        id: "25950050-7362-11e6-be62-001b7843e7d4",
        subAccount: "Marketing",
        campaignAlias: "Promo",
        carrierId: "1",
        carrierName: "VIVO",
        source: "5516981562820",
        shortCode: "28128",
        messageText: "Eu quero pizza",
        receivedAt: "1473088405588",
        receivedDate: "2016-09-05T15:13:25Z",
        mtId: "8be584fd-2554-439b-9ba9-aab507278992",
        mtCorrelationId: "1876",
        mtUsername: "iFoodCS",
        mtEmail: "cs@example.com",
      });
    });

    it("leaves out what there is not", () => {
      expect(fieldsOf(bare)).toStrictEqual({
        id: "23190501",
        source: "5516981562820",
        shortCode: "28128",
        messageText: "Eu quero pizza",
        receivedAt: "1473088405588",
        receivedDate: "2016-09-05T15:13:25Z",
      });
    });

    it.each(["", "Não 😀\n&text=no#nor?this+100%", "a b", "=&?"])(
      "carries the text %j as it is",
      (text) => {
        expect(fieldsOf({ text })).toMatchObject({ messageText: text, source: "5516981562820" });
      },
    );

    it.each([
      ["https://customer.example", "https://customer.example/?id=23190501&source="],
      ["https://customer.example/mo?", "https://customer.example/mo?id=23190501&source="],
      [
        "https://customer.example/mo?key=a%20b&flag",
        "https://customer.example/mo?key=a%20b&flag&id=23190501&source=",
      ],
      ["https://customer.example/mo#top", "https://customer.example/mo?id=23190501&source="],
    ])("keeps the query of %s", (url, start) => {
      expect(requestOf(moOf(bare), getting(url)).url.startsWith(start)).toBe(true);
    });
  });
});
