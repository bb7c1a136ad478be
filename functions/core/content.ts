import * as z from "zod";
import { accountIdSchema } from "./account.ts";
import { subAccountNameSchema } from "./sub-account.ts";

const instant = z.number().int().nonnegative();

/** The most characters (UTF-16 code units) of a text (Wavy document, `messageText`). */
export const MAX_CONTENT_LENGTH = 1_280;

const text = z
  .string()
  .min(1)
  // In UTF-16 code units, which zod does not count.
  .refine(
    ({ length }) => length <= MAX_CONTENT_LENGTH,
    `longer than ${MAX_CONTENT_LENGTH} characters`,
  )
  .refine((written) => written.isWellFormed(), "not well-formed Unicode");

/** A text under a number and a name; placeholders are written `{{name}}`. */
export const templateSchema = z.object({
  version: z.literal(1),
  account: accountIdSchema,
  templateId: z.number().int().nonnegative(),
  /** Need not be unique. */
  name: z
    .string()
    .min(1)
    .max(100)
    .refine((written) => written.isWellFormed(), "not well-formed Unicode"),
  /** Whose users may use it; absent means all of the account's. */
  subAccount: subAccountNameSchema.optional(),
  text,
  createdAt: instant,
});
export type Template = z.output<typeof templateSchema>;

/** A text under an id; placeholders are written `{{name}}`. */
export const flowSchema = z.object({
  version: z.literal(1),
  account: accountIdSchema,
  flowId: z
    .string()
    .regex(/^[A-Za-z0-9._-]{1,64}$/, "an id has 1 to 64 letters, digits, '.', '_' or '-'"),
  text,
  createdAt: instant,
});
export type Flow = z.output<typeof flowSchema>;

/** What messages can be sent for; each has a number and a unique alias. */
export const campaignSchema = z.object({
  version: z.literal(1),
  account: accountIdSchema,
  campaignId: z.number().int().positive(),
  alias: z
    .string()
    .regex(
      /^[^\p{Cc}\p{Cs}\uFFFE\uFFFF#]{1,64}$/u,
      "an alias has 1 to 64 characters, none of them '#' or a control character",
    ),
  createdAt: instant,
});
export type Campaign = z.output<typeof campaignSchema>;
