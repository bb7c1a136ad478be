import { setImmediate } from "node:timers/promises";
import { beforeEach, describe, expect, it } from "vitest";
import { DELIVERY_STATES, type Delivery } from "../../../functions/core/callback-delivery.ts";
import { turnOf } from "../../../functions/core/deliver-callbacks.ts";
import { inState } from "../../../functions/core/endpoint-health.ts";
import { messageReceived } from "../../../functions/core/events.ts";
import { replayDeadLetters } from "../../../functions/core/replay-dead-letters.ts";
import { ManualClock, MemoryDirectory } from "../../support/memory.ts";
import {
  MemoryCallbackDeadLetters,
  MemoryCallbackQueue,
  MemoryDeliveries,
  MemoryEndpointHealths,
} from "../../support/memory-callbacks.ts";
import { sampleDelivery, sampleEndpoint, sampleMo } from "../../support/samples.ts";

const NOTHING = { replayed: 0, resent: 0, dropped: 0, left: 0, more: false };

function newDependencies() {
  const clock = new ManualClock();
  const directory = new MemoryDirectory();
  for (const account of ["acme", "other"]) directory.endpoints.push(sampleEndpoint({ account }));
  return {
    clock,
    directory,
    deliveries: new MemoryDeliveries(clock),
    endpointHealths: new MemoryEndpointHealths(),
    callbackQueue: new MemoryCallbackQueue(),
    callbackDeadLetters: new MemoryCallbackDeadLetters(clock),
    callbackRetentionMs: 7 * 86_400_000,
  };
}

let deps: ReturnType<typeof newDependencies>;
beforeEach(() => {
  deps = newDependencies();
});

const letters = () => deps.callbackDeadLetters.letters;
const replayed = () => deps.callbackQueue.later.map(({ turn }) => turn);
const put = (content: unknown) =>
  deps.callbackDeadLetters.put(typeof content === "string" ? content : JSON.stringify(content));

/** A delivery that was given up in its third turn, and its letter. */
async function giveUp(overrides: Partial<Delivery> = {}) {
  const delivery = await deps.deliveries.insert(
    sampleDelivery(deps.clock.now(), { state: "failed", turn: 3, ...overrides }),
  );
  put({ ...turnOf(delivery), turn: 2 });
  return delivery;
}

async function disable(account: string) {
  const read = await deps.endpointHealths.find(sampleEndpoint({ account }));
  await deps.endpointHealths.update(read, inState(read, "disabled", deps.clock.now()));
}

describe("dead letters", () => {
  it("are replayed, and gone", async () => {
    const delivery = await giveUp();
    expect(await replayDeadLetters(deps)).toEqual({ ...NOTHING, replayed: 1 });
    expect(replayed()).toMatchObject([turnOf(delivery)]);
    expect(await deps.deliveries.find(delivery)).toMatchObject({ state: "pending", step: 0 });
    expect(letters()).toEqual([]);
    expect(await replayDeadLetters(deps)).toEqual(NOTHING);
  });

  it("of one delivery are replayed once, whether they are seen together or not", async () => {
    const delivery = await giveUp();
    for (let i = 0; i < 15; i++) put({ ...turnOf(delivery), turn: 1 });
    const { replayed: times, dropped, left } = await replayDeadLetters(deps);
    expect({ sum: times + dropped, left }).toEqual({ sum: 16, left: 0 });
    expect(new Set(replayed().map(({ turn }) => turn))).toEqual(new Set([3]));
    expect(letters()).toEqual([]);
  });

  it.each(DELIVERY_STATES)("of a delivery that is %s are all that it may have", async (state) => {
    const delivery = await giveUp({ state });
    const isReplayed = state !== "delivered";
    const expected = isReplayed ? { replayed: 1 } : { dropped: 1 };
    expect(await replayDeadLetters(deps)).toEqual({ ...NOTHING, ...expected });
    expect(replayed()).toMatchObject(isReplayed ? [turnOf(delivery)] : []);
    expect(letters()).toEqual([]);
  });

  it.each([
    ["waiting", 1],
    ["pending", 0],
    ["held", 0],
    ["delivered", 0],
    ["failed", 0],
  ] as const)(
    "of a SENT that was taken let a DELIVERED that is %s go on: %i",
    async (state, expected) => {
      const next = await deps.deliveries.insert(
        sampleDelivery(deps.clock.now(), { state, level: "delivered", turn: 1 }),
      );
      await giveUp({ state: "delivered" });
      const fates = { replayed: expected, dropped: 1 - expected };
      expect(await replayDeadLetters(deps)).toEqual({ ...NOTHING, ...fates });
      expect(replayed()).toMatchObject(expected ? [turnOf(next)] : []);
      expect(letters()).toEqual([]);
    },
  );

  it("of a SENT that is told again leave it to that to let its DELIVERED go on", async () => {
    await deps.deliveries.insert(
      sampleDelivery(deps.clock.now(), { state: "waiting", level: "delivered" }),
    );
    const sent = await giveUp();
    expect(await replayDeadLetters(deps)).toEqual({ ...NOTHING, replayed: 1 });
    expect(replayed()).toMatchObject([turnOf(sent)]);
  });

  it("of deliveries that are forgotten, or whose endpoint is gone, are dropped", async () => {
    const delivery = await giveUp({ subject: "forgotten" });
    await giveUp();
    await deps.directory.removeEndpoint("acme", "endpoint-1");
    deps.clock.time = delivery.removeAt * 1_000;
    await giveUp({ account: "other", removeAt: delivery.removeAt + 1_000 });
    expect(await replayDeadLetters(deps)).toEqual({ ...NOTHING, replayed: 1, dropped: 2 });
    expect(letters()).toEqual([]);
  });

  it("of an endpoint that is disabled are dropped where they have failed, as the table knows", async () => {
    await disable("acme");
    const delivery = await giveUp();
    expect(await replayDeadLetters(deps)).toEqual({ ...NOTHING, dropped: 1 });
    expect(replayed()).toEqual([]);
    expect(await deps.deliveries.find(delivery)).toEqual(delivery);
    expect(letters()).toEqual([]);
  });

  it("of an endpoint that is disabled let go on what has not failed, or waits for what has", async () => {
    await disable("acme");
    const pending = await giveUp({ state: "pending", subject: "other" });
    const waiting = await deps.deliveries.insert(
      sampleDelivery(deps.clock.now(), { state: "waiting", level: "delivered" }),
    );
    await giveUp();
    expect(await replayDeadLetters(deps)).toEqual({ ...NOTHING, replayed: 2 });
    expect(replayed()).toEqual(
      expect.arrayContaining([pending, waiting].map((it) => expect.objectContaining(turnOf(it)))),
    );
  });

  const { event } = sampleDelivery(0);
  it.each<[string, object, object]>([
    ["as it was in the queue", event, event],
    ["as it was on the bus", { source: "torpedo", "detail-type": "x", detail: event }, event],
    ["and others of its account", { events: [event, event] }, { events: [event, event] }],
    [
      "and others for one endpoint",
      { account: "acme", endpointId: "e", events: [event], since: 1 },
      { account: "acme", endpointId: "e", events: [event], since: 1, again: true },
    ],
    ["for one endpoint alone", { event, endpointId: "e", attempts: 3 }, { event, endpointId: "e" }],
    ["of an MO", messageReceived(sampleMo(0)), messageReceived(sampleMo(0))],
  ])("with an event %s have it told anew", async (_, content, resent) => {
    put(content);
    expect(await replayDeadLetters(deps, "other")).toEqual(NOTHING);
    deps.clock.advance(60_000);
    expect(await replayDeadLetters(deps, "acme")).toEqual({ ...NOTHING, resent: 1 });
    expect(deps.callbackDeadLetters.resent.map((body) => JSON.parse(body))).toEqual([resent]);
    expect(letters()).toEqual([]);
  });

  it("with a job have it done", async () => {
    const job = {
      kind: "release",
      account: "acme",
      endpointId: "endpoint-1",
      state: "held",
      since: 0,
      until: 5,
    };
    put(job);
    expect(await replayDeadLetters(deps)).toEqual({ ...NOTHING, resent: 1 });
    expect(deps.callbackQueue.releases).toEqual([{ job, delaySeconds: 0 }]);
  });

  it.each(["", "{", "null", "[]", '{"a":1}', '{"version":1,"account":"acme"}', '"acme"'])(
    "that say nothing that is known are left, and nobody's: %s",
    async (body) => {
      put(body);
      expect(await replayDeadLetters(deps, "acme")).toEqual(NOTHING);
      deps.clock.advance(60_000);
      expect(await replayDeadLetters(deps)).toEqual({ ...NOTHING, left: 1 });
      expect(letters()).toHaveLength(1);
    },
  );

  it("of others are left untouched, and hide none of one's own from the next call", async () => {
    for (let i = 0; i < 600; i++) await giveUp({ account: "other", subject: `subject-${i}` });
    const own = await giveUp();
    expect(await replayDeadLetters(deps, "acme")).toEqual({ ...NOTHING, more: true });
    expect(await replayDeadLetters(deps, "acme")).toEqual({ ...NOTHING, replayed: 1 });
    expect(replayed()).toMatchObject([turnOf(own)]);
    expect(letters()).toHaveLength(600);
    deps.clock.advance(60_000);
    expect(await deps.callbackDeadLetters.receive()).toHaveLength(10);
  });

  it("that are many are replayed a part at a time", async () => {
    for (let i = 0; i < 520; i++) await giveUp({ subject: `subject-${i}` });
    expect(await replayDeadLetters(deps)).toEqual({ ...NOTHING, replayed: 500, more: true });
    expect(await replayDeadLetters(deps)).toEqual({ ...NOTHING, replayed: 20 });
  });

  it("are replayed for as long as a call may take", async () => {
    for (let i = 0; i < 50; i++) await giveUp({ subject: `subject-${i}` });
    const { callbackDeadLetters, clock } = deps;
    const receive = callbackDeadLetters.receive.bind(callbackDeadLetters);
    callbackDeadLetters.receive = async () => {
      clock.advance(10_000);
      return receive();
    };
    expect(await replayDeadLetters(deps)).toEqual({ ...NOTHING, replayed: 20, more: true });
  });

  it("lie where they lay where they cannot be replayed", async () => {
    await giveUp();
    await giveUp({ account: "other" });
    deps.callbackQueue.refuses = true;
    await expect(replayDeadLetters(deps)).rejects.toThrow(/away/);
    deps.clock.advance(60_000);
    expect(await deps.callbackDeadLetters.receive()).toHaveLength(2);
  });

  it("are done with, all that were begun, before an error ends the call", async () => {
    put({ ...turnOf(sampleDelivery(0)), subject: "broken" });
    await giveUp();
    const { deliveries } = deps;
    const find = deliveries.find.bind(deliveries);
    deliveries.find = async (key) => {
      if (key.subject === "broken") throw new Error("unreadable");
      // Later than the error.
      await setImmediate();
      return find(key);
    };
    await expect(replayDeadLetters(deps)).rejects.toThrow(/unreadable/);
    expect(replayed()).toHaveLength(1);
    expect(letters()).toHaveLength(1);
  });
});
