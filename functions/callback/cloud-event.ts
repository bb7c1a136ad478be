import { isMessageReceived, type TorpedoEvent, timeOfEvent } from "../core/events.ts";

/**
 * An event as CloudEvents 1.0 writes it in one JSON document (CloudEvents JSON Event Format,
 * section 3): its `data` is what the bus carries.
 */
export function cloudEvent(event: TorpedoEvent) {
  return {
    specversion: "1.0",
    id: event.eventId,
    source: `/torpedo/accounts/${encodeURIComponent(event.account)}`,
    type: isMessageReceived(event) ? "torpedo.message.received" : "torpedo.message.status-changed",
    subject: isMessageReceived(event) ? String(event.moId) : event.id,
    time: timeOfEvent(event),
    datacontenttype: "application/json",
    data: event,
  };
}
