import { createHandler } from "../../../functions/callback/handler.ts";
import type { CallbackInput } from "../../../functions/callback/schema.ts";
import type { DeliveryTurn, ReleaseJob } from "../../../functions/core/callback-delivery.ts";
import type {
  CallbackQueue,
  EndpointHealths,
  EndpointSlots,
} from "../../../functions/core/callback-ports.ts";
import { createEndpointLanes } from "../../../functions/core/endpoint-lanes.ts";
import { messageStatusChanged } from "../../../functions/core/events.ts";
import type { Clock, WebhookClient, WebhookResult } from "../../../functions/core/ports.ts";
import { answered, MemoryDirectory } from "../../support/memory.ts";
import {
  MemoryDeliveries,
  MemoryEndpointHealths,
  MemoryEndpointSlots,
} from "../../support/memory-callbacks.ts";
import { sampleAccount, sampleEndpoint, sampleMessage } from "../../support/samples.ts";
import { DAY, MINUTE, SECOND } from "./support.ts";

/** What a call to a table or queue takes, and what a message takes from its queue to a function. */
const STORE_MS = 5;
const POLL_MS = 20;
const BATCH = 10;
/** Until a message comes again that failed. */
const VISIBILITY_MS = 2 * MINUTE;

/** Time that passes as fast as it is computed: from one thing that is waited for to the next. */
class VirtualTime implements Clock {
  #now = Date.parse("2026-03-02T15:00:00Z");
  readonly #waiting = new Map<number, (() => void)[]>();
  /** The times at which something is waited for, as a binary heap. */
  readonly #times: number[] = [];

  now() {
    return this.#now;
  }

  sleep(ms: number): Promise<void> {
    const at = this.#now + Math.max(0, Math.ceil(ms));
    return new Promise((resolve) => {
      const others = this.#waiting.get(at);
      if (others) others.push(resolve);
      else {
        this.#waiting.set(at, [resolve]);
        this.#push(at);
      }
    });
  }

  /** Lets time pass until then, or until nothing is waited for. */
  async run(until: number): Promise<void> {
    for (;;) {
      // Everything that waits for no time has happened when the event loop turns.
      await new Promise((resolve) => setImmediate(resolve));
      const next = this.#times[0];
      if (next === undefined || next > until) return;
      this.#pop();
      this.#now = next;
      const resolves = this.#waiting.get(next) ?? [];
      this.#waiting.delete(next);
      for (const resolve of resolves) resolve();
    }
  }

  #at = (index: number) => this.#times[index] ?? Number.POSITIVE_INFINITY;

  #swap(one: number, other: number) {
    const kept = this.#at(one);
    this.#times[one] = this.#at(other);
    this.#times[other] = kept;
  }

  #push(time: number) {
    let index = this.#times.push(time) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (this.#at(parent) <= this.#at(index)) return;
      this.#swap(index, parent);
      index = parent;
    }
  }

  #pop() {
    const last = this.#times.pop();
    if (last === undefined || this.#times.length === 0) return;
    this.#times[0] = last;
    let index = 0;
    for (;;) {
      const [left, right] = [2 * index + 1, 2 * index + 2];
      const least = this.#at(left) <= this.#at(right) ? left : right;
      if (this.#at(index) <= this.#at(least)) return;
      this.#swap(index, least);
      index = least;
    }
  }
}

/** A port whose calls take a while before they have their effect. */
function slowed<Port extends object>(port: Port, time: VirtualTime): Port {
  return new Proxy(port, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== "function") return value;
      return async (...args: unknown[]) => {
        await time.sleep(STORE_MS);
        return value.apply(target, args);
      };
    },
  });
}

type Handle = (input: CallbackInput, receives: number) => Promise<unknown>;

/** A queue and its functions, each of which works on one batch at a time. */
class SimulatedQueue {
  readonly #visible: { input: CallbackInput; receives: number }[] = [];
  readonly #idle: Handle[];
  #isPolled = false;

  constructor(
    private readonly time: VirtualTime,
    functions: readonly Handle[],
  ) {
    this.#idle = [...functions];
  }

  put(input: CallbackInput, delayMs = 0, receives = 1) {
    void this.time.sleep(delayMs).then(() => {
      this.#visible.push({ input, receives });
      return this.#poll();
    });
  }

  async #poll() {
    if (this.#isPolled) return;
    this.#isPolled = true;
    await this.time.sleep(POLL_MS);
    this.#isPolled = false;
    this.#begin();
  }

  #begin() {
    while (this.#visible.length > 0) {
      const handle = this.#idle.shift();
      if (!handle) return;
      void this.#work(handle);
    }
  }

  async #work(handle: Handle) {
    const batch = this.#visible.splice(0, BATCH);
    await Promise.all(
      batch.map(({ input, receives }) =>
        handle(input, receives).catch(() => this.put(input, VISIBILITY_MS, receives + 1)),
      ),
    );
    this.#idle.push(handle);
    this.#begin();
  }
}

/** How an endpoint answers, by the time since the beginning in milliseconds. */
export type Behaviour = (elapsed: number) => WebhookResult;

export const good: Behaviour = () => ({ ...answered(200), durationMs: 100 });
export const hanging: Behaviour = () => ({ kind: "failed", cause: "timeout", durationMs: 10_000 });
export const dead: Behaviour = () => ({ kind: "failed", cause: "ECONNREFUSED", durationMs: 1 });

/** What can be left out, to see what it is good for: the bound on functions that talk to one endpoint, the circuit, the way of slow ones. */
export type Without = "slots" | "circuit" | "aside";

/** What is simulated. */
interface Simulation {
  /** By name, the endpoints; each is a customer's of its own. */
  readonly endpoints: Readonly<Record<string, Behaviour>>;
  /** Functions that may run at once for each queue. */
  readonly concurrency: number;
  /** Requests to one endpoint. */
  readonly atOnce: number;
  readonly messagesPerMinute: number;
  readonly campaignMs: number;
  /** When it ends, from its beginning. */
  readonly untilMs: number;
  readonly without?: Without;
}

/** What became of an endpoint. */
export interface Fared {
  /** Of each message that was taken, from its change to the answer; milliseconds, ascending. */
  readonly delays: number[];
  /** When messages were taken, from the beginning. */
  readonly takenAt: number[];
  requests: number;
  inFlight: number;
  mostInFlight: number;
}

/** Numbers in [0, 1) that are the same in every run (mulberry32). */
function createFraction(): () => number {
  let state = 5;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** What is known of endpoints, but for what is left out. */
function healthsWithout(without: Without | undefined): EndpointHealths {
  const healths = new MemoryEndpointHealths();
  const update: EndpointHealths["update"] = async (read, changed) => {
    if (without === "circuit") return true;
    if (without !== "aside") return healths.update(read, changed);
    const { slowUntil: _, ...others } = changed;
    return healths.update(read, others);
  };
  return {
    find: healths.find.bind(healths),
    update,
    remove: healths.remove.bind(healths),
  };
}

/** Slots without end. */
const unlimited: EndpointSlots = {
  acquire: async ({ account, endpointId }, until, isForMany) => ({
    account,
    endpointId,
    slot: 0,
    width: isForMany ? 5 : 1,
    until,
  }),
  release: async () => {},
};

/**
 * Runs a campaign to each of some endpoints, through the callback function as it is, on a clock of
 * its own: queues with the concurrency of their event sources, and tables, in memory.
 */
export async function simulate(simulation: Simulation): Promise<ReadonlyMap<string, Fared>> {
  const time = new VirtualTime();
  const startedAt = time.now();
  const directory = new MemoryDirectory();
  const fared = new Map<string, Fared>();
  for (const name of Object.keys(simulation.endpoints)) {
    directory.accounts.set(name, sampleAccount({ account: name }));
    directory.endpoints.push(
      sampleEndpoint({ account: name, endpointId: name, url: `https://${name}.example/` }),
    );
    fared.set(name, { delays: [], takenAt: [], requests: 0, inFlight: 0, mostInFlight: 0 });
  }

  const webhook: WebhookClient = {
    async send({ headers, body = "" }) {
      const name = headers["x-account"] ?? "";
      const of = fared.get(name) as Fared;
      of.requests++;
      of.mostInFlight = Math.max(of.mostInFlight, ++of.inFlight);
      const result = (simulation.endpoints[name] ?? good)(time.now() - startedAt);
      await time.sleep(result.durationMs);
      of.inFlight--;
      if (result.kind === "answered" && result.status === 200) {
        of.delays.push(time.now() - Number(body));
        of.takenAt.push(time.now() - startedAt);
      }
      return result;
    },
  };

  const queue: CallbackQueue = {
    async enqueue(turns, delaySeconds = 0) {
      for (const turn of turns) deliveries.put(turn, delaySeconds * SECOND);
    },
    async enqueueGroups(groups, delaySeconds = 0) {
      for (const group of groups) deliveries.put(group, delaySeconds * SECOND);
    },
    async enqueueLater(turn: DeliveryTurn, notBefore: number) {
      retries.put(turn, Math.max(0, notBefore - time.now()));
    },
    async enqueueRelease(job: ReleaseJob, delaySeconds: number) {
      retries.put(job, delaySeconds * SECOND);
    },
    async giveUp() {},
  };
  const shared = {
    deadLetters: { put: async () => {} },
    directory: slowed(directory, time),
    deliveries: slowed(new MemoryDeliveries(time), time),
    healths: slowed(healthsWithout(simulation.without), time),
    queue: slowed(queue, time),
    bus: { publish: async () => [] },
    webhook,
    format: (event: { account: string; at?: string }) => ({
      method: "POST" as const,
      url: "",
      headers: { "x-account": event.account },
      body: String(Date.parse(event.at ?? "")),
    }),
    clock: time,
    randomness: { fraction: createFraction() },
    retentionMs: 7 * DAY,
    meter: { count() {}, time() {}, flush() {} },
  };
  const slots = slowed(
    simulation.without === "slots" ? unlimited : new MemoryEndpointSlots(simulation.atOnce, time),
    time,
  );
  const functions = () =>
    Array.from({ length: simulation.concurrency }, () =>
      createHandler({ ...shared, lanes: createEndpointLanes({ slots, clock: time }) }),
    );
  const events = new SimulatedQueue(time, functions());
  const deliveries = new SimulatedQueue(time, functions());
  const retries = new SimulatedQueue(time, functions());

  const pause = MINUTE / simulation.messagesPerMinute;
  const count = Math.floor(simulation.campaignMs / pause);
  for (const [index, name] of [...fared.keys()].entries()) {
    void (async () => {
      for (let number = 0; number < count; number++) {
        const due = startedAt + (number + index / fared.size) * pause;
        await time.sleep(due - time.now());
        const now = time.now();
        const traceId = `trace-${number}`;
        const sent = { account: name, traceId, state: "SENT", stateAt: now, sentAt: now } as const;
        events.put({ events: [messageStatusChanged(sampleMessage(now, sent))] });
      }
    })();
  }
  await time.run(startedAt + simulation.untilMs);
  for (const { delays } of fared.values()) delays.sort((one, other) => one - other);
  return fared;
}
