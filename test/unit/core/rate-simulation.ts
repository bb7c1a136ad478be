import type { Lane } from "../../../functions/core/carrier.ts";
import { type CarrierRate, createCarrierRate } from "../../../functions/core/carrier-rate.ts";
import type { RateCounter } from "../../../functions/core/rate-limit.ts";
import { seeded, VirtualTime } from "./virtual-time.ts";

/** What is asked of one carrier, and by how many functions. */
export interface RateLoad {
  /** Half of them hand over singles, half bulk. */
  readonly functions: number;
  /** SMS per second that the carrier takes. */
  readonly perSecond: number;
  /** Singles per second, that come at random times. */
  readonly singles: number;
  /** Whether there is always more bulk to be handed over. */
  readonly bulk: boolean;
  readonly seconds: number;
  readonly seed: number;
  /** How many SMS each bulk message is, which the carrier is handed as a whole; one where absent. */
  readonly whole?: number;
  /** Whether the counter is away; else it answers within 3 to 9 ms. */
  readonly isAway?: (second: number) => boolean;
}

/** What became of it. Times are milliseconds since the beginning. */
export interface RateFigures {
  readonly bulk: readonly number[];
  readonly singles: readonly { readonly at: number; readonly waited: number }[];
  /** Singles that nobody has handed over at the end. */
  readonly left: number;
  /** Requests to the counter by key, in each second. */
  readonly writes: ReadonlyMap<string, readonly number[]>;
  /** All of these. */
  readonly requests: number;
}

/** How long the carrier takes to answer, and for how long what found no turn is put back. */
const ANSWER_MS = [40, 120] as const;
const WAIT_MS = 2_000;
const PUT_BACK_MS = [2_000, 6_000] as const;
const COUNTER_MS = [3, 9] as const;

/** Plays functions of both lanes against one counter, in virtual time. */
export async function playRate(load: RateLoad): Promise<RateFigures> {
  const time = new VirtualTime();
  const start = time.now();
  const random = seeded(load.seed);
  const between = ([from, to]: readonly [number, number]) => from + random() * (to - from);
  const at = () => time.now() - start;
  const writes = new Map<string, number[]>();
  const totals = new Map<string, number>();
  const bulk: number[] = [];
  const singles: { at: number; waited: number }[] = [];
  let left = 0;
  let requests = 0;

  const counter: RateCounter = {
    async add(key, second, tokens) {
      const now = Math.floor(at() / 1_000);
      requests += 1;
      const ofKey = writes.get(key) ?? [];
      ofKey[now] = (ofKey[now] ?? 0) + 1;
      writes.set(key, ofKey);
      await time.sleep(between(COUNTER_MS) / 2);
      if (load.isAway?.(now)) throw new Error("the counter is away");
      const total = (totals.get(`${key} ${second}`) ?? 0) + tokens;
      totals.set(`${key} ${second}`, total);
      await time.sleep(between(COUNTER_MS) / 2);
      return total;
    },
  };
  const rateOf = (lane: Lane) =>
    createCarrierRate({
      carrier: "operator",
      perSecond: load.perSecond,
      lane,
      functions: load.functions,
      counter,
      clock: time,
      timeLimit: time,
      randomness: { fraction: random },
    });
  const sms = load.whole ?? 1;
  const half = Math.max(1, Math.floor(load.functions / 2));
  const isOver = () => at() >= load.seconds * 1_000;

  /** One message of a group after another; all of a group end before the next begins. */
  async function handOverBulk(rate: CarrierRate, sideBySide: number) {
    while (!isOver()) {
      const one = async () => {
        const leave = await rate.take(sms, WAIT_MS);
        if (leave === 0) return;
        if (leave < sms) await rate.owe(sms - leave);
        for (let sent = 0; sent < sms; sent += 1) bulk.push(at());
        await time.sleep(between(ANSWER_MS));
      };
      await Promise.all(Array.from({ length: sideBySide }, one));
    }
  }

  async function handOverSingle(rate: CarrierRate) {
    const came = at();
    left += 1;
    while ((await rate.take(1, WAIT_MS)) === 0) await time.sleep(between(PUT_BACK_MS));
    left -= 1;
    singles.push({ at: at(), waited: at() - came });
  }

  const ofSingles = Array.from({ length: half }, () => rateOf("singles"));
  if (load.bulk) {
    // So many that all together could do three times what the carrier takes.
    const sideBySide = Math.min(1_000, Math.max(10, Math.ceil((load.perSecond * 0.6) / half)));
    for (let index = 0; index < half; index += 1) void handOverBulk(rateOf("bulk"), sideBySide);
  }
  const arrivals = Array.from({ length: Math.round(load.singles * load.seconds) }, () =>
    Math.floor(random() * load.seconds * 1_000),
  ).sort((one, other) => one - other);
  for (const arrival of arrivals) {
    await time.pass(arrival - at());
    void handOverSingle(ofSingles[Math.floor(random() * half)] as CarrierRate);
  }
  await time.pass(load.seconds * 1_000 - at());
  return { bulk, singles, left, writes, requests };
}

/** How long singles waited for their turn, in milliseconds: so many of them no longer than this. */
export function quantilesOf({ singles }: RateFigures, quantiles: readonly number[]): number[] {
  const waited = singles.map((it) => it.waited).sort((one, other) => one - other);
  return quantiles.map((it) => waited[Math.floor(it * (waited.length - 1))] ?? 0);
}

/** The most requests that were made to one key of the counter in a second. */
export const busiestOf = ({ writes }: RateFigures) =>
  Math.max(...[...writes.values()].flatMap((ofKey) => Array.from(ofKey, (it) => it ?? 0)));

/** The most and the least in any so many milliseconds between two times. */
export function extremesOf(times: readonly number[], windowMs: number, from: number, to: number) {
  const perMs = new Uint32Array(to + 1);
  for (const time of times) if (time <= to) perMs[time] = (perMs[time] ?? 0) + 1;
  let count = 0;
  let [least, most] = [Number.POSITIVE_INFINITY, 0];
  for (let end = from; end <= to; end += 1) {
    count += perMs[end] ?? 0;
    if (end - windowMs >= from) count -= perMs[end - windowMs] ?? 0;
    if (end - from < windowMs - 1) continue;
    least = Math.min(least, count);
    most = Math.max(most, count);
  }
  return { least, most };
}
