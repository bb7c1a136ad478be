/** What of an event is compared with. */
type Values = readonly unknown[];

/**
 * Whether an event matches a rule's pattern: each name lists the values, or comparisons, one of
 * which has to fit what lies there; of a list, one of its members.
 * @throws Error for a comparison that it does not know
 */
export function matchesPattern(pattern: unknown, event: unknown): boolean {
  if (typeof pattern !== "object" || pattern === null) {
    throw new Error(`this is no pattern: ${JSON.stringify(pattern)}`);
  }
  for (const [name, wanted] of Object.entries(pattern)) {
    if (name === "$or") {
      if (!(wanted as Values).some((inner) => matchesPattern(inner, event))) return false;
      continue;
    }
    const value = memberOf(event, name);
    const isMatch = Array.isArray(wanted)
      ? wanted.some((it) => fits(it, value))
      : matchesPattern(wanted, value);
    if (!isMatch) return false;
  }
  return true;
}

const memberOf = (value: unknown, name: string): unknown =>
  typeof value === "object" && value !== null && Object.hasOwn(value, name)
    ? (value as Record<string, unknown>)[name]
    : undefined;

function fits(wanted: unknown, value: unknown): boolean {
  if (typeof wanted !== "object" || wanted === null) {
    return Array.isArray(value) ? value.includes(wanted) : value === wanted;
  }
  const [comparison] = Object.entries(wanted);
  if (!comparison) throw new Error("a comparison says nothing");
  const [name, operand] = comparison;
  if (name === "exists") return (value !== undefined) === operand;
  if (value === undefined) return false;
  const values = Array.isArray(value) ? value : [value];
  return values.some((it) => compares(name, operand, it));
}

function compares(name: string, operand: unknown, value: unknown): boolean {
  switch (name) {
    case "prefix":
      return typeof value === "string" && value.startsWith(String(operand));
    case "suffix":
      return typeof value === "string" && value.endsWith(String(operand));
    case "equals-ignore-case":
      return typeof value === "string" && value.toLowerCase() === String(operand).toLowerCase();
    case "anything-but":
      if (Array.isArray(operand)) return !operand.includes(value);
      if (typeof operand === "object") return !fits(operand, value);
      return value !== operand;
    case "numeric":
      return typeof value === "number" && isInRange(operand as Values, value);
    default:
      throw new Error(`the null AWS does not know the comparison ${name}`);
  }
}

/** @param range operators, each followed by a number */
function isInRange(range: Values, value: number): boolean {
  for (let index = 0; index < range.length; index += 2) {
    const limit = Number(range[index + 1]);
    const holds =
      { "=": value === limit, "<": value < limit, "<=": value <= limit, ">": value > limit }[
        String(range[index])
      ] ?? value >= limit;
    if (!holds) return false;
  }
  return true;
}
