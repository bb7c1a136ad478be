import * as z from "zod";
import { DIALECTS } from "./message.ts";

const instant = z.number().int().nonnegative();

/** An MO as it is stored. Times are milliseconds since the epoch, except `removeAt`, which is seconds. */
export const moSchema = z.object({
  version: z.literal(1),
  account: z.string().min(1),
  /** A whole number that JSON carries exactly: what this API's clients expect (Mesago document, `id`). */
  id: z.number().int().nonnegative(),
  /** The phone, E.164 without the plus sign. */
  from: z.string(),
  shortCode: z.string(),
  text: z.string(),
  receivedAt: instant,
  operator: z.string().optional(),
  carrier: z.string(),
  /** The dialect of the message that it answers, in which its account is called back. */
  dialect: z.enum(DIALECTS),
  /** The MT that it answers: the last one that the phone got from the short code. */
  answers: z.object({ id: z.string(), traceId: z.string() }).optional(),
  removeAt: z.number().int(),
});
export type Mo = z.infer<typeof moSchema>;
