import type { Lane } from "./carrier.ts";
import type { Clock, Randomness, TimeLimit } from "./ports.ts";
import { createRateLimit, type RateCounter } from "./rate-limit.ts";

/** Leave to hand SMS to one carrier. */
export interface CarrierRate {
  /**
   * Takes leave to hand over so many SMS, and waits for it.
   * @param waitMs how long at most, in milliseconds
   * @returns for how many there was leave
   */
  take(sms: number, waitMs: number): Promise<number>;
  /** Counts SMS that are handed over without leave among those of the next seconds. Never throws. */
  owe(sms: number): Promise<void>;
}

/** A carrier that takes whatever comes. */
export const UNLIMITED: CarrierRate = { take: async (sms) => sms, owe: async () => undefined };

/** What is left to singles of each second beyond those that are foreseen: a fiftieth. */
const LEFT_TO_SINGLES = 0.02;
/** What is left to bulk, however many singles there are: a tenth. */
const LEFT_TO_BULK = 0.1;

/** Of a carrier that takes fewer SMS per second, the singles of one second tell nothing of those of the next. */
const FORESEEN_FROM = 100;
/** How many singles there are is said again for each, while they are few, and then when there are half as many more. */
const FEW = 4;
const SAID_AGAIN_FROM = 1.5;
/** How long the counter may take where nobody's leave depends on it. */
const COUNTER_MS = 150;
/** Where the counter is away, a function that may hand over less often than that does so half as often: by chance, several come together. */
const SELDOM_MS = 10_000;

/** What a limit on one carrier needs. */
export interface CarrierRateDependencies {
  readonly carrier: string;
  /** SMS per second, over all functions and both lanes. */
  readonly perSecond: number;
  readonly lane: Lane;
  /** How many functions may hand over at once: their shares where the counter is away. */
  readonly functions: number;
  readonly counter: RateCounter;
  readonly clock: Clock;
  readonly timeLimit: TimeLimit;
  readonly randomness: Pick<Randomness, "fraction">;
  /** Hears of each failure of the counter. */
  readonly onFailure?: (error: unknown) => void;
}

/**
 * A limit on the SMS per second that one carrier is handed, over all functions that share a counter
 * (docs/decisions/0018). Bulk leaves to singles what they asked for a second ago, and a bit. Where
 * the counter fails, each function keeps to its share.
 */
export function createCarrierRate(deps: CarrierRateDependencies): CarrierRate {
  const { carrier, perSecond, lane, counter, clock, timeLimit, randomness } = deps;
  const key = `carrier ${carrier}`;
  const demand = createSinglesDemand(`${key} singles`, deps);
  const takeCounted = lane === "singles" ? limitSingles(key, deps) : limitBulk(key, deps, demand);
  const share = createShare(deps);

  async function takeSome(sms: number): Promise<number> {
    const decision = await takeCounted(sms);
    if (decision.allowed && decision.uncounted) return share.take(sms);
    share.rest();
    return decision.allowed ? sms - (decision.missing ?? 0) : 0;
  }

  /** Singles say how many they are, so that bulk leaves room to as many in the next second. */
  async function tell(sms: number): Promise<void> {
    if (lane === "singles") await demand.note(secondOf(clock.now()), sms);
  }

  return {
    async take(sms, waitMs) {
      const deadline = clock.now() + waitMs;
      const foreseen = perSecond >= FORESEEN_FROM ? tell(sms) : undefined;
      let [taken] = await Promise.all([takeSome(sms), foreseen]);
      while (taken < sms) {
        const pause = untilNextSecond(clock.now()) + randomness.fraction() * JITTER_MS;
        if (clock.now() + pause > deadline) break;
        await Promise.all([tell(sms - taken), pauseFor(timeLimit, pause)]);
        taken += await takeSome(sms - taken);
      }
      return taken;
    },
    async owe(sms) {
      let left = sms;
      const last = secondOf(clock.now()) + MAX_SECONDS_OWED;
      try {
        for (let second = secondOf(clock.now()) + 1; left > 0 && second <= last; second += 1) {
          const added = Math.min(left, perSecond);
          const total = await timeLimit.within(COUNTER_MS, counter.add(key, second, added));
          left -= granted(added, total, perSecond);
        }
      } catch {
        share.owe(left);
      }
    },
  };
}

/** What is owed for longer is forgotten: counts are not kept for ever. */
const MAX_SECONDS_OWED = 30;

/** Not all functions ask at the very beginning of a second. */
const JITTER_MS = 200;
const secondOf = (now: number) => Math.floor(now / 1_000);
const untilNextSecond = (now: number) => 1_000 - (now % 1_000);

async function pauseFor(timeLimit: TimeLimit, ms: number): Promise<void> {
  await timeLimit.within(ms, new Promise<never>(() => {})).catch(() => undefined);
}

/** Singles take of all that there is in a second. */
function limitSingles(key: string, deps: CarrierRateDependencies) {
  const rateLimit = createRateLimit({ ...deps, strict: true });
  return (sms: number) => rateLimit(key, deps.perSecond, sms);
}

/**
 * Bulk takes of what is left to it, by a count of its own, and only then of all that there is: what
 * it asks for and does not get is not taken from singles.
 */
function limitBulk(key: string, deps: CarrierRateDependencies, demand: SinglesDemand) {
  const { perSecond, counter, clock } = deps;
  let current = { second: -1, limit: Promise.resolve(0) };

  function limitOf(second: number): Promise<number> {
    if (current.second !== second) {
      const limit = demand.of(second - 1).then((it) => limitOfBulk(perSecond, it, second));
      current = { second, limit };
    }
    return current.limit;
  }

  const both: RateCounter = {
    async add(ofBulk, second, tokens) {
      const limit = await limitOf(second);
      const total = await counter.add(ofBulk, second, tokens);
      const left = granted(tokens, total, limit);
      if (left === 0) return total;
      const got = granted(left, await counter.add(key, second, left), perSecond);
      // Where all are too many for this second, that is how bulk hears of it.
      return got === left ? total : limit + tokens - got;
    },
  };
  const rateLimit = createRateLimit({ ...deps, counter: both, strict: true });
  return async (sms: number) => rateLimit(`${key} bulk`, await limitOf(secondOf(clock.now())), sms);
}

/** How many of the tokens that were added to a count, and made it this total, are within the limit. */
const granted = (tokens: number, total: number, limit: number) =>
  Math.min(tokens, Math.max(0, limit - (total - tokens)));

/** What bulk may use of a second. Of a fraction, some seconds have one more and others one less. */
function limitOfBulk(perSecond: number, singles: number, second: number): number {
  const left = perSecond - singles - perSecond * LEFT_TO_SINGLES;
  const perSecondOfBulk = Math.max(perSecond * LEFT_TO_BULK, left);
  return Math.floor((second + 1) * perSecondOfBulk) - Math.floor(second * perSecondOfBulk);
}

/** How many singles wanted to be handed over, by second. What cannot be counted is none. */
interface SinglesDemand {
  note(second: number, sms: number): Promise<void>;
  of(second: number): Promise<number>;
}

function createSinglesDemand(
  key: string,
  { counter, timeLimit }: Pick<CarrierRateDependencies, "counter" | "timeLimit">,
): SinglesDemand {
  const add = (second: number, sms: number) =>
    timeLimit.within(COUNTER_MS, counter.add(key, second, sms)).catch(() => 0);
  let said = { second: -1, sms: 0, unsaid: 0 };
  return {
    /** Not for each message a write, but each time that there are so many more. */
    async note(second, sms) {
      if (said.second !== second) said = { second, sms: 0, unsaid: 0 };
      const unsaid = said.unsaid + sms;
      if (said.sms >= FEW && said.sms + unsaid < said.sms * SAID_AGAIN_FROM) {
        said.unsaid = unsaid;
        return;
      }
      said = { second, sms: said.sms + unsaid, unsaid: 0 };
      await add(second, unsaid);
    },
    of: (second) => add(second, 0),
  };
}

/** What a function may hand over when nobody counts: as many SMS as all together may, divided by how many they are. */
function createShare({ perSecond, functions, clock, randomness }: CarrierRateDependencies) {
  const fairMs = (1_000 * functions) / perSecond;
  const everyMs = fairMs > SELDOM_MS ? 2 * fairMs : fairMs;
  let next = Number.NEGATIVE_INFINITY;
  let isNew = true;

  function takeOne(now: number): boolean {
    if (now < next) return false;
    next += everyMs;
    return true;
  }

  return {
    /** @returns for how many of so many SMS it is this function's turn */
    take(sms: number): number {
      const now = clock.now();
      // When the counter goes away, it is not everybody's turn at once.
      if (isNew || now - next > everyMs + SAVED_MS) {
        next = Math.max(next, now + randomness.fraction() * everyMs);
      }
      isNew = false;
      let taken = 0;
      while (taken < sms && takeOne(now)) taken += 1;
      return taken;
    },
    /** The counter is there. */
    rest(): void {
      isNew = true;
    },
    owe(sms: number): void {
      next = Math.max(next, clock.now()) + sms * everyMs;
    },
  };
}

/** Who waits for a turn asks once in a second: turns that come meanwhile are kept for that long. */
const SAVED_MS = 1_000;
