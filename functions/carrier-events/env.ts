import * as z from "zod";
import { directoryEnv, messagesEnv } from "../adapters/dynamodb/env.ts";
import { deadLetterEnv } from "../adapters/sqs/env.ts";

/** The environment of carrier-events. */
export const env = z.object({
  ...messagesEnv.shape,
  ...directoryEnv.shape,
  ...deadLetterEnv.shape,
  MO_RETENTION_HOURS: z.coerce.number().positive(),
});
