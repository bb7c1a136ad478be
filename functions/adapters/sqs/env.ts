import * as z from "zod";
import { filledText, positiveInteger } from "../variables.ts";

/** What a function needs to know to have something put on a queue at a time. */
const schedulesEnv = z.object({
  SCHEDULE_GROUP: filledText,
  SCHEDULE_ROLE_ARN: filledText,
});
/** What a function needs to know to put messages on their way to dispatch, by the lane it is given. */
export const dispatchQueueEnv = z.object({
  DISPATCH_QUEUE_URL: filledText,
  DISPATCH_QUEUE_ARN: filledText,
  DISPATCH_DEAD_LETTER_QUEUE_ARN: filledText,
  ...schedulesEnv.shape,
});
/** What a function needs to know to hand on batches. */
export const batchQueueEnv = z.object({
  BATCH_QUEUE_URL: filledText,
  BATCH_QUEUE_ARN: filledText,
  BATCH_DEAD_LETTER_QUEUE_ARN: filledText,
  ...schedulesEnv.shape,
});
/** What a function needs to know to put deliveries on their way, and to give them up. */
export const callbackQueueEnv = z.object({
  CALLBACK_DELIVERIES_QUEUE_URL: filledText,
  CALLBACK_RETRY_QUEUE_URL: filledText,
  CALLBACK_RETRY_QUEUE_ARN: filledText,
  CALLBACK_DEAD_LETTER_QUEUE_URL: filledText,
  CALLBACK_DEAD_LETTER_QUEUE_ARN: filledText,
  ...schedulesEnv.shape,
});
/** What a function needs to know to bring deliveries back. */
export const callbackReplayEnv = z.object({
  CALLBACK_DELIVERIES_QUEUE_URL: filledText,
  CALLBACK_RETRY_QUEUE_URL: filledText,
});
/** What a function needs to know to have endpoints told of events. */
export const callbackEventsEnv = z.object({ CALLBACK_EVENTS_QUEUE_URL: filledText });
/** What a function needs to know to report what a carrier says. */
export const carrierEventsQueueEnv = z.object({ CARRIER_EVENTS_QUEUE_URL: filledText });
/** What a function needs to know to set aside stream records that it cannot read. */
export const deadLetterEnv = z.object({ DEAD_LETTER_QUEUE_URL: filledText });
/** What a function needs to know to set aside messages of its queue that no further delivery would help. */
export const poisonEnv = z.object({
  ...deadLetterEnv.shape,
  MAX_RECEIVES: positiveInteger,
});
