import type { ColdStart } from "../cold-start.ts";
import { goalsOf } from "../goals.ts";
import type { Growth, GrowthPoint } from "../growth.ts";
import type { Results } from "../results.ts";
import { goalHead, goalRow, missed, remainderOf } from "./goal-rows.ts";
import { fixed, textTable } from "./text-table.ts";

/** How far those goals are that were measured, as the terminal shows it. @param earlier what was measured at another time */
export function describeGoals(results: Results, earlier?: Results): string {
  const goals = goalsOf(results).filter(({ measured }) => measured !== undefined);
  const before = earlier && goalsOf(earlier);
  return [
    "\n■ goals",
    textTable(
      goalHead(before),
      goals.map((goal) => goalRow(goal, before)),
    ),
    ...missed(goals).map((goal) => `not met: ${remainderOf(goal)}`),
  ].join("\n\n");
}

/** How the cost of a message grows, as the terminal shows it. */
export function describeGrowth({ perRequest, inTable, inCampaign }: Growth): string {
  const rows = (what: string, points: readonly GrowthPoint[]) =>
    points.map(({ size, cpuMs, cpuRatio, awsCalls, dollars }) => [
      `${size} ${what}`,
      fixed(cpuMs, 3),
      fixed(cpuRatio, 2),
      fixed(awsCalls, 3),
      fixed(dollars, 2),
    ]);
  return [
    "\n■ growth",
    textTable(
      ["bulk messages", "CPU ms a message", "÷ the first", "AWS calls a message", "US$ a million"],
      [
        ...rows("a request", perRequest),
        ...rows("in the table before", inTable),
        ...rows("of a campaign, those before left out", inCampaign),
      ],
    ),
  ].join("\n\n");
}

/** How functions start, as the terminal shows it. */
export function describeColdStarts(coldStarts: readonly ColdStart[]): string {
  const rows = coldStarts.map(({ size, clients, ...it }) => [
    it.capability,
    fixed(it.ms, 0),
    fixed(it.emptyMs, 0),
    fixed(it.ratio, 2),
    fixed(it.cpuMs, 0),
    fixed(it.emptyCpuMs, 0),
    fixed(it.cpuRatio, 2),
    fixed(size.all / 1_000, 0),
    fixed(size.atStart / 1_000, 0),
    clients.map((name) => name.replace("@aws-sdk/", "")).join(" "),
  ]);
  return [
    "\n■ cold starts",
    textTable(
      ["function", "ms", "empty", "÷", "CPU ms", "empty", "÷", "kB", "at start", "clients"],
      rows,
    ),
  ].join("\n\n");
}
