import type * as z from "zod";
import { UnreadableItemError } from "../../core/errors.ts";

/**
 * Reads a stored item into the shape the code works with.
 * @throws UnreadableItemError where the item is not of that shape or of another version
 */
export function parseItem<T>(schema: z.ZodType<T>, item: unknown, what: string): T {
  const parsed = schema.safeParse(item);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new UnreadableItemError(
    `a stored ${what} cannot be read: ${issue?.path.join(".")}: ${issue?.message}`,
  );
}
