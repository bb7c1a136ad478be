import type { EndpointSlots, Slot } from "./callback-ports.ts";
import type { EndpointKey } from "./endpoint-health.ts";
import type { Clock } from "./ports.ts";

/** A slot outlives the function that has it: nobody else gets it while a request may be under way. */
const SLOT_MS = 90_000;
/** For how long requests are begun under one slot; those behind them then wait elsewhere. */
const LANE_MS = 12_000;

/** The requests under one slot for several. */
const WIDE = 5;
/** Of the requests that may be under way, as large a part is left for slots for one. */
const NARROW_PART = 0.5;

/**
 * The slots by which no more requests are under way to an endpoint than may be: for each, how many
 * it is for. Who has much to tell needs one for several, and few of them; of those who have a single
 * thing to tell there may be many at the same time, in as many functions.
 *
 * @param atOnce how many requests may be under way
 */
export function slotWidths(atOnce: number): number[] {
  const wide = Math.floor((atOnce * (1 - NARROW_PART)) / WIDE);
  return [...Array(atOnce - wide * WIDE).fill(1), ...Array(wide).fill(WIDE)];
}

/** Has what is said to one endpoint said a few things at a time, under one slot of the endpoint's. */
export interface EndpointLanes {
  /**
   * @param work told whether there is time for another request
   * @returns undefined, without having begun with the work, where the endpoint is busy
   */
  inTurn<T>(
    endpoint: EndpointKey,
    work: (isOpen: () => boolean) => Promise<T>,
  ): Promise<T | undefined>;
}

interface Lane {
  readonly slot: Promise<Slot | undefined>;
  readonly openedAt: number;
  users: number;
  underWay: number;
  /** Those whose turn comes next, first come first. */
  readonly waiting: (() => void)[];
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
    const acquire = async () => {
      // Until all have come that come at the same time.
      await undefined;
      return slots.acquire(endpoint, openedAt + SLOT_MS, lane.users > 1);
    };
    const lane: Lane = { slot: acquire(), openedAt, users: 0, underWay: 0, waiting: [] };
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
      const isOpen = () => clock.now() - lane.openedAt < LANE_MS;
      lane.users++;
      try {
        const slot = await lane.slot;
        if (!slot) return undefined;
        await enter(lane, slot);
        try {
          return isOpen() ? await work(isOpen) : undefined;
        } finally {
          makeRoom(lane);
        }
      } finally {
        await leave(lane, key);
      }
    },
  };
}

async function enter(lane: Lane, { width }: Slot): Promise<void> {
  if (lane.underWay < width) lane.underWay++;
  else await new Promise<void>((resolve) => lane.waiting.push(resolve));
}

/** Who waits gets the place that becomes free, before anybody else can. */
function makeRoom(lane: Lane): void {
  const next = lane.waiting.shift();
  if (next) next();
  else lane.underWay--;
}
