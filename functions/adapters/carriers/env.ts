import * as z from "zod";
import { carrierEventsQueueEnv } from "../sqs/env.ts";

/** What the sandbox carrier needs to know. */
export const sandboxEnv = z.object({
  SANDBOX_OUTBOX_TABLE: z.string().min(1),
  ...carrierEventsQueueEnv.shape,
});

/** Which carrier a function hands messages to, and what that one needs to know; its factory insists on it. */
export const carrierEnv = z.object({
  CARRIER: z.enum(["sandbox"]),
  ...sandboxEnv.partial().shape,
});
