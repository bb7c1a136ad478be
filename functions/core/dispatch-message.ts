import type { BlockedNumbers } from "./blocked-number.ts";
import type { Lane, OutboundMessage, SendOutcome, SettledOutcome } from "./carrier.ts";
import type { Candidate, CarrierPool, HandOverResult } from "./carrier-pool.ts";
import type { HandOverRecord, PartsRecord, WholeRecord } from "./hand-over-record.ts";
import { type Message, type MessageRef, type Part, refOf } from "./message.ts";
import { handedOver, isBehindItsParts, partCount, stateOfParts, textsOfParts } from "./parts.ts";
import type {
  Clock,
  DispatchQueue,
  MessageChange,
  MessageStore,
  Randomness,
  TimeLimit,
} from "./ports.ts";
import { type BackoffPolicy, backoffMs } from "./retry-schedule.ts";
import { segmentsOf } from "./segments.ts";
import { openingAt } from "./time.ts";

/** What dispatch needs. */
export interface DispatchDependencies {
  readonly messages: Pick<MessageStore, "claim" | "change" | "find">;
  readonly dispatchQueue: Pick<DispatchQueue, "enqueue" | "enqueueRecord">;
  readonly carriers: Pick<CarrierPool, "candidatesFor" | "take" | "note">;
  readonly lane: Lane;
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
  /** The carrier's rate leaves no room for it: to be put back until then (milliseconds since the epoch). */
  | { readonly kind: "held"; readonly until: number; readonly parts: number }
  | { readonly kind: "nothing-to-do"; readonly state: Message["state"] }
  | { readonly kind: "absent" }
);

type StateChange = MessageChange & { readonly state: Message["state"] };

/**
 * Hands one message to a carrier: claim, send, record. Any number of deliveries of the same
 * reference hand it over once, unless a function dies between the carrier's acceptance and the
 * record of it. A carrier that is certain not to have it is followed by the next.
 *
 * @param known the message, where it was read a moment ago
 * @throws whatever a store or queue throws; the queue then delivers the reference again
 */
export async function dispatchMessage(
  deps: DispatchDependencies,
  ref: MessageRef,
  startedAt = deps.clock.now(),
  known?: Message,
): Promise<DispatchOutcome> {
  const found = known ?? (await deps.messages.find(ref.account, ref.id));
  if (found?.traceId !== ref.traceId) return { kind: "absent" };
  if (!mayBeClaimed(found, deps.clock.now())) {
    return handleRefusedClaim(deps, ref, found, startedAt);
  }
  const candidates = await deps.carriers.candidatesFor(found);
  if (candidates.length === 0) return block(deps, found);
  const begun = await beginWith(deps, found, candidates);
  if (!begun) return hold(deps, found);
  const lease = await claimFor(deps, found, begun.candidates[0], startedAt);
  if (lease.kind === "absent") return { kind: "absent" };
  if (lease.kind === "refused") return handleRefusedClaim(deps, ref, lease.message, startedAt);
  const result = await handOver(deps, lease.message, begun.candidates, begun.leave);
  return settle(deps, result.message, { ...result, lease: lease.lease, startedAt });
}

/** How long a message waits in a function for its turn by the carrier's rate. */
const LEAVE_WAIT_MS = 2_000;
/** For how long what found no turn is put back, and by how much longer at random. */
const HELD_MS = 2_000;
const HELD_JITTER_MS = 4_000;

/** How much of its retention a message may spend waiting before that is begun anew. */
const HELD_PART_OF_RETENTION = 4;

type AtLeastOne<T> = readonly [T, ...T[]];

/**
 * Finds room at the first carrier. One that is only tried out is not waited for: the others do.
 * @returns undefined where there is no room within the time that a message waits
 */
async function beginWith(
  deps: DispatchDependencies,
  message: Message,
  candidates: readonly Candidate[],
): Promise<{ candidates: AtLeastOne<Candidate>; leave: number } | undefined> {
  const [first, ...others] = candidates;
  if (!first) return undefined;
  const waitMs = first.isTrial && others.length > 0 ? 0 : LEAVE_WAIT_MS;
  const leave = await deps.carriers.take(nameOfCarrier(first), smsFor(message, first), waitMs);
  if (leave > 0) return { candidates: [first, ...others], leave };
  return first.isTrial ? beginWith(deps, message, others) : undefined;
}

/** Puts a message back for a moment. What waits for long is kept for longer: it is yet to be told of. */
async function hold(deps: DispatchDependencies, message: Message): Promise<DispatchOutcome> {
  const { clock, randomness, messages } = deps;
  const until = clock.now() + HELD_MS + Math.round(randomness.fraction() * HELD_JITTER_MS);
  const retentionMs = message.removeAt * 1_000 - message.claimableFrom;
  if (until - message.claimableFrom > retentionMs / HELD_PART_OF_RETENTION) {
    await messages.change(message, claimable(message, openingAt(message.window, until)));
  }
  return { kind: "held", until, parts: partCount(message) };
}

/** There is no way to this phone. */
const block = ({ messages, clock }: DispatchDependencies, message: Message) =>
  move(messages, message, {
    state: "BLOCKED",
    reason: "no-coverage",
    stateAt: clock.now(),
    lease: undefined,
  });

/** What the store would say; it has the last word. */
function mayBeClaimed(message: Message, now: number): boolean {
  const { state, lease, claimableFrom, claimableUntil } = message;
  const isFree = state === "SENDING" && lease?.lastCall === true && lease.until <= now;
  return (state === "QUEUED" || isFree) && claimableFrom <= now && claimableUntil > now;
}

/** @throws SlowClaimError where the time left may not do for the carrier's answer and its record: when the lease has run out */
async function claimFor(
  deps: DispatchDependencies,
  known: Message,
  candidate: Candidate,
  startedAt: number,
) {
  const inTime = () => deps.clock.now() - startedAt <= deps.claimTimeoutMs;
  if (!inTime()) throw new SlowClaimError();
  const now = deps.clock.now();
  const lease = { token: deps.randomness.uuid(), until: now + deps.leaseMs };
  const carrier = nameOfCarrier(candidate);
  const claim = await deps.messages.claim(refOf(known), { now, lease, carrier, known });
  if (claim.kind === "claimed" && !inTime()) throw new SlowClaimError();
  return { ...claim, lease };
}

async function settle(
  deps: DispatchDependencies,
  claimed: Message,
  {
    lease,
    handed,
    held,
    triedLast,
    startedAt,
  }: HandOverResultOfAll & {
    readonly lease: HandOverRecord["lease"];
    readonly startedAt: number;
  },
): Promise<DispatchOutcome> {
  const base = { ref: refOf(claimed), lease, at: deps.clock.now() };
  const detail = handed.flatMap(({ outcome }) => ("detail" in outcome && outcome.detail) || [])[0];
  const settled = handed.flatMap(({ order, outcome }) =>
    outcome.kind === "unreachable" ? [] : [{ order, outcome }],
  );
  const carriersTried = withTried(claimed, triedLast);
  if (expiresSoon(claimed, base.at) && handed.every(isAboutMessage)) {
    const outcome = await awaitExpiry(deps, claimed, base.at, { carriersTried });
    if (outcome) return { ...outcome, ...(detail && { detail }) };
  }
  if (settled.length === 0 && !claimed.parts) {
    const outcome = await tryAgainOrFail(deps, claimed, base.at, { carriersTried });
    return { ...(outcome ?? leftTo(claimed)), ...(detail && { detail }) };
  }
  const record: HandOverRecord = claimed.parts
    ? { ...base, parts: settled, ...(held && settled.length > 0 && { held: true }) }
    : { ...base, outcome: (settled[0] as (typeof settled)[0]).outcome };
  const tried = { ...claimed, carriersTried };
  const outcome = await writeDown(deps, record, triedLast ? tried : claimed, startedAt);
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
  return "parts" in record
    ? recordParts(deps, record, claimed)
    : recordWhole(deps, record, claimed);
}

async function recordWhole(
  { messages }: DispatchDependencies,
  { ref, lease, outcome, at }: WholeRecord,
  claimed: Message | undefined,
): Promise<DispatchOutcome> {
  const message = claimed ?? (await messages.find(ref.account, ref.id));
  if (message?.traceId !== ref.traceId) return { kind: "absent" };
  const seen: Message = { ...message, state: "SENDING", lease };
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
  if (!target) {
    return record.held
      ? goOnSoon(deps, message, record.at, parts)
      : tryAgainOrFail(deps, message, record.at, { parts, ...carriersTriedBy(message) });
  }
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

/** What the carrier made of one part; `order` is 1 for the first, and for a message of one. */
interface Handed {
  readonly order: number;
  readonly outcome: SendOutcome;
}

/** What became of a message, at the carrier that had it last. */
interface HandOverResultOfAll {
  readonly handed: readonly Handed[];
  /** Whether some of its parts wait because of the carrier's rate. */
  readonly held: boolean;
  /** The carrier that could not take it, where none did. */
  readonly triedLast?: string | undefined;
}

/** Another carrier is only begun with while the function has time for all of its answer. */
const FAILOVER_WITHIN_MS = 2_000;

/** Hands a message to the first carrier that may have taken it, or said what is wrong with it. */
async function handOver(
  deps: DispatchDependencies,
  claimed: Message,
  candidates: AtLeastOne<Candidate>,
  leave: number,
): Promise<HandOverResultOfAll & { readonly message: Message }> {
  const startedAt = deps.clock.now();
  // Only functions that died with the message in hand bring it here more often than that.
  if (claimed.attempts > deps.backoff.maxAttempts) {
    const outcome = unknownOutcome(new TooManyAttemptsError());
    const handed = ordersOfWaiting(claimed).map((order) => ({ order, outcome }));
    return { message: claimed, handed, held: false };
  }
  const [first, ...others] = candidates;
  let at: Turn = { message: claimed, candidate: first, leave };
  for (;;) {
    const result = await handOverTo(deps, at.message, at.candidate, at.leave);
    const isTaken = result.handed.some(({ outcome }) => outcome.kind !== "unreachable");
    if (isTaken) return { message: at.message, ...result };
    const isLate = deps.clock.now() - startedAt > FAILOVER_WITHIN_MS;
    const next = isLate ? undefined : await goOn(deps, at.message, others);
    if (!next) return { message: at.message, ...result, triedLast: nameOfCarrier(at.candidate) };
    at = next;
  }
}

/** A message in the hand of one carrier, which has room for so many SMS. */
interface Turn {
  readonly message: Message;
  readonly candidate: Candidate;
  readonly leave: number;
}

/** How long the write between two carriers may take; the rest of the time is for the next one's answer. */
const GOING_ON_MS = 5_000;

/**
 * Goes on with the next carrier that has room now.
 * @param others those that are left; what is tried or has no room is taken off
 * @returns undefined where there is none, or where it cannot be written down who has the message
 */
async function goOn(
  deps: DispatchDependencies,
  message: Message,
  others: Candidate[],
): Promise<Turn | undefined> {
  const candidate = others.shift();
  if (!candidate) return undefined;
  const carrier = nameOfCarrier(candidate);
  const leave = await deps.carriers.take(carrier, smsFor(message, candidate), 0);
  if (leave === 0) return goOn(deps, message, others);
  const carriersTried = withTried(message, message.carrier);
  try {
    // Its receipt may be faster than the record of its answer, and only count if this is known.
    const change = deps.messages.change(message, { carrier, carriersTried });
    const changed = await deps.timeLimit.within(GOING_ON_MS, change);
    return changed && { message: changed, candidate, leave };
  } catch {
    // As if there were no other: it goes back to its queue, for which the store is asked again.
    return undefined;
  }
}

const withTried = ({ carriersTried = [] }: Message, carrier: string | undefined) =>
  carrier === undefined ? carriersTried : [...new Set([...carriersTried, carrier])];

const carriersTriedBy = ({ carriersTried }: Message) => carriersTried && { carriersTried };

const nameOfCarrier = ({ carrier }: Candidate) => carrier.name;

/** The parts that wait to be handed over, 1 for the first; of a message of one part that one. */
const ordersOfWaiting = ({ parts }: Message): number[] =>
  parts?.flatMap(({ state }, index) => (state === "QUEUED" ? [index + 1] : [])) ?? [1];

/** How many SMS a carrier is about to be handed. */
const smsFor = (message: Message, { carrier }: Candidate) =>
  carrier.takes === "whole"
    ? Math.max(...segmentsOf([message.text]).map(({ total }) => total))
    : ordersOfWaiting(message).length * smsPerPart(message);

/** How many SMS a part is over the air: more than one where it was counted in characters and needs UCS-2. */
const smsPerPart = (message: Message) =>
  Math.max(...segmentsOf(textsOfParts(message)).map(({ texts }) => texts.length));

/**
 * Hands over all parts that wait for it, side by side: one slow answer holds up no other.
 * @param leave for how many SMS there is room
 */
async function handOverTo(
  deps: DispatchDependencies,
  message: Message,
  candidate: Candidate,
  leave: number,
): Promise<HandOverResultOfAll> {
  const at = deps.clock.now();
  const waiting = ordersOfWaiting(message);
  const isWhole = candidate.carrier.takes === "whole" || !message.parts;
  const orders = isWhole
    ? waiting.slice(0, 1)
    : waiting.slice(0, Math.max(1, Math.floor(leave / smsPerPart(message))));
  const results = await Promise.all(
    outboundsOf(deps, message, candidate, isWhole ? undefined : orders).map((outbound) =>
      handOverOne(deps, candidate, outbound),
    ),
  );
  deps.carriers.note(nameOfCarrier(candidate), results.map(resultOf), at);
  const outcomes = results.map(({ outcome }) => outcome);
  const handed = isWhole
    ? waiting.map((order) => ({ order, outcome: outcomes[0] as SendOutcome }))
    : orders.map((order, index) => ({ order, outcome: outcomes[index] as SendOutcome }));
  return { handed, held: !isWhole && orders.length < waiting.length };
}

/** What a carrier is handed: the whole message, or these of its parts (1 for the first). */
function outboundsOf(
  { lane }: DispatchDependencies,
  message: Message,
  { sender }: Candidate,
  orders: readonly number[] | undefined,
): OutboundMessage[] {
  const texts = orders ? textsOfParts(message) : [message.text];
  const segments = segmentsOf(texts);
  return (orders ?? [1]).map((order) => ({
    ref: refOf(message),
    destination: message.destination,
    text: texts[order - 1] as string,
    ...(orders && { part: { order, total: texts.length } }),
    segments: segments[order - 1] as OutboundMessage["segments"],
    lane,
    ...(sender !== undefined && { sender }),
    flash: message.flash,
    ...(message.expiresAt !== undefined && { expiresAt: message.expiresAt }),
  }));
}

/** What the carrier answered, and whether it did. */
interface Answer {
  readonly outcome: SendOutcome;
  readonly isUnclear?: boolean;
}

const resultOf = ({ outcome, isUnclear }: Answer): HandOverResult =>
  isUnclear ? { kind: "unclear" } : outcome;

async function handOverOne(
  { timeLimit, carrierTimeoutMs }: DispatchDependencies,
  { carrier }: Candidate,
  outbound: OutboundMessage,
): Promise<Answer> {
  try {
    return { outcome: await timeLimit.within(carrierTimeoutMs, carrier.send(outbound)) };
  } catch (error) {
    return { outcome: unknownOutcome(error), isUnclear: true };
  }
}

class SlowClaimError extends Error {
  override readonly name = "SlowClaimError";
}

class TooManyAttemptsError extends Error {
  override readonly name = "TooManyAttemptsError";
}

const isAboutMessage = ({ outcome }: Handed) =>
  outcome.kind === "unreachable" && outcome.about === "message";

/** Carriers are told of an expiry in seconds or minutes. */
const EXPIRES_SOON_MS = 60_000;

const expiresSoon = ({ expiresAt }: Message, now: number) =>
  expiresAt !== undefined && expiresAt - now <= EXPIRES_SOON_MS;

/**
 * A message with which its carrier can do nothing any more, because it is about to expire, does so.
 * @returns undefined where somebody else changed the message
 */
async function awaitExpiry(
  deps: DispatchDependencies,
  claimed: Message,
  now: number,
  more: Pick<MessageChange, "carriersTried">,
): Promise<DispatchOutcome | undefined> {
  const at = claimed.expiresAt ?? now;
  return putBack(deps, claimed, { ...more, stateAt: now }, { from: at, until: at });
}

/** @returns undefined where somebody else changed the message */
async function putBack(
  { messages, dispatchQueue }: DispatchDependencies,
  claimed: Message,
  change: MessageChange,
  opening: { readonly from: number; readonly until: number },
): Promise<DispatchOutcome | undefined> {
  const queued = await messages.change(claimed, {
    ...change,
    state: "QUEUED",
    lease: undefined,
    ...claimable(claimed, opening),
  });
  // Should this fail, the reference comes back, finds QUEUED, and waits for its time again.
  if (queued) await dispatchQueue.enqueue(refOf(claimed), opening.from);
  return queued && movedTo(queued);
}

/** @returns undefined where somebody else changed the message */
async function tryAgainOrFail(
  deps: DispatchDependencies,
  claimed: Message,
  now: number,
  more: Pick<MessageChange, "parts" | "carriersTried">,
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
  return putBack(deps, claimed, settled, opening);
}

/** Goes on with parts that only the carrier's rate held back: this was no attempt that failed. */
async function goOnSoon(
  deps: DispatchDependencies,
  claimed: Message,
  now: number,
  parts: readonly Part[],
): Promise<DispatchOutcome | undefined> {
  const opening = openingAt(claimed.window, now + HELD_MS);
  const attempts = Math.max(0, claimed.attempts - 1);
  return putBack(deps, claimed, { parts: [...parts], stateAt: now, attempts }, opening);
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
  if (message.expiresAt === undefined || message.expiresAt > now) {
    return waitForOpening(deps, ref, message, startedAt);
  }
  const left = await deps.messages.change(message, {
    state: "QUEUED",
    stateAt: now,
    lease: undefined,
  });
  return left ? handleUnclaimable(deps, ref, left, startedAt) : defer(deps, ref, now);
}

/**
 * Waits for the window of a message, which stays in its state: one that a carrier may have stays in
 * that one's hand, for no other is to have it, too.
 */
async function waitForOpening(
  deps: DispatchDependencies,
  ref: MessageRef,
  message: Message,
  startedAt: number,
): Promise<DispatchOutcome> {
  const now = deps.clock.now();
  if (message.claimableFrom > now) return defer(deps, ref, message.claimableFrom);
  const opening = openingAt(message.window, now);
  await deps.messages.change(message, claimable(message, opening));
  return opening.from > now
    ? defer(deps, ref, opening.from)
    : dispatchMessage(deps, ref, startedAt);
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
  return waitForOpening(deps, ref, message, startedAt);
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
  seen: Message,
  change: StateChange,
): Promise<DispatchOutcome> {
  const moved = await messages.change(seen, change);
  return moved ? movedTo(moved) : { kind: "nothing-to-do", state: change.state };
}
