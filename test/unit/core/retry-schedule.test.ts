import fc from "fast-check";
import { expect, it } from "vitest";
import { backoffMs } from "../../../functions/core/retry-schedule.ts";

const policy = { maxAttempts: 10, baseMs: 1_000, capMs: 60_000 };

it("doubles from attempt to attempt up to the cap", () => {
  expect([1, 2, 3, 7, 20].map((attempt) => backoffMs(policy, attempt, 1))).toEqual([
    1_000, 2_000, 4_000, 60_000, 60_000,
  ]);
});

it("varies over the upper half of each pause", () => {
  const attempts = fc.integer({ min: 1, max: 30 });
  const fractions = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
  fc.assert(
    fc.property(attempts, fractions, (attempt, fraction) => {
      const pause = backoffMs(policy, attempt, fraction);
      const full = Math.min(policy.capMs, policy.baseMs * 2 ** (attempt - 1));
      return pause >= full / 2 && pause <= full;
    }),
  );
});
