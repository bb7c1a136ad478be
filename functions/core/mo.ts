import * as z from "zod";
import { campaignRefSchema, DIALECTS, senderSchema } from "./message.ts";

const instant = z.number().int().nonnegative();

/** What an MO tells of the message that it answers. */
export const answeredSchema = z.object({
  id: z.string(),
  traceId: z.string(),
  correlationId: z.string().optional(),
  sender: senderSchema.optional(),
});

/** An MO as it is stored. Times are milliseconds since the epoch, except `removeAt`, which is seconds. */
export const moSchema = z.object({
  version: z.literal(1),
  account: z.string().min(1),
  /** A whole number that JSON carries exactly: what this API's clients expect (Mesago document, `id`). */
  id: z.number().int().nonnegative(),
  /** The same MO's id in dialects whose ids are UUIDs. */
  uuid: z.string().optional(),
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
  answers: answeredSchema.optional(),
  /** The sub-account and campaign of that MT. */
  subAccount: z.string().optional(),
  campaign: campaignRefSchema.optional(),
  removeAt: z.number().int(),
});
export type Mo = z.infer<typeof moSchema>;
