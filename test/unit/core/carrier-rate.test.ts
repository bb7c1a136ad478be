import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { Lane } from "../../../functions/core/carrier.ts";
import {
  type CarrierRate,
  createCarrierRate,
  UNLIMITED,
} from "../../../functions/core/carrier-rate.ts";
import { MemoryRateCounter } from "../../support/memory-rate-counter.ts";
import { busiestOf, extremesOf, playRate, quantilesOf, type RateLoad } from "./rate-simulation.ts";
import { VirtualTime } from "./virtual-time.ts";

const TEN_SECONDS = 10_000;
/** When functions know what is asked of them. */
const WARM_MS = 3_000;

describe("one function by itself", () => {
  function setUp(perSecond: number, { lane = "bulk" as Lane, functions = 1 } = {}) {
    const time = new VirtualTime();
    const counter = new MemoryRateCounter();
    const failures: unknown[] = [];
    const rate = createCarrierRate({
      carrier: "operator",
      perSecond,
      lane,
      functions,
      counter,
      clock: time,
      timeLimit: time,
      randomness: { fraction: () => 0.5 },
      onFailure: (error) => failures.push(error),
    });
    return { time, counter, failures, rate };
  }

  /** What became of it, and when, in milliseconds since the beginning. */
  async function ended<T>(time: VirtualTime, work: Promise<T>, withinMs: number) {
    const start = time.now();
    const done = work.then((value) => ({ value, after: time.now() - start }));
    await time.pass(withinMs);
    return Promise.race([done, Promise.resolve("is not done" as const)]);
  }

  it("has leave at once for what there is room for", async () => {
    const { time, rate } = setUp(100);
    expect(await ended(time, rate.take(3, 2_000), 1)).toEqual({ value: 3, after: 0 });
  });

  it("waits for the next second where there is no more, and gives up where that is too late", async () => {
    const { time, rate } = setUp(10, { lane: "singles" });
    await time.pass(300);
    expect(await ended(time, rate.take(10, 0), 1)).toMatchObject({ value: 10 });
    expect(await ended(time, rate.take(1, 700), 1)).toEqual({ value: 0, after: 0 });
    expect(await ended(time, rate.take(1, 900), 900)).toEqual({ value: 1, after: 798 });
  });

  it("has leave for a part of it where the time does not do for all", async () => {
    const { time, rate } = setUp(10, { lane: "singles" });
    expect(await ended(time, rate.take(25, 0), 1)).toMatchObject({ value: 10 });
    await time.pass(999);
    expect(await ended(time, rate.take(25, 1_200), 2_000)).toMatchObject({ value: 20 });
  });

  it("owes what it handed over without leave, to the seconds that come", async () => {
    const { time, rate } = setUp(10, { lane: "singles" });
    expect(await ended(time, rate.take(10, 0), 1)).toMatchObject({ value: 10 });
    await rate.owe(14);
    await time.pass(999);
    expect(await ended(time, rate.take(10, 0), 1)).toMatchObject({ value: 0 });
    await time.pass(999);
    expect(await ended(time, rate.take(10, 0), 1)).toMatchObject({ value: 6 });
    await time.pass(999);
    expect(await ended(time, rate.take(10, 0), 1)).toMatchObject({ value: 10 });
  });

  it("adds what it owes behind what others owe", async () => {
    const { counter, time, rate } = setUp(10, { lane: "singles" });
    await Promise.all([rate.owe(14), rate.owe(3)]);
    const second = time.now() / 1_000;
    expect(counter.total("carrier operator", second + 1)).toBeGreaterThanOrEqual(10);
    expect(counter.total("carrier operator", second + 2)).toBe(7);
  });

  it("keeps to its share where the counter fails, and hears of that", async () => {
    const { counter, failures, time, rate } = setUp(10, { functions: 5 });
    counter.error = new Error("away");
    let taken = 0;
    for (let n = 0; n < 400; n += 1) {
      const outcome = await ended(time, rate.take(1, 0), 50);
      if (outcome !== "is not done") taken += outcome.value;
    }
    // Twenty seconds of two SMS each.
    expect(taken).toBeGreaterThanOrEqual(38);
    expect(taken).toBeLessThanOrEqual(41);
    expect(failures.length).toBeGreaterThanOrEqual(19);
  });

  it("pays back out of its share what it owes while the counter is away", async () => {
    const { counter, time, rate } = setUp(10);
    counter.error = new Error("away");
    await ended(time, rate.take(1, 0), 1_000);
    await rate.owe(20);
    for (let n = 0; n < 19; n += 1) {
      expect(await ended(time, rate.take(1, 0), 100)).toMatchObject({ value: 0 });
    }
    await time.pass(500);
    expect(await ended(time, rate.take(1, 0), 1)).toMatchObject({ value: 1 });
  });

  it("does not wait for a counter that hangs", async () => {
    const { counter, time, rate } = setUp(1_000, { lane: "singles" });
    counter.add = () => new Promise(() => {});
    const outcome = await ended(time, rate.take(1, 2_000), 2_000);
    expect(outcome).not.toBe("is not done");
    expect((outcome as { after: number }).after).toBeLessThanOrEqual(1_500);
  });

  it("does nothing of all that where there is no limit", async () => {
    const unlimited: CarrierRate = UNLIMITED;
    expect(await unlimited.take(1_000_000, 0)).toBe(1_000_000);
    await expect(unlimited.owe(5)).resolves.toBeUndefined();
  });
});

/** What was handed over in any ten seconds, in parts of what the carrier takes. */
async function partsOf(load: RateLoad) {
  const figures = await playRate(load);
  const times = [...figures.bulk, ...figures.singles.map(({ at }) => at)];
  const end = load.seconds * 1_000 - 1;
  const all = load.perSecond * 10;
  return {
    figures,
    // Whether there is too much is asked of the first seconds, too.
    most: extremesOf(times, TEN_SECONDS, 0, end).most / all,
    least: extremesOf(times, TEN_SECONDS, WARM_MS, end).least / all,
  };
}

const FUNCTIONS = [2, 10, 100];
const LIMITS = [1, 10, 50, 500, 2_000];
const ALL = LIMITS.flatMap((perSecond) =>
  FUNCTIONS.map((functions) => [perSecond, functions] as const),
);
/** Enough to see where it does not hold. */
const SOME = [
  [1, 2],
  [1, 30],
  [10, 10],
  [50, 2],
  [50, 30],
  [500, 10],
] as const;
/** Some spans of ten seconds, once the functions are warm. */
const PLAYED_SECONDS = 20;

describe("many functions together, while there is always more bulk", { timeout: 60_000 }, () => {
  const rows: string[] = [];
  const percent = (part: number) => `${Math.round(100 * part)} %`;
  const seconds = (ms: number) => `${(ms / 1_000).toFixed(ms < 95 ? 2 : 1)} s`;

  it.each(ALL)(
    "keep to %i per second within a tenth, and singles get through: %i functions",
    async (perSecond, functions) => {
      const load = {
        functions,
        perSecond,
        singles: perSecond / 5,
        bulk: true,
        seconds: PLAYED_SECONDS,
        seed: 7,
      };
      const { figures, most, least } = await partsOf(load);
      expect(most).toBeLessThanOrEqual(1.1);
      expect(least).toBeGreaterThanOrEqual(0.9);
      const [half = 0, most99 = 0] = quantilesOf(figures, [0.5, 0.99]);
      expect(half).toBeLessThan(1_000);
      // Where a carrier takes one SMS per second, some come at the same time and one waits for another.
      if (perSecond > 1) expect(most99).toBeLessThan(3_000);
      const busiest = busiestOf(figures);
      expect(busiest).toBeLessThan(500);
      const sms = figures.bulk.length + figures.singles.length;
      const cells = [
        perSecond.toLocaleString("en"),
        functions,
        percent(least),
        percent(most),
        seconds(half),
        seconds(most99),
        busiest,
        (figures.requests / sms).toFixed(2),
      ];
      rows.push(`| ${cells.join(" | ")} |`);
    },
  );

  it("as the decision record has it", () => {
    console.info(rows.join("\n"));
    const record = readFileSync("docs/decisions/0018-carrier-rates.md", "utf8");
    expect(rows).toHaveLength(ALL.length);
    expect(record).toContain(rows.join("\n"));
  });
});

describe("many functions together", { timeout: 60_000 }, () => {
  it.each(SOME)(
    "hand over all that there is room for where singles are too many: %i per second, %i functions",
    async (perSecond, functions) => {
      for (const bulk of [false, true]) {
        const load = {
          functions,
          perSecond,
          singles: perSecond * 1.3,
          bulk,
          seconds: PLAYED_SECONDS,
          seed: 7,
        };
        const { figures, most, least } = await partsOf(load);
        expect(most).toBeLessThanOrEqual(1.1);
        expect(least).toBeGreaterThanOrEqual(0.9);
        // Bulk has about its tenth.
        if (bulk && perSecond > 1) {
          const part = figures.bulk.length / (perSecond * PLAYED_SECONDS);
          expect(part).toBeGreaterThan(0.05);
          expect(part).toBeLessThan(0.25);
        }
      }
    },
  );

  it.each(SOME)(
    "hand over no more where the counter is away, for a time or every other second: %i per second, %i functions",
    async (perSecond, functions) => {
      const aways = [() => true, (it: number) => it >= 4 && it < 12, (it: number) => it % 2 === 0];
      for (const isAway of aways) {
        const load = {
          functions,
          perSecond,
          singles: perSecond / 10,
          bulk: true,
          seconds: PLAYED_SECONDS,
          seed: 7,
        };
        expect((await partsOf({ ...load, isAway })).most).toBeLessThanOrEqual(1.1);
      }
    },
  );

  it.each(SOME)(
    "hand over messages as a whole, and no more than two of these beyond the tenth: %i per second, %i functions",
    async (perSecond, functions) => {
      const whole = 3;
      const seconds = PLAYED_SECONDS;
      const load = { functions, perSecond, singles: 0, bulk: true, seconds, seed: 7, whole };
      const { most, figures } = await partsOf(load);
      expect(most * perSecond * 10).toBeLessThanOrEqual(perSecond * 11 + 2 * whole);
      expect(figures.bulk.length).toBeGreaterThanOrEqual(0.9 * perSecond * seconds - 2 * whole);
    },
  );
});
