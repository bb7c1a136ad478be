import fc from "fast-check";
import { beforeEach, describe, expect, it } from "vitest";
import {
  type CarrierCounter,
  COUNTS_EVERY_MS,
  createCarrierCounter,
} from "../../../functions/core/carrier-counter.ts";
import { NO_COUNTS, sliceOf } from "../../../functions/core/carrier-health.ts";
import { ManualClock } from "../../support/memory.ts";
import { MemoryCarrierHealths } from "../../support/memory-carrier-healths.ts";

const one = { ...NO_COUNTS, handedOver: 1 };
const failure = { ...NO_COUNTS, handedOver: 1, failed: 1 };

describe("what carriers are handed is counted", () => {
  let clock: ManualClock;
  let healths: MemoryCarrierHealths;
  let failures: string[];
  let counter: CarrierCounter;

  beforeEach(() => {
    clock = new ManualClock();
    healths = new MemoryCarrierHealths();
    failures = [];
    counter = counterEvery(COUNTS_EVERY_MS);
  });
  const counterEvery = (everyMs: number) =>
    createCarrierCounter({ healths, clock, everyMs, onFailure: (what) => failures.push(what) });
  const writes = () => healths.calls.length;

  it("together, every five seconds", async () => {
    for (let n = 0; n < 40; n += 1) {
      counter.add("one", clock.now(), one);
      await counter.flush();
      clock.advance(100);
    }
    expect(writes()).toBe(0);
    clock.advance(1_000);
    await counter.flush();
    expect(writes()).toBe(1);
    expect(healths.sumOf("one")).toEqual({ ...NO_COUNTS, handedOver: 40 });
    clock.advance(60_000);
    await counter.flush();
    expect(writes()).toBe(1);
  });

  it("every second where something failed", async () => {
    counter.add("one", clock.now(), failure);
    clock.advance(999);
    await counter.flush();
    expect(writes()).toBe(0);
    clock.advance(1);
    await counter.flush();
    expect(healths.sumOf("one")).toEqual(failure);
    counter.add("one", clock.now(), one);
    clock.advance(1_000);
    await counter.flush();
    expect(writes()).toBe(1);
  });

  it("each time where it is not to wait, and only if there is anything", async () => {
    counter = counterEvery(0);
    await counter.flush();
    expect(writes()).toBe(0);
    for (const added of [one, failure]) {
      counter.add("one", clock.now(), added);
      await counter.flush();
    }
    expect(writes()).toBe(2);
    expect(healths.sumOf("one")).toEqual({ ...NO_COUNTS, handedOver: 2, failed: 1 });
  });

  it("by carrier, and by the slice in which it was handed over", async () => {
    const start = sliceOf(clock.now());
    counter.add("one", start, one);
    counter.add("one", start + 9_999, one);
    counter.add("one", start + 10_000, one);
    counter.add("two", start, failure);
    clock.advance(5_000);
    await counter.flush();
    const { slices } = await healths.load(0);
    expect(slices.map(({ carrier, start: it, counts }) => [carrier, it - start, counts])).toEqual([
      ["one", 0, { ...one, handedOver: 2 }],
      ["one", 10_000, one],
      ["two", 0, failure],
    ]);
  });

  it("though the clock is set back", async () => {
    counter.add("one", clock.now(), one);
    clock.advance(-3_600_000);
    await counter.flush();
    expect(healths.sumOf("one")).toEqual(one);
  });

  it("without stopping anybody where nobody can write it down, which is told", async () => {
    counter.add("one", clock.now(), one);
    clock.advance(5_000);
    healths.error = new Error("throttled");
    await counter.flush();
    expect(failures).toHaveLength(1);
    healths.error = undefined;
    counter.add("one", clock.now(), failure);
    clock.advance(5_000);
    await counter.flush();
    expect(healths.sumOf("one")).toEqual(failure);
  });

  it("and nothing is lost or counted twice, whoever adds and flushes meanwhile", async () => {
    const step = fc.record({
      wait: fc.constantFrom(0, 400, 1_000, 6_000),
      adds: fc.integer({ min: 0, max: 3 }),
      failed: fc.boolean(),
      flushes: fc.integer({ min: 0, max: 3 }),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.scheduler(),
        fc.array(step, { maxLength: 12 }),
        async (scheduler, steps) => {
          const slow = {
            count: async (...asked: Parameters<MemoryCarrierHealths["count"]>) => {
              await scheduler.schedule(Promise.resolve(), "count");
              return healths.count(...asked);
            },
          };
          healths = new MemoryCarrierHealths();
          const everyMs = COUNTS_EVERY_MS;
          counter = createCarrierCounter({ healths: slow, clock, everyMs, onFailure: () => {} });
          let added = 0;
          const flushing: Promise<void>[] = [];
          for (const { wait, adds, failed, flushes } of steps) {
            clock.advance(wait);
            for (let n = 0; n < adds; n += 1)
              counter.add("one", clock.now(), failed ? failure : one);
            added += adds;
            for (let n = 0; n < flushes; n += 1) flushing.push(counter.flush());
          }
          await scheduler.waitFor(Promise.all(flushing));
          clock.advance(5_000);
          await scheduler.waitFor(counter.flush());
          clock.advance(5_000);
          await scheduler.waitFor(counter.flush());
          expect(healths.sumOf("one").handedOver).toBe(added);
        },
      ),
    );
  });
});
