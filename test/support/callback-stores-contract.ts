import { randomUUID } from "node:crypto";
import fc from "fast-check";
import { beforeEach, describe, expect, it, vi } from "vitest";
import {
  type Attempt,
  DELIVERY_STATES,
  type Delivery,
  type DeliveryKey,
  type DeliveryTurn,
} from "../../functions/core/callback-delivery.ts";
import type {
  Deliveries,
  DeliveryChange,
  EndpointHealths,
  EndpointSlots,
  Slot,
} from "../../functions/core/callback-ports.ts";
import { type EndpointHealth, goodHealth } from "../../functions/core/endpoint-health.ts";
import { messageReceived, messageStatusChanged } from "../../functions/core/events.ts";
import { ManualClock } from "./memory.ts";
import { MemoryDeliveries } from "./memory-callbacks.ts";
import { sampleMessage, sampleMo } from "./samples.ts";

const ALL = { before: Number.MAX_SAFE_INTEGER, limit: 1_000 };
const ANY_TIME = { since: 0, until: Number.MAX_SAFE_INTEGER };

const countDefined = (answers: readonly unknown[]) =>
  answers.filter((answer) => answer !== undefined).length;

/** A delivery whose first turn is to come. */
function sampleDelivery(now: number, overrides: Partial<Delivery> = {}): Delivery {
  return {
    version: 1,
    account: "acme",
    endpointId: "endpoint-1",
    subject: "trace-1",
    level: "sent",
    event: messageStatusChanged(sampleMessage(now, { state: "SENT", sentAt: now }), {
      state: "SENDING",
    }),
    state: "pending",
    turn: 0,
    step: 0,
    attempts: [],
    createdAt: now,
    deadline: now + 86_400_000,
    removeAt: Math.ceil(now / 1_000) + 7 * 86_400,
    ...overrides,
  };
}

const turnOf = ({ account, endpointId, subject, level }: DeliveryKey, turn = 0): DeliveryTurn => ({
  account,
  endpointId,
  subject,
  level,
  turn,
});

/** What all `Deliveries` do; those in memory and those in DynamoDB are held to the same. */
export function describeDeliveries(
  name: string,
  createDeliveries: (clock: ManualClock) => Deliveries,
  { propertyRuns = 100 } = {},
): void {
  describe(name, () => {
    let clock: ManualClock;
    let deliveries: Deliveries;
    let account: string;
    let delivery: Delivery;

    beforeEach(() => {
      // The store removes by the world's clock what is past its removal.
      clock = new ManualClock(Date.now());
      deliveries = createDeliveries(clock);
      account = `c-${randomUUID()}`;
      delivery = sampleDelivery(clock.now(), { account });
    });

    /** Lists show a change a moment later. */
    const eventually = (assertion: () => Promise<void>) =>
      vi.waitFor(assertion, { timeout: 5_000, interval: 20 });
    const listOf = (overrides: Partial<typeof ALL> = {}, endpointId = "endpoint-1") =>
      deliveries.list({ account, endpointId }, { ...ALL, ...overrides });
    const parkedOf = (
      state: "held" | "failed",
      { limit = 1_000, ...period }: { since?: number; until?: number; limit?: number } = {},
    ) =>
      deliveries.listParked(
        { account, endpointId: "endpoint-1" },
        { state, ...ANY_TIME, ...period },
        limit,
      );
    const subjectsOf = (found: readonly Delivery[]) => found.map(({ subject }) => subject);
    /** Stores some, a millisecond after each other. */
    const insertMany = async (count: number, overrides: Partial<Delivery> = {}) => {
      const many = Array.from({ length: count }, (_, n) => ({
        ...delivery,
        subject: `trace-${n}`,
        createdAt: delivery.createdAt + n,
        ...overrides,
      }));
      await Promise.all(many.map((one) => deliveries.insert(one)));
      return many;
    };

    describe("inserting", () => {
      const attempts: Attempt[] = [
        { at: 1, durationMs: 2, status: 500, answer: "não 😀" },
        { at: 3, durationMs: 4, failure: "no answer" },
      ];

      it.each<[string, Partial<Delivery>]>([
        ["a status", {}],
        [
          "an MO",
          {
            event: messageReceived(sampleMo(Date.parse("2026-03-02T15:00:00Z"))),
            subject: "mo-1",
            level: "received",
          },
        ],
        [
          "one with all that it can have",
          { state: "failed", cause: "HTTP 500", turn: 4, step: 2, attempts, settledAt: 5 },
        ],
      ])("gives %s back as it came", async (_, overrides) => {
        const given = { ...delivery, ...overrides };
        expect(await deliveries.find(given)).toBeUndefined();
        expect(await deliveries.insert(given)).toEqual(given);
        expect(await deliveries.find(turnOf(given, 7))).toEqual(given);
      });

      it("keeps the first of a key, and answers with it", async () => {
        await deliveries.insert(delivery);
        const second = { ...delivery, turn: 3, createdAt: delivery.createdAt + 1 };
        expect(await deliveries.insert(second)).toEqual(delivery);
        expect(await deliveries.find(delivery)).toEqual(delivery);
      });

      it("answers with the very object where it is new, and with another where it is not", async () => {
        expect(await deliveries.insert(delivery)).toBe(delivery);
        const again = await deliveries.insert(delivery);
        expect(again).toEqual(delivery);
        expect(again).not.toBe(delivery);
      });

      it("says to one alone that it is new, of many that insert the same at the same time", async () => {
        const same = Array.from({ length: 4 }, () => ({ ...delivery }));
        const answers = await Promise.all(same.map((one) => deliveries.insert(one)));
        expect(answers.filter((answer, index) => answer === same[index])).toHaveLength(1);
      });

      it("keeps one of many at the same time, and answers all with that one", async () => {
        const answers = await Promise.all(
          [1, 2, 3, 4].map((turn) => deliveries.insert({ ...delivery, turn })),
        );
        const stored = await deliveries.find(delivery);
        expect(answers).toEqual(Array(4).fill(stored));
      });

      it("keeps those of other accounts, endpoints, subjects and levels apart", async () => {
        await deliveries.insert(delivery);
        const others = [
          { ...delivery, account: `${account}-2` },
          { ...delivery, endpointId: "endpoint-2" },
          { ...delivery, subject: "trace-2" },
          { ...delivery, level: "delivered" as const },
        ].map((other, index) => ({ ...other, turn: index + 1 }));
        for (const other of others) {
          expect(await deliveries.find(other)).toBeUndefined();
          expect(await deliveries.insert(other)).toEqual(other);
        }
        expect(await deliveries.find(delivery)).toEqual(delivery);
      });
    });

    describe.each(["insertMany", "insertTold"] as const)("storing many by %s", (store) => {
      const manyOf = (count: number, overrides: Partial<Delivery> = {}) =>
        Array.from({ length: count }, (_, n) => ({
          ...delivery,
          subject: `trace-${n}`,
          level: n % 2 === 0 ? ("sent" as const) : ("delivered" as const),
          ...overrides,
        }));
      const told = { state: "delivered", turn: 2, settledAt: 5 } as const;

      it("gives back the very objects, and each as it came", async () => {
        const many = manyOf(60, {
          ...told,
          attempts: [{ at: 1, durationMs: 2, status: 200, answer: "😀" }],
        });
        const stored = await deliveries[store](many);
        expect(stored).toHaveLength(60);
        for (const [index, one] of many.entries()) expect(stored[index]).toBe(one);
        const found = await deliveries.findMany(many);
        expect(new Map(found.map((one) => [one.subject, one]))).toEqual(
          new Map(many.map((one) => [one.subject, one])),
        );
        for (const one of many.slice(0, 3)) expect(await deliveries.find(one)).toEqual(one);
      });

      it("stores none where there are none", async () => {
        expect(await deliveries[store]([])).toEqual([]);
        expect(await deliveries.findMany([])).toEqual([]);
        await deliveries.noteTold([]);
      });

      it("keeps what is there, and answers with that in its place", async () => {
        const first = { ...delivery, subject: "trace-1", level: "delivered" as const, turn: 7 };
        await deliveries.insert(first);
        const many = manyOf(3, told);
        const stored = await deliveries[store](many);
        expect(stored).toEqual([many[0], first, many[2]]);
        expect(stored[0]).toBe(many[0]);
        expect(await deliveries.find(first)).toEqual(first);
        expect(await deliveries[store](many)).toEqual([many[0], first, many[2]]);
      });

      it("says to one alone that each is new, of many that store the same at the same time", async () => {
        const same = Array.from({ length: 4 }, () => manyOf(3));
        const answers = await Promise.all(same.map((many) => deliveries[store](many)));
        for (const place of [0, 1, 2]) {
          const isNew = (many: Delivery[], index: number) => many[place] === same[index]?.[place];
          expect(answers.filter(isNew)).toHaveLength(1);
        }
      });

      it("takes the place of what is past its removal", async () => {
        const [old] = manyOf(1);
        await deliveries[store]([old as Delivery]);
        clock.time = delivery.removeAt * 1_000;
        const [successor] = manyOf(1, { turn: 1, removeAt: delivery.removeAt + 86_400 });
        expect(await deliveries[store]([successor as Delivery])).toEqual([successor]);
        expect(await deliveries.find(delivery)).toBeUndefined();
        expect(await deliveries.findMany([successor as Delivery])).toEqual([successor]);
      });

      it("stores what can be recorded like any other", async () => {
        const [one] = manyOf(1, told);
        await deliveries[store]([one as Delivery]);
        const state = "pending" as const;
        const change = { state, step: 1, attempts: [], deadline: 9, turn: 3 };
        expect(await deliveries.record(turnOf(one as Delivery, 2), change)).toEqual({
          ...one,
          ...change,
        });
      });

      it("puts those that failed among them where they are found that do not go on", async () => {
        const [one, two] = manyOf(2, { state: "failed", settledAt: 5 });
        await deliveries[store]([one as Delivery, { ...(two as Delivery), level: "test" }]);
        await eventually(async () =>
          expect(subjectsOf(await parkedOf("failed"))).toEqual(["trace-0"]),
        );
      });
    });

    it("finds nothing under keys that there are none of, whatever they look like", async () => {
      await deliveries.insert(delivery);
      for (const odd of ["#", "a#b", "ção 😀", " ", "x".repeat(3_000)]) {
        expect(await deliveries.find({ ...delivery, subject: odd })).toBeUndefined();
        expect(await deliveries.find({ ...delivery, endpointId: odd })).toBeUndefined();
      }
      const shifted = { account, endpointId: "endpoint-1#trace", subject: "1" };
      expect(await deliveries.find({ ...shifted, level: "sent" })).toBeUndefined();
    });

    it("takes a delivery past its removal for absent", async () => {
      const parked = { ...delivery, state: "held" as const, settledAt: clock.now() };
      await deliveries.insert(parked);
      clock.time = parked.removeAt * 1_000 - 1;
      expect(await deliveries.find(parked)).toEqual(parked);
      clock.advance(1);
      expect(await deliveries.find(parked)).toBeUndefined();
      expect(await deliveries.record(turnOf(parked), { step: 1 })).toBeUndefined();
      expect(await listOf()).toEqual([]);
      expect(await parkedOf("held")).toEqual([]);
      const successor = { ...delivery, turn: 1, removeAt: delivery.removeAt + 86_400 };
      expect(await deliveries.insert(successor)).toEqual(successor);
      expect(await deliveries.find(delivery)).toEqual(successor);
      await eventually(async () => expect(await parkedOf("held")).toEqual([]));
    });

    describe("recording", () => {
      it("changes what is given, removes what is given without value, and leaves the rest", async () => {
        await deliveries.insert({ ...delivery, cause: "HTTP 500", settledAt: 1, step: 3 });
        const change: DeliveryChange = {
          state: "pending",
          cause: undefined,
          turn: 1,
          attempts: [{ at: 1, durationMs: 2, status: 200, answer: "" }],
          deadline: 7,
          settledAt: undefined,
          removeAt: delivery.removeAt + 1,
        };
        const { cause: _, settledAt: __, ...changes } = change;
        const changed = { ...delivery, step: 3, ...changes };
        expect(await deliveries.record(turnOf(delivery), change)).toEqual(changed);
        expect(await deliveries.find(delivery)).toEqual(changed);
      });

      it("leaves a turn alone that is over", async () => {
        await deliveries.insert({ ...delivery, turn: 2 });
        expect(await deliveries.record(turnOf(delivery, 1), { step: 9 })).toBeUndefined();
        expect(await deliveries.find(delivery)).toMatchObject({ turn: 2, step: 0 });
      });

      it.each([2, 3])("records turn %i of a delivery that is at the second", async (turn) => {
        await deliveries.insert({ ...delivery, turn: 2 });
        expect(await deliveries.record(turnOf(delivery, turn), { turn: turn + 1 })).toEqual({
          ...delivery,
          turn: turn + 1,
        });
        expect(await deliveries.record(turnOf(delivery, turn), { step: 9 })).toBeUndefined();
      });

      it("can be done again, as long as the turn is not over", async () => {
        await deliveries.insert(delivery);
        for (const step of [1, 2]) {
          expect(await deliveries.record(turnOf(delivery), { step })).toMatchObject({ step });
        }
      });

      it("takes one of many records of a turn, be they the same", async () => {
        await deliveries.insert(delivery);
        const answers = await Promise.all(
          Array.from({ length: 4 }, () =>
            deliveries.record(turnOf(delivery), { state: "delivered", turn: 1 }),
          ),
        );
        expect(countDefined(answers)).toBe(1);
      });

      it("records nothing of a delivery that there is none of", async () => {
        expect(await deliveries.record(turnOf(delivery), { state: "delivered" })).toBeUndefined();
        expect(await deliveries.find(delivery)).toBeUndefined();
      });

      it("lets the same delivery be changed to anything, as one in memory does", async () => {
        const time = fc.integer({ min: 0, max: 10 });
        const change = fc.record(
          {
            state: fc.constantFrom(...DELIVERY_STATES),
            cause: fc.constantFrom(undefined, "HTTP 500", "no answer"),
            turn: fc.nat(4),
            step: fc.nat(3),
            settledAt: fc.option(time, { nil: undefined }),
          },
          { requiredKeys: [] },
        );
        const operation = fc.record({ turn: fc.nat(3), subject: fc.nat(5), change });
        const endpoint = { account, endpointId: "endpoint-1" };
        await fc.assert(
          fc.asyncProperty(fc.array(operation, { maxLength: 12 }), async (operations) => {
            const own = { ...endpoint, endpointId: randomUUID() };
            const model = new MemoryDeliveries(clock);
            for (const { turn, subject, change: changeTo } of operations) {
              const one = { ...delivery, ...own, subject: `trace-${subject}` };
              for (const store of [model, deliveries]) await store.insert(one);
              const [expected, recorded] = await Promise.all(
                [model, deliveries].map((store) => store.record(turnOf(one, turn), changeTo)),
              );
              expect(recorded).toEqual(expected);
            }
            for (const state of ["held", "failed"] as const) {
              const parkedIn = async (store: Deliveries) =>
                subjectsOf(await store.listParked(own, { state, ...ANY_TIME }, 100)).sort();
              await eventually(async () =>
                expect(await parkedIn(deliveries)).toEqual(await parkedIn(model)),
              );
            }
          }),
          { numRuns: propertyRuns },
        );
      });
    });

    describe("listing", () => {
      it("shows an endpoint's own deliveries, newest first, and all in the end", async () => {
        const many = await insertMany(110);
        await deliveries.insert({ ...delivery, endpointId: "endpoint-2" });
        await deliveries.insert({ ...delivery, endpointId: "endpoint" });
        await deliveries.insert({ ...delivery, account: `${account}-2` });
        await eventually(async () => expect(await listOf()).toEqual([...many].reverse()));
        expect(subjectsOf(await listOf({}, "endpoint-2"))).toEqual(["trace-1"]);
        expect(await listOf({}, "endpoint-3")).toEqual([]);
      });

      it("shows as many as wanted, of before a time", async () => {
        const many = await insertMany(9);
        await eventually(async () => expect(await listOf()).toHaveLength(9));
        const before = delivery.createdAt + 7;
        const page = await listOf({ before, limit: 3 });
        expect(page).toEqual(many.slice(4, 7).reverse());
        expect(subjectsOf(await listOf({ before: page[2]?.createdAt ?? 0, limit: 30 }))).toEqual([
          "trace-3",
          "trace-2",
          "trace-1",
          "trace-0",
        ]);
      });

      it("shows each once, however it was stored and noted, in the order of their times", async () => {
        const many = await insertMany(30);
        const toldAt = (time: number, count: number) =>
          Array.from({ length: count }, (_, n) => ({
            ...delivery,
            subject: `told-${time}-${n}`,
            state: "delivered" as const,
            createdAt: delivery.createdAt + time,
          }));
        const groups = [toldAt(5, 24), toldAt(12, 60), toldAt(12, 1), toldAt(29, 2), toldAt(50, 3)];
        // The third is the second's first.
        for (const group of groups) await deliveries.insertTold(group);
        for (const group of groups) await deliveries.noteTold(group);
        // One that was there before, and one that goes on.
        await deliveries.insertTold([
          { ...(many[3] as Delivery), createdAt: delivery.createdAt + 60 },
        ]);
        await deliveries.record(turnOf(groups[4]?.[0] as Delivery), {
          state: "pending",
          turn: 1,
          removeAt: delivery.removeAt + 9,
        });
        const all = new Set(
          [...many, ...groups.flat()].map(({ createdAt, subject }) => `${createdAt} ${subject}`),
        );
        await eventually(async () => {
          const listed = await listOf();
          const names = listed.map(({ createdAt, subject }) => `${createdAt} ${subject}`);
          expect(names).toHaveLength(all.size);
          expect(new Set(names)).toEqual(all);
          const times = listed.map(({ createdAt }) => createdAt);
          expect(times).toEqual([...times].sort((one, other) => other - one));
        });
        const pages: string[] = [];
        for (let before = Number.MAX_SAFE_INTEGER; ; ) {
          const page = await listOf({ before, limit: 70 });
          pages.push(...page.map(({ subject }) => subject));
          if (page.length === 0) break;
          before = page.at(-1)?.createdAt ?? 0;
        }
        expect(new Set(pages).size).toBe(pages.length);
      });

      it("does not show those told together that are past their removal", async () => {
        await deliveries.insertTold([{ ...delivery, state: "delivered" }]);
        expect(await listOf()).toHaveLength(1);
        clock.time = delivery.removeAt * 1_000;
        expect(await listOf()).toEqual([]);
      });

      it("shows them as they are now, with what was recorded", async () => {
        await insertMany(2);
        await deliveries.record(turnOf(delivery), { state: "delivered", turn: 1, settledAt: 1 });
        await eventually(async () =>
          expect((await listOf()).map(({ state }) => state)).toEqual(["delivered", "pending"]),
        );
      });
    });

    describe("listing those that do not go on by themselves", () => {
      const at = (offset: number) => delivery.createdAt + offset;

      it("shows those of the state that is asked for, oldest first, and as many as wanted", async () => {
        await insertMany(9);
        // Backwards, so that the order is not that of their creation.
        for (const [subject, state] of [
          [8, "failed"],
          [7, "held"],
          [6, "failed"],
          [5, "delivered"],
          [4, "failed"],
          [3, "waiting"],
        ] as const) {
          await deliveries.record(turnOf({ ...delivery, subject: `trace-${subject}` }), {
            state,
            settledAt: at(100 - subject),
          });
        }
        await eventually(async () =>
          expect(subjectsOf(await parkedOf("failed"))).toEqual(["trace-8", "trace-6", "trace-4"]),
        );
        await eventually(async () =>
          expect(subjectsOf(await parkedOf("held"))).toEqual(["trace-7"]),
        );
        expect(subjectsOf(await parkedOf("failed", { limit: 2 }))).toEqual(["trace-8", "trace-6"]);
      });

      it("shows those of a period, its ends included", async () => {
        for (const offset of [1, 2, 3, 4]) {
          await deliveries.insert({
            ...delivery,
            subject: `trace-${offset}`,
            state: "held",
            settledAt: at(offset),
          });
        }
        await eventually(async () => expect(await parkedOf("held")).toHaveLength(4));
        expect(subjectsOf(await parkedOf("held", { since: at(2), until: at(3) }))).toEqual([
          "trace-2",
          "trace-3",
        ]);
        expect(await parkedOf("held", { since: at(5) })).toEqual([]);
      });

      it.each<DeliveryChange>([
        { state: "pending", settledAt: undefined },
        { state: "delivered", settledAt: 1 },
        { state: "failed", settledAt: 1 },
      ])("shows them no longer once they are %j", async (change) => {
        await deliveries.insert({ ...delivery, state: "held", settledAt: at(0) });
        await eventually(async () => expect(await parkedOf("held")).toHaveLength(1));
        await deliveries.record(turnOf(delivery), { step: 1 });
        expect(await parkedOf("held")).toHaveLength(1);
        await deliveries.record(turnOf(delivery), change);
        await eventually(async () => expect(await parkedOf("held")).toEqual([]));
        const failed = change.state === "failed" ? 1 : 0;
        await eventually(async () => expect(await parkedOf("failed")).toHaveLength(failed));
      });

      it("shows no tests, which nobody wants to go on", async () => {
        const test = { ...delivery, level: "test" as const };
        await deliveries.insert({ ...test, state: "held", settledAt: at(0) });
        await deliveries.insert({ ...test, subject: "test-2" });
        await deliveries.record(turnOf({ ...test, subject: "test-2" }), {
          state: "held",
          settledAt: at(1),
        });
        await deliveries.insert({ ...delivery, state: "held", settledAt: at(2) });
        await eventually(async () => expect(await parkedOf("held")).toHaveLength(1));
        expect((await parkedOf("held")).map(({ level }) => level)).toEqual(["sent"]);
      });

      it("shows all of many", async () => {
        await insertMany(110, { state: "failed", settledAt: at(0) });
        await eventually(async () => {
          const subjects = subjectsOf(await parkedOf("failed"));
          expect(new Set(subjects).size).toBe(110);
        });
      });
    });
  });
}

/** What all `EndpointHealths` do. */
export function describeEndpointHealths(name: string, createHealths: () => EndpointHealths): void {
  describe(name, () => {
    let healths: EndpointHealths;
    let good: EndpointHealth;

    beforeEach(() => {
      healths = createHealths();
      good = goodHealth({ account: `c-${randomUUID()}`, endpointId: "endpoint-1" });
    });

    const next = (read: EndpointHealth, changes: Partial<EndpointHealth> = {}) => ({
      ...read,
      ...changes,
      revision: read.revision + 1,
    });

    it("takes an endpoint of which nothing is known for a good one", async () => {
      expect(await healths.find(good)).toEqual(good);
    });

    it("gives back what was written, with all that it can have", async () => {
      const bad = next(good, {
        state: "disabled",
        disabledReason: "failing",
        stateAt: 1,
        toldAt: 2,
        failures: 3,
        openings: 4,
        openUntil: 5,
        failingSince: 6,
        lastFailureAt: 7,
      });
      expect(await healths.update(good, bad)).toBe(true);
      expect(await healths.find(good)).toEqual(bad);
      const paused = next({ ...good, revision: bad.revision }, { state: "paused" });
      expect(await healths.update(bad, paused)).toBe(true);
      expect(await healths.find(good)).toEqual(paused);
    });

    it("refuses a change of what somebody else has changed", async () => {
      const first = next(good, { failures: 1 });
      await healths.update(good, first);
      expect(await healths.update(good, next(good, { failures: 9 }))).toBe(false);
      await healths.update(first, next(first));
      expect(await healths.update(first, next(first, { failures: 9 }))).toBe(false);
      expect(await healths.find(good)).toEqual(next(first));
    });

    it.each(["nothing", "something"])(
      "takes one of many changes at the same time, be they the same, where %s is known",
      async (known) => {
        const read = known === "nothing" ? good : next(good);
        if (known === "something") await healths.update(good, read);
        const answers = await Promise.all(
          Array.from({ length: 5 }, () => healths.update(read, next(read, { failures: 1 }))),
        );
        expect(answers.filter(Boolean)).toHaveLength(1);
      },
    );

    it("loses no change of those who read again when they are refused", async () => {
      const fail = async (): Promise<void> => {
        const read = await healths.find(good);
        const isTaken = await healths.update(read, next(read, { failures: read.failures + 1 }));
        if (!isTaken) await fail();
      };
      await Promise.all(Array.from({ length: 8 }, fail));
      // A change whose answer was lost, and which was then overtaken, is made twice.
      const { failures, revision } = await healths.find(good);
      expect(failures).toBeGreaterThanOrEqual(8);
      expect(revision).toBe(failures);
    });

    it("knows nothing of an endpoint that was removed, and takes no change of what it was", async () => {
      const first = next(good);
      await healths.update(good, first);
      await healths.remove(good);
      expect(await healths.find(good)).toEqual(good);
      expect(await healths.update(first, next(first))).toBe(false);
      expect(await healths.update(good, next(good))).toBe(true);
    });

    it("keeps endpoints and accounts apart", async () => {
      await healths.update(good, next(good));
      const other = goodHealth({ ...good, endpointId: "endpoint-2" });
      const stranger = goodHealth({ ...good, account: `${good.account}-2` });
      await healths.remove(other);
      expect(await healths.find(other)).toEqual(other);
      expect(await healths.find(stranger)).toEqual(stranger);
      expect(await healths.find(good)).toEqual(next(good));
    });
  });
}

/** What all `EndpointSlots` do. */
export function describeEndpointSlots(
  name: string,
  createSlots: (clock: ManualClock, slots: number) => EndpointSlots,
  { propertyRuns = 50 } = {},
): void {
  describe(name, () => {
    const TTL_MS = 90_000;
    let clock: ManualClock;
    let account: string;

    beforeEach(() => {
      clock = new ManualClock(Date.now());
      account = `c-${randomUUID()}`;
    });

    const endpoint = (endpointId = "endpoint-1") => ({ account, endpointId });
    const acquire = (slots: EndpointSlots, endpointId?: string) =>
      slots.acquire(endpoint(endpointId), clock.now() + TTL_MS, false);

    it("gives as many as there are, each once, and to one endpoint as to another", async () => {
      const slots = createSlots(clock, 3);
      for (const endpointId of ["endpoint-1", "endpoint-2"]) {
        const given: (Slot | undefined)[] = [];
        for (let n = 0; n < 3; n++) given.push(await acquire(slots, endpointId));
        expect(new Set(given.map((slot) => slot?.slot))).toEqual(new Set([0, 1, 2]));
        expect(given[0]).toEqual({
          ...endpoint(endpointId),
          slot: expect.any(Number),
          width: 1,
          until: clock.now() + TTL_MS,
        });
        expect(await acquire(slots, endpointId)).toBeUndefined();
      }
    });

    it("gives those for several requests to who has many, as long as there are, and the others to who has one", async () => {
      for (const [isForMany, widths] of [
        [true, [5, 5, ...Array(10).fill(1)]],
        [false, [...Array(10).fill(1), 5, 5]],
      ] as const) {
        const slots = createSlots(clock, 20);
        const own = endpoint(randomUUID());
        const given: (Slot | undefined)[] = [];
        for (let n = 0; n < 12; n++) {
          given.push(await slots.acquire(own, clock.now() + TTL_MS, isForMany));
        }
        expect(given.map((slot) => slot?.width)).toEqual(widths);
        expect(new Set(given.map((slot) => slot?.slot)).size).toBe(12);
        expect(await slots.acquire(own, clock.now() + TTL_MS, isForMany)).toBeUndefined();
      }
    });

    it("gives as many as there are to many who come at the same time", async () => {
      const slots = createSlots(clock, 4);
      const given = await Promise.all(Array.from({ length: 10 }, () => acquire(slots)));
      const numbers = given.flatMap((slot) => slot?.slot ?? []);
      expect(numbers.sort()).toEqual([0, 1, 2, 3]);
    });

    it("gives one again that was given back", async () => {
      const slots = createSlots(clock, 1);
      const slot = await acquire(slots);
      expect(await acquire(slots)).toBeUndefined();
      if (slot) await slots.release(slot);
      expect(await acquire(slots)).toEqual(slot);
    });

    it("gives one again that has run out, and does not let it be given back for that", async () => {
      const slots = createSlots(clock, 1);
      const first = await acquire(slots);
      clock.advance(TTL_MS - 1);
      expect(await acquire(slots)).toBeUndefined();
      clock.advance(1);
      expect(await acquire(slots)).toMatchObject({ slot: 0, until: clock.now() + TTL_MS });
      if (first) await slots.release(first);
      expect(await acquire(slots)).toBeUndefined();
    });

    it("does not mind one that is given back twice", async () => {
      const slots = createSlots(clock, 1);
      const slot = await acquire(slots);
      if (slot) for (let n = 0; n < 2; n++) await slots.release(slot);
      expect(await acquire(slots)).toBeDefined();
    });

    it("is never given to two at once, whoever comes and goes", async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.record({ who: fc.nat(5), wait: fc.constantFrom(0, 40_000) }), {
            maxLength: 15,
          }),
          async (visits) => {
            const slots = createSlots(clock, 2);
            const own = endpoint(randomUUID());
            const held = new Map<number, Slot>();
            for (const { who, wait } of visits) {
              clock.advance(wait);
              const isHeld = (slot: Slot) => slot.until > clock.now();
              const mine = held.get(who);
              held.delete(who);
              if (mine) {
                await slots.release(mine);
                continue;
              }
              const others = [...held.values()].filter(isHeld);
              const slot = await slots.acquire(own, clock.now() + TTL_MS, false);
              expect(others.map((other) => other.slot)).not.toContain(slot?.slot);
              expect(slot === undefined).toBe(others.length === 2);
              if (slot) held.set(who, slot);
            }
          },
        ),
        { numRuns: propertyRuns },
      );
    });
  });
}
