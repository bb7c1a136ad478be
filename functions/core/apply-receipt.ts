import { isDeepStrictEqual } from "node:util";
import type { Receipt } from "./carrier.ts";
import type { CarrierListener } from "./hear-carriers.ts";
import { pathBetween } from "./lifecycle.ts";
import type { Message, Part } from "./message.ts";
import { stateOfParts } from "./parts.ts";
import type { Clock, MessageChange, MessageStore } from "./ports.ts";

/** How a receipt ended: what it moved the message to, or why it changed nothing. */
export type ReceiptOutcome =
  | { readonly kind: "moved"; readonly state: Message["state"] }
  /** A part's receipt was kept; its message waits for those of the others. */
  | { readonly kind: "part-noted"; readonly state: Message["state"] }
  | {
      readonly kind: "ignored";
      readonly why:
        | "absent"
        | "another-message"
        | "not-handed-over"
        | "another-carrier"
        | "unknown-part"
        | "already-final";
    };

/** Of as many receipts for parts of one message at the same time, one wins each round. */
const RACES_LOST_BEFORE_GIVING_UP = 50;

/** What applying receipts needs. */
export interface ReceiptDependencies {
  readonly messages: Pick<MessageStore, "find" | "change">;
  readonly clock: Clock;
  /** Hears of receipts that were news. */
  readonly listener?: Pick<CarrierListener, "receipt" | "operator">;
}

/**
 * Applies a receipt. Its message moves through every state on the way, each a write of its own,
 * so that each is told; a receipt that comes again, or stopped half-way, goes on where it stands.
 * A message of several parts is where its parts are: delivered when all are, not delivered when
 * any is not. Only the carrier that a message was handed to can say what became of it.
 *
 * @throws Error where others kept changing the message; the queue then delivers the receipt again
 */
export async function applyReceipt(
  deps: ReceiptDependencies,
  receipt: Receipt,
): Promise<ReceiptOutcome> {
  const { messages, clock } = deps;
  for (let lost = 0; lost < RACES_LOST_BEFORE_GIVING_UP; lost++) {
    const found = await messages.find(receipt.ref.account, receipt.ref.id);
    const why = whyForeign(receipt, found);
    if (!found || why) return { kind: "ignored", why: why ?? "absent" };
    let message: Message | undefined = found;
    const parts = message.parts && withReceipt(message.parts, receipt);
    const target = parts ? stateOfParts(parts) : verdictOf(receipt);
    const path = target && pathBetween(message.state, target.state);
    if (target && path?.length) {
      for (const state of path) {
        const change = changeTo(state, target, receipt, message, clock.now());
        message = await messages.change(message, { ...change, ...(parts && { parts }) });
        if (!message) break;
      }
      if (message) {
        await tellListener(deps, receipt, message);
        return { kind: "moved", state: target.state };
      }
      continue;
    }
    if (!parts || isDeepStrictEqual(parts, message.parts)) {
      return { kind: "ignored", why: "already-final" };
    }
    // A final message stays what it is; its parts can still be asked about.
    const isLastWord = message.state === "SENT" &&
      target?.state === "SENT" &&
      target.reason !== message.reason && { reason: target.reason, stateAt: clock.now() };
    if (await messages.change(message, { parts, ...isLastWord })) {
      await tellListener(deps, receipt, message);
      return { kind: "part-noted", state: message.state };
    }
  }
  throw new Error("the message kept changing while its receipt was applied");
}

async function tellListener(
  { listener, clock }: ReceiptDependencies,
  { carrier, operator }: Receipt,
  { destination, sentAt }: Message,
): Promise<void> {
  // One that is faster than the record of its hand-over is in time.
  listener?.receipt(carrier, sentAt ?? clock.now());
  if (operator) await listener?.operator(destination, operator);
}

/** Why a receipt is not about the message that is stored, if it is not. */
function whyForeign(receipt: Receipt, message: Message | undefined) {
  if (!message) return "absent";
  if (message.traceId !== receipt.ref.traceId) return "another-message";
  // A claim names the carrier before that one gets to know of the message.
  if (message.carrier === undefined) return "not-handed-over";
  if (message.carrier !== receipt.carrier) return "another-carrier";
  if ((receipt.part ?? 1) > (message.parts?.length ?? 1)) return "unknown-part";
  return undefined;
}

const verdictOf = (receipt: Receipt) =>
  receipt.outcome === "delivered"
    ? ({ state: "DELIVERED", reason: undefined } as const)
    : ({ state: "NOT_DELIVERED", reason: receipt.reason } as const);

/** The parts after a receipt. One that has had its receipt keeps it. */
function withReceipt(parts: readonly Part[], receipt: Receipt): Part[] {
  return parts.map((part, index) => {
    const isMeant = receipt.part === undefined || receipt.part === index + 1;
    const waits = part.state === "QUEUED" || part.state === "SENT";
    if (!isMeant || !waits) return part;
    const { reason: _, ...kept } = part;
    const { state, reason } = verdictOf(receipt);
    return { ...kept, state, ...(reason && { reason }) };
  });
}

function changeTo(
  state: Message["state"],
  target: { readonly state: Message["state"]; readonly reason: Message["reason"] },
  receipt: Receipt,
  message: Message,
  now: number,
): MessageChange {
  const seen = {
    state,
    stateAt: now,
    // The carrier has the message: should the receipt stop at SENDING, dispatch must never claim it.
    lease:
      state === "SENDING"
        ? { token: `receipt-${receipt.ref.traceId}`, until: message.removeAt * 1_000 }
        : undefined,
    ...(receipt.operator && { operator: receipt.operator }),
    ...(receipt.shortCode && { shortCode: receipt.shortCode }),
  };
  if (state === "SENT") {
    return { ...seen, sentAt: now, ...(target.state === "SENT" && { reason: target.reason }) };
  }
  if (state !== "DELIVERED" && state !== "NOT_DELIVERED") return seen;
  return {
    ...seen,
    // By the carrier's clock, which is not ours: nothing is received before it was sent, or later than now.
    stateAt: Math.max(Math.min(receipt.at, now), message.sentAt ?? 0),
    reason: target.reason,
  };
}
