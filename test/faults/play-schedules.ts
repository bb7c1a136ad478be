import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { describeFailure, playMany } from "./run.ts";
import { createUniverse } from "./universe.ts";

/** As many as `npm test` has time for; the nightly run plays more. */
const SCHEDULES = Number(process.env.SCHEDULES ?? 200);
/** They are played in so many processes, each with a database of its own. */
const PROCESSES = 2;

/**
 * Plays a share of the schedules.
 * @param share which of them, 0 for the first; that one alone plays again what failed
 */
export function playSchedules(share: number): void {
  let universe: Awaited<ReturnType<typeof createUniverse>>;
  beforeAll(async () => {
    universe = await createUniverse(inject("topology"));
  });
  afterAll(() => universe?.close());

  test.skipIf(share > 0 && process.env.SEED)("every promise is kept, whatever fails", async () => {
    const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31));
    const { summary, failures } = await playMany(universe, {
      seed,
      schedules: process.env.SEED ? SCHEDULES : Math.ceil(SCHEDULES / PROCESSES),
      path: process.env.REPLAY,
      shrinks: process.env.SHRINK === "1",
    });
    const violations = failures.flatMap((failure) => failure.violations);
    console.log(`seed ${seed}\n${summary}\nviolations: ${violations.length}`);
    if (failures.length === 0) return;
    console.error(failures.map(describeFailure).join("\n\n"));
    expect.fail(violations.join("\n"));
  });
}
