import * as z from "zod";
import { handOverRecordSchema } from "../core/hand-over-record.ts";
import { messageRefSchema, messageSchema } from "../core/message.ts";

/** What the dispatch queues hold: a message to hand over, a group of them, or what became of one handed over. */
export const dispatchInputSchema = z.union([
  z.object({ messages: z.array(messageSchema).min(1) }),
  z.object({ group: z.array(messageRefSchema).min(1) }),
  handOverRecordSchema,
  messageRefSchema,
]);
export type DispatchInput = z.output<typeof dispatchInputSchema>;

/** The trace of the message that an input is about; of a group, of its first. */
export function traceOf(input: DispatchInput): string | undefined {
  if ("messages" in input) return input.messages[0]?.traceId;
  if ("group" in input) return input.group[0]?.traceId;
  return "ref" in input ? input.ref.traceId : input.traceId;
}
