import type {
  MoInParts,
  MoParts,
  PartsDue,
  PartsKey,
  PartsTimer,
} from "../../functions/core/assemble-mo.ts";
import type { Clock } from "../../functions/core/ports.ts";

const nameOf = ({ carrier, from, shortCode, reference, total }: PartsKey) =>
  JSON.stringify([carrier, from, shortCode, reference, total]);

/** MOs in parts in memory, by the contract of the port. */
export class MemoryMoParts implements MoParts {
  readonly #found = new Map<string, { revision: number; content: string }>();

  constructor(private readonly clock: Clock) {}

  #find(key: PartsKey) {
    const found = this.#found.get(nameOf(key));
    if (!found) return undefined;
    const mos = JSON.parse(found.content) as MoInParts[];
    const isThere = mos.some(({ removeAt }) => removeAt > this.clock.now() / 1_000);
    return isThere ? { revision: found.revision, mos } : undefined;
  }

  async find(key: PartsKey) {
    return this.#find(key);
  }

  async replace(key: PartsKey, revision: number | undefined, mos: readonly MoInParts[]) {
    if (this.#find(key)?.revision !== revision) return false;
    this.#found.set(nameOf(key), {
      revision: (revision ?? 0) + 1,
      content: JSON.stringify(mos),
    });
    return true;
  }

  /** All that is kept, whatever the key. */
  get all(): MoInParts[] {
    return [...this.#found.values()].flatMap(({ content }) => JSON.parse(content) as MoInParts[]);
  }
}

/** What is to be woken, and when (milliseconds since the epoch). */
export class MemoryPartsTimer implements PartsTimer {
  readonly waiting: { due: PartsDue; at: number }[] = [];

  constructor(private readonly clock: Clock) {}

  async wake(due: PartsDue, afterMs: number) {
    this.waiting.push({ due, at: this.clock.now() + afterMs });
  }
}
