import type { Endpoint, EndpointEvent } from "./account.ts";
import {
  type Delivery,
  type DeliveryKey,
  type EndpointGroup,
  keyOfDelivery,
  MOST_TOLD_TOGETHER,
  subjectOf,
} from "./callback-delivery.ts";
import type { CallbackQueue, Deliveries } from "./callback-ports.ts";
import { codesOf } from "./codes.ts";
import { isMessageReceived, type MessageStatusChanged, type TorpedoEvent } from "./events.ts";
import { isFinal, type State } from "./lifecycle.ts";
import type { Clock, Directory } from "./ports.ts";
import { CALLBACK_GIVE_UP_AFTER_MS } from "./retry-schedule.ts";
import { slicesOf } from "./slices.ts";

/** What having endpoints told of events needs. `retentionMs` is for how long it is known what they were told. */
export interface FanOutDependencies {
  readonly directory: Pick<Directory, "listEndpoints">;
  readonly deliveries: Pick<Deliveries, "insert" | "find">;
  readonly queue: Pick<CallbackQueue, "enqueue" | "enqueueGroups">;
  readonly clock: Clock;
  readonly retentionMs: number;
}

/** The level of status a state belongs to; undefined for those that are never called back. */
const LEVEL_OF_STATE: Readonly<Record<State, "sent" | "delivered" | undefined>> = {
  SCHEDULED: undefined,
  QUEUED: undefined,
  SENDING: undefined,
  SENT: "sent",
  CANCELED: "sent",
  BLOCKED: "sent",
  EXPIRED: "sent",
  FAILED: "sent",
  DELIVERED: "delivered",
  NOT_DELIVERED: "delivered",
};

/**
 * Whether an endpoint is told of an event: never of another sub-account's than its own. For a
 * status, what the request asked for decides, else the endpoint's own option.
 */
export function isWanted(endpoint: Endpoint, event: TorpedoEvent): boolean {
  if (endpoint.subAccount !== undefined && endpoint.subAccount !== event.subAccount) return false;
  return isMessageReceived(event)
    ? listensTo(endpoint, "received")
    : isStatusWanted(endpoint, event);
}

const listensTo = ({ events }: Endpoint, event: EndpointEvent) =>
  events.includes(event) || events.includes("any");

function isStatusWanted(endpoint: Endpoint, event: MessageStatusChanged): boolean {
  const level = LEVEL_OF_STATE[event.state];
  if (!level || !listensTo(endpoint, level) || !hasCode(endpoint, event)) return false;
  const option = optionOf(endpoint, event);
  return option === "ALL" || (option === "FINAL" && event.final);
}

/** Which statuses of its message an endpoint is told. */
const optionOf = (endpoint: Endpoint, event: MessageStatusChanged) =>
  event.callbackOption ?? endpoint.callbackOption;

/** Whether the words that an endpoint is told in can say a status: Wavy's have no code for a message that was canceled. */
const hasCode = ({ format }: Endpoint, { dialect, codes }: MessageStatusChanged) =>
  (format === "dialect" ? dialect : format) !== "wavy" || codes.wavy.sent !== undefined;

/** The level of what an endpoint is told by an event; undefined for those of which nobody is told. */
export const levelOf = (event: TorpedoEvent): DeliveryKey["level"] | undefined =>
  isMessageReceived(event) ? "received" : LEVEL_OF_STATE[event.state];

/**
 * That a message was sent, as the event said it that came before one of its receipt. The bus keeps
 * no order, and may never bring it.
 */
export function sentBefore(event: TorpedoEvent): MessageStatusChanged | undefined {
  if (isMessageReceived(event) || event.sentAt === undefined) return undefined;
  if (LEVEL_OF_STATE[event.state] !== "delivered") return undefined;
  const { reason: _, previousReason: reason, ...same } = event;
  return {
    ...same,
    ...(reason && { reason }),
    eventId: `${event.traceId}.SENT.${Date.parse(event.sentAt)}`,
    state: "SENT",
    previousState: "SENDING",
    final: isFinal("SENT", reason),
    at: event.sentAt,
    codes: codesOf("SENT", reason),
  };
}

/**
 * Has every endpoint of the account that wants to know told of an event: each gets a delivery of
 * its own, once however often the event comes.
 *
 * @param how.isRedelivery whether the event was here before, perhaps to be left half-done
 * @param how.only the endpoint that alone is to be told; all that want to know where not given
 * @returns the deliveries that were put on their way
 * @throws whatever the directory, the store or the queue throws; the event is then to come again
 */
export async function deliverEvent(
  deps: FanOutDependencies,
  event: TorpedoEvent,
  { isRedelivery, only }: { readonly isRedelivery: boolean; readonly only?: string | undefined },
): Promise<Delivery[]> {
  if (!isMessageReceived(event) && event.callbackOption === "NONE") return [];
  const endpoints = await deps.directory.listEndpoints(event.account);
  const before = sentBefore(event);
  const begun = await Promise.all(
    endpoints
      .filter(({ endpointId }) => only === undefined || endpointId === only)
      .filter((endpoint) => isWanted(endpoint, event))
      .flatMap((endpoint) => [
        ...(before && isWanted(endpoint, before)
          ? [begin(deps, endpoint, before, { isRedelivery, isLate: true })]
          : []),
        begin(deps, endpoint, event, { isRedelivery, isLate: false }),
      ]),
  );
  const deliveries = begun.filter((delivery) => delivery !== undefined);
  if (deliveries.length > 0) await deps.queue.enqueue(deliveries.map(turnOf));
  return deliveries;
}

/**
 * Has every endpoint of an account that wants to know told of some of its events together. Nothing
 * is stored yet: what is put into the queue is what is durable.
 *
 * @param events of one account
 * @param isRedelivery whether the events were here before, and endpoints may have been told of them
 * @returns what was put into the queue
 * @throws whatever the directory or the queue throws; the events are then to come again
 */
export async function deliverTogether(
  deps: Pick<FanOutDependencies, "directory" | "queue" | "clock">,
  account: string,
  events: readonly TorpedoEvent[],
  isRedelivery: boolean,
): Promise<EndpointGroup[]> {
  const endpoints = await deps.directory.listEndpoints(account);
  const since = deps.clock.now();
  const groups = endpoints.flatMap((endpoint) => {
    const { endpointId } = endpoint;
    const wanted = bySubject(events.filter((event) => isWanted(endpoint, event)));
    return evenSlicesOf(wanted, MOST_TOLD_TOGETHER).map(
      (slice): EndpointGroup => ({
        account,
        endpointId,
        events: slice,
        since,
        ...(isRedelivery && { again: true }),
      }),
    );
  });
  if (groups.length > 0) await deps.queue.enqueueGroups(groups);
  return groups;
}

/** Events with those of one message beside each other, so that they are told by the same function. */
function bySubject(events: readonly TorpedoEvent[]): TorpedoEvent[] {
  const subjects = new Map<string, TorpedoEvent[]>();
  for (const event of events) {
    const subject = subjectOf(event);
    const others = subjects.get(subject);
    if (others) others.push(event);
    else subjects.set(subject, [event]);
  }
  return [...subjects.values()].flat();
}

/** As few slices as can be, which are about as long as each other. */
function evenSlicesOf<T>(items: readonly T[], most: number): T[][] {
  const slices = Math.ceil(items.length / most);
  return slices === 0 ? [] : slicesOf(items, Math.ceil(items.length / slices));
}

/** After so long, whoever stored a delivery and did not put it on its way is not going to. */
const ABANDONED_AFTER_MS = 60_000;

/** Whether nobody else puts a delivery on its way that was stored before. */
export function isAbandoned(
  { state, turn, createdAt }: Pick<Delivery, "state" | "turn" | "createdAt">,
  isRedelivery: boolean,
  now: number,
): boolean {
  if (state !== "pending" || turn !== 0) return false;
  return isRedelivery || createdAt <= now - ABANDONED_AFTER_MS;
}

/**
 * Stores a delivery, if there is none yet.
 * @param how.isLate whether there is one as a rule
 * @returns the delivery, where nobody else puts it on its way
 */
async function begin(
  deps: FanOutDependencies,
  endpoint: Endpoint,
  event: TorpedoEvent,
  { isRedelivery, isLate }: { readonly isRedelivery: boolean; readonly isLate: boolean },
): Promise<Delivery | undefined> {
  const delivery = deliveryOf(deps, endpoint, event);
  const existing = isLate ? await deps.deliveries.find(delivery) : undefined;
  const stored = existing ?? (await deps.deliveries.insert(delivery));
  if (stored === delivery) return stored;
  return isAbandoned(stored, isRedelivery, deps.clock.now()) ? stored : undefined;
}

function deliveryOf(
  { clock, retentionMs }: Pick<FanOutDependencies, "clock" | "retentionMs">,
  { account, endpointId }: Endpoint,
  event: TorpedoEvent,
): Delivery {
  const level = levelOf(event);
  if (!level) throw new Error("nobody is told of this event");
  return newDelivery({ account, endpointId, subject: subjectOf(event), level }, event, {
    now: clock.now(),
    retentionMs,
  });
}

/** A delivery before its first turn. Times are milliseconds since the epoch. */
export function newDelivery(
  key: DeliveryKey,
  event: TorpedoEvent,
  { now, retentionMs }: { readonly now: number; readonly retentionMs: number },
): Delivery {
  return {
    version: 1,
    ...key,
    event,
    state: "pending",
    turn: 0,
    step: 0,
    attempts: [],
    createdAt: now,
    deadline: now + CALLBACK_GIVE_UP_AFTER_MS,
    removeAt: Math.ceil((now + retentionMs) / 1_000),
  };
}

/** What makes a delivery go on from the beginning of its schedule of retries. */
export function begunAnew(
  { removeAt }: Delivery,
  { now, retentionMs }: { readonly now: number; readonly retentionMs: number },
) {
  return {
    state: "pending",
    cause: undefined,
    step: 0,
    deadline: now + CALLBACK_GIVE_UP_AFTER_MS,
    settledAt: undefined,
    removeAt: Math.max(removeAt, Math.ceil((now + retentionMs) / 1_000)),
  } as const;
}

/** The turn of a delivery that is next. */
export function turnOf(delivery: Delivery) {
  return { ...keyOfDelivery(delivery), turn: delivery.turn };
}
