import {
  type Bill,
  billOf,
  PRICES,
  perMillion,
  REGION,
  REGIONS,
  sumOfBill,
  unitsOf,
} from "./cost.ts";
import type { Deployment } from "./deployment.ts";
import type { Floor, FloorRun } from "./floor/floor.ts";
import type { Tally } from "./null-aws-client.ts";
import {
  added,
  awsCalls,
  errorsOf,
  grouped,
  median,
  OUTSIDE,
  sumOf,
  total,
  type Usage,
  worldCallsOf,
} from "./usage.ts";
import { assertCount } from "./workloads/sms.ts";
import type { Setting, Workload } from "./workloads/workload.ts";
import type { World } from "./world.ts";

/** A part of a message's way, and the function that has it. */
export interface Share {
  readonly stage: string;
  /** The function's name. */
  readonly by: string;
}

/** What a function takes for its part of a message's way; all of it by message. */
export interface ShareFigures extends Share {
  readonly cpuMs: number;
  /** What the calls alone take; undefined where that was not measured. */
  readonly floorCpuMs: number | undefined;
  readonly invocations: number;
  /** What Lambda would bill, with the time that services would take. */
  readonly billedMs: number;
  readonly logBytes: number;
  /** By `service.operation`. */
  readonly awsCalls: Readonly<Record<string, number>>;
}

/** What a workload takes, as `bench.json` has it. */
export interface Measurement {
  readonly name: string;
  readonly title: string;
  readonly about: string;
  readonly messages: number;
  readonly shares: readonly ShareFigures[];
  /** Requests to the carrier and to customers, by message. */
  readonly worldCalls: Readonly<Record<string, number>>;
  /** Dollars for a million messages, by region and service. */
  readonly bills: Readonly<Record<string, Bill>>;
  /** Of the bill by which goals are judged, what each stage and function, or who is outside, causes. */
  readonly billByShare: Readonly<Record<string, number>>;
  /** What is paid for by the unit, by message. */
  readonly units: Readonly<Record<string, number>>;
  /** What AWS answered with an error, by message, by service and code. */
  readonly errors: Readonly<Record<string, number>>;
  /** Memory that a process had at most, by function. */
  readonly peakMegabytes: Readonly<Record<string, number>>;
  /** Processor time between invocations, by message, in milliseconds. */
  readonly betweenCpuMs: number;
}

/** Where workloads are measured: processes that stay from one workload to the next, as Lambda's do. */
export interface Bench {
  readonly deployment: Deployment;
  readonly world: World;
  readonly floor?: Floor | undefined;
}

let lastRun = 0;

/** What there is for the next run, whose ids are no other's. */
export function nextSetting({ deployment, world }: Bench): Setting {
  world.enter("preparation");
  world.aheadMs = 0;
  return { world, customer: deployment.customer, run: ++lastRun };
}

/**
 * Runs a workload once.
 * @param options.clears whether it begins with empty tables, and with what it needs to be there
 * @param options.onPrepared called when all is there that the workload needs
 */
export async function play(
  bench: Bench,
  workload: Workload,
  options: { readonly clears?: boolean; readonly onPrepared?: () => Promise<void> } = {},
): Promise<readonly Usage[]> {
  const { clears = true, onPrepared } = options;
  if (clears) await bench.deployment.clear();
  const setting = nextSetting(bench);
  if (clears) await workload.prepare?.(setting);
  bench.world.takeUsages();
  await onPrepared?.();
  await workload.run(setting);
  const usages = bench.world.takeUsages();
  const callbacks = total(usages, ({ counts }) => sumOf(counts.calls.customer));
  assertCount("callbacks", callbacks, workload.callbacks);
  return usages;
}

/**
 * Runs a workload again and again: with the time that services would take, and `runs` times for
 * the processor time, of which the median counts.
 */
export async function measure(
  bench: Bench,
  workload: Workload,
  { runs }: { readonly runs: number },
): Promise<Measurement> {
  const { world } = bench;
  const timed = await playTimed(bench, workload);
  await timed.floor?.warmUp((by) => world.made(by));
  await world.sumUp(true);
  let betweenMs = 0;
  const played: (readonly Usage[])[] = [];
  const floors: Readonly<Record<string, number>>[] = [];
  const playAgain = () => play(bench, workload, { clears: !workload.isReadOnly });
  for (let run = 0; run < runs; run++) {
    // What has stood still while others were at work is slow at first; Lambda would have frozen it.
    await playAgain();
    const before = await betweenInvocations(world);
    played.push(await playAgain());
    betweenMs += (await betweenInvocations(world)) - before;
    await timed.floor?.play();
    if (timed.floor) floors.push(await timed.floor.play());
  }
  const peaks = Object.entries(await world.sumUp());
  const used = new Set(played.flat().map(({ by }) => by));
  return {
    ...figuresOf(workload, timed.usages),
    shares: sharesOf(played, timed.usages, floors, workload.messages),
    peakMegabytes: Object.fromEntries(
      peaks.flatMap(([by, { peakMegabytes }]) => (used.has(by) ? [[by, peakMegabytes]] : [])),
    ),
    betweenCpuMs: betweenMs / workload.messages / runs,
  };
}

/** Runs a workload with the time that services would take, and writes down what is asked of them. */
async function playTimed(
  bench: Bench,
  workload: Workload,
): Promise<{ readonly usages: readonly Usage[]; readonly floor: FloorRun | undefined }> {
  const { nullAws } = bench.deployment;
  // What has never run before is slow, which the bill would tell.
  await play(bench, workload);
  const usages = await play(bench, workload, {
    clears: !workload.isReadOnly,
    async onPrepared() {
      await nullAws.control("latency", { ms: PRICES.assumedLatencyMs });
      if (bench.floor) bench.world.record();
    },
  });
  await nullAws.control("latency", { ms: NO_LATENCY });
  return { usages, floor: bench.floor?.of(await bench.world.takeRecordings()) };
}

/** What processes have taken that was no invocation's: what their runtime does, and what they left undone. */
async function betweenInvocations(world: World): Promise<number> {
  const sums = await world.sumUp();
  return Object.values(sums).reduce((sum, { cpuMs }) => sum + cpuMs, -world.spansMs);
}

function figuresOf({ name, title, about, messages }: Workload, usages: readonly Usage[]) {
  const bill = (of: readonly Usage[], region: string) => perMillion(billOf(of, region), messages);
  const shares = grouped(usages, keyOf);
  const ofMessage = (tally: Tally) =>
    Object.fromEntries(Object.entries(tally).map(([what, count]) => [what, count / messages]));
  return {
    name,
    title,
    about,
    messages,
    worldCalls: ofMessage(added(usages.map(({ counts }) => worldCallsOf(counts)))),
    bills: Object.fromEntries(REGIONS.map((region) => [region, bill(usages, region)])),
    billByShare: Object.fromEntries(
      [...shares].map(([share, of]) => [share, sumOfBill(bill(of, REGION))]),
    ),
    units: ofMessage(unitsOf(usages)),
    errors: ofMessage(added(usages.map(({ counts }) => errorsOf(counts)))),
  };
}

const NO_LATENCY = Object.fromEntries(
  Object.keys(PRICES.assumedLatencyMs).map((service) => [service, 0]),
);

/** What a share is called where names are looked up. */
export const keyOf = ({ stage, by }: Share) => `${stage}: ${by}`;

function sharesOf(
  runs: readonly (readonly Usage[])[],
  timed: readonly Usage[],
  floors: readonly Readonly<Record<string, number>>[],
  messages: number,
): ShareFigures[] {
  const shares = new Map<string, Share>();
  for (const usage of runs.flat()) {
    if (usage.by !== OUTSIDE) shares.set(keyOf(usage), { stage: usage.stage, by: usage.by });
  }
  return [...shares].map(([key, share]) => {
    const ofShare = runs.map((usages) => usages.filter((usage) => keyOf(usage) === key));
    const last = ofShare.at(-1) ?? [];
    const calls = awsCalls(last);
    const byMessage = (name: string) => [name, (calls[name] ?? 0) / messages] as const;
    return {
      ...share,
      cpuMs: median(ofShare.map((usages) => total(usages, ({ cpuMs }) => cpuMs))) / messages,
      floorCpuMs:
        floors.length > 0 ? median(floors.map((it) => it[key] ?? 0)) / messages : undefined,
      invocations: total(last, ({ invocations }) => invocations) / messages,
      billedMs:
        total(
          timed.filter((usage) => keyOf(usage) === key),
          ({ billedMs }) => billedMs,
        ) / messages,
      logBytes: total(last, ({ logBytes }) => logBytes) / messages,
      awsCalls: Object.fromEntries(Object.keys(calls).map(byMessage)),
    };
  });
}

/** Something of several shares added up. */
export const sumOfShares = (
  shares: readonly ShareFigures[],
  of: (share: ShareFigures) => number,
): number => shares.reduce((sum, share) => sum + of(share), 0);

/** The calls of several shares to AWS, by `service.operation`. */
export const callsOfShares = (shares: readonly ShareFigures[]): Record<string, number> =>
  added(shares.map((share) => share.awsCalls));
