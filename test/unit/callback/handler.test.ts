import { beforeEach, describe, expect, it } from "vitest";
import { createHandler } from "../../../functions/callback/handler.ts";
import {
  callbackInputSchema,
  formatCallback,
  traceOf,
} from "../../../functions/callback/schema.ts";
import type { DeliveryTurn, ReleaseJob } from "../../../functions/core/callback-delivery.ts";
import { messageReceived, messageStatusChanged } from "../../../functions/core/events.ts";
import type { Message } from "../../../functions/core/message.ts";
import { answered } from "../../support/memory.ts";
import { RecordingMeter } from "../../support/recording-log.ts";
import { sampleEndpoint, sampleMessage, sampleMo } from "../../support/samples.ts";
import { CallbackWorld, DAY, failed, MINUTE } from "./support.ts";

const at = Date.parse("2014-08-26T15:55:48.593Z");
const eventIn = (overrides: Partial<Message>) =>
  messageStatusChanged(sampleMessage(at, { id: "hs765939216", ...overrides }));
/** As it comes out of a queue. */
const overTheWire = (input: unknown) =>
  callbackInputSchema.parse(JSON.parse(JSON.stringify(input)));

let world: CallbackWorld;
let meter: RecordingMeter;

beforeEach(() => {
  world = new CallbackWorld();
  world.clock.time = at + 1_500;
  meter = new RecordingMeter();
});

const handle = (input: unknown, receives = 1) =>
  createHandler({ ...world.deps, format: formatCallback, meter })(overTheWire(input), receives);

describe("the callback function, given an event", () => {
  it("has all endpoints told that want to know, and logs neither number nor text", async () => {
    world.directory.endpoints.push(sampleEndpoint({ endpointId: "endpoint-2" }));
    const event = eventIn({ state: "DELIVERED" });
    const logged = await handle(event);
    expect(logged).toEqual({ state: "DELIVERED", deliveries: 2 });
    expect(traceOf(overTheWire(event))).toBe("trace-1");
    expect(world.queue.turns).toMatchObject([
      { endpointId: "endpoint-1", subject: "trace-1", level: "delivered", turn: 0 },
      { endpointId: "endpoint-2", subject: "trace-1", level: "delivered", turn: 0 },
    ]);
    expect(world.webhook.requests).toEqual([]);
    expect(meter.counts).toEqual({});
  });

  it("of an MO has them told, and logs neither number nor text", async () => {
    const event = messageReceived(sampleMo(at, { text: "a reply" }));
    const logged = await handle(event);
    expect(logged).toEqual({ state: "RECEIVED", deliveries: 1 });
    expect(traceOf(overTheWire(event))).toBe("acme.mo.23190501");
    const [turn] = world.queue.turns;
    const taken = await handle(turn);
    expect(JSON.parse(world.webhook.requests[0]?.body ?? "")).toMatchObject({
      callbackMoRequest: { id: "23190501", mobile: "5519900001111", body: "a reply" },
    });
    expect(JSON.stringify([logged, taken])).not.toMatch(/5519900001111|a reply/);
  });

  it("tells no endpoint of an MO that does not want any", async () => {
    world.directory.endpoints.splice(0, 1, sampleEndpoint({ events: ["sent", "delivered"] }));
    expect(await handle(messageReceived(sampleMo(at)))).toMatchObject({ deliveries: 0 });
  });

  it.each(["ALL", "FINAL", "NONE"] as const)(
    "tells an endpoint of an MO whose option for statuses is %s",
    async (callbackOption) => {
      world.directory.endpoints.splice(0, 1, sampleEndpoint({ callbackOption }));
      expect(await handle(messageReceived(sampleMo(at)))).toMatchObject({ deliveries: 1 });
    },
  );

  it("takes one of a time when messages had no parts", () => {
    const { parts: _, ...old } = eventIn({ state: "DELIVERED" });
    expect(overTheWire(old)).toEqual({ ...old, parts: 1 });
  });

  it("completes only what comes again", async () => {
    const receipt = eventIn({ state: "DELIVERED", sentAt: at - 1_000 });
    await handle(eventIn({ state: "SENT", stateAt: at - 1_000, sentAt: at - 1_000 }));
    await handle(receipt);
    expect(world.queue.turns.map(({ level }) => level)).toEqual(["sent", "delivered"]);
    await handle(receipt, 2);
    expect(world.queue.turns.map(({ level }) => level)).toEqual([
      "sent",
      "delivered",
      "sent",
      "delivered",
    ]);
  });
});

describe("the callback function, given events of an account", () => {
  const events = [0, 1, 2].map((index) =>
    eventIn({ state: "DELIVERED", traceId: `trace-${index}`, callbackOption: "FINAL" }),
  );

  it("has endpoints told of them together, and says how many", async () => {
    world.directory.endpoints.push(sampleEndpoint({ endpointId: "endpoint-2" }));
    expect(traceOf(overTheWire({ events }))).toBeUndefined();
    expect(await handle({ events })).toEqual({ events: 3, tellings: 6 });
    const since = world.clock.now();
    expect(world.queue.groups).toEqual(
      ["endpoint-1", "endpoint-2"].map((endpointId) => ({
        group: { account: "acme", endpointId, events, since },
        delaySeconds: 0,
      })),
    );
  });

  it("tells an endpoint of them, and counts but does not name what went well", async () => {
    await handle({ events });
    const [{ group } = {}] = world.queue.groups;
    expect(traceOf(overTheWire(group))).toBeUndefined();
    const logged = await handle(group);
    expect(logged).toEqual({ told: { delivered: 3 } });
    expect(world.webhook.requests).toHaveLength(3);
    expect(meter.counts).toEqual({ CallbackAttempts: 3, CallbacksDelivered: 3 });
    expect(meter.times).toEqual({
      CallbackDuration: [1, 1, 1],
      ChangeToCallback: [1_500, 1_500, 1_500],
    });
  });

  it("names what did not go well, and not what was answered", async () => {
    world.answers(answered(503, "call 5519900001111"));
    await handle({ events });
    const logged = await handle(world.queue.groups[0]?.group);
    const wrong = { level: "delivered", kind: "will-retry", status: 503, durationMs: 1 };
    expect(logged).toEqual({
      told: { "will-retry": 3 },
      endpointId: "endpoint-1",
      wrong: [0, 1, 2].map((index) => ({ traceId: `trace-${index}`, ...wrong })),
    });
    expect(meter.counts).toEqual({ CallbackAttempts: 3, CallbacksRetried: 3 });
  });

  it("sets aside what it cannot read, and tells of the rest", async () => {
    const bad = { ...events[1], state: "LOST" };
    expect(await handle({ events: [events[0], bad, events[2]] })).toEqual({
      events: 3,
      tellings: 2,
    });
    const [{ group } = {}] = world.queue.groups;
    const foreign = { ...events[1], account: "other" };
    expect(await handle({ ...group, events: [events[0], foreign, bad] })).toEqual({
      told: { delivered: 1 },
    });
    expect(world.deadLetters.letters).toEqual([
      { what: bad, cause: "the event is of no shape that is known" },
      {
        what: { event: foreign, endpointId: "endpoint-1" },
        cause: "the event is another account's",
      },
      {
        what: { event: bad, endpointId: "endpoint-1" },
        cause: "the event is of no shape that is known",
      },
    ]);
  });

  it("looks first where they come again", async () => {
    await handle({ events });
    const { group } = world.queue.groups[0] ?? {};
    await handle(group);
    expect(await handle(group, 2)).toEqual({ told: { known: 3 }, endpointId: "endpoint-1" });
    await handle({ events }, 2);
    expect(await handle(world.queue.groups[1]?.group)).toMatchObject({ told: { known: 3 } });
    expect(world.webhook.requests).toHaveLength(3);
  });
});

describe("the callback function, given a turn", () => {
  const begin = async () => {
    await handle(eventIn({ state: "SENT" }));
    return world.queue.turns.at(-1) as DeliveryTurn;
  };

  it("makes the request, and counts and logs how it went, but not what was answered", async () => {
    world.answers({ kind: "answered", status: 200, durationMs: 7, answer: "5519900001111" });
    const turn = await begin();
    const logged = await handle(turn);
    expect(world.webhook.requests).toMatchObject([
      {
        method: "POST",
        url: "https://customer.example/callback",
        headers: {
          "content-type": "application/json; charset=utf-8",
          "webhook-id": "endpoint-1_trace-1_sent",
          "webhook-timestamp": String(Math.floor((at + 1_500) / 1_000)),
        },
      },
    ]);
    expect(logged).toEqual({
      kind: "delivered",
      status: 200,
      durationMs: 7,
      endpointId: "endpoint-1",
      level: "sent",
      turn: 0,
    });
    expect(meter.counts).toEqual({ CallbackAttempts: 1, CallbacksDelivered: 1 });
    expect(meter.times).toEqual({ CallbackDuration: [7], ChangeToCallback: [1_500] });
    expect(traceOf(overTheWire(turn))).toBe("trace-1");
  });

  it("logs nothing of what the endpoint says in its headers", async () => {
    world.answers(answered(503, "call 5519900001111"));
    expect(JSON.stringify(await handle(await begin()))).not.toContain("5519900001111");
  });

  it("counts no time from the change to the callback that a clock makes negative", async () => {
    const turn = await begin();
    world.clock.time = at - 1_000;
    await handle(turn);
    expect(meter.times.ChangeToCallback).toEqual([0]);
  });

  it("counts what is to be tried again, and what is given up", async () => {
    world.answers(answered(404));
    await handle(await begin());
    for (const _ of [1, 2]) {
      const next = world.queue.later.at(-1);
      world.clock.time = next?.notBefore ?? 0;
      await handle(next?.turn);
    }
    expect(meter.counts).toEqual({
      CallbackAttempts: 3,
      CallbacksRetried: 2,
      CallbacksGivenUp: 1,
    });
    expect(meter.times).toEqual({ CallbackDuration: [1, 1, 1] });
  });

  it("counts an endpoint that is disabled by what it does", async () => {
    world.answers(answered(410));
    await handle(await begin());
    expect(meter.counts).toMatchObject({ EndpointsDisabled: 1, CallbacksGivenUp: 1 });
  });

  it.each([
    ["CallbacksHeld", () => world.setState("paused")],
    ["CallbacksDropped", () => world.setState("disabled")],
    ["CallbacksDeferred", () => world.setHealth({ openUntil: at + MINUTE })],
    [
      "CallbacksWithoutSlot",
      async () => {
        for (const _ of [1, 2]) await world.slots.acquire(sampleEndpoint(), at + DAY, false);
      },
    ],
  ] as const)("counts %s, and no attempt", async (metric, arrange) => {
    const turn = await begin();
    await arrange();
    await handle(turn);
    expect(meter.counts).toEqual({ [metric]: 1 });
    expect(meter.times).toEqual({});
  });

  it("counts nothing of one that is over", async () => {
    const turn = await begin();
    await handle(turn);
    meter = new RecordingMeter();
    expect(await handle(turn)).toMatchObject({ kind: "stale" });
    expect(meter.counts).toEqual({});
  });

  it("says of a request that was not answered what kept it", async () => {
    world.answers(failed("timeout", 10_000));
    expect(await handle(await begin())).toMatchObject({
      kind: "will-retry",
      cause: "timeout",
      durationMs: 10_000,
    });
  });
});

describe("the callback function, given that deliveries are to go on", () => {
  it("lets them, and says how many", async () => {
    await world.setState("paused");
    await handle(eventIn({ state: "SENT" }));
    await handle(world.queue.turns[0]);
    const job: ReleaseJob = {
      kind: "release",
      account: "acme",
      endpointId: "endpoint-1",
      state: "held",
      since: 0,
      until: at + DAY,
    };
    expect(traceOf(overTheWire(job))).toBeUndefined();
    expect(await handle(job)).toEqual({ released: 1 });
    expect(world.queue.later).toHaveLength(1);
    expect(world.queue.releases).toEqual([{ job, delaySeconds: 2 }]);
  });
});

describe("the callback function, given what the version before it left in the retry queue", () => {
  const old = {
    event: {
      version: 1,
      eventId: "trace-1.DELIVERED.1409068548593",
      traceId: "trace-1",
      account: "acme",
      id: "hs765939216",
      dialect: "mesago",
      destination: "5519900001111",
      state: "DELIVERED",
      previousState: "SENT",
      final: true,
      at: "2014-08-26T15:55:48.593Z",
      acceptedAt: "2014-08-26T15:55:40.000Z",
      attempts: 1,
      parts: 1,
      carrier: "sandbox",
      carrierMessageId: "sandbox-1",
      operator: "Claro",
      shortCode: "27182",
      codes: {
        mesago: { statusCode: "03", detailCode: "120" },
        wavy: { sent: 2, delivered: 4 },
      },
    },
    endpointId: "endpoint-1",
    attempts: 2,
  };
  const oldMo = {
    event: {
      version: 1,
      eventId: "acme.mo.23190501",
      account: "acme",
      moId: 23190501,
      dialect: "zenvia",
      from: "5519900001111",
      shortCode: "27182",
      text: "Sim",
      receivedAt: "2014-08-26T15:55:48.593Z",
      carrier: "sandbox",
      answers: { id: "id-1", traceId: "trace-1" },
    },
    endpointId: "endpoint-1",
    attempts: 2,
  };

  it.each([
    ["a status", old, "DELIVERED", "trace-1", "delivered"],
    ["an MO", oldMo, "RECEIVED", "acme.mo.23190501", "received"],
  ] as const)("has that endpoint alone told of %s", async (_, input, state, trace, level) => {
    world.directory.endpoints.push(sampleEndpoint({ endpointId: "endpoint-2" }));
    expect(traceOf(overTheWire(input))).toBe(trace);
    expect(await handle(input)).toEqual({ state, deliveries: 1 });
    expect(world.queue.turns).toMatchObject([{ endpointId: "endpoint-1", level, turn: 0 }]);
    expect(await handle(world.queue.turns[0])).toMatchObject({ kind: "delivered" });
    expect(world.deliveries.all()).toMatchObject([{ event: input.event }]);
  });
});

describe("the callback function", () => {
  it.each([
    ["an event of another version", { ...eventIn({ state: "DELIVERED" }), version: 2 }],
    ["an event in a state that there is not", { ...eventIn({ state: "SENT" }), state: "LOST" }],
    ["an MO of another version", { ...messageReceived(sampleMo(at)), version: 2 }],
    ["an MO with a time of another kind", { ...messageReceived(sampleMo(at)), receivedAt: at }],
    ["a turn of no number", { account: "a", endpointId: "e", subject: "s", level: "sent" }],
    [
      "a turn of another level",
      { account: "a", endpointId: "e", subject: "s", level: "read", turn: 0 },
    ],
    [
      "a job of another kind",
      { kind: "drop", account: "a", endpointId: "e", state: "held", since: 0, until: 1 },
    ],
    [
      "a job for what is delivered",
      { kind: "release", account: "a", endpointId: "e", state: "delivered", since: 0, until: 1 },
    ],
    ["no events", { events: [] }],
    ["more events than come together", { events: Array(51).fill(eventIn({ state: "SENT" })) }],
    ["nothing", null],
  ])("does not take %s", (_, input) => {
    expect(callbackInputSchema.safeParse(input).success).toBe(false);
  });
});
