/** What has been taken is forgotten in steps of so many. */
const FORGOTTEN_TOGETHER = 10_000;

/** Things in the order in which they came; taking some costs the same, however many are left. */
export class Fifo<T> {
  #things: T[] = [];
  #taken = 0;

  get length(): number {
    return this.#things.length - this.#taken;
  }

  push(thing: T): void {
    this.#things.push(thing);
  }

  /** Takes the first ones. @param max how many at most */
  take(max: number): T[] {
    const taken = this.#things.slice(this.#taken, this.#taken + max);
    this.#taken += taken.length;
    if (this.#taken >= FORGOTTEN_TOGETHER || this.length === 0) {
      this.#things = this.#things.slice(this.#taken);
      this.#taken = 0;
    }
    return taken;
  }

  clear(): void {
    this.#things = [];
    this.#taken = 0;
  }
}
