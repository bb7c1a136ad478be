import * as z from "zod";
import { isMessageReceived, type TorpedoEvent, torpedoEventSchema } from "./events.ts";

/** The levels of what an endpoint is told of one subject, in the order in which it is told them. */
export const DELIVERY_LEVELS = ["sent", "delivered", "received", "test"] as const;

/** What an endpoint is told once: of one message (its trace) or MO, one level. */
export const deliveryKeySchema = z.object({
  account: z.string().min(1),
  endpointId: z.string().min(1),
  subject: z.string().min(1),
  level: z.enum(DELIVERY_LEVELS),
});
export type DeliveryKey = z.infer<typeof deliveryKeySchema>;

/**
 * One turn of a delivery; what travels in the queues. Whoever records a turn makes the delivery's
 * number greater than the turn's, so that a copy of it does nothing.
 */
export const deliveryTurnSchema = z.object({
  ...deliveryKeySchema.shape,
  turn: z.number().int().nonnegative(),
  /** Whether it comes among the retries, where those wait whose endpoints' answers take long. */
  aside: z.literal(true).optional(),
});
export type DeliveryTurn = z.infer<typeof deliveryTurnSchema>;

/** How one request to an endpoint went. */
const attemptSchema = z.object({
  /** Milliseconds since the epoch. */
  at: z.number().int(),
  durationMs: z.number().int().nonnegative(),
  /** Of the answer, where there was one. */
  status: z.number().int().optional(),
  /** What kept the request from being answered. */
  failure: z.string().optional(),
  /** The beginning of the answer's body. */
  answer: z.string().optional(),
  /** Whether another try would hardly end otherwise. */
  permanent: z.literal(true).optional(),
});
export type Attempt = z.infer<typeof attemptSchema>;

/**
 * - `pending`: a turn is on its way
 * - `waiting`: for what the endpoint is to be told before
 * - `held`: until its endpoint, which is paused, is resumed
 */
export const DELIVERY_STATES = ["pending", "waiting", "held", "delivered", "failed"] as const;

/** One event on its way to one endpoint. Times are milliseconds since the epoch but for `removeAt`, which is in seconds. */
export const deliverySchema = z.object({
  version: z.literal(1),
  ...deliveryKeySchema.shape,
  event: torpedoEventSchema,
  state: z.enum(DELIVERY_STATES),
  /** Why it failed. */
  cause: z.string().optional(),
  /** The turn that is next; turns before it are over. */
  turn: z.number().int().nonnegative(),
  /** Where it is in the schedule of retries. */
  step: z.number().int().nonnegative(),
  /** Of all times, oldest first. */
  attempts: z.array(attemptSchema),
  createdAt: z.number().int(),
  /** When retries end. */
  deadline: z.number().int(),
  /** When it came into a state that it does not leave by itself: delivered, failed, or held. */
  settledAt: z.number().int().optional(),
  removeAt: z.number().int(),
});
export type Delivery = z.infer<typeof deliverySchema>;

/** What a delivery is called towards people, and in `webhook-id`: without the full stop that separates the parts of a signature. */
export function deliveryIdOf({ endpointId, subject, level }: Omit<DeliveryKey, "account">): string {
  return `${endpointId}_${subject}_${level}`;
}

/** The delivery of this id, if it can be one. */
export function parseDeliveryId(account: string, id: string): DeliveryKey | undefined {
  const first = id.indexOf("_");
  const last = id.lastIndexOf("_");
  if (first < 0 || first === last) return undefined;
  return deliveryKeySchema.safeParse({
    account,
    endpointId: id.slice(0, first),
    subject: id.slice(first + 1, last),
    level: id.slice(last + 1),
  }).data;
}

/** What a delivery of this event is about. */
export function subjectOf(event: TorpedoEvent): string {
  return isMessageReceived(event) ? `mo-${event.moId}` : event.traceId;
}

/** The key of a delivery, or of a turn, without the rest. */
export function keyOfDelivery({ account, endpointId, subject, level }: DeliveryKey): DeliveryKey {
  return { account, endpointId, subject, level };
}

/** Whether nothing more happens to a delivery by itself. */
export function isSettled({ state }: Pick<Delivery, "state">): boolean {
  return state === "delivered" || state === "failed";
}

/** Deliveries of an endpoint that do not go on by themselves are to go on. Travels in the queue. */
export const releaseJobSchema = z.object({
  kind: z.literal("release"),
  account: z.string().min(1),
  endpointId: z.string().min(1),
  state: z.enum(["held", "failed"]),
  /** Those in that state since a time in this period; milliseconds since the epoch, inclusive. */
  since: z.number().int(),
  until: z.number().int(),
});
export type ReleaseJob = z.infer<typeof releaseJobSchema>;

/**
 * Events of one account that travel together to where it is found out who is told of them; the most
 * of them in one message, and their bytes.
 */
export const EVENTS_TOGETHER = { count: 50, size: 200_000 } as const;

/** Events of which customers may want to be told. Each is read by itself: one that cannot be read spoils no other. */
export const eventGroupSchema = z.object({
  events: z.array(z.unknown()).min(1).max(EVENTS_TOGETHER.count),
});
export type EventGroup = z.infer<typeof eventGroupSchema>;

/**
 * The most events that an endpoint is told of together: what became of them, and that they were
 * told, is stored by one request of 25 statements.
 */
export const MOST_TOLD_TOGETHER = 24;

/** Events that one endpoint is to be told of, before anything of it is stored. */
export const endpointGroupSchema = z.object({
  account: z.string().min(1),
  endpointId: z.string().min(1),
  ...eventGroupSchema.shape,
  /** When the endpoint was chosen; milliseconds since the epoch. */
  since: z.number().int(),
  /** Whether it was told of some of them already, perhaps. */
  again: z.literal(true).optional(),
});
export type EndpointGroup = Readonly<z.infer<typeof endpointGroupSchema>>;
