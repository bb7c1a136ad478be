import * as z from "zod";
import { codesOf, MESAGO_DETAIL, MESAGO_STATUS, WAVY_DELIVERED, WAVY_SENT } from "./codes.ts";
import { ALL_REASONS, isFinal, STATES } from "./lifecycle.ts";
import { CALLBACK_OPTIONS, DIALECTS, type Message } from "./message.ts";

/** `source` of everything Torpedo puts on its bus. */
export const EVENT_SOURCE = "torpedo";
/** `detail-type` of a message's change of state. */
export const MESSAGE_STATUS_CHANGED = "Message Status Changed";

const keysOf = <T extends object>(table: T) => Object.keys(table) as [keyof T & string];
const numericKeysOf = <T extends object>(table: T) =>
  z.number().refine((code) => String(code) in table, "not a code of this table");

/**
 * The `detail` of a "Message Status Changed" event, shared by the producer and every consumer
 * (docs/events.md). Times are ISO 8601 in UTC.
 */
export const messageStatusChangedSchema = z.object({
  version: z.literal(1),
  /** The same for every delivery of one change: consumers that must act once deduplicate by it. */
  eventId: z.string(),
  traceId: z.string(),
  account: z.string(),
  id: z.string(),
  dialect: z.enum(DIALECTS),
  /** E.164 without the plus sign. */
  destination: z.string(),
  state: z.enum(STATES),
  reason: z.enum(ALL_REASONS).optional(),
  previousState: z.enum(STATES).optional(),
  /** Whether this is the last event of this message. */
  final: z.boolean(),
  /** When the message came into this state. */
  at: z.iso.datetime(),
  acceptedAt: z.iso.datetime(),
  sentAt: z.iso.datetime().optional(),
  attempts: z.number().int(),
  carrier: z.string().optional(),
  carrierMessageId: z.string().optional(),
  operator: z.string().optional(),
  shortCode: z.string().optional(),
  callbackOption: z.enum(CALLBACK_OPTIONS).optional(),
  extraInfo: z.string().optional(),
  codes: z.object({
    mesago: z.object({
      statusCode: z.enum(keysOf(MESAGO_STATUS)),
      detailCode: z.enum(keysOf(MESAGO_DETAIL)),
    }),
    wavy: z.object({
      sent: numericKeysOf(WAVY_SENT).optional(),
      delivered: numericKeysOf(WAVY_DELIVERED).optional(),
    }),
  }),
});
export type MessageStatusChanged = z.infer<typeof messageStatusChangedSchema>;

const iso = (at: number) => new Date(at).toISOString();

/** The event that tells the world of a message's present state. */
export function messageStatusChanged(
  message: Message,
  previousState?: Message["state"],
): MessageStatusChanged {
  return {
    version: 1,
    eventId: `${message.traceId}.${message.state}.${message.stateAt}`,
    traceId: message.traceId,
    account: message.account,
    id: message.id,
    dialect: message.dialect,
    destination: message.destination,
    state: message.state,
    ...(message.reason && { reason: message.reason }),
    ...(previousState && { previousState }),
    final: isFinal(message.state, message.reason),
    at: iso(message.stateAt),
    acceptedAt: iso(message.acceptedAt),
    ...(message.sentAt !== undefined && { sentAt: iso(message.sentAt) }),
    attempts: message.attempts,
    ...(message.carrier && { carrier: message.carrier }),
    ...(message.carrierMessageId && { carrierMessageId: message.carrierMessageId }),
    ...(message.operator && { operator: message.operator }),
    ...(message.shortCode && { shortCode: message.shortCode }),
    ...(message.callbackOption && { callbackOption: message.callbackOption }),
    ...(message.extraInfo !== undefined && { extraInfo: message.extraInfo }),
    codes: codesOf(message.state, message.reason),
  };
}
