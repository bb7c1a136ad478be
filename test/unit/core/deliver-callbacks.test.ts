import fc from "fast-check";
import { beforeEach, describe, expect, it } from "vitest";
import type { Endpoint } from "../../../functions/core/account.ts";
import { type Delivery, deliverySchema } from "../../../functions/core/callback-delivery.ts";
import { deliverEvent, isWanted, turnOf } from "../../../functions/core/deliver-callbacks.ts";
import {
  messageReceived,
  messageStatusChanged,
  type TorpedoEvent,
} from "../../../functions/core/events.ts";
import type { Message } from "../../../functions/core/message.ts";
import { ManualClock } from "../../support/memory.ts";
import { sampleEndpoint, sampleMessage, sampleMo } from "../../support/samples.ts";
import { CallbackWorld, DAY, MINUTE } from "../callback/support.ts";
import { FAULTS, FaultyPorts, interleaved } from "./support.ts";

/** The turn of the first of some deliveries. */
function firstTurn([delivery]: readonly Delivery[]) {
  if (!delivery) throw new Error("there is no delivery");
  return turnOf(delivery);
}

const clock = new ManualClock();
const eventIn = (overrides: Partial<Message>) =>
  messageStatusChanged(sampleMessage(clock.now(), overrides));

describe("isWanted", () => {
  const sent = { state: "SENT" } as const;
  const sentForGood = { state: "SENT", reason: "no-receipts" } as const;
  const delivered = { state: "DELIVERED" } as const;
  const failed = { state: "FAILED" } as const;

  it.each([
    ["ALL", sent, true],
    ["ALL", delivered, true],
    ["ALL", { state: "QUEUED" }, false],
    ["ALL", { state: "SENDING" }, false],
    ["ALL", { state: "SCHEDULED" }, false],
    ["FINAL", sent, false],
    ["FINAL", sentForGood, true],
    ["FINAL", delivered, true],
    ["FINAL", failed, true],
    ["NONE", delivered, false],
    ["NONE", failed, false],
  ] as const)("with %s, for %j: %s", (callbackOption, state, expected) => {
    expect(isWanted(sampleEndpoint(), eventIn({ ...state, callbackOption }))).toBe(expected);
    expect(isWanted(sampleEndpoint({ callbackOption }), eventIn(state))).toBe(expected);
  });

  it("lets the request decide over the endpoint", () => {
    const endpoint = sampleEndpoint({ callbackOption: "NONE" });
    expect(isWanted(endpoint, eventIn({ ...delivered, callbackOption: "ALL" }))).toBe(true);
  });

  it.each([
    [["sent"], sent, true],
    [["sent"], failed, true],
    [["sent"], delivered, false],
    [["delivered"], delivered, true],
    [["delivered"], { state: "NOT_DELIVERED" }, true],
    [["delivered"], sent, false],
    [["received"], delivered, false],
    [["any"], sent, true],
    [["any"], failed, true],
    [["any"], delivered, true],
    [["any"], { state: "NOT_DELIVERED" }, true],
    [["any"], { state: "SENDING" }, false],
    [["received", "any"], sent, true],
  ] as const)("for an endpoint of %j, for %j: %s", (events, state, expected) => {
    expect(isWanted(sampleEndpoint({ events: [...events] }), eventIn(state))).toBe(expected);
  });

  it.each([
    [["received"], true],
    [["sent", "delivered", "received"], true],
    [["sent", "delivered"], false],
    [["any"], true],
    [["sent", "any"], true],
  ] as const)("for an endpoint of %j, for an MO, whatever its option: %s", (events, expected) => {
    for (const callbackOption of ["ALL", "FINAL", "NONE"] as const) {
      const endpoint = sampleEndpoint({ events: [...events], callbackOption });
      expect(isWanted(endpoint, messageReceived(sampleMo(clock.now())))).toBe(expected);
    }
  });
});

describe("isWanted, of a Wavy message", () => {
  const wavy = (overrides: Partial<Message>) => eventIn({ dialect: "wavy", ...overrides });
  const sent = { state: "SENT" } as const;
  const sentForGood = { state: "SENT", reason: "no-receipts" } as const;
  const delivered = { state: "DELIVERED" } as const;
  const notDelivered = { state: "NOT_DELIVERED", reason: "inactive-number" } as const;
  const expired = { state: "EXPIRED" } as const;
  const optedOut = { state: "BLOCKED", reason: "opt-out" } as const;
  const canceled = { state: "CANCELED" } as const;

  it.each([
    ["ALL", sent, true],
    ["ALL", sentForGood, true],
    ["ALL", delivered, true],
    ["ALL", notDelivered, true],
    ["ALL", expired, true],
    ["ALL", optedOut, true],
    ["ALL", canceled, false],
    ["FINAL", sent, false],
    ["FINAL", sentForGood, true],
    ["FINAL", delivered, true],
    ["FINAL", notDelivered, true],
    ["FINAL", expired, true],
    ["FINAL", optedOut, true],
    ["FINAL", canceled, false],
    ["NONE", sent, false],
    ["NONE", delivered, false],
  ] as const)("with %s, for %j: %s", (callbackOption, state, expected) => {
    expect(isWanted(sampleEndpoint({ callbackOption }), wavy(state))).toBe(expected);
  });

  it.each([
    ["sent", sent, true],
    ["sent", sentForGood, true],
    ["sent", optedOut, true],
    ["sent", delivered, false],
    ["sent", notDelivered, false],
    ["delivered", delivered, true],
    ["delivered", notDelivered, true],
    ["delivered", sent, false],
    ["delivered", sentForGood, false],
    ["delivered", optedOut, false],
  ] as const)("for the URL of %s, for %j: %s", (level, state, expected) => {
    expect(isWanted(sampleEndpoint({ events: [level] }), wavy(state))).toBe(expected);
  });

  it("leaves a cancellation to clients that have a code for it", () => {
    expect(isWanted(sampleEndpoint(), eventIn(canceled))).toBe(true);
    expect(isWanted(sampleEndpoint(), eventIn({ ...canceled, dialect: "zenvia" }))).toBe(true);
  });
});

describe("isWanted, in words of the endpoint's choice", () => {
  const canceled = (dialect: Message["dialect"]) => eventIn({ dialect, state: "CANCELED" });

  it.each([
    ["wavy", "dialect", false],
    ["wavy", "wavy", false],
    ["wavy", "mesago", true],
    ["wavy", "zenvia", true],
    ["wavy", "cloudevents", true],
    ["mesago", "dialect", true],
    ["mesago", "mesago", true],
    ["mesago", "cloudevents", true],
    ["mesago", "wavy", false],
    ["zenvia", "dialect", true],
    ["zenvia", "wavy", false],
  ] as const)(
    "tells of a canceled message of %s in words of %s: %s",
    (dialect, format, expected) => {
      expect(isWanted(sampleEndpoint({ format }), canceled(dialect))).toBe(expected);
    },
  );

  it("tells in words of Wavy of everything else that has a code", () => {
    const endpoint = sampleEndpoint({ format: "wavy" });
    for (const state of ["SENT", "EXPIRED", "DELIVERED"] as const) {
      expect(isWanted(endpoint, eventIn({ state }))).toBe(true);
    }
    expect(isWanted(endpoint, messageReceived(sampleMo(clock.now())))).toBe(true);
  });
});

describe("isWanted, of sub-accounts", () => {
  const everybodys = sampleEndpoint();
  const marketings = sampleEndpoint({ subAccount: "Marketing" });
  const eventsOf = (of: { subAccount?: string }) => [
    eventIn({ state: "DELIVERED", ...of }),
    messageReceived(sampleMo(clock.now(), of)),
  ];

  it.each([
    [{ subAccount: "Marketing" }, true],
    [{ subAccount: "Sales" }, false],
    [{ subAccount: "marketing" }, false],
    [{}, false],
  ])("tells an endpoint of Marketing of what is %j: %s", (of, expected) => {
    for (const event of eventsOf(of)) {
      expect(isWanted(marketings, event)).toBe(expected);
      expect(isWanted(everybodys, event)).toBe(true);
    }
  });
});

describe("deliverEvent", () => {
  let world: CallbackWorld;
  const sentAt = clock.now() - 5_000;
  const sent = eventIn({ state: "SENT", stateAt: sentAt, sentAt });
  const delivered = eventIn({ state: "DELIVERED", sentAt });
  const first = { isRedelivery: false };
  const again = { isRedelivery: true };

  beforeEach(() => {
    world = new CallbackWorld();
    world.directory.endpoints.length = 0;
  });

  const endpointOf = (endpointId: string, overrides: Partial<Endpoint> = {}) => {
    const url = `https://${endpointId}.example/`;
    const endpoint = sampleEndpoint({ url, endpointId, ...overrides });
    world.directory.endpoints.push(endpoint);
    return endpoint;
  };
  const levels = () =>
    world.deliveries.all().map(({ endpointId, level }) => `${endpointId} ${level}`);
  const storedOf = (wanted: string) =>
    world.deliveries.all().find(({ level }) => level === wanted)?.event;
  const enqueued = () => world.queue.turns.map(({ endpointId, level }) => `${endpointId} ${level}`);
  const deliver = (event: TorpedoEvent, how: Parameters<typeof deliverEvent>[2] = first) =>
    deliverEvent(world.deps, event, how);

  it("puts one delivery on its way for every endpoint of the account that wants it, and nobody else's", async () => {
    endpointOf("one");
    endpointOf("two");
    endpointOf("unwilling", { callbackOption: "NONE" });
    endpointOf("foreign", { account: "other" });
    const begun = await deliver(sent);
    expect(enqueued()).toEqual(["one sent", "two sent"]);
    expect(world.queue.turns).toEqual(begun.map(turnOf));
    expect(world.deliveries.all()).toEqual(begun);
    expect(world.webhook.requests).toEqual([]);
  });

  it("stores what is to be told, for a day of tries and for the time of retention", async () => {
    endpointOf("one");
    const [delivery] = await deliver(sent);
    const now = clock.now();
    expect(deliverySchema.parse(delivery)).toEqual({
      version: 1,
      account: "acme",
      endpointId: "one",
      subject: "trace-1",
      level: "sent",
      event: sent,
      state: "pending",
      turn: 0,
      step: 0,
      attempts: [],
      createdAt: now,
      deadline: now + DAY,
      removeAt: (now + 7 * DAY) / 1_000,
    });
  });

  it("does nothing where the request says NONE", async () => {
    endpointOf("one");
    expect(await deliver(eventIn({ state: "DELIVERED", callbackOption: "NONE", sentAt }))).toEqual(
      [],
    );
    expect(world.deliveries.all()).toEqual([]);
    expect(world.queue.turns).toEqual([]);
  });

  it("asks no queue where nobody wants to know", async () => {
    endpointOf("one", { events: ["received"] });
    world.queue.refuses = true;
    expect(await deliver(delivered)).toEqual([]);
  });

  it("tells of a message once, however often its event comes", async () => {
    endpointOf("one");
    const begun = await deliver(sent);
    await world.take(firstTurn(begun));
    for (const how of [first, again, again]) expect(await deliver(sent, how)).toEqual([]);
    expect(enqueued()).toEqual(["one sent"]);
    expect(world.deliveries.all()).toMatchObject([{ state: "delivered" }]);
  });

  it("keeps what is stored of a delivery where its event comes in other words", async () => {
    endpointOf("one");
    const [delivery] = await deliver(sent);
    await deliver({ ...sent, operator: "Other" }, again);
    expect(world.deliveries.all()).toEqual([delivery]);
  });

  it("tells two messages apart", async () => {
    endpointOf("one");
    await deliver(sent);
    await deliver({ ...sent, traceId: "trace-2" });
    expect(world.queue.turns.map(({ subject }) => subject)).toEqual(["trace-1", "trace-2"]);
  });

  describe("of a receipt", () => {
    it("that comes before the message was told to be sent tells that too, and that first", async () => {
      endpointOf("one");
      await deliver(delivered);
      expect(enqueued()).toEqual(["one sent", "one delivered"]);
      expect(storedOf("sent")).toEqual({ ...sent, previousState: "SENDING" });
    });

    it("leaves what was sent to its own event, where that was there first", async () => {
      endpointOf("one");
      await deliver(sent);
      await deliver(delivered);
      expect(enqueued()).toEqual(["one sent", "one delivered"]);
    });

    it("makes the event of what was sent, coming late, tell nothing anew", async () => {
      endpointOf("one");
      const begun = await deliver(delivered);
      await world.take(firstTurn(begun));
      expect(await deliver(sent)).toEqual([]);
      expect(enqueued()).toEqual(["one sent", "one delivered"]);
    });

    it.each([
      [{ events: ["delivered"] }, ["one delivered"]],
      [{ events: ["sent"] }, []],
      [{ events: ["any"] }, ["one sent", "one delivered"]],
      [{ callbackOption: "FINAL" }, ["one delivered"]],
      [{ format: "wavy" }, ["one sent", "one delivered"]],
    ] satisfies [Partial<Endpoint>, string[]][])(
      "tells an endpoint of %j of %j",
      async (overrides, expected) => {
        endpointOf("one", overrides);
        await deliver(delivered);
        expect(enqueued()).toEqual(expected);
        expect(levels().sort()).toEqual([...expected].sort());
      },
    );

    it("tells only of itself where nobody knows when the message was sent", async () => {
      endpointOf("one");
      await deliver(eventIn({ state: "DELIVERED" }));
      expect(levels()).toEqual(["one delivered"]);
    });

    it("does not say of what was sent why it was not received", async () => {
      endpointOf("one");
      await deliver(eventIn({ state: "NOT_DELIVERED", reason: "inactive-number", sentAt }));
      expect(storedOf("sent")).toMatchObject({
        state: "SENT",
        final: false,
        codes: { mesago: { statusCode: "02", detailCode: "110" }, wavy: { sent: 2 } },
      });
      expect(storedOf("sent")).not.toHaveProperty("reason");
    });
  });

  describe("at the same time as another of the same message", () => {
    it("puts each delivery on its way once", async () => {
      endpointOf("one");
      await Promise.all([deliver(sent), deliver(delivered), deliver(delivered)]);
      expect(enqueued().sort()).toEqual(["one delivered", "one sent"]);
    });

    it("puts each on its way once, in whatever order their calls take effect", async () => {
      await fc.assert(
        fc.asyncProperty(fc.scheduler(), async (scheduler) => {
          world = new CallbackWorld();
          const deps = { ...world.deps, deliveries: interleaved(scheduler, world.deliveries) };
          const told = Promise.all(
            [delivered, sent, delivered].map((event) => deliverEvent(deps, event, first)),
          );
          await scheduler.waitFor(told);
          expect(enqueued().sort()).toEqual(["endpoint-1 delivered", "endpoint-1 sent"]);
        }),
      );
    });
  });

  describe("that was left half-done", () => {
    /** Stores deliveries that nobody puts on their way. */
    const abandon = async () => {
      world.queue.refuses = true;
      await expect(deliver(delivered)).rejects.toThrow("the queue is away");
      world.queue.refuses = false;
    };

    it("is left to who began with it for a minute, by who comes for the first time", async () => {
      endpointOf("one");
      await abandon();
      world.clock.advance(MINUTE - 1);
      for (const event of [sent, delivered]) expect(await deliver(event)).toEqual([]);
      expect(enqueued()).toEqual([]);
      world.clock.advance(1);
      expect(await deliver(sent)).toHaveLength(1);
      expect(enqueued()).toEqual(["one sent"]);
    });

    it.each(["waiting", "held", "delivered", "failed"] as const)(
      "does not put on its way what is %s, whoever comes",
      async (state) => {
        endpointOf("one");
        const [delivery] = await deliver(sent);
        if (!delivery) throw new Error("there is no delivery");
        await world.deliveries.record(turnOf(delivery), { state });
        world.clock.advance(MINUTE);
        for (const how of [first, again]) expect(await deliver(sent, how)).toEqual([]);
      },
    );

    it("leaves it to the next delivery where the queue refuses, which then tells everything", async () => {
      endpointOf("one");
      endpointOf("two");
      world.queue.refuses = true;
      await expect(deliver(delivered)).rejects.toThrow("the queue is away");
      world.queue.refuses = false;
      await deliver(delivered, again);
      expect(enqueued().sort()).toEqual(["one delivered", "one sent", "two delivered", "two sent"]);
    });

    it("is completed, whatever call fails and however", async () => {
      const calls = async (faultAt: number, fault: (typeof FAULTS)[number]) => {
        world = new CallbackWorld();
        world.directory.endpoints.push(sampleEndpoint({ endpointId: "two" }));
        const ports = new FaultyPorts((_, call) => (call === faultAt ? fault : undefined));
        const { directory, deliveries, queue } = world;
        const deps = {
          ...world.deps,
          directory: ports.wrap(directory),
          deliveries: ports.wrap(deliveries),
          queue: ports.wrap(queue),
        };
        const failed = await deliverEvent(deps, delivered, first).then(
          () => false,
          () => true,
        );
        if (failed) await deliverEvent(world.deps, delivered, again);
        expect(new Set(enqueued())).toEqual(
          new Set(["endpoint-1 sent", "endpoint-1 delivered", "two sent", "two delivered"]),
        );
        return ports.calls.length;
      };
      for (const fault of FAULTS) {
        const all = await calls(-1, fault);
        for (let call = 0; call < all; call++) await calls(call, fault);
      }
    });

    it("does not bring back what has moved on meanwhile", async () => {
      endpointOf("one");
      const begun = await deliver(delivered);
      world.answers({ kind: "failed", cause: "timeout", durationMs: 1 }, "https://one.example/");
      await world.take(firstTurn(begun));
      await deliver(delivered, again);
      expect(enqueued()).toEqual(["one sent", "one delivered", "one delivered"]);
    });
  });

  it("tells one endpoint alone where only that is to be told", async () => {
    endpointOf("one");
    endpointOf("two");
    await deliver(sent, { isRedelivery: false, only: "two" });
    expect(levels()).toEqual(["two sent"]);
    expect(await deliver(sent, { isRedelivery: false, only: "gone" })).toEqual([]);
  });

  describe("of an MO", () => {
    const received = messageReceived(sampleMo(clock.now() - 1_500));

    it("tells every endpoint that wants MOs, whatever its option", async () => {
      endpointOf("one", { events: ["received"], callbackOption: "NONE" });
      endpointOf("two", { events: ["any"] });
      endpointOf("unwilling", { events: ["sent", "delivered"] });
      endpointOf("foreign", { account: "other" });
      const begun = await deliver(received);
      expect(levels()).toEqual(["one received", "two received"]);
      expect(begun.map(({ event, subject }) => ({ event, subject }))).toEqual(
        Array(2).fill({ event: received, subject: "mo-23190501" }),
      );
    });

    it("tells of it once", async () => {
      endpointOf("one");
      const begun = await deliver(received);
      await world.take(firstTurn(begun));
      expect(await deliver(received, again)).toEqual([]);
      expect(enqueued()).toEqual(["one received"]);
    });
  });

  it("tells again of what nobody knows any more that it was told", async () => {
    endpointOf("one");
    const begun = await deliver(sent);
    world.clock.advance(7 * DAY + MINUTE);
    expect(await world.deliveries.find(firstTurn(begun))).toBeUndefined();
    expect(await deliver(sent)).toHaveLength(1);
  });
});
