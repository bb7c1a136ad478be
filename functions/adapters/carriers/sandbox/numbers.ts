import type { ReasonFor } from "../../../core/lifecycle.ts";

/** What the sandbox carrier does with a number. Delays are in seconds after acceptance. */
export interface SandboxBehaviour {
  /** Hand-overs that fail before one succeeds; Infinity for one that never does. */
  readonly unreachable?: number;
  readonly rejected?: ReasonFor<"FAILED">;
  readonly blocked?: ReasonFor<"BLOCKED">;
  readonly notDelivered?: ReasonFor<"NOT_DELIVERED">;
  readonly receiptDelaySeconds?: number;
  /** How many receipts come; 1 where not said, 0 where the operator sends none. */
  readonly receipts?: number;
  /** The receipt is out before the hand-over is answered. */
  readonly receiptFirst?: boolean;
  /** The carrier fails in a way that leaves open whether it has the message. */
  readonly breaks?: boolean;
  /** All of this is true of one part of a long message only; 1 for the first. */
  readonly onlyPart?: number;
}

/** By the last four digits of the number; the README's table is checked against this one. */
const BY_LAST_FOUR: Readonly<Record<string, SandboxBehaviour>> = {
  "8200": { receipts: 0 },
  "8300": { notDelivered: "undeliverable" },
  "8301": { notDelivered: "operator-expired" },
  "8302": { notDelivered: "inactive-number" },
  "8303": { notDelivered: "undeliverable", onlyPart: 2 },
  "8400": { rejected: "operator-rejected" },
  "8401": { blocked: "no-coverage" },
  "8402": { blocked: "international-not-allowed" },
  "8403": { blocked: "content" },
  "8404": { blocked: "invalid-number" },
  "8500": { unreachable: 2 },
  "8501": { unreachable: Number.POSITIVE_INFINITY },
  "8502": { unreachable: 2, onlyPart: 2 },
  "8503": { breaks: true },
  "8600": { receiptFirst: true },
  "8601": { receipts: 2 },
};

/** 81nn: delivered nn seconds after acceptance. */
const DELAYED = /81(?<seconds>\d\d)$/;

/**
 * What happens to an SMS to this number (E.164 digits): delivered at once where nothing else is said.
 * @param part 1 for the first part, and for a message of one
 */
export function sandboxBehaviour(destination: string, part = 1): SandboxBehaviour {
  const seconds = DELAYED.exec(destination)?.groups?.seconds;
  if (seconds !== undefined) return { receiptDelaySeconds: Number(seconds) };
  const behaviour = BY_LAST_FOUR[destination.slice(-4)] ?? {};
  return (behaviour.onlyPart ?? part) === part ? behaviour : {};
}

const OPERATORS_WITH_RECEIPTS = ["Vivo", "Claro", "TIM"] as const;

/** The operator of a number as the sandbox has it: always the same for one number, Oi where no receipts come. */
export function sandboxOperator(destination: string): string {
  if (sandboxBehaviour(destination).receipts === 0) return "Oi";
  const sum = [...destination].reduce((total, digit) => total + Number(digit), 0);
  return OPERATORS_WITH_RECEIPTS[sum % OPERATORS_WITH_RECEIPTS.length] as string;
}

/** The short code from which the sandbox sends. */
export const SANDBOX_SHORT_CODE = "27182";
