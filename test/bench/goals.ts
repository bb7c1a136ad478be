import { REGION, sumOfBill } from "./cost.ts";
import { type Growth, growthOf } from "./growth.ts";
import {
  callsOfShares,
  keyOf,
  type Measurement,
  type ShareFigures,
  sumOfShares,
} from "./measure.ts";
import { floorOf } from "./report/figures.ts";
import { type Results, workloadOf } from "./results.ts";
import { sumOf } from "./usage.ts";
import { STAGES } from "./workloads/workload.ts";

/** What is to be reached. */
export interface Goal {
  readonly what: string;
  /** At most. */
  readonly goal: number;
  readonly unit: string;
  readonly digits: number;
  /** Undefined where it was not measured. */
  readonly measured: number | undefined;
  /** What it is made of, the most first. */
  readonly madeOf: readonly { readonly name: string; readonly amount: number }[];
}

const KILOBYTE = 1_000;
/** What a goal that is not met is made of, as far as it is told. */
const MOST_PARTS = 6;

export const isMet = ({ measured, goal }: Goal): boolean | undefined =>
  measured === undefined ? undefined : measured <= goal;

/** The goals, and how far they are. */
export function goalsOf(results: Results): readonly Goal[] {
  const bulk = workloadOf(results, "bulk");
  const singles = workloadOf(results, "singles");
  return [
    ...cpuGoals("bulk message", bulk, 1),
    ...cpuGoals("single message", singles, 2.5),
    callsGoal("bulk message, accept → handed to the carrier", bulk, STAGES.accept, 0.3),
    callsGoal("bulk message, receipt → final callback posted", bulk, STAGES.receipt, 0.8),
    billGoal("bulk messages", bulk, 6),
    billGoal("single messages", singles, 10),
    logGoal("bulk message", bulk),
    logGoal("single message", singles),
    coldStartGoal(results.coldStarts),
    sizeGoal(results.coldStarts),
    growthGoal("US$", results.growth, ({ dollarRatio }) => dollarRatio),
    growthGoal("CPU", results.growth, ({ cpuRatio }) => cpuRatio),
  ];
}

const largest = (parts: readonly { readonly name: string; readonly amount: number }[]) =>
  [...parts]
    .filter(({ amount }) => amount > 0)
    .sort((one, other) => other.amount - one.amount)
    .slice(0, MOST_PARTS);

const partsOf = (shares: readonly ShareFigures[], of: (share: ShareFigures) => number) =>
  largest(shares.map((share) => ({ name: keyOf(share), amount: of(share) })));

function cpuGoals(what: string, measured: Measurement | undefined, goal: number): Goal[] {
  const shares = measured?.shares;
  const cpu = shares && sumOfShares(shares, ({ cpuMs }) => cpuMs);
  const floor = shares && floorOf(shares);
  return [
    {
      what: `CPU a ${what}, accept → receipt → callback`,
      goal,
      unit: "ms",
      digits: 2,
      measured: cpu,
      madeOf: partsOf(shares ?? [], ({ cpuMs }) => cpuMs),
    },
    {
      what: `CPU a ${what} ÷ that of its calls alone`,
      goal: 1.25,
      unit: "",
      digits: 2,
      measured: cpu !== undefined && floor ? cpu / floor : undefined,
      // What we add to the calls, as a part of these.
      madeOf: partsOf(shares ?? [], ({ cpuMs, floorCpuMs = 0 }) =>
        floor ? (cpuMs - floorCpuMs) / floor : 0,
      ),
    },
  ];
}

function callsGoal(
  what: string,
  measured: Measurement | undefined,
  stage: string,
  goal: number,
): Goal {
  const shares = measured?.shares.filter((share) => share.stage === stage);
  const calls = shares?.flatMap(({ by, awsCalls }) =>
    Object.entries(awsCalls).map(([name, amount]) => ({ name: `${by}: ${name}`, amount })),
  );
  return {
    what: `AWS calls a ${what}`,
    goal,
    unit: "",
    digits: 3,
    measured: shares && sumOf(callsOfShares(shares)),
    madeOf: largest(calls ?? []),
  };
}

function billGoal(what: string, measured: Measurement | undefined, goal: number): Goal {
  const bill = measured?.bills[REGION];
  return {
    what: `AWS infrastructure for a million ${what} (${REGION})`,
    goal,
    unit: "US$",
    digits: 2,
    measured: bill && sumOfBill(bill),
    madeOf: largest(Object.entries(bill ?? {}).map(([name, amount]) => ({ name, amount }))),
  };
}

const logGoal = (what: string, measured: Measurement | undefined): Goal => ({
  what: `log bytes a ${what}, all functions`,
  goal: 600,
  unit: "B",
  digits: 0,
  measured: measured && sumOfShares(measured.shares, ({ logBytes }) => logBytes),
  madeOf: partsOf(measured?.shares ?? [], ({ logBytes }) => logBytes),
});

function coldStartGoal(coldStarts: Results["coldStarts"]): Goal {
  const ratios = coldStarts?.map(({ capability, ratio }) => ({
    name: capability,
    amount: ratio,
  }));
  return {
    what: "cold start ÷ that of an empty handler with the same clients, slowest function",
    goal: 1.25,
    unit: "",
    digits: 2,
    measured: ratios && Math.max(...ratios.map(({ amount }) => amount)),
    madeOf: largest(ratios ?? []),
  };
}

function sizeGoal(coldStarts: Results["coldStarts"]): Goal {
  const sizes = coldStarts?.map(({ capability, size }) => ({
    name: capability,
    amount: size.all / KILOBYTE,
  }));
  return {
    what: "the largest bundle",
    goal: 600,
    unit: "kB",
    digits: 0,
    measured: sizes && Math.max(...sizes.map(({ amount }) => amount)),
    madeOf: largest(sizes ?? []),
  };
}

/** From a thousand messages on: fewer share what a request costs. */
function growthGoal(
  unit: string,
  growth: Growth | undefined,
  of: Parameters<typeof growthOf>[1],
): Goal {
  const grown = growth && [
    { name: "in the table", amount: growthOf(growth.inTable, of) * 100 },
    { name: "in a campaign", amount: growthOf(growth.inCampaign, of) * 100 },
  ];
  const measured = grown?.filter(({ amount }) => !Number.isNaN(amount));
  return {
    what: `growth of ${unit} a message from 1,000 to 100,000`,
    goal: 5,
    unit: "%",
    digits: 1,
    measured: measured && Math.max(...measured.map(({ amount }) => amount)),
    madeOf: largest(measured ?? []),
  };
}
