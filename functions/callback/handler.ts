import type { DeliveryTurn } from "../core/callback-delivery.ts";
import { deliverEvent, type FanOutDependencies } from "../core/deliver-callbacks.ts";
import { isMessageReceived } from "../core/events.ts";
import type { WebhookResult } from "../core/ports.ts";
import { type ReleaseDependencies, releaseDeliveries } from "../core/release-deliveries.ts";
import { type TurnDependencies, type TurnKind, takeTurn } from "../core/take-turn.ts";
import type { Meter } from "../runtime/telemetry.ts";
import type { CallbackInput } from "./schema.ts";

/** What callback needs. */
export type CallbackDependencies = FanOutDependencies &
  TurnDependencies &
  ReleaseDependencies & { readonly meter: Meter };

/**
 * Has endpoints told of an event, takes a turn of a delivery, or lets deliveries go on.
 * @param receives how often the input has come, this time included
 */
export function createHandler(deps: CallbackDependencies) {
  return async (input: CallbackInput, receives: number) => {
    if ("kind" in input) return { released: await releaseDeliveries(deps, input) };
    if ("turn" in input) return tryDelivery(deps, input, receives > 1);
    const [event, only] = "endpointId" in input ? [input.event, input.endpointId] : [input];
    const begun = await deliverEvent(deps, event, { isRedelivery: receives > 1, only });
    return {
      state: isMessageReceived(event) ? "RECEIVED" : event.state,
      deliveries: begun.length,
    };
  };
}

const METRIC_OF_KIND: Readonly<Partial<Record<TurnKind, string>>> = {
  delivered: "CallbacksDelivered",
  "will-retry": "CallbacksRetried",
  "given-up": "CallbacksGivenUp",
  dropped: "CallbacksDropped",
  deferred: "CallbacksDeferred",
  busy: "CallbacksWithoutSlot",
  held: "CallbacksHeld",
};

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
