import {
  type CallbackAttempt,
  type CallbackDependencies,
  deliverEvent,
  retryDelivery,
} from "../core/deliver-callbacks.ts";
import { isMessageReceived } from "../core/events.ts";
import type { Meter } from "../runtime/telemetry.ts";
import type { CallbackInput } from "./schema.ts";

/** Delivers an event to the account's endpoints, or goes on with a delivery that failed. */
export function createHandler(deps: CallbackDependencies & { readonly meter: Meter }) {
  return async (input: CallbackInput) => {
    const [event, attempts] =
      "endpointId" in input
        ? [input.event, await retryDelivery(deps, input)]
        : [input, await deliverEvent(deps, input)];
    for (const attempt of attempts) measure(deps.meter, attempt);
    return {
      state: isMessageReceived(event) ? "RECEIVED" : event.state,
      attempts: attempts.map(({ endpointId, attempt, outcome, result }) => ({
        endpointId,
        attempt,
        outcome,
        ...result,
      })),
    };
  };
}

const METRIC_OF_OUTCOME = {
  delivered: "CallbacksDelivered",
  "will-retry": "CallbacksRetried",
  "given-up": "CallbacksGivenUp",
} as const satisfies Record<CallbackAttempt["outcome"], string>;

function measure(meter: Meter, { outcome, result, sinceChangeMs }: CallbackAttempt): void {
  meter.count("CallbackAttempts");
  meter.count(METRIC_OF_OUTCOME[outcome]);
  meter.time("CallbackDuration", result.durationMs);
  if (outcome === "delivered") meter.time("ChangeToCallback", Math.max(0, sinceChangeMs));
}
