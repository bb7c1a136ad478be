import type { SettledOutcome } from "./carrier.ts";
import { pathBetween, type Reason, type State } from "./lifecycle.ts";
import type { Message, Part } from "./message.ts";

/** The text of each part of a message; of a message of one part, its text. */
export function textsOfParts({ text, parts }: Pick<Message, "text" | "parts">): string[] {
  if (!parts) return [text];
  let end = 0;
  return parts.map(({ length }) => {
    const start = end;
    end += length;
    return text.slice(start, end);
  });
}

/** How many SMS a message is: what is shown, and what is billed. */
export function partCount({ parts }: Pick<Message, "parts">): number {
  return parts?.length ?? 1;
}

/** What the parts make of their message; undefined while some of them wait to be handed over. */
export function stateOfParts(
  parts: readonly Part[],
): { readonly state: State; readonly reason: Reason | undefined } | undefined {
  const first = (state: Part["state"]) => parts.find((part) => part.state === state);
  const refused = first("FAILED") ?? first("BLOCKED");
  if (refused) return { state: refused.state, reason: refused.reason };
  if (first("QUEUED")) return undefined;
  const lost = first("NOT_DELIVERED");
  if (lost) return { state: "NOT_DELIVERED", reason: lost.reason };
  // A part with a reason is one of which no receipt will come: it is not waited for.
  const underway = parts.find(({ state, reason }) => state === "SENT" && !reason) ?? first("SENT");
  return underway
    ? { state: "SENT", reason: underway.reason }
    : { state: "DELIVERED", reason: undefined };
}

/** A part after its hand-over. One that a receipt has been faster with stays as it is. */
export function handedOver(part: Part, outcome: SettledOutcome): Part {
  if (part.state !== "QUEUED") return part;
  const { length } = part;
  switch (outcome.kind) {
    case "accepted":
      return {
        length,
        state: "SENT",
        ...(!outcome.receipts && { reason: "no-receipts" as const }),
        carrierMessageId: outcome.carrierMessageId,
      };
    case "rejected":
      return { length, state: "FAILED", reason: outcome.reason };
    case "blocked":
      return { length, state: "BLOCKED", reason: outcome.reason };
  }
}

/** Whether a message in this state can still come to where its parts are. */
export function isBehindItsParts({ state, parts }: Message): boolean {
  const target = parts && stateOfParts(parts);
  return target !== undefined && Boolean(pathBetween(state, target.state)?.length);
}
