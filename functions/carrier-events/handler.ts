import { applyCarrierEvent } from "../core/apply-carrier-event.ts";
import type { CarrierEvent } from "../core/carrier.ts";
import type { Clock, MessageStore } from "../core/ports.ts";

/** Applies what a carrier reported. */
export function createHandler(deps: {
  readonly messages: Pick<MessageStore, "find" | "change">;
  readonly clock: Clock;
}) {
  return (event: CarrierEvent) => applyCarrierEvent(deps, event);
}
