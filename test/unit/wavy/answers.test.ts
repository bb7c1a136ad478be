import { describe, expect, it } from "vitest";
import { WAVY_DELIVERED, WAVY_SENT } from "../../../functions/core/codes.ts";
import { REASONS, STATES } from "../../../functions/core/lifecycle.ts";
import {
  accepted,
  errorBody,
  moOf,
  mosAnswer,
  statusesAnswer,
  statusOf,
} from "../../../functions/wavy/answers.ts";
import {
  acceptedMessageSchema,
  errorAnswerSchema,
  messageStatusSchema,
  receivedAnswerSchema,
  statusesAnswerSchema,
} from "../../../functions/wavy/schema.ts";
import { sampleMessage, sampleMo } from "../../support/samples.ts";

const SENT_AT = 1420732929252;
const DELIVERED_AT = 1420732954000;

describe("accepted", () => {
  it("tells the id, and the client's own where it gave one", () => {
    const { id, correlationId } = sampleMessage(0, { id: "uuid", correlationId: "myId" });
    expect(accepted({ id, correlationId })).toStrictEqual({ id: "uuid", correlationId: "myId" });
    expect(accepted(sampleMessage(0, { id: "uuid" }))).toStrictEqual({ id: "uuid" });
    expect(acceptedMessageSchema.parse(accepted(sampleMessage(0)))).toEqual({ id: "id-1" });
  });
});

describe("statusOf", () => {
  it("tells the document's example, in its order", () => {
    const message = sampleMessage(SENT_AT, {
      id: "8f5af680-973e-11e4-ad43-4ee58e9a13a6",
      correlationId: "myId",
      operator: "Tim",
      state: "DELIVERED",
      sentAt: SENT_AT,
      stateAt: DELIVERED_AT,
      campaign: { id: 1234, alias: "Promo" },
      extraInfo: "extra",
    });
    expect(JSON.stringify(statusOf(message))).toBe(
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
        deliveredStatusCode: 4,
        deliveredStatus: "DELIVERED_SUCCESS",
        deliveredAt: 1420732954000,
        deliveredDate: "2015-01-08T16:02:34Z",
        campaignId: 1234,
        extraInfo: "extra",
      }),
    );
  });

  it.each(["SCHEDULED", "QUEUED", "SENDING", "CANCELED"] as const)(
    "tells nothing of either level while %s",
    (state) => {
      expect(statusOf(sampleMessage(SENT_AT, { state }))).toStrictEqual({
        id: "id-1",
        destination: "5519900001111",
      });
    },
  );

  it("tells when it was sent, though it changed later", () => {
    const message = sampleMessage(0, {
      state: "NOT_DELIVERED",
      reason: "inactive-number",
      sentAt: SENT_AT,
      stateAt: DELIVERED_AT,
    });
    expect(statusOf(message)).toMatchObject({
      sentStatusCode: 2,
      sentStatusAt: SENT_AT,
      deliveredStatusCode: 104,
      deliveredStatus: "NOT_DELIVERED",
      deliveredAt: DELIVERED_AT,
    });
  });

  it("tells of a message that was not sent since when", () => {
    const message = sampleMessage(0, {
      state: "FAILED",
      reason: "operator-rejected",
      sentAt: SENT_AT,
      stateAt: DELIVERED_AT,
    });
    expect(statusOf(message)).toStrictEqual({
      id: "id-1",
      destination: "5519900001111",
      sentStatusCode: 103,
      sentStatus: "REJECTED_BY_CARRIER",
      sentStatusAt: DELIVERED_AT,
      sentStatusDate: "2015-01-08T16:02:34Z",
    });
  });

  it("tells the name of an operator without number", () => {
    const status = statusOf(sampleMessage(0, { operator: "Surf" }));
    expect(status).toMatchObject({ carrierName: "SURF" });
    expect(status).not.toHaveProperty("carrierId");
  });

  it("tells every state in the words of the tables", () => {
    const messages = STATES.flatMap((state) => [
      sampleMessage(SENT_AT, { state }),
      ...(state in REASONS ? REASONS[state as keyof typeof REASONS] : []).map((reason) =>
        sampleMessage(SENT_AT, { state, reason }),
      ),
    ]);
    for (const status of messages.map(statusOf)) {
      expect(messageStatusSchema.parse(status)).toStrictEqual(status);
      const { sentStatusCode, sentStatus, deliveredStatusCode, deliveredStatus } = status;
      expect(sentStatus).toBe(sentStatusCode && WAVY_SENT[sentStatusCode]);
      expect(deliveredStatus).toBe(deliveredStatusCode && WAVY_DELIVERED[deliveredStatusCode]);
      expect(status.deliveredAt === undefined || status.sentStatusCode === 2).toBe(true);
    }
  });
});

describe("statusesAnswer", () => {
  it("counts", () => {
    const answer = statusesAnswer([sampleMessage(0), sampleMessage(0)].map(statusOf));
    expect(statusesAnswerSchema.parse(answer)).toStrictEqual(answer);
    expect(answer.total).toBe(2);
    expect(statusesAnswer([])).toEqual({ total: 0, messages: [] });
  });
});

const RECEIVED_AT = 1473088405588;

describe("moOf", () => {
  it("tells the document's example, in its order", () => {
    const mo = sampleMo(RECEIVED_AT, {
      uuid: "25950050-7362-11e6-be62-001b7843e7d4",
      subAccount: "Marketing",
      campaign: { id: 1, alias: "Promo" },
      operator: "Vivo",
      from: "5516981562820",
      shortCode: "28128",
      text: "Eu quero pizza",
      answers: {
        id: "8be584fd-2554-439b-9ba9-aab507278992",
        traceId: "trace",
        correlationId: "1876",
        sender: { username: "iFoodCS", email: "cs@ifood.example" },
      },
    });
    expect(JSON.stringify(moOf(mo))).toBe(
      JSON.stringify({
        id: "25950050-7362-11e6-be62-001b7843e7d4",
        subAccount: "Marketing",
        campaignAlias: "Promo",
        carrierId: 1,
        carrierName: "VIVO",
        source: "5516981562820",
        shortCode: "28128",
        messageText: "Eu quero pizza",
        receivedAt: 1473088405588,
        // The document has 12:13:25Z, which is what clocks in Brazil showed.
        receivedDate: "2016-09-05T15:13:25Z",
        mt: {
          id: "8be584fd-2554-439b-9ba9-aab507278992",
          correlationId: "1876",
          username: "iFoodCS",
          email: "cs@ifood.example",
        },
      }),
    );
  });

  it("leaves out what is not known", () => {
    const { operator: _, answers: __, ...mo } = sampleMo(RECEIVED_AT);
    expect(moOf(mo)).toStrictEqual({
      id: "23190501",
      source: "5519900001111",
      shortCode: "27182",
      messageText: "Sim",
      receivedAt: RECEIVED_AT,
      receivedDate: "2016-09-05T15:13:25Z",
    });
    expect(moOf(sampleMo(RECEIVED_AT)).mt).toStrictEqual({ id: "id-1" });
  });
});

describe("mosAnswer", () => {
  it("writes milliseconds where there are any", () => {
    const period = {
      from: Date.parse("2016-09-04T11:12:41Z"),
      to: Date.parse("2016-09-08T11:17:39.113Z"),
    };
    const mos = [sampleMo(RECEIVED_AT)].map(moOf);
    const answer = mosAnswer(period, mos);
    expect(answer).toStrictEqual({
      total: 1,
      start: "2016-09-04T11:12:41Z",
      end: "2016-09-08T11:17:39.113Z",
      messages: mos,
    });
    expect(receivedAnswerSchema.parse(answer)).toStrictEqual(answer);
  });
});

describe("errorBody", () => {
  it("has a code and a message", () => {
    const body = errorBody("FORBIDDEN", "No.");
    expect(body).toEqual({ errorCode: "FORBIDDEN", errorMessage: "No." });
    expect(errorAnswerSchema.parse(body)).toEqual(body);
  });
});
