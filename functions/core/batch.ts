import * as z from "zod";
import type { Message } from "./message.ts";

/** What names the messages of one bulk request. */
const batchRefSchema = z.object({ account: z.string().min(1), batchId: z.string().min(1) });
export type BatchRef = z.infer<typeof batchRefSchema>;

/** The messages of a batch that are due at a time, in milliseconds since the epoch. */
const releaseSchema = batchRefSchema.extend({ due: z.number().int().nonnegative() });
export type Release = z.infer<typeof releaseSchema>;

/** What is to be done with a batch: make its messages items of their own, or send off those that have come due. */
export const batchJobSchema = z.discriminatedUnion("kind", [
  batchRefSchema.extend({ kind: z.literal("expand") }),
  releaseSchema.extend({ kind: z.literal("release") }),
]);
export type BatchJob = z.infer<typeof batchJobSchema>;

/** The reference of a batch. */
export function batchRefOf({ account, batchId }: BatchRef): BatchRef {
  return { account, batchId };
}

/** What a queue can hold back by itself; what is due later waits in a schedule. */
export const LONGEST_QUEUE_DELAY_MS = 15 * 60 * 1_000;

/** Whether a message of a batch was due so late when it was accepted that a schedule sends it off. */
export function hasSchedule({ acceptedAt, claimableFrom }: Message): boolean {
  return claimableFrom - acceptedAt > LONGEST_QUEUE_DELAY_MS;
}
