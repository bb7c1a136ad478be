import type { RateCounter } from "../../functions/core/rate-limit.ts";

/** A counter in memory. */
export class MemoryRateCounter implements RateCounter {
  readonly #totals = new Map<string, number>();
  /** What was added, in order. */
  readonly writes: { readonly key: string; readonly second: number; readonly tokens: number }[] =
    [];
  /** Where it is set the counter fails. */
  error: Error | undefined;

  async add(key: string, second: number, tokens: number) {
    this.writes.push({ key, second, tokens });
    if (this.error) throw this.error;
    const total = this.total(key, second) + tokens;
    this.#totals.set(`${second} ${key}`, total);
    return total;
  }

  total(key: string, second: number): number {
    return this.#totals.get(`${second} ${key}`) ?? 0;
  }
}
