import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { type ColdStart, measureColdStarts } from "./cold-start.ts";
import { Deployment } from "./deployment.ts";
import { Floor } from "./floor/floor.ts";
import {
  GROWTH_SIZES,
  type Growth,
  type GrowthPoint,
  measureCampaign,
  measureGrowth,
  QUICK_GROWTH_SIZES,
} from "./growth.ts";
import { type Bench, type Measurement, measure, play } from "./measure.ts";
import { type Options, parseOptions } from "./options.ts";
import { svgOf } from "./report/charts.ts";
import { describeColdStarts, describeGoals, describeGrowth } from "./report/closing.ts";
import {
  COST_CHART,
  CPU_CHART,
  costChart,
  cpuChart,
  performancePage,
} from "./report/performance-page.ts";
import { describeMeasurement } from "./report/terminal.ts";
import { type Results, workloadOf } from "./results.ts";
import { allWorkloads, warmUpWorkload } from "./workloads/all.ts";

const DOCS = "docs";
const RESULTS = join(import.meta.dirname, "results");
const STARTS = { usual: 11, quick: 3 };
const GROWTH_RUNS = { usual: 5, quick: 1 };
/** Where parts of a campaign end. It has the code of functions as fast as it gets, too. */
const CAMPAIGN = {
  usual: [1_000, 10_000, 100_000],
  partly: [1_000, 10_000, 30_000],
  quick: [4_000],
};

// Its reminder that Node 20 will not be supported for ever says nothing of what is measured.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = "true";

const begin = performance.now();
const options = parseOptions(process.argv.slice(2));
const earlier =
  options.baseline === undefined
    ? undefined
    : (JSON.parse(readFileSync(options.baseline, "utf8")) as Results);
const deployment = await Deployment.begin(options);
const { lambdaRuntime } = deployment.stack;
if (!process.version.startsWith(`v${lambdaRuntime.replace(/\D/g, "")}.`)) {
  note(`functions are for ${lambdaRuntime}, and this is Node ${process.version}`);
}
try {
  const results = await measureAll(deployment, options);
  console.log(describeGoals(results, earlier));
  write(results, options);
} finally {
  await deployment.end();
}
note("done");

/** Says on the side how far it is: the results alone are on the standard output. */
function note(what: string): void {
  console.error(`${((performance.now() - begin) / 1_000).toFixed(0).padStart(4)} s  ${what}`);
}

/** Does what the command line asks for, and shows it as it comes. */
async function measureAll(
  deployment: Deployment,
  { runs, only, isQuick }: Options,
): Promise<Results> {
  const isAsked = (name: string) => only?.includes(name) ?? true;
  const pace = isQuick ? "quick" : "usual";
  const floor = await Floor.build(deployment);
  const bench: Bench = { deployment, world: deployment.world(), floor };
  let campaign: readonly GrowthPoint[] = [];
  if (!only?.every((name) => name === "cold-start")) {
    const sizes = CAMPAIGN[isQuick || isAsked("growth") ? pace : "partly"];
    note(`a campaign of ${sizes.at(-1)} messages`);
    campaign = await measureCampaign(bench, sizes);
    note("single messages to warm up");
    await play(bench, warmUpWorkload(isQuick));
  }
  note("a PutItem, to compare machines by");
  const putItemMs = await floor.putItemMs();
  const workloads: Measurement[] = [];
  for (const workload of allWorkloads(isQuick)) {
    if (!isAsked(workload.name)) continue;
    note(workload.about);
    const measured = await measure(bench, workload, { runs });
    console.log(describeMeasurement(measured, earlier && workloadOf(earlier, workload.name)));
    workloads.push(measured);
  }
  let growth: Growth | undefined;
  if (isAsked("growth")) {
    const sizes = isQuick ? QUICK_GROWTH_SIZES : GROWTH_SIZES;
    const grown = await measureGrowth(bench, sizes, { runs: GROWTH_RUNS[pace], onPoint: note });
    growth = { ...grown, inCampaign: campaign };
    console.log(describeGrowth(growth));
  }
  await bench.world.close();
  await floor.close();
  let coldStarts: readonly ColdStart[] | undefined;
  if (isAsked("cold-start")) {
    note("cold starts");
    coldStarts = await measureColdStarts(deployment, { starts: STARTS[pace] });
    console.log(describeColdStarts(coldStarts));
  }
  const [cpu] = cpus();
  return {
    version: 1,
    at: new Date().toISOString(),
    machine: { cpu: cpu?.model ?? "unknown", cores: cpus().length, node: process.version },
    lambdaRuntime,
    runs,
    isQuick,
    putItemMs,
    workloads,
    ...(growth && { growth }),
    ...(coldStarts && { coldStarts }),
  };
}

/** Writes what was measured: everything to its place, parts of it only where the command line says. */
function write(results: Results, { only, isQuick, out }: Options): void {
  const isWhole = only === undefined && !isQuick;
  if (!isWhole && out === undefined) return;
  const directory = out ?? RESULTS;
  const docs = out ?? DOCS;
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, "bench.json"), `${JSON.stringify(results, undefined, 2)}\n`);
  writeFileSync(join(docs, "performance.md"), performancePage(results));
  writeFileSync(join(docs, COST_CHART), svgOf(costChart(results)));
  writeFileSync(join(docs, CPU_CHART), svgOf(cpuChart(results)));
}
