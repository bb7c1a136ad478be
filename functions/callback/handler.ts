import type { DeliveryTurn, EndpointGroup, EventGroup } from "../core/callback-delivery.ts";
import {
  deliverEvent,
  deliverTogether,
  type FanOutDependencies,
} from "../core/deliver-callbacks.ts";
import { isMessageReceived, type TorpedoEvent } from "../core/events.ts";
import type { DeadLetters, WebhookResult } from "../core/ports.ts";
import { type ReleaseDependencies, releaseDeliveries } from "../core/release-deliveries.ts";
import { type TurnKind, takeTurn } from "../core/take-turn.ts";
import {
  type TellDependencies,
  type Told,
  type ToldKind,
  tellTogether,
} from "../core/tell-together.ts";
import type { Meter } from "../runtime/telemetry.ts";
import { type CallbackInput, readEvents, type UnreadableEvent } from "./schema.ts";

/** What callback needs. */
export type CallbackDependencies = FanOutDependencies &
  TellDependencies &
  ReleaseDependencies & {
    /** For events of a group that cannot be read. */
    readonly deadLetters: DeadLetters;
    readonly meter: Meter;
  };

/**
 * Has endpoints told of events, tells one of them, takes a turn of a delivery, or lets deliveries go
 * on.
 * @param receives how often the input has come, this time included
 */
export function createHandler(deps: CallbackDependencies) {
  return async (input: CallbackInput, receives: number) => {
    const isRedelivery = receives > 1;
    if ("events" in input) {
      return "endpointId" in input
        ? tellEndpoint(deps, input, isRedelivery)
        : fanOut(deps, input, isRedelivery);
    }
    if ("kind" in input) return { released: await releaseDeliveries(deps, input) };
    if ("turn" in input) return tryDelivery(deps, input, isRedelivery);
    const [event, only] = "endpointId" in input ? [input.event, input.endpointId] : [input];
    const begun = await deliverEvent(deps, event, { isRedelivery, only });
    return {
      state: isMessageReceived(event) ? "RECEIVED" : event.state,
      deliveries: begun.length,
    };
  };
}

async function fanOut(deps: CallbackDependencies, group: EventGroup, isRedelivery: boolean) {
  const { events, unreadable } = readEvents(group.events);
  await setAside(deps, unreadable);
  const ofAccounts = new Map<string, TorpedoEvent[]>();
  for (const event of events) {
    const others = ofAccounts.get(event.account);
    if (others) others.push(event);
    else ofAccounts.set(event.account, [event]);
  }
  let tellings = 0;
  for (const [account, ofAccount] of ofAccounts) {
    const groups = await deliverTogether(deps, account, ofAccount, isRedelivery);
    for (const { events: wanted } of groups) tellings += wanted.length;
  }
  return { events: group.events.length, tellings };
}

/** Those that can be read are told all the same. */
async function setAside(
  { deadLetters }: Pick<CallbackDependencies, "deadLetters">,
  unreadable: readonly UnreadableEvent[],
  endpointId?: string,
): Promise<void> {
  for (const { value, cause } of unreadable) {
    await deadLetters.put(endpointId === undefined ? value : { event: value, endpointId }, cause);
  }
}

const METRIC_OF_KIND: Readonly<Partial<Record<TurnKind | ToldKind, string>>> = {
  delivered: "CallbacksDelivered",
  "will-retry": "CallbacksRetried",
  "given-up": "CallbacksGivenUp",
  unwritable: "CallbacksGivenUp",
  dropped: "CallbacksDropped",
  deferred: "CallbacksDeferred",
  busy: "CallbacksWithoutSlot",
  held: "CallbacksHeld",
};

/** What is worth a look in the log, by message. */
const NOT_RIGHT: readonly ToldKind[] = ["will-retry", "given-up", "unwritable"];

async function tellEndpoint(
  deps: CallbackDependencies,
  group: EndpointGroup,
  isRedelivery: boolean,
) {
  const { account, endpointId } = group;
  const { events, unreadable } = readEvents(group.events, account);
  await setAside(deps, unreadable, endpointId);
  const told = await tellTogether(deps, group, events, isRedelivery);
  const kinds: Partial<Record<ToldKind, number>> = {};
  for (const { kind } of told) kinds[kind] = (kinds[kind] ?? 0) + 1;
  measureTold(deps.meter, told, kinds);
  const wrong = told.filter(({ kind }) => NOT_RIGHT.includes(kind));
  return {
    told: kinds,
    ...(kinds.delivered !== told.length && { endpointId }),
    ...(wrong.length > 0 && {
      wrong: wrong.map(({ key, kind, made }) => ({
        traceId: key.subject,
        level: key.level,
        kind,
        ...(made && logged(made.result)),
      })),
    }),
  };
}

function measureTold(
  meter: Meter,
  told: readonly Told[],
  kinds: Readonly<Partial<Record<ToldKind, number>>>,
): void {
  for (const [kind, count] of Object.entries(kinds)) {
    const metric = METRIC_OF_KIND[kind as ToldKind];
    if (metric) meter.count(metric, count);
  }
  const disabled = told.filter((one) => one.disabled).length;
  if (disabled > 0) meter.count("EndpointsDisabled", disabled);
  const attempts = told.flatMap(({ kind, made }) => (made ? [{ kind, ...made }] : []));
  if (attempts.length > 0) meter.count("CallbackAttempts", attempts.length);
  for (const { kind, result, sinceChangeMs } of attempts) {
    meter.time("CallbackDuration", result.durationMs);
    if (kind === "delivered") meter.time("ChangeToCallback", Math.max(0, sinceChangeMs));
  }
}

async function tryDelivery(deps: CallbackDependencies, turn: DeliveryTurn, isRedelivery: boolean) {
  const { kind, result, sinceChangeMs, disabled } = await takeTurn(deps, turn, isRedelivery);
  const { meter } = deps;
  const metric = METRIC_OF_KIND[kind];
  if (metric) meter.count(metric);
  if (disabled) meter.count("EndpointsDisabled");
  if (result) {
    meter.count("CallbackAttempts");
    meter.time("CallbackDuration", result.durationMs);
  }
  if (kind === "delivered" && sinceChangeMs !== undefined) {
    meter.time("ChangeToCallback", Math.max(0, sinceChangeMs));
  }
  return {
    endpointId: turn.endpointId,
    level: turn.level,
    turn: turn.turn,
    kind,
    ...(result && logged(result)),
  };
}

/** Not what the endpoint wrote, which can be anything. */
function logged(result: WebhookResult) {
  const { durationMs } = result;
  return result.kind === "answered"
    ? { durationMs, status: result.status }
    : { durationMs, cause: result.cause };
}
