import { createHash } from "node:crypto";
import type { Account } from "./account.ts";
import { applyOptOut, type OptOutDependencies, type OptOutOutcome } from "./apply-opt-out.ts";
import type { InboundMessage } from "./carrier.ts";
import type { Mo } from "./mo.ts";
import type { Clock, DeadLetters, Directory, MessageStore, MoStore, SentMessage } from "./ports.ts";

/** The carrier's clock and ours differ: a reply may seem older than what it answers. */
const CLOCK_TOLERANCE_MS = 60_000;

/** What receiving MOs needs. `moRetentionMs` is how long after it came in an MO can be asked about. */
export interface ReceiveDependencies extends OptOutDependencies {
  readonly messages: Pick<MessageStore, "findLastSent"> & OptOutDependencies["messages"];
  readonly directory: Pick<Directory, "findAccount" | "findAccountOfShortCode">;
  readonly mos: Pick<MoStore, "insert">;
  /** For MOs that are nobody's. */
  readonly deadLetters: DeadLetters;
  readonly clock: Clock;
  readonly moRetentionMs: number;
}

/** Whether an MO was somebody's. */
export type ReceiveOutcome =
  | {
      readonly kind: "received";
      readonly answers: boolean;
      /** Where it was the wish not to be sent anything any more, or the way back. */
      readonly optOut?: OptOutOutcome;
    }
  | { readonly kind: "set-aside" };

/**
 * Stores an MO with the account whose message it answers, which is the last that the phone got
 * from the short code; else with the account that the short code belongs to. One that comes again
 * is stored once. One that is nobody's is looked at again at its next delivery: what a phone got is
 * found by an index, a moment late, and some answer at once.
 *
 * @param receives the how-manieth delivery of the MO it is, 1 for the first
 * @throws whatever a store or queue throws; the queue then delivers the MO again
 */
export async function receiveMo(
  deps: ReceiveDependencies,
  inbound: InboundMessage,
  receives: number,
): Promise<ReceiveOutcome> {
  const { messages, directory, mos, deadLetters, clock, moRetentionMs } = deps;
  const { from, shortCode, at } = inbound;
  const sent =
    (await messages.findLastSent(from, shortCode, at)) ??
    (await messages.findLastSent(from, shortCode, at + CLOCK_TOLERANCE_MS));
  const name = sent?.account ?? (await directory.findAccountOfShortCode(shortCode));
  if (name === undefined && receives === 1) throw new NobodysMoError("the MO is nobody's yet");
  const account = name === undefined ? undefined : await directory.findAccount(name);
  if (!account) {
    await deadLetters.put(inbound, "the MO answers no message, and its short code is no account's");
    return { kind: "set-aside" };
  }
  // By our clock where the carrier's is behind, or the MO was long under way.
  const removeAt = Math.ceil((Math.max(at, clock.now()) + moRetentionMs) / 1_000);
  const mo = moOf(inbound, account, sent, removeAt);
  const owner = await mos.insert(mo);
  const whose = owner.account === mo.account ? account : await directory.findAccount(owner.account);
  const optOut = whose && (await applyOptOut(deps, whose, { ...mo, ...owner }));
  return { kind: "received", answers: sent !== undefined, ...(optOut && { optOut }) };
}

class NobodysMoError extends Error {
  override readonly name = "NobodysMoError";
}

function moOf(
  inbound: InboundMessage,
  { account, moDialect }: Account,
  sent: SentMessage | undefined,
  removeAt: number,
): Mo {
  return {
    version: 1,
    account,
    ...idsOf(inbound),
    from: inbound.from,
    shortCode: inbound.shortCode,
    text: inbound.text,
    receivedAt: inbound.at,
    ...(inbound.operator && { operator: inbound.operator }),
    carrier: inbound.carrier,
    dialect: sent?.dialect ?? moDialect,
    ...(sent && { answers: answered(sent) }),
    ...(sent?.subAccount && { subAccount: sent.subAccount }),
    ...(sent?.campaign && { campaign: sent.campaign }),
    removeAt,
  };
}

/** What an MO tells of the message that it answers. */
const answered = ({ id, traceId, correlationId, sender }: SentMessage) => ({
  id,
  traceId,
  ...(correlationId !== undefined && { correlationId }),
  ...(sender && { sender }),
});

/** The largest number of bits of which every number is exact in JSON. */
const EXACT_HEX_DIGITS = 13;

/** The same for the same MO, however often it comes; that two MOs share them is not to be expected. */
function idsOf({ carrier, carrierMessageId }: InboundMessage): { id: number; uuid: string } {
  const digest = createHash("sha256").update(`${carrier}\n${carrierMessageId}`).digest("hex");
  return { id: Number.parseInt(digest.slice(0, EXACT_HEX_DIGITS), 16), uuid: asUuid(digest) };
}

/** A UUID of version 8, whose bits are its maker's choice (RFC 9562, section 5.8). */
const asUuid = (hex: string) =>
  `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
