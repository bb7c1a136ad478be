import * as z from "zod";
import { filledText } from "../variables.ts";

/** What a function needs to know to reach the messages. */
export const messagesEnv = z.object({ MESSAGES_TABLE: filledText });
/** What a function needs to know to reach the directory. */
export const directoryEnv = z.object({ DIRECTORY_TABLE: filledText });
/** What a function needs to know to count requests. */
export const rateLimitsEnv = z.object({ RATE_LIMITS_TABLE: filledText });
/** What a function needs to know to reach what endpoints are told, and how they fare. */
export const callbacksEnv = z.object({ CALLBACKS_TABLE: filledText });
/** What a function needs to know to reach how the carriers fare. */
export const carriersTableEnv = z.object({
  CARRIERS_TABLE: filledText,
  /** For how many days the operators of phones are remembered; 0 for not at all. */
  OPERATOR_MEMORY_DAYS: z.coerce.number().nonnegative(),
});
