import type { BlockedNumbers } from "./blocked-number.ts";
import type { Carrier, OutboundMessage, SendOutcome, SettledOutcome } from "./carrier.ts";
import type { HandOverRecord, PartsRecord, WholeRecord } from "./hand-over-record.ts";
import { type Message, type MessageRef, type Part, refOf } from "./message.ts";
import { handedOver, isBehindItsParts, stateOfParts, textsOfParts } from "./parts.ts";
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
  readonly messages: Pick<MessageStore, "claim" | "change" | "find">;
  readonly dispatchQueue: Pick<DispatchQueue, "enqueue" | "enqueueRecord">;
  readonly carrier: Carrier;
  readonly blockedNumbers: Pick<BlockedNumbers, "findBlocked">;
  readonly clock: Clock;
  readonly randomness: Pick<Randomness, "uuid" | "fraction">;
  readonly timeLimit: TimeLimit;
  /** How long a claim may take to be made use of, from the beginning of the message's turn. */
  readonly claimTimeoutMs: number;
  /** How long the carrier may take to answer; well within what the function has. */
  readonly carrierTimeoutMs: number;
  readonly backoff: BackoffPolicy;
  /** For how long nobody else may hand the message over; longer than a function can live. */
  readonly leaseMs: number;
  /** How long a lease that has run out is kept up for the record of its hand-over, which may wait in the queue. */
  readonly lastCallMs: number;
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
  startedAt = deps.clock.now(),
): Promise<DispatchOutcome> {
  const now = deps.clock.now();
  const lease = { token: deps.randomness.uuid(), until: now + deps.leaseMs };
  const claim = await deps.messages.claim(ref, { now, lease, carrier: deps.carrier.name });
  if (claim.kind === "absent") return { kind: "absent" };
  if (claim.kind === "refused") return handleRefusedClaim(deps, ref, claim.message, startedAt);
  // The time left may not do for the carrier's answer and its record: when the lease has run out.
  if (deps.clock.now() - startedAt > deps.claimTimeoutMs) throw new SlowClaimError();
  const handed = await handOver(deps, claim.message);
  return settle(deps, claim.message, { lease, handed, startedAt });
}

async function settle(
  deps: DispatchDependencies,
  claimed: Message,
  {
    lease,
    handed,
    startedAt,
  }: {
    readonly lease: HandOverRecord["lease"];
    readonly handed: readonly Handed[];
    readonly startedAt: number;
  },
): Promise<DispatchOutcome> {
  const base = { ref: refOf(claimed), lease, at: deps.clock.now() };
  const detail = handed.flatMap(({ outcome }) => ("detail" in outcome && outcome.detail) || [])[0];
  const settled = handed.flatMap(({ order, outcome }) =>
    outcome.kind === "unreachable" ? [] : [{ order, outcome }],
  );
  if (settled.length === 0 && !claimed.parts) {
    const outcome = await tryAgainOrFail(deps, claimed, base.at, {});
    return { ...(outcome ?? leftTo(claimed)), ...(detail && { detail }) };
  }
  const record: HandOverRecord = claimed.parts
    ? { ...base, parts: settled }
    : { ...base, outcome: (settled[0] as (typeof settled)[0]).outcome };
  const outcome = await writeDown(deps, record, claimed, startedAt);
  return { ...(detail && { detail }), ...outcome };
}

/** Pauses in milliseconds between the tries to write a hand-over down somewhere. */
const PAUSES_MS = [1_000, 2_000, 4_000, 8_000];
/** After so long, what is left of the function's time may not do for another try. */
const TRIES_END_AFTER_MS = 30_000;

/**
 * Records a hand-over, or keeps its record in the queue: were its reference to come back instead,
 * the message would be handed over a second time.
 *
 * @throws what the queue throws where it goes on failing, as the store does
 */
async function writeDown(
  deps: DispatchDependencies,
  record: HandOverRecord,
  claimed: Message,
  startedAt: number,
): Promise<DispatchOutcome> {
  for (let tries = 0; ; tries++) {
    try {
      return await recordHandOver(deps, record, tries === 0 ? claimed : undefined);
    } catch (error) {
      try {
        await deps.dispatchQueue.enqueueRecord(record);
        return { kind: "deferred", detail: nameOf(error) };
      } catch (failure) {
        const pauseMs = PAUSES_MS[tries];
        const isLate = deps.clock.now() - startedAt > TRIES_END_AFTER_MS;
        if (pauseMs === undefined || isLate) throw failure;
        await pause(deps, pauseMs);
      }
    }
  }
}

async function pause({ timeLimit }: DispatchDependencies, ms: number): Promise<void> {
  const never = new Promise<never>(() => {});
  await timeLimit.within(ms, never).catch(() => undefined);
}

/**
 * Writes down what became of a hand-over. Where somebody was faster (an early receipt, this very
 * record), theirs stands.
 *
 * @param claimed the message as it was claimed, where that is known
 * @throws whatever the store or, for parts that are to be tried again, the queue throws
 */
export async function recordHandOver(
  deps: DispatchDependencies,
  record: HandOverRecord,
  claimed?: Message,
): Promise<DispatchOutcome> {
  return "parts" in record ? recordParts(deps, record, claimed) : recordWhole(deps, record);
}

async function recordWhole(
  { messages }: DispatchDependencies,
  { ref, lease, outcome, at }: WholeRecord,
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
    case "rejected":
      return move(messages, seen, { ...settled, state: "FAILED", reason: outcome.reason });
    case "blocked":
      return move(messages, seen, { ...settled, state: "BLOCKED", reason: outcome.reason });
  }
}

/** Of as many receipts for parts at the same time, one wins each round. */
const RACES_LOST_BEFORE_GIVING_UP = 50;

/** Receipts for parts come while others are being handed over: both change the parts, one after the other. */
async function recordParts(
  deps: DispatchDependencies,
  record: PartsRecord,
  claimed: Message | undefined,
): Promise<DispatchOutcome> {
  const { account, id, traceId } = record.ref;
  let message = claimed;
  for (let lost = 0; lost < RACES_LOST_BEFORE_GIVING_UP; lost++) {
    message ??= await deps.messages.find(account, id);
    if (message?.traceId !== traceId) return { kind: "absent" };
    const isOurs = message.state === "SENDING" && message.lease?.token === record.lease.token;
    if (!isOurs || !message.parts) return catchUp(deps, message);
    const outcome = await moveWithParts(deps, message, record, message.parts);
    if (outcome) return outcome;
    message = undefined;
  }
  throw new Error("the message kept changing while its hand-over was recorded");
}

/** @returns undefined where somebody else changed the message */
async function moveWithParts(
  deps: DispatchDependencies,
  message: Message,
  record: PartsRecord,
  before: readonly Part[],
): Promise<DispatchOutcome | undefined> {
  const outcomes = new Map(record.parts.map(({ order, outcome }) => [order, outcome]));
  const parts = before.map((part, index) => {
    const outcome = outcomes.get(index + 1);
    return outcome ? handedOver(part, outcome) : part;
  });
  const target = stateOfParts(parts);
  if (!target) return tryAgainOrFail(deps, message, record.at, { parts });
  const changed = await deps.messages.change(message, {
    ...whatOutcomesTell(record.parts.map(({ outcome }) => outcome)),
    parts,
    stateAt: record.at,
    lease: undefined,
    ...(target.state === "FAILED" || target.state === "BLOCKED"
      ? target
      : {
          state: "SENT" as const,
          reason: target.state === "SENT" ? target.reason : undefined,
          sentAt: record.at,
        }),
  });
  if (!changed) return undefined;
  return isBehindItsParts(changed) ? catchUp(deps, changed) : movedTo(changed);
}

/** The operator and short code, by the first part whose outcome names them. */
function whatOutcomesTell(outcomes: readonly SettledOutcome[]): MessageChange {
  const operator = outcomes.find((outcome) => outcome.operator)?.operator;
  const shortCode = outcomes.flatMap((outcome) =>
    outcome.kind === "accepted" && outcome.shortCode ? [outcome.shortCode] : [],
  )[0];
  return { ...(operator && { operator }), ...(shortCode && { shortCode }) };
}

/**
 * Goes on where somebody stopped between two steps: a message whose parts are all further than it,
 * or one that was to be tried again and may be in no queue.
 */
async function catchUp(
  { messages, dispatchQueue, clock }: DispatchDependencies,
  message: Message,
): Promise<DispatchOutcome> {
  if (message.state === "QUEUED") {
    await dispatchQueue.enqueue(refOf(message), message.claimableFrom);
    return { kind: "deferred" };
  }
  const target = message.parts && stateOfParts(message.parts);
  if (message.state !== "SENT" || !target || !isBehindItsParts(message)) return leftTo(message);
  return move(messages, message, { ...target, stateAt: clock.now() });
}

const leftTo = ({ state }: Message): DispatchOutcome => ({ kind: "nothing-to-do", state });

const movedTo = ({ state, reason }: Message): DispatchOutcome => ({
  kind: "moved",
  state,
  ...(reason && { reason }),
});

const nameOf = (error: unknown) => (error instanceof Error ? error.name : "unknown");

/** A carrier whose answer did not come may have the message: handing it over again could double it. */
const unknownOutcome = (error: unknown): SendOutcome => ({
  kind: "rejected",
  reason: "internal-error",
  detail: nameOf(error),
});

/** What the carrier made of one SMS; `order` is 1 for the first part, and for a message of one. */
interface Handed {
  readonly order: number;
  readonly outcome: SendOutcome;
}

/** Hands over all parts that wait for it, side by side: one slow answer holds up no other. */
async function handOver(deps: DispatchDependencies, message: Message): Promise<Handed[]> {
  const total = message.parts?.length ?? 1;
  const waiting = textsOfParts(message)
    .map((text, index) => ({ text, order: index + 1 }))
    .filter(({ order }) => (message.parts?.[order - 1]?.state ?? "QUEUED") === "QUEUED");
  return Promise.all(
    waiting.map(async ({ text, order }) => ({
      order,
      outcome: await handOverOne(deps, message, {
        ref: refOf(message),
        destination: message.destination,
        text,
        ...(total > 1 && { part: { order, total } }),
        flash: message.flash,
        ...(message.expiresAt !== undefined && { expiresAt: message.expiresAt }),
      }),
    })),
  );
}

async function handOverOne(
  { carrier, timeLimit, carrierTimeoutMs, backoff }: DispatchDependencies,
  { attempts }: Message,
  outbound: OutboundMessage,
): Promise<SendOutcome> {
  // Only functions that died with the message in hand bring it here more often than that.
  if (attempts > backoff.maxAttempts) return unknownOutcome(new TooManyAttemptsError());
  try {
    return await timeLimit.within(carrierTimeoutMs, carrier.send(outbound));
  } catch (error) {
    return unknownOutcome(error);
  }
}

class SlowClaimError extends Error {
  override readonly name = "SlowClaimError";
}

class TooManyAttemptsError extends Error {
  override readonly name = "TooManyAttemptsError";
}

/** @returns undefined where somebody else changed the message */
async function tryAgainOrFail(
  deps: DispatchDependencies,
  claimed: Message,
  now: number,
  more: Pick<MessageChange, "parts">,
): Promise<DispatchOutcome | undefined> {
  const settled = { ...more, stateAt: now, lease: undefined };
  const pause = backoffMs(deps.backoff, claimed.attempts, deps.randomness.fraction());
  const opening = openingAt(claimed.window, now + pause);
  const tooLate = claimed.expiresAt !== undefined && opening.from >= claimed.expiresAt;
  if (claimed.attempts >= deps.backoff.maxAttempts || tooLate) {
    const failed = await deps.messages.change(claimed, {
      ...settled,
      state: "FAILED",
      reason: "operator-unreachable",
    });
    return failed && movedTo(failed);
  }
  const queued = await deps.messages.change(claimed, {
    ...settled,
    state: "QUEUED",
    ...claimable(claimed, opening),
  });
  // Should this fail, the reference comes back, finds QUEUED, and waits for its time again.
  if (queued) await deps.dispatchQueue.enqueue(refOf(claimed), opening.from);
  return queued && movedTo(queued);
}

/** A claim that failed says why through the message as it stands. */
async function handleRefusedClaim(
  deps: DispatchDependencies,
  ref: MessageRef,
  message: Message,
  startedAt: number,
): Promise<DispatchOutcome> {
  const now = deps.clock.now();
  switch (message.state) {
    case "SENDING":
      return awaitHolder(deps, ref, message, startedAt);
    case "SCHEDULED":
      if (message.claimableFrom > now) return defer(deps, ref, message.claimableFrom);
      return beginScheduled(deps, ref, message, startedAt);
    case "QUEUED":
      return handleUnclaimable(deps, ref, message, startedAt);
    case "SENT":
      return catchUp(deps, message);
    default:
      return { kind: "nothing-to-do", state: message.state };
  }
}

/**
 * Waits for who has a message. One whose lease has run out has died, or what became of its
 * hand-over waits in the queue, which could not be written down while the store was away. Now the
 * store answers, so the record has a last chance before the message is anybody's.
 */
async function awaitHolder(
  deps: DispatchDependencies,
  ref: MessageRef,
  message: Message,
  startedAt: number,
): Promise<DispatchOutcome> {
  const now = deps.clock.now();
  const { lease } = message;
  if (!lease || lease.until > now) return defer(deps, ref, lease?.until ?? now + deps.leaseMs);
  if (!lease.lastCall) {
    const until = now + deps.lastCallMs;
    await deps.messages.change(message, { lease: { ...lease, until, lastCall: true } });
    return defer(deps, ref, until);
  }
  // It is anybody's, but this is no time to send it.
  const left = await deps.messages.change(message, {
    state: "QUEUED",
    stateAt: now,
    lease: undefined,
  });
  return left ? handleUnclaimable(deps, ref, left, startedAt) : defer(deps, ref, now);
}

/** A message that has come due: since it was accepted its number may have been blocked. */
async function beginScheduled(
  deps: DispatchDependencies,
  ref: MessageRef,
  message: Message,
  startedAt: number,
): Promise<DispatchOutcome> {
  const { account, subAccount, destination } = message;
  const blocked = await deps.blockedNumbers.findBlocked(account, subAccount, [destination]);
  const reason = blocked.get(destination);
  const stateAt = deps.clock.now();
  if (reason) return move(deps.messages, message, { state: "BLOCKED", reason, stateAt });
  await deps.messages.change(message, { state: "QUEUED", stateAt });
  return dispatchMessage(deps, ref, startedAt);
}

/** A QUEUED message that may not be sent now: expired, too early, or outside its window. */
async function handleUnclaimable(
  deps: DispatchDependencies,
  ref: MessageRef,
  message: Message,
  startedAt: number,
): Promise<DispatchOutcome> {
  const now = deps.clock.now();
  if (message.expiresAt !== undefined && message.expiresAt <= now) {
    return move(deps.messages, message, { state: "EXPIRED", stateAt: now });
  }
  if (message.claimableFrom > now) return defer(deps, ref, message.claimableFrom);
  const opening = openingAt(message.window, now);
  await deps.messages.change(message, claimable(message, opening));
  return opening.from > now
    ? defer(deps, ref, opening.from)
    : dispatchMessage(deps, ref, startedAt);
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
  return moved ? movedTo(moved) : { kind: "nothing-to-do", state: change.state };
}
