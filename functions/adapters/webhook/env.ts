import * as z from "zod";

const flag = z.enum(["true", "false"]).transform((value) => value === "true");

/** What callbacks may do in this stage; both are for local runs. */
export const webhookEnv = z.object({
  CALLBACK_ALLOW_HTTP: flag,
  CALLBACK_ALLOW_LOOPBACK: flag,
});
