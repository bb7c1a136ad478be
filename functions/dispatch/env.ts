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
import { filledText, positiveInteger, positiveNumber } from "../adapters/variables.ts";

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
  STAGE: filledText,
  LANE: z.enum(["singles", "bulk"]),
  /** How many functions of both lanes may hand over at once. */
  CONCURRENCY: positiveInteger,
  CLAIM_TIMEOUT_SECONDS: positiveNumber,
  CARRIER_TIMEOUT_SECONDS: positiveNumber,
  LEASE_SECONDS: positiveNumber,
  LAST_CALL_SECONDS: positiveNumber,
  MAX_ATTEMPTS: positiveInteger,
  BACKOFF_BASE_SECONDS: positiveNumber,
  BACKOFF_CAP_SECONDS: positiveNumber,
});
