import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { play, playMany } from "./run.ts";
import { createUniverse } from "./universe.ts";
import { BROKEN_VARIANTS, CAUGHT_SOON, PROVOCATIONS } from "./variants.ts";

/** By then at the latest; most are within a dozen or two. */
const SCHEDULES = 160;
const SEED = 1;

/** Without a number of schedules asked for, as in `npm test`, those that are caught soon. */
const VARIANTS = Object.entries(BROKEN_VARIANTS).filter(
  ([name]) => process.env.SCHEDULES !== undefined || CAUGHT_SOON.includes(name),
);

let universe: Awaited<ReturnType<typeof createUniverse>>;
beforeAll(async () => {
  universe = await createUniverse(inject("topology"));
});
afterAll(() => universe?.close());

describe("the fault tests catch that", () => {
  test.each(VARIANTS)("%s", async (name, variant) => {
    const { summary, failures } = await playMany(universe, {
      seed: SEED,
      schedules: SCHEDULES,
      variant,
      provoke: PROVOCATIONS[name],
      untilFirst: true,
    });
    const [failure] = failures;
    if (!failure) return expect.fail(`not caught in ${summary.schedules} schedules`);
    console.log(`caught in ${summary.schedules} schedules: ${failure.violations[0]}`);
    // And by what it breaks, not by anything else.
    const { violations } = await play(universe, failure.scenario);
    expect(violations).toEqual([]);
  });
});
