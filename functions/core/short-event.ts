import { codesOf } from "./codes.ts";
import { isMessageReceived, type MessageStatusChanged, type TorpedoEvent } from "./events.ts";
import { isFinal } from "./lifecycle.ts";

/** What the record of an event says of it beside what stands in it: whose it is, and what it is about. */
export interface EventContext {
  readonly account: string;
  readonly subject: string;
}

/** An event without what can be told from the rest of it and from where it lies. */
export type ShortEvent = Readonly<Record<string, unknown>>;

type Codes = MessageStatusChanged["codes"];

/** What the rest of an event says. */
type Derived = Readonly<Record<string, unknown>> & { readonly codes?: Codes };

const TIMES = ["at", "acceptedAt", "sentAt", "receivedAt"] as const;

/**
 * An event as it is kept: without the fields that say what the others say already, and with times in
 * milliseconds since the epoch. What says anything else stays, so that `fullEvent` gives back the
 * same event, whoever wrote it.
 */
export function shortEvent(event: TorpedoEvent, context: EventContext): ShortEvent {
  const short: Record<string, unknown> = { ...event };
  const { codes, ...derived } = derivedOf(event, context);
  for (const [field, value] of Object.entries(derived)) {
    if (short[field] === value) delete short[field];
  }
  if (!isMessageReceived(event) && areSame(event.codes, codes)) delete short.codes;
  for (const field of TIMES) {
    const time = short[field];
    if (typeof time === "string") short[field] = shortTime(time);
  }
  return short;
}

/** Field by field: this is done for every callback. */
function areSame(one: Codes, other: Codes | undefined): boolean {
  return (
    one.mesago.statusCode === other?.mesago.statusCode &&
    one.mesago.detailCode === other.mesago.detailCode &&
    one.wavy.sent === other.wavy.sent &&
    one.wavy.delivered === other.wavy.delivered
  );
}

/** A time in another spelling than ours stays as it is written. */
function shortTime(iso: string): string | number {
  const time = Date.parse(iso);
  return !Number.isNaN(time) && new Date(time).toISOString() === iso ? time : iso;
}

/**
 * The event that was made short. It is still to be checked: what is stored can be anything.
 * @throws RangeError where a time is none
 */
export function fullEvent(short: ShortEvent, context: EventContext): unknown {
  const full: Record<string, unknown> = { ...short };
  for (const field of TIMES) {
    const time = full[field];
    if (typeof time === "number") full[field] = new Date(time).toISOString();
  }
  return { ...derivedOf(full as unknown as TorpedoEvent, context), ...full };
}

/** What the rest of an event says. Where that is no event, so is what comes of it. */
function derivedOf(event: TorpedoEvent, context: EventContext): Derived {
  return isMessageReceived(event)
    ? { version: 1, account: context.account, eventId: `${context.account}.mo.${event.moId}` }
    : derivedOfStatus(event, context);
}

function derivedOfStatus(
  { state, reason, at, traceId }: MessageStatusChanged,
  { account, subject }: EventContext,
): Derived {
  return {
    version: 1,
    account,
    traceId: subject,
    eventId: `${traceId ?? subject}.${state}.${Date.parse(at)}`,
    final: isFinal(state, reason),
    parts: 1,
    codes: codesOf(state, reason),
  };
}
