import { type CarrierChange, carrierChanged } from "./events.ts";
import type { EventBus } from "./ports.ts";

/** Counts what happens, by name. */
interface Counts {
  count(name: string): void;
}

/**
 * Tells the bus of a carrier that was demoted or came back, and counts it.
 * @returns a function that throws where the bus did not take it
 */
export function tellOfCarriers(deps: {
  readonly bus: EventBus;
  readonly meter: Counts;
}): (change: CarrierChange) => Promise<void> {
  return async (change) => {
    const [refused] = await deps.bus.publish([carrierChanged(change)]);
    if (refused !== undefined) throw new Error("the bus did not take a carrier's event");
    deps.meter.count(change.change === "demoted" ? "CarrierDemoted" : "CarrierRestored");
  };
}
