import { LRUCache } from "lru-cache";
import type { Clock, TimeLimit } from "./ports.ts";

/** Counts, over all functions, the requests of each key in each second. */
export interface RateCounter {
  /**
   * @param second since the epoch
   * @returns how many tokens were ever added for this key and second, these included
   */
  add(key: string, second: number, tokens: number): Promise<number>;
}

/** Whether a request may pass, and if not, when it is of use to come back. */
export type RateDecision =
  /**
   * `uncounted`: the counter failed, and nobody knows whether the limit is kept. `missing`: so many
   * of the tokens asked for are not to be had any more.
   */
  | { readonly allowed: true; readonly uncounted?: true; readonly missing?: number }
  | { readonly allowed: false; readonly retryAfterSeconds: number };

/**
 * Asks to let one request through, which takes one token, or so many. It may pass where there is
 * but one left. One key always comes with the same limit: whoever limits the same caller in two
 * ways uses two keys.
 */
export type RateLimit = (key: string, perSecond: number, tokens?: number) => Promise<RateDecision>;

/** How long the counter may take, and for how long it is left alone when it failed. */
const COUNTER_MS = 150;
const LEFT_ALONE_MS = 1_000;

/** A hundredth of the limit passes in a function before it asks the counter … */
const FREE_PART = 100;
/** … unless half of the limit was used lately. */
const BUSY_PART = 2;
const BUSY_SECONDS = 2;
/** A lease is an eighth of what the function itself needs in a second … */
const LEASE_PART_OF_OWN = 8;
/** … or a quarter, where there is always more to do and what is leased is used … */
const LEASE_PART_OF_OWN_WHEN_STRICT = 4;
/** … and no more than a sixteenth of what is left for all. */
const LEASE_PART_OF_LEFT = 16;

const REMEMBERED_KEYS = 10_000;

const ALLOWED: RateDecision = { allowed: true };
const UNCOUNTED: RateDecision = { allowed: true, uncounted: true };
/** However late in its second a request is refused, the next second begins within one. */
const REFUSED: RateDecision = { allowed: false, retryAfterSeconds: 1 };

/** One second of one key, as this function knows it. */
interface Window {
  readonly second: number;
  /** Requests to this function in the second before. */
  readonly requestsBefore: number;
  requests: number;
  /** How many requests may still pass before the counter is asked. */
  free: number;
  /** Requests that passed and are not counted yet. */
  owed: number;
  /** Leased tokens that are not used yet. */
  tokens: number;
  /** What the counter answered last, 0 before it was asked. */
  total: number;
  /** The last answer there was, in this second or an earlier one. */
  seen: { readonly second: number; readonly total: number };
  /** Tokens that requests wait for. */
  waiting: number;
  /** The lease under way; false where the counter failed. */
  lease: Promise<boolean> | undefined;
}

function openWindow(
  last: Window | undefined,
  second: number,
  limit: number,
  strict: boolean,
): Window {
  const seen = last?.seen ?? { second, total: 0 };
  const age = second - seen.second;
  const busy = age >= 0 && age <= BUSY_SECONDS && seen.total >= limit / BUSY_PART;
  return {
    second,
    requestsBefore: last?.second === second - 1 ? last.requests : 0,
    requests: 0,
    free: busy || strict ? 0 : Math.floor(limit / FREE_PART),
    owed: 0,
    tokens: 0,
    total: 0,
    seen,
    waiting: 0,
    lease: undefined,
  };
}

/** Everybody who waits gets their tokens at once; beyond that, leases shrink as the limit comes near. */
function leaseSize(
  { requests, requestsBefore, total, waiting, tokens }: Window,
  limit: number,
  strict: boolean,
): number {
  const part = strict ? LEASE_PART_OF_OWN_WHEN_STRICT : LEASE_PART_OF_OWN;
  const own = Math.ceil(Math.max(requests, requestsBefore) / part);
  const left = Math.floor((limit - total) / LEASE_PART_OF_LEFT);
  return Math.max(1, waiting - tokens, Math.min(own, left));
}

/**
 * A limit on requests per second and key that holds over all functions that share a counter.
 * Seconds are those of the clock. Where the counter fails, everything passes.
 *
 * @param deps.strict nothing passes before it is counted, unless the counter fails
 * @param deps.onFailure hears of each failure of the counter; nobody else does
 */
export function createRateLimit(deps: {
  readonly counter: RateCounter;
  readonly clock: Clock;
  readonly timeLimit: TimeLimit;
  readonly strict?: boolean;
  readonly onFailure?: (error: unknown) => void;
}): RateLimit {
  const { counter, clock, timeLimit, strict = false } = deps;
  const windows = new LRUCache<string, Window>({ max: REMEMBERED_KEYS });
  let failedAt = Number.NEGATIVE_INFINITY;

  function isLeftAlone(now: number): boolean {
    const age = now - failedAt;
    // A clock that was set back makes no failure younger.
    return age >= 0 && age < LEFT_ALONE_MS;
  }

  function windowOf(key: string, second: number, limit: number): Window {
    const last = windows.get(key);
    if (last?.second === second) return last;
    const window = openWindow(last, second, limit, strict);
    windows.set(key, window);
    return window;
  }

  async function lease(key: string, window: Window, limit: number): Promise<boolean> {
    const { second, owed } = window;
    const size = leaseSize(window, limit, strict);
    window.owed = 0;
    try {
      const total = await timeLimit.within(COUNTER_MS, counter.add(key, second, size + owed));
      window.total = total;
      window.seen = { second, total };
      window.tokens += Math.min(size, Math.max(0, limit - (total - size)));
      return true;
    } catch (error) {
      failedAt = clock.now();
      deps.onFailure?.(error);
      return false;
    } finally {
      window.lease = undefined;
    }
  }

  async function takeTokens(
    key: string,
    window: Window,
    limit: number,
    wanted: number,
  ): Promise<RateDecision> {
    window.waiting += wanted;
    try {
      while (window.tokens < wanted && window.total < limit) {
        window.lease ??= lease(key, window, limit);
        if (!(await window.lease)) return UNCOUNTED;
      }
      if (window.tokens === 0) return REFUSED;
      const taken = Math.min(wanted, window.tokens);
      window.tokens -= taken;
      return taken === wanted ? ALLOWED : { allowed: true, missing: wanted - taken };
    } finally {
      window.waiting -= wanted;
    }
  }

  return async (key, limit, tokens = 1) => {
    const now = clock.now();
    if (isLeftAlone(now)) return UNCOUNTED;
    const window = windowOf(key, Math.floor(now / 1_000), limit);
    window.requests += tokens;
    if (window.free >= tokens) {
      window.free -= tokens;
      window.owed += tokens;
      return ALLOWED;
    }
    return takeTokens(key, window, limit, tokens);
  };
}
