import * as z from "zod";
import { directoryEnv, messagesEnv } from "../adapters/dynamodb/env.ts";
import { batchQueueEnv, dispatchQueueEnv } from "../adapters/sqs/env.ts";
import { positiveNumber } from "../adapters/variables.ts";

/** The environment of the Mesago API and its ancestor. */
export const env = z.object({
  ...messagesEnv.shape,
  ...directoryEnv.shape,
  ...dispatchQueueEnv.shape,
  ...batchQueueEnv.shape,
  STATUS_RETENTION_HOURS: positiveNumber,
});
