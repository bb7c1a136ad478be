import type * as z from "zod";

/**
 * Reads a function's environment once, at its cold start.
 * @throws Error that names every variable that is missing or wrong
 */
export function loadEnv<T extends z.ZodType>(schema: T): z.output<T> {
  // It is read once: compiling a reader for it would take longer than reading it.
  const parsed = schema.safeParse(process.env, { jitless: true });
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`);
  throw new Error(`the function's environment is wrong: ${problems.join("; ")}`);
}
