import * as z from "zod";
import { REASONS } from "./lifecycle.ts";
import { type MessageRef, messageRefSchema } from "./message.ts";
import type { Segments } from "./segments.ts";

/** The place of a part in its message; `order` is 1 for the first. */
export interface PartOfMessage {
  readonly order: number;
  readonly total: number;
}

/** What a carrier may be called. It is part of the URL that the carrier calls. */
export const carrierNameSchema = z
  .string()
  .regex(
    /^[a-z0-9][a-z0-9._-]{0,31}$/,
    "a carrier's name has 1 to 32 lower-case letters, digits, '.', '_' or '-', and begins with a letter or digit",
  );

/** The two ways to the carriers: what is sent alone never waits behind what is sent in bulk. */
export const LANES = ["singles", "bulk"] as const;
export type Lane = (typeof LANES)[number];

/** What a carrier is handed: an MT, or one part of it. */
export interface OutboundMessage {
  /** What the carrier should give back with the receipt; see `carrierEventSchema`. */
  readonly ref: MessageRef;
  /** E.164 without the plus sign. */
  readonly destination: string;
  readonly text: string;
  /** Which part of a long message the text is; absent where it is the whole message. */
  readonly part?: PartOfMessage;
  /** How the text goes over the air: for carriers that are handed each SMS as such. */
  readonly segments: Segments;
  readonly lane: Lane;
  /** From whom it comes, as the phone shows it; the carrier's default where absent. */
  readonly sender?: string;
  /** Shown at once and not stored by the phone (class 0). */
  readonly flash: boolean;
  /** Milliseconds since the epoch after which the operator should give up. */
  readonly expiresAt?: number;
}

/** A carrier's answer that settles a hand-over, one way or the other. */
export const settledOutcomeSchema = z.discriminatedUnion("kind", [
  z.object({
    kind: z.literal("accepted"),
    carrierMessageId: z.string(),
    operator: z.string().optional(),
    shortCode: z.string().optional(),
    /** False where the operator will never send a receipt (as Oi): SENT is then final. */
    receipts: z.boolean(),
  }),
  /** Refused for good. */
  z.object({
    kind: z.literal("rejected"),
    reason: z.enum(REASONS.FAILED),
    operator: z.string().optional(),
    /** For the log: neither number nor text. */
    detail: z.string().optional(),
  }),
  z.object({
    kind: z.literal("blocked"),
    reason: z.enum(REASONS.BLOCKED),
    operator: z.string().optional(),
  }),
]);
export type SettledOutcome = z.infer<typeof settledOutcomeSchema>;

/** The carrier's answer to a hand-over. */
export type SendOutcome =
  | SettledOutcome
  /**
   * Certain not to have been taken, and worth another try. An adapter that is not certain throws.
   * `about: "message"` where the reason lies in the message, such as its sender or its expiry, and
   * says nothing of the carrier.
   */
  | { readonly kind: "unreachable"; readonly detail: string; readonly about?: "message" };

/**
 * Where MTs leave to. An adapter maps everything its carrier can answer to a `SendOutcome`. What it
 * throws, or an answer that does not come in time, leaves open whether the carrier has the message;
 * such a message is not handed over again.
 */
export interface Carrier {
  /** What the stage calls it. */
  readonly name: string;
  /**
   * Whether it is handed a long message part by part, or as a whole, because it cuts texts itself.
   * What it answers for a whole message, and its receipts, count for all parts.
   */
  readonly takes: "parts" | "whole";
  send(message: OutboundMessage): Promise<SendOutcome>;
}

/** What receipts say whatever became of the message. */
const receipt = {
  type: z.literal("receipt"),
  ref: messageRefSchema,
  /** Which part of a long message it is about, 1 for the first; all of it where absent. */
  part: z.number().int().positive().optional(),
  carrier: z.string().min(1),
  /** Milliseconds since the epoch, by the carrier's clock. */
  at: z.number().int().nonnegative(),
  operator: z.string().optional(),
  shortCode: z.string().optional(),
};

/** A receipt as the ingress of any carrier normalises it. */
export const receiptSchema = z.discriminatedUnion("outcome", [
  z.object({ ...receipt, outcome: z.literal("delivered") }),
  z.object({
    ...receipt,
    outcome: z.literal("not-delivered"),
    reason: z.enum(REASONS.NOT_DELIVERED),
  }),
]);
export type Receipt = z.infer<typeof receiptSchema>;

/** An MO as the ingress of any carrier normalises it. */
export const inboundSchema = z.object({
  type: z.literal("mo"),
  carrier: z.string().min(1),
  /** The carrier's id of it: one that comes again is known by it. */
  carrierMessageId: z.string().min(1),
  /** The phone, E.164 without the plus sign. */
  from: z.string().regex(/^\d{6,15}$/),
  shortCode: z.string().min(1),
  text: z.string(),
  /**
   * Which part of a long MO it is, for carriers that do not put them together; `reference` is what
   * the phone gave all parts of it, `order` is 1 for the first. Of the text, a part may have half of
   * a character at either end.
   */
  part: z
    .object({
      reference: z.number().int().nonnegative(),
      order: z.number().int().min(1).max(255),
      total: z.number().int().min(2).max(255),
    })
    .optional(),
  /** Milliseconds since the epoch, by the carrier's clock. */
  at: z.number().int().nonnegative(),
  operator: z.string().optional(),
});
export type InboundMessage = z.infer<typeof inboundSchema>;

/** What travels in the carrier-events queue. */
export const carrierEventSchema = z.union([receiptSchema, inboundSchema]);
export type CarrierEvent = z.infer<typeof carrierEventSchema>;

/** The way of what carriers report to where it is applied: durable once a method returns. */
export interface CarrierReports {
  /** @throws where some of them may have been left out; then all are to be reported again */
  enqueueMany(events: readonly CarrierEvent[]): Promise<void>;
}

/** A request by which a carrier reports something, after it was authenticated. */
export interface ReportRequest {
  readonly method: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** Decoded, and without the carrier's secret. */
  readonly query: Readonly<Record<string, string | undefined>>;
  readonly body: Uint8Array;
}

/** Who reports, and when it came (milliseconds since the epoch) for those that do not say. */
export interface ReportContext {
  /** The name of the carrier account, whatever the carrier calls itself. */
  readonly carrier: string;
  readonly now: number;
}

/** A report that says nothing that could be applied. The message names the field, and does not quote it. */
export class InvalidReportError extends Error {
  override readonly name = "InvalidReportError";
}

/**
 * How carriers of one kind report by HTTP. A report that needs nothing to be done, such as that a
 * message is on its way, is none of what is returned.
 * @throws InvalidReportError where a request cannot be read
 */
export interface ReportProtocol {
  parseReceipts(
    request: ReportRequest,
    context: ReportContext,
  ): readonly Receipt[] | Promise<readonly Receipt[]>;
  parseMos(
    request: ReportRequest,
    context: ReportContext,
  ): readonly InboundMessage[] | Promise<readonly InboundMessage[]>;
  /** What the carrier takes for success, after everything it reported is durable. */
  accept(events: readonly CarrierEvent[]): ReportAnswer;
}

/** An answer to a report. */
export interface ReportAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}
