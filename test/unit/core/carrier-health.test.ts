import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  addCounts,
  afterTrial,
  asTold,
  type CarrierCounts,
  type CarrierHealth,
  type CarrierSlice,
  carrierHealthSchema,
  complaintOf,
  demoted,
  demotionPolicySchema,
  goodCarrier,
  isDueForTrial,
  NO_COUNTS,
  onTrial,
  sliceMemoryMs,
  sliceOf,
} from "../../../functions/core/carrier-health.ts";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
/** The beginning of a slice. */
const NOW = Date.parse("2026-03-02T15:00:00Z");
const POLICY = demotionPolicySchema.parse({
  failuresPercent: 50,
  receiptsAfterSeconds: 120,
  slowReceiptsPercent: 80,
  minimum: 20,
});
const NEVER = { since: 0 };

const slice = (ago: number, counts: Partial<CarrierCounts>): CarrierSlice => ({
  carrier: "one",
  start: sliceOf(NOW - ago),
  counts: { ...NO_COUNTS, ...counts },
});
const judge = (...slices: readonly CarrierSlice[]) => complaintOf(NEVER, slices, POLICY, NOW);

describe("the policy", () => {
  it("is there where nobody says anything of it", () => {
    expect(demotionPolicySchema.parse({})).toEqual({
      failuresPercent: 50,
      receiptsAfterSeconds: 600,
      slowReceiptsPercent: 90,
      minimum: 20,
    });
  });

  it.each([
    { failuresPercent: 0 },
    { failuresPercent: 101 },
    { slowReceiptsPercent: -1 },
    { receiptsAfterSeconds: 9 },
    { receiptsAfterSeconds: 601 },
    { minimum: 0 },
    { failures: 3 },
  ])("does not take %j", (policy) => {
    expect(demotionPolicySchema.safeParse(policy).success).toBe(false);
  });
});

describe("failures speak against a carrier", () => {
  it.each([
    ["at the limit", 20, 10, { reason: "failures", percent: 50 }],
    ["all of them", 20, 20, { reason: "failures", percent: 100 }],
    ["not below the limit", 100, 49, undefined],
    ["not of so few", 19, 19, undefined],
    ["nothing of nothing", 0, 0, undefined],
  ] as const)("%s", (_, handedOver, failed, expected) => {
    expect(judge(slice(0, { handedOver, failed }))).toEqual(expected);
  });

  it("of a minute together, and of no longer", () => {
    const tenOf = (ago: number) => slice(ago, { handedOver: 10, failed: 10 });
    expect(judge(tenOf(0), tenOf(50 * SECOND))).toMatchObject({ percent: 100 });
    expect(judge(tenOf(0), tenOf(60 * SECOND))).toBeUndefined();
    // What other functions' clocks say is yet to come.
    expect(judge(tenOf(0), tenOf(-10 * SECOND))).toBeUndefined();
  });

  it("with what went well beside them", () => {
    const well = slice(10 * SECOND, { handedOver: 60 });
    expect(judge(slice(0, { handedOver: 40, failed: 40 }), well)).toBeUndefined();
  });

  it("but not with what was before it came back, nor in that slice", () => {
    const bad = slice(0, { handedOver: 20, failed: 20 });
    for (const [since, isHeld] of [
      [NOW - MINUTE, true],
      [NOW, true],
      [NOW + 1, false],
      [NOW + 9 * SECOND, false],
    ] as const) {
      const complaint = complaintOf({ since }, [bad], POLICY, NOW + 9 * SECOND);
      expect([since - NOW, complaint !== undefined]).toEqual([since - NOW, isHeld]);
    }
  });
});

describe("slow receipts speak against a carrier", () => {
  /** The latest slice all of whose receipts should have come. */
  const DUE = 130 * SECOND;

  it.each([
    ["none of them came, ever", 20, 0, { reason: "slow-receipts", percent: 100 }],
    ["at the limit", 100, 20, { reason: "slow-receipts", percent: 80 }],
    ["not below the limit", 100, 21, undefined],
    ["not of so few", 19, 0, undefined],
    ["not where more came than were awaited, as they come twice", 20, 40, undefined],
  ] as const)("%s", (_, awaited, prompt, expected) => {
    expect(judge(slice(DUE, { handedOver: awaited, awaited, prompt }))).toEqual(expected);
  });

  it("when they should have come, and for a minute from then on", () => {
    const none = (ago: number) => slice(ago, { handedOver: 20, awaited: 20 });
    expect(judge(none(DUE - 10 * SECOND))).toBeUndefined();
    expect(judge(none(DUE))).toBeDefined();
    expect(judge(none(DUE + 50 * SECOND))).toBeDefined();
    expect(judge(none(DUE + 60 * SECOND))).toBeUndefined();
  });

  it("but not where none is awaited", () => {
    expect(judge(slice(DUE, { handedOver: 500 }))).toBeUndefined();
  });

  it("after the failures, which are the nearer reason", () => {
    const both = [
      slice(0, { handedOver: 20, failed: 20 }),
      slice(DUE, { handedOver: 20, awaited: 20 }),
    ];
    expect(judge(...both)).toMatchObject({ reason: "failures" });
  });

  it("by slices that are kept for as long as that takes", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 10, max: 600 }),
        fc.nat(9_999),
        fc.nat(800),
        (receiptsAfterSeconds, ms, ago) => {
          const policy = { ...POLICY, receiptsAfterSeconds };
          const now = NOW + ms;
          const start = sliceOf(now - ago * SECOND);
          const counts = { handedOver: 20, failed: 0, awaited: 20, prompt: 0 };
          const complaint = complaintOf(NEVER, [{ carrier: "one", start, counts }], policy, now);
          const isLoaded = start >= now - sliceMemoryMs(policy);
          const isDue = start + 10 * SECOND + receiptsAfterSeconds * SECOND <= now;
          if (complaint) expect([isLoaded, isDue]).toEqual([true, true]);
        },
      ),
    );
  });
});

it("counts add up, in whatever order", () => {
  const counts = fc.record({
    handedOver: fc.nat(),
    failed: fc.nat(),
    awaited: fc.nat(),
    prompt: fc.nat(),
  });
  fc.assert(
    fc.property(counts, counts, (one, other) => {
      expect(addCounts(one, other)).toEqual(addCounts(other, one));
      expect(addCounts(one, NO_COUNTS)).toEqual(one);
    }),
  );
});

describe("a carrier's way", () => {
  const complaint = { reason: "failures", percent: 62 } as const;
  const good = goodCarrier("one");
  const pauseOf = ({ until = 0 }: CarrierHealth, now: number) => (until - now) / SECOND;

  it("begins well, and there is nothing to tell", () => {
    expect(good).toMatchObject({ state: "good", told: true, revision: 0 });
    expect(isDueForTrial(good, NOW)).toBe(false);
  });

  it("is demoted for half a minute, and why", () => {
    const bad = demoted(good, complaint, NOW);
    expect(bad).toMatchObject({ state: "demoted", since: NOW, told: false, ...complaint });
    expect(isDueForTrial(bad, NOW + 30 * SECOND - 1)).toBe(false);
    expect(isDueForTrial(bad, NOW + 30 * SECOND)).toBe(true);
  });

  it("is on trial with one message, and with another where nothing came of that", () => {
    const trial = onTrial(demoted(good, complaint, NOW), NOW + 30 * SECOND);
    expect(trial).toMatchObject({ state: "trial", ...complaint });
    expect(isDueForTrial(trial, NOW + 60 * SECOND - 1)).toBe(false);
    expect(isDueForTrial(trial, NOW + 60 * SECOND)).toBe(true);
  });

  it("comes back when it takes that message, with nothing held against it", () => {
    const told = asTold(demoted(good, complaint, NOW));
    const back = afterTrial(onTrial(told, NOW), true, NOW + 31 * SECOND);
    const { reason, percent, until, ...rest } = back;
    expect([reason, percent, until]).toEqual([undefined, undefined, undefined]);
    expect(rest).toMatchObject({ state: "good", since: NOW + 31 * SECOND, told: false });
  });

  it("waits twice as long each time that it fails, up to a quarter of an hour, without more ado", () => {
    let health = asTold(demoted(good, complaint, NOW));
    const pauses: number[] = [pauseOf(health, NOW)];
    for (let n = 0; n < 6; n += 1) {
      health = afterTrial(onTrial(health, NOW), false, NOW);
      pauses.push(pauseOf(health, NOW));
      expect(health).toMatchObject({ state: "demoted", since: NOW, told: true, ...complaint });
    }
    expect(pauses).toEqual([30, 60, 120, 240, 480, 900, 900]);
  });

  it("waits longer too where it is demoted again within half an hour, and not after", () => {
    const back = afterTrial(onTrial(demoted(good, complaint, NOW), NOW), true, NOW);
    const soon = NOW + 30 * MINUTE - 1;
    expect(pauseOf(demoted(back, complaint, soon), soon)).toBe(60);
    expect(pauseOf(demoted(back, complaint, soon + 1), soon + 1)).toBe(30);
  });

  it("is stored as it is, each step counted", () => {
    const steps = fc.array(
      fc.constantFrom<(health: CarrierHealth, now: number) => CarrierHealth>(
        (health, now) => demoted(health, complaint, now),
        onTrial,
        (health, now) => afterTrial(health, true, now),
        (health, now) => afterTrial(health, false, now),
        asTold,
      ),
      { maxLength: 12 },
    );
    fc.assert(
      fc.property(steps, (chosen) => {
        let health = good;
        for (const [index, step] of chosen.entries()) {
          const { revision } = health;
          health = step(health, NOW + index * SECOND);
          expect(health.revision).toBe(revision + 1);
          expect(carrierHealthSchema.parse(health)).toEqual(health);
        }
      }),
    );
  });
});
