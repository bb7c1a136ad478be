import { beforeEach, describe, expect, it } from "vitest";
import { createCarrierCounter } from "../../../functions/core/carrier-counter.ts";
import {
  complaintOf,
  demotionPolicySchema,
  goodCarrier,
  NO_COUNTS,
  sliceOf,
} from "../../../functions/core/carrier-health.ts";
import { createCarrierListener } from "../../../functions/core/hear-carriers.ts";
import { MemoryCarrierHealths } from "../../support/memory-carrier-healths.ts";
import { VirtualTime } from "./virtual-time.ts";

const SECOND = 1_000;
const hang = () => new Promise<never>(() => {});

let time: VirtualTime;
let healths: MemoryCarrierHealths;
let failures: string[];
let learnt: [string, string][];

beforeEach(() => {
  time = new VirtualTime();
  healths = new MemoryCarrierHealths();
  failures = [];
  learnt = [];
});

/** What one function hears; the carrier `one` has two minutes for a receipt. */
function createListener(
  learn: ((phone: string, operator: string) => Promise<void>) | undefined = async (...it) =>
    void learnt.push(it),
) {
  const onFailure = (what: string) => failures.push(what);
  return createCarrierListener({
    counter: createCarrierCounter({ healths, clock: time, everyMs: 0, onFailure }),
    receiptsAfterSeconds: { one: 120 },
    learn,
    clock: time,
    timeLimit: time,
    onFailure,
  });
}

/** How many milliseconds this takes. */
async function durationOf(work: Promise<unknown>): Promise<number> {
  const start = time.now();
  let end: number | undefined;
  void work.then(() => {
    end = time.now();
  });
  while (end === undefined) await time.pass(50);
  return end - start;
}

describe("a receipt", () => {
  it("is counted where its SMS was handed over, if it came in time", async () => {
    const listener = createListener();
    const sentAt = time.now();
    await time.pass(120 * SECOND);
    listener.receipt("one", sentAt);
    await time.pass(1);
    listener.receipt("one", sentAt);
    await listener.flush();
    expect((await healths.load(0)).slices).toEqual([
      { carrier: "one", start: sliceOf(sentAt), counts: { ...NO_COUNTS, prompt: 1 } },
    ]);
  });

  it("is not counted for a carrier that the stage does not have any more", async () => {
    const listener = createListener();
    listener.receipt("gone", time.now());
    await listener.flush();
    expect(healths.calls).toEqual([]);
  });

  it("is written down before its function can be idle, so that a good carrier never looks slow", async () => {
    const policy = demotionPolicySchema.parse({ receiptsAfterSeconds: 120 });
    const listeners = Array.from({ length: 5 }, () => createListener());
    const start = time.now();
    await healths.count("one", start, { ...NO_COUNTS, handedOver: 60, awaited: 60 });
    // An operator's receipts come together, and then for a long time none.
    await time.pass(15 * SECOND);
    for (let n = 0; n < 60; n += 1) {
      const listener = listeners[n % 5];
      listener?.receipt("one", start + n * 100);
      await listener?.flush();
    }
    expect(healths.sumOf("one")).toMatchObject({ awaited: 60, prompt: 60 });
    const { slices } = await healths.load(0);
    for (let at = start; at < start + 400 * SECOND; at += SECOND) {
      expect(complaintOf(goodCarrier("one"), slices, policy, at)).toBeUndefined();
    }
  });
});

describe("an operator", () => {
  it("is remembered with its phone", async () => {
    await createListener().operator("5519900001111", "vivo");
    expect(learnt).toEqual([["5519900001111", "vivo"]]);
  });

  it("is let go where the stage does not want to remember", async () => {
    const listener = createCarrierListener({
      counter: createCarrierCounter({ healths, clock: time, everyMs: 0, onFailure: () => {} }),
      receiptsAfterSeconds: {},
      clock: time,
      timeLimit: time,
      onFailure: (what) => failures.push(what),
    });
    await listener.operator("5519900001111", "vivo");
    expect(failures).toEqual([]);
  });
});

describe("no report fails, or waits for long,", () => {
  it("where a store fails", async () => {
    const listener = createListener(() => Promise.reject(new Error("throttled")));
    healths.error = new Error("throttled");
    listener.receipt("one", time.now());
    await listener.operator("5519900001111", "vivo");
    await listener.flush();
    expect(failures).toEqual([
      "an operator was not remembered",
      "what carriers were handed could not be counted",
    ]);
  });

  it("where a store hangs", async () => {
    const listener = createListener(hang);
    healths.count = hang;
    listener.receipt("one", time.now());
    expect(await durationOf(listener.operator("5519900001111", "vivo"))).toBe(500);
    expect(await durationOf(listener.flush())).toBe(2 * SECOND);
    expect(failures).toEqual([
      "an operator was not remembered",
      "receipts are still being counted",
    ]);
  });
});
