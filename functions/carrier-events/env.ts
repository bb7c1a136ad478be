import * as z from "zod";
import { directoryEnv, messagesEnv } from "../adapters/dynamodb/env.ts";
import { deadLetterEnv, dispatchQueueEnv } from "../adapters/sqs/env.ts";

/** The environment of carrier-events. */
export const env = z.object({
  ...messagesEnv.shape,
  ...directoryEnv.shape,
  ...deadLetterEnv.shape,
  ...dispatchQueueEnv.shape,
  STATUS_RETENTION_HOURS: z.coerce.number().positive(),
  MO_RETENTION_HOURS: z.coerce.number().positive(),
});
