import { BILLED, REGIONS, sumOfBill } from "../cost.ts";
import { callsOfShares, type Measurement, type ShareFigures, sumOfShares } from "../measure.ts";
import { grouped, sumOf } from "../usage.ts";
import { floorOf } from "./figures.ts";
import { fixed, textTable } from "./text-table.ts";

/** All of a measurement, as the terminal shows it. @param earlier the same at another time */
export function describeMeasurement(measurement: Measurement, earlier?: Measurement): string {
  const { title, about, shares, peakMegabytes, bills, units, errors, betweenCpuMs } = measurement;
  return [
    `\n■ ${title}: ${about}`,
    sharesTable(shares, peakMegabytes),
    callsTable(shares, measurement.worldCalls),
    billTable(bills),
    ...(earlier ? [comparison(earlier, measurement)] : []),
    `a message: ${tallyLine(units)}`,
    ...(sumOf(errors) > 0 ? [`errors that AWS answered, a message: ${tallyLine(errors)}`] : []),
    `between invocations: ${fixed(betweenCpuMs, 3)} ms of processor time a message`,
  ].join("\n\n");
}

function comparison(before: Measurement, now: Measurement): string {
  const figures = ({ shares, bills }: Measurement) => [
    fixed(
      sumOfShares(shares, ({ cpuMs }) => cpuMs),
      3,
    ),
    fixed(floorOf(shares), 3),
    fixed(sumOf(callsOfShares(shares)), 3),
    fixed(
      sumOfShares(shares, ({ logBytes }) => logBytes),
      0,
    ),
    ...REGIONS.map((region) => fixed(bills[region] && sumOfBill(bills[region]), 2)),
  ];
  const head = ["a message", "CPU ms", "floor ms", "AWS calls", "log bytes"];
  return textTable(
    [...head, ...REGIONS.map((region) => `US$ a million, ${region}`)],
    [
      ["before", ...figures(before)],
      ["now", ...figures(now)],
    ],
  );
}

const tallyLine = (tally: Readonly<Record<string, number>>) =>
  Object.entries(tally)
    .map(([name, count]) => `${name} ${count < 10 ? fixed(count, 3) : fixed(count, 0)}`)
    .join(", ");

function sharesTable(
  shares: readonly ShareFigures[],
  peakMegabytes: Measurement["peakMegabytes"],
): string {
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
        sumOfShares(of, ({ invocations }) => invocations),
        4,
      ),
      fixed(
        sumOfShares(of, ({ billedMs }) => billedMs),
        2,
      ),
      fixed(
        sumOfShares(of, ({ logBytes }) => logBytes),
        0,
      ),
      fixed(peak, 0),
    ];
  };
  const rows = [...grouped(shares, ({ stage }) => stage)].flatMap(([stage, inStage]) => [
    row(stage, inStage),
    ...inStage.map((share) => row(`  ${share.by}`, [share], peakMegabytes[share.by])),
  ]);
  return textTable(
    [
      "a message",
      "CPU ms",
      "floor ms",
      "÷",
      "AWS calls",
      "invocations",
      "billed ms",
      "log bytes",
      "peak MB",
    ],
    [...rows, row("all", shares)],
  );
}

function callsTable(
  shares: readonly ShareFigures[],
  worldCalls: Measurement["worldCalls"],
): string {
  const byOperation = Object.keys(callsOfShares(shares)).sort();
  const rows = byOperation.map((operation) => [
    operation,
    ...shares.map(({ awsCalls }) => fixed(awsCalls[operation], 3).replace("–", "")),
    fixed(callsOfShares(shares)[operation], 3),
  ]);
  const outside = Object.entries(worldCalls).map(([service, count]) => [
    `(${service})`,
    ...shares.map(() => ""),
    fixed(count, 3),
  ]);
  const head = ["calls a message", ...shares.map(({ by }) => by), "all"];
  return textTable(head, [...rows, ...outside]);
}

function billTable(bills: Measurement["bills"]): string {
  const rows = REGIONS.flatMap((region) => {
    const bill = bills[region];
    if (!bill) return [];
    const services = BILLED.map((service) => fixed(bill[service], 2));
    return [[region, ...services, fixed(sumOfBill(bill), 2)]];
  });
  return textTable(["US$ a million", ...BILLED, "all"], rows);
}
