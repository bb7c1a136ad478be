import type { EndpointDisabled } from "../core/events.ts";
import { type NoticeDependencies, notifyOwner } from "../core/notify-owner.ts";

/** Writes to the owner of an endpoint that was disabled. */
export function createHandler(deps: NoticeDependencies) {
  return async (event: EndpointDisabled) => ({
    eventId: event.eventId,
    ...(await notifyOwner(deps, event)),
  });
}
