import { type Message, refOf } from "../../functions/core/message.ts";
import type { Variant } from "./functions.ts";
import type { Scenario } from "./scenario.ts";

/** What makes a variant fail sooner. */
export const PROVOCATIONS: Readonly<Record<string, (scenario: Scenario) => Scenario>> = {
  "a cancellation does not look at the state": canceledWhenDue,
};

/** Each message is canceled about when it is sent off. */
function canceledWhenDue(scenario: Scenario): Scenario {
  const requests = scenario.requests.map((request, index) => ({
    ...request,
    messages: request.messages.map((message, place) => ({
      ...message,
      scheduled: 30,
      canceled: { from: "due", ms: (scenario.seed + 397 * index + 101 * place) % 200 } as const,
    })),
  }));
  return { ...scenario, requests };
}

/** Ways to break the system; each takes away one of the things that promises rest on. */
export const BROKEN_VARIANTS: Readonly<Record<string, Variant>> = {
  "status-events takes what the bus refused for told": {
    "status-events": (deps) => ({
      ...deps,
      bus: {
        publish: async (events) => {
          await deps.bus.publish(events).catch(() => []);
          return [];
        },
      },
    }),
  },

  "status-events takes what the callbacks' queue refused for told": {
    "status-events": (deps) => ({
      ...deps,
      callbacks: {
        put: async (events) => {
          await deps.callbacks.put(events).catch(() => []);
          return [];
        },
      },
    }),
  },

  "dispatch hands over what others hold": {
    dispatch: (deps) => ({
      ...deps,
      messages: {
        ...deps.messages,
        claim: async (ref, request) => {
          const claim = await deps.messages.claim(ref, request);
          const isHeld = claim.kind === "refused" && claim.message.state === "SENDING";
          return isHeld ? { kind: "claimed", message: claim.message } : claim;
        },
      },
    }),
  },

  "dispatch forgets a hand-over that it cannot write down": {
    dispatch: (deps) => ({
      ...deps,
      dispatchQueue: { ...deps.dispatchQueue, enqueueRecord: async () => {} },
    }),
  },

  "a send is put on its way before it is stored": {
    mesago: (deps) => ({
      ...deps,
      messages: {
        ...deps.messages,
        insert: async (message: Message) => {
          await deps.dispatchQueue.enqueue(refOf(message), message.claimableFrom);
          return deps.messages.insert(message);
        },
      },
      dispatchQueue: { ...deps.dispatchQueue, enqueue: async () => {} },
    }),
  },

  "a send is accepted that could not be put on its way": {
    mesago: (deps) => ({
      ...deps,
      dispatchQueue: {
        ...deps.dispatchQueue,
        enqueue: (ref, notBefore) => deps.dispatchQueue.enqueue(ref, notBefore).catch(() => {}),
      },
    }),
  },

  "a batch is closed before its messages are on their way": {
    bulk: (deps) => ({
      ...deps,
      batches: {
        ...deps.batches,
        load: async (batch) => {
          await deps.batches.close(batch);
          return deps.batches.load(batch);
        },
      },
    }),
  },

  "a cancellation does not look at the state": {
    mesago: (deps) => ({
      ...deps,
      messages: {
        ...deps.messages,
        change: async (seen, change) => {
          const changed = await deps.messages.change(seen, change);
          const current = changed ?? (await deps.messages.find(seen.account, seen.id));
          return changed ?? (current && deps.messages.change(current, change));
        },
      },
    }),
  },

  "what was counted is given back though the message may be there": {
    mesago: (deps) => ({
      ...deps,
      usage: {
        ...deps.usage,
        take: async (request) => {
          const taken = await deps.usage.take(request);
          await deps.usage.giveBack(request);
          return taken;
        },
      },
    }),
  },

  "a turn of a callback is recorded before the next one is in the queue": {
    callback: (deps) => {
      const late: (() => Promise<void>)[] = [];
      return {
        ...deps,
        queue: {
          ...deps.queue,
          enqueueLater: async (turn, notBefore) => {
            late.push(() => deps.queue.enqueueLater(turn, notBefore));
          },
        },
        deliveries: {
          ...deps.deliveries,
          record: async (turn, change) => {
            const recorded = await deps.deliveries.record(turn, change);
            for (const enqueue of late.splice(0)) await enqueue();
            return recorded;
          },
        },
      };
    },
  },

  "a delivery is told without waiting for the one before it": {
    callback: (deps) => ({
      ...deps,
      deliveries: {
        ...deps.deliveries,
        find: async (key) =>
          key.level === "sent" && !("turn" in key) ? undefined : deps.deliveries.find(key),
        findMany: async (keys) => {
          const found = await deps.deliveries.findMany(keys);
          return found.filter(({ level }) => level !== "sent");
        },
      },
    }),
  },
};

/** Variants that a few schedules do for. */
export const CAUGHT_SOON: readonly string[] = [
  "status-events takes what the bus refused for told",
  "a send is put on its way before it is stored",
];
