import { applyReceipt, type ReceiptDependencies } from "../core/apply-receipt.ts";
import { type AssembleDependencies, assembleMo, receiveOverdue } from "../core/assemble-mo.ts";
import { type CarrierEvent, InvalidReportError } from "../core/carrier.ts";
import { UnreadableItemError } from "../core/errors.ts";
import type { CarrierListener } from "../core/hear-carriers.ts";
import { receiveMo } from "../core/receive-mo.ts";
import { type CarrierEventsInput, isPublication, type Publication } from "./schema.ts";

/** What carrier-events needs. */
export type CarrierEventDependencies = Omit<AssembleDependencies, "messages"> & {
  readonly messages: AssembleDependencies["messages"] & ReceiptDependencies["messages"];
  readonly listener: Pick<CarrierListener, "receipt" | "operator">;
  /** @throws InvalidReportError */
  readonly readSns: (publication: Publication) => readonly CarrierEvent[];
};

/** Applies what a carrier reported. */
export function createHandler(deps: CarrierEventDependencies) {
  async function apply(event: CarrierEvent, receives: number) {
    if (event.type === "receipt") return applyReceipt(deps, event);
    const { part, from, operator } = event;
    const received = await (part
      ? assembleMo(deps, { ...event, part }, receives)
      : receiveMo(deps, event, receives));
    if (operator) await deps.listener.operator(from, operator);
    return received;
  }

  return async (input: CarrierEventsInput, receives: number) => {
    if (isPublication(input)) {
      const events = readOrGiveUp(deps, input);
      const [event] = events;
      // A publication is one event, or none that changes anything.
      return event ? apply(event, receives) : { kind: "nothing-to-do" };
    }
    return input.type === "mo-parts-due"
      ? receiveOverdue(deps, input, receives)
      : apply(input, receives);
  };
}

/** @throws UnreadableItemError for what no other delivery makes readable */
function readOrGiveUp({ readSns }: CarrierEventDependencies, publication: Publication) {
  try {
    return readSns(publication);
  } catch (error) {
    if (error instanceof InvalidReportError) throw new UnreadableItemError(error.message);
    throw error;
  }
}
