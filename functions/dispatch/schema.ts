import * as z from "zod";
import { handOverRecordSchema } from "../core/hand-over-record.ts";
import { messageRefSchema } from "../core/message.ts";

/** What the dispatch queue holds: a message to hand over, or what became of one handed over. */
export const dispatchInputSchema = z.union([handOverRecordSchema, messageRefSchema]);
export type DispatchInput = z.output<typeof dispatchInputSchema>;

/** The trace of the message that an input is about. */
export function traceOf(input: DispatchInput): string {
  return "outcome" in input ? input.ref.traceId : input.traceId;
}
