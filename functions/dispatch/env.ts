import * as z from "zod";
import { carrierEnv } from "../adapters/carriers/env.ts";
import { directoryEnv, messagesEnv } from "../adapters/dynamodb/env.ts";
import { dispatchQueueEnv, poisonEnv } from "../adapters/sqs/env.ts";

/** The environment of dispatch. */
export const env = z.object({
  ...messagesEnv.shape,
  ...directoryEnv.shape,
  ...dispatchQueueEnv.shape,
  ...poisonEnv.shape,
  ...carrierEnv.shape,
  CLAIM_TIMEOUT_SECONDS: z.coerce.number().positive(),
  CARRIER_TIMEOUT_SECONDS: z.coerce.number().positive(),
  LEASE_SECONDS: z.coerce.number().positive(),
  LAST_CALL_SECONDS: z.coerce.number().positive(),
  MAX_ATTEMPTS: z.coerce.number().int().positive(),
  BACKOFF_BASE_SECONDS: z.coerce.number().positive(),
  BACKOFF_CAP_SECONDS: z.coerce.number().positive(),
});
