import type { EndpointSlots, Slot } from "./callback-ports.ts";
import type { EndpointKey } from "./endpoint-health.ts";
import type { Clock } from "./ports.ts";

/** A slot outlives the function that has it: nobody else gets it while a request may be under way. */
const SLOT_MS = 90_000;
/** For how long requests are begun under one slot; those behind them then wait elsewhere. */
const LANE_MS = 12_000;

/** Has what is said to one endpoint said one after the other, under one slot of the endpoint's. */
export interface EndpointLanes {
  /** @returns undefined, without having begun with the work, where the endpoint is busy */
  inTurn<T>(endpoint: EndpointKey, work: () => Promise<T>): Promise<T | undefined>;
}

interface Lane {
  readonly slot: Promise<Slot | undefined>;
  readonly openedAt: number;
  users: number;
  tail: Promise<unknown>;
}

/**
 * The lanes of one function. One that works on many deliveries to an endpoint takes a single slot
 * for all of them, which costs two writes however many they are.
 */
export function createEndpointLanes(deps: {
  readonly slots: EndpointSlots;
  readonly clock: Clock;
}): EndpointLanes {
  const { slots, clock } = deps;
  const lanes = new Map<string, Lane>();

  function open(endpoint: EndpointKey, key: string): Lane {
    const openedAt = clock.now();
    const slot = slots.acquire(endpoint, openedAt + SLOT_MS);
    const lane: Lane = { slot, openedAt, users: 0, tail: slot.catch(() => undefined) };
    lanes.set(key, lane);
    return lane;
  }

  async function leave(lane: Lane, key: string): Promise<void> {
    if (--lane.users > 0) return;
    lanes.delete(key);
    const slot = await lane.slot.catch(() => undefined);
    // One that cannot be given back runs out by itself.
    if (slot) await slots.release(slot).catch(() => undefined);
  }

  return {
    async inTurn(endpoint, work) {
      const key = `${endpoint.account}#${endpoint.endpointId}`;
      const lane = lanes.get(key) ?? open(endpoint, key);
      lane.users++;
      const done = lane.tail.then(async () => {
        const isOpen = (await lane.slot) && clock.now() - lane.openedAt < LANE_MS;
        return isOpen ? work() : undefined;
      });
      lane.tail = done.catch(() => undefined);
      try {
        return await done;
      } finally {
        await leave(lane, key);
      }
    },
  };
}
