import type { Carrier } from "../../functions/core/carrier.ts";
import type { CarrierPool, HandOverResult } from "../../functions/core/carrier-pool.ts";

/** What a pool was told of a hand-over. */
export interface Noted {
  readonly carrier: string;
  readonly results: readonly HandOverResult["kind"][];
}

/** Carriers that every message may be handed to, in this order, as many SMS a second as there is room for. */
export class SimplePool implements CarrierPool {
  readonly noted: Noted[] = [];
  /** What was asked for, in order. */
  readonly taken: { readonly carrier: string; readonly sms: number }[] = [];
  /** How many SMS a carrier still takes; any number where it is not said. */
  readonly room = new Map<string, number>();
  readonly #carriers: readonly Carrier[];

  constructor(...carriers: readonly Carrier[]) {
    this.#carriers = carriers;
  }

  async candidatesFor() {
    return this.#carriers.map((carrier) => ({ carrier }));
  }

  async take(carrier: string, sms: number) {
    this.taken.push({ carrier, sms });
    const room = this.room.get(carrier) ?? Number.POSITIVE_INFINITY;
    const leave = Math.min(sms, room);
    this.room.set(carrier, room - leave);
    return leave;
  }

  note(carrier: string, results: readonly HandOverResult[]) {
    this.noted.push({ carrier, results: results.map(({ kind }) => kind) });
  }

  async flush() {}
}
