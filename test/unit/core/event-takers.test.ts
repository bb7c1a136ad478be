import { beforeEach, describe, expect, it } from "vitest";
import { createEventTakers, type Taker } from "../../../functions/core/event-takers.ts";
import {
  messageReceived,
  messageStatusChanged,
  traceOfEvent,
} from "../../../functions/core/events.ts";
import { MemoryBus } from "../../support/memory.ts";
import { sampleMessage, sampleMo } from "../../support/samples.ts";

const now = Date.parse("2026-03-02T15:00:00Z");
const BOTH: readonly Taker[] = ["bus", "callbacks"];

const changed = (traceId: string) => messageStatusChanged(sampleMessage(now, { traceId }));
const received = messageReceived(sampleMo(now));

describe("createEventTakers", () => {
  let bus: MemoryBus;
  let queue: MemoryBus;
  let failures: string[];
  let takeEvents: ReturnType<typeof createEventTakers>;

  beforeEach(() => {
    bus = new MemoryBus();
    queue = new MemoryBus();
    failures = [];
    takeEvents = createEventTakers({
      takers: {
        bus: (events) => bus.publish(events),
        callbacks: (events) => queue.publish(events),
      },
      onFailure: (what, error) => failures.push(`${what}: ${error}`),
    });
  });

  const on = (taker: MemoryBus) => taker.events.map(traceOfEvent);

  it("gives each taker what is for it", async () => {
    const tellings = [
      { event: changed("both"), takers: BOTH },
      { event: changed("bus"), takers: ["bus"] },
      { event: changed("nobody"), takers: [] },
      { event: changed("callbacks"), takers: ["callbacks"] },
    ] as const;
    expect(await takeEvents(tellings)).toBe(4);
    expect(on(bus)).toEqual(["both", "bus"]);
    expect(on(queue)).toEqual(["both", "callbacks"]);
  });

  it("gives again what was not taken, and only that", async () => {
    let refusals = 2;
    bus.refuses = (event) => event === received && refusals-- > 0;
    const tellings = [changed("one"), received, changed("two")].map((event) => ({
      event,
      takers: BOTH,
    }));
    expect(await takeEvents(tellings)).toBe(3);
    expect(on(bus)).toEqual(["one", "two", traceOfEvent(received)]);
    expect(on(queue)).toEqual(["one", traceOfEvent(received), "two"]);
  });

  it("answers how many are done with from the first on", async () => {
    bus.refuses = (event) => traceOfEvent(event) === "two";
    queue.refuses = (event) => traceOfEvent(event) === "three";
    const tellings = ["one", "two", "three", "four"].map((traceId) => ({
      event: changed(traceId),
      takers: BOTH,
    }));
    expect(await takeEvents(tellings)).toBe(1);
    expect(failures).toEqual([]);
    bus.refuses = () => false;
    expect(await takeEvents(tellings.slice(1))).toBe(1);
    queue.refuses = () => false;
    expect(await takeEvents(tellings.slice(2))).toBe(2);
    expect(on(bus)).toEqual(["one", "three", "four", "two"]);
    expect(on(queue)).toEqual(["one", "two", "four", "three"]);
  });

  it("does not ask once more who does not answer", async () => {
    let calls = 0;
    queue.publish = async () => {
      calls++;
      throw new Error("away");
    };
    expect(await takeEvents([{ event: received, takers: BOTH }])).toBe(0);
    expect([calls, failures]).toEqual([1, ["events not taken: callbacks: Error: away"]]);
  });

  it("remembers no more than it has to", async () => {
    queue.refuses = () => true;
    const many = (from: number) =>
      Array.from({ length: 100 }, (_, n) => ({ event: changed(`${from + n}`), takers: BOTH }));
    const first = many(0);
    await takeEvents(first);
    await takeEvents(first);
    expect(bus.events).toHaveLength(100);
    for (let n = 1; n <= 200; n++) await takeEvents(many(n * 100));
    await takeEvents(first);
    expect(bus.events).toHaveLength(20_200);
  });
});
