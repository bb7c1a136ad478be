import { parseArgs } from "node:util";

/** What the command line asks for. */
export interface Options {
  /** Runs of each workload that count. */
  readonly runs: number;
  /** The parts to do: names of workloads, `growth`, `cold-start`; all where absent. */
  readonly only: readonly string[] | undefined;
  /** Where results are written; nowhere but the terminal where only some parts are done. */
  readonly out: string | undefined;
  /** Fewer runs of smaller workloads. */
  readonly isQuick: boolean;
  /** An earlier `bench.json` whose figures are to be shown beside. */
  readonly baseline: string | undefined;
  readonly builds: boolean;
}

const RUNS = 5;
const QUICK_RUNS = 2;

/** Reads the command line. @throws Error that says what is wrong with it */
export function parseOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      runs: { type: "string" },
      only: { type: "string" },
      out: { type: "string" },
      quick: { type: "boolean", default: false },
      baseline: { type: "string" },
      "no-build": { type: "boolean", default: false },
    },
  });
  const runs = Number(values.runs ?? (values.quick ? QUICK_RUNS : RUNS));
  if (!Number.isInteger(runs) || runs < 1) throw new Error("--runs: expected a whole number");
  return {
    runs,
    only: values.only?.split(","),
    out: values.out,
    isQuick: values.quick,
    baseline: values.baseline,
    builds: !values["no-build"],
  };
}
