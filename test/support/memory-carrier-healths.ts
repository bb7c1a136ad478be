import {
  addCounts,
  type CarrierCounts,
  type CarrierHealth,
  type CarrierSlice,
  NO_COUNTS,
} from "../../functions/core/carrier-health.ts";
import type { CarrierHealths } from "../../functions/core/carrier-pool.ts";

/** How carriers fare, in memory, by the contract of the port. */
export class MemoryCarrierHealths implements CarrierHealths {
  readonly #healths = new Map<string, CarrierHealth>();
  readonly #slices = new Map<string, CarrierSlice>();
  /** What was asked, in order. */
  readonly calls: ("load" | "count" | "change")[] = [];
  /** Where it is set every call fails. */
  error: Error | undefined;

  #begin(call: "load" | "count" | "change") {
    this.calls.push(call);
    if (this.error) throw this.error;
  }

  async load(since: number) {
    this.#begin("load");
    return {
      healths: [...this.#healths.values()],
      slices: [...this.#slices.values()].filter(({ start }) => start >= since),
    };
  }
  async count(carrier: string, start: number, added: CarrierCounts) {
    this.#begin("count");
    if (Object.values(added).every((sms) => sms === 0)) return;
    const key = `${start} ${carrier}`;
    const counts = addCounts(this.#slices.get(key)?.counts ?? NO_COUNTS, added);
    this.#slices.set(key, { carrier, start, counts });
  }
  async change(read: CarrierHealth, changed: CarrierHealth) {
    this.#begin("change");
    const stored = this.#healths.get(read.carrier);
    if ((stored?.revision ?? 0) !== read.revision) return false;
    this.#healths.set(read.carrier, changed);
    return true;
  }

  /** For tests to look at. */
  of(carrier: string): CarrierHealth | undefined {
    return this.#healths.get(carrier);
  }
  /** For tests to look at: the sums of all that was ever counted of a carrier. */
  sumOf(carrier: string): CarrierCounts {
    return [...this.#slices.values()]
      .filter((slice) => slice.carrier === carrier)
      .reduce((total, { counts }) => addCounts(total, counts), NO_COUNTS);
  }
}
