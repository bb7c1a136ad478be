import * as z from "zod";
import { carrierEventsQueueEnv } from "../sqs/env.ts";

/** The carriers that a stage can name, each with what it needs to know. */
export const carrierEnv = z.object({
  CARRIER: z.literal("sandbox"),
  SANDBOX_OUTBOX_TABLE: z.string().min(1),
  ...carrierEventsQueueEnv.shape,
});
