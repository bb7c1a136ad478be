import * as z from "zod";
import { carrierEventsQueueEnv } from "../../sqs/env.ts";

/** What a stage says of a sandbox. */
export const settings = z.strictObject({
  /** Whether it is unreachable, for everybody: to see what then becomes of messages. */
  down: z.boolean().default(false),
});

/** What the stack makes for a sandbox. */
export const provisions = z.object({
  outboxTable: z.string().min(1),
  carrierEventsQueueUrl: carrierEventsQueueEnv.shape.CARRIER_EVENTS_QUEUE_URL,
});
