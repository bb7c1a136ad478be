import * as z from "zod";

/** A variable of the environment that holds a name, an address or the like. */
export const filledText = z.string().min(1);
/** A variable that holds how many of something there are. */
export const positiveInteger = z.coerce.number().int().positive();
/** A variable that holds a time or another amount. */
export const positiveNumber = z.coerce.number().positive();

/** A variable that holds JSON. */
export const jsonVariable = z.string().transform((text, context): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    context.addIssue({ code: "custom", message: "expected JSON" });
    return z.NEVER;
  }
});
