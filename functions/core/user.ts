import * as z from "zod";
import { accountIdSchema, credentialSchema } from "./account.ts";
import { subAccountNameSchema } from "./sub-account.ts";

/** What users may be: an administrator sees every sub-account, a regular user its own. */
export const USER_ROLES = ["admin", "regular"] as const;
export type UserRole = (typeof USER_ROLES)[number];

/** What a user may be called. No other user of the deployment has the same user name or e-mail address. */
export const usernameSchema = z
  .string()
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$/,
    "a user name has 1 to 64 letters, digits, '.', '_', '-' or '@', and begins with a letter or digit",
  );

/** Somebody, or some system, that calls the Wavy API or the admin API for an account. */
export const userSchema = z
  .object({
    version: z.literal(1),
    account: accountIdSchema,
    username: usernameSchema,
    email: z.email().max(254).optional(),
    role: z.enum(USER_ROLES),
    /** That of a regular user; an administrator has none. */
    subAccount: subAccountNameSchema.optional(),
    state: z.enum(["active", "disabled"]),
    /** The zone of dates and time windows that name none. */
    timeZone: z.string().min(1).optional(),
    /** ISO 3166-1 alpha-2; gives the zone where the user has none. */
    country: z.string().length(2).optional(),
    /** Authentication tokens; while one is being rotated out, two are valid. */
    tokens: z.array(credentialSchema),
    createdAt: z.number().int().nonnegative(),
    /** Counts the changes, so that of two at the same time one is refused. */
    revision: z.number().int().nonnegative(),
  })
  .refine(({ role, subAccount }) => (role === "regular") === (subAccount !== undefined), {
    error: "a regular user belongs to a sub-account, and an administrator to none",
    path: ["subAccount"],
  });
export type User = z.output<typeof userSchema>;

/** What a user name or e-mail address is compared by. */
export function loginOf(written: string): string {
  return written.trim().toLowerCase();
}
