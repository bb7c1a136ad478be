import {
  type Addressed,
  type AttemptDependencies,
  causeOf,
  disablementOf,
  endOfFailure,
  makeAttempt,
  noteHealth,
  tellOwner,
  writeRequest,
} from "./attempt-callback.ts";
import {
  type Delivery,
  type DeliveryKey,
  type DeliveryTurn,
  isSettled,
  keyOfDelivery,
} from "./callback-delivery.ts";
import type { CallbackQueue, Deliveries, DeliveryChange } from "./callback-ports.ts";
import { begunAnew, turnOf } from "./deliver-callbacks.ts";
import { asProbed, type EndpointHealth } from "./endpoint-health.ts";
import type { EndpointLanes } from "./endpoint-lanes.ts";
import type { Directory, WebhookResult } from "./ports.ts";
import { CALLBACK_GIVE_UP_AFTER_MS, callbackPauseMs } from "./retry-schedule.ts";

/** What taking the turns of deliveries needs. */
export interface TurnDependencies extends AttemptDependencies {
  readonly directory: Pick<Directory, "findAccount" | "findEndpoint">;
  readonly deliveries: Pick<Deliveries, "find" | "record">;
  readonly lanes: EndpointLanes;
  readonly queue: Pick<CallbackQueue, "enqueue" | "enqueueLater" | "giveUp">;
  /** For how long it is known what endpoints were told, or are to be told once they are resumed. */
  readonly retentionMs: number;
}

/**
 * How a turn ended.
 * - `delivered`, `will-retry`, `given-up`: after a request
 * - `deferred`: without one, because the endpoint does not answer; `busy`: because it is talked to already
 * - `aside`: put behind the retries, because the endpoint's answers take long
 * - `waiting`, `held`: until something else happens
 * - `dropped`: the endpoint is gone, or disabled
 * - `stale`, `absent`: there was nothing to do any more
 */
export type TurnKind =
  | "delivered"
  | "will-retry"
  | "given-up"
  | "deferred"
  | "busy"
  | "aside"
  | "waiting"
  | "held"
  | "dropped"
  | "stale"
  | "absent";

/** How a turn ended, for the log and the metrics. `sinceChangeMs`: from what the event tells to now. */
export interface TurnOutcome {
  readonly kind: TurnKind;
  readonly result?: WebhookResult;
  readonly sinceChangeMs?: number;
  /** Whether this was the attempt by which its endpoint was disabled. */
  readonly disabled?: boolean;
}

/** No function lives longer. */
const LONGEST_LIFE_MS = 90_000;
const SHORTEST_WAIT_FOR_SLOT_MS = 1_000;
const LONGEST_WAIT_FOR_SLOT_MS = 5 * 60_000;

/** A turn with all that was read for it. */
interface Taken extends Addressed {
  readonly turn: DeliveryTurn;
}

/**
 * Takes one turn of a delivery: a request to its endpoint, where that may be now. What comes next
 * is in the queue before the turn is recorded, and recording makes all copies of the turn stale, so
 * that no crash loses a delivery and no copy multiplies it; a crash between the endpoint's answer
 * and the record repeats the request, with the same `webhook-id`.
 *
 * @param isRedelivery whether this very message was here before, and whoever had it may have died
 * @throws whatever the stores and queues throw; the turn is then to come again
 */
export async function takeTurn(
  deps: TurnDependencies,
  turn: DeliveryTurn,
  isRedelivery: boolean,
): Promise<TurnOutcome> {
  const { directory, deliveries } = deps;
  const delivery = await deliveries.find(turn);
  if (!delivery) return { kind: "absent" };
  if (turn.turn < delivery.turn) {
    if (isRedelivery) await makeUp(deps, delivery);
    return { kind: "stale" };
  }
  const [account, endpoint] = await Promise.all([
    directory.findAccount(turn.account),
    directory.findEndpoint(turn.account, turn.endpointId),
  ]);
  if (!account || !endpoint) return drop(deps, turn, "the endpoint was removed");
  const taken = { turn, delivery, account, endpoint };
  if (turn.level === "test") return test(deps, taken);
  const next = await awaitPredecessor(deps, taken);
  if (typeof next === "string") return { kind: next };
  return askHealth(deps, next);
}

/** Does what somebody who stored a delivery, or recorded a turn of it, may not have got to. */
export async function makeUp(deps: TurnDependencies, delivery: Delivery): Promise<void> {
  if (isSettled(delivery)) return releaseSuccessor(deps, delivery);
  if (delivery.state === "waiting" && !(await isFree(deps, delivery))) return;
  if (delivery.state === "held" && (await deps.healths.find(delivery)).state === "paused") return;
  // As a rule its next turn is under way already, and comes no earlier for a copy.
  const pause = callbackPauseMs(delivery.step, deps.randomness.fraction());
  const next = { ...turnOf(delivery), aside: true } as const;
  await deps.queue.enqueueLater(next, deps.clock.now() + pause);
}

/** Whether what is to be told before a delivery was taken, or given up. */
async function isFree({ deliveries }: TurnDependencies, key: DeliveryKey): Promise<boolean> {
  if (key.level !== "delivered") return true;
  const before = await deliveries.find({ ...keyOfDelivery(key), level: "sent" });
  return !before || isSettled(before);
}

/**
 * Parks a delivery that is not to be told before another, and takes it up again if it was parked.
 * @returns the turn to go on with, or why this one is over
 */
async function awaitPredecessor(
  deps: TurnDependencies,
  taken: Taken,
): Promise<Taken | "waiting" | "stale"> {
  let next: Taken | undefined = taken;
  if (!(await isFree(deps, taken.turn))) {
    next = await recordParked(deps, taken, { state: "waiting" });
    if (!next) return "stale";
    // Its predecessor may have been settled before it could be seen to wait.
    if (!(await isFree(deps, taken.turn))) return "waiting";
  }
  const { state } = next.delivery;
  if (state !== "waiting" && state !== "held") return next;
  // Several may find out that it need not wait any more: one goes on with it.
  const { clock, retentionMs } = deps;
  const anew = begunAnew(next.delivery, { now: clock.now(), retentionMs });
  return (await recordParked(deps, next, anew)) ?? "stale";
}

/** @returns the turn after it; undefined where somebody else has recorded this one */
async function recordParked(
  { deliveries }: TurnDependencies,
  taken: Taken,
  change: DeliveryChange,
): Promise<Taken | undefined> {
  const { turn } = taken;
  const next = { ...turn, turn: turn.turn + 1 };
  const delivery = await deliveries.record(turn, { ...change, turn: next.turn });
  return delivery && { ...taken, turn: next, delivery };
}

async function askHealth(deps: TurnDependencies, taken: Taken): Promise<TurnOutcome> {
  const health = await deps.healths.find(taken.endpoint);
  const withoutRequest = await standAside(deps, taken, health);
  if (withoutRequest) return withoutRequest;
  if (isSlow(deps, health) && !taken.turn.aside) return putAside(deps, taken);
  const outcome = await deps.lanes.inTurn(taken.endpoint, () => attemptInLane(deps, taken));
  return outcome ?? waitForSlot(deps, taken);
}

const isSlow = ({ clock }: TurnDependencies, { slowUntil = 0 }: EndpointHealth) =>
  slowUntil > clock.now();

/** Among the first turns, nobody is to wait for a function that waits for a slow endpoint. */
async function putAside(deps: TurnDependencies, { turn }: Taken): Promise<TurnOutcome> {
  await deps.queue.enqueueLater({ ...turn, aside: true }, deps.clock.now());
  return { kind: "aside" };
}

/** Ends a turn for which there is to be no request now. @returns undefined where there may be one */
async function standAside(
  deps: TurnDependencies,
  taken: Taken,
  health: EndpointHealth,
): Promise<TurnOutcome | undefined> {
  if (health.state === "paused") return hold(deps, taken);
  if (health.state === "disabled") return refuse(deps, taken, health);
  const { openUntil = 0 } = health;
  return openUntil > deps.clock.now() ? defer(deps, taken, openUntil) : undefined;
}

async function hold(deps: TurnDependencies, taken: Taken): Promise<TurnOutcome> {
  const now = deps.clock.now();
  const { retentionMs } = deps;
  const next = await recordParked(deps, taken, {
    state: "held",
    settledAt: now,
    removeAt: begunAnew(taken.delivery, { now, retentionMs }).removeAt,
  });
  if (!next) return { kind: "stale" };
  const health = await deps.healths.find(taken.endpoint);
  // Resumed before it could be seen to be held.
  if (health.state !== "paused") await deps.queue.enqueue([next.turn]);
  return { kind: "held" };
}

/** What was to be told before the endpoint failed for good is set aside for people; else it is only written down. */
async function refuse(
  deps: TurnDependencies,
  { turn, delivery }: Taken,
  health: EndpointHealth,
): Promise<TurnOutcome> {
  const { stateAt = 0, toldAt } = health;
  // Whoever disabled it tells, unless it has died before it could.
  const isForUs = toldAt === undefined && stateAt < deps.clock.now() - LONGEST_LIFE_MS;
  if (isForUs) await tellOwner(deps, health);
  const cause = disablementOf(health);
  const isExpected = health.disabledReason === "by-hand" || delivery.createdAt > stateAt;
  if (!isExpected) await deps.queue.giveUp(turn, cause);
  return drop(deps, turn, cause);
}

async function drop(deps: TurnDependencies, turn: DeliveryTurn, cause: string) {
  await settle(deps, turn, { state: "failed", cause });
  return { kind: "dropped" } as const;
}

/** Much may have become known of the endpoint while others were talking to it; after a break one alone tries it. */
async function attemptInLane(deps: TurnDependencies, taken: Taken): Promise<TurnOutcome> {
  const [health, delivery] = await Promise.all([
    deps.healths.find(taken.endpoint),
    deps.deliveries.find(taken.turn),
  ]);
  // A copy of the turn was faster.
  if (!delivery || delivery.turn > taken.turn.turn) return { kind: "stale" };
  const withoutRequest = await standAside(deps, taken, health);
  if (withoutRequest) return withoutRequest;
  const { openUntil } = health;
  if (openUntil === undefined) return attempt(deps, taken);
  const isOurs = await deps.healths.update(health, asProbed(health, deps.clock.now()));
  return isOurs ? attempt(deps, taken) : defer(deps, taken, openUntil);
}

/** A delivery to an endpoint that does not answer moves on in the schedule without a request. */
async function defer(
  deps: TurnDependencies,
  { turn, delivery }: Taken,
  openUntil: number,
): Promise<TurnOutcome> {
  const now = deps.clock.now();
  const fraction = deps.randomness.fraction();
  const closing = openUntil + Math.max(0, openUntil - now) * fraction;
  const due = Math.max(now + callbackPauseMs(delivery.step, fraction), closing);
  if (due > delivery.deadline) return giveUp(deps, turn, "the endpoint does not answer", {});
  await putOff(deps, turn, delivery, due, {});
  return { kind: "deferred" };
}

/**
 * For how long to wait for a slot, or for whoever is faster; milliseconds. Who has waited longer
 * waits longer, so that a crowd costs little.
 * @param since when the waiting began
 */
export function waitForSlotMs(
  { clock, randomness }: Pick<TurnDependencies, "clock" | "randomness">,
  since: number,
): number {
  const longest = Math.min(
    Math.max(clock.now() - since, 2 * SHORTEST_WAIT_FOR_SLOT_MS),
    LONGEST_WAIT_FOR_SLOT_MS,
  );
  return longest * (0.5 + randomness.fraction() / 2);
}

async function waitForSlot(
  deps: TurnDependencies,
  { turn, delivery }: Taken,
): Promise<TurnOutcome> {
  const now = deps.clock.now();
  if (now > delivery.deadline) return giveUp(deps, turn, "the endpoint was busy for too long", {});
  const waitMs = waitForSlotMs(deps, delivery.deadline - CALLBACK_GIVE_UP_AFTER_MS);
  if (turn.aside) await deps.queue.enqueueLater(turn, now + Math.round(waitMs));
  else await deps.queue.enqueue([turn], Math.ceil(waitMs / 1_000));
  return { kind: "busy" };
}

async function attempt(deps: TurnDependencies, taken: Taken): Promise<TurnOutcome> {
  const { turn, delivery, endpoint } = taken;
  const made = await makeAttempt(deps, delivery, writeRequest(deps, taken));
  const { result, end, attempts, sinceChangeMs } = made;
  const measured = { result, sinceChangeMs };
  if (end.verdict === "delivered") {
    await settle(deps, turn, { state: "delivered", cause: undefined, attempts });
    await noteHealth(deps, endpoint, end);
    return { kind: "delivered", ...measured };
  }
  const { ending, disabled } = await endOfFailure(deps, taken, made);
  if (ending.kind === "given-up") {
    const ended = await giveUp(deps, turn, ending.cause, { attempts });
    return { ...ended, ...measured, ...(disabled && { disabled }) };
  }
  await putOff(deps, turn, delivery, ending.due, { attempts });
  return { kind: "will-retry", ...measured };
}

/** An attempt that its owner has asked for: whatever the endpoint's state, and once. */
async function test(deps: TurnDependencies, taken: Taken): Promise<TurnOutcome> {
  const outcome = await deps.lanes.inTurn(taken.endpoint, async () => {
    const made = await makeAttempt(deps, taken.delivery, writeRequest(deps, taken));
    const { result, end, attempts } = made;
    const isTaken = end.verdict === "delivered";
    await settle(deps, taken.turn, {
      ...(isTaken ? { state: "delivered" } : { state: "failed", cause: causeOf(result) }),
      attempts,
    });
    return { kind: isTaken ? "delivered" : "given-up", result } as const;
  });
  return outcome ?? waitForSlot(deps, taken);
}

/** Puts a delivery's next turn into the queue, then records this one. */
async function putOff(
  deps: TurnDependencies,
  turn: DeliveryTurn,
  delivery: Delivery,
  due: number,
  change: DeliveryChange,
): Promise<void> {
  const next: DeliveryTurn = { ...keyOfDelivery(turn), turn: turn.turn + 1, aside: true };
  await deps.queue.enqueueLater(next, Math.round(due));
  await deps.deliveries.record(turn, {
    ...change,
    state: "pending",
    turn: next.turn,
    step: delivery.step + 1,
  });
}

async function giveUp(
  deps: TurnDependencies,
  turn: DeliveryTurn,
  cause: string,
  change: DeliveryChange,
): Promise<TurnOutcome> {
  await deps.queue.giveUp(turn, cause);
  await settle(deps, turn, { ...change, state: "failed", cause });
  return { kind: "given-up" };
}

/** Ends a delivery, unless its turn is over, and lets go on what waits for it. */
export async function settle(
  deps: Pick<TurnDependencies, "deliveries" | "queue" | "clock">,
  turn: DeliveryTurn,
  change: DeliveryChange,
): Promise<void> {
  const settled = await deps.deliveries.record(turn, {
    ...change,
    // Not even what a copy of this turn has put on its way comes after it.
    turn: turn.turn + 2,
    settledAt: deps.clock.now(),
  });
  if (settled) await releaseSuccessor(deps, settled);
}

/** What waits for a delivery goes on once that is settled. */
async function releaseSuccessor(
  { deliveries, queue }: Pick<TurnDependencies, "deliveries" | "queue">,
  settled: Delivery,
): Promise<void> {
  if (settled.level !== "sent") return;
  const waiting = await deliveries.find({ ...keyOfDelivery(settled), level: "delivered" });
  if (waiting?.state === "waiting") await queue.enqueue([turnOf(waiting)]);
}
