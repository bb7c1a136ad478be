import * as z from "zod";
import {
  type CarrierEvent,
  type InboundMessage,
  InvalidReportError,
  inboundSchema,
  type Receipt,
  receiptSchema,
} from "../../../core/carrier.ts";
import type { ReasonFor } from "../../../core/lifecycle.ts";
import { refOf } from "./reference.ts";

/** What a text's event says of it, once it is final; `under-way` is never final. */
export type Verdict = "under-way" | "delivered" | ReasonFor<"NOT_DELIVERED">;

/**
 * Every type of event that texts have, but for TEXT_ALL, which stands for all of them where they
 * are chosen. Whether an operator delivers says TEXT_DELIVERED in some countries and
 * TEXT_SUCCESSFUL in others; where it comes to both, only one of them is final.
 */
export const VERDICTS: Readonly<Record<string, Verdict>> = {
  TEXT_QUEUED: "under-way",
  TEXT_PENDING: "under-way",
  TEXT_SENT: "under-way",
  TEXT_SUCCESSFUL: "delivered",
  TEXT_DELIVERED: "delivered",
  TEXT_TTL_EXPIRED: "operator-expired",
  // The phone was off or out of reach until nobody tried any more.
  TEXT_UNREACHABLE: "operator-expired",
  TEXT_INVALID: "inactive-number",
  TEXT_INVALID_MESSAGE: "undeliverable",
  TEXT_CARRIER_UNREACHABLE: "undeliverable",
  TEXT_BLOCKED: "undeliverable",
  TEXT_CARRIER_BLOCKED: "undeliverable",
  TEXT_PROTECT_BLOCKED: "undeliverable",
  TEXT_SPAM: "undeliverable",
  // Also after 72 hours without word from the operator.
  TEXT_UNKNOWN: "undeliverable",
};

const textEvent = z.object({
  eventType: z.string(),
  isFinal: z.boolean(),
  /** Milliseconds since the epoch. */
  eventTimestamp: z.number(),
  originationPhoneNumber: z.string().nullish(),
  carrierName: z.string().nullish(),
  context: z.record(z.string(), z.string()).nullish(),
});

const twoWayMessage = z.object({
  inboundMessageId: z.string(),
  originationNumber: z.string(),
  destinationNumber: z.string(),
  messageBody: z.string().nullish(),
});

/** A message of an SNS topic, and who it is from. */
export interface Published {
  /** What the service published: JSON. */
  readonly message: string;
  /** Milliseconds since the epoch. */
  readonly publishedAt: number;
  /** What the stage calls the carrier. */
  readonly carrier: string;
}

const NUMBER = /^\+?(?<digits>\d+)$/;

/** A number without its plus sign, as ours are; a sender id is left as it is. */
const plain = (number: string) => NUMBER.exec(number)?.groups?.digits ?? number;

/**
 * The receipt that an event is, or none: for one that is not the last of its message, of a message
 * that others sent with our configuration set, and of what is no text.
 * @throws InvalidReportError
 */
export function readReceipts(published: Published): Receipt[] {
  const value = readJson(published.message);
  const type = readType(value);
  if (type === undefined) throw new InvalidReportError("Message: is no event of a message");
  return type.startsWith("TEXT_") ? receiptsOf(value, published.carrier) : [];
}

/**
 * The MO that a two-way message is.
 * @throws InvalidReportError
 */
export function readMos({ message, publishedAt, carrier }: Published): InboundMessage[] {
  const mo = parse(twoWayMessage, readJson(message));
  const inbound = {
    type: "mo",
    carrier,
    carrierMessageId: mo.inboundMessageId,
    from: plain(mo.originationNumber),
    shortCode: plain(mo.destinationNumber),
    text: mo.messageBody ?? "",
    at: publishedAt,
  };
  return [parse(inboundSchema, inbound)];
}

/**
 * What was published, whichever of the two it is: one topic may be for both.
 * @throws InvalidReportError
 */
export function readPublished(published: Published): CarrierEvent[] {
  return readType(readJson(published.message)) === undefined
    ? readMos(published)
    : readReceipts(published);
}

function receiptsOf(value: unknown, carrier: string): Receipt[] {
  const event = parse(textEvent, value);
  const ref = event.context ? readRef(event.context) : undefined;
  if (!event.isFinal || !ref) return [];
  const verdict = Object.hasOwn(VERDICTS, event.eventType) ? VERDICTS[event.eventType] : undefined;
  if (!verdict || verdict === "under-way") {
    throw new InvalidReportError("eventType: is none that is known to be final");
  }
  const shortCode = NUMBER.exec(event.originationPhoneNumber ?? "")?.groups?.digits;
  const receipt = {
    type: "receipt",
    ref,
    carrier,
    at: event.eventTimestamp,
    ...(event.carrierName && { operator: event.carrierName }),
    ...(shortCode && { shortCode }),
    ...(verdict === "delivered"
      ? { outcome: "delivered" }
      : { outcome: "not-delivered", reason: verdict }),
  };
  return [parse(receiptSchema, receipt)];
}

function readRef(context: Readonly<Record<string, string>>) {
  try {
    return refOf(context);
  } catch {
    throw new InvalidReportError("context: names no message, and should");
  }
}

const readType = (value: unknown): string | undefined =>
  z.object({ eventType: z.string() }).safeParse(value).data?.eventType;

function readJson(message: string): unknown {
  try {
    return JSON.parse(message);
  } catch {
    throw new InvalidReportError("Message: is not JSON");
  }
}

function parse<T>(schema: z.ZodType<T>, value: unknown): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new InvalidReportError(`${issue?.path.join(".") || "Message"}: ${issue?.message}`);
}
