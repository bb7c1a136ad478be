import type { Account, Endpoint } from "./account.ts";
import { type Attempt, type Delivery, deliveryIdOf } from "./callback-delivery.ts";
import type { EndpointHealths } from "./callback-ports.ts";
import {
  type AttemptEnd,
  afterAttempt,
  asTold,
  type EndpointHealth,
  type EndpointKey,
  verdictOf,
} from "./endpoint-health.ts";
import { type EndpointDisabled, type TorpedoEvent, timeOfEvent } from "./events.ts";
import type {
  Clock,
  Directory,
  Randomness,
  WebhookClient,
  WebhookRequest,
  WebhookResult,
} from "./ports.ts";
import { CALLBACK_GIVE_UP_AFTER_MS, callbackPauseMs } from "./retry-schedule.ts";

/** Writes and signs what tells an endpoint of an event, in the words that it is told in. `at`: milliseconds since the epoch. */
export type FormatCallback = (
  event: TorpedoEvent,
  account: Account,
  endpoint: Endpoint,
  request: { readonly id: string; readonly at: number },
) => WebhookRequest;

/** What making requests, and knowing what they mean, needs. */
export interface AttemptDependencies {
  readonly directory: Pick<Directory, "findEndpoint">;
  readonly healths: Pick<EndpointHealths, "find" | "update">;
  readonly bus: {
    /** @returns the indices of the events that were not taken */
    publish(events: readonly EndpointDisabled[]): Promise<number[]>;
  };
  readonly webhook: WebhookClient;
  readonly format: FormatCallback;
  readonly clock: Clock;
  readonly randomness: Pick<Randomness, "fraction">;
}

/** A delivery with those whom it is about. */
export interface Addressed {
  readonly delivery: Delivery;
  readonly account: Account;
  readonly endpoint: Endpoint;
}

/** A request that was made, and what it means. */
export interface AttemptMade {
  readonly result: WebhookResult;
  readonly end: AttemptEnd;
  /** All of its delivery's, this one last. */
  readonly attempts: Attempt[];
  /** From what the event tells to the answer; milliseconds. */
  readonly sinceChangeMs: number;
}

/** What is to become of a delivery after a failure. */
export type Ending =
  | { readonly kind: "later"; readonly due: number; readonly cause: string }
  | { readonly kind: "given-up"; readonly cause: string };

/** Attempts after which answers that another try hardly mends are taken for the last word. */
const ATTEMPTS_AT_THE_IMPOSSIBLE = 3;
/** More of a delivery that was replayed again and again are not kept. */
const ATTEMPTS_KEPT = 50;
const RACES_LOST_BEFORE_LEAVING_IT = 5;

/** The request that tells an endpoint what a delivery says, as of now. @throws whatever the format throws */
export function writeRequest(
  deps: Pick<AttemptDependencies, "format" | "clock">,
  { delivery, account, endpoint }: Addressed,
): { readonly request: WebhookRequest; readonly at: number } {
  const at = deps.clock.now();
  const id = deliveryIdOf(delivery);
  return { request: deps.format(delivery.event, account, endpoint, { id, at }), at };
}

/** Makes a request. It changes nothing but what the endpoint knows. */
export async function makeAttempt(
  { webhook, clock, randomness }: Pick<AttemptDependencies, "webhook" | "clock" | "randomness">,
  delivery: Pick<Delivery, "event" | "attempts">,
  { request, at }: ReturnType<typeof writeRequest>,
): Promise<AttemptMade> {
  const result = await webhook.send(request);
  const now = clock.now();
  const verdict = verdictOf(result);
  const made: Attempt = {
    at,
    durationMs: result.durationMs,
    ...(result.kind === "answered"
      ? { status: result.status, answer: result.answer }
      : { failure: result.cause }),
    ...(verdict === "permanent" && { permanent: true }),
  };
  return {
    result,
    end: {
      verdict,
      now,
      retryAt: retryAtOf(result, now),
      fraction: randomness.fraction(),
      durationMs: result.durationMs,
    },
    attempts: addAttempts(delivery.attempts, [made]),
    sinceChangeMs: now - Date.parse(timeOfEvent(delivery.event)),
  };
}

/** The attempts that are kept of a delivery, with some more. */
export const addAttempts = (attempts: readonly Attempt[], more: readonly Attempt[]): Attempt[] =>
  [...attempts, ...more].slice(-ATTEMPTS_KEPT);

/**
 * What is to become of a delivery after a request that failed. Notes how the endpoint fares, and
 * tells its owner where it is disabled by this.
 */
export async function endOfFailure(
  deps: AttemptDependencies,
  { delivery, endpoint }: Addressed,
  { result, end, attempts }: AttemptMade,
): Promise<{
  readonly ending: Ending;
  readonly health: EndpointHealth;
  /** Whether this was the attempt by which its endpoint was disabled. */
  readonly disabled: boolean;
}> {
  const { health, disabled } = await noteHealth(deps, endpoint, end);
  const known = { health, disabled };
  if (health.state === "disabled") {
    if (disabled) await tellOwner(deps, health);
    return { ...known, ending: { kind: "given-up", cause: disablementOf(health) } };
  }
  const cause = causeOf(result);
  const begunAt = delivery.deadline - CALLBACK_GIVE_UP_AFTER_MS;
  const hopeless = attempts.filter(({ at, permanent }) => permanent && at >= begunAt).length;
  if (hopeless >= ATTEMPTS_AT_THE_IMPOSSIBLE) {
    return { ...known, ending: { kind: "given-up", cause } };
  }
  const due = end.now + callbackPauseMs(delivery.step, end.fraction);
  if (due > delivery.deadline) return { ...known, ending: { kind: "given-up", cause } };
  // Who wants to be asked too late is asked a last time while there is time.
  const wanted = Math.min(Math.max(due, end.retryAt ?? 0), delivery.deadline);
  return { ...known, ending: { kind: "later", due: Math.round(wanted), cause } };
}

/** Writes down how an endpoint fares. Where others keep being faster, it is theirs that is known. */
export async function noteHealth(
  { healths }: Pick<AttemptDependencies, "healths">,
  endpoint: EndpointKey,
  end: AttemptEnd,
): Promise<{ readonly health: EndpointHealth; readonly disabled: boolean }> {
  for (let lost = 0; ; lost++) {
    const health = await healths.find(endpoint);
    const after = afterAttempt(health, end);
    if (!after || lost === RACES_LOST_BEFORE_LEAVING_IT) return { health, disabled: false };
    if (await healths.update(health, after)) {
      return { health: after, disabled: after.state !== health.state };
    }
  }
}

/** Why what an endpoint is not told is not told, where it is disabled. */
export const disablementOf = ({ disabledReason = "by-hand" }: EndpointHealth) =>
  `the endpoint is disabled: ${disabledReason}`;

/** Tells the bus, once as a rule, that an endpoint is disabled by what it does; who disables it by hand knows. */
export async function tellOwner(
  deps: Pick<AttemptDependencies, "directory" | "healths" | "bus" | "clock">,
  health: EndpointHealth,
): Promise<void> {
  const { account, endpointId, disabledReason: reason, failingSince } = health;
  const { stateAt = deps.clock.now() } = health;
  if (reason !== "gone" && reason !== "failing") return;
  const endpoint = await deps.directory.findEndpoint(account, endpointId);
  if (!endpoint) return;
  const refused = await deps.bus.publish([
    {
      version: 1,
      eventId: `${endpointId}.disabled.${stateAt}`,
      account,
      ...(endpoint.subAccount !== undefined && { subAccount: endpoint.subAccount }),
      endpointId,
      // The rest of it can hold what lets people in.
      origin: new URL(endpoint.url).origin,
      reason,
      ...(failingSince !== undefined && { failingSince: new Date(failingSince).toISOString() }),
      at: new Date(stateAt).toISOString(),
    },
  ]);
  if (refused.length > 0) throw new Error("the bus did not take that an endpoint is disabled");
  await deps.healths.update(health, asTold(health, deps.clock.now()));
}

/** Why a request failed, for people. */
export const causeOf = (result: WebhookResult) =>
  result.kind === "answered" ? `HTTP ${result.status}` : result.cause;

/** When an endpoint wants to be asked again (RFC 9110, section 10.2.3): in seconds, or at a date. */
function retryAtOf(result: WebhookResult, now: number): number | undefined {
  if (result.kind !== "answered" || result.retryAfter === undefined) return undefined;
  const written = result.retryAfter.trim();
  const at = /^\d{1,9}$/.test(written) ? now + Number(written) * 1_000 : Date.parse(written);
  return Number.isNaN(at) || at <= now ? undefined : at;
}
