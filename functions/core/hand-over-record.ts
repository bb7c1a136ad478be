import * as z from "zod";
import { settledOutcomeSchema } from "./carrier.ts";
import { leaseSchema, messageRefSchema } from "./message.ts";

/** Whose hand-over it was, under which claim, and when it was answered (milliseconds since the epoch). */
const handOver = {
  ref: messageRefSchema,
  lease: leaseSchema,
  at: z.number().int().nonnegative(),
};

/** What became of each part that was handed over; those to be tried again are left out. `order` is 1 for the first. */
const partsRecordSchema = z.object({
  ...handOver,
  parts: z.array(z.object({ order: z.number().int().positive(), outcome: settledOutcomeSchema })),
  /** Others were held back by the carrier's rate. */
  held: z.literal(true).optional(),
});
export type PartsRecord = z.infer<typeof partsRecordSchema>;

const wholeRecordSchema = z.object({ ...handOver, outcome: settledOutcomeSchema });
export type WholeRecord = z.infer<typeof wholeRecordSchema>;

/** What became of a hand-over: of a message of one part, or of the parts of a long one. */
export const handOverRecordSchema = z.union([wholeRecordSchema, partsRecordSchema]);
export type HandOverRecord = z.infer<typeof handOverRecordSchema>;
