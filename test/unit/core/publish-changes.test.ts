import { describe, expect, it } from "vitest";
import { isWanted } from "../../../functions/core/deliver-callbacks.ts";
import {
  isMessageReceived,
  messageReceived,
  messageReceivedSchema,
  messageStatusChanged,
  messageStatusChangedSchema,
  type TorpedoEvent,
  torpedoEventSchema,
} from "../../../functions/core/events.ts";
import { STATES } from "../../../functions/core/lifecycle.ts";
import { CALLBACK_OPTIONS } from "../../../functions/core/message.ts";
import {
  eventOf,
  isForBus,
  isForCallbacks,
  isOfInterest,
} from "../../../functions/core/publish-changes.ts";
import {
  sampleEndpoint,
  sampleLongMessage,
  sampleMessage,
  sampleMo,
} from "../../support/samples.ts";

const now = Date.parse("2026-03-02T15:00:00Z");
const queued = sampleMessage(now);
const sent = sampleMessage(now, {
  state: "SENT",
  sentAt: now + 500,
  stateAt: now + 500,
  attempts: 1,
});

describe("eventOf", () => {
  it("tells of a new message", () => {
    expect(eventOf({ after: queued })).toMatchObject({ state: "QUEUED", final: false });
    expect(eventOf({ after: queued })).not.toHaveProperty("previousState");
  });

  it("tells of a change of state, as the schema has it", () => {
    const event = eventOf({ before: queued, after: { ...sent, operator: "TIM" } });
    expect(messageStatusChangedSchema.parse(event)).toEqual(event);
    expect(event).toEqual({
      version: 1,
      eventId: `trace-1.SENT.${now + 500}`,
      traceId: "trace-1",
      account: "acme",
      id: "id-1",
      dialect: "mesago",
      destination: "5519900001111",
      state: "SENT",
      previousState: "QUEUED",
      final: false,
      at: "2026-03-02T15:00:00.500Z",
      acceptedAt: "2026-03-02T15:00:00.000Z",
      sentAt: "2026-03-02T15:00:00.500Z",
      attempts: 1,
      parts: 1,
      operator: "TIM",
      codes: { mesago: { statusCode: "02", detailCode: "110" }, wavy: { sent: 2 } },
    });
  });

  it("does not tell the text of a message", () => {
    expect(JSON.stringify(eventOf({ after: queued }))).not.toContain(queued.text);
  });

  it("tells how many SMS a message is, and what batch it came with", () => {
    const long = sampleLongMessage(now, { batch: { batchId: "batch-1", dueTogether: 2 } });
    const event = eventOf({ after: long });
    expect(event).toMatchObject({ parts: 3, batchId: "batch-1" });
    expect(messageStatusChangedSchema.parse(event)).toEqual(event);
    expect(JSON.stringify(event)).not.toContain(long.text.slice(0, 10));
    expect(eventOf({ after: queued })).not.toHaveProperty("batchId");
  });

  it("says nothing of a write that changes only parts", () => {
    const before = sampleLongMessage(now, { state: "SENT", attempts: 1 });
    const parts = before.parts?.map((part) => ({ ...part, state: "SENT" as const }));
    expect(parts).toHaveLength(3);
    expect(eventOf({ before, after: { ...before, ...(parts && { parts }) } })).toBeUndefined();
  });

  it("says nothing of a write that changes no state", () => {
    expect(
      eventOf({ before: queued, after: { ...queued, claimableFrom: now + 1 } }),
    ).toBeUndefined();
  });

  it("tells of a second claim, whose state is the first one's", () => {
    const first = sampleMessage(now, { state: "SENDING", attempts: 1 });
    const second = { ...first, attempts: 2, stateAt: now + 60_000 };
    expect(eventOf({ before: first, after: second })?.eventId).not.toBe(
      eventOf({ after: first })?.eventId,
    );
  });

  it("takes a message in the place of an expired one for a new one", () => {
    const old = sampleMessage(now, { traceId: "old" });
    expect(eventOf({ before: old, after: queued })).not.toHaveProperty("previousState");
    expect(eventOf({ before: old, after: queued })).toMatchObject({ traceId: "trace-1" });
  });

  it("calls SENT final where no receipt will come", () => {
    const event = eventOf({ before: queued, after: { ...sent, reason: "no-receipts" } });
    expect(event).toMatchObject({ final: true, codes: { mesago: { detailCode: "111" } } });
  });

  it("tells that SENT has become final, as an event of its own", () => {
    const last = { ...sent, reason: "no-receipts", stateAt: now + 1 } as const;
    const event = eventOf({ before: sent, after: last });
    expect(event).toMatchObject({ state: "SENT", previousState: "SENT", final: true });
    expect(event?.eventId).not.toBe(messageStatusChanged(sent).eventId);
  });

  it("tells of a receipt that its message's last word was SENT before", () => {
    const delivered = sampleMessage(now, { state: "DELIVERED" });
    const event = eventOf({ before: { ...sent, reason: "no-receipts" }, after: delivered });
    expect(event).toMatchObject({ previousState: "SENT", previousReason: "no-receipts" });
    expect(messageStatusChangedSchema.parse(event)).toEqual(event);
    expect(eventOf({ before: sent, after: delivered })).not.toHaveProperty("previousReason");
  });
});

describe("messageReceived", () => {
  const mo = sampleMo(now);

  it("tells of an MO, as the schema has it", () => {
    const event = messageReceived(mo);
    expect(event).toEqual({
      version: 1,
      eventId: "acme.mo.23190501",
      account: "acme",
      moId: 23190501,
      dialect: "mesago",
      from: "5519900001111",
      shortCode: "27182",
      text: "Sim",
      receivedAt: "2026-03-02T15:00:00.000Z",
      carrier: "sandbox",
      operator: "Claro",
      answers: { id: "id-1", traceId: "trace-1" },
    });
    expect(messageReceivedSchema.parse(event)).toEqual(event);
    expect(torpedoEventSchema.parse(event)).toEqual(event);
  });

  it("leaves out what is not known, and tells MOs apart", () => {
    const bare = messageReceived({ ...mo, operator: undefined, answers: undefined });
    expect(Object.keys(bare)).not.toContain("operator");
    expect(Object.keys(bare)).not.toContain("answers");
    expect(torpedoEventSchema.parse(bare)).toEqual(bare);
    const ids = [mo, { ...mo, id: 1 }, { ...mo, account: "other" }].map(
      (one) => messageReceived(one).eventId,
    );
    expect(new Set(ids).size).toBe(3);
  });
});

describe("who is told of an event", () => {
  const events = [
    ...STATES.map((state) => messageStatusChanged(sampleMessage(now, { state }))),
    messageStatusChanged(sampleMessage(now, { state: "SENT", reason: "no-receipts" })),
    messageReceived(sampleMo(now)),
  ];
  const nameOf = (event: TorpedoEvent) =>
    isMessageReceived(event) ? "RECEIVED" : [event.state, event.reason].filter(Boolean).join(" ");
  const FINAL = [
    "DELIVERED",
    "NOT_DELIVERED",
    "CANCELED",
    "BLOCKED",
    "EXPIRED",
    "FAILED",
    "SENT no-receipts",
    "RECEIVED",
  ];

  it.each([
    ["told", ["SENT", ...FINAL]],
    ["final", FINAL],
    ["every", events.map(nameOf)],
  ] as const)("the bus, where the stage says %s", (choice, names) => {
    expect(events.filter((event) => isForBus(choice, event)).map(nameOf)).toEqual(names);
  });

  it.each(["told", "final", "every"] as const)(
    "no state is left out before its event is known that anybody is told of: %s",
    (choice) => {
      for (const event of events) {
        if (isMessageReceived(event)) continue;
        const isTold = isForBus(choice, event) || isForCallbacks(event);
        expect(isOfInterest(choice, event.state) || !isTold).toBe(true);
      }
    },
  );

  it.each([undefined, ...CALLBACK_OPTIONS])(
    "callbacks: of what some endpoint wants, and of nothing else: %s",
    (callbackOption) => {
      const endpoints = [...CALLBACK_OPTIONS].map((option) =>
        sampleEndpoint({ callbackOption: option, format: "cloudevents" }),
      );
      for (const told of events) {
        const event = isMessageReceived(told) ? told : { ...told, callbackOption };
        const isWantedBySome = endpoints.some((endpoint) => isWanted(endpoint, event));
        expect([nameOf(event), isForCallbacks(event)]).toEqual([nameOf(event), isWantedBySome]);
      }
    },
  );
});
