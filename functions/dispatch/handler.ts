import { type DispatchDependencies, dispatchMessage } from "../core/dispatch-message.ts";
import type { MessageRef } from "../core/message.ts";

/** Hands over the message that a queue's message refers to. */
export function createHandler(deps: DispatchDependencies) {
  return (ref: MessageRef) => dispatchMessage(deps, ref);
}
