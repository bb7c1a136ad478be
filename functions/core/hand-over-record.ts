import * as z from "zod";
import { settledOutcomeSchema } from "./carrier.ts";
import { leaseSchema, messageRefSchema } from "./message.ts";

/** What became of a hand-over: whose, under which claim, and when (milliseconds since the epoch). */
export const handOverRecordSchema = z.object({
  ref: messageRefSchema,
  lease: leaseSchema,
  outcome: settledOutcomeSchema,
  at: z.number().int().nonnegative(),
});
export type HandOverRecord = z.infer<typeof handOverRecordSchema>;
