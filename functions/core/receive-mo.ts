import { createHash } from "node:crypto";
import type { InboundMessage } from "./carrier.ts";
import type { Mo } from "./mo.ts";
import type { Clock, DeadLetters, Directory, MessageStore, MoStore, SentMessage } from "./ports.ts";

/** The carrier's clock and ours differ: a reply may seem older than what it answers. */
const CLOCK_TOLERANCE_MS = 60_000;

/** What receiving MOs needs. `retentionMs` is how long after it came in an MO can be asked about. */
export interface ReceiveDependencies {
  readonly messages: Pick<MessageStore, "findLastSent">;
  readonly directory: Pick<Directory, "findAccountOfShortCode">;
  readonly mos: Pick<MoStore, "insert">;
  /** For MOs that are nobody's. */
  readonly deadLetters: DeadLetters;
  readonly clock: Clock;
  readonly retentionMs: number;
}

/** Whether an MO was somebody's. */
export type ReceiveOutcome =
  | { readonly kind: "received"; readonly answers: boolean }
  | { readonly kind: "set-aside" };

/**
 * Stores an MO with the account whose message it answers, which is the last that the phone got
 * from the short code; else with the account that the short code belongs to. One that comes again
 * is stored once.
 *
 * @throws whatever a store or queue throws; the queue then delivers the MO again
 */
export async function receiveMo(
  { messages, directory, mos, deadLetters, clock, retentionMs }: ReceiveDependencies,
  inbound: InboundMessage,
): Promise<ReceiveOutcome> {
  const { from, shortCode, at } = inbound;
  const sent =
    (await messages.findLastSent(from, shortCode, at)) ??
    (await messages.findLastSent(from, shortCode, at + CLOCK_TOLERANCE_MS));
  const account = sent?.account ?? (await directory.findAccountOfShortCode(shortCode));
  if (account === undefined) {
    await deadLetters.put(inbound, "the MO answers no message, and its short code is no account's");
    return { kind: "set-aside" };
  }
  // By our clock where the carrier's is behind, or the MO was long under way.
  const removeAt = Math.ceil((Math.max(at, clock.now()) + retentionMs) / 1_000);
  await mos.insert(moOf(inbound, account, sent, removeAt));
  return { kind: "received", answers: sent !== undefined };
}

function moOf(
  inbound: InboundMessage,
  account: string,
  sent: SentMessage | undefined,
  removeAt: number,
): Mo {
  return {
    version: 1,
    account,
    id: idOf(inbound),
    from: inbound.from,
    shortCode: inbound.shortCode,
    text: inbound.text,
    receivedAt: inbound.at,
    ...(inbound.operator && { operator: inbound.operator }),
    carrier: inbound.carrier,
    dialect: sent?.dialect ?? "mesago",
    ...(sent && { answers: { id: sent.id, traceId: sent.traceId } }),
    removeAt,
  };
}

/** The largest number of bits of which every number is exact in JSON. */
const EXACT_HEX_DIGITS = 13;

/** The same number for the same MO, however often it comes; two that share one are not to be expected. */
function idOf({ carrier, carrierMessageId }: InboundMessage): number {
  const digest = createHash("sha256").update(`${carrier}\n${carrierMessageId}`).digest("hex");
  return Number.parseInt(digest.slice(0, EXACT_HEX_DIGITS), 16);
}
