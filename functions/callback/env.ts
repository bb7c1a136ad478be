import * as z from "zod";
import { directoryEnv } from "../adapters/dynamodb/env.ts";
import { callbackRetryEnv } from "../adapters/sqs/env.ts";
import { webhookEnv } from "../adapters/webhook/env.ts";

/** The environment of callback. */
export const env = z.object({
  ...directoryEnv.shape,
  ...callbackRetryEnv.shape,
  ...webhookEnv.shape,
  STAGE: z.string().min(1),
});
