import { order } from "./attribute-value.ts";

/** A sort key as JavaScript compares it; the empty string where there is none. */
export type SortKey = string | number;

/** An item's place: its partition, and its key within that. */
export interface Key {
  readonly hash: string;
  readonly sort: SortKey;
}

/** The first place in an ordered array of which something does not hold that holds of all before it. */
export function partitionPoint<T>(things: readonly T[], holds: (thing: T) => boolean): number {
  let low = 0;
  let high = things.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const thing = things[middle];
    if (thing !== undefined && holds(thing)) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Things in partitions, within which they have an order. */
export class Partitions<T> {
  readonly #partitions = new Map<string, T[]>();
  readonly #compare: (one: T, other: T) => number;

  constructor(compare: (one: T, other: T) => number) {
    this.#compare = compare;
  }

  /** What is in a partition, in its order. */
  in(hash: string): readonly T[] {
    return this.#partitions.get(hash) ?? [];
  }

  insert(hash: string, thing: T): void {
    const partition = this.#partitions.get(hash);
    if (!partition) this.#partitions.set(hash, [thing]);
    else partition.splice(this.#placeOf(partition, thing), 0, thing);
  }

  /** Removes what is in the same place of the order. */
  remove(hash: string, thing: T): void {
    const partition = this.#partitions.get(hash);
    if (!partition) return;
    const place = this.#placeOf(partition, thing);
    const found = partition[place];
    if (found !== undefined && this.#compare(found, thing) === 0) partition.splice(place, 1);
    if (partition.length === 0) this.#partitions.delete(hash);
  }

  *all(): Generator<T> {
    for (const partition of this.#partitions.values()) yield* partition;
  }

  clear(): void {
    this.#partitions.clear();
  }

  #placeOf(partition: readonly T[], thing: T): number {
    // What comes is mostly newer than all that is there.
    const last = partition.at(-1);
    if (last !== undefined && this.#compare(last, thing) < 0) return partition.length;
    return partitionPoint(partition, (it) => this.#compare(it, thing) < 0);
  }
}

export function compareKeys(one: Key, other: Key): number {
  if (one.hash !== other.hash) return order(one.hash, other.hash);
  return compareSortKeys(one.sort, other.sort);
}

export const compareSortKeys = (one: SortKey, other: SortKey): number => order(one, other);
