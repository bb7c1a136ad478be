import { describe, expect, it } from "vitest";
import {
  messageReceived,
  messageReceivedSchema,
  messageStatusChangedSchema,
  type TorpedoEvent,
  torpedoEventSchema,
  traceOfEvent,
} from "../../../functions/core/events.ts";
import { eventOf, publishEvents } from "../../../functions/core/publish-changes.ts";
import { MemoryBus } from "../../support/memory.ts";
import { sampleLongMessage, sampleMessage, sampleMo } from "../../support/samples.ts";

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

describe("publishEvents", () => {
  const newMessage = (traceId: string): TorpedoEvent => {
    const event = eventOf({ after: sampleMessage(now, { traceId }) });
    if (!event) throw new Error("a new message gives an event");
    return event;
  };
  const received = messageReceived(sampleMo(now));
  const events = [newMessage("trace-0"), received, newMessage("trace-2")];

  it("gives again what the bus did not take, and only that", async () => {
    const bus = new MemoryBus();
    let refusals = 1;
    bus.refuses = (event) => event === received && refusals-- > 0;
    expect(await publishEvents(bus, events)).toEqual([]);
    expect(bus.events.map(traceOfEvent)).toEqual(["trace-0", "trace-2", "acme.mo.23190501"]);
  });

  it("answers which were never taken", async () => {
    const bus = new MemoryBus();
    bus.refuses = (event) => event !== received;
    expect(await publishEvents(bus, events)).toEqual([0, 2]);
  });
});
