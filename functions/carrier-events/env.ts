import * as z from "zod";
import { carriersTableEnv, directoryEnv, messagesEnv } from "../adapters/dynamodb/env.ts";
import { dispatchQueueEnv, poisonEnv } from "../adapters/sqs/env.ts";
import { filledText, jsonVariable, positiveNumber } from "../adapters/variables.ts";

/** The environment of carrier-events. */
export const env = z.object({
  ...messagesEnv.shape,
  ...directoryEnv.shape,
  ...dispatchQueueEnv.shape,
  /** Where what wakes an MO that waits for its parts comes from. */
  MO_PARTS_QUEUE_URL: filledText,
  ...poisonEnv.shape,
  ...carriersTableEnv.shape,
  /** By carrier, how many seconds after a hand-over its receipt is late. */
  RECEIPTS_AFTER_SECONDS: jsonVariable.pipe(z.record(z.string(), z.number().positive())),
  /** By carrier, the ARN of the topic that it reports to. */
  SNS_TOPICS: jsonVariable.pipe(z.record(z.string(), z.string())),
  STATUS_RETENTION_HOURS: positiveNumber,
  MO_RETENTION_HOURS: positiveNumber,
});
