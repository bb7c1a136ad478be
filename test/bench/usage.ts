import type { Counts, Tally } from "./null-aws-client.ts";

/** What one function, or somebody outside, did with what came from one source. */
export interface Usage {
  /** The part of a message's way that it belongs to. */
  readonly stage: string;
  /** The function's name; `carrier` for what is outside. */
  readonly by: string;
  readonly invocations: number;
  readonly cpuMs: number;
  /** What Lambda would bill, as the report models it, in milliseconds. */
  readonly billedMs: number;
  readonly memoryMegabytes: number;
  readonly logBytes: number;
  readonly counts: Counts;
  /** What reading the function's source costs, by Lambda's pollers: requests as SQS bills them. */
  readonly pollerRequests: number;
  /** Of those, the ones for messages with a message group. */
  readonly pollerGroupRequests: number;
  /** Requests as API Gateway bills them, 512 KB each. */
  readonly apiRequests: number;
  readonly accessLogBytes: number;
}

/** Who is outside of the stack: what these do are no calls of ours to AWS. */
export const OUTSIDE = "carrier";
/** What functions call beside AWS. */
const WORLD = ["carrier", "customer"];
/** What others than our functions ask of AWS for us. */
const DELIVERED = ["eventbridge-to-sqs", "scheduler-to-sqs"];

/** Everything in a tally. */
export const sumOf = (tally: Tally | undefined): number =>
  Object.values(tally ?? {}).reduce((sum, count) => sum + count, 0);

/** The sum of something over usages. */
export const total = (usages: readonly Usage[], of: (usage: Usage) => number): number =>
  usages.reduce((sum, usage) => sum + of(usage), 0);

/** Calls to AWS by `service.operation`. */
export function awsCallsOf({ calls }: Counts): Record<string, number> {
  const byName: Record<string, number> = {};
  for (const [service, operations] of Object.entries(calls)) {
    if (WORLD.includes(service) || DELIVERED.includes(service)) continue;
    for (const [operation, count] of Object.entries(operations)) {
      if (count > 0) byName[`${service}.${operation}`] = count;
    }
  }
  return byName;
}

/** Requests to the carrier and to customers. */
export const worldCallsOf = ({ calls }: Counts): Record<string, number> =>
  Object.fromEntries(
    WORLD.flatMap((service) => {
      const count = sumOf(calls[service]);
      return count > 0 ? [[service, count]] : [];
    }),
  );

/** What was answered with an error, by `service.code`. */
export const errorsOf = ({ errors }: Counts): Record<string, number> =>
  Object.fromEntries(
    Object.entries(errors).flatMap(([service, codes]) =>
      Object.entries(codes).map(([code, count]) => [`${service}.${code}`, count]),
    ),
  );

/** Tallies added up, name by name. */
export function added(tallies: readonly Tally[]): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const tally of tallies) {
    for (const [name, count] of Object.entries(tally)) sums[name] = (sums[name] ?? 0) + count;
  }
  return sums;
}

/** Calls to AWS that functions made, and not those outside. */
export const awsCalls = (usages: readonly Usage[]): Record<string, number> =>
  added(usages.filter(({ by }) => by !== OUTSIDE).map(({ counts }) => awsCallsOf(counts)));

/** The middle one; the mean of the two in the middle of an even number. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((one, other) => one - other);
  const middle = sorted.length / 2;
  return sorted.length % 2 === 1
    ? (sorted[Math.floor(middle)] ?? Number.NaN)
    : ((sorted[middle - 1] ?? Number.NaN) + (sorted[middle] ?? Number.NaN)) / 2;
}

/** Things by what they have in common, in the order in which they come. */
export function grouped<T>(things: readonly T[], keyOf: (thing: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const thing of things) {
    const group = groups.get(keyOf(thing));
    if (group) group.push(thing);
    else groups.set(keyOf(thing), [thing]);
  }
  return groups;
}
