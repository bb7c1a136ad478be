import * as z from "zod";
import { DELIVERY_LEVELS, type Delivery, deliverySchema } from "../../core/callback-delivery.ts";
import { torpedoEventSchema } from "../../core/events.ts";
import { CALLBACK_GIVE_UP_AFTER_MS } from "../../core/retry-schedule.ts";
import { fullEvent, shortEvent } from "../../core/short-event.ts";
import { endpointAndSubjectOf } from "./callback-keys.ts";
import { parseItem } from "./items.ts";

/** Of an item whose version this is, what its key or the rest of it says is left out. */
const SHORT = 2;

/** When retries end that nobody has begun anew. */
const firstDeadline = (createdAt: number) => createdAt + CALLBACK_GIVE_UP_AFTER_MS;

/** What an item holds of a delivery beside its key: no more than what tells it, because every kilobyte is paid for. */
export function fieldsOf(delivery: Delivery) {
  const { event, step, attempts, deadline, createdAt } = delivery;
  const { account: _, endpointId: __, subject: ___, level: ____, ...rest } = delivery;
  return {
    ...rest,
    version: SHORT,
    event: shortEvent(event, delivery),
    step: step === 0 ? undefined : step,
    attempts: attempts.length === 0 ? undefined : attempts,
    deadline: deadline === firstDeadline(createdAt) ? undefined : deadline,
  };
}

const { state, cause, turn, step, attempts, createdAt, deadline, settledAt, removeAt } =
  deliverySchema.shape;

const shortSchema = z
  .object({
    version: z.literal(SHORT),
    pk: z.string(),
    sk: z.enum(DELIVERY_LEVELS),
    event: z.record(z.string(), z.unknown()),
    state,
    cause,
    turn,
    step: step.default(0),
    attempts: attempts.default([]),
    createdAt,
    deadline: deadline.optional(),
    settledAt,
    removeAt,
  })
  .transform(({ pk, sk, event, ...rest }, context): Delivery => {
    const key = endpointAndSubjectOf(pk);
    const full = torpedoEventSchema.safeParse(eventOf(event, key));
    if (full.success) {
      const { deadline: until = firstDeadline(rest.createdAt) } = rest;
      return { ...rest, version: 1, ...key, level: sk, event: full.data, deadline: until };
    }
    context.addIssue({ code: "custom", path: ["event"], message: "it is no event" });
    return z.NEVER;
  });

function eventOf(event: Record<string, unknown>, key: ReturnType<typeof endpointAndSubjectOf>) {
  try {
    return fullEvent(event, key);
  } catch {
    return undefined;
  }
}

/** Every version that there ever was. */
const itemSchema: z.ZodType<Delivery> = z.union([shortSchema, deliverySchema]);

/**
 * Reads a delivery out of an item of the table.
 * @throws UnreadableItemError
 */
export const deliveryOfItem = (item: unknown): Delivery => parseItem(itemSchema, item, "delivery");
