import * as z from "zod";
import { messagesEnv } from "../adapters/dynamodb/env.ts";
import { dispatchQueueEnv, poisonEnv } from "../adapters/sqs/env.ts";

/** The environment of bulk. */
export const env = z.object({
  ...messagesEnv.shape,
  ...dispatchQueueEnv.shape,
  ...poisonEnv.shape,
});
