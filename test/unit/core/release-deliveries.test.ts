import fc from "fast-check";
import { beforeEach, describe, expect, it } from "vitest";
import type { Delivery, ReleaseJob } from "../../../functions/core/callback-delivery.ts";
import { turnOf } from "../../../functions/core/deliver-callbacks.ts";
import { releaseDeliveries, releaseDelivery } from "../../../functions/core/release-deliveries.ts";
import { answered } from "../../support/memory.ts";
import { sampleDelivery } from "../../support/samples.ts";
import { CallbackWorld, DAY, HOUR, SECOND } from "../callback/support.ts";
import { FAULTS, FaultyPorts } from "./support.ts";

const RETENTION_MS = 7 * DAY;

let world: CallbackWorld;
let now: number;

beforeEach(() => {
  world = new CallbackWorld();
  world.clock.advance(2 * DAY);
  now = world.clock.now();
});

/** Has a delivery be in the store that failed, or is held, since a time. */
function parked(index: number, overrides: Partial<Delivery> = {}): Promise<Delivery> {
  return world.deliveries.insert(
    sampleDelivery(now - 2 * DAY, {
      subject: `trace-${index}`,
      state: "failed",
      cause: "HTTP 500",
      turn: 28,
      step: 27,
      settledAt: now - DAY,
      ...overrides,
    }),
  );
}

const jobOf = (overrides: Partial<ReleaseJob> = {}): ReleaseJob => ({
  kind: "release",
  account: "acme",
  endpointId: "endpoint-1",
  state: "failed",
  since: 0,
  until: now,
  ...overrides,
});

/** Works a job off, round by round. @returns how many went on in each */
async function workOff(job: ReleaseJob): Promise<number[]> {
  const rounds = [await releaseDeliveries(world.deps, job)];
  for (let round = 0; round < world.queue.releases.length; round++) {
    const next = world.queue.releases[round];
    if (!next) break;
    world.clock.advance(next.delaySeconds * SECOND);
    rounds.push(await releaseDeliveries(world.deps, next.job));
  }
  return rounds;
}

describe("releaseDelivery", () => {
  it("has a delivery told again, from the beginning of a schedule of a day", async () => {
    const delivery = await parked(1, { attempts: [{ at: now - DAY, durationMs: 1, status: 500 }] });
    expect(await releaseDelivery(world.deps, delivery, RETENTION_MS)).toBe(true);
    expect(world.queue.later).toEqual([
      { turn: { ...turnOf(delivery), aside: true }, notBefore: now + 5 * SECOND },
    ]);
    const { cause: _, settledAt: __, ...rest } = delivery;
    expect(await world.find(delivery)).toStrictEqual({
      ...rest,
      state: "pending",
      step: 0,
      deadline: now + DAY,
      removeAt: (now + RETENTION_MS) / 1_000,
    });
    expect(await world.takeNext()).toMatchObject({ kind: "delivered" });
    expect((await world.find(delivery)).attempts).toHaveLength(2);
  });

  it("does not have anything forgotten sooner", async () => {
    const removeAt = (now + 30 * DAY) / 1_000;
    const delivery = await parked(1, { removeAt });
    await releaseDelivery(world.deps, delivery, RETENTION_MS);
    expect(await world.find(delivery)).toMatchObject({ removeAt });
  });

  it("leaves a delivery to who has taken a turn of it meanwhile", async () => {
    const delivery = await parked(1);
    await world.take(turnOf(delivery));
    const taken = await world.find(delivery);
    expect(await releaseDelivery(world.deps, delivery, RETENTION_MS)).toBe(false);
    expect(await world.find(delivery)).toEqual(taken);
    expect(await world.takeNext()).toEqual({ kind: "stale" });
  });

  it("records nothing of what the queue does not take", async () => {
    const delivery = await parked(1);
    world.queue.refuses = true;
    await expect(releaseDelivery(world.deps, delivery, RETENTION_MS)).rejects.toThrow("away");
    expect(await world.find(delivery)).toEqual(delivery);
  });

  it("has it told although nobody got to record that", async () => {
    const delivery = await parked(1);
    const deliveries = { record: () => Promise.reject(new Error("the store is away")) };
    const deps = { ...world.deps, deliveries };
    await expect(releaseDelivery(deps, delivery, RETENTION_MS)).rejects.toThrow("away");
    expect(await world.takeNext()).toMatchObject({ kind: "delivered" });
  });

  it("tells it once, however often it is asked for before its turn comes", async () => {
    const delivery = await parked(1);
    for (const _ of [1, 2, 3]) await releaseDelivery(world.deps, delivery, RETENTION_MS);
    for (const { turn } of world.queue.later) await world.take(turn);
    expect(world.webhook.requests).toHaveLength(1);
  });
});

describe("releaseDeliveries", () => {
  it("lets those of one endpoint go on that came into the state in the period", async () => {
    await parked(1, { settledAt: now - 2 * HOUR });
    await parked(2, { settledAt: now - HOUR });
    await parked(3, { settledAt: now });
    await parked(4, { settledAt: now + 1 });
    await parked(5, { settledAt: now - 2 * HOUR - 1 });
    await parked(6, { state: "held" });
    await parked(7, { state: "delivered" });
    await parked(8, { endpointId: "endpoint-2" });
    await parked(9, { account: "other" });
    await workOff(jobOf({ since: now - 2 * HOUR }));
    expect(world.queue.later.map(({ turn }) => turn.subject)).toEqual([
      "trace-1",
      "trace-2",
      "trace-3",
    ]);
  });

  it("lets go what is held, where that is asked for", async () => {
    const held = await parked(1, { state: "held", turn: 1 });
    await parked(2);
    await workOff(jobOf({ state: "held" }));
    expect(world.queue.later.map(({ turn }) => turn)).toEqual([{ ...turnOf(held), aside: true }]);
  });

  it("does two hundred in a round, and the next two seconds later, until nothing is left", async () => {
    for (let index = 0; index < 450; index++) await parked(index, { settledAt: now - 450 + index });
    expect(await workOff(jobOf())).toEqual([200, 200, 50, 0]);
    expect(world.queue.releases).toEqual(Array(3).fill({ job: jobOf(), delaySeconds: 2 }));
    const subjects = world.queue.later.map(({ turn }) => turn.subject);
    expect(new Set(subjects).size).toBe(450);
    const dues = new Set(world.queue.later.map(({ notBefore }) => (notBefore - now) / SECOND));
    expect([...dues]).toEqual([5, 7, 9]);
  });

  it("ends at once where there is nothing", async () => {
    expect(await workOff(jobOf())).toEqual([0]);
    expect(world.queue.releases).toEqual([]);
  });

  it("does not bring back again what fails again", async () => {
    world.answers(answered(404));
    for (let index = 0; index < 3; index++) await parked(index);
    await releaseDeliveries(world.deps, jobOf());
    while (world.queue.later.length > 0) {
      const next = world.queue.later.shift();
      if (!next) break;
      world.clock.time = Math.max(world.clock.now(), next.notBefore);
      await world.take(next.turn);
    }
    expect(world.deliveries.all().map(({ state }) => state)).toEqual(Array(3).fill("failed"));
    expect(await releaseDeliveries(world.deps, jobOf())).toBe(0);
    // Whoever asks once more is heard.
    expect(await releaseDeliveries(world.deps, jobOf({ until: world.clock.now() }))).toBe(3);
  });

  it("holds again what is let go while its endpoint is still paused, until the next release", async () => {
    await world.setState("paused");
    const held = await parked(1, { state: "held", turn: 1 });
    await workOff(jobOf({ state: "held" }));
    expect(await world.takeNext()).toEqual({ kind: "held" });
    expect(await releaseDeliveries(world.deps, jobOf({ state: "held" }))).toBe(0);
    await world.setState("active");
    await workOff(jobOf({ state: "held", until: world.clock.now() }));
    expect(await world.takeNext()).toMatchObject({ kind: "delivered" });
    expect(await world.find(held)).toMatchObject({ state: "delivered" });
  });

  it("comes to its end whatever call fails, and every delivery is told", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.nat({ max: 60 }), { maxLength: 4 }),
        fc.constantFrom(...FAULTS),
        fc.integer({ min: 1, max: 45 }),
        async (faults, fault, count) => {
          world = new CallbackWorld();
          world.clock.time = now;
          for (let index = 0; index < count; index++) await parked(index);
          const ports = new FaultyPorts((_, call) => (faults.includes(call) ? fault : undefined));
          const deps = {
            ...world.deps,
            deliveries: ports.wrap(world.deliveries),
            queue: ports.wrap(world.queue),
          };
          const jobs = [jobOf()];
          for (let job = jobs.shift(); job; job = jobs.shift()) {
            const again = job;
            await releaseDeliveries(deps, job).catch(() => jobs.push(again));
            jobs.push(...world.queue.releases.splice(0).map((release) => release.job));
          }
          world.clock.advance(5 * SECOND);
          for (const { turn } of world.queue.later) await world.take(turn);
          const states = world.deliveries.all().map(({ state }) => state);
          expect(states).toEqual(Array(count).fill("delivered"));
          expect(world.webhook.requests).toHaveLength(count);
        },
      ),
    );
  });
});
