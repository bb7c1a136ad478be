import type { Carrier, OutboundMessage, SendOutcome } from "../../functions/core/carrier.ts";
import type { FaultPlan } from "./faults.ts";
import type { Ledger } from "./ledger.ts";
import type { CarrierPlan } from "./scenario.ts";
import { Invocation } from "./simulation.ts";

/** The carriers, the one that is tried first in front. */
export const CARRIERS = ["played", "played-2"];
const HANGS_MS = 12_000;

/**
 * Carriers that do with each message what was planned for its phone: the times that it is
 * unreachable are those of all of them together.
 */
export function createPlayedCarriers(deps: {
  readonly shortCode: string;
  readonly planOf: (destination: string) => CarrierPlan;
  readonly ledger: Ledger;
  readonly faults: FaultPlan;
  /** Puts what the carrier reports into the queue, after so many milliseconds. */
  readonly report: (event: object, afterMs: number) => void;
}): Carrier[] {
  const { planOf, shortCode, ledger, faults, report } = deps;
  const tries = new Map<string, number>();

  /** The carrier has the message from here on. */
  function take(
    carrier: string,
    message: OutboundMessage,
    plan: CarrierPlan,
    by: Invocation,
  ): void {
    const { account, id, traceId } = message.ref;
    const part = message.part?.order ?? 1;
    const at = by.world.timeline.now;
    ledger.handOvers.push({ traceId, account, id, part, at, by, plan, isRecorded: false });
    for (const receipt of plan.receipts) {
      if (!receipt.isByPart && part > 1) continue;
      const event = {
        type: "receipt",
        ref: message.ref,
        ...(receipt.isByPart && message.part && { part }),
        carrier,
        at: Math.max(0, at + receipt.seconds * 1_000),
        shortCode,
        ...(receipt.isDelivered
          ? { outcome: "delivered" }
          : { outcome: "not-delivered", reason: "undeliverable" }),
      };
      for (let copy = 0; copy < receipt.copies; copy++) {
        report(event, Math.max(0, receipt.seconds * 1_000) + copy * 700);
      }
    }
  }

  function outcomeOf(
    { answer, givesReceipts }: CarrierPlan,
    message: OutboundMessage,
  ): SendOutcome {
    if (answer === "rejected") return { kind: "rejected", reason: "operator-rejected" };
    if (answer === "blocked") return { kind: "blocked", reason: "content" };
    return {
      kind: "accepted",
      carrierMessageId: `${message.ref.traceId}-${message.part?.order ?? 1}`,
      shortCode,
      receipts: givesReceipts,
    };
  }

  return CARRIERS.map((name) => ({
    name,
    takes: "parts",
    async send(message) {
      const invocation = Invocation.current();
      if (!invocation) throw new Error("nobody hands anything over");
      const plan = planOf(message.destination);
      const key = `${message.ref.traceId}#${message.part?.order ?? 1}`;
      if (faults.ofEffect("crash-before-call")) return invocation.die();
      const tried = tries.get(key) ?? 0;
      tries.set(key, tried + 1);
      if (tried < plan.unreachable) {
        return invocation.call(() => ({ kind: "unreachable", detail: "away" }));
      }
      const has = plan.answer !== "rejected" && plan.answer !== "blocked";
      const isAnswered = plan.answer !== "hangs" && plan.answer !== "throws";
      const crashes = has && isAnswered && faults.ofEffect("crash-after-call");
      return invocation.call(
        () => {
          if (has) take(name, message, plan, invocation);
          if (crashes) invocation.end({ kind: "crashed" });
          if (plan.answer === "throws") throw new Error("the connection broke");
          return outcomeOf(plan, message);
        },
        plan.answer === "hangs" ? HANGS_MS : 0,
      );
    },
  }));
}
