import * as z from "zod";
import { directoryEnv } from "../adapters/dynamodb/env.ts";
import { mailEnv } from "../adapters/ses/env.ts";
import { poisonEnv } from "../adapters/sqs/env.ts";

/** The environment of notices. */
export const env = z.object({
  ...directoryEnv.shape,
  ...mailEnv.shape,
  ...poisonEnv.shape,
});
