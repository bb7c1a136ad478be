import type { TorpedoEvent } from "./events.ts";

/**
 * Hands events to somebody who takes them in, durably.
 * @returns the indices of those that were not taken
 * @throws where none was taken
 */
export type TakeEvents = (events: readonly TorpedoEvent[]) => Promise<number[]>;

/** Who takes events: the bus, for teams; the callbacks' queue, for customers. */
export type Taker = "bus" | "callbacks";

/** An event, and who is to take it. */
export interface Telling {
  readonly event: TorpedoEvent;
  readonly takers: readonly Taker[];
}

/** Tries at what a taker refuses; one that does not answer was asked often enough by its client. */
const ATTEMPTS = 3;
/** More than one function has to do with while a taker is away. */
const MAX_REMEMBERED = 20_000;

/**
 * Hands events to their takers, side by side. What comes again because one taker did not take it is
 * not given once more to the one that did, as long as this very copy of the function gets it: a
 * taker that is away for an hour must not have the other flooded.
 *
 * @param deps.onFailure hears why a taker did not answer
 * @returns a function that answers how many of its events, from the first on, all their takers have;
 * the others are to come again
 */
export function createEventTakers(deps: {
  readonly takers: Readonly<Record<Taker, TakeEvents>>;
  readonly onFailure: (what: string, error: unknown) => void;
}): (tellings: readonly Telling[]) => Promise<number> {
  /** By taker and event, what was taken and is to come again for the other's sake; oldest first. */
  const taken = new Set<string>();

  /** @returns the indices of what this taker still has to take */
  async function hand(taker: Taker, tellings: readonly Telling[]): Promise<number[]> {
    let left: number[] = [];
    for (const [index, { event, takers }] of tellings.entries()) {
      if (takers.includes(taker) && !taken.has(memoryOf(taker, event))) left.push(index);
    }
    for (let attempt = 0; attempt < ATTEMPTS && left.length > 0; attempt++) {
      const asked = left;
      try {
        const events = asked.map((index) => (tellings[index] as Telling).event);
        const refused = await deps.takers[taker](events);
        left = refused.map((position) => asked[position] as number);
      } catch (error) {
        deps.onFailure(`events not taken: ${taker}`, error);
        break;
      }
    }
    return left;
  }

  /** What all have taken will not come again; of the rest, what was taken is not to be given again. */
  function remember(
    tellings: readonly Telling[],
    done: number,
    untaken: ReadonlySet<string>,
  ): void {
    for (const [index, { event, takers }] of tellings.entries()) {
      for (const taker of takers) {
        const memory = memoryOf(taker, event);
        if (index < done) taken.delete(memory);
        else if (!untaken.has(memory)) taken.add(memory);
      }
    }
    for (const oldest of taken) {
      if (taken.size <= MAX_REMEMBERED) break;
      taken.delete(oldest);
    }
  }

  return async (tellings) => {
    const [fromBus, fromCallbacks] = await Promise.all([
      hand("bus", tellings),
      hand("callbacks", tellings),
    ]);
    const done = Math.min(tellings.length, ...fromBus, ...fromCallbacks);
    if (done < tellings.length || taken.size > 0) {
      const memories = (taker: Taker, indices: readonly number[]) =>
        indices.map((index) => memoryOf(taker, (tellings[index] as Telling).event));
      remember(
        tellings,
        done,
        new Set([...memories("bus", fromBus), ...memories("callbacks", fromCallbacks)]),
      );
    }
    return done;
  };
}

const memoryOf = (taker: Taker, { eventId }: TorpedoEvent) => `${taker} ${eventId}`;
