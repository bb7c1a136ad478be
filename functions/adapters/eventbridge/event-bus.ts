import { type EventBridgeClient, PutEventsCommand } from "@aws-sdk/client-eventbridge";
import {
  CARRIER_DEMOTED,
  CARRIER_RESTORED,
  type CarrierChanged,
  ENDPOINT_DISABLED,
  type EndpointDisabled,
  EVENT_SOURCE,
  isMessageReceived,
  MESSAGE_RECEIVED,
  MESSAGE_STATUS_CHANGED,
  type TorpedoEvent,
  timeOfEvent,
} from "../../core/events.ts";
import type { EventBus } from "../../core/ports.ts";

/** The most entries that PutEvents takes. */
const MAX_ENTRIES = 10;

/** What an event is called, and when it happened. */
function headOf(event: TorpedoEvent | EndpointDisabled | CarrierChanged) {
  if ("endpointId" in event) return { DetailType: ENDPOINT_DISABLED, Time: new Date(event.at) };
  if ("change" in event) {
    const isDemoted = event.change === "demoted";
    return {
      DetailType: isDemoted ? CARRIER_DEMOTED : CARRIER_RESTORED,
      Time: new Date(event.at),
    };
  }
  return {
    DetailType: isMessageReceived(event) ? MESSAGE_RECEIVED : MESSAGE_STATUS_CHANGED,
    Time: new Date(timeOfEvent(event)),
  };
}

/** The bus, in EventBridge. */
export function createEventBus(deps: {
  readonly client: EventBridgeClient;
  readonly busName: string;
}): EventBus {
  return {
    async publish(events) {
      const refused: number[] = [];
      for (let start = 0; start < events.length; start += MAX_ENTRIES) {
        const { FailedEntryCount, Entries } = await deps.client.send(
          new PutEventsCommand({
            Entries: events.slice(start, start + MAX_ENTRIES).map((event) => ({
              EventBusName: deps.busName,
              Source: EVENT_SOURCE,
              ...headOf(event),
              Detail: JSON.stringify(event),
            })),
          }),
        );
        if (!FailedEntryCount) continue;
        Entries?.forEach((entry, index) => {
          if (entry.ErrorCode) refused.push(start + index);
        });
      }
      return refused;
    },
  };
}
