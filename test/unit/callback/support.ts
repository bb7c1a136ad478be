import type { Endpoint } from "../../../functions/core/account.ts";
import {
  type Delivery,
  type DeliveryKey,
  type DeliveryTurn,
  deliveryIdOf,
  isSettled,
} from "../../../functions/core/callback-delivery.ts";
import { type FanOutDependencies, turnOf } from "../../../functions/core/deliver-callbacks.ts";
import type { EndpointHealth, EndpointState } from "../../../functions/core/endpoint-health.ts";
import { goodHealth, inState } from "../../../functions/core/endpoint-health.ts";
import { createEndpointLanes } from "../../../functions/core/endpoint-lanes.ts";
import type { EndpointDisabled } from "../../../functions/core/events.ts";
import type { WebhookResult } from "../../../functions/core/ports.ts";
import type { ReleaseDependencies } from "../../../functions/core/release-deliveries.ts";
import {
  type TurnDependencies,
  type TurnOutcome,
  takeTurn,
} from "../../../functions/core/take-turn.ts";
import type { TellDependencies } from "../../../functions/core/tell-together.ts";
import {
  ManualClock,
  MemoryDeadLetters,
  MemoryDirectory,
  MemoryWebhooks,
} from "../../support/memory.ts";
import {
  MemoryCallbackQueue,
  MemoryDeliveries,
  MemoryEndpointHealths,
  MemoryEndpointSlots,
} from "../../support/memory-callbacks.ts";
import { sampleAccount, sampleDelivery, sampleEndpoint } from "../../support/samples.ts";

export const SECOND = 1_000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

/** A request that did not come through. */
export const failed = (cause: string, durationMs = 1): WebhookResult => ({
  kind: "failed",
  cause,
  durationMs,
});

/** A bus that is told of disabled endpoints, and can refuse. */
class DisabledEndpoints {
  readonly events: EndpointDisabled[] = [];
  refuses = false;

  async publish(events: readonly EndpointDisabled[]) {
    if (this.refuses) return events.map((_, index) => index);
    this.events.push(...events);
    return [];
  }
}

/** Deliveries that remember which of them were ever settled. */
class RememberingDeliveries extends MemoryDeliveries {
  readonly #settled = new Set<string>();

  override async insert(delivery: Delivery) {
    const stored = await super.insert(delivery);
    if (isSettled(stored)) this.#settled.add(deliveryIdOf(stored));
    return stored;
  }
  override async record(...args: Parameters<MemoryDeliveries["record"]>) {
    const recorded = await super.record(...args);
    if (recorded && isSettled(recorded)) this.#settled.add(deliveryIdOf(recorded));
    return recorded;
  }
  wasSettled(key: DeliveryKey) {
    return this.#settled.has(deliveryIdOf(key));
  }
}

/** What the callback function works on, in memory, with `sampleEndpoint` of `sampleAccount`. */
export class CallbackWorld {
  /** Of all that is left to chance; 0.5 is a pause to the letter. */
  fraction = 0.5;
  readonly clock = new ManualClock();
  readonly directory = new MemoryDirectory();
  readonly deliveries = new RememberingDeliveries(this.clock);
  readonly healths = new MemoryEndpointHealths();
  readonly slots = new MemoryEndpointSlots(2, this.clock);
  readonly queue = new MemoryCallbackQueue();
  readonly bus = new DisabledEndpoints();
  readonly webhook = new MemoryWebhooks();
  readonly deadLetters = new MemoryDeadLetters();
  readonly deps: FanOutDependencies &
    TellDependencies &
    ReleaseDependencies & { readonly deadLetters: MemoryDeadLetters };

  constructor(endpoint: Partial<Endpoint> = {}) {
    this.directory.accounts.set("acme", sampleAccount());
    this.directory.endpoints.push(sampleEndpoint(endpoint));
    const { clock, directory, deliveries, healths, queue, bus, webhook } = this;
    this.deps = {
      clock,
      directory,
      deliveries,
      healths,
      queue,
      bus,
      webhook,
      lanes: createEndpointLanes({ slots: this.slots, clock }),
      deadLetters: this.deadLetters,
      randomness: { fraction: () => this.fraction },
      format: ({ eventId }, _, { url }, { id }) => ({
        method: "POST",
        url,
        headers: { "webhook-id": id },
        body: eventId,
      }),
      retentionMs: 7 * DAY,
    };
  }

  /** How the endpoint answers from now on. */
  answers(result: WebhookResult, url = sampleEndpoint().url) {
    this.webhook.answers.set(url, result);
  }

  /** Has a delivery stored. @returns its first turn */
  async begin(overrides: Partial<Delivery> = {}): Promise<DeliveryTurn> {
    return turnOf(await this.deliveries.insert(sampleDelivery(this.clock.now(), overrides)));
  }

  take(turn: DeliveryTurn, deps: Partial<TurnDependencies> = {}): Promise<TurnOutcome> {
    return takeTurn({ ...this.deps, ...deps }, turn, false);
  }

  /** Takes a turn whose message comes again, because whoever had it has died. */
  takeAgain(turn: DeliveryTurn): Promise<TurnOutcome> {
    return takeTurn(this.deps, turn, true);
  }

  /** Takes the turn that was put off last, when its time has come. */
  async takeNext(): Promise<TurnOutcome> {
    const next = this.queue.later.at(-1);
    if (!next) throw new Error("nothing was put off");
    this.clock.time = Math.max(this.clock.time, next.notBefore);
    return this.take(next.turn);
  }

  async find(key: DeliveryKey): Promise<Delivery> {
    const found = await this.deliveries.find(key);
    if (!found) throw new Error("there is no such delivery");
    return found;
  }

  health(): Promise<EndpointHealth> {
    return this.healths.find(sampleEndpoint());
  }

  /** Writes the endpoint's health as if it had come about. */
  async setHealth(change: Partial<EndpointHealth>) {
    const read = await this.health();
    await this.healths.update(read, { ...read, ...change, revision: read.revision + 1 });
  }

  /** As its owner does it. */
  async setState(state: EndpointState) {
    const read = await this.health();
    await this.healths.update(read, inState(read, state, this.clock.now()));
  }
}

/** Of an endpoint of which nothing is known but this. */
export const healthOf = (change: Partial<EndpointHealth> = {}): EndpointHealth => ({
  ...goodHealth(sampleEndpoint()),
  ...change,
});
