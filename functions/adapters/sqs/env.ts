import * as z from "zod";

/** What a function needs to know to put messages on their way to dispatch. */
export const dispatchQueueEnv = z.object({
  DISPATCH_QUEUE_URL: z.string().min(1),
  DISPATCH_QUEUE_ARN: z.string().min(1),
  DISPATCH_DEAD_LETTER_QUEUE_ARN: z.string().min(1),
  DISPATCH_SCHEDULE_GROUP: z.string().min(1),
  DISPATCH_SCHEDULE_ROLE_ARN: z.string().min(1),
});
/** What a function needs to know to retry callbacks, and to give them up. */
export const callbackRetryEnv = z.object({
  CALLBACK_RETRY_QUEUE_URL: z.string().min(1),
  CALLBACK_DEAD_LETTER_QUEUE_URL: z.string().min(1),
});
/** What a function needs to know to report what a carrier says. */
export const carrierEventsQueueEnv = z.object({ CARRIER_EVENTS_QUEUE_URL: z.string().min(1) });
/** What a function needs to know to set aside stream records that it cannot read. */
export const deadLetterEnv = z.object({ DEAD_LETTER_QUEUE_URL: z.string().min(1) });
