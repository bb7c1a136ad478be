import { type Goal, isMet } from "../goals.ts";
import { fixed } from "./text-table.ts";

const amountOf = ({ unit, digits }: Goal, value: number | undefined) =>
  value === undefined ? "–" : [fixed(value, digits), unit].filter(Boolean).join(" ");

/** A goal, what was measured, and whether that will do. @param earlier of the same goals, in another run */
export function goalRow(goal: Goal, earlier?: readonly Goal[]): string[] {
  const met = isMet(goal);
  const before = earlier?.find(({ what }) => what === goal.what);
  return [
    goal.what,
    `≤ ${amountOf(goal, goal.goal)}`,
    ...(earlier ? [amountOf(goal, before?.measured)] : []),
    amountOf(goal, goal.measured),
    met === undefined ? "not measured" : met ? "yes" : "no",
  ];
}

/** What the columns of goals are called. */
export const goalHead = (earlier?: unknown): string[] => [
  "goal",
  "at most",
  ...(earlier ? ["before"] : []),
  "measured",
  "met",
];

/** Of a goal that is not met, what it is made of. */
export const remainderOf = (goal: Goal): string =>
  `${goal.what}: ${goal.madeOf.map(({ name, amount }) => `${name} ${amountOf({ ...goal, digits: goal.digits + 1 }, amount)}`).join(", ")}`;

/** The goals that are not met. */
export const missed = (goals: readonly Goal[]): readonly Goal[] =>
  goals.filter((goal) => isMet(goal) === false);
