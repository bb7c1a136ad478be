import * as z from "zod";

const instant = z.number().int().nonnegative();

/** Why a carrier was demoted: what it was handed failed too often, or its receipts were too late. */
export const DEMOTION_REASONS = ["failures", "slow-receipts"] as const;
export type DemotionReason = (typeof DEMOTION_REASONS)[number];

/**
 * How a carrier fares. `trial`: it was demoted, and somebody tries it again with one message. Times
 * are milliseconds since the epoch.
 */
export const carrierHealthSchema = z.object({
  version: z.literal(1),
  carrier: z.string().min(1),
  state: z.enum(["good", "demoted", "trial"]),
  /** Of the demotion, also while it is on trial. */
  reason: z.enum(DEMOTION_REASONS).optional(),
  /** How many of a hundred failed, or were late, when it was demoted. */
  percent: z.number().optional(),
  /** When it was demoted, or came back; 0 where it was never demoted. */
  since: instant,
  /** When it may be tried again; for one on trial, when somebody else may try. */
  until: instant.optional(),
  /** How often it was demoted, each time soon after it had come back. */
  demotions: z.number().int().nonnegative(),
  /** Whether the world was told of its state. */
  told: z.boolean(),
  /** Counts the changes, so that of two at the same time one is refused. */
  revision: z.number().int().nonnegative(),
});
export type CarrierHealth = z.infer<typeof carrierHealthSchema>;

/** Of a carrier of which nothing is known. */
export const goodCarrier = (carrier: string): CarrierHealth => ({
  version: 1,
  carrier,
  state: "good",
  since: 0,
  demotions: 0,
  told: true,
  revision: 0,
});

/** What is counted of a carrier in one slice of time. */
export interface CarrierCounts {
  /** SMS that it was handed. */
  readonly handedOver: number;
  /** Of these, those that it did not take, or of which nobody knows whether it did. */
  readonly failed: number;
  /** Of these, those that it took and of which a receipt is to come. */
  readonly awaited: number;
  /** Of the awaited, those whose receipt came in time. */
  readonly prompt: number;
}

export const NO_COUNTS: CarrierCounts = { handedOver: 0, failed: 0, awaited: 0, prompt: 0 };

/** The counts of the SMS that a carrier was handed in ten seconds. */
export interface CarrierSlice {
  readonly carrier: string;
  /** When it begins, milliseconds since the epoch. */
  readonly start: number;
  readonly counts: CarrierCounts;
}

const SLICE_MS = 10_000;

/** The beginning of the slice that a time is in. */
export const sliceOf = (at: number) => Math.floor(at / SLICE_MS) * SLICE_MS;

/** The sums of two counts. */
export const addCounts = (one: CarrierCounts, other: CarrierCounts): CarrierCounts => ({
  handedOver: one.handedOver + other.handedOver,
  failed: one.failed + other.failed,
  awaited: one.awaited + other.awaited,
  prompt: one.prompt + other.prompt,
});

/** When a carrier is demoted. */
export const demotionPolicySchema = z.strictObject({
  /** Of a hundred SMS of the last minute, how many may fail. */
  failuresPercent: z.number().positive().max(100).default(50),
  /**
   * How many seconds after it took an SMS its receipt is late. Phones are off at night, and numbers
   * dead: that is not the carrier's fault, so it has ten minutes.
   */
  receiptsAfterSeconds: z.number().int().min(10).max(600).default(600),
  /** Of a hundred SMS, how many receipts may be late. A carrier that sends none at all has only late ones. */
  slowReceiptsPercent: z.number().positive().max(100).default(90),
  /** Of fewer SMS nothing is concluded. */
  minimum: z.number().int().positive().default(20),
});
export type DemotionPolicy = z.output<typeof demotionPolicySchema>;

/** How far back hand-overs are looked at. */
const WINDOW_MS = 60_000;
const FIRST_PAUSE_MS = 30_000;
const LONGEST_PAUSE_MS = 15 * 60_000;
/** Who is demoted again within this time has not recovered. */
const RELAPSE_MS = 30 * 60_000;
/** How long the hand-over of the message that it is tried with may take. */
const TRIAL_MS = 30_000;

/** How far back slices are of use. */
export const sliceMemoryMs = ({ receiptsAfterSeconds }: DemotionPolicy) =>
  receiptsAfterSeconds * 1_000 + WINDOW_MS + 2 * SLICE_MS;

/** What speaks against a carrier, by the slices of what it was handed since it last came back. */
export function complaintOf(
  { since }: Pick<CarrierHealth, "since">,
  slices: readonly CarrierSlice[],
  policy: DemotionPolicy,
  now: number,
): { readonly reason: DemotionReason; readonly percent: number } | undefined {
  const sum = (from: number, to: number) =>
    slices
      // Of the slice in which it came back, nobody knows what was before and what after.
      .filter(({ start }) => start >= since && start > from && start <= to)
      .reduce((total, { counts }) => addCounts(total, counts), NO_COUNTS);
  const { handedOver, failed } = sum(now - WINDOW_MS, now);
  const failures = percentOf(failed, handedOver);
  if (handedOver >= policy.minimum && failures >= policy.failuresPercent) {
    return { reason: "failures", percent: failures };
  }
  // Only slices whose last SMS should have had its receipt by now.
  const judged = now - policy.receiptsAfterSeconds * 1_000 - SLICE_MS;
  const { awaited, prompt } = sum(judged - WINDOW_MS, judged);
  const late = percentOf(awaited - prompt, awaited);
  return awaited >= policy.minimum && late >= policy.slowReceiptsPercent
    ? { reason: "slow-receipts", percent: late }
    : undefined;
}

const percentOf = (some: number, all: number) =>
  all === 0 ? 0 : Math.round((Math.max(0, some) / all) * 100);

const pauseMs = (demotions: number) =>
  Math.min(FIRST_PAUSE_MS * 2 ** (demotions - 1), LONGEST_PAUSE_MS);

/** A carrier once something speaks against it: from now on others are tried first. */
export function demoted(
  health: CarrierHealth,
  complaint: { readonly reason: DemotionReason; readonly percent: number },
  now: number,
): CarrierHealth {
  const isRelapse = health.since > 0 && now - health.since < RELAPSE_MS;
  const demotions = isRelapse ? health.demotions + 1 : 1;
  return {
    ...health,
    ...complaint,
    state: "demoted",
    since: now,
    until: now + pauseMs(demotions),
    demotions,
    told: false,
    revision: health.revision + 1,
  };
}

/** Whether a carrier may be tried again by whoever comes first. */
export const isDueForTrial = ({ state, until = 0 }: CarrierHealth, now: number) =>
  state !== "good" && until <= now;

/** A carrier that somebody now tries with a message: all others wait for what becomes of it. */
export const onTrial = (health: CarrierHealth, now: number): CarrierHealth => ({
  ...health,
  state: "trial",
  until: now + TRIAL_MS,
  revision: health.revision + 1,
});

/** A carrier after the message that it was tried with. */
export function afterTrial(health: CarrierHealth, hasTaken: boolean, now: number): CarrierHealth {
  const revision = health.revision + 1;
  if (!hasTaken) {
    const demotions = health.demotions + 1;
    return { ...health, state: "demoted", until: now + pauseMs(demotions), demotions, revision };
  }
  const { reason: _, percent: __, until: ___, ...rest } = health;
  return { ...rest, state: "good", since: now, told: false, revision };
}

/** A carrier of whose state the world was told. */
export const asTold = (health: CarrierHealth): CarrierHealth => ({
  ...health,
  told: true,
  revision: health.revision + 1,
});
