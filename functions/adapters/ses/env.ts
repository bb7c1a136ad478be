import * as z from "zod";
import { filledText } from "../variables.ts";

/** What a function needs to know to send mail. */
export const mailEnv = z.object({ MAIL_FROM: filledText });
