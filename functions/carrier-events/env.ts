import * as z from "zod";
import { directoryEnv, messagesEnv } from "../adapters/dynamodb/env.ts";
import { dispatchQueueEnv, poisonEnv } from "../adapters/sqs/env.ts";

/** The environment of carrier-events. */
export const env = z.object({
  ...messagesEnv.shape,
  ...directoryEnv.shape,
  ...dispatchQueueEnv.shape,
  ...poisonEnv.shape,
  STATUS_RETENTION_HOURS: z.coerce.number().positive(),
  MO_RETENTION_HOURS: z.coerce.number().positive(),
});
