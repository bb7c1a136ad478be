import {
  addCounts,
  type CarrierCounts,
  type CarrierSlice,
  NO_COUNTS,
  sliceOf,
} from "./carrier-health.ts";
import type { CarrierHealths } from "./carrier-pool.ts";
import type { Clock } from "./ports.ts";

/** How often counts of hand-overs are written, unless something failed. */
export const COUNTS_EVERY_MS = 5_000;
const FLUSH_AFTER_FAILURE_MS = 1_000;

/** Counts what carriers are handed and report. */
export interface CarrierCounter {
  /** @param at when the SMS were handed over, milliseconds since the epoch */
  add(carrier: string, at: number, counts: CarrierCounts): void;
  /** Writes down what was counted, now and then. Never throws. */
  flush(): Promise<void>;
}

/** A counter that writes for many SMS at once. What it has counted when its function ends is lost: shares hardly change by that. */
export function createCarrierCounter({
  healths,
  clock,
  everyMs,
  onFailure,
}: {
  readonly healths: Pick<CarrierHealths, "count">;
  readonly clock: Clock;
  /**
   * How often counts are written at the most, unless something failed. What a function has counted
   * waits for its next invocation, which may be long in coming: where it counts for a carrier that
   * it was heard, 0.
   */
  readonly everyMs: number;
  /** Hears of counts that could not be written. */
  readonly onFailure: (what: string, error: unknown) => void;
}): CarrierCounter {
  const pending = new Map<string, CarrierSlice>();
  let flushedAt = clock.now();
  let hasFailures = false;
  let flushing: Promise<void> | undefined;

  async function write({ carrier, start, counts }: CarrierSlice): Promise<void> {
    try {
      await healths.count(carrier, start, counts);
    } catch (error) {
      // It may have been counted: a share is not much changed by that.
      onFailure("what carriers were handed could not be counted", error);
    }
  }

  async function writeAll(): Promise<void> {
    const slices = [...pending.values()];
    pending.clear();
    hasFailures = false;
    flushedAt = clock.now();
    await Promise.all(slices.map(write));
    flushing = undefined;
  }

  return {
    add(carrier, at, counts) {
      const start = sliceOf(at);
      const key = `${carrier} ${start}`;
      const before = pending.get(key)?.counts ?? NO_COUNTS;
      pending.set(key, { carrier, start, counts: addCounts(before, counts) });
      if (counts.failed > 0) hasFailures = true;
    },

    async flush() {
      const age = clock.now() - flushedAt;
      const wait = hasFailures ? Math.min(FLUSH_AFTER_FAILURE_MS, everyMs) : everyMs;
      if (pending.size === 0 || (age >= 0 && age < wait)) return;
      flushing ??= writeAll();
      await flushing;
    },
  };
}
