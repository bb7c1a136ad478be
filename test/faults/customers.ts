import type { WebhookClient, WebhookResult } from "../../functions/core/ports.ts";
import type { FaultPlan } from "./faults.ts";
import type { EndpointOfWorld, Ledger } from "./ledger.ts";
import { Invocation } from "./simulation.ts";

const TIME_LIMIT_MS = 10_000;
const SLOW_MS = 6_000;

/** The customers' servers, each with the trouble that was planned for it. */
export function createCustomers(deps: {
  readonly ledger: Ledger;
  readonly faults: FaultPlan;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
}): WebhookClient {
  const { ledger, faults, startedAt } = deps;

  function answerOf(endpoint: EndpointOfWorld, by: Invocation): WebhookResult {
    const { trouble, troubleFrom, troubleSeconds, luck } = endpoint.plan;
    const { timeline, chance } = by.world;
    const second = (timeline.now - startedAt) / 1_000;
    const isTroubled = troubleFrom <= second && second < troubleFrom + troubleSeconds;
    const status = (code: number, more = {}): WebhookResult => ({
      kind: "answered",
      status: code,
      answer: "",
      durationMs: 20,
      ...more,
    });
    if (!isTroubled || trouble === "none" || chance.happens(luck)) return status(200);
    if (trouble === "time-out") {
      return { kind: "failed", cause: "timeout", durationMs: TIME_LIMIT_MS };
    }
    if (trouble === "slow") return status(200, { durationMs: SLOW_MS });
    return status(Number(trouble), trouble === "429" ? { retryAfter: "120" } : {});
  }

  return {
    async send(request) {
      const invocation = Invocation.current();
      if (!invocation) throw new Error("nobody calls back");
      if (faults.ofEffect("crash-before-call")) return invocation.die();
      const crashes = faults.ofEffect("crash-after-call");
      const endpoint = ledger.endpoints.find(({ url }) => request.url === url);
      if (!endpoint) throw new Error(`there is nobody at ${request.url}`);
      const result = answerOf(endpoint, invocation);
      return invocation.call(() => {
        ledger.posts.push({
          endpoint,
          deliveryId: request.headers["webhook-id"] ?? "",
          body: request.body ?? "",
          at: invocation.world.timeline.now,
          isTaken: result.kind === "answered" && result.status === 200,
        });
        if (crashes) invocation.end({ kind: "crashed" });
        return result;
      }, result.durationMs);
    },
  };
}
