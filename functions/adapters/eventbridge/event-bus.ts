import {
  type EventBridgeClient,
  PutEventsCommand,
  type PutEventsRequestEntry,
} from "@aws-sdk/client-eventbridge";
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
  MESSAGE_STATUSES_CHANGED,
  type MessageStatusChanged,
  type TorpedoEvent,
  timeOfEvent,
} from "../../core/events.ts";
import type { EventBus } from "../../core/ports.ts";
import { slicesWithin } from "../../core/slices.ts";
import { untakenOf } from "../untaken.ts";

/** What PutEvents takes: ten entries, and 256 KiB of them together. */
const REQUEST = { count: 10, size: 250_000 };
/** What an entry counts beside its detail. */
const HEAD_BYTES = 100;

/** Of changes that are told together: 64 KB are one event of the bill, whatever is in them. */
const GROUP = { count: 500, size: 60_000 };

type BusEvent = TorpedoEvent | EndpointDisabled | CarrierChanged;

/** What an event is called, and when it happened. */
function headOf(event: BusEvent) {
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

/** An entry, and which of the events that were given it tells. */
interface IndexedEntry {
  readonly indices: readonly number[];
  readonly entry: PutEventsRequestEntry & { readonly Detail: string };
}

/** An event, and where it stood among those that were given. */
interface Indexed<E> {
  readonly index: number;
  readonly event: E;
}

/** Whether more is to come of the message. */
const isPassing = (it: Indexed<BusEvent>): it is Indexed<MessageStatusChanged> =>
  "final" in it.event && !it.event.final;

/** Changes after which more is to come, those of an account together, in their order. */
function groupsOf(passing: readonly Indexed<MessageStatusChanged>[]) {
  const byAccount = new Map<string, { index: number; text: string; at: string }[]>();
  for (const { index, event } of passing) {
    const others = byAccount.get(event.account) ?? [];
    byAccount.set(event.account, others);
    others.push({ index, text: JSON.stringify(event), at: event.at });
  }
  return [...byAccount].flatMap(([account, changes]) =>
    slicesWithin(changes, GROUP, ({ text }) => Buffer.byteLength(text)).map((slice) => ({
      indices: slice.map(({ index }) => index),
      head: {
        DetailType: MESSAGE_STATUSES_CHANGED,
        Time: new Date(slice.at(-1)?.at ?? 0),
      },
      detail: `{"version":1,"account":${JSON.stringify(account)},"changes":[${slice.map(({ text }) => text).join(",")}]}`,
    })),
  );
}

/** The bus, in EventBridge. */
export function createEventBus(deps: {
  readonly client: EventBridgeClient;
  readonly busName: string;
}): EventBus {
  async function put(slice: readonly IndexedEntry[]): Promise<IndexedEntry[]> {
    const { FailedEntryCount, Entries = [] } = await deps.client.send(
      new PutEventsCommand({ Entries: slice.map(({ entry }) => entry) }),
    );
    return FailedEntryCount ? slice.filter((_, position) => Entries[position]?.ErrorCode) : [];
  }

  return {
    async publish(events) {
      const all: Indexed<BusEvent>[] = events.map((event, index) => ({ index, event }));
      const alone = all.filter((it) => !isPassing(it));
      const entries = [
        ...groupsOf(all.filter(isPassing)),
        ...alone.map(({ index, event }) => ({
          indices: [index],
          head: headOf(event),
          detail: JSON.stringify(event),
        })),
      ].map(({ indices, head, detail }) => ({
        indices,
        entry: { EventBusName: deps.busName, Source: EVENT_SOURCE, ...head, Detail: detail },
      }));
      const slices = slicesWithin(
        entries,
        REQUEST,
        ({ entry }) => HEAD_BYTES + Buffer.byteLength(entry.Detail),
      );
      const refused = await untakenOf(slices, put);
      return refused.flatMap(({ indices }) => indices);
    },
  };
}
