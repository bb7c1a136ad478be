import { makeMessage, refuse, type SendRequest, type SendResult } from "./accept-message.ts";
import type { Account } from "./account.ts";
import { type AdmissionDependencies, withinLimits, withoutBlocked } from "./admit.ts";
import { UnavailableError } from "./errors.ts";
import { isFinal } from "./lifecycle.ts";
import { type Message, refOf } from "./message.ts";
import type { BatchQueue, BatchStore, Clock, DispatchQueue, MessageStore } from "./ports.ts";
import { isTakenByOpenBatch } from "./send-batch.ts";

/** What storing a message and putting it on its way needs. */
export interface PuttingOnItsWay {
  readonly messages: Pick<MessageStore, "insert" | "withdraw" | "change" | "find">;
  readonly dispatchQueue: Pick<DispatchQueue, "enqueue">;
  readonly clock: Clock;
}

/** What sending one message needs. */
export interface SendDependencies extends AdmissionDependencies, PuttingOnItsWay {
  readonly batches: Pick<BatchStore, "findOpen" | "begin">;
  readonly batchQueue: Pick<BatchQueue, "enqueue">;
  readonly clock: Clock;
}

/**
 * Accepts one message: checks it, stores it, and puts it on its way. Both writes are done when
 * this returns.
 *
 * @throws UnavailableError where the message could not be put on its way; it is then as if it had
 *   never been sent, and the client may send it again under the same id
 */
export async function sendMessage(
  deps: SendDependencies,
  account: Account,
  request: SendRequest,
): Promise<SendResult> {
  const made = makeMessage(deps, account, request);
  if (!made.accepted) return made;
  const { message } = made;
  const [isInBatch, allowed] = await orUnavailable(
    message,
    Promise.all([
      // Only an id of the client's can be taken.
      request.id !== undefined && isTakenByOpenBatch(deps, message),
      withoutBlocked(deps, account, [request], [made]),
    ]),
  );
  if (isInBatch) return refuse("duplicate-id");
  const limited = withinLimits(deps, account, [request], allowed);
  const admission = await orUnavailable(message, limited);
  const [admitted = made] = admission.results;
  if (!admitted.accepted) {
    // The retry of one that was accepted is told so, whatever has been used up or blocked since.
    const isRetry =
      request.id !== undefined && (await orUnavailable(message, isTaken(deps, message)));
    return isRetry ? refuse("duplicate-id") : admitted;
  }
  try {
    const result = await putOnItsWay(deps, admitted.message);
    if (!result.accepted) await admission.giveBack([admitted.message]);
    return result;
  } catch (error) {
    if (error instanceof UnavailableError && error.isUndone) {
      await admission.giveBack([admitted.message]);
    }
    throw error;
  }
}

/** Whether a message that stays has this one's id. */
async function isTaken(deps: PuttingOnItsWay, { account, id }: Message): Promise<boolean> {
  const existing = await deps.messages.find(account, id);
  return existing !== undefined && stays(deps, existing);
}

/**
 * Stores a message and puts it on its way: both, or neither. One in a final state is only stored.
 * @throws UnavailableError where it could not be put on its way
 */
export async function putOnItsWay(deps: PuttingOnItsWay, message: Message): Promise<SendResult> {
  try {
    if (!(await isInserted(deps, message))) return refuse("duplicate-id");
  } catch (cause) {
    throw new UnavailableError(NOT_TAKEN, message.traceId, {
      cause,
      isUndone: await deps.messages.withdraw(refOf(message)).catch(() => false),
    });
  }
  if (isFinal(message.state)) return { accepted: true, message };
  try {
    await deps.dispatchQueue.enqueue(refOf(message), message.claimableFrom);
  } catch (cause) {
    // Should this fail as well, a retry under the same id finds the message and puts it on its way.
    const isUndone = await orUnavailable(message, deps.messages.withdraw(refOf(message)));
    // Dispatch has it: the queue had taken it, only its answer was lost.
    if (!isUndone) return { accepted: true, message };
    throw new UnavailableError(NOT_TAKEN, message.traceId, { cause, isUndone });
  }
  return { accepted: true, message };
}

const NOT_TAKEN = "what must be durable was not taken";

async function orUnavailable<T>({ traceId }: Message, write: Promise<T>): Promise<T> {
  try {
    return await write;
  } catch (cause) {
    throw new UnavailableError(NOT_TAKEN, traceId, { cause });
  }
}

const TRIES_AT_AN_ID = 3;

/**
 * Inserts a message, unless its id is taken by one that stays.
 * @throws Error where others kept taking the id and giving it back, and whatever a store or queue throws
 */
async function isInserted(deps: PuttingOnItsWay, message: Message): Promise<boolean> {
  for (let tries = 0; tries < TRIES_AT_AN_ID; tries++) {
    const result = await deps.messages.insert(message);
    // One of ours that has moved on was inserted by a try whose answer was lost, and found by a retry.
    if (result.inserted || result.existing.traceId === message.traceId) return true;
    if (await stays(deps, result.existing)) return false;
  }
  throw new Error("the id was taken and given back again and again");
}

/**
 * Whether a message that was found under an id will be sent. A first try that died between its two
 * writes left one that is in no queue: its retry enqueues it, and what enqueuing it twice costs is
 * one claim that fails. One that has not died but will fail must not withdraw what its retry was
 * told is there. Messages of a batch are put on their way by their batch.
 */
async function stays(deps: PuttingOnItsWay, existing: Message): Promise<boolean> {
  const waiting = existing.state === "QUEUED" || existing.state === "SCHEDULED";
  if (!waiting || existing.attempts > 0 || existing.batch || existing.kept) return true;
  await deps.dispatchQueue.enqueue(refOf(existing), existing.claimableFrom);
  if (await deps.messages.change(existing, { kept: true })) return true;
  // It has moved on, or is gone.
  return (await deps.messages.find(existing.account, existing.id))?.traceId === existing.traceId;
}
