import { describe, expect, it } from "vitest";
import { answered } from "../../support/memory.ts";
import {
  type Behaviour,
  dead,
  type Fared,
  good,
  hanging,
  simulate,
  type Without,
} from "./simulation.ts";
import { HOUR, MINUTE, SECOND } from "./support.ts";

const GOOD = Array.from({ length: 8 }, (_, index) => `good-${index + 1}`);
const goodOnes = Object.fromEntries(GOOD.map((name): [string, Behaviour] => [name, good]));

/** So many that take everything, but late. */
const slowOnes = (count: number) =>
  Object.fromEntries(
    Array.from({ length: count }, (_, index): [string, Behaviour] => [
      `slow-${index + 1}`,
      () => ({ ...answered(200), durationMs: 8 * SECOND }),
    ]),
  );

interface Size {
  readonly concurrency: number;
  /** Requests to one endpoint. */
  readonly atOnce: number;
  readonly messagesPerMinute: number;
  readonly campaignMs: number;
}
const STAGES: Readonly<Record<"dev" | "prod", Size>> = {
  dev: { concurrency: 5, atOnce: 2, messagesPerMinute: 600, campaignMs: MINUTE },
  prod: { concurrency: 50, atOnce: 20, messagesPerMinute: 2_000, campaignMs: 30 * SECOND },
};
type Stage = keyof typeof STAGES;

/** What a run came to: how the good ones fared together, and how the others did. */
interface Run {
  readonly fared: ReadonlyMap<string, Fared>;
  readonly median: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
}

const quantile = (delays: readonly number[], part: number) =>
  delays[Math.min(delays.length - 1, Math.floor(delays.length * part))] ?? Number.NaN;

async function run(
  stage: Stage,
  others: Readonly<Record<string, Behaviour>>,
  without?: Without,
): Promise<Run> {
  const fared = await simulate({
    ...STAGES[stage],
    untilMs: STAGES[stage].campaignMs + 30 * SECOND,
    endpoints: { ...goodOnes, ...others },
    ...(without && { without }),
  });
  const delays = GOOD.flatMap((name) => fared.get(name)?.delays ?? []).sort(
    (one, other) => one - other,
  );
  return {
    fared,
    median: quantile(delays, 0.5),
    p95: quantile(delays, 0.95),
    p99: quantile(delays, 0.99),
    max: quantile(delays, 1),
  };
}

const expected = ({ messagesPerMinute, campaignMs }: Size) =>
  Math.floor((messagesPerMinute * campaignMs) / MINUTE);

/** As much may be added to a delay of the good ones by those that are not: a turn of a function that works for others. */
const ADDED_MS = 100;
/** Those that open the circuit, those that are under way then, and one for each break. */
const mostRequests = ({ atOnce }: Size) => atOnce + 10;

/** What is wrong with a run beside one without those that are not good. */
function violations(stage: Stage, alone: Run, beside: Run): string[] {
  const size = STAGES[stage];
  const wrong: string[] = [];
  for (const name of GOOD) {
    if (beside.fared.get(name)?.delays.length !== expected(size))
      wrong.push("messages are missing");
  }
  if (beside.p99 > alone.p99 + ADDED_MS) wrong.push("the good ones wait");
  for (const name of ["hanging", "dead"]) {
    const { requests = 0, mostInFlight = 0 } = beside.fared.get(name) ?? {};
    if (requests === 0) wrong.push("nobody is asked");
    if (requests > mostRequests(size)) wrong.push(`${name} is asked again and again`);
    if (mostInFlight > size.atOnce) wrong.push(`${name} is asked by too many`);
  }
  return [...new Set(wrong)];
}

function tableOf(stage: Stage, alone: Run, beside: Run): string {
  const WIDTH = 9;
  const line = (first: string, cells: readonly (string | number)[]) =>
    first.padEnd(WIDTH) + cells.map((cell) => String(cell).padStart(WIDTH)).join("");
  const delaysOf = ({ delays = [] }: Partial<Fared> = {}) =>
    [0.5, 0.99, 1].map((part) => quantile(delays, part) || "–");
  const rows = [...beside.fared].map(([name, of]) =>
    line(name, [
      of.requests,
      of.delays.length,
      of.mostInFlight,
      ...delaysOf(of),
      ...delaysOf(alone.fared.get(name)),
    ]),
  );
  const delays = ["median", "p99", "max"];
  return [
    `${stage}: ms from the change to the answer, first beside one that hangs and one that is dead, then without them`,
    line("endpoint", ["requests", "taken", "at once", ...delays, ...delays]),
    ...rows,
  ].join("\n");
}

/** The good ones without others. */
const aloneIn: Readonly<Record<Stage, Promise<Run>>> = {
  dev: run("dev", {}),
  prod: run("prod", {}),
};

describe.each(["dev", "prod"] as const)("endpoints of %s", (stage) => {
  const bad = { hanging, dead };
  const alone = aloneIn[stage];

  it("ten of which one hangs and one is dead: the other eight do not notice", async () => {
    const beside = await run(stage, bad);
    console.info(tableOf(stage, await alone, beside));
    expect(violations(stage, await alone, beside)).toEqual([]);
  }, 30_000);

  it("would notice without a bound on the functions that talk to one", async () => {
    const beside = await run(stage, bad, "slots");
    expect(violations(stage, await alone, beside)).toEqual([
      "the good ones wait",
      ...(stage === "prod" ? ["hanging is asked again and again"] : []),
      "hanging is asked by too many",
    ]);
  }, 30_000);

  it("would have the bad ones asked all the time without a circuit", async () => {
    const beside = await run(stage, bad, "circuit");
    expect(violations(stage, await alone, beside)).toEqual([
      "hanging is asked again and again",
      "dead is asked again and again",
    ]);
  }, 30_000);
});

describe("endpoints that take everything, but each thing after eight seconds", () => {
  /** Until it is known that their answers take long, they keep functions from the others. */
  const ONSET_MS = 15 * SECOND;
  const AFTER_ONSET_MS = 6 * SECOND;

  async function besides(stage: Stage, count: number): Promise<Run> {
    const beside = await run(stage, slowOnes(count));
    for (const name of GOOD) {
      expect(beside.fared.get(name)?.delays).toHaveLength(expected(STAGES[stage]));
    }
    for (const name of Object.keys(slowOnes(count))) {
      const { delays = [], mostInFlight } = beside.fared.get(name) ?? {};
      expect(delays.length).toBeGreaterThan(0);
      expect(mostInFlight).toBeLessThanOrEqual(STAGES[stage].atOnce);
    }
    return beside;
  }

  it.each([2, 3, 4])(
    "are %d beside few functions: the others notice in the beginning, and not for long",
    async (count) => {
      const beside = await besides("dev", count);
      expect(beside.median).toBeLessThanOrEqual((await aloneIn.dev).median + ADDED_MS);
      expect(beside.p95).toBeLessThanOrEqual(AFTER_ONSET_MS);
      expect(beside.p99).toBeLessThanOrEqual(ONSET_MS);
    },
    30_000,
  );

  it.each([3, 4])(
    "are %d beside few functions: the others would notice all the time if they were not talked to among the retries",
    async (count) => {
      const beside = await run("dev", slowOnes(count), "aside");
      expect(beside.median).toBeGreaterThan((await aloneIn.dev).median + ADDED_MS);
      expect(beside.p95).toBeGreaterThan(AFTER_ONSET_MS);
      expect(beside.p99).toBeGreaterThan(ONSET_MS);
    },
    30_000,
  );

  it.each([2, 4])(
    "are %d beside many functions: the others do not notice",
    async (count) => {
      const beside = await besides("prod", count);
      expect(beside.p99).toBeLessThanOrEqual((await aloneIn.prod).p99 + ADDED_MS);
    },
    30_000,
  );
});

describe("an endpoint that was dead for half an hour", () => {
  const DEAD_MS = 30 * MINUTE;
  const recovering: Behaviour = (elapsed) => (elapsed < DEAD_MS ? dead : good)(elapsed);

  it.each(["dev", "prod"] as const)(
    "has taken everything two hours later, in %s",
    async (stage) => {
      const size = STAGES[stage];
      const fared = await simulate({
        ...size,
        untilMs: DEAD_MS + 2 * HOUR,
        endpoints: { recovering },
      });
      const { takenAt = [], requests, mostInFlight } = fared.get("recovering") ?? {};
      expect(takenAt).toHaveLength(expected(size));
      expect(Math.min(...takenAt)).toBeGreaterThan(DEAD_MS);
      expect(mostInFlight).toBeLessThanOrEqual(size.atOnce);
      expect(requests).toBeLessThanOrEqual(expected(size) + mostRequests(size));
      const perSecond = new Map<number, number>();
      for (const at of takenAt) {
        const second = Math.floor(at / SECOND);
        perSecond.set(second, (perSecond.get(second) ?? 0) + 1);
      }
      // Not all at once, although they were put off at the same time.
      expect(Math.max(...perSecond.values())).toBeLessThanOrEqual(size.messagesPerMinute / 60);
    },
    30_000,
  );
});
