import * as z from "zod";
import { callbacksEnv, directoryEnv } from "../adapters/dynamodb/env.ts";
import { eventBusEnv } from "../adapters/eventbridge/env.ts";
import { callbackQueueEnv, poisonEnv } from "../adapters/sqs/env.ts";
import { filledText, positiveInteger, positiveNumber } from "../adapters/variables.ts";
import { webhookEnv } from "../adapters/webhook/env.ts";

/** The environment of callback. */
export const env = z.object({
  ...directoryEnv.shape,
  ...callbacksEnv.shape,
  ...callbackQueueEnv.shape,
  ...poisonEnv.shape,
  ...eventBusEnv.shape,
  ...webhookEnv.shape,
  /** How many requests may be under way to one endpoint. */
  CALLBACK_SLOTS: positiveInteger,
  CALLBACK_RETENTION_HOURS: positiveNumber,
  STAGE: filledText,
});
