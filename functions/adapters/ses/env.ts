import * as z from "zod";

/** What a function needs to know to send mail. */
export const mailEnv = z.object({ MAIL_FROM: z.string().min(1) });
