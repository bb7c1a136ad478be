import * as z from "zod";
import { secretArnSchema } from "../kind.ts";

/** Names in Kannel's configuration, as they can stand in a header. */
const name = z.string().regex(/^[\w.:-]{1,64}$/, "expected 1 to 64 letters, digits or _ . : -");

/** SMPP's `priority_flag`: 0 is the lowest, and what Kannel sends where nothing is said. */
const priority = z.number().int().min(0).max(3);

const sendsmsUrl = z
  .url({ protocol: /^https?$/, abort: true })
  .refine((url) => {
    const { username, password, search, hash } = new URL(url);
    return `${username}${password}${search}${hash}` === "";
  }, "expected nothing but where smsbox listens: credentials belong in the secret")
  .describe("where smsbox takes messages, such as http://10.0.1.7:13013/cgi-bin/sendsms");

/** What a stage says of a Kannel. */
export const settings = z.strictObject({
  url: sendsmsUrl,
  /** Its value has `username` and `password` of a `sendsms-user`, and `dlrUrl`. */
  secret: secretArnSchema,
  /** The `smsc-id` of the only connection that messages may leave by; Kannel routes where absent. */
  smsc: name.optional(),
  /** What Kannel's logs call whose messages these are. */
  account: name.optional(),
  /** What goes first among the messages that wait in Kannel, by lane. */
  priority: z.strictObject({ singles: priority, bulk: priority }).default({ singles: 1, bulk: 0 }),
  /**
   * How operators are told a number: `international` with a plus sign, which Kannel makes the type
   * of number of; `digits` without, so that its `dest-addr-ton` decides.
   */
  numbers: z.enum(["international", "digits"]).default("international"),
  /** Whether each `smsc-id` is the name of an operator, and not of somebody in between. */
  smscsAreOperators: z.boolean().default(false),
});

/** The stack makes nothing for it. */
export const provisions = z.object({});
