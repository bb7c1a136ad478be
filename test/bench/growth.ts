import type { Message } from "../../functions/core/message.ts";
import { slicesOf } from "../../functions/core/slices.ts";
import { REGION, sumOfBill } from "./cost.ts";
import { ACCOUNT } from "./customer.ts";
import { type Bench, type Measurement, measure, sumOfShares } from "./measure.ts";
import { bulk } from "./workloads/bulk.ts";
import { BULK_SIZE, idOf, phoneOf } from "./workloads/sms.ts";
import type { Setting } from "./workloads/workload.ts";
import { discardWaiting } from "./world.ts";

/** What a message costs at one size of something. */
export interface GrowthPoint {
  readonly size: number;
  /** Milliseconds of processor time a message. */
  readonly cpuMs: number;
  /** Calls to AWS a message. */
  readonly awsCalls: number;
  /** Dollars a million, where Lambda's part is the processor's time alone. */
  readonly dollars: number;
}

/** How the cost of a message grows. */
export interface Growth {
  /** With the messages of a request. */
  readonly perRequest: readonly GrowthPoint[];
  /** With the messages that are in the table already; for a bulk request of a thousand. */
  readonly inTable: readonly GrowthPoint[];
  /** With the messages of a campaign, in bulk requests of a thousand. */
  readonly inCampaign: readonly GrowthPoint[];
}

/** What growth is measured at. */
export interface GrowthSizes {
  readonly perRequest: readonly number[];
  readonly inTable: readonly number[];
  readonly inCampaign: readonly number[];
}

/** Sizes as the goals have them, and fewer for those in a hurry. */
export const GROWTH_SIZES: GrowthSizes = {
  perRequest: [1, 10, 100, 1_000],
  inTable: [1_000, 10_000, 100_000],
  inCampaign: [1_000, 100_000],
};
export const QUICK_GROWTH_SIZES: GrowthSizes = {
  perRequest: [10, 1_000],
  inTable: [1_000, 10_000],
  inCampaign: [],
};

/** Requests with few messages need not be as many as those with many to be known. */
const MOST_REQUESTS = 100;
/** Measures how the cost of a message grows. */
export async function measureGrowth(
  bench: Bench,
  sizes: GrowthSizes,
  { runs, onPoint }: { readonly runs: number; readonly onPoint: (what: string) => void },
): Promise<Growth> {
  const perRequest: GrowthPoint[] = [];
  for (const size of sizes.perRequest) {
    const messages = Math.min(BULK_SIZE, size * MOST_REQUESTS);
    onPoint(`${size} a request`);
    const workload = bulk(messages, size);
    perRequest.push(pointOf(size, await measure(bench, workload, { runs, isTimed: false })));
  }
  const inTable: GrowthPoint[] = [];
  for (const size of sizes.inTable) {
    onPoint(`${size} in the table`);
    const fill = (setting: Setting) => fillTable(setting, size);
    const workload = bulk(BULK_SIZE);
    const measured = await measure(bench, workload, { runs, isTimed: false, fill });
    inTable.push(pointOf(size, measured));
  }
  const inCampaign: GrowthPoint[] = [];
  for (const size of sizes.inCampaign) {
    onPoint(`${size} in a campaign`);
    // One that is large is much to measure by itself.
    const options = { runs: size > BULK_SIZE ? 1 : runs, isTimed: false };
    inCampaign.push(pointOf(size, await measure(bench, bulk(size), options)));
  }
  return { perRequest, inTable, inCampaign };
}

const pointOf = (size: number, { shares, bills }: Measurement): GrowthPoint => ({
  size,
  cpuMs: sumOfShares(shares, ({ cpuMs }) => cpuMs),
  awsCalls: sumOfShares(shares, ({ awsCalls }) =>
    Object.values(awsCalls).reduce((sum, count) => sum + count, 0),
  ),
  dollars: bills[REGION] ? sumOfBill(bills[REGION]) : Number.NaN,
});

/** Puts messages into the table that were delivered before, of the same account. */
async function fillTable(setting: Setting, messages: number): Promise<void> {
  const { world, customer, run } = setting;
  await bulk(1).run(setting);
  world.takeUsages();
  await world.unseen(async () => {
    const [model] = await customer.messages.findMany(ACCOUNT, [idOf(run, 0)]);
    if (!model) throw new Error("there is no message to copy");
    const numbers = Array.from({ length: messages }, (_, index) => index);
    for (const slice of slicesOf(numbers, BULK_SIZE)) {
      await customer.messages.insertMany(slice.map((index) => copyOf(model, index)));
      // Nobody is told of what was delivered before.
      await discardWaiting(world.nullAws, world.stack);
    }
  });
}

/** The largest growth from one point to a later one, as a part of the first. */
export function growthOf(
  points: readonly GrowthPoint[],
  of: (point: GrowthPoint) => number,
): number {
  const [first, ...later] = points.map(of);
  if (first === undefined) return Number.NaN;
  return Math.max(0, ...later.map((value) => value / first - 1));
}

const copyOf = (model: Message, index: number): Message => {
  const id = `earlier-${index}`;
  return { ...model, id, traceId: `trace-${index}`, destination: phoneOf(index) };
};
