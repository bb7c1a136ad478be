/** A table in Markdown: numbers to the right, everything else to the left. */
export function markdownTable(
  head: readonly string[],
  rows: readonly (readonly string[])[],
): string {
  const line = (cells: readonly string[]) => `| ${cells.map(escaped).join(" | ")} |`;
  const rule = head.map((_, column) =>
    rows.every((row) => isNumber(row[column] ?? "")) ? "---:" : "---",
  );
  return [line(head), `|${rule.join("|")}|`, ...rows.map(line)].join("\n");
}

/** With a unit, a comparison, or stars around it; a dash where there is none. */
const isNumber = (cell: string) => /^(?:[≤*\s]*[\d.,]+\s?[^\s]{0,4}|–|)$/.test(cell);

const escaped = (cell: string) => cell.replaceAll("|", "\\|");
