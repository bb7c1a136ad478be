import fc from "fast-check";
import { expect, it } from "vitest";
import { slicesWithin } from "../../../functions/core/slices.ts";

it("slices are as few as can be, and no larger than they may", () => {
  const sizes = fc.array(fc.integer({ min: 0, max: 12 }));
  const limits = fc.record({
    count: fc.integer({ min: 1, max: 4 }),
    size: fc.integer({ min: 1, max: 10 }),
  });
  const sum = (slice: readonly number[]) => slice.reduce((total, size) => total + size, 0);
  fc.assert(
    fc.property(sizes, limits, (items, within) => {
      const slices = slicesWithin(items, within, (size) => size);
      expect(slices.flat()).toEqual(items);
      const fits = (slice: readonly number[]) =>
        slice.length <= within.count && sum(slice) <= within.size;
      for (const [index, slice] of slices.entries()) {
        expect(slice.length === 1 || fits(slice)).toBe(true);
        const next = slices[index + 1]?.[0];
        if (next !== undefined) expect(fits([...slice, next])).toBe(false);
      }
    }),
  );
});
