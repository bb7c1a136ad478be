import { at } from "./synth.ts";

/**
 * Whether an event matches a pattern, be it of a rule or of an event-source mapping: each name of
 * the pattern lists the values that may lie there, or what they may begin with.
 * @throws Error for a comparison that it does not know
 */
export function matchesPattern(pattern: unknown, event: unknown): boolean {
  if (Array.isArray(pattern)) return pattern.some((wanted) => matchesValue(wanted, event));
  if (typeof pattern !== "object" || pattern === null) throw unknown(pattern);
  return Object.entries(pattern).every(([name, inner]) => matchesPattern(inner, at(event, name)));
}

function matchesValue(wanted: unknown, value: unknown): boolean {
  if (typeof wanted === "string") return value === wanted;
  const prefix = at(wanted, "prefix");
  if (typeof prefix !== "string" || Object.keys(wanted as object).length !== 1) {
    throw unknown(wanted);
  }
  return typeof value === "string" && value.startsWith(prefix);
}

const unknown = (pattern: unknown) =>
  new Error(`these tests do not know the pattern ${JSON.stringify(pattern)}`);
