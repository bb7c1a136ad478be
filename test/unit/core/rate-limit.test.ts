import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createRateLimit } from "../../../functions/core/rate-limit.ts";
import { ManualClock, ManualTimeLimit } from "../../support/memory.ts";
import { MemoryRateCounter } from "../../support/memory-rate-counter.ts";

const KEY = "198.51.100.7";
const UNCOUNTED = { allowed: true, uncounted: true };
const REFUSED = { allowed: false, retryAfterSeconds: 1 };

const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0);

/** Functions that share a counter and a clock; each is a limiter of its own. */
function setUp({ functions = 1 } = {}) {
  const counter = new MemoryRateCounter();
  const clock = new ManualClock();
  const timeLimit = new ManualTimeLimit();
  const failures: unknown[] = [];
  const onFailure = (error: unknown) => failures.push(error);
  const limits = Array.from({ length: functions }, () =>
    createRateLimit({ counter, clock, timeLimit, onFailure }),
  );
  const ask = (limit: number, index = 0) => {
    const rateLimit = limits[index];
    if (!rateLimit) throw new Error(`there is no function ${index}`);
    return rateLimit(KEY, limit);
  };
  /** Asks many times at once, and tells how many requests may pass. */
  async function pass(times: number, limit: number, index = 0): Promise<number> {
    const decisions = await Promise.all(Array.from({ length: times }, () => ask(limit, index)));
    return decisions.filter(({ allowed }) => allowed).length;
  }
  const second = () => Math.floor(clock.now() / 1_000);
  const nextSecond = () => clock.advance(1_000 - (clock.now() % 1_000));
  return { counter, clock, timeLimit, failures, ask, pass, second, nextSecond };
}

/** Chance that is the same in every run (mulberry32). */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

interface Load {
  readonly functions: number;
  readonly limit: number;
  /** Requests in each second, at random times. */
  readonly demand: number;
  readonly seconds: number;
  readonly seed: number;
  /** Whether some functions are asked far more often than others. */
  readonly uneven?: boolean;
}

/** Runs a constant demand against functions, one request at a time. */
async function simulate({ functions, limit, demand, seconds, seed, uneven = false }: Load) {
  const { ask, clock, counter } = setUp({ functions });
  const random = seeded(seed);
  const start = clock.now();
  const passed: number[] = [];
  for (let second = 0; second < seconds; second += 1) {
    const times = Array.from({ length: demand }, () => random() * 1_000).sort((a, b) => a - b);
    let count = 0;
    for (const ms of times) {
      clock.time = start + second * 1_000 + ms;
      const which = uneven ? random() ** 2 : random();
      const { allowed } = await ask(limit, Math.floor(which * functions));
      if (allowed) count += 1;
    }
    passed.push(count);
  }
  return { passed, writesPerRequest: counter.writes.length / (demand * seconds) };
}

describe("one function by itself", () => {
  it("lets exactly the limit pass, in every second anew", async () => {
    const limits = fc.integer({ min: 0, max: 1_500 });
    const groups = fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(limits, groups, async (limit, sizes) => {
        const { pass, nextSecond } = setUp();
        for (let round = 0; round < 3; round += 1) {
          let passed = 0;
          for (const size of sizes) passed += await pass(size, limit);
          expect(passed).toBe(Math.min(sum(sizes), limit));
          nextSecond();
        }
      }),
    );
  });

  it("says when to come back", async () => {
    const { ask, clock } = setUp();
    clock.advance(999);
    expect(await ask(1)).toEqual({ allowed: true });
    expect(await ask(1)).toEqual(REFUSED);
    clock.advance(1_000);
    expect(await ask(1)).toEqual({ allowed: true });
  });

  it("limits each key by itself", async () => {
    const { clock, timeLimit, counter } = setUp();
    const rateLimit = createRateLimit({ counter, clock, timeLimit });
    expect(await rateLimit("one", 1)).toEqual({ allowed: true });
    expect(await rateLimit("one", 1)).toEqual(REFUSED);
    expect(await rateLimit("other", 1)).toEqual({ allowed: true });
  });

  it("leases once for all that wait", async () => {
    const { pass, counter } = setUp();
    expect(await pass(500, 700)).toBe(500);
    expect(counter.writes.length).toBeLessThanOrEqual(3);
  });
});

describe("a request of several tokens", () => {
  const tokensOf = (limit: number, { strict = true } = {}) => {
    const { counter, clock, timeLimit, nextSecond } = setUp();
    const rateLimit = createRateLimit({ counter, clock, timeLimit, strict });
    return { counter, nextSecond, take: (tokens: number) => rateLimit(KEY, limit, tokens) };
  };

  it("passes while there is one left, and hears how many are missing", async () => {
    const { take, nextSecond } = tokensOf(10);
    expect(await take(7)).toEqual({ allowed: true });
    expect(await take(7)).toEqual({ allowed: true, missing: 4 });
    expect(await take(1)).toEqual(REFUSED);
    nextSecond();
    expect(await take(25)).toEqual({ allowed: true, missing: 15 });
  });

  it("takes them all at once", async () => {
    const { take, counter } = tokensOf(1_000);
    await take(40);
    expect(counter.writes.map(({ tokens }) => tokens)).toEqual([40]);
  });

  it("passes uncounted as a whole, or not at all", async () => {
    const { take, counter } = tokensOf(1_000, { strict: false });
    await take(10);
    expect(counter.writes).toEqual([]);
    await take(11);
    expect(counter.writes.map(({ tokens }) => tokens)).toEqual([21]);
  });

  it("never has more than there are, with others beside it", async () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(
        fc.scheduler(),
        fc.integer({ min: 1, max: 200 }),
        fc.array(sizes, { minLength: 1, maxLength: 4 }),
        async (scheduler, limit, functions) => {
          const { counter, clock, timeLimit } = setUp();
          const add = counter.add.bind(counter);
          counter.add = (...asked) =>
            scheduler.schedule(Promise.resolve()).then(() => add(...asked));
          const taking = functions.map((wanted) => {
            const rateLimit = createRateLimit({ counter, clock, timeLimit, strict: true });
            return Promise.all(
              wanted.map(async (tokens) => {
                const decision = await rateLimit(KEY, limit, tokens);
                return decision.allowed ? tokens - (decision.missing ?? 0) : 0;
              }),
            );
          });
          const taken = sum((await scheduler.waitFor(Promise.all(taking))).flat());
          const wanted = Math.min(limit, sum(functions.flat()));
          expect(taken).toBeLessThanOrEqual(wanted);
          // What others have leased ahead is missing.
          const ahead = functions.length * Math.floor(limit / 16);
          expect(taken).toBeGreaterThanOrEqual(wanted - ahead);
        },
      ),
    );
  });
});

it("where it is strict, nothing passes uncounted", async () => {
  const { counter, clock, timeLimit } = setUp();
  const rateLimit = createRateLimit({ counter, clock, timeLimit, strict: true });
  await rateLimit(KEY, 1_000);
  expect(counter.writes).toHaveLength(1);
});

describe("several functions", () => {
  it("give no token to two of the requests that wait, in whatever order leases come", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.scheduler(),
        fc.integer({ min: 1, max: 99 }),
        fc.array(fc.integer({ min: 0, max: 40 }), { minLength: 1, maxLength: 5 }),
        async (scheduler, limit, demands) => {
          const { counter, pass, second } = setUp({ functions: demands.length });
          const add = counter.add.bind(counter);
          counter.add = async (...asked) => {
            await scheduler.schedule(Promise.resolve());
            return scheduler.schedule(add(...asked));
          };
          const passing = demands.map((demand, index) => pass(demand, limit, index));
          const passed = sum(await scheduler.waitFor(Promise.all(passing)));
          expect(passed).toBe(Math.min(sum(demands), limit));
          expect(counter.total(KEY, second())).toBeGreaterThanOrEqual(passed);
        },
      ),
    );
  });

  it("pass the limit by a hundredth each at most, and refuse nothing before all but leases is used", async () => {
    const scenario = fc.integer({ min: 1, max: 20 }).chain((functions) =>
      fc.record({
        functions: fc.constant(functions),
        limit: fc.oneof(fc.integer({ min: 1, max: 120 }), fc.integer({ min: 100, max: 1_000 })),
        groups: fc.array(
          fc.record({
            index: fc.nat({ max: functions - 1 }),
            size: fc.integer({ min: 1, max: 200 }),
            pause: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 2_500 })),
          }),
          { minLength: 1, maxLength: 60 },
        ),
      }),
    );
    await fc.assert(
      fc.asyncProperty(scenario, async ({ functions, limit, groups }) => {
        const { pass, clock, counter, second } = setUp({ functions });
        const passed = new Map<number, number>();
        const least = limit - (functions - 1) * Math.floor(limit / 16);
        for (const { index, size, pause } of groups) {
          clock.advance(pause);
          const count = await pass(size, limit, index);
          const together = (passed.get(second()) ?? 0) + count;
          passed.set(second(), together);
          expect(together).toBeLessThanOrEqual(limit + functions * Math.floor(limit / 100));
          if (count < size) expect(together).toBeGreaterThanOrEqual(least);
        }
        const requests = sum(groups.map(({ size }) => size));
        expect(counter.writes.length).toBeLessThanOrEqual(requests);
      }),
    );
  });

  it("keep to the limit within a tenth when there are two of them, from the first second on", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 50, max: 1_000 }),
        fc.double({ min: 1, max: 4, noNaN: true }),
        fc.boolean(),
        fc.integer(),
        async (limit, factor, uneven, seed) => {
          const demand = Math.ceil(limit * factor);
          const load = { functions: 2, limit, demand, seconds: 3, seed, uneven };
          for (const count of (await simulate(load)).passed) {
            expect(count).toBeGreaterThanOrEqual(0.9 * limit);
            expect(count).toBeLessThanOrEqual(1.1 * limit);
          }
        },
      ),
      { numRuns: 50 },
    );
  });

  it("let pass everything that stays well below the limit", async () => {
    for (const functions of [2, 20, 50]) {
      const demand = 600;
      const { passed } = await simulate({ functions, limit: 700, demand, seconds: 5, seed: 1 });
      expect(passed).toEqual(passed.map(() => demand));
    }
  });

  it("let pass exactly one where the limit is one", async () => {
    const { passed } = await simulate({
      functions: 20,
      limit: 1,
      demand: 40,
      seconds: 10,
      seed: 1,
    });
    expect(passed).toEqual(passed.map(() => 1));
  });
});

describe("the counter is spared", () => {
  it("where a function has been refused, for the rest of the second", async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 1_000 }), async (limit) => {
        const { ask, pass, counter, nextSecond } = setUp({ functions: 2 });
        await pass(limit, limit, 0);
        await pass(limit, limit, 1);
        expect(await ask(limit, 1)).toEqual(REFUSED);
        const writes = counter.writes.length;
        expect(await pass(100, limit, 0)).toBe(0);
        expect(await pass(100, limit, 1)).toBe(0);
        expect(counter.writes).toHaveLength(writes);
        nextSecond();
        expect(await ask(limit, 1)).toEqual({ allowed: true });
      }),
    );
  });

  it("by the first hundredth of the limit, which is counted with the first lease", async () => {
    const { ask, counter, second } = setUp();
    for (let n = 1; n <= 7; n += 1) expect(await ask(700)).toEqual({ allowed: true });
    expect(counter.writes).toEqual([]);
    await ask(700);
    expect(counter.writes).toEqual([{ key: KEY, second: second(), tokens: 8 }]);
  });

  it("but not when half of the limit was used within the last two seconds", async () => {
    const { ask, pass, counter, clock } = setUp();
    await pass(350, 700);
    const writes = counter.writes.length;
    clock.advance(2_000);
    await ask(700);
    expect(counter.writes).toHaveLength(writes + 1);
    clock.advance(3_000);
    await ask(700);
    expect(counter.writes).toHaveLength(writes + 1);
  });

  it("not at all where the limit is below a hundred", async () => {
    const { ask, counter } = setUp();
    await ask(99);
    expect(counter.writes).toHaveLength(1);
  });

  it("by leases of an eighth of what the function needs, smaller as the limit comes near", async () => {
    const { ask, counter, nextSecond } = setUp();
    for (let n = 0; n < 700; n += 1) await ask(700);
    nextSecond();
    const writes = counter.writes.length;
    for (let n = 0; n < 700; n += 1) await ask(700);
    const sizes = counter.writes.slice(writes).map(({ tokens }) => tokens);
    expect(sizes[0]).toBe(43);
    expect(sizes).toEqual([...sizes].sort((a, b) => b - a));
    expect(sizes.at(-1)).toBe(1);
    expect(sizes.length).toBeLessThan(100);
  });
});

describe("where the counter fails", () => {
  it("everything passes, the failure is told, and the counter is asked again after a second", async () => {
    const { ask, counter, clock, failures } = setUp();
    expect(await ask(1)).toEqual({ allowed: true });
    expect(await ask(1)).toEqual(REFUSED);
    clock.advance(1_000);
    counter.error = new Error("away");
    expect(await ask(1)).toEqual(UNCOUNTED);
    expect(failures).toEqual([counter.error]);
    const writes = counter.writes.length;
    clock.advance(999);
    for (let n = 0; n < 10; n += 1) expect(await ask(1)).toEqual(UNCOUNTED);
    expect(counter.writes).toHaveLength(writes);
    clock.advance(1);
    expect(await ask(1)).toEqual(UNCOUNTED);
    expect(failures).toHaveLength(2);
    counter.error = undefined;
    clock.advance(1_000);
    expect(await ask(1)).toEqual({ allowed: true });
    expect(await ask(1)).toEqual(REFUSED);
  });

  it("it is not waited for, neither long nor by each request, and what it says later changes nothing", async () => {
    const { counter, timeLimit, pass, failures } = setUp();
    let answer: (total: number) => void = () => {};
    counter.add = () =>
      new Promise((resolve) => {
        answer = resolve;
      });
    const waiting = pass(5, 1);
    timeLimit.reach();
    expect(await waiting).toBe(5);
    expect(await pass(5, 1)).toBe(5);
    answer(99);
    expect(await pass(5, 1)).toBe(5);
    expect(timeLimit.asked).toEqual([150]);
    expect(failures).toEqual([new RangeError("out of time")]);
  });

  it("nobody has to listen", async () => {
    const { counter, clock, timeLimit } = setUp();
    counter.error = new Error("away");
    const rateLimit = createRateLimit({ counter, clock, timeLimit });
    expect(await rateLimit(KEY, 1)).toEqual(UNCOUNTED);
  });

  it("and the clock is set back, it is asked again at once", async () => {
    const { counter, clock, ask } = setUp();
    counter.error = new Error("away");
    await ask(1);
    counter.error = undefined;
    clock.advance(-3_600_000);
    expect(await ask(1)).toEqual({ allowed: true });
    expect(await ask(1)).toEqual(REFUSED);
  });
});

it("a clock that jumps lets no more pass in any second, and stops nobody for ever", async () => {
  const steps = fc.record({
    jump: fc.integer({ min: -5_000, max: 5_000 }),
    size: fc.integer({ min: 1, max: 60 }),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 99 }),
      fc.array(steps, { minLength: 1, maxLength: 40 }),
      async (limit, jumps) => {
        const { pass, ask, clock, second } = setUp();
        const passed = new Map<number, number>();
        for (const { jump, size } of jumps) {
          clock.advance(jump);
          passed.set(second(), (passed.get(second()) ?? 0) + (await pass(size, limit)));
        }
        for (const count of passed.values()) expect(count).toBeLessThanOrEqual(limit);
        clock.time = (Math.max(...passed.keys()) + 1) * 1_000;
        expect(await ask(limit)).toEqual({ allowed: true });
      },
    ),
  );
});

describe("the decision record's figures", () => {
  const SECONDS = 20;
  const LIMIT = 700;
  const percent = (part: number) => {
    const rounded = (100 * part).toFixed(1).replace("-0.0", "0.0");
    return `${rounded.startsWith("-") ? "−" : ""}${rounded.replace("-", "")} %`;
  };

  async function rowOf(functions: number, demand: number, uneven: boolean): Promise<string> {
    const load = { functions, limit: LIMIT, demand, seconds: SECONDS, seed: 7, uneven };
    const { passed, writesPerRequest } = await simulate(load);
    const [first = 0, ...later] = passed.map((count) => count / Math.min(demand, LIMIT) - 1);
    const [least, most] = [Math.min(...later), Math.max(...later)];
    const cells = [
      `${functions}${uneven ? ", unevenly" : ""}`,
      `${(100 * demand) / LIMIT} %`,
      percent(first),
      percent(least),
      percent(most),
      writesPerRequest.toFixed(2),
    ];
    return `| ${cells.join(" | ")} |`;
  }

  it("are those of the simulation", async () => {
    const rows: string[] = [];
    for (const [functions, uneven] of [
      [2, false],
      [20, false],
      [50, false],
      [50, true],
    ] as const) {
      for (const demand of [70, 350, 700, 840, 1_400]) {
        rows.push(await rowOf(functions, demand, uneven));
      }
    }
    const record = readFileSync("docs/decisions/0011-rate-limits-leased-by-the-second.md", "utf8");
    expect(record).toContain(rows.join("\n"));
  });
});
