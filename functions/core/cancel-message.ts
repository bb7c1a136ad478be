import { hasSchedule } from "./batch.ts";
import { type Message, refOf } from "./message.ts";
import type { BatchQueue, BatchStore, Clock, DispatchQueue, MessageStore } from "./ports.ts";

/** What cancelling needs. */
export interface CancelDependencies {
  readonly messages: Pick<MessageStore, "find" | "insert" | "change">;
  readonly batches: Pick<BatchStore, "findOpen" | "noteCanceled">;
  readonly batchQueue: Pick<BatchQueue, "unschedule">;
  readonly dispatchQueue: Pick<DispatchQueue, "unschedule">;
  readonly clock: Clock;
}

/** How a cancellation ended. */
export type CancelOutcome =
  /** `scheduleLeft` says why its schedule could not be deleted; it will go off for nothing. */
  | { readonly kind: "canceled"; readonly message: Message; readonly scheduleLeft?: string }
  | { readonly kind: "already-canceled" | "too-late"; readonly message: Message }
  | { readonly kind: "absent" };

const RACES_LOST_BEFORE_GIVING_UP = 5;

/**
 * Cancels a message that is not due yet. Of cancelling and coming due at the same moment exactly
 * one happens.
 *
 * @throws Error where others kept changing the message, and whatever a store throws
 */
export async function cancelMessage(
  deps: CancelDependencies,
  account: string,
  id: string,
): Promise<CancelOutcome> {
  for (let lost = 0; lost < RACES_LOST_BEFORE_GIVING_UP; lost++) {
    const stored = await deps.messages.find(account, id);
    const message = stored ?? (await deps.batches.findOpen(account, [id]))[0]?.message;
    if (!message) {
      // Its batch may have been expanded and closed between the two.
      if (await deps.messages.find(account, id)) continue;
      return { kind: "absent" };
    }
    if (message.state === "CANCELED") return { kind: "already-canceled", message };
    if (message.state !== "SCHEDULED") return { kind: "too-late", message };
    const canceled = await (stored ? cancelStored : cancelUnexpanded)(deps, message);
    if (canceled)
      return { kind: "canceled", message: canceled, ...(await unschedule(deps, canceled)) };
  }
  throw new Error("the message kept changing while it was being canceled");
}

const canceledNow = ({ clock }: CancelDependencies) =>
  ({ state: "CANCELED", stateAt: clock.now() }) as const;

const cancelStored = (deps: CancelDependencies, message: Message) =>
  deps.messages.change(message, canceledNow(deps));

/** The expansion of its batch finds the item, and leaves it as it is. */
async function cancelUnexpanded(
  deps: CancelDependencies,
  message: Message,
): Promise<Message | undefined> {
  const canceled: Message = { ...message, ...canceledNow(deps) };
  return (await deps.messages.insert(canceled)).inserted ? canceled : undefined;
}

/** Deletes the schedule of a request of which nothing is left to send. */
async function unschedule(
  { batches, batchQueue, dispatchQueue }: CancelDependencies,
  message: Message,
): Promise<{ scheduleLeft?: string }> {
  if (!hasSchedule(message)) return {};
  const { account, claimableFrom: due, batch, traceId } = message;
  try {
    if (!batch) {
      await dispatchQueue.unschedule(refOf(message), due);
      return {};
    }
    const release = { account, batchId: batch.batchId, due };
    const canceled = await batches.noteCanceled(release, traceId);
    if (canceled >= batch.dueTogether) await batchQueue.unschedule(release);
    return {};
  } catch (error) {
    return { scheduleLeft: error instanceof Error ? error.name : "unknown" };
  }
}
