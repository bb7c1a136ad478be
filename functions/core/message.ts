import * as z from "zod";
import { ALL_REASONS, STATES } from "./lifecycle.ts";

/** When deliveries of status callbacks are wanted: on every change, on the last one, or never. */
export const CALLBACK_OPTIONS = ["ALL", "FINAL", "NONE"] as const;
export type CallbackOption = (typeof CALLBACK_OPTIONS)[number];

/** The client APIs a message can have come through. */
export const DIALECTS = ["mesago", "zenvia", "wavy"] as const;
export type Dialect = (typeof DIALECTS)[number];

/** Milliseconds since the epoch. */
const instant = z.number().int().nonnegative();

/** The hours of the day in which a message may be sent, each meaning hh:00–hh:59 in `timeZone`. */
const timeWindowSchema = z.object({
  hours: z.array(z.number().int().min(0).max(23)).min(1),
  timeZone: z.string().min(1),
});
export type TimeWindow = z.infer<typeof timeWindowSchema>;

/** Who holds a message, and until when. */
export const leaseSchema = z.object({
  token: z.string(),
  until: instant,
  /** It ran out once already: who has it may still write down what became of its hand-over. */
  lastCall: z.literal(true).optional(),
});

/** The states of one part: it waits for its hand-over, or what the carrier made of it. */
const PART_STATES = ["QUEUED", "SENT", "DELIVERED", "NOT_DELIVERED", "FAILED", "BLOCKED"] as const;

/** One SMS of a long message. */
const partSchema = z.object({
  /** How much of the message's text it carries, in UTF-16 code units, from where the part before it ends. */
  length: z.number().int().positive(),
  state: z.enum(PART_STATES),
  reason: z.enum(ALL_REASONS).optional(),
  carrierMessageId: z.string().optional(),
});
export type Part = z.infer<typeof partSchema>;

/** The campaign that a message was sent for. */
export const campaignRefSchema = z.object({ id: z.number().int(), alias: z.string() });

/** The user who sent a message. */
export const senderSchema = z.object({ username: z.string(), email: z.string().optional() });

/** The bulk request that a message came with. */
const batchMembershipSchema = z.object({
  batchId: z.string().min(1),
  /** How many messages of the batch are due at the same time as this one. */
  dueTogether: z.number().int().positive(),
});

/**
 * An MT as it is stored. All times are milliseconds since the epoch, except `removeAt`, which is
 * seconds because DynamoDB's TTL wants them.
 */
export const messageSchema = z.object({
  version: z.literal(1),
  account: z.string().min(1),
  /** The client's id where the dialect lets the client choose one, else a UUIDv7. */
  id: z.string().min(1),
  /** Follows the message through queues, events and logs; tells two messages with one id apart. */
  traceId: z.string().min(1),
  dialect: z.enum(DIALECTS),
  /** E.164 without the plus sign; what the client wrote, where that is no number. */
  destination: z.string().default(""),
  /** What the phone shows, all parts together. */
  text: z.string(),
  /** In order; absent for a message of a single part. */
  parts: z.array(partSchema).min(2).optional(),
  flash: z.boolean(),
  callbackOption: z.enum(CALLBACK_OPTIONS).optional(),
  extraInfo: z.string().optional(),
  /** The client's own, which many messages can share (Wavy document, `correlationId`). */
  correlationId: z.string().optional(),
  subAccount: z.string().optional(),
  campaign: campaignRefSchema.optional(),
  sender: senderSchema.optional(),
  /** Placeholders of its text and the values given do not match (Wavy document, `params`). */
  invalidParams: z.literal(true).optional(),
  batch: batchMembershipSchema.optional(),
  window: timeWindowSchema.optional(),
  state: z.enum(STATES),
  reason: z.enum(ALL_REASONS).optional(),
  /** When the message came into its present state. */
  stateAt: instant,
  acceptedAt: instant,
  /** Not before this time may it be handed to the carrier: its due time, then that of its next attempt. */
  claimableFrom: instant,
  /** From this time on it must not be handed over as things stand: the window closes or it expires. */
  claimableUntil: instant,
  /** After this time it is not sent any more. */
  expiresAt: instant.optional(),
  /** Hand-overs begun. */
  attempts: z.number().int().nonnegative(),
  /** Who is handing it over right now, and until when nobody else may. */
  lease: leaseSchema.optional(),
  carrier: z.string().optional(),
  /** The carriers that could not take it, in the order in which they were tried. */
  carriersTried: z.array(z.string()).optional(),
  carrierMessageId: z.string().optional(),
  operator: z.string().optional(),
  shortCode: z.string().optional(),
  sentAt: instant.optional(),
  /** A retry was told that it is here: it is not withdrawn any more. */
  kept: z.literal(true).optional(),
  /** Seconds since the epoch; past it the message counts as absent. */
  removeAt: z.number().int(),
});
export type Message = z.infer<typeof messageSchema>;

/** What names a message in queues: its key, and its trace so that a re-used id is not mistaken for it. */
export const messageRefSchema = z.object({
  account: z.string().min(1),
  id: z.string().min(1),
  traceId: z.string().min(1),
});
export type MessageRef = z.infer<typeof messageRefSchema>;

/** The reference of a message. */
export function refOf({ account, id, traceId }: MessageRef): MessageRef {
  return { account, id, traceId };
}

/** Hides the middle of a phone number; of a short one, its first half. */
export function maskNumber(number: string): string {
  const head = number.length > 9 ? 5 : 0;
  const hiddenEnd = number.length - Math.min(4, Math.floor(number.length / 2));
  return number.slice(0, head) + "*".repeat(hiddenEnd - head) + number.slice(hiddenEnd);
}
