import type { Message } from "../../functions/core/message.ts";
import { slicesOf } from "../../functions/core/slices.ts";
import { billOf, perMillion, REGION, sumOfBill } from "./cost.ts";
import { ACCOUNT } from "./customer.ts";
import { type Bench, nextSetting, play } from "./measure.ts";
import { awsCalls, median, sumOf, total, type Usage } from "./usage.ts";
import { bulk } from "./workloads/bulk.ts";
import { BULK_SIZE, idOf, phoneOf } from "./workloads/sms.ts";
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
  /** Processor time ÷ that at the first size, of runs that came one right after the other. */
  readonly cpuRatio: number;
  /** The same of dollars. */
  readonly dollarRatio: number;
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

/** Measures how the cost of a message grows: all sizes one after the other, again and again. */
export async function measureGrowth(
  bench: Bench,
  sizes: GrowthSizes,
  { runs, onPoint }: { readonly runs: number; readonly onPoint: (what: string) => void },
): Promise<Growth> {
  const { deployment } = bench;
  const perRequest = new Series(sizes.perRequest);
  const inTable = new Series(sizes.inTable);
  const inCampaign = new Series(sizes.inCampaign);
  for (let run = 1; run <= runs; run++) {
    onPoint(`${sizes.perRequest.join(", ")} messages a request (${run})`);
    for (const size of sizes.perRequest) {
      const messages = Math.min(BULK_SIZE, size * MOST_REQUESTS);
      perRequest.add(size, messages, await play(bench, bulk(messages, size)));
    }
  }
  for (let run = 1; run <= runs; run++) {
    onPoint(`${sizes.inTable.join(", ")} messages in the table (${run})`);
    await deployment.clear();
    const table = await FilledTable.begin(bench);
    for (const size of sizes.inTable) {
      await table.fill(size);
      inTable.add(size, BULK_SIZE, await play(bench, bulk(BULK_SIZE), { clears: false }));
    }
  }
  // A campaign that is large is much to measure by itself.
  for (const size of sizes.inCampaign) {
    onPoint(`${size} messages in a campaign`);
    inCampaign.add(size, size, await play(bench, bulk(size)));
  }
  return {
    perRequest: perRequest.points(),
    inTable: inTable.points(),
    inCampaign: inCampaign.points(),
  };
}

/** What a message took in one run. */
type Figures = Pick<GrowthPoint, "cpuMs" | "awsCalls" | "dollars">;

/** Runs at several sizes. */
class Series {
  readonly #runs: ReadonlyMap<number, Figures[]>;

  constructor(sizes: readonly number[]) {
    this.#runs = new Map(sizes.map((size) => [size, []]));
  }

  add(size: number, messages: number, usages: readonly Usage[]): void {
    this.#runs.get(size)?.push({
      cpuMs: total(usages, ({ cpuMs }) => cpuMs) / messages,
      awsCalls: sumOf(awsCalls(usages)) / messages,
      dollars: sumOfBill(perMillion(billOf(usages, REGION), messages)),
    });
  }

  points(): GrowthPoint[] {
    const [first = []] = this.#runs.values();
    return [...this.#runs].map(([size, runs]) => {
      const middle = (of: (figures: Figures) => number) => median(runs.map(of));
      const ratio = (of: (figures: Figures) => number) =>
        median(runs.map((figures, run) => of(figures) / of(first[run] ?? figures)));
      return {
        size,
        cpuMs: middle(({ cpuMs }) => cpuMs),
        awsCalls: middle((figures) => figures.awsCalls),
        dollars: middle(({ dollars }) => dollars),
        cpuRatio: ratio(({ cpuMs }) => cpuMs),
        dollarRatio: ratio(({ dollars }) => dollars),
      };
    });
  }
}

/** A table with messages that were delivered before, of the same account. */
class FilledTable {
  readonly #bench: Bench;
  readonly #model: Message;
  #size = 0;

  private constructor(bench: Bench, model: Message) {
    this.#bench = bench;
    this.#model = model;
  }

  /** Sends a message, for the others to be like it. */
  static async begin(bench: Bench): Promise<FilledTable> {
    const setting = nextSetting(bench);
    await bulk(1).run(setting);
    const [model] = await setting.customer.messages.findMany(ACCOUNT, [idOf(setting.run, 0)]);
    if (!model) throw new Error("there is no message to copy");
    return new FilledTable(bench, model);
  }

  /** Has so many messages in the table. */
  async fill(size: number): Promise<void> {
    const { world, deployment } = this.#bench;
    const missing = Array.from({ length: size - this.#size }, (_, index) => this.#size + index);
    this.#size = size;
    await world.unseen(async () => {
      for (const slice of slicesOf(missing, BULK_SIZE)) {
        await deployment.customer.messages.insertMany(slice.map((index) => this.#copy(index)));
        // Nobody is told of what was delivered before.
        await discardWaiting(world.nullAws, world.stack);
      }
    });
    world.takeUsages();
  }

  #copy(index: number): Message {
    const id = `earlier-${index}`;
    return { ...this.#model, id, traceId: `trace-${index}`, destination: phoneOf(index) };
  }
}

/** How much more the worst of several sizes costs than the first; 0.05 for a twentieth more. */
export const growthOf = (
  points: readonly GrowthPoint[],
  ratioOf: (point: GrowthPoint) => number,
): number =>
  points.length === 0 ? Number.NaN : Math.max(0, ...points.map((point) => ratioOf(point) - 1));
