import fc from "fast-check";
import { beforeEach, describe, expect, it } from "vitest";
import {
  type Attempt,
  type Delivery,
  type DeliveryTurn,
  deliverySchema,
} from "../../../functions/core/callback-delivery.ts";
import { createEndpointLanes, type EndpointLanes } from "../../../functions/core/endpoint-lanes.ts";
import { endpointDisabledSchema, messageStatusChanged } from "../../../functions/core/events.ts";
import type { WebhookResult } from "../../../functions/core/ports.ts";
import { releaseDelivery } from "../../../functions/core/release-deliveries.ts";
import { answered } from "../../support/memory.ts";
import { sampleEndpoint, sampleMessage } from "../../support/samples.ts";
import { CallbackWorld, DAY, failed, HOUR, MINUTE, SECOND } from "../callback/support.ts";

const refused: WebhookResult = { kind: "refused", cause: "forbidden-address", durationMs: 1 };

let world: CallbackWorld;
let startedAt: number;

beforeEach(() => {
  world = new CallbackWorld();
  startedAt = world.clock.now();
});

/** When the turn that was put off last is due, from the beginning. */
const dueIn = () => (world.queue.later.at(-1)?.notBefore ?? Number.NaN) - startedAt;
const requests = () => world.webhook.requests.length;
const stored = (turn: DeliveryTurn) => world.find(turn);

describe("a turn", () => {
  it("that is taken by the endpoint ends the delivery", async () => {
    const turn = await world.begin();
    world.clock.advance(1_500);
    expect(await world.take(turn)).toEqual({
      kind: "delivered",
      result: answered(200),
      sinceChangeMs: 1_500,
    });
    expect(world.webhook.requests).toEqual([
      {
        method: "POST",
        url: "https://customer.example/callback",
        headers: { "webhook-id": "endpoint-1_trace-1_sent" },
        body: `trace-1.SENT.${startedAt}`,
      },
    ]);
    expect(deliverySchema.parse(await stored(turn))).toMatchObject({
      state: "delivered",
      turn: 2,
      attempts: [{ at: startedAt + 1_500, durationMs: 1, status: 200, answer: "" }],
      settledAt: startedAt + 1_500,
    });
    expect(world.queue).toMatchObject({ turns: [], later: [], givenUp: [] });
  });

  it.each([200, 201, 204, 299])("is taken by an answer of %d", async (status) => {
    world.answers(answered(status));
    expect(await world.take(await world.begin())).toMatchObject({ kind: "delivered" });
  });

  it("of a delivery that there is not, or not any more, does nothing", async () => {
    const turn = await world.begin();
    expect(await world.take({ ...turn, subject: "other" })).toEqual({ kind: "absent" });
    world.clock.advance(8 * DAY);
    expect(await world.take(turn)).toEqual({ kind: "absent" });
    expect(requests()).toBe(0);
  });

  it("that was taken before does nothing, whatever came of it", async () => {
    const taken = await world.begin();
    await world.take(taken);
    world.answers(answered(500));
    const failing = await world.begin({ subject: "trace-2" });
    await world.take(failing);
    const before = [await stored(taken), await stored(failing)];
    expect(await world.take(taken)).toEqual({ kind: "stale" });
    expect(await world.take(failing)).toEqual({ kind: "stale" });
    expect([await stored(taken), await stored(failing)]).toEqual(before);
    expect(requests()).toBe(2);
    expect(world.queue.later).toHaveLength(1);
  });

  it("that comes again after it was recorded brings no retry forward", async () => {
    world.answers(answered(500));
    const turn = await world.begin({ step: 4 });
    await world.take(turn);
    expect(dueIn()).toBe(HOUR);
    world.clock.advance(2 * MINUTE);
    expect(await world.takeAgain(turn)).toEqual({ kind: "stale" });
    const dues = world.queue.later.map(({ notBefore }) => notBefore - startedAt);
    expect(Math.min(...dues)).toBe(HOUR);
    expect(world.queue.turns).toEqual([]);
    for (const next of world.queue.later.map((later) => later.turn)) await world.take(next);
    expect(requests()).toBe(2);
  });

  it("for an endpoint that was removed, or whose account was, is dropped", async () => {
    const first = await world.begin();
    world.directory.endpoints.length = 0;
    expect(await world.take(first)).toEqual({ kind: "dropped" });
    expect(await stored(first)).toMatchObject({
      state: "failed",
      cause: "the endpoint was removed",
      settledAt: startedAt,
    });
    world.directory.endpoints.push(sampleEndpoint());
    world.directory.accounts.clear();
    expect(await world.take(await world.begin({ subject: "trace-2" }))).toEqual({
      kind: "dropped",
    });
    expect(requests()).toBe(0);
    expect(world.queue.givenUp).toEqual([]);
  });

  it("for an endpoint that is talked to already waits, longer the longer it has waited", async () => {
    const taken = [await world.slots.acquire(sampleEndpoint(), startedAt + DAY, false)];
    taken.push(await world.slots.acquire(sampleEndpoint(), startedAt + DAY, false));
    world.fraction = 0;
    const turn = await world.begin();
    const waits: number[] = [];
    for (let round = 0; round < 12; round++) {
      expect(await world.take(turn)).toEqual({ kind: "busy" });
      const { turn: again, delaySeconds = Number.NaN } = world.queue.delayed.at(-1) ?? {};
      expect(again).toEqual(turn);
      waits.push(delaySeconds);
      world.clock.advance(delaySeconds * SECOND);
    }
    expect(waits.slice(0, 3)).toEqual([1, 1, 1]);
    expect(waits).toEqual([...waits].sort((one, other) => one - other));
    world.clock.time = startedAt + 20 * HOUR;
    await world.take(turn);
    expect(world.queue.delayed.at(-1)?.delaySeconds).toBe(150);
    // Where nobody's retries stand before it.
    expect(world.queue.later).toEqual([]);
    expect(await stored(turn)).toMatchObject({ turn: 0, step: 0, attempts: [] });
    for (const slot of taken) if (slot) await world.slots.release(slot);
    expect(await world.take(turn)).toMatchObject({ kind: "delivered" });
    expect(requests()).toBe(1);
  });

  it("that came among the retries waits there for an endpoint that is talked to already", async () => {
    for (const _ of [1, 2]) await world.slots.acquire(sampleEndpoint(), startedAt + DAY, false);
    const turn = { ...(await world.begin()), aside: true as const };
    world.clock.advance(HOUR);
    expect(await world.take(turn)).toEqual({ kind: "busy" });
    expect(world.queue.later).toEqual([{ turn, notBefore: startedAt + HOUR + 225 * SECOND }]);
    expect(world.queue.turns).toEqual([]);
  });

  it("that waited for the endpoint until the end is given up", async () => {
    for (const _ of [1, 2]) await world.slots.acquire(sampleEndpoint(), startedAt + 3 * DAY, false);
    const turn = await world.begin();
    world.clock.advance(DAY);
    expect(await world.take(turn)).toEqual({ kind: "busy" });
    world.clock.advance(1);
    expect(await world.take(turn)).toEqual({ kind: "given-up" });
    const cause = "the endpoint was busy for too long";
    expect(world.queue.givenUp).toEqual([{ turn, cause }]);
    expect(await stored(turn)).toMatchObject({ state: "failed", cause });
  });
});

describe("the schedule", () => {
  it("is 5 s, 1 min, 5 min, 15 min, then every hour until a day is over, then the dead letters", async () => {
    world.answers(answered(500));
    const turn = await world.begin();
    const kinds = [(await world.take(turn)).kind];
    while (kinds.at(-1) === "will-retry") kinds.push((await world.takeNext()).kind);
    const { attempts, ...delivery } = await stored(turn);
    const seconds = attempts.map(({ at }) => (at - startedAt) / SECOND);
    const hours = Array.from({ length: 23 }, (_, hour) => 1_265 + 3_600 * (hour + 1));
    expect(seconds).toEqual([0, 5, 65, 365, 1_265, ...hours]);
    expect(kinds).toEqual([...Array(27).fill("will-retry"), "given-up"]);
    expect(delivery).toMatchObject({ state: "failed", cause: "HTTP 500", turn: 29 });
    expect(world.queue.givenUp).toEqual([
      { turn: { ...turn, turn: 27, aside: true }, cause: "HTTP 500" },
    ]);
    expect(world.queue.later).toHaveLength(27);
  });

  it("keeps its pauses to a fifth and ends with the day, whatever chance says", async () => {
    const pauses = [5, 60, 300, 900].map((pause) => pause * SECOND);
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), {
          minLength: 1,
          maxLength: 60,
        }),
        async (fractions) => {
          world = new CallbackWorld();
          startedAt = world.clock.now();
          world.answers(failed("timeout", 0));
          let asked = 0;
          const randomness = { fraction: () => fractions[asked++ % fractions.length] as number };
          const turn = await world.begin();
          let kind = (await world.take(turn, { randomness })).kind;
          while (kind === "will-retry") {
            const next = world.queue.later.at(-1);
            if (!next) throw new Error("nothing was put off");
            world.clock.time = next.notBefore;
            kind = (await world.take(next.turn, { randomness })).kind;
          }
          expect(kind).toBe("given-up");
          const times = (await stored(turn)).attempts.map(({ at }) => at - startedAt);
          for (const [index, at] of times.slice(1).entries()) {
            const pause = at - (times[index] as number);
            const full = pauses[index] ?? HOUR;
            expect(pause).toBeGreaterThanOrEqual(full * 0.8);
            expect(pause).toBeLessThanOrEqual(full * 1.2);
          }
          const last = times.at(-1) as number;
          expect(last).toBeLessThanOrEqual(DAY);
          expect(last).toBeGreaterThan(DAY - 1.2 * HOUR);
        },
      ),
      { numRuns: 50 },
    );
  });

  it.each<[string, WebhookResult]>([
    ["408", answered(408)],
    ["429", answered(429)],
    ["500", answered(500)],
    ["503", answered(503)],
    ["599", answered(599)],
    ["a time-out", failed("timeout")],
    ["no connection", failed("ECONNREFUSED")],
  ])("goes on after the third failure with %s", async (_, result) => {
    world.answers(result);
    const outcomes = [await world.take(await world.begin())];
    for (let attempt = 2; attempt <= 4; attempt++) outcomes.push(await world.takeNext());
    expect(outcomes).toMatchObject(Array(4).fill({ kind: "will-retry", result }));
    expect(world.queue.givenUp).toEqual([]);
  });

  it.each<[string, WebhookResult, string]>([
    ["100", answered(100), "HTTP 100"],
    ["199", answered(199), "HTTP 199"],
    ["300", answered(300), "HTTP 300"],
    ["302", answered(302), "HTTP 302"],
    ["400", answered(400), "HTTP 400"],
    ["401", answered(401), "HTTP 401"],
    ["404", answered(404), "HTTP 404"],
    ["499", answered(499), "HTTP 499"],
    ["an address that is not for us", refused, "forbidden-address"],
  ])("ends with the third failure with %s", async (_, result, cause) => {
    world.answers(result);
    const turn = await world.begin();
    const outcomes = [await world.take(turn), await world.takeNext(), await world.takeNext()];
    expect(outcomes.map(({ kind }) => kind)).toEqual(["will-retry", "will-retry", "given-up"]);
    expect(world.queue.later).toHaveLength(2);
    expect(world.queue.givenUp).toEqual([{ turn: { ...turn, turn: 2, aside: true }, cause }]);
    expect(await stored(turn)).toMatchObject({ state: "failed", cause, turn: 4 });
  });

  it("counts no failure that another try may mend among the three", async () => {
    world.answers(answered(503));
    const turn = await world.begin();
    const kinds = [(await world.take(turn)).kind, (await world.takeNext()).kind];
    world.answers(answered(404));
    for (const _ of [1, 2, 3]) kinds.push((await world.takeNext()).kind);
    expect(kinds).toEqual([...Array(4).fill("will-retry"), "given-up"]);
    const { attempts, cause } = await stored(turn);
    expect(cause).toBe("HTTP 404");
    expect(attempts.map(({ permanent = false }) => permanent)).toEqual([
      false,
      false,
      true,
      true,
      true,
    ]);
  });

  it("counts three attempts anew for one that was asked for again", async () => {
    world.answers(answered(404));
    const attempts: Attempt[] = [1, 2, 3].map((day) => ({
      at: startedAt - day * DAY - 1,
      durationMs: 1,
      status: 404,
      permanent: true,
    }));
    const turn = await world.begin({ attempts, turn: 3 });
    expect(await world.take(turn)).toMatchObject({ kind: "will-retry" });
    expect(await world.takeNext()).toMatchObject({ kind: "will-retry" });
    expect(await world.takeNext()).toMatchObject({ kind: "given-up" });
  });

  it("leaves a delivery that succeeds late where it is", async () => {
    world.answers(answered(500));
    const turn = await world.begin();
    await world.take(turn);
    world.answers(answered(200));
    expect(await world.takeNext()).toMatchObject({ kind: "delivered" });
    const delivery = await stored(turn);
    expect(delivery).toMatchObject({ state: "delivered", turn: 3, step: 1 });
    expect(delivery.attempts.map(({ status }) => status)).toEqual([500, 200]);
    expect(delivery.cause).toBeUndefined();
    expect(world.queue).toMatchObject({ turns: [], givenUp: [] });
    expect(world.queue.later).toHaveLength(1);
  });
});

describe("two copies of a turn at the same time", () => {
  it("do not bring back what one of them has ended, where the other fails", async () => {
    const turn = await world.begin();
    const webhook = {
      send: async () => {
        await world.take(turn, { lanes });
        return answered(500);
      },
    };
    // Another function's.
    const lanes = createEndpointLanes({ slots: world.slots, clock: world.clock });
    expect(await world.take(turn, { webhook })).toMatchObject({ kind: "will-retry" });
    world.answers(answered(500));
    for (const { turn: next } of [...world.queue.later]) await world.take(next);
    expect(await stored(turn)).toMatchObject({ state: "delivered" });
    expect(requests()).toBe(1);
  });

  it("do not come between where what one of them has ended is asked for again", async () => {
    const turn = await world.begin();
    const lanes = createEndpointLanes({ slots: world.slots, clock: world.clock });
    const webhook = {
      send: async () => {
        await world.take(turn, { lanes });
        return answered(500);
      },
    };
    await world.take(turn, { webhook });
    await releaseDelivery(world.deps, await stored(turn), 7 * DAY);
    const [copy, asked] = world.queue.later.map((later) => later.turn);
    if (!copy || !asked) throw new Error("two turns are on their way");
    expect(await world.take(copy)).toEqual({ kind: "stale" });
    expect(await world.take(asked)).toMatchObject({ kind: "delivered" });
    expect(requests()).toBe(2);
  });
});

describe("a queue that is away", () => {
  it.each([
    ["is to be tried again", {}, answered(500), 1],
    ["is to be given up", { deadline: 0 }, answered(500), 2],
    ["is not to be tried again", { step: 2 }, answered(410), 2],
  ] as const)(
    "has nothing recorded of a delivery that %s: its turn comes again",
    async (...[, change, result, turnAfter]) => {
      world.answers(result);
      const turn = await world.begin(change);
      const before = await stored(turn);
      world.queue.refuses = true;
      await expect(world.take(turn)).rejects.toThrow("the queue is away");
      expect(await stored(turn)).toEqual(before);
      world.queue.refuses = false;
      await world.takeAgain(turn);
      expect(await stored(turn)).toMatchObject({ turn: turnAfter });
      expect(world.queue.later.length + world.queue.givenUp.length).toBe(1);
    },
  );
});

describe("Retry-After", () => {
  const retryAfter = async (written: string, status = 429) => {
    world.answers(answered(status, written));
    await world.take(await world.begin());
    return dueIn();
  };
  const httpDate = (ms: number) => new Date(world.clock.now() + ms).toUTCString();

  it("is kept in seconds and as a date", async () => {
    expect(await retryAfter("120")).toBe(2 * MINUTE);
    world = new CallbackWorld();
    expect(await retryAfter(httpDate(90 * SECOND), 503)).toBe(90 * SECOND);
  });

  it("does not make it sooner than the schedule", async () => {
    expect(await retryAfter("1")).toBe(5 * SECOND);
  });

  it.each(["", " ", "soon", "-5", "0", "1e9", "1.5", "99999999999999999999", "Infinity"])(
    "is left aside where it is %j",
    async (written) => {
      expect(await retryAfter(written)).toBe(5 * SECOND);
    },
  );

  it("is left aside where it is a date of the past", async () => {
    expect(await retryAfter(httpDate(-DAY))).toBe(5 * SECOND);
  });

  it.each(["999999999", "86401", httpDateOf(9_999)])(
    "of %j makes it the last moment that there is, and that the last attempt",
    async (written) => {
      expect(await retryAfter(written)).toBe(DAY);
      expect(await world.takeNext()).toMatchObject({ kind: "given-up" });
      expect(requests()).toBe(2);
    },
  );

  it("keeps others away from the endpoint as well, for a quarter of an hour at most", async () => {
    await retryAfter("120");
    expect(await world.take(await world.begin({ subject: "trace-2" }))).toEqual({
      kind: "deferred",
    });
    expect(dueIn()).toBe(3 * MINUTE);
    world.clock.advance(2 * MINUTE);
    world.answers(answered(200));
    expect(await world.take(await world.begin({ subject: "trace-3" }))).toMatchObject({
      kind: "delivered",
    });
    world = new CallbackWorld();
    await retryAfter("999999999");
    expect((await world.health()).openUntil).toBe(startedAt + 15 * MINUTE);
  });

  it("is heard with whatever failure it comes", async () => {
    expect(await retryAfter("120", 404)).toBe(2 * MINUTE);
  });
});

function httpDateOf(year: number): string {
  return new Date(Date.UTC(year, 0)).toUTCString();
}

describe("attempts", () => {
  it("are kept with their times and how they went", async () => {
    const turn = await world.begin();
    world.answers({
      kind: "answered",
      status: 503,
      durationMs: 42,
      answer: "later",
      retryAfter: "9",
    });
    await world.take(turn);
    world.answers(failed("timeout", 10_000));
    await world.takeNext();
    world.answers(refused);
    await world.takeNext();
    expect(deliverySchema.parse(await stored(turn)).attempts).toEqual([
      { at: startedAt, durationMs: 42, status: 503, answer: "later" },
      { at: startedAt + 9 * SECOND, durationMs: 10_000, failure: "timeout" },
      { at: startedAt + 69 * SECOND, durationMs: 1, failure: "forbidden-address", permanent: true },
    ]);
  });

  it("are the fifty last ones", async () => {
    const attempts: Attempt[] = Array.from({ length: 50 }, (_, index) => ({
      at: startedAt - 3 * DAY + index,
      durationMs: 1,
      status: 500,
    }));
    const turn = await world.begin({ attempts });
    await world.take(turn);
    expect((await stored(turn)).attempts).toEqual([
      ...attempts.slice(1),
      { at: startedAt, durationMs: 1, status: 200, answer: "" },
    ]);
  });
});

describe("an endpoint that says 410", () => {
  const cause = "the endpoint is disabled: gone";
  const waiting = () => world.begin({ subject: "trace-2" });

  it("is disabled, and its owner told, once", async () => {
    const other = await waiting();
    const third = await world.begin({ subject: "trace-3" });
    world.answers(answered(410));
    const turn = await world.begin();
    expect(await world.take(turn)).toEqual({
      kind: "given-up",
      result: answered(410),
      sinceChangeMs: 0,
      disabled: true,
    });
    expect(await world.health()).toMatchObject({
      state: "disabled",
      disabledReason: "gone",
      stateAt: startedAt,
      toldAt: startedAt,
    });
    expect(await stored(turn)).toMatchObject({
      state: "failed",
      cause,
      attempts: [{ status: 410 }],
    });
    for (const late of [other, third]) expect(await world.take(late)).toEqual({ kind: "dropped" });
    expect(requests()).toBe(1);
    expect(world.bus.events.map((event) => endpointDisabledSchema.parse(event))).toEqual([
      {
        version: 1,
        eventId: `endpoint-1.disabled.${startedAt}`,
        account: "acme",
        endpointId: "endpoint-1",
        origin: "https://customer.example",
        reason: "gone",
        failingSince: new Date(startedAt).toISOString(),
        at: new Date(startedAt).toISOString(),
      },
    ]);
  });

  it("leaves what came before among the dead letters, and what comes later where it is", async () => {
    const before = await waiting();
    world.answers(answered(410));
    const turn = await world.begin();
    await world.take(turn);
    world.clock.advance(1);
    const after = await world.begin({ subject: "trace-3" });
    for (const late of [before, after]) await world.take(late);
    expect(world.queue.givenUp).toEqual([
      { turn, cause },
      { turn: before, cause },
    ]);
    expect([await stored(before), await stored(after)]).toMatchObject(
      Array(2).fill({ state: "failed", cause, attempts: [] }),
    );
  });

  it("is told of by the same turn, coming again, where the bus would not take it", async () => {
    world.answers(answered(410));
    world.bus.refuses = true;
    const turn = await world.begin();
    await expect(world.take(turn)).rejects.toThrow("the bus did not take");
    expect((await stored(turn)).state).toBe("pending");
    world.bus.refuses = false;
    world.clock.advance(2 * MINUTE);
    expect(await world.takeAgain(turn)).toEqual({ kind: "dropped" });
    expect(world.bus.events).toHaveLength(1);
    expect(world.queue.givenUp).toEqual([{ turn, cause }]);
    expect(requests()).toBe(1);
  });

  it("is told of by others only where who disabled it must have died before it could", async () => {
    await world.setHealth({ state: "disabled", disabledReason: "gone", stateAt: startedAt });
    world.clock.advance(90 * SECOND);
    await world.take(await waiting());
    expect(world.bus.events).toEqual([]);
    world.clock.advance(1);
    await world.take(await world.begin({ subject: "trace-3" }));
    await world.take(await world.begin({ subject: "trace-4" }));
    expect(world.bus.events).toMatchObject([{ at: new Date(startedAt).toISOString() }]);
    expect(await world.health()).toMatchObject({ toldAt: world.clock.now() });
  });

  it("is told of without what can be secret of its URL, and with its sub-account", async () => {
    const url = "https://name:secret@customer.example:8443/secret/path?key=secret#secret";
    world = new CallbackWorld({ url, subAccount: "Marketing" });
    world.answers(answered(410), url);
    await world.take(await world.begin());
    expect(world.bus.events).toMatchObject([
      { origin: "https://customer.example:8443", subAccount: "Marketing" },
    ]);
    expect(JSON.stringify(world.bus.events)).not.toContain("secret");
  });

  it("is counted once as disabled, and told of once, however many requests were under way", async () => {
    const turns = [];
    for (let index = 0; index < 10; index++) {
      turns.push(await world.begin({ subject: `trace-${index}` }));
    }
    let answer = () => {};
    const all = new Promise<void>((resolve) => {
      answer = resolve;
    });
    let asked = 0;
    const webhook = {
      send: async () => {
        if (++asked === turns.length) answer();
        await all;
        return answered(410);
      },
    };
    const lanes: EndpointLanes = { inTurn: (_, work) => work(() => true) };
    const outcomes = await Promise.all(turns.map((turn) => world.take(turn, { webhook, lanes })));
    expect(outcomes.map(({ kind }) => kind)).toEqual(Array(10).fill("given-up"));
    expect(outcomes.filter(({ disabled }) => disabled)).toHaveLength(1);
    expect(world.bus.events).toHaveLength(1);
  });

  it("does not take what an endpoint that was just disabled by hand fails at for its own doing", async () => {
    const webhook = {
      send: async () => {
        await world.setState("disabled");
        return answered(500);
      },
    };
    const turn = await world.begin();
    expect(await world.take(turn, { webhook })).toMatchObject({ kind: "given-up" });
    expect(world.bus.events).toEqual([]);
    expect(await stored(turn)).toMatchObject({ cause: "the endpoint is disabled: by-hand" });
  });
});

describe("an endpoint that fails for five days", () => {
  it("is disabled, and its owner told", async () => {
    await world.setHealth({ failingSince: startedAt - 5 * DAY, lastFailureAt: startedAt - DAY });
    world.answers(failed("timeout"));
    const turn = await world.begin();
    expect(await world.take(turn)).toMatchObject({ kind: "given-up", disabled: true });
    expect(await world.health()).toMatchObject({ state: "disabled", disabledReason: "failing" });
    expect(world.bus.events).toMatchObject([
      { reason: "failing", failingSince: new Date(startedAt - 5 * DAY).toISOString() },
    ]);
    expect(world.queue.givenUp).toEqual([{ turn, cause: "the endpoint is disabled: failing" }]);
  });
});

describe("an endpoint that its owner", () => {
  it("has paused gets nothing, and its deliveries are held", async () => {
    await world.setState("paused");
    const turn = await world.begin();
    expect(await world.take(turn)).toEqual({ kind: "held" });
    expect(requests()).toBe(0);
    expect(await stored(turn)).toMatchObject({ state: "held", turn: 1, settledAt: startedAt });
    expect(world.queue).toMatchObject({ turns: [], later: [], givenUp: [] });
    expect(await world.take(turn)).toEqual({ kind: "stale" });
  });

  it("has paused has its deliveries held for the whole time of retention from then on", async () => {
    const turn = await world.begin();
    world.clock.advance(DAY);
    await world.setState("paused");
    expect(await world.take(turn)).toEqual({ kind: "held" });
    world.clock.advance(7 * DAY - SECOND);
    expect(await stored(turn)).toMatchObject({ state: "held", settledAt: startedAt + DAY });
  });

  describe("resumes after two days", () => {
    /** @returns the turns of what was sent, and of what was received, that come then */
    const resumed = async () => {
      await world.setState("paused");
      const sent = await world.begin();
      const delivered = await world.begin({ level: "delivered" });
      expect(await world.take(sent)).toEqual({ kind: "held" });
      expect(await world.take(delivered)).toEqual({ kind: "waiting" });
      world.clock.advance(2 * DAY);
      await world.setState("active");
      return { sent: { ...sent, turn: 1 }, delivered: { ...delivered, turn: 1 } };
    };
    /** The delivery at the beginning of a schedule of its own. */
    const expectBegunAnew = async (turn: DeliveryTurn) => {
      const delivery = await stored(turn);
      const now = world.clock.now();
      expect(delivery).toMatchObject({
        state: "pending",
        step: 1,
        deadline: now + DAY,
        removeAt: (now + 7 * DAY) / SECOND,
      });
      expect(delivery).not.toHaveProperty("settledAt");
      expect(dueIn()).toBe(now - startedAt + 5 * SECOND);
    };

    it("has what was held begin anew", async () => {
      const { sent } = await resumed();
      world.answers(answered(503));
      expect(await world.take(sent)).toMatchObject({ kind: "will-retry" });
      await expectBegunAnew(sent);
    });

    it("has what waited for that begin anew, once that was told", async () => {
      const { sent, delivered } = await resumed();
      expect(await world.take(sent)).toMatchObject({ kind: "delivered" });
      expect(world.queue.turns).toEqual([delivered]);
      world.answers(answered(503));
      expect(await world.take(delivered)).toMatchObject({ kind: "will-retry" });
      await expectBegunAnew(delivered);
      let { kind } = await world.takeNext();
      while (kind === "will-retry") ({ kind } = await world.takeNext());
      expect(kind).toBe("given-up");
      expect((await stored(delivered)).attempts).toHaveLength(28);
    });

    it("does not have what waited given up on where the circuit is open", async () => {
      const { sent, delivered } = await resumed();
      await world.take(sent);
      await world.setHealth({ failures: 5, openings: 1, openUntil: world.clock.now() + SECOND });
      expect(await world.take(delivered)).toEqual({ kind: "deferred" });
      await expectBegunAnew(delivered);
      expect(world.queue.givenUp).toEqual([]);
    });

    it("does not have what waited given up on where it is talked to already", async () => {
      const { sent, delivered } = await resumed();
      await world.take(sent);
      for (const _ of [1, 2])
        await world.slots.acquire(sampleEndpoint(), startedAt + 3 * DAY, false);
      expect(await world.take(delivered)).toEqual({ kind: "busy" });
      expect(world.queue.delayed).toEqual([{ turn: { ...delivered, turn: 2 }, delaySeconds: 2 }]);
    });
  });

  it("resumes in the moment in which a delivery comes to be held has that go on", async () => {
    await world.setState("paused");
    const turn = await world.begin();
    const deliveries = {
      find: world.deliveries.find.bind(world.deliveries),
      record: async (...args: Parameters<typeof world.deliveries.record>) => {
        await world.setState("active");
        return world.deliveries.record(...args);
      },
    };
    expect(await world.take(turn, { deliveries })).toEqual({ kind: "held" });
    expect(world.queue.turns).toEqual([{ ...turn, turn: 1 }]);
    expect(await world.take({ ...turn, turn: 1 })).toMatchObject({ kind: "delivered" });
  });

  it("resumes in the moment in which the function dies that holds a delivery has that go on", async () => {
    await world.setState("paused");
    const turn = await world.begin();
    await world.take(turn);
    expect(await world.takeAgain(turn)).toEqual({ kind: "stale" });
    expect(world.queue.later).toEqual([]);
    await world.setState("active");
    expect(await world.takeAgain(turn)).toEqual({ kind: "stale" });
    expect(await world.takeNext()).toMatchObject({ kind: "delivered" });
    expect(await world.takeNext()).toEqual({ kind: "stale" });
    expect(requests()).toBe(1);
  });

  it("has disabled gets nothing, nobody is told, and nothing is set aside", async () => {
    const before = await world.begin();
    await world.setState("disabled");
    world.clock.advance(1);
    const after = await world.begin({ subject: "trace-2" });
    const cause = "the endpoint is disabled: by-hand";
    for (const turn of [before, after]) {
      expect(await world.take(turn)).toEqual({ kind: "dropped" });
      expect(await stored(turn)).toMatchObject({ state: "failed", cause });
    }
    expect(world.queue.givenUp).toEqual([]);
    expect(world.bus.events).toEqual([]);
    expect(requests()).toBe(0);
  });
});

describe("an endpoint whose circuit is open", () => {
  it("gets no request, and its deliveries move on in the schedule", async () => {
    await world.setHealth({ failures: 5, openings: 1, openUntil: startedAt + 20 * SECOND });
    const turn = await world.begin({ step: 1 });
    expect(await world.take(turn)).toEqual({ kind: "deferred" });
    expect(dueIn()).toBe(MINUTE);
    expect(await stored(turn)).toMatchObject({ state: "pending", step: 2, turn: 1, attempts: [] });
    expect(requests()).toBe(0);
  });

  it("gets nothing before the break is over, and not everything at once then", async () => {
    await world.setHealth({ failures: 5, openings: 5, openUntil: startedAt + 10 * MINUTE });
    const dues = new Set<number>();
    for (const [index, fraction] of [0, 0.25, 0.5, 0.999].entries()) {
      world.fraction = fraction;
      await world.take(await world.begin({ subject: `trace-${index}` }));
      expect(dueIn()).toBeGreaterThanOrEqual(10 * MINUTE);
      expect(dueIn()).toBeLessThanOrEqual(20 * MINUTE);
      dues.add(dueIn());
    }
    expect(dues.size).toBe(4);
  });

  it("is given up on where the day ends before the break", async () => {
    world.clock.advance(DAY - MINUTE);
    const now = world.clock.now();
    await world.setHealth({ failures: 5, openings: 5, openUntil: now + 10 * MINUTE });
    const turn = await world.begin({ createdAt: startedAt, deadline: startedAt + DAY });
    expect(await world.take(turn)).toEqual({ kind: "given-up" });
    expect(world.queue.givenUp).toEqual([{ turn, cause: "the endpoint does not answer" }]);
  });

  it("is tried by one alone when the break is over", async () => {
    const turns = [];
    for (const subject of ["trace-1", "trace-2", "trace-3"]) {
      turns.push(await world.begin({ subject }));
    }
    await world.setHealth({ failures: 5, openings: 1, openUntil: startedAt });
    const lanes: EndpointLanes = { inTurn: (_, work) => work(() => true) };
    const outcomes = await Promise.all(turns.map((turn) => world.take(turn, { lanes })));
    expect(outcomes.map(({ kind }) => kind).sort()).toEqual(["deferred", "deferred", "delivered"]);
    expect(requests()).toBe(1);
    expect(await world.health()).toMatchObject({ failures: 0, openings: 0 });
    expect((await world.health()).openUntil).toBeUndefined();
  });

  it("is tried while nobody else does, although somebody was about to find out", async () => {
    const turn = await world.begin();
    await world.setHealth({ failures: 5, openings: 1, openUntil: startedAt });
    let looks = 0;
    const healths = {
      find: async () => {
        const found = await world.health();
        // Between this one's look in its lane and its claim on the try, another gets that.
        if (++looks === 2) await world.setHealth({ openUntil: startedAt + 30 * SECOND });
        return found;
      },
      update: world.healths.update.bind(world.healths),
    };
    expect(await world.take(turn, { healths })).toEqual({ kind: "deferred" });
    expect(requests()).toBe(0);
  });

  it("opens at the fifth failure, whoever's that is", async () => {
    world.answers(failed("timeout"));
    for (let failure = 1; failure <= 5; failure++) {
      expect((await world.health()).openUntil).toBeUndefined();
      await world.take(await world.begin({ subject: `trace-${failure}` }));
    }
    expect((await world.health()).openUntil).toBeGreaterThan(startedAt);
    expect(await world.take(await world.begin({ subject: "trace-6" }))).toEqual({
      kind: "deferred",
    });
    expect(requests()).toBe(5);
  });

  it("does not keep a delivery from the lane in which it became known", async () => {
    world.answers(failed("timeout"));
    await world.setHealth({ failures: 4 });
    const turns = [];
    for (const subject of ["trace-1", "trace-2", "trace-3"]) {
      turns.push(await world.begin({ subject }));
    }
    const outcomes = await Promise.all(turns.map((turn) => world.take(turn)));
    expect(outcomes.map(({ kind }) => kind)).toEqual(["will-retry", "deferred", "deferred"]);
    expect(requests()).toBe(1);
  });
});

describe("an endpoint whose answers take long", () => {
  const slow = (): WebhookResult => ({ ...answered(200), durationMs: 3 * SECOND });
  const aside = (turn: DeliveryTurn) => ({ ...turn, aside: true as const });

  it("is talked to among the retries for a minute", async () => {
    world.answers(slow());
    await world.take(await world.begin());
    world.clock.advance(MINUTE - 1);
    const second = await world.begin({ subject: "trace-2" });
    expect(await world.take(second)).toEqual({ kind: "aside" });
    expect(world.queue.later).toEqual([{ turn: aside(second), notBefore: world.clock.now() }]);
    expect(await stored(second)).toMatchObject({ state: "pending", turn: 0, step: 0 });
    expect(requests()).toBe(1);
    expect(await world.takeNext()).toMatchObject({ kind: "delivered" });
  });

  it("is talked to like any other afterwards", async () => {
    world.answers(slow());
    await world.take(await world.begin());
    world.clock.advance(MINUTE);
    expect(await world.take(await world.begin({ subject: "trace-2" }))).toMatchObject({
      kind: "delivered",
    });
  });

  it("has what waited for another go among the retries as well", async () => {
    world.answers(slow());
    const sent = await world.begin();
    const delivered = await world.begin({ level: "delivered" });
    await world.take(delivered);
    await world.take(sent);
    expect(await world.take({ ...delivered, turn: 1 })).toEqual({ kind: "aside" });
    expect(await world.takeNext()).toMatchObject({ kind: "delivered" });
  });

  it("is not put aside before it is asked whether it is to be told at all", async () => {
    await world.setState("paused");
    await world.setHealth({ slowUntil: startedAt + MINUTE });
    expect(await world.take(await world.begin())).toEqual({ kind: "held" });
  });
});

describe("health that others keep changing", () => {
  it("is left to them in the end, and the delivery goes its way", async () => {
    world.answers(failed("timeout"));
    let updates = 0;
    const healths = {
      find: world.healths.find.bind(world.healths),
      update: async () => {
        updates++;
        return false;
      },
    };
    expect(await world.take(await world.begin(), { healths })).toMatchObject({
      kind: "will-retry",
    });
    expect(updates).toBe(5);
  });

  it("counts each failure of those that fail at the same time", async () => {
    world.answers(failed("timeout"));
    const lanes: EndpointLanes = { inTurn: (_, work) => work(() => true) };
    const turns = [await world.begin(), await world.begin({ subject: "trace-2" })];
    await Promise.all(turns.map((turn) => world.take(turn, { lanes })));
    expect(await world.health()).toMatchObject({ failures: 2 });
  });
});

describe("the order of what an endpoint is told of a message", () => {
  const levels = () =>
    world.webhook.requests.map(({ headers }) => headers["webhook-id"]?.split("_").at(-1));
  const both = async (sent: Partial<Delivery> = {}) => ({
    sent: await world.begin(sent),
    delivered: await world.begin({ level: "delivered" }),
  });

  it("has what was received wait for what was sent", async () => {
    const { sent, delivered } = await both();
    expect(await world.take(delivered)).toEqual({ kind: "waiting" });
    expect(await stored(delivered)).toMatchObject({ state: "waiting", turn: 1 });
    expect(await world.take(sent)).toMatchObject({ kind: "delivered" });
    expect(world.queue.turns).toEqual([{ ...delivered, turn: 1 }]);
    expect(await world.take({ ...delivered, turn: 1 })).toMatchObject({ kind: "delivered" });
    expect(levels()).toEqual(["sent", "delivered"]);
  });

  it.each(["delivered", "failed"] as const)(
    "does not make it wait for what is %s already",
    async (state) => {
      const { delivered } = await both({ state, turn: 3 });
      expect(await world.take(delivered)).toMatchObject({ kind: "delivered" });
    },
  );

  it("does not make it wait for what nobody was to be told", async () => {
    const delivered = await world.begin({ level: "delivered" });
    await world.begin({ subject: "trace-2" });
    expect(await world.take(delivered)).toMatchObject({ kind: "delivered" });
  });

  it("does not make an MO wait", async () => {
    await world.begin();
    expect(await world.take(await world.begin({ level: "received" }))).toMatchObject({
      kind: "delivered",
    });
  });

  it("lets it go when what was sent is given up", async () => {
    const { sent, delivered } = await both();
    await world.take(delivered);
    world.answers(answered(404));
    await world.take(sent);
    await world.takeNext();
    expect(world.queue.turns).toEqual([]);
    await world.takeNext();
    expect(world.queue.turns).toEqual([{ ...delivered, turn: 1 }]);
    world.answers(answered(200));
    expect(await world.take({ ...delivered, turn: 1 })).toMatchObject({ kind: "delivered" });
  });

  it("lets it go when the endpoint is gone, to be dropped as well", async () => {
    const { sent, delivered } = await both();
    await world.take(delivered);
    world.directory.endpoints.length = 0;
    await world.take(sent);
    expect(world.queue.turns).toEqual([{ ...delivered, turn: 1 }]);
    expect(await world.take({ ...delivered, turn: 1 })).toEqual({ kind: "dropped" });
  });

  it("lets nothing go that does not wait", async () => {
    const { sent } = await both();
    await world.take(sent);
    expect(world.queue.turns).toEqual([]);
  });

  it("keeps it waiting while what was sent is held, until that was told", async () => {
    await world.setState("paused");
    const { sent, delivered } = await both();
    await world.take(sent);
    await world.setState("active");
    expect(await world.take(delivered)).toEqual({ kind: "waiting" });
    await world.take({ ...sent, turn: 1 });
    expect(world.queue.turns).toEqual([{ ...delivered, turn: 1 }]);
  });

  /** Ports of which the store does something else first when it is to record that a delivery waits. */
  const beforeItWaits = (act: () => Promise<unknown>) => ({
    deliveries: {
      find: world.deliveries.find.bind(world.deliveries),
      record: async (...[turn, change]: Parameters<typeof world.deliveries.record>) => {
        if (change.state === "waiting") await act();
        return world.deliveries.record(turn, change);
      },
    },
  });

  it("tells it where what was sent is settled in the moment in which it comes to wait", async () => {
    const { sent, delivered } = await both();
    const deps = beforeItWaits(() => world.take(sent));
    expect(await world.take(delivered, deps)).toMatchObject({ kind: "delivered" });
    expect(levels()).toEqual(["sent", "delivered"]);
    expect(await stored(delivered)).toMatchObject({ state: "delivered" });
  });

  it("tells it all the same where the function dies right after that", async () => {
    const { sent, delivered } = await both();
    const deps = beforeItWaits(() => world.take(sent));
    const webhook = { send: () => Promise.reject(new Error("the function died")) };
    await expect(world.take(delivered, { ...deps, webhook })).rejects.toThrow("died");
    expect(await world.takeAgain(delivered)).toEqual({ kind: "stale" });
    // As far off as its first retry, because as a rule its next turn is under way already.
    expect(dueIn()).toBe(5 * SECOND);
    const turns = [...world.queue.turns, ...world.queue.later.map(({ turn }) => turn)];
    for (const turn of turns) await world.take(turn);
    expect(await stored(delivered)).toMatchObject({ state: "delivered" });
  });

  it("leaves it to who was faster where its turn is over when it comes to wait", async () => {
    const { sent, delivered } = await both();
    const deps = beforeItWaits(async () => {
      await world.take(sent);
      await world.take(delivered);
    });
    expect(await world.take(delivered, deps)).toEqual({ kind: "stale" });
    expect(levels()).toEqual(["sent", "delivered"]);
  });

  it("lets it go although who settled what was sent died before", async () => {
    const { sent, delivered } = await both();
    await world.take(delivered);
    world.queue.refuses = true;
    await expect(world.take(sent)).rejects.toThrow("the queue is away");
    world.queue.refuses = false;
    expect(await world.takeAgain(sent)).toEqual({ kind: "stale" });
    expect(world.queue.turns).toEqual([{ ...delivered, turn: 1 }]);
    expect(levels()).toEqual(["sent"]);
  });

  it("lets nothing go that is still to wait, whoever comes again", async () => {
    const { delivered } = await both();
    await world.take(delivered);
    expect(await world.takeAgain(delivered)).toEqual({ kind: "stale" });
    expect(world.queue).toMatchObject({ turns: [], later: [] });
  });
});

describe("a test", () => {
  const begin = () => world.begin({ level: "test", subject: "test-1" });

  it("is one request, whatever the endpoint's state", async () => {
    for (const state of ["paused", "disabled"] as const) {
      world = new CallbackWorld();
      await world.setState(state);
      await world.setHealth({ openUntil: startedAt + HOUR });
      const turn = await begin();
      expect(await world.take(turn)).toMatchObject({ kind: "delivered", result: answered(200) });
      expect(await stored(turn)).toMatchObject({ state: "delivered", attempts: [{ status: 200 }] });
    }
  });

  it("that fails is not tried again, set aside, or held against the endpoint", async () => {
    world.answers(answered(410));
    const turn = await begin();
    expect(await world.take(turn)).toMatchObject({ kind: "given-up", result: answered(410) });
    expect(await stored(turn)).toMatchObject({
      state: "failed",
      cause: "HTTP 410",
      attempts: [{ status: 410 }],
    });
    expect(world.queue).toMatchObject({ turns: [], later: [], givenUp: [] });
    expect(world.bus.events).toEqual([]);
    expect(await world.health()).toMatchObject({ state: "active", revision: 0 });
  });

  it("waits for a slot like everybody else", async () => {
    for (const _ of [1, 2]) await world.slots.acquire(sampleEndpoint(), startedAt + MINUTE, false);
    const turn = await begin();
    expect(await world.take(turn)).toEqual({ kind: "busy" });
    expect(world.queue.delayed).toEqual([{ turn, delaySeconds: 2 }]);
    world.clock.advance(MINUTE);
    expect(await world.take(turn)).toMatchObject({ kind: "delivered" });
  });
});

describe("that a message was sent for good, as its operator was said to give no receipts", () => {
  it("is told before a receipt that comes all the same, where last words only are wanted", async () => {
    world = new CallbackWorld({ callbackOption: "FINAL" });
    const last = sampleMessage(startedAt, { state: "SENT", reason: "no-receipts" });
    const sent = await world.begin({ event: messageStatusChanged(last) });
    const delivered = await world.begin({ level: "delivered" });
    expect(await world.take(delivered)).toEqual({ kind: "waiting" });
    expect(await world.take(sent)).toMatchObject({ kind: "delivered" });
    expect(world.queue.turns).toMatchObject([{ level: "delivered", turn: 1 }]);
  });
});

it("does nothing in its lane where a copy of the turn was faster", async () => {
  const turn = await world.begin();
  const outcomes = await Promise.all([world.take(turn), world.take(turn)]);
  expect(outcomes.map(({ kind }) => kind)).toEqual(["delivered", "stale"]);
  expect(requests()).toBe(1);
});
