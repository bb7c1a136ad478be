import type { ColdStart } from "./cold-start.ts";
import type { Growth } from "./growth.ts";
import type { Measurement } from "./measure.ts";

/** All that was measured: what `bench.json` holds. */
export interface Results {
  readonly version: 1;
  /** ISO 8601 in UTC. */
  readonly at: string;
  readonly machine: {
    readonly cpu: string;
    readonly cores: number;
    readonly node: string;
  };
  readonly runs: number;
  readonly isQuick: boolean;
  readonly workloads: readonly Measurement[];
  /** What the functions are deployed for: `nodejs24.x`. */
  readonly lambdaRuntime: string;
  /** Milliseconds of processor time for a PutItem of the SDK: how fast the machine was. */
  readonly putItemMs: number;
  readonly growth?: Growth;
  readonly coldStarts?: readonly ColdStart[];
}

/** What was measured of a workload, if it was. */
export const workloadOf = (
  { workloads }: Pick<Results, "workloads">,
  name: string,
): Measurement | undefined => workloads.find((it) => it.name === name);
