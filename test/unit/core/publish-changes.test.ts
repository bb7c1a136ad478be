import { describe, expect, it } from "vitest";
import { messageStatusChangedSchema } from "../../../functions/core/events.ts";
import { eventOf, publishEvents } from "../../../functions/core/publish-changes.ts";
import { MemoryBus } from "../../support/memory.ts";
import { sampleMessage } from "../../support/samples.ts";

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
      operator: "TIM",
      codes: { mesago: { statusCode: "02", detailCode: "110" }, wavy: { sent: 2 } },
    });
  });

  it("does not tell the text of a message", () => {
    expect(JSON.stringify(eventOf({ after: queued }))).not.toContain(queued.text);
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

describe("publishEvents", () => {
  const events = [0, 1, 2].map((n) => {
    const event = eventOf({ after: sampleMessage(now, { traceId: `trace-${n}` }) });
    if (!event) throw new Error("a new message gives an event");
    return event;
  });

  it("gives again what the bus did not take, and only that", async () => {
    const bus = new MemoryBus();
    let refusals = 1;
    bus.refuses = ({ traceId }) => traceId === "trace-1" && refusals-- > 0;
    expect(await publishEvents(bus, events)).toEqual([]);
    expect(bus.events.map(({ traceId }) => traceId)).toEqual(["trace-0", "trace-2", "trace-1"]);
  });

  it("answers which were never taken", async () => {
    const bus = new MemoryBus();
    bus.refuses = ({ traceId }) => traceId !== "trace-1";
    expect(await publishEvents(bus, events)).toEqual([0, 2]);
  });
});
