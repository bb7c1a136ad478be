import * as z from "zod";
import { accountIdSchema } from "./account.ts";
import { limitsSchema } from "./limits.ts";
import { optOutSchema } from "./opt-out.ts";

/** How a sub-account is referred to. `#` and control characters cannot be in it. */
export const subAccountNameSchema = z
  .string()
  .regex(
    /^[\p{L}\p{N}][\p{L}\p{N} ._@-]{0,63}$/u,
    "a sub-account's reference has 1 to 64 letters, digits, spaces, '.', '_', '-' or '@', and begins with a letter or digit",
  );

/** A cost centre of an account. */
export const subAccountSchema = z.object({
  version: z.literal(1),
  account: accountIdSchema,
  subAccount: subAccountNameSchema,
  limits: limitsSchema,
  /** Absent means as the account's. */
  optOut: optOutSchema.optional(),
  createdAt: z.number().int().nonnegative(),
  /** Counts the changes, so that of two at the same time one is refused. */
  revision: z.number().int().nonnegative(),
});
export type SubAccount = z.output<typeof subAccountSchema>;
