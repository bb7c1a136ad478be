import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { backoffMs, callbackPauseMs } from "../../../functions/core/retry-schedule.ts";

const policy = { maxAttempts: 10, baseMs: 1_000, capMs: 60_000 };
const fractions = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

describe("backoffMs", () => {
  it("doubles from attempt to attempt up to the cap", () => {
    expect([1, 2, 3, 7, 20].map((attempt) => backoffMs(policy, attempt, 1))).toEqual([
      1_000, 2_000, 4_000, 60_000, 60_000,
    ]);
  });

  it("varies over the upper half of each pause", () => {
    const attempts = fc.integer({ min: 1, max: 30 });
    fc.assert(
      fc.property(attempts, fractions, (attempt, fraction) => {
        const pause = backoffMs(policy, attempt, fraction);
        const full = Math.min(policy.capMs, policy.baseMs * 2 ** (attempt - 1));
        return pause >= full / 2 && pause <= full;
      }),
    );
  });
});

describe("callbackPauseMs", () => {
  const SECONDS = [5, 60, 300, 900, 3_600];

  it("is 5 s, 1 min, 5 min and 15 min, then an hour again and again", () => {
    const pauses = [0, 1, 2, 3, 4, 5, 27].map((step) => callbackPauseMs(step, 0.5) / 1_000);
    expect(pauses).toEqual([...SECONDS, 3_600, 3_600]);
  });

  it("varies by a fifth to both sides", () => {
    expect(callbackPauseMs(0, 0)).toBe(4_000);
    expect(callbackPauseMs(0, 0.999_999)).toBe(6_000);
    fc.assert(
      fc.property(fc.nat({ max: 40 }), fractions, (step, fraction) => {
        const pause = callbackPauseMs(step, fraction);
        const full = (SECONDS[Math.min(step, 4)] as number) * 1_000;
        return Number.isInteger(pause) && pause >= full * 0.8 && pause <= full * 1.2;
      }),
    );
  });
});
