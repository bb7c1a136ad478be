import * as fc from "fast-check";
import type { Fault } from "./faults.ts";
import type { Variant } from "./functions.ts";
import { violationsOf } from "./properties.ts";
import { type Scenario, scenarios } from "./scenario.ts";
import { PlayedWorld, type Universe } from "./world.ts";

/** Worlds that are played side by side: DynamoDB is kept busy while others think. */
const LANES = 8;
/** What was played, and what was seen. */
export class Summary {
  schedules = 0;
  messages = 0;
  handOvers = 0;
  callbacks = 0;
  mos = 0;
  redeliveries = 0;
  crashes = 0;
  readonly injected: Partial<Record<Fault, number>> = {};

  add({ ledger, faults, queues }: PlayedWorld): void {
    this.schedules++;
    this.messages += ledger.sent.length;
    this.handOvers += ledger.handOvers.length;
    this.callbacks += ledger.posts.length;
    this.mos += ledger.mosStored.length;
    this.redeliveries += queues.redeliveries;
    for (const [fault, count] of Object.entries(faults.injected) as [Fault, number][]) {
      this.injected[fault] = (this.injected[fault] ?? 0) + count;
    }
  }

  toString(): string {
    const faults = Object.entries(this.injected).sort(([, one], [, other]) => other - one);
    return [
      `${this.schedules} schedules: ${this.messages} messages, ${this.handOvers} hand-overs, ${this.mos} MOs, ${this.callbacks} callbacks, ${this.redeliveries} redeliveries`,
      `faults injected: ${faults.map(([fault, count]) => `${count} ${fault}`).join(", ")}`,
    ].join("\n");
  }
}

/** A run in which promises were broken, and how to see it again. */
export interface Failure {
  readonly seed: number;
  readonly path: string;
  readonly violations: readonly string[];
  readonly scenario: Scenario;
  readonly journal: readonly string[];
}

let worlds = 0;

/** Plays one scenario. @returns what was promised and is not so */
export async function play(
  universe: Universe,
  scenario: Scenario,
  variant: Variant = {},
  summary?: Summary,
): Promise<{ violations: string[]; world: PlayedWorld }> {
  const world = new PlayedWorld(universe, `w${++worlds}`, scenario, variant);
  const violations = await world.run().then(
    () => violationsOf(world),
    (error) => [String(error)],
  );
  await world.cleanUp();
  summary?.add(world);
  return { violations, world };
}

/**
 * Plays so many scenarios at random, a few side by side.
 * @param path the way to one of them, as a failure named it
 * @returns the failures that were found: of each lane the first, or a smaller one
 */
export async function playMany(
  universe: Universe,
  options: {
    readonly seed: number;
    readonly schedules: number;
    readonly path?: string | undefined;
    readonly variant?: Variant;
    /** Makes more of what a variant stumbles over. */
    readonly provoke?: ((scenario: Scenario) => Scenario) | undefined;
    /** Whether to look for smaller scenarios that fail, which takes its time. */
    readonly shrinks?: boolean;
    /** Whether one failure is enough. */
    readonly untilFirst?: boolean;
  },
): Promise<{ readonly summary: Summary; readonly failures: readonly Failure[] }> {
  const {
    seed,
    schedules,
    path,
    variant,
    provoke = (it) => it,
    shrinks = false,
    untilFirst = false,
  } = options;
  const summary = new Summary();
  const lanes = path === undefined ? LANES : 1;
  let isOver = false;
  const failures = await Promise.all(
    Array.from({ length: lanes }, async (_, lane): Promise<Failure | undefined> => {
      let last: Omit<Failure, "seed" | "path"> | undefined;
      const property = fc.asyncProperty(scenarios, async (drawn) => {
        if (isOver) return;
        const scenario = provoke(drawn);
        const { violations, world } = await play(universe, scenario, variant, summary);
        if (violations.length === 0) return;
        isOver = untilFirst;
        last = { violations, scenario, journal: world.journal };
        throw new Error(violations.join("\n"));
      });
      const details = await fc.check(property, {
        seed: seed + lane,
        numRuns: Math.ceil(schedules / lanes),
        endOnFailure: !shrinks,
        ...(path !== undefined && { path }),
      });
      if (!details.failed || !last) return undefined;
      return { seed: details.seed, path: details.counterexamplePath ?? "", ...last };
    }),
  );
  return { summary, failures: failures.filter((failure) => failure !== undefined) };
}

/** What a failure says to who is to mend it. */
export function describeFailure({ seed, path, violations, scenario, journal }: Failure): string {
  return [
    ...violations,
    `again: SEED=${seed} REPLAY=${path} npm run test:faults (SHRINK=1 looks for a smaller case, JOURNAL=1 shows what happened)`,
    JSON.stringify(scenario),
    ...(process.env.JOURNAL === "1" ? journal : []),
  ].join("\n");
}
