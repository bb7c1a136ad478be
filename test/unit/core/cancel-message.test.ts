import fc from "fast-check";
import { beforeEach, describe, expect, it } from "vitest";
import type { BatchRef } from "../../../functions/core/batch.ts";
import {
  type CancelDependencies,
  type CancelOutcome,
  cancelMessage,
} from "../../../functions/core/cancel-message.ts";
import { dispatchMessage } from "../../../functions/core/dispatch-message.ts";
import { expandBatch, releaseBatch } from "../../../functions/core/expand-batch.ts";
import { canMove, STATES, type State } from "../../../functions/core/lifecycle.ts";
import { type Message, refOf } from "../../../functions/core/message.ts";
import {
  ManualClock,
  MemoryBatches,
  MemoryBatchQueue,
  MemoryDispatchQueue,
  MemoryMessages,
} from "../../support/memory.ts";
import { sampleMessage } from "../../support/samples.ts";
import { dispatchDependencies, interleaved, WillingCarrier } from "./support.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const batch: BatchRef = { account: "acme", batchId: "batch-1" };

describe("cancelMessage", () => {
  let clock: ManualClock;
  let messages: MemoryMessages;
  let batches: MemoryBatches;
  let batchQueue: MemoryBatchQueue;
  let dispatchQueue: MemoryDispatchQueue;
  let carrier: WillingCarrier;
  let deps: CancelDependencies;

  function startOver() {
    clock = new ManualClock();
    messages = new MemoryMessages(clock);
    batches = new MemoryBatches(clock);
    batchQueue = new MemoryBatchQueue();
    dispatchQueue = new MemoryDispatchQueue();
    carrier = new WillingCarrier();
    deps = { messages, batches, batchQueue, dispatchQueue, clock };
  }
  beforeEach(startOver);

  const cancel = (id = "id-1") => cancelMessage(deps, "acme", id);
  const stored = (id = "id-1") => messages.find("acme", id);

  /** A message that is due in so many milliseconds. */
  const scheduled = (dueIn: number, overrides: Partial<Message> = {}) =>
    sampleMessage(clock.now(), {
      state: "SCHEDULED",
      claimableFrom: clock.now() + dueIn,
      ...overrides,
    });
  /** Messages of one batch that are due together. */
  const elements = (dueIn: number, ...ids: string[]) =>
    ids.map((id) =>
      scheduled(dueIn, {
        id,
        traceId: `trace-${id}`,
        batch: { batchId: batch.batchId, dueTogether: ids.length },
      }),
    );
  async function givenStored(...all: Message[]) {
    for (const message of all) await messages.insert(message);
    return all;
  }
  async function givenOpen(...all: Message[]) {
    await batches.keep(batch, all);
    await batches.open(batch);
  }

  it("cancels a message that is not due yet", async () => {
    const [message] = await givenStored(scheduled(HOUR_MS));
    clock.advance(MINUTE_MS);
    const canceled = { ...message, state: "CANCELED", stateAt: clock.now() };
    expect(await cancel()).toEqual({ kind: "canceled", message: canceled });
    expect(await stored()).toEqual(canceled);
  });

  it("says of a message that is canceled already that it is, and when that was", async () => {
    await givenStored(scheduled(HOUR_MS));
    await cancel();
    const canceled = await stored();
    clock.advance(MINUTE_MS);
    expect(await cancel()).toEqual({ kind: "already-canceled", message: canceled });
    expect(await stored()).toEqual(canceled);
    expect(dispatchQueue.unscheduled).toHaveLength(1);
  });

  it.each(STATES.filter((state) => !["SCHEDULED", "CANCELED"].includes(state)))(
    "is too late for a message that is %s, and leaves it so",
    async (state) => {
      const [message] = await givenStored(scheduled(HOUR_MS, { state }));
      expect(await cancel()).toEqual({ kind: "too-late", message });
      expect(await stored()).toEqual(message);
      expect(dispatchQueue.unscheduled).toEqual([]);
    },
  );

  it("knows no message of another account, none that was never accepted, and none past its retention", async () => {
    await givenStored(scheduled(HOUR_MS, { account: "other" }));
    await givenOpen(...elements(HOUR_MS, "a"));
    expect(await cancel()).toEqual({ kind: "absent" });
    expect(await cancelMessage(deps, "other", "a")).toEqual({ kind: "absent" });
    expect(await messages.find("other", "id-1")).toMatchObject({ state: "SCHEDULED" });
    const [old] = await givenStored(scheduled(HOUR_MS, { id: "old" }));
    clock.time = (old?.removeAt ?? 0) * 1_000;
    expect(await cancel("old")).toEqual({ kind: "absent" });
  });

  it("starts over where another is faster, and throws where that does not end", async () => {
    await givenStored(scheduled(HOUR_MS));
    const change = messages.change.bind(messages);
    let interruptions = 4;
    messages.change = async (...asked) => (interruptions-- > 0 ? undefined : change(...asked));
    expect(await cancel()).toMatchObject({ kind: "canceled" });
    await givenStored(scheduled(HOUR_MS, { id: "id-2", traceId: "trace-2" }));
    interruptions = Number.POSITIVE_INFINITY;
    await expect(cancel("id-2")).rejects.toThrow(/kept changing/);
  });

  it("passes on what a store throws, so that nobody takes it for canceled", async () => {
    await givenStored(scheduled(HOUR_MS));
    messages.change = () => Promise.reject(new Error("throttled"));
    await expect(cancel()).rejects.toThrow("throttled");
  });

  describe("of a message that its batch has not been expanded to", () => {
    it("stores it as canceled, and the expansion respects it", async () => {
      const [a, b] = elements(HOUR_MS, "a", "b");
      await givenOpen(...elements(HOUR_MS, "a", "b"));
      clock.advance(MINUTE_MS);
      const canceled = { ...a, state: "CANCELED", stateAt: clock.now() };
      expect(await cancel("a")).toEqual({ kind: "canceled", message: canceled });
      expect(await stored("a")).toEqual(canceled);
      await expandBatch({ messages, batches, dispatchQueue, clock }, batch);
      expect(await stored("a")).toEqual(canceled);
      expect(await stored("b")).toEqual(b);
      expect(await cancel("a")).toMatchObject({ kind: "already-canceled" });
    });

    it("is too late for one that is on its way", async () => {
      const queued = elements(0, "a").map((it): Message => ({ ...it, state: "QUEUED" }));
      await givenOpen(...queued);
      expect(await cancel("a")).toEqual({ kind: "too-late", message: queued[0] });
      expect(await stored("a")).toBeUndefined();
    });

    it.each(["findOpen", "insert"] as const)(
      "finds it also where it is expanded and the batch closed in the meantime: before %s",
      async (method) => {
        await givenOpen(...elements(HOUR_MS, "a"));
        const expand = () => expandBatch({ messages, batches, dispatchQueue, clock }, batch);
        const findOpen = batches.findOpen.bind(batches);
        const insert = messages.insert.bind(messages);
        if (method === "findOpen") {
          batches.findOpen = async (...asked) => {
            await expand();
            return findOpen(...asked);
          };
        } else {
          messages.insert = async (...asked) => {
            await expand();
            return insert(...asked);
          };
        }
        expect(await cancel("a")).toMatchObject({ kind: "canceled" });
        expect(await stored("a")).toMatchObject({ state: "CANCELED" });
      },
    );
  });

  describe("and the schedule", () => {
    it("is deleted with a message that has one by itself", async () => {
      const [message] = await givenStored(scheduled(15 * MINUTE_MS + 1));
      await cancel();
      expect(dispatchQueue.unscheduled).toEqual([
        { ref: message && refOf(message), notBefore: message?.claimableFrom },
      ]);
    });

    it("is not asked for where the queue holds the message", async () => {
      await givenStored(scheduled(15 * MINUTE_MS));
      dispatchQueue.refuses = true;
      expect(await cancel()).toEqual({ kind: "canceled", message: await stored() });
    });

    it("is deleted with the last message of a batch that it is for, and not before", async () => {
      const due = clock.now() + HOUR_MS;
      const release = { ...batch, due };
      await givenStored(...elements(HOUR_MS, "a", "b"));
      await givenOpen(...elements(2 * HOUR_MS, "c"), ...elements(HOUR_MS, "a", "b"));
      await batchQueue.schedule(release);
      await batchQueue.schedule({ ...batch, due: clock.now() + 2 * HOUR_MS });
      await cancel("a");
      await cancel("a");
      expect(batchQueue.schedules).toHaveLength(2);
      await cancel("b");
      expect(batchQueue.schedules).toEqual([{ ...batch, due: clock.now() + 2 * HOUR_MS }]);
      await cancel("c");
      expect(batchQueue.schedules).toEqual([]);
      expect(dispatchQueue.unscheduled).toEqual([]);
    });

    it("is not asked for where a batch has none for that time", async () => {
      await givenStored(...elements(15 * MINUTE_MS, "a"));
      batches.noteCanceled = () => Promise.reject(new Error("not to be asked"));
      expect(await cancel("a")).toEqual({ kind: "canceled", message: await stored("a") });
    });

    it("is reported where it cannot be deleted, and the cancellation stands", async () => {
      await givenStored(scheduled(HOUR_MS), ...elements(HOUR_MS, "a"));
      dispatchQueue.refuses = true;
      batchQueue.refusesSchedules = true;
      for (const id of ["id-1", "a"]) {
        expect(await cancel(id)).toMatchObject({ kind: "canceled", scheduleLeft: "Error" });
        expect(await stored(id)).toMatchObject({ state: "CANCELED" });
      }
      batches.noteCanceled = () => Promise.reject(new RangeError("throttled"));
      await givenStored(...elements(HOUR_MS, "b"));
      expect(await cancel("b")).toMatchObject({ kind: "canceled", scheduleLeft: "RangeError" });
    });

    it("goes off for nothing where it is left", async () => {
      const [message] = await givenStored(scheduled(HOUR_MS));
      dispatchQueue.refuses = true;
      await cancel();
      dispatchQueue.refuses = false;
      clock.advance(HOUR_MS);
      if (message) await dispatchDue(message);
      expect(carrier.ids).toEqual([]);
      expect(await stored()).toMatchObject({ state: "CANCELED" });
    });
  });

  const dispatchDue = (message: Message, store = messages) =>
    dispatchMessage(
      dispatchDependencies({ messages: store, dispatchQueue, carrier, clock }),
      refOf(message),
    );

  describe("and coming due at the same time", () => {
    /** Exactly one of the two has happened, and whoever canceled was told which. */
    async function expectOneOfBoth(id: string, outcomes: readonly CancelOutcome[]) {
      const message = await stored(id);
      const kinds = outcomes.map(({ kind }) => kind).sort();
      if (carrier.ids.length > 0) {
        expect(carrier.ids).toEqual([id]);
        expect(message).toMatchObject({ state: "SENT", attempts: 1 });
        expect(kinds).toEqual(kinds.map(() => "too-late"));
      } else {
        expect(message).toMatchObject({ state: "CANCELED", attempts: 0 });
        // Of two at the very same time both may be told that it is canceled: it is.
        expect(kinds).toContain("canceled");
        expect(kinds.filter((kind) => !/canceled/.test(kind))).toEqual([]);
      }
      const states = messages.history.get(message?.traceId ?? "") ?? [];
      expect(states.slice(1).every((to, i) => canMove(states[i] as State, to))).toBe(true);
    }
    const happened = { canceled: 0, sent: 0 };
    const count = () => happened[carrier.ids.length > 0 ? "sent" : "canceled"]++;
    const cancellations = fc.integer({ min: 1, max: 3 });
    const deliveries = fc.integer({ min: 1, max: 3 });

    beforeEach(() => {
      happened.canceled = 0;
      happened.sent = 0;
    });

    it("ends in exactly one of the two", async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.scheduler(),
          cancellations,
          deliveries,
          async (scheduler, times, copies) => {
            startOver();
            const message = scheduled(HOUR_MS);
            await messages.insert(message);
            clock.advance(HOUR_MS);
            const slow = interleaved(scheduler, messages);
            const willing = interleaved(scheduler, carrier);
            const dispatch = dispatchDependencies({
              messages: slow,
              dispatchQueue,
              carrier: willing,
              clock,
            });
            const canceling = Array.from({ length: times }, () =>
              cancelMessage({ ...deps, messages: slow }, "acme", "id-1"),
            );
            const dispatching = Array.from({ length: copies }, () =>
              dispatchMessage(dispatch, refOf(message)),
            );
            const [outcomes] = await scheduler.waitFor(
              Promise.all([Promise.all(canceling), Promise.all(dispatching)]),
            );
            await expectOneOfBoth("id-1", outcomes);
            count();
          },
        ),
        { numRuns: 500 },
      );
      expect(happened.canceled).toBeGreaterThan(50);
      expect(happened.sent).toBeGreaterThan(50);
    });

    it("ends in exactly one of the two for a message whose batch is just being expanded", async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.scheduler(),
          cancellations,
          deliveries,
          async (scheduler, times, copies) => {
            startOver();
            const due = clock.now() + HOUR_MS;
            await givenOpen(...elements(HOUR_MS, "a"), ...elements(0, "other"));
            await batchQueue.schedule({ ...batch, due });
            const slow = {
              messages: interleaved(scheduler, messages),
              batches: interleaved(scheduler, batches),
              batchQueue: interleaved(scheduler, batchQueue),
              dispatchQueue: interleaved(scheduler, dispatchQueue),
              clock,
            };
            const dispatch = dispatchDependencies({
              ...slow,
              carrier: interleaved(scheduler, carrier),
            });
            /** Dispatches what the queue holds of the message, several times where it comes so. */
            const dispatchQueued = async () => {
              const refs = dispatchQueue.entries.splice(0).filter(({ ref }) => ref.id === "a");
              await Promise.all(
                refs.flatMap(({ ref }) =>
                  Array.from({ length: copies }, () => dispatchMessage(dispatch, ref)),
                ),
              );
            };
            const comesDue = async () => {
              await scheduler.schedule(Promise.resolve(), "the due time");
              clock.time = due;
              if (batchQueue.schedules.length > 0) await releaseBatch(slow, { ...batch, due });
              await dispatchQueued();
            };
            const canceling = Array.from({ length: times }, () => cancelMessage(slow, "acme", "a"));
            const working = Promise.all([comesDue(), expandBatch(slow, batch)]);
            const [outcomes] = await scheduler.waitFor(
              Promise.all([Promise.all(canceling), working]),
            );
            await scheduler.waitFor(dispatchQueued());
            await expectOneOfBoth("a", outcomes);
            count();
          },
        ),
        { numRuns: 1_000 },
      );
      expect(happened.canceled).toBeGreaterThan(50);
      expect(happened.sent).toBeGreaterThan(50);
    });
  });
});
