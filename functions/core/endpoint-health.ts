import * as z from "zod";
import type { WebhookResult } from "./ports.ts";

/** An endpoint of an account. */
export interface EndpointKey {
  readonly account: string;
  readonly endpointId: string;
}

/** Whether an endpoint is told of anything: by its owner's wish, or because it does not answer. */
export const ENDPOINT_STATES = ["active", "paused", "disabled"] as const;
export type EndpointState = (typeof ENDPOINT_STATES)[number];

/** Why an endpoint is disabled: its owner's wish, its own (410), or five days of failures. */
export const DISABLED_REASONS = ["by-hand", "gone", "failing"] as const;
export type DisabledReason = (typeof DISABLED_REASONS)[number];

/** How an endpoint fares. Times are milliseconds since the epoch. */
export const endpointHealthSchema = z.object({
  version: z.literal(1),
  account: z.string().min(1),
  endpointId: z.string().min(1),
  state: z.enum(ENDPOINT_STATES),
  disabledReason: z.enum(DISABLED_REASONS).optional(),
  /** When it came into its state; absent where it was never in another. */
  stateAt: z.number().int().optional(),
  /** When its owner was told that it was disabled. */
  toldAt: z.number().int().optional(),
  /** Failures one after the other that another try could have mended. */
  failures: z.number().int().nonnegative(),
  /** How often the circuit opened one after the other. */
  openings: z.number().int().nonnegative(),
  /** Until when nothing is sent to it; after that, whoever changes this first may try. */
  openUntil: z.number().int().optional(),
  /** Since when nothing has succeeded. */
  failingSince: z.number().int().optional(),
  lastFailureAt: z.number().int().optional(),
  /** Until when it is taken for one whose answers take long. */
  slowUntil: z.number().int().optional(),
  /** Counts the changes. */
  revision: z.number().int().nonnegative(),
});
export type EndpointHealth = z.infer<typeof endpointHealthSchema>;

/** Of an endpoint of which nothing is known. */
export function goodHealth({ account, endpointId }: EndpointKey): EndpointHealth {
  return {
    version: 1,
    account,
    endpointId,
    state: "active",
    failures: 0,
    openings: 0,
    revision: 0,
  };
}

/**
 * What the result of a request means: `transient` may be mended by another try, `permanent` hardly,
 * `gone` is the endpoint's wish not to be asked again.
 */
export type Verdict = "delivered" | "transient" | "permanent" | "gone";

const GONE = 410;
const TRANSIENT_STATUSES = [408, 429];

/** Judges a result. A redirect is none of ours to follow. */
export function verdictOf(result: WebhookResult): Verdict {
  if (result.kind !== "answered") return result.kind === "refused" ? "permanent" : "transient";
  const { status } = result;
  if (status >= 200 && status < 300) return "delivered";
  if (status === GONE) return "gone";
  return status >= 500 || TRANSIENT_STATUSES.includes(status) ? "transient" : "permanent";
}

/** Failures one after the other that open the circuit. */
const FAILURES_TO_OPEN = 5;
const FIRST_BREAK_MS = 30_000;
const LONGEST_BREAK_MS = 15 * 60_000;
/** How long a try after a break may take, before somebody else may try. */
const PROBE_MS = 30_000;
/** Who fails for so long is not asked again. */
const FAILING_LIMIT_MS = 5 * 24 * 60 * 60_000;
/** Of a time in which nothing was tried nobody can say that it failed. */
const LONGEST_SILENCE_MS = 2 * 24 * 60 * 60_000;

/** How an attempt ended. Times are milliseconds since the epoch. */
export interface AttemptEnd {
  readonly verdict: Verdict;
  readonly now: number;
  /** When the endpoint wants to be asked again, where it said so. */
  readonly retryAt: number | undefined;
  /** Uniform in [0, 1). */
  readonly fraction: number;
  /** How long the answer took, in milliseconds. */
  readonly durationMs: number;
}

/** An endpoint's health after an attempt; undefined where it is as it was. */
export function afterAttempt(health: EndpointHealth, end: AttemptEnd): EndpointHealth | undefined {
  const slowness = slownessAfter(health, end);
  if (end.verdict === "delivered") {
    if (isWell(health) && !slowness) return undefined;
    return { ...recovered(health), ...slowness, revision: health.revision + 1 };
  }
  const failed = afterFailure(health, end);
  const reason = disabledBy(failed, end);
  return {
    ...failed,
    ...slowness,
    ...(reason && disabled(reason, end.now)),
    revision: health.revision + 1,
  };
}

/** Answers that take longer make an endpoint slow. */
const SLOW_MS = 3_000;
const SLOW_FOR_MS = 60_000;

/** Not for every slow answer, each of which would be a write. */
function slownessAfter({ slowUntil = 0 }: EndpointHealth, { now, durationMs }: AttemptEnd) {
  if (durationMs < SLOW_MS || slowUntil > now + SLOW_FOR_MS / 2) return undefined;
  return { slowUntil: now + SLOW_FOR_MS };
}

const isWell = ({ failures, openings, openUntil, failingSince }: EndpointHealth) =>
  failures === 0 && openings === 0 && openUntil === undefined && failingSince === undefined;

/** Without anything that speaks of failures. */
function recovered(health: EndpointHealth): EndpointHealth {
  const { openUntil: _, failingSince: __, lastFailureAt: ___, ...rest } = health;
  return { ...rest, failures: 0, openings: 0 };
}

function afterFailure(health: EndpointHealth, end: AttemptEnd): EndpointHealth {
  const { verdict, now, retryAt } = end;
  const { openUntil, lastFailureAt = now, failingSince = now, ...rest } = health;
  const streak = {
    failingSince: now - lastFailureAt > LONGEST_SILENCE_MS ? now : failingSince,
    lastFailureAt: now,
  };
  // It answers, if not as it should: nobody waits for it.
  if (verdict !== "transient") return { ...rest, ...streak, failures: 0, openings: 0 };
  const failures = health.failures + 1;
  const opens = failures >= FAILURES_TO_OPEN || openUntil !== undefined;
  if (!opens && retryAt === undefined) return { ...rest, ...streak, failures };
  const openings = health.openings + 1;
  const pause = Math.min(FIRST_BREAK_MS * 2 ** (openings - 1), LONGEST_BREAK_MS);
  const wanted = Math.min(Math.max(0, (retryAt ?? now) - now), LONGEST_BREAK_MS);
  return {
    ...rest,
    ...streak,
    failures,
    ...(opens && { openings }),
    openUntil: Math.round(now + Math.max(wanted, opens ? pause * (0.5 + end.fraction / 2) : 0)),
  };
}

function disabledBy(health: EndpointHealth, { verdict, now }: AttemptEnd) {
  if (health.state === "disabled") return undefined;
  if (verdict === "gone") return "gone";
  const { failingSince = now } = health;
  return now - failingSince >= FAILING_LIMIT_MS ? "failing" : undefined;
}

const disabled = (reason: DisabledReason, now: number) =>
  ({ state: "disabled", disabledReason: reason, stateAt: now }) as const;

/** The health of an endpoint that somebody now tries after a break: all others wait for what becomes of it. */
export function asProbed(health: EndpointHealth, now: number): EndpointHealth {
  return { ...health, openUntil: now + PROBE_MS, revision: health.revision + 1 };
}

/** An endpoint's health once its owner has put it into a state: what it failed at before is forgotten. */
export function inState(health: EndpointHealth, state: EndpointState, now: number): EndpointHealth {
  const { disabledReason: _, toldAt: __, ...rest } = recovered(health);
  return {
    ...rest,
    state,
    stateAt: now,
    ...(state === "disabled" && { disabledReason: "by-hand" }),
    revision: health.revision + 1,
  };
}

/** An endpoint's health once its owner was told that it is disabled. */
export function asTold(health: EndpointHealth, now: number): EndpointHealth {
  return { ...health, toldAt: now, revision: health.revision + 1 };
}
