import type { Carrier, OutboundMessage, SendOutcome } from "./carrier.ts";
import type { HandOverRecord } from "./hand-over-record.ts";
import { type Message, type MessageRef, refOf } from "./message.ts";
import type {
  Clock,
  DispatchQueue,
  MessageChange,
  MessageSeen,
  MessageStore,
  Randomness,
  TimeLimit,
} from "./ports.ts";
import { type BackoffPolicy, backoffMs } from "./retry-schedule.ts";
import { openingAt } from "./time.ts";

/** What dispatch needs. */
export interface DispatchDependencies {
  readonly messages: Pick<MessageStore, "claim" | "change">;
  readonly dispatchQueue: DispatchQueue;
  readonly carrier: Carrier;
  readonly clock: Clock;
  readonly randomness: Pick<Randomness, "uuid" | "fraction">;
  readonly timeLimit: TimeLimit;
  /** How long the carrier may take to answer; well within what the function has. */
  readonly carrierTimeoutMs: number;
  readonly backoff: BackoffPolicy;
  /** For how long nobody else may hand the message over; longer than a function can live. */
  readonly leaseMs: number;
}

/**
 * How one turn of dispatch ended: the state it left the message in, or why it did nothing. In
 * every case but a thrown error the queue's message has done its work.
 */
export type DispatchOutcome = { readonly detail?: string } & (
  | {
      readonly kind: "moved";
      readonly state: Message["state"];
      readonly reason?: Message["reason"];
    }
  | { readonly kind: "deferred" }
  | { readonly kind: "nothing-to-do"; readonly state: Message["state"] }
  | { readonly kind: "absent" }
);

type StateChange = MessageChange & { readonly state: Message["state"] };

/**
 * Hands one message to the carrier: claim, send, record. Any number of deliveries of the same
 * reference hand it over once, unless a function dies between the carrier's acceptance and the
 * record of it.
 *
 * @throws whatever a store or queue throws; the queue then delivers the reference again
 */
export async function dispatchMessage(
  deps: DispatchDependencies,
  ref: MessageRef,
): Promise<DispatchOutcome> {
  const now = deps.clock.now();
  const lease = { token: deps.randomness.uuid(), until: now + deps.leaseMs };
  const claim = await deps.messages.claim(ref, { now, lease, carrier: deps.carrier.name });
  if (claim.kind === "absent") return { kind: "absent" };
  if (claim.kind === "refused") return handleRefusedClaim(deps, ref, claim.message, now);
  return settle(deps, claim.message, lease, await handOver(deps, claim.message));
}

async function settle(
  deps: DispatchDependencies,
  claimed: Message,
  lease: HandOverRecord["lease"],
  outcome: SendOutcome,
): Promise<DispatchOutcome> {
  const at = deps.clock.now();
  if (outcome.kind === "unreachable") return tryAgainOrFail(deps, claimed, at, outcome.detail);
  const record: HandOverRecord = { ref: refOf(claimed), lease, outcome, at };
  try {
    return await recordHandOver(deps, record);
  } catch (error) {
    // Were this reference to come back instead, the message would be handed over a second time.
    await deps.dispatchQueue.enqueueRecord(record);
    return { kind: "deferred", detail: nameOf(error) };
  }
}

/**
 * Writes down what became of a hand-over. Where somebody was faster (an early receipt, this very
 * record), theirs stands.
 *
 * @throws whatever the store throws
 */
export async function recordHandOver(
  { messages }: Pick<DispatchDependencies, "messages">,
  { ref, lease, outcome, at }: HandOverRecord,
): Promise<DispatchOutcome> {
  const seen: MessageSeen = { ...ref, state: "SENDING", lease };
  const settled = { stateAt: at, lease: undefined, operator: outcome.operator };
  switch (outcome.kind) {
    case "accepted":
      return move(messages, seen, {
        ...settled,
        state: "SENT",
        reason: outcome.receipts ? undefined : "no-receipts",
        sentAt: at,
        carrierMessageId: outcome.carrierMessageId,
        shortCode: outcome.shortCode,
      });
    case "rejected": {
      const failed: StateChange = { ...settled, state: "FAILED", reason: outcome.reason };
      const { detail } = outcome;
      return { ...(await move(messages, seen, failed)), ...(detail && { detail }) };
    }
    case "blocked":
      return move(messages, seen, { ...settled, state: "BLOCKED", reason: outcome.reason });
  }
}

const nameOf = (error: unknown) => (error instanceof Error ? error.name : "unknown");

/** A carrier whose answer did not come may have the message: handing it over again could double it. */
const unknownOutcome = (error: unknown): SendOutcome => ({
  kind: "rejected",
  reason: "internal-error",
  detail: nameOf(error),
});

async function handOver(
  { carrier, timeLimit, carrierTimeoutMs, backoff }: DispatchDependencies,
  message: Message,
): Promise<SendOutcome> {
  // Only functions that died with the message in hand bring it here more often than that.
  if (message.attempts > backoff.maxAttempts) return unknownOutcome(new TooManyAttemptsError());
  const outbound: OutboundMessage = {
    ref: refOf(message),
    destination: message.destination,
    text: message.text,
    flash: message.flash,
    ...(message.expiresAt !== undefined && { expiresAt: message.expiresAt }),
  };
  try {
    return await timeLimit.within(carrierTimeoutMs, carrier.send(outbound));
  } catch (error) {
    return unknownOutcome(error);
  }
}

class TooManyAttemptsError extends Error {
  override readonly name = "TooManyAttemptsError";
}

async function tryAgainOrFail(
  deps: DispatchDependencies,
  claimed: Message,
  now: number,
  detail: string,
): Promise<DispatchOutcome> {
  const settled = { stateAt: now, lease: undefined };
  const pause = backoffMs(deps.backoff, claimed.attempts, deps.randomness.fraction());
  const opening = openingAt(claimed.window, now + pause);
  const tooLate = claimed.expiresAt !== undefined && opening.from >= claimed.expiresAt;
  if (claimed.attempts >= deps.backoff.maxAttempts || tooLate) {
    const failed: StateChange = { ...settled, state: "FAILED", reason: "operator-unreachable" };
    return { ...(await move(deps.messages, claimed, failed)), detail };
  }
  const queued: StateChange = { ...settled, state: "QUEUED", ...claimable(claimed, opening) };
  const outcome = await move(deps.messages, claimed, queued);
  // Should this fail, the reference comes back, finds QUEUED, and waits for its time again.
  if (outcome.kind === "moved") await deps.dispatchQueue.enqueue(refOf(claimed), opening.from);
  return { ...outcome, detail };
}

/** A claim that failed says why through the message as it stands. */
async function handleRefusedClaim(
  deps: DispatchDependencies,
  ref: MessageRef,
  message: Message,
  now: number,
): Promise<DispatchOutcome> {
  switch (message.state) {
    case "SENDING":
      return defer(deps, ref, message.lease?.until ?? now + deps.leaseMs);
    case "SCHEDULED":
      if (message.claimableFrom > now) return defer(deps, ref, message.claimableFrom);
      await deps.messages.change(message, { state: "QUEUED", stateAt: now });
      return dispatchMessage(deps, ref);
    case "QUEUED":
      return handleUnclaimable(deps, ref, message, now);
    default:
      return { kind: "nothing-to-do", state: message.state };
  }
}

/** A QUEUED message that may not be sent now: expired, too early, or outside its window. */
async function handleUnclaimable(
  deps: DispatchDependencies,
  ref: MessageRef,
  message: Message,
  now: number,
): Promise<DispatchOutcome> {
  if (message.expiresAt !== undefined && message.expiresAt <= now) {
    return move(deps.messages, message, { state: "EXPIRED", stateAt: now });
  }
  if (message.claimableFrom > now) return defer(deps, ref, message.claimableFrom);
  const opening = openingAt(message.window, now);
  await deps.messages.change(message, claimable(message, opening));
  return opening.from > now ? defer(deps, ref, opening.from) : dispatchMessage(deps, ref);
}

/** When a message with this opening may be claimed, its expiry considered, and how long it is kept. */
function claimable(message: Message, opening: { from: number; until: number }) {
  return {
    claimableFrom: opening.from,
    claimableUntil: Math.min(opening.until, message.expiresAt ?? opening.until),
    removeAt:
      message.removeAt + Math.max(0, Math.ceil((opening.from - message.claimableFrom) / 1_000)),
  };
}

async function defer(
  deps: DispatchDependencies,
  ref: MessageRef,
  until: number,
): Promise<DispatchOutcome> {
  await deps.dispatchQueue.enqueue(ref, until);
  return { kind: "deferred" };
}

/** Records a change; where somebody was faster, theirs stands. */
async function move(
  messages: Pick<MessageStore, "change">,
  seen: MessageSeen,
  change: StateChange,
): Promise<DispatchOutcome> {
  const moved = await messages.change(seen, change);
  return moved
    ? { kind: "moved", state: moved.state, ...(moved.reason && { reason: moved.reason }) }
    : { kind: "nothing-to-do", state: change.state };
}
