import * as z from "zod";
import { directoryEnv } from "../adapters/dynamodb/env.ts";

/** The environment of the admin API. */
export const env = z.object({
  ...directoryEnv.shape,
  /** What callbacks may speak in this stage: `https`, perhaps `http`. */
  ENDPOINT_PROTOCOLS: z
    .string()
    .min(1)
    .transform((list) => list.split(",")),
});
