import * as z from "zod";
import { carriersEnv } from "../adapters/carriers/env.ts";
import {
  carriersTableEnv,
  directoryEnv,
  messagesEnv,
  rateLimitsEnv,
} from "../adapters/dynamodb/env.ts";
import { eventBusEnv } from "../adapters/eventbridge/env.ts";
import { dispatchQueueEnv, poisonEnv } from "../adapters/sqs/env.ts";

/** The environment of dispatch. */
export const env = z.object({
  ...messagesEnv.shape,
  ...directoryEnv.shape,
  ...dispatchQueueEnv.shape,
  ...poisonEnv.shape,
  ...carriersEnv.shape,
  ...carriersTableEnv.shape,
  ...rateLimitsEnv.shape,
  ...eventBusEnv.shape,
  STAGE: z.string().min(1),
  LANE: z.enum(["singles", "bulk"]),
  /** How many functions of both lanes may hand over at once. */
  CONCURRENCY: z.coerce.number().int().positive(),
  CLAIM_TIMEOUT_SECONDS: z.coerce.number().positive(),
  CARRIER_TIMEOUT_SECONDS: z.coerce.number().positive(),
  LEASE_SECONDS: z.coerce.number().positive(),
  LAST_CALL_SECONDS: z.coerce.number().positive(),
  MAX_ATTEMPTS: z.coerce.number().int().positive(),
  BACKOFF_BASE_SECONDS: z.coerce.number().positive(),
  BACKOFF_CAP_SECONDS: z.coerce.number().positive(),
});
