import type { CarrierEvent } from "../core/carrier.ts";

/** The trace of the message that a report is about; an MO has none yet. */
export function traceOf(event: CarrierEvent): string | undefined {
  return event.type === "receipt" ? event.ref.traceId : undefined;
}
