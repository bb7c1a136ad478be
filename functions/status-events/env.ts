import * as z from "zod";
import { eventBusEnv } from "../adapters/eventbridge/env.ts";
import { deadLetterEnv } from "../adapters/sqs/env.ts";

/** The environment of status-events. */
export const env = z.object({
  ...eventBusEnv.shape,
  ...deadLetterEnv.shape,
  STAGE: z.string().min(1),
});
