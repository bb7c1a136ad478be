import type { ColdStart } from "../cold-start.ts";
import { BILLED, PRICES, REGION, REGIONS, sumOfBill } from "../cost.ts";
import { LEAST_CALLS, leastCallsOf } from "../floor/least-calls.ts";
import { goalsOf } from "../goals.ts";
import type { Growth, GrowthPoint } from "../growth.ts";
import { callsOfShares, type Measurement, type ShareFigures, sumOfShares } from "../measure.ts";
import type { Results } from "../results.ts";
import { grouped, sumOf } from "../usage.ts";
import type { Bar, Chart } from "./charts.ts";
import { floorOf } from "./figures.ts";
import { goalHead, goalRow, missed, remainderOf } from "./goal-rows.ts";
import { markdownTable } from "./markdown-table.ts";
import { fixed } from "./text-table.ts";

/** The files of the charts, beside the page. */
export const COST_CHART = "performance-cost.svg";
export const CPU_CHART = "performance-cpu.svg";

/** What a million messages cost, by service. */
export const costChart = ({ workloads }: Results): Chart => ({
  title: `AWS infrastructure for a million messages, ${REGION}`,
  unit: PRICES.currency,
  digits: 2,
  names: [...BILLED],
  bars: workloads.map(({ title, bills }) => ({ label: title, parts: bills[REGION] ?? {} })),
});

/** Functions from the beginning of a message's way to its end. */
const ON_THE_WAY = [
  "mesago",
  "wavy",
  "ingress",
  "bulk",
  "dispatch",
  "dispatch-bulk",
  "carrier-events",
  "status-events",
  "callback",
];

/** What a message takes of a processor, by function. */
export function cpuChart({ workloads }: Results): Chart {
  const names = new Set(workloads.flatMap(({ shares }) => shares.map(({ by }) => by)));
  return {
    title: "Processor time of a message, by function",
    unit: "ms",
    digits: 2,
    names: [...ON_THE_WAY.filter((name) => names.delete(name)), ...names],
    markName: "its calls alone",
    bars: workloads.map(({ title, shares }): Bar => {
      const byFunction = [...grouped(shares, ({ by }) => by)].map(([by, of]) => [
        by,
        sumOfShares(of, ({ cpuMs }) => cpuMs),
      ]);
      return { label: title, parts: Object.fromEntries(byFunction), mark: floorOf(shares) };
    }),
  };
}

/** `docs/performance.md`. */
export function performancePage(results: Results): string {
  const goals = goalsOf(results);
  const notMet = missed(goals);
  return `${[
    "# What a message costs",
    INTRODUCTION,
    `Measured on ${results.at.slice(0, 10)} with Node ${results.machine.node} (functions are deployed for ${results.lambdaRuntime}) on ${results.machine.cores} × ${results.machine.cpu}${results.isQuick ? ", in a hurry (`--quick`)" : ""}; ${results.runs} runs of each workload after those that warm up, of which the median counts. This page and its charts are written by \`npm run bench\`.`,
    "## Goals",
    markdownTable(
      goalHead(),
      goals.map((goal) => goalRow(goal)),
    ),
    ...(notMet.length > 0
      ? [
          "What those that are not met are made of, the most first:",
          notMet.map((goal) => `- ${remainderOf(goal)}`).join("\n"),
        ]
      : []),
    MADE_OF,
    comparison(results),
    "## Dollars",
    `![Cost of a million messages by service](${COST_CHART})`,
    billTable(results.workloads),
    PRICES_TEXT,
    "## Processor time and calls",
    `![Processor time of a message by function](${CPU_CHART})`,
    ...results.workloads.flatMap(workloadSection),
    "## The fewest calls",
    LEAST_TEXT,
    leastTable(results.workloads),
    ...(results.growth ? growthSection(results.growth) : []),
    ...(results.coldStarts ? coldStartSection(results.coldStarts) : []),
    "## How it is measured",
    METHOD,
    "## What is left out",
    LEFT_OUT,
  ].join("\n\n")}\n`;
}

const INTRODUCTION = `\`npm run bench\` measures what a message costs: time of a processor, calls to AWS, bytes of logs, dollars. It needs no AWS account: the bundles that would be deployed run in processes of their own, as Lambda runs them, against a *null AWS*, a local server that answers DynamoDB, SQS, EventBridge and Scheduler correctly and at once, and counts every call, byte and capacity unit.

| command | |
|---|---|
| \`npm run bench\` | everything; writes this page, its charts and \`test/bench/results/bench.json\` |
| \`npx --yes --package node@24 -- npm run bench\` | the same with the version of Node that Lambda runs: it is a third faster than Node 20 |
| \`npm run bench -- --quick\` | fewer runs of smaller workloads; writes nothing |
| \`npm run bench -- --only bulk,singles\` | some workloads, or \`growth\`, or \`cold-start\`; writes nothing |
| \`npm run bench -- --baseline FILE\` | with the figures of an earlier \`bench.json\` beside |
| \`npm run bench -- --runs N --out DIRECTORY\` | so many runs that count; results into a directory of one's own |
| \`npm run bench -- --no-build\` | of the bundles that are in \`dist/\` |`;

/** From a profile of 2026-11-22, the share of each function weighed by its time; to be taken anew when much changes. */
const MADE_OF =
  "By V8's profiler, functions that had been at work on bulk messages for a while spent 32 % of their time on HTTP and sockets, 32 % in the AWS SDK, 16 % in our own code, 10 % on garbage, 4 % on promises, and the rest in zod, libphonenumber and other libraries. The requests to the carrier and to the customer, which each message has for itself, are most of the first. With 0.46 calls to AWS a message there is little left to share: what is above the calls alone is parsing, checking, writing and signing what passes from function to function.";

const comparison = ({ putItemMs }: Results) =>
  `Milliseconds are this machine's, at the time. A PutItem of the SDK took ${fixed(putItemMs, 2)} ms of its processor in the same run, and ${fixed(GOALS_PUT_ITEM_MS, 2)} ms where the goals were set: so read milliseconds as ${fixed(GOALS_PUT_ITEM_MS / putItemMs, 2)} of what they are here.

For comparison, where the goals were set: Kannel 1.4.5 spends 2.2 ms of processor time on a message from HTTP by SMPP to the callback of its receipt with its durable spool, and 0.64 ms when it keeps messages in memory only, and loses them in a crash.`;

/** What a PutItem took on the machine that the goals in milliseconds are for. */
const GOALS_PUT_ITEM_MS = 0.49;

const LEAST_TEXT =
  "By arithmetic (`test/bench/floor/least-calls.ts` has the reasons): what is accepted is durable before it is answered, an id is taken once, a message is claimed before its hand-over and written down after it, its last change is an event of its own, each callback is known to have been made; everything else shares requests as far as AWS lets it.";

const PRICES_TEXT = `Prices as of ${PRICES.asOf} (\`test/bench/prices.json\`), on demand, without free tiers: ${PRICES.sources.map((url) => `<${url}>`).join(", ")}. Lambda is billed as modelled below. ${PRICES.notes.join(" ")}`;

const METHOD = `- **Processor time** is user and system time of the function's process, from just before its handler to a turn of the event loop after its answer; garbage collection and compilation in other threads included. Parsing the event and writing the answer are Lambda's own runtime's, and left out. Functions are warm: before anything counts, a campaign of a hundred thousand messages and three thousand single ones have gone through, since code is several times slower at first (how much, the campaign's parts below show); the floor's processes have made as many calls, up to ten thousand; and each run that counts comes right after one that does not.
- **Messages per invocation** are as many as the event-source mapping allows, as they are at volume; delays of queues are skipped. Lambda's pollers are booked with a ReceiveMessage and a DeleteMessageBatch for up to ten messages, of which none is a call of ours.
- **Calls** are those that functions make to AWS. The carrier's requests and those to customers are counted apart. Receipts that come by queue are sent there by somebody else: in the bill, but no calls of ours.
- **The floor** of a workload makes the very calls of its invocations again, with bare clients of the same SDK, those side by side that were side by side, gets the same answers, and does nothing else; bundled and measured in the same way, run by run beside ours.
- **Lambda's bill**: in a run of its own everything answers as late as in the table below; an invocation takes that time, and its processor time once more by what its share of a processor is smaller than a whole one (a function with 1,769 MB has one). In whole milliseconds, with arm64's prices; this machine's processor stands for Lambda's.
- **Capacity** of DynamoDB is counted item by item and index by index as its documentation has it: a failed condition is a write, an unchanged projection is none.
- **Errors** end the benchmark: each message has to end DELIVERED, with as many callbacks as it should have, and no function may fail at anything.

${markdownTable(
  ["assumed latency", "ms"],
  Object.entries(PRICES.assumedLatencyMs).map(([service, ms]) => [service, String(ms)]),
)}`;

const LEFT_OUT = `- The carrier's own price, and whatever a Kannel of one's own runs on.
- Data transfer to customers and carriers, which has no fixed price per message.
- What a stage costs that nothing is sent through: Lambda's looking into empty queues, alarms, the dashboard, custom metrics (paid for by the metric and month, not by the message), backups of the directory.
- Storage: a message is gone after a day or so (time to live deletes for nothing); of logs, their retention.
- Free tiers, discounts for volume, and taxes.
- Cold starts, which are rare at volume; their time is above.`;

function workloadSection(measurement: Measurement): string[] {
  const { title, about, shares, peakMegabytes, worldCalls } = measurement;
  const row = (name: string, of: readonly ShareFigures[], peak?: number) => {
    const cpu = sumOfShares(of, ({ cpuMs }) => cpuMs);
    const floor = floorOf(of);
    return [
      name,
      fixed(cpu, 3),
      fixed(floor, 3),
      fixed(floor ? cpu / floor : undefined, 2),
      fixed(sumOf(callsOfShares(of)), 3),
      fixed(
        sumOfShares(of, ({ logBytes }) => logBytes),
        0,
      ),
      fixed(peak, 0),
      callsText(callsOfShares(of)),
    ];
  };
  const rows = [...grouped(shares, ({ stage }) => stage)].flatMap(([stage, inStage]) => [
    row(`**${stage}**`, inStage),
    ...inStage.map((share) => row(share.by, [share], peakMegabytes[share.by])),
  ]);
  const beside = Object.entries(worldCalls)
    .map(([service, count]) => `${fixed(count, 3)} to the ${service}`)
    .join(", ");
  return [
    `### ${capitalised(title)}`,
    `${capitalised(about)}.`,
    markdownTable(
      [
        "a message",
        "CPU ms",
        "its calls alone, ms",
        "÷",
        "AWS calls",
        "log bytes",
        "peak MB",
        "calls",
      ],
      [...rows, row("**all**", shares)],
    ),
    ...(beside ? [`Beside them, requests a message: ${beside}.`] : []),
  ];
}

const capitalised = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);

const callsText = (calls: Readonly<Record<string, number>>) =>
  Object.entries(calls)
    .sort(([, one], [, other]) => other - one)
    .map(([name, count]) => `${name.split(".")[1]} ${fixed(count, 3)}`)
    .join(", ");

const billTable = (workloads: readonly Measurement[]) =>
  markdownTable(
    [`${PRICES.currency} a million`, "region", ...BILLED, "all"],
    workloads.flatMap(({ title, bills }) =>
      REGIONS.flatMap((region) => {
        const bill = bills[region];
        if (!bill) return [];
        const services = BILLED.map((service) => fixed(bill[service], 2));
        return [[title, region, ...services, `**${fixed(sumOfBill(bill), 2)}**`]];
      }),
    ),
  );

const leastTable = (workloads: readonly Measurement[]) =>
  markdownTable(
    ["part", "the fewest", "ours", "÷", "the fewest are"],
    workloads.flatMap(({ name, title, shares }) =>
      [...grouped(shares, ({ stage }) => stage)].flatMap(([stage, inStage]) => {
        const least = leastCallsOf(name, stage);
        if (least === undefined) return [];
        const ours = sumOf(callsOfShares(inStage));
        const made = LEAST_CALLS.find((it) => it.workload === name && it.stage === stage)?.made;
        const what = Object.entries(made ?? {})
          .map(([call, count]) => `${call} ${fixed(count, 3)}`)
          .join(", ");
        return [
          [`${title}: ${stage}`, fixed(least, 3), fixed(ours, 3), fixed(ours / least, 1), what],
        ];
      }),
    ),
  );

function growthSection({ perRequest, inTable, inCampaign }: Growth): string[] {
  const rows = (what: string, points: readonly GrowthPoint[]) =>
    points.map(({ size, cpuMs, cpuRatio, awsCalls, dollars }) => [
      `${size.toLocaleString("en")} ${what}`,
      fixed(cpuMs, 3),
      fixed(cpuRatio, 2),
      fixed(awsCalls, 3),
      fixed(dollars, 2),
    ]);
  const parts = (points: readonly GrowthPoint[]) =>
    rows("", points).map(([size, ...figures], index) => [
      `the ${(points[index - 1]?.size ?? 0) + 1}. to the ${size?.trim()}. of a campaign`,
      ...figures,
    ]);
  return [
    "## Growth",
    "Of bulk messages, from acceptance to callback. Dollars without what Lambda waits for others. Sizes are measured one right after the other, again and again; the ratio is the median of those. The campaign is the first thing that the processes ever see: what its beginning costs more is code that is not compiled yet.",
    markdownTable(
      ["messages", "CPU ms a message", "÷ the first", "AWS calls a message", "US$ a million"],
      [
        ...rows("a request", perRequest),
        ...rows("in the table before", inTable),
        ...parts(inCampaign),
      ],
    ),
  ];
}

function coldStartSection(coldStarts: readonly ColdStart[]): string[] {
  return [
    "## Cold starts and bundles",
    "From the process's beginning to its first answer, beside a handler that does nothing and has the same clients of AWS; medians. Times are Node's on this machine, not Lambda's.",
    markdownTable(
      ["function", "ms", "empty, ms", "÷", "CPU ÷", "kB", "kB at start", "clients"],
      coldStarts.map(({ capability, ms, emptyMs, ratio, cpuRatio, size, clients }) => [
        capability,
        fixed(ms, 0),
        fixed(emptyMs, 0),
        fixed(ratio, 2),
        fixed(cpuRatio, 2),
        fixed(size.all / 1_000, 0),
        fixed(size.atStart / 1_000, 0),
        clients.map((name) => name.replace(/^@aws-sdk\/(?:client-)?/, "")).join(", "),
      ]),
    ),
  ];
}
