import type { Clock, TimeLimit } from "../../../functions/core/ports.ts";

interface Timer {
  readonly at: number;
  ring: (() => void) | undefined;
}

/** Time that passes when nothing else is left to do, in whole milliseconds. */
export class VirtualTime implements Clock, TimeLimit {
  /** By the millisecond that they ring in. */
  readonly #timers = new Map<number, Timer[]>();
  #now: number;

  constructor(start = Date.parse("2026-03-02T15:00:00Z")) {
    this.#now = start;
  }

  now() {
    return this.#now;
  }

  /** Resolves after so many milliseconds. */
  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.#set(ms, resolve);
    });
  }

  async within<T>(ms: number, work: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const timer = this.#set(ms, () => reject(new RangeError("out of time")));
      const done = () => {
        timer.ring = undefined;
      };
      work.finally(done).then(resolve, reject);
    });
  }

  /** Lets so many milliseconds pass, with all that happens in them. */
  async pass(ms: number): Promise<void> {
    const end = this.#now + ms;
    await quiet();
    for (; this.#now < end; ) {
      this.#now += 1;
      const due = this.#timers.get(this.#now);
      if (!due) continue;
      this.#timers.delete(this.#now);
      for (const { ring } of due) ring?.();
      await quiet();
    }
  }

  #set(ms: number, ring: () => void): Timer {
    const timer = { at: this.#now + Math.max(1, Math.round(ms)), ring };
    const others = this.#timers.get(timer.at);
    if (others) others.push(timer);
    else this.#timers.set(timer.at, [timer]);
    return timer;
  }
}

/** Everything is done that can be done without waiting. */
const quiet = () => new Promise((resolve) => setImmediate(resolve));

/** Chance that is the same in every run (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
