import * as z from "zod";
import { callbacksEnv, directoryEnv } from "../adapters/dynamodb/env.ts";
import { callbackReplayEnv } from "../adapters/sqs/env.ts";
import { positiveNumber } from "../adapters/variables.ts";

/** The environment of the admin API. */
export const env = z.object({
  ...directoryEnv.shape,
  ...callbacksEnv.shape,
  ...callbackReplayEnv.shape,
  CALLBACK_RETENTION_HOURS: positiveNumber,
  /** What callbacks may speak in this stage: `https`, perhaps `http`. */
  ENDPOINT_PROTOCOLS: z
    .string()
    .min(1)
    .transform((list) => list.split(",")),
  /** Whether they may go to this machine, which local runs do. */
  ALLOW_LOOPBACK_ENDPOINTS: z.enum(["true", "false"]).transform((value) => value === "true"),
});
