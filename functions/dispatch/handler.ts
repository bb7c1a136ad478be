import {
  type DispatchDependencies,
  dispatchMessage,
  recordHandOver,
} from "../core/dispatch-message.ts";
import type { DispatchInput } from "./schema.ts";

/** Hands a message over, or writes down what became of one that was. */
export function createHandler(deps: DispatchDependencies) {
  return (input: DispatchInput) =>
    "outcome" in input ? recordHandOver(deps, input) : dispatchMessage(deps, input);
}
