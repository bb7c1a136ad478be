import { applyReceipt, type ReceiptDependencies } from "../core/apply-receipt.ts";
import type { CarrierEvent } from "../core/carrier.ts";
import { type ReceiveDependencies, receiveMo } from "../core/receive-mo.ts";

/** What carrier-events needs. */
export type CarrierEventDependencies = Omit<ReceiveDependencies, "messages"> & {
  readonly messages: ReceiveDependencies["messages"] & ReceiptDependencies["messages"];
};

/** Applies what a carrier reported. */
export function createHandler(deps: CarrierEventDependencies) {
  return async (event: CarrierEvent, receives: number) =>
    event.type === "receipt" ? applyReceipt(deps, event) : receiveMo(deps, event, receives);
}
