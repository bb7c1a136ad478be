import * as z from "zod";
import { DEMOTION_REASONS, type DemotionReason } from "./carrier-health.ts";
import { codesOf, MESAGO_DETAIL, MESAGO_STATUS, WAVY_DELIVERED, WAVY_SENT } from "./codes.ts";
import { ALL_REASONS, isFinal, STATES } from "./lifecycle.ts";
import {
  CALLBACK_OPTIONS,
  campaignRefSchema,
  DIALECTS,
  type Message,
  senderSchema,
} from "./message.ts";
import { answeredSchema, type Mo } from "./mo.ts";
import { partCount } from "./parts.ts";

/** `source` of everything Torpedo puts on its bus. */
export const EVENT_SOURCE = "torpedo";
/** `detail-type` of a message's last change of state. */
export const MESSAGE_STATUS_CHANGED = "Message Status Changed";
/** `detail-type` of changes of state after which more is to come, several messages' together. */
export const MESSAGE_STATUSES_CHANGED = "Message Statuses Changed";
/** `detail-type` of an MO. */
export const MESSAGE_RECEIVED = "Message Received";
/** `detail-type` of an endpoint that is told nothing any more because it does not answer. */
export const ENDPOINT_DISABLED = "Endpoint Disabled";

/** `detail-type` of a carrier that is tried last, because it fails or its receipts are late. */
export const CARRIER_DEMOTED = "Carrier Demoted";
/** `detail-type` of a carrier that has come back. */
export const CARRIER_RESTORED = "Carrier Restored";

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
  /** E.164 without the plus sign; what the client wrote, where that is no number. */
  destination: z.string(),
  state: z.enum(STATES),
  reason: z.enum(ALL_REASONS).optional(),
  previousState: z.enum(STATES).optional(),
  /** Why it was in the state before. */
  previousReason: z.enum(ALL_REASONS).optional(),
  /** Whether nothing more is expected of this message. */
  final: z.boolean(),
  /** When the message came into this state. */
  at: z.iso.datetime(),
  acceptedAt: z.iso.datetime(),
  sentAt: z.iso.datetime().optional(),
  attempts: z.number().int(),
  /** How many SMS it is: what is billed. */
  parts: z.number().int().positive().default(1),
  /** The bulk request that it came with. */
  batchId: z.string().optional(),
  carrier: z.string().optional(),
  /** The carriers that could not take it, in the order in which they were tried. */
  carriersTried: z.array(z.string()).optional(),
  carrierMessageId: z.string().optional(),
  operator: z.string().optional(),
  shortCode: z.string().optional(),
  callbackOption: z.enum(CALLBACK_OPTIONS).optional(),
  extraInfo: z.string().optional(),
  correlationId: z.string().optional(),
  subAccount: z.string().optional(),
  campaign: campaignRefSchema.optional(),
  sender: senderSchema.optional(),
  /** Placeholders of its text and the values given did not match; it is sent all the same. */
  invalidParams: z.literal(true).optional(),
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

/**
 * The `detail` of a "Message Statuses Changed" event (docs/events.md): changes of one account's
 * messages, none of them final, each with an `eventId` of its own.
 */
export const messageStatusesChangedSchema = z.object({
  version: z.literal(1),
  account: z.string(),
  changes: z.array(messageStatusChangedSchema).min(1),
});

const iso = (at: number) => new Date(at).toISOString();

/** The event that tells the world of a message's present state. */
export function messageStatusChanged(
  message: Message,
  before?: Pick<Message, "state" | "reason">,
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
    ...(before && { previousState: before.state }),
    ...(before?.reason && { previousReason: before.reason }),
    final: isFinal(message.state, message.reason),
    at: iso(message.stateAt),
    acceptedAt: iso(message.acceptedAt),
    ...(message.sentAt !== undefined && { sentAt: iso(message.sentAt) }),
    attempts: message.attempts,
    parts: partCount(message),
    ...(message.batch && { batchId: message.batch.batchId }),
    ...(message.carrier && { carrier: message.carrier }),
    ...(message.carriersTried && { carriersTried: message.carriersTried }),
    ...(message.carrierMessageId && { carrierMessageId: message.carrierMessageId }),
    ...(message.operator && { operator: message.operator }),
    ...(message.shortCode && { shortCode: message.shortCode }),
    ...(message.callbackOption && { callbackOption: message.callbackOption }),
    ...(message.extraInfo !== undefined && { extraInfo: message.extraInfo }),
    ...(message.correlationId !== undefined && { correlationId: message.correlationId }),
    ...(message.subAccount && { subAccount: message.subAccount }),
    ...(message.campaign && { campaign: message.campaign }),
    ...(message.sender && { sender: message.sender }),
    ...(message.invalidParams && { invalidParams: message.invalidParams }),
    codes: codesOf(message.state, message.reason),
  };
}

/**
 * The `detail` of a "Message Received" event (docs/events.md). Times are ISO 8601 in UTC.
 */
export const messageReceivedSchema = z.object({
  version: z.literal(1),
  /** The same for every delivery of one MO. */
  eventId: z.string(),
  account: z.string(),
  moId: z.number().int(),
  dialect: z.enum(DIALECTS),
  /** The phone, E.164 without the plus sign. */
  from: z.string(),
  shortCode: z.string(),
  text: z.string(),
  receivedAt: z.iso.datetime(),
  carrier: z.string(),
  operator: z.string().optional(),
  /** The same MO's id in dialects whose ids are UUIDs. */
  uuid: z.string().optional(),
  /** The message that it answers, and that one's sub-account and campaign. */
  answers: answeredSchema.optional(),
  subAccount: z.string().optional(),
  campaign: campaignRefSchema.optional(),
});
export type MessageReceived = z.infer<typeof messageReceivedSchema>;

/** The event that tells the world of an MO. */
export function messageReceived(mo: Mo): MessageReceived {
  return {
    version: 1,
    eventId: `${mo.account}.mo.${mo.id}`,
    account: mo.account,
    moId: mo.id,
    dialect: mo.dialect,
    from: mo.from,
    shortCode: mo.shortCode,
    text: mo.text,
    receivedAt: iso(mo.receivedAt),
    carrier: mo.carrier,
    ...(mo.operator && { operator: mo.operator }),
    ...(mo.uuid && { uuid: mo.uuid }),
    ...(mo.answers && { answers: mo.answers }),
    ...(mo.subAccount && { subAccount: mo.subAccount }),
    ...(mo.campaign && { campaign: mo.campaign }),
  };
}

/** Everything that Torpedo puts on its bus. */
export const torpedoEventSchema = z.union([messageStatusChangedSchema, messageReceivedSchema]);
export type TorpedoEvent = z.infer<typeof torpedoEventSchema>;

/** Whether an event is about an MO. */
export function isMessageReceived(event: TorpedoEvent): event is MessageReceived {
  return "moId" in event;
}

/** What the log calls the message that an event is about: an MT's trace, or an MO's event. */
export function traceOfEvent(event: TorpedoEvent): string {
  return isMessageReceived(event) ? event.eventId : event.traceId;
}

/** When what an event tells happened; ISO 8601 in UTC. */
export function timeOfEvent(event: TorpedoEvent): string {
  return isMessageReceived(event) ? event.receivedAt : event.at;
}

/** The `detail` of an "Endpoint Disabled" event (docs/events.md). Times are ISO 8601 in UTC. */
export const endpointDisabledSchema = z.object({
  version: z.literal(1),
  /** The same for every delivery of one such event. */
  eventId: z.string(),
  account: z.string(),
  subAccount: z.string().optional(),
  endpointId: z.string(),
  /** The beginning of its URL, up to the host. */
  origin: z.string(),
  reason: z.enum(["gone", "failing"]),
  /** Since when nothing has succeeded. */
  failingSince: z.iso.datetime().optional(),
  at: z.iso.datetime(),
});
export type EndpointDisabled = z.infer<typeof endpointDisabledSchema>;

/** A change of how a carrier is used. Times are milliseconds since the epoch. */
export interface CarrierChange {
  readonly carrier: string;
  readonly change: "demoted" | "restored";
  readonly reason?: DemotionReason;
  /** How many of a hundred failed, or had late receipts. */
  readonly percent?: number;
  readonly at: number;
  /** When it is tried again. */
  readonly until?: number;
}

/** The `detail` of "Carrier Demoted" and "Carrier Restored" events (docs/events.md). Times are ISO 8601 in UTC. */
export const carrierChangedSchema = z.object({
  version: z.literal(1),
  /** The same for every delivery of one such event. */
  eventId: z.string(),
  carrier: z.string(),
  change: z.enum(["demoted", "restored"]),
  reason: z.enum(DEMOTION_REASONS).optional(),
  percent: z.number().optional(),
  at: z.iso.datetime(),
  until: z.iso.datetime().optional(),
});
export type CarrierChanged = z.infer<typeof carrierChangedSchema>;

/** The event that tells the world of a carrier. */
export function carrierChanged(change: CarrierChange): CarrierChanged {
  const { at, until, ...rest } = change;
  return {
    version: 1,
    eventId: `${change.carrier}.${change.change}.${at}`,
    ...rest,
    at: iso(at),
    ...(until !== undefined && { until: iso(until) }),
  };
}
