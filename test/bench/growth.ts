import type { Message } from "../../functions/core/message.ts";
import { slicesOf } from "../../functions/core/slices.ts";
import { billOf, perMillion, REGION, sumOfBill } from "./cost.ts";
import { ACCOUNT } from "./customer.ts";
import { type Bench, nextSetting, play } from "./measure.ts";
import { variableOf } from "./stack.ts";
import { awsCalls, median, sumOf, total, type Usage } from "./usage.ts";
import { bulk } from "./workloads/bulk.ts";
import { BULK_SIZE, idOf, phoneOf } from "./workloads/sms.ts";

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
  /** With the messages of a campaign, in bulk requests of a thousand: those up to the size, from the size before on. */
  readonly inCampaign: readonly GrowthPoint[];
}

/** What growth is measured at. */
export interface GrowthSizes {
  readonly perRequest: readonly number[];
  readonly inTable: readonly number[];
}

/** Sizes as the goals have them, and fewer for those in a hurry. */
export const GROWTH_SIZES: GrowthSizes = {
  perRequest: [1, 10, 100, 1_000],
  inTable: [1_000, 10_000, 100_000],
};
export const QUICK_GROWTH_SIZES: GrowthSizes = {
  perRequest: [10, 1_000],
  inTable: [1_000, 10_000],
};

/** Requests with few messages need not be as many as those with many to be known. */
const MOST_REQUESTS = 100;

/**
 * Sends a campaign, the first that processes ever see, and measures each of its parts.
 * @param sizes the ends of the parts, thousands of messages
 */
export async function measureCampaign(
  bench: Bench,
  sizes: readonly number[],
): Promise<readonly GrowthPoint[]> {
  await bench.deployment.clear();
  const parts = new Series(sizes);
  let sent = 0;
  for (const size of sizes) {
    const usages: Usage[] = [];
    const messages = size - sent;
    for (; sent < size; sent += BULK_SIZE) {
      usages.push(...(await play(bench, bulk(BULK_SIZE), { clears: false })));
    }
    parts.add(size, messages, usages);
  }
  return parts.points();
}

/** Measures how the cost of a message grows: all sizes one after the other, again and again. */
export async function measureGrowth(
  bench: Bench,
  sizes: GrowthSizes,
  { runs, onPoint }: { readonly runs: number; readonly onPoint: (what: string) => void },
): Promise<Omit<Growth, "inCampaign">> {
  const perRequest = new Series(sizes.perRequest);
  const inTable = new Series(sizes.inTable);
  for (let run = 1; run <= runs; run++) {
    onPoint(`${sizes.perRequest.join(", ")} messages a request (${run})`);
    for (const size of sizes.perRequest) {
      const messages = Math.min(BULK_SIZE, size * MOST_REQUESTS);
      perRequest.add(size, messages, await play(bench, bulk(messages, size)));
    }
  }
  const table = await FilledTable.begin(bench);
  for (let run = 1; run <= runs; run++) {
    onPoint(`${sizes.inTable.join(", ")} messages in the table (${run})`);
    // There and back, so that none is always the one that comes after a long pause.
    for (const size of run % 2 === 1 ? sizes.inTable : sizes.inTable.toReversed()) {
      await table.fill(size);
      // Functions have stood still meanwhile, the longer the more there is, and are slow at first.
      await play(bench, bulk(BULK_SIZE), { clears: false });
      inTable.add(size, BULK_SIZE, await play(bench, bulk(BULK_SIZE), { clears: false }));
    }
  }
  return { perRequest: perRequest.points(), inTable: inTable.points() };
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

/** So many items go into a table in one request. */
const ITEMS_TOGETHER = 5_000;

type Item = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/** Puts messages that were delivered before into the table, copies of one that was sent; of the same account. */
class FilledTable {
  readonly #bench: Bench;
  readonly #table: string;
  readonly #model: string;
  readonly #message: Message;

  private constructor(bench: Bench, table: string, model: string, message: Message) {
    this.#bench = bench;
    this.#table = table;
    this.#model = model;
    this.#message = message;
  }

  /** Sends a message, for the others to be like it. */
  static async begin(bench: Bench): Promise<FilledTable> {
    const { nullAws, stack } = bench.deployment;
    await bench.deployment.clear();
    const setting = nextSetting(bench);
    await bulk(1).run(setting);
    const [message] = await setting.customer.messages.findMany(ACCOUNT, [idOf(setting.run, 0)]);
    if (!message) throw new Error("there is no message to copy");
    const table = variableOf(stack, "MESSAGES_TABLE");
    const { items } = await nullAws.control<{ items: Item[] }>("all-items", { table });
    const model = items.find(({ traceId }) => traceId?.S === message.traceId);
    return new FilledTable(bench, table, JSON.stringify(model), message);
  }

  /** Has so many messages in the table, and nothing else. */
  async fill(size: number): Promise<void> {
    const { deployment, world } = this.#bench;
    await deployment.clear();
    const indices = Array.from({ length: size }, (_, index) => index);
    for (const slice of slicesOf(indices, ITEMS_TOGETHER)) {
      const items = slice.map((index) => this.#copy(index));
      await deployment.nullAws.control("put-items", { table: this.#table, items });
    }
    await deployment.nullAws.takeCounts();
    world.takeUsages();
  }

  #copy(index: number): Item {
    const { id, traceId, destination } = this.#message;
    const text = this.#model
      .replaceAll(id, `earlier-${index}`)
      .replaceAll(traceId, `trace-${index}`)
      .replaceAll(destination, phoneOf(index));
    return JSON.parse(text) as Item;
  }
}

/** How much more the worst of several sizes costs than the first; 0.05 for a twentieth more. */
export const growthOf = (
  points: readonly GrowthPoint[],
  ratioOf: (point: GrowthPoint) => number,
): number =>
  points.length === 0 ? Number.NaN : Math.max(0, ...points.map((point) => ratioOf(point) - 1));
