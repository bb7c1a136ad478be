import fc from "fast-check";
import { beforeEach, describe, expect, it } from "vitest";
import type { BatchRef } from "../../../functions/core/batch.ts";
import { dispatchMessage } from "../../../functions/core/dispatch-message.ts";
import {
  type BatchDependencies,
  expandBatch,
  releaseBatch,
} from "../../../functions/core/expand-batch.ts";
import { type Message, refOf } from "../../../functions/core/message.ts";
import {
  ManualClock,
  MemoryBatches,
  MemoryDispatchQueue,
  MemoryMessages,
} from "../../support/memory.ts";
import { sampleMessage } from "../../support/samples.ts";
import {
  dispatchDependencies,
  FAULTS,
  type Fault,
  FaultyPorts,
  interleaved,
  WillingCarrier,
} from "./support.ts";

const MINUTE_MS = 60_000;
const batch: BatchRef = { account: "acme", batchId: "batch-1" };

describe("batches", () => {
  let clock: ManualClock;
  let messages: MemoryMessages;
  let batches: MemoryBatches;
  let dispatchQueue: MemoryDispatchQueue;
  let deps: BatchDependencies;
  let carrier: WillingCarrier;

  function startOver() {
    clock = new ManualClock();
    messages = new MemoryMessages(clock);
    batches = new MemoryBatches(clock);
    dispatchQueue = new MemoryDispatchQueue();
    deps = { messages, batches, dispatchQueue, clock };
    carrier = new WillingCarrier();
  }
  beforeEach(startOver);

  /** A message of the batch that is due so many milliseconds after its acceptance. */
  const element = (id: string, dueIn = 0): Message =>
    sampleMessage(clock.now(), {
      id,
      traceId: `trace-${id}`,
      state: dueIn > 0 ? "SCHEDULED" : "QUEUED",
      claimableFrom: clock.now() + dueIn,
      batch: { batchId: batch.batchId, dueTogether: 1 },
    });
  async function givenOpen(...elements: Message[]) {
    await batches.keep(batch, elements);
    await batches.open(batch);
    return elements;
  }

  const enqueued = () => dispatchQueue.entries.map(({ ref }) => ref.id);
  const stored = (id: string) => messages.find("acme", id);
  const isOpen = async (id: string) => (await batches.findOpen("acme", [id])).length > 0;

  /** Dispatches what is in the queue and due by now. */
  async function dispatchDue(store = messages) {
    const due = dispatchQueue.entries.filter(({ notBefore }) => notBefore <= clock.now());
    for (const entry of due) {
      dispatchQueue.entries.splice(dispatchQueue.entries.indexOf(entry), 1);
      const ports = { messages: store, dispatchQueue, carrier, clock };
      const now = clock.now();
      await dispatchMessage(dispatchDependencies(ports), entry.ref, now, entry.message);
    }
  }

  /** Dispatches all that is in the queue, each when it is due. */
  async function dispatchAll() {
    while (dispatchQueue.entries.length > 0) {
      clock.time = Math.max(
        clock.time,
        Math.min(...dispatchQueue.entries.map(({ notBefore }) => notBefore)),
      );
      await dispatchDue();
    }
  }

  describe("expandBatch", () => {
    it("makes every message an item of its own, enqueues it for when it is due, and closes the batch", async () => {
      const elements = await givenOpen(element("a"), element("b", 10 * MINUTE_MS), element("c"));
      expect(await expandBatch(deps, batch)).toEqual({ kind: "expanded", enqueued: 3 });
      for (const it of elements) expect(await stored(it.id)).toEqual(it);
      expect(dispatchQueue.entries).toEqual(
        elements.map((it) => ({
          ref: refOf(it),
          notBefore: it.claimableFrom,
          parts: 1,
          message: it,
        })),
      );
      expect(await isOpen("a")).toBe(false);
    });

    it("does nothing with a batch that is closed, withdrawn, or was never opened", async () => {
      await batches.keep(batch, [element("a")]);
      expect(await expandBatch(deps, batch)).toEqual({ kind: "closed" });
      await batches.open(batch);
      await batches.withdraw(batch);
      expect(await expandBatch(deps, batch)).toEqual({ kind: "closed" });
      expect(await stored("a")).toBeUndefined();
      await batches.open(batch);
      await expandBatch(deps, batch);
      dispatchQueue.entries.length = 0;
      expect(await expandBatch(deps, batch)).toEqual({ kind: "closed" });
      expect(dispatchQueue.entries).toEqual([]);
    });

    it("keeps the batch from being withdrawn once it has begun", async () => {
      await givenOpen(element("a"));
      const ports = new FaultyPorts((method) => (method === "load" ? "refused" : undefined));
      await expect(expandBatch({ ...deps, batches: ports.wrap(batches) }, batch)).rejects.toThrow();
      expect(await batches.withdraw(batch)).toBe(false);
      expect(await expandBatch(deps, batch)).toMatchObject({ kind: "expanded" });
    });

    it("leaves what has a schedule to it, and enqueues what has none", async () => {
      await givenOpen(element("quarter", 15 * MINUTE_MS), element("later", 15 * MINUTE_MS + 1));
      expect(await expandBatch(deps, batch)).toMatchObject({ enqueued: 1 });
      expect(enqueued()).toEqual(["quarter"]);
      expect(await stored("later")).toMatchObject({ state: "SCHEDULED" });
    });

    it("enqueues what has a schedule that has gone off by then, by whosever clock", async () => {
      await givenOpen(
        element("due", 20 * MINUTE_MS),
        element("due by a faster clock", 21 * MINUTE_MS),
        element("later", 21 * MINUTE_MS + 1),
      );
      clock.advance(20 * MINUTE_MS);
      await expandBatch(deps, batch);
      expect(enqueued()).toEqual(["due", "due by a faster clock"]);
    });

    it("asks for the time after the last message is stored, so that no schedule goes off in between", async () => {
      await givenOpen(element("a", 20 * MINUTE_MS));
      const insertMany = messages.insertMany.bind(messages);
      messages.insertMany = async (all) => {
        const inserted = await insertMany(all);
        clock.advance(20 * MINUTE_MS);
        return inserted;
      };
      await expandBatch(deps, batch);
      expect(enqueued()).toEqual(["a"]);
    });

    it("leaves a message canceled that was so before", async () => {
      const canceled = element("canceled", 10 * MINUTE_MS);
      await givenOpen(canceled, element("b", 10 * MINUTE_MS));
      await messages.insert({ ...canceled, state: "CANCELED" });
      expect(await expandBatch(deps, batch)).toEqual({ kind: "expanded", enqueued: 1 });
      expect(enqueued()).toEqual(["b"]);
      expect(await stored("canceled")).toMatchObject({ state: "CANCELED" });
    });

    it("stores what will not be sent with the others, and does not enqueue it", async () => {
      const blocked: Message = { ...element("blocked"), state: "BLOCKED", reason: "block-list" };
      await givenOpen(element("a"), blocked);
      expect(await expandBatch(deps, batch)).toEqual({ kind: "expanded", enqueued: 1 });
      expect(enqueued()).toEqual(["a"]);
      expect(await stored("blocked")).toEqual(blocked);
    });

    it("counts messages whose id another has, and leaves that one alone", async () => {
      const other = sampleMessage(clock.now(), { id: "a", traceId: "faster", text: "faster" });
      await messages.insert(other);
      await givenOpen(element("a"), element("b"));
      expect(await expandBatch(deps, batch)).toEqual({
        kind: "expanded",
        enqueued: 1,
        displaced: 1,
      });
      expect(enqueued()).toEqual(["b"]);
      expect(await stored("a")).toEqual(other);
    });

    it("does not enqueue again what dispatch has begun with", async () => {
      const a = element("a");
      await givenOpen(a, element("b"));
      await messages.insert({ ...a, state: "QUEUED", attempts: 1 });
      await expandBatch(deps, batch);
      expect(enqueued()).toEqual(["b"]);
    });

    it("enqueues what waits for another opening of its window for that", async () => {
      const a = element("a");
      await givenOpen(a);
      await messages.insert({ ...a, claimableFrom: a.claimableFrom + 5 * MINUTE_MS });
      await expandBatch(deps, batch);
      expect(dispatchQueue.entries).toMatchObject([
        { notBefore: a.claimableFrom + 5 * MINUTE_MS, parts: 1 },
      ]);
    });

    describe("that broke off", () => {
      const methods = ["begin", "load", "insertMany", "enqueueMany", "close"];

      /** Each of these runs is let down at some call; how many of the messages a failed insert had stored. */
      interface BrokenRun {
        readonly method: string;
        readonly fault: Fault;
        readonly inserted: number;
        /** Whether dispatch works before the job comes again. */
        readonly dispatched: boolean;
      }
      const brokenRun = fc.record<BrokenRun>({
        method: fc.constantFrom(...methods),
        fault: fc.constantFrom(...FAULTS),
        inserted: fc.nat(4),
        dispatched: fc.boolean(),
      });

      async function runBroken({ method, fault, inserted }: BrokenRun) {
        const ports = new FaultyPorts((it) => (it === method ? fault : undefined));
        const insertSome = async (all: readonly Message[]) => {
          await messages.insertMany(all.slice(0, inserted));
          throw new Error("some are not inserted");
        };
        const isPartial = method === "insertMany" && fault === "refused";
        await expandBatch(
          {
            clock,
            messages: isPartial ? { insertMany: insertSome } : ports.wrap(messages),
            batches: ports.wrap(batches),
            dispatchQueue: ports.wrap(dispatchQueue),
          },
          batch,
        ).then(
          () => expect.unreachable("it did not break off"),
          () => {},
        );
      }

      it("asks its ports in an order in which nothing is lost between two of them", async () => {
        await givenOpen(element("a"));
        const ports = new FaultyPorts(() => undefined);
        const recorded = {
          messages: ports.wrap(messages),
          batches: ports.wrap(batches),
          dispatchQueue: ports.wrap(dispatchQueue),
        };
        await expandBatch({ ...recorded, clock }, batch);
        expect(ports.calls).toEqual(methods);
      });

      it("is done by the next delivery, from wherever it stopped, and changes nothing that has moved on", async () => {
        await fc.assert(
          fc.asyncProperty(fc.array(brokenRun, { maxLength: 4 }), async (runs) => {
            startOver();
            const elements = await givenOpen(
              element("now"),
              element("canceled", 10 * MINUTE_MS),
              element("soon", 10 * MINUTE_MS),
              element("later", 60 * MINUTE_MS),
            );
            await messages.insert({ ...element("canceled", 10 * MINUTE_MS), state: "CANCELED" });
            const everEnqueued = new Set<string>();
            let isClosed = false;
            for (const run of runs) {
              if (isClosed) break;
              await runBroken(run);
              for (const id of enqueued()) everEnqueued.add(id);
              isClosed = run.method === "close" && run.fault === "answer lost";
              if (run.dispatched) await dispatchDue();
            }
            const moved = await stored("now");
            const outcome = await expandBatch(deps, batch);
            expect(outcome.kind).toBe(isClosed ? "closed" : "expanded");
            if (moved) expect(await stored("now")).toEqual(moved);
            for (const id of enqueued()) everEnqueued.add(id);
            expect([...everEnqueued].sort()).toEqual(["now", "soon"]);
            for (const { id, traceId } of elements) {
              expect(await stored(id)).toMatchObject({ id, traceId });
            }
            expect(await isOpen("now")).toBe(false);
            await dispatchAll();
            expect(carrier.ids).toEqual(["now", "soon"]);
            expect(await stored("canceled")).toMatchObject({ state: "CANCELED", attempts: 0 });
            expect(await stored("later")).toMatchObject({ state: "SCHEDULED", attempts: 0 });
          }),
        );
      });

      it("is done once by two deliveries at the same time", async () => {
        await fc.assert(
          fc.asyncProperty(fc.scheduler(), async (scheduler) => {
            startOver();
            const elements = await givenOpen(element("a"), element("b", 10 * MINUTE_MS));
            const slow: BatchDependencies = {
              messages: interleaved(scheduler, messages),
              batches: interleaved(scheduler, batches),
              dispatchQueue: interleaved(scheduler, dispatchQueue),
              clock,
            };
            await scheduler.waitFor(
              Promise.all([expandBatch(slow, batch), expandBatch(slow, batch)]),
            );
            await dispatchAll();
            expect(carrier.ids).toEqual(elements.map(({ id }) => id));
            expect(await isOpen("a")).toBe(false);
          }),
        );
      });
    });
  });

  describe("releaseBatch", () => {
    const release = (dueIn: number) => ({ ...batch, due: clock.now() + dueIn });

    it("enqueues exactly the messages that are due at its time", async () => {
      await givenOpen(
        element("a", 20 * MINUTE_MS),
        element("b", 21 * MINUTE_MS),
        element("c", 20 * MINUTE_MS),
        element("d"),
      );
      const due = release(20 * MINUTE_MS);
      await expandBatch(deps, batch);
      dispatchQueue.entries.length = 0;
      expect(await releaseBatch(deps, due)).toEqual({ kind: "released", enqueued: 2 });
      expect(dispatchQueue.entries).toEqual(
        ["a", "c"].map((id) => ({
          ref: { account: "acme", id, traceId: `trace-${id}` },
          notBefore: due.due,
          parts: 1,
          message: expect.objectContaining({ id }),
        })),
      );
    });

    it("releases nothing of a batch that there is not", async () => {
      expect(await releaseBatch(deps, release(20 * MINUTE_MS))).toEqual({
        kind: "released",
        enqueued: 0,
      });
    });

    it("sends nothing off of a batch that was withdrawn, or of messages that were canceled", async () => {
      await givenOpen(element("a", 20 * MINUTE_MS), element("b", 20 * MINUTE_MS));
      const due = release(20 * MINUTE_MS);
      await batches.withdraw(batch);
      clock.advance(20 * MINUTE_MS);
      await releaseBatch(deps, due);
      await dispatchAll();
      expect(carrier.ids).toEqual([]);
      await batches.open(batch);
      await messages.insert({ ...element("a"), state: "CANCELED" });
      await expandBatch(deps, batch);
      await releaseBatch(deps, due);
      await dispatchAll();
      expect(carrier.ids).toEqual(["b"]);
    });

    it("can be done again", async () => {
      await givenOpen(element("a", 20 * MINUTE_MS));
      const due = release(20 * MINUTE_MS);
      await expandBatch(deps, batch);
      clock.advance(20 * MINUTE_MS);
      await releaseBatch(deps, due);
      await dispatchAll();
      await releaseBatch(deps, due);
      await dispatchAll();
      expect(carrier.ids).toEqual(["a"]);
    });

    it("loses nothing and sends nothing twice, however it and the expansion fall together", async () => {
      await fc.assert(
        fc.asyncProperty(fc.scheduler(), fc.boolean(), async (scheduler, expandsTwice) => {
          startOver();
          const elements = await givenOpen(
            element("now"),
            element("soon", 10 * MINUTE_MS),
            element("due-1", 20 * MINUTE_MS),
            element("due-2", 20 * MINUTE_MS),
            element("later", 60 * MINUTE_MS),
          );
          const [due, later] = [release(20 * MINUTE_MS), release(60 * MINUTE_MS)];
          const slow = {
            messages: interleaved(scheduler, messages),
            batches: interleaved(scheduler, batches),
            dispatchQueue: interleaved(scheduler, dispatchQueue),
          };
          const comesDue = async () => {
            await scheduler.schedule(Promise.resolve(), "the due time");
            clock.time = due.due;
            await releaseBatch(slow, due);
            await dispatchDue(slow.messages);
          };
          const expansions = Array.from({ length: expandsTwice ? 2 : 1 }, () =>
            expandBatch({ ...slow, clock }, batch),
          );
          await scheduler.waitFor(Promise.all([comesDue(), ...expansions]));
          await dispatchAll();
          expect([...carrier.ids].sort()).toEqual(["due-1", "due-2", "now", "soon"]);
          clock.time = later.due;
          await releaseBatch(deps, later);
          await dispatchAll();
          expect([...carrier.ids].sort()).toEqual(elements.map(({ id }) => id).sort());
        }),
        { numRuns: 300 },
      );
    });
  });
});
