import * as z from "zod";
import { directoryEnv, messagesEnv, rateLimitsEnv } from "../adapters/dynamodb/env.ts";
import { batchQueueEnv, dispatchQueueEnv } from "../adapters/sqs/env.ts";
import { positiveInteger, positiveNumber } from "../adapters/variables.ts";

/** The environment of the Wavy API. */
export const env = z.object({
  ...messagesEnv.shape,
  ...directoryEnv.shape,
  ...rateLimitsEnv.shape,
  ...dispatchQueueEnv.shape,
  ...batchQueueEnv.shape,
  STATUS_RETENTION_HOURS: positiveNumber,
  REQUESTS_PER_SECOND: positiveInteger,
  STATUS_QUERIES_PER_SECOND: positiveInteger,
});
