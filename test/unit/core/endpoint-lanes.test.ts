import fc from "fast-check";
import { beforeEach, describe, expect, it } from "vitest";
import type { EndpointSlots } from "../../../functions/core/callback-ports.ts";
import {
  createEndpointLanes,
  type EndpointLanes,
  slotWidths,
} from "../../../functions/core/endpoint-lanes.ts";
import { ManualClock } from "../../support/memory.ts";
import { MemoryEndpointSlots } from "../../support/memory-callbacks.ts";
import { MINUTE, SECOND } from "../callback/support.ts";

const SLOTS = 2;
const endpoint = { account: "acme", endpointId: "endpoint-1" };
const other = { account: "acme", endpointId: "endpoint-2" };

/** Work that ends when it is told to. */
class Work {
  begun = false;
  end: () => void = () => {};
  readonly #ended = new Promise<void>((resolve) => {
    this.end = resolve;
  });
  readonly run = async () => {
    this.begun = true;
    await this.#ended;
    return "done";
  };
}

/** Lets everything happen that waits for nothing. */
const settle = () => new Promise((resolve) => setImmediate(resolve));

let clock: ManualClock;
let slots: MemoryEndpointSlots;
let lanes: EndpointLanes;

beforeEach(() => {
  clock = new ManualClock();
  slots = new MemoryEndpointSlots(SLOTS, clock);
  lanes = createEndpointLanes({ slots, clock });
});

/** How many slots of the endpoint are free now. */
async function freeSlots(of = endpoint): Promise<number> {
  const taken = [];
  for (;;) {
    const slot = await slots.acquire(of, clock.now() + MINUTE, false);
    if (!slot) break;
    taken.push(slot);
  }
  for (const slot of taken) await slots.release(slot);
  return taken.length;
}

describe("the lane of an endpoint in a function", () => {
  it("gives what the work gives, and the slot back", async () => {
    expect(await lanes.inTurn(endpoint, async () => 42)).toBe(42);
    expect(await freeSlots()).toBe(SLOTS);
  });

  it("has one thing done after the other, under one slot", async () => {
    const works = [new Work(), new Work(), new Work()];
    const all = Promise.all(works.map(({ run }) => lanes.inTurn(endpoint, run)));
    for (const [index, work] of works.entries()) {
      await settle();
      expect(works.map(({ begun }) => begun)).toEqual(works.map((_, at) => at <= index));
      expect(await freeSlots()).toBe(SLOTS - 1);
      work.end();
    }
    expect(await all).toEqual(["done", "done", "done"]);
    expect(await freeSlots()).toBe(SLOTS);
  });

  it("has several done side by side, where there are many at the same time and it may", async () => {
    slots = new MemoryEndpointSlots(20, clock);
    lanes = createEndpointLanes({ slots, clock });
    const works = Array.from({ length: 7 }, () => new Work());
    const all = Promise.all(works.map(({ run }) => lanes.inTurn(endpoint, run)));
    await settle();
    expect(works.map(({ begun }) => begun)).toEqual([...Array(5).fill(true), false, false]);
    works[3]?.end();
    await settle();
    expect(works.map(({ begun }) => begun)).toEqual([...Array(6).fill(true), false]);
    expect(await freeSlots()).toBe(11);
    for (const work of works) work.end();
    await all;
    expect(await freeSlots()).toBe(12);
  });

  it("takes a slot for one thing where there is one", async () => {
    slots = new MemoryEndpointSlots(20, clock);
    lanes = createEndpointLanes({ slots, clock });
    const taken: boolean[] = [];
    const acquire = slots.acquire.bind(slots);
    slots.acquire = (of, until, isForMany) => {
      taken.push(isForMany);
      return acquire(of, until, isForMany);
    };
    await lanes.inTurn(endpoint, async () => 1);
    await Promise.all([
      lanes.inTurn(endpoint, async () => 1),
      lanes.inTurn(endpoint, async () => 2),
    ]);
    expect(taken).toEqual([false, true]);
  });

  it("says whether there is time for another thing", async () => {
    const isOpen = await lanes.inTurn(endpoint, async (isOpenNow) => {
      const before = isOpenNow();
      clock.advance(12 * SECOND);
      return [before, isOpenNow()];
    });
    expect(isOpen).toEqual([true, false]);
  });

  it("does not make other endpoints wait, another account's of the same name among them", async () => {
    const works = [new Work(), new Work(), new Work()];
    const endpoints = [endpoint, other, { ...endpoint, account: "other" }];
    const all = works.map(({ run }, index) => lanes.inTurn(endpoints[index] ?? endpoint, run));
    await settle();
    expect(works.every(({ begun }) => begun)).toBe(true);
    for (const work of works) work.end();
    await Promise.all(all);
  });

  it("begins nothing where all slots are taken by others, and asks again next time", async () => {
    const taken = [
      await slots.acquire(endpoint, clock.now() + MINUTE, false),
      await slots.acquire(endpoint, clock.now() + MINUTE, false),
    ];
    const works = [new Work(), new Work()];
    const outcomes = works.map(({ run }) => lanes.inTurn(endpoint, run));
    expect(await Promise.all(outcomes)).toEqual([undefined, undefined]);
    expect(works.map(({ begun }) => begun)).toEqual([false, false]);
    for (const slot of taken) if (slot) await slots.release(slot);
    expect(await lanes.inTurn(endpoint, async () => 42)).toBe(42);
  });

  it("begins nothing any more twelve seconds after it was opened", async () => {
    const works = [new Work(), new Work(), new Work()];
    const outcomes = works.map(({ run }) => lanes.inTurn(endpoint, run));
    await settle();
    clock.advance(12 * SECOND - 1);
    works[0]?.end();
    await settle();
    expect(works[1]?.begun).toBe(true);
    clock.advance(1);
    works[1]?.end();
    expect(await Promise.all(outcomes)).toEqual(["done", "done", undefined]);
    expect(works[2]?.begun).toBe(false);
    expect(await lanes.inTurn(endpoint, async () => "a lane of its own")).toBe("a lane of its own");
  });

  it("goes on where work fails", async () => {
    const outcomes = [
      lanes.inTurn(endpoint, () => Promise.reject(new Error("no"))),
      lanes.inTurn(endpoint, async () => 42),
    ];
    expect(await Promise.allSettled(outcomes)).toMatchObject([
      { status: "rejected", reason: { message: "no" } },
      { status: "fulfilled", value: 42 },
    ]);
    expect(await freeSlots()).toBe(SLOTS);
  });

  it("holds its slot for longer than a function can live", async () => {
    const work = new Work();
    const outcome = lanes.inTurn(endpoint, work.run);
    await settle();
    clock.advance(90 * SECOND - 1);
    expect(await freeSlots()).toBe(SLOTS - 1);
    clock.advance(1);
    expect(await freeSlots()).toBe(SLOTS);
    work.end();
    await outcome;
  });
});

describe("slots that cannot be had", () => {
  it("fail all that wait for one, and nothing after that", async () => {
    let fails = true;
    const failing: EndpointSlots = {
      acquire: async (...args) => {
        if (fails) throw new Error("the store is away");
        return slots.acquire(...args);
      },
      release: (slot) => slots.release(slot),
    };
    lanes = createEndpointLanes({ slots: failing, clock });
    const works = [new Work(), new Work()];
    const outcomes = works.map(({ run }) => lanes.inTurn(endpoint, run));
    expect(await Promise.allSettled(outcomes)).toMatchObject(
      Array(2).fill({ status: "rejected", reason: { message: "the store is away" } }),
    );
    expect(works.map(({ begun }) => begun)).toEqual([false, false]);
    fails = false;
    expect(await lanes.inTurn(endpoint, async () => 42)).toBe(42);
  });

  it("or given back are nobody's failure: they run out", async () => {
    const sticky: EndpointSlots = {
      acquire: (...args) => slots.acquire(...args),
      release: () => Promise.reject(new Error("the store is away")),
    };
    lanes = createEndpointLanes({ slots: sticky, clock });
    expect(await lanes.inTurn(endpoint, async () => 42)).toBe(42);
    expect(await freeSlots()).toBe(SLOTS - 1);
    clock.advance(90 * SECOND);
    expect(await freeSlots()).toBe(SLOTS);
  });
});

describe("slots", () => {
  it.each([
    [1, [1]],
    [2, [1, 1]],
    [9, Array(9).fill(1)],
    [10, [1, 1, 1, 1, 1, 5]],
    [20, [...Array(10).fill(1), 5, 5]],
    [29, [...Array(19).fill(1), 5, 5]],
  ])("are for as many requests as may be under way: %d", (atOnce, widths) => {
    expect(slotWidths(atOnce)).toEqual(widths);
  });
});

describe("many functions", () => {
  it("never talk to an endpoint more at once than there are slots", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.scheduler(),
        fc.array(fc.tuple(fc.nat({ max: 4 }), fc.boolean()), { minLength: 1, maxLength: 20 }),
        async (scheduler, jobs) => {
          const mine = new MemoryEndpointSlots(SLOTS, clock);
          const functions = Array.from({ length: 5 }, () =>
            createEndpointLanes({ slots: mine, clock }),
          );
          let inFlight = 0;
          let most = 0;
          const outcomes = jobs.map(async ([index, fails]) => {
            await scheduler.schedule(Promise.resolve(), "the message comes");
            return functions[index]?.inTurn(endpoint, async () => {
              most = Math.max(most, ++inFlight);
              await scheduler.schedule(Promise.resolve(), "the endpoint answers");
              inFlight--;
              if (fails) throw new Error("no");
              return true;
            });
          });
          await scheduler.waitFor(Promise.allSettled(outcomes));
          expect(most).toBeGreaterThan(0);
          expect(most).toBeLessThanOrEqual(SLOTS);
          const free = [1, 2].map(() => mine.acquire(endpoint, clock.now() + 1, false));
          expect((await Promise.all(free)).every(Boolean)).toBe(true);
        },
      ),
    );
  });
});
