import type { CarrierEvent } from "./carrier.ts";
import { pathBetween } from "./lifecycle.ts";
import type { Message } from "./message.ts";
import type { Clock, MessageChange, MessageStore } from "./ports.ts";

/** How a receipt ended: what it moved the message to, or why it changed nothing. */
export type CarrierEventOutcome =
  | { readonly kind: "moved"; readonly state: Message["state"] }
  | { readonly kind: "ignored"; readonly why: "absent" | "another-message" | "already-final" };

const RACES_LOST_BEFORE_GIVING_UP = 5;

/**
 * Applies a receipt. Its message moves through every state on the way, each a write of its own,
 * so that each is told; a receipt that comes again, or stopped half-way, goes on where it stands.
 *
 * @throws Error where others kept changing the message; the queue then delivers the receipt again
 */
export async function applyCarrierEvent(
  { messages, clock }: { messages: Pick<MessageStore, "find" | "change">; clock: Clock },
  event: CarrierEvent,
): Promise<CarrierEventOutcome> {
  const target = event.outcome === "delivered" ? "DELIVERED" : "NOT_DELIVERED";
  for (let lost = 0; lost < RACES_LOST_BEFORE_GIVING_UP; lost++) {
    let message = await messages.find(event.ref.account, event.ref.id);
    if (!message) return { kind: "ignored", why: "absent" };
    if (message.traceId !== event.ref.traceId) return { kind: "ignored", why: "another-message" };
    const path = pathBetween(message.state, target);
    if (!path?.length) return { kind: "ignored", why: "already-final" };
    for (const state of path) {
      message = await messages.change(message, changeTo(state, event, message, clock.now()));
      if (!message) break;
    }
    if (message) return { kind: "moved", state: target };
  }
  throw new Error("the message kept changing while its receipt was applied");
}

function changeTo(
  state: Message["state"],
  event: CarrierEvent,
  message: Message,
  now: number,
): MessageChange {
  const seen = {
    state,
    stateAt: now,
    // The carrier has the message: should the receipt stop at SENDING, dispatch must never claim it.
    lease:
      state === "SENDING"
        ? { token: `receipt-${event.ref.traceId}`, until: message.removeAt * 1_000 }
        : undefined,
    carrier: event.carrier,
    ...(event.operator && { operator: event.operator }),
    ...(event.shortCode && { shortCode: event.shortCode }),
  };
  if (state === "SENT") return { ...seen, sentAt: now };
  if (state !== "DELIVERED" && state !== "NOT_DELIVERED") return seen;
  return {
    ...seen,
    // By the carrier's clock, which is not ours: nothing is received before it was sent, or later than now.
    stateAt: Math.max(Math.min(event.at, now), message.sentAt ?? 0),
    reason: event.outcome === "not-delivered" ? event.reason : undefined,
  };
}
