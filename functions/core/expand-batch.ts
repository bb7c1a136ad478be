import { type BatchRef, hasSchedule, type Release } from "./batch.ts";
import { type Message, refOf } from "./message.ts";
import { partCount } from "./parts.ts";
import type { BatchStore, Clock, DispatchQueue, MessageStore } from "./ports.ts";

/** What working on batches needs. */
export interface BatchDependencies {
  readonly messages: Pick<MessageStore, "insertMany">;
  readonly batches: Pick<BatchStore, "begin" | "load" | "close">;
  /** Of the bulk lane. */
  readonly dispatchQueue: Pick<DispatchQueue, "enqueueMany">;
  readonly clock: Clock;
}

/** How a job of a batch ended. */
export type BatchOutcome =
  /** Expanded before, or withdrawn before anybody was told of it. */
  | { readonly kind: "closed" }
  | {
      readonly kind: "expanded" | "released";
      readonly enqueued: number;
      /** Messages whose id another one got first, in the very moment they were accepted. */
      readonly displaced?: number;
    };

/** The release of a schedule may have been worked on by a function whose clock is ahead of ours. */
const CLOCK_TOLERANCE_MS = 60_000;

/**
 * Makes the messages of a batch items of their own, and sends those off that no schedule will.
 * Doing it again, from wherever it stopped, changes nothing that has moved on.
 *
 * @throws whatever a store or queue throws; the job is then delivered again
 */
export async function expandBatch(
  { messages, batches, dispatchQueue, clock }: BatchDependencies,
  batch: BatchRef,
): Promise<BatchOutcome> {
  if (!(await batches.begin(batch))) return { kind: "closed" };
  const elements = await batches.load(batch);
  const stored = await messages.insertMany(elements);
  const own = stored.filter((message, index) => message.traceId === elements[index]?.traceId);
  // Asked for after all have been inserted: what comes due from now on, its schedule finds.
  const soon = clock.now() + CLOCK_TOLERANCE_MS;
  const due = own.filter(
    (message) => isWaiting(message) && (message.claimableFrom <= soon || !hasSchedule(message)),
  );
  await enqueue(dispatchQueue, due);
  await batches.close(batch);
  const displaced = elements.length - own.length;
  return { kind: "expanded", enqueued: due.length, ...(displaced > 0 && { displaced }) };
}

const isWaiting = ({ state, attempts }: Message) =>
  (state === "QUEUED" || state === "SCHEDULED") && attempts === 0;

/**
 * Sends off the messages of a batch that have come due. Those canceled meanwhile are found so by
 * dispatch; those not expanded yet are sent off by their expansion.
 *
 * @throws whatever a store or queue throws; the job is then delivered again
 */
export async function releaseBatch(
  { batches, dispatchQueue }: Pick<BatchDependencies, "batches" | "dispatchQueue">,
  { due, ...batch }: Release,
): Promise<BatchOutcome> {
  const elements = await batches.load(batch);
  const released = elements.filter(({ claimableFrom }) => claimableFrom === due);
  await enqueue(dispatchQueue, released);
  return { kind: "released", enqueued: released.length };
}

const enqueue = (dispatchQueue: Pick<DispatchQueue, "enqueueMany">, messages: readonly Message[]) =>
  dispatchQueue.enqueueMany(
    messages.map((message) => ({
      ref: refOf(message),
      notBefore: message.claimableFrom,
      parts: partCount(message),
      message,
    })),
  );
