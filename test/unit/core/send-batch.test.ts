import fc from "fast-check";
import { beforeEach, describe, expect, it } from "vitest";
import type { SendRequest } from "../../../functions/core/accept-message.ts";
import type { BatchRef } from "../../../functions/core/batch.ts";
import { cancelMessage } from "../../../functions/core/cancel-message.ts";
import { UnavailableError } from "../../../functions/core/errors.ts";
import { messageStatusChangedSchema } from "../../../functions/core/events.ts";
import { expandBatch, releaseBatch } from "../../../functions/core/expand-batch.ts";
import { findMessage } from "../../../functions/core/find-message.ts";
import { eventOf, type MessageWrite } from "../../../functions/core/publish-changes.ts";
import { type SendBatchDependencies, sendBatch } from "../../../functions/core/send-batch.ts";
import {
  CountingRandomness,
  ManualClock,
  MemoryBatches,
  MemoryBatchQueue,
  MemoryDispatchQueue,
  MemoryMessages,
} from "../../support/memory.ts";
import { MemoryBlockedNumbers, MemoryUsageCounters } from "../../support/memory-customers.ts";
import { sampleAccount, sampleMessage } from "../../support/samples.ts";
import { FAULTS, FaultyPorts, sampleRequest } from "./support.ts";

const MINUTE_MS = 60_000;
const account = sampleAccount();
const duplicate = { accepted: false, refusal: "duplicate-id" };

describe("sendBatch", () => {
  let clock: ManualClock;
  let messages: MemoryMessages;
  let batches: MemoryBatches;
  let batchQueue: MemoryBatchQueue;
  let dispatchQueue: MemoryDispatchQueue;
  let deps: SendBatchDependencies;

  function startOver() {
    clock = new ManualClock();
    messages = new MemoryMessages(clock);
    batches = new MemoryBatches(clock);
    batchQueue = new MemoryBatchQueue();
    dispatchQueue = new MemoryDispatchQueue();
    deps = {
      messages,
      batches,
      batchQueue,
      clock,
      randomness: new CountingRandomness(),
      blockedNumbers: new MemoryBlockedNumbers(),
      usage: new MemoryUsageCounters(),
      retentionMs: 24 * 60 * MINUTE_MS,
    };
  }
  beforeEach(startOver);

  const send = (...requests: Partial<SendRequest>[]) =>
    sendBatch(deps, account, requests.map(sampleRequest));
  const find = (id: string) => findMessage({ messages, batches }, "acme", id);
  const expand = (batch: BatchRef) =>
    expandBatch({ messages, batches, dispatchQueue, clock }, batch);

  const over = (ports: FaultyPorts): SendBatchDependencies => ({
    ...deps,
    messages: ports.wrap(messages),
    batches: ports.wrap(batches),
    batchQueue: ports.wrap(batchQueue),
  });

  /** What is done with all that was put on its way. */
  async function work() {
    for (const job of batchQueue.jobs.splice(0)) if (job.kind === "expand") await expand(job);
  }

  /** An open batch of the account's, with a message of this id. */
  async function givenOpen(id: string, batch: BatchRef = { account: "acme", batchId: "earlier" }) {
    const membership = { batchId: batch.batchId, dueTogether: 1 };
    const overrides = { account: batch.account, id, traceId: `earlier-${id}`, batch: membership };
    await batches.keep(batch, [sampleMessage(clock.now(), overrides)]);
    await batches.open(batch);
    return batch;
  }

  it("answers each request in its place", async () => {
    const { batchId, results } = await send(
      { id: "a" },
      { id: "b", destination: "551132654321" },
      { id: "c", text: "third" },
      { id: "d", text: "" },
    );
    expect(batchId).toBe("uuid-1");
    expect(results).toMatchObject([
      { accepted: true, message: { id: "a" } },
      { accepted: false, refusal: "invalid-destination" },
      { accepted: true, message: { id: "c", text: "third" } },
      { accepted: false, refusal: "empty-text" },
    ]);
  });

  it("keeps and opens what it accepts as one batch, and puts that on its way", async () => {
    const { batchId } = await send({ id: "a" }, { id: "b", text: "" }, { id: "c" });
    const batch = { account: "acme", batchId };
    expect((await batches.load(batch)).map(({ id }) => id)).toEqual(["a", "c"]);
    expect(await find("c")).toMatchObject({ id: "c", state: "QUEUED", batch: { batchId } });
    expect(batchQueue.jobs).toEqual([{ kind: "expand", ...batch }]);
    expect(batchQueue.schedules).toEqual([]);
  });

  it("gives ids to those that have none, each its own", async () => {
    const { results } = await send({ id: undefined }, { id: undefined });
    const ids = results.map((result) => result.accepted && result.message.id);
    expect(ids).toEqual(["uuid-2", "uuid-3"]);
    expect(await find("uuid-3")).toMatchObject({ id: "uuid-3", traceId: "uuid-3" });
  });

  it.each<{ refused: Partial<SendRequest>[] }>([
    { refused: [] },
    { refused: [{ text: "" }, { destination: "" }] },
  ])("stores nothing where nothing is accepted: %j", async ({ refused }) => {
    const ports = new FaultyPorts(() => undefined);
    const { results } = await sendBatch(over(ports), account, refused.map(sampleRequest));
    expect(results.map(({ accepted }) => accepted)).toEqual(refused.map(() => false));
    expect(ports.calls.filter((method) => !method.startsWith("find"))).toEqual([]);
  });

  describe("ids", () => {
    it("are the first's of those in the request that have the same", async () => {
      const { results } = await send({ id: "a", text: "first" }, { id: "a", text: "second" });
      expect(results).toMatchObject([{ accepted: true, message: { text: "first" } }, duplicate]);
      expect(await find("a")).toMatchObject({ text: "first", batch: { dueTogether: 1 } });
    });

    it("are not taken by one that is refused", async () => {
      const { results } = await send({ id: "a", text: "" }, { id: "a", text: "second" });
      expect(results).toMatchObject([
        { accepted: false, refusal: "empty-text" },
        { accepted: true, message: { text: "second" } },
      ]);
    });

    it("are taken by stored messages of the account, and of no other", async () => {
      const stored = sampleMessage(clock.now(), { id: "a" });
      await messages.insert(stored);
      await messages.insert(sampleMessage(clock.now(), { id: "b", account: "other" }));
      const { results } = await send({ id: "a" }, { id: "b" });
      expect(results).toMatchObject([duplicate, { accepted: true }]);
      await work();
      expect(await find("a")).toEqual(stored);
    });

    it("are taken by open batches of the account, and of no other", async () => {
      await givenOpen("a");
      await givenOpen("b", { account: "other", batchId: "of-another" });
      const { results } = await send({ id: "a" }, { id: "b" });
      expect(results).toMatchObject([duplicate, { accepted: true }]);
    });

    it("are free again past the retention of their message", async () => {
      await messages.insert(sampleMessage(clock.now(), { id: "a" }));
      await givenOpen("b");
      clock.advance(24 * 60 * MINUTE_MS + 1_000);
      const { results } = await send({ id: "a" }, { id: "b" });
      expect(results).toMatchObject([{ accepted: true }, { accepted: true }]);
    });

    it.each(["messages.findMany", "batches.findOpen"] as const)(
      "are taken also where their batch is expanded and closed at the look: %s",
      async (look) => {
        const earlier = await givenOpen("a");
        const findMany = messages.findMany.bind(messages);
        const findOpen = batches.findOpen.bind(batches);
        if (look === "messages.findMany") {
          messages.findMany = async (...asked) => {
            await expand(earlier);
            return findMany(...asked);
          };
        } else {
          batches.findOpen = async (...asked) => {
            await expand(earlier);
            return findOpen(...asked);
          };
        }
        expect((await send({ id: "a" })).results).toEqual([duplicate]);
      },
    );

    it("lead to stranded batches, each put on its way once, and to no other's", async () => {
      const strandedBatch = await givenOpen("a");
      await batches.keep(
        strandedBatch,
        ["a", "b"].map((id) => sampleMessage(clock.now(), { id, traceId: `earlier-${id}` })),
      );
      await batches.begin(await givenOpen("c", { account: "acme", batchId: "begun" }));
      await givenOpen("d", { account: "acme", batchId: "not-asked-for" });
      const { results } = await send({ id: "a" }, { id: "b" }, { id: "c" });
      expect(results).toEqual([duplicate, duplicate, duplicate]);
      expect(batchQueue.jobs).toEqual([{ kind: "expand", ...strandedBatch }]);
    });
  });

  describe("due times", () => {
    const dueIn = (ms: number, id: string) => ({ id, scheduledAt: clock.now() + ms });

    it("are counted, so that each message knows how many are due with it", async () => {
      const { batchId } = await send(
        { id: "now" },
        dueIn(20 * MINUTE_MS, "soon-1"),
        dueIn(60 * MINUTE_MS, "later"),
        dueIn(20 * MINUTE_MS, "soon-2"),
        { ...dueIn(20 * MINUTE_MS, "refused"), text: "" },
      );
      const together = async (id: string) => (await find(id))?.batch;
      expect(await together("now")).toEqual({ batchId, dueTogether: 1 });
      expect(await together("soon-1")).toEqual({ batchId, dueTogether: 2 });
      expect(await together("soon-2")).toEqual({ batchId, dueTogether: 2 });
      expect(await together("later")).toEqual({ batchId, dueTogether: 1 });
    });

    it("have a schedule each that are more than a quarter of an hour away, and no other", async () => {
      const quarter = 15 * MINUTE_MS;
      const { batchId } = await send(
        { id: "now" },
        dueIn(quarter, "a quarter"),
        dueIn(quarter + 1, "more-1"),
        dueIn(quarter + 1_000, "more-2"),
        dueIn(60 * MINUTE_MS, "hour"),
        { ...dueIn(120 * MINUTE_MS, "refused"), text: "" },
      );
      expect(batchQueue.schedules).toEqual([
        { account: "acme", batchId, due: clock.now() + quarter + 1_000 },
        { account: "acme", batchId, due: clock.now() + 60 * MINUTE_MS },
      ]);
    });

    it("are those of the windows' openings", async () => {
      // 12:00 in São Paulo.
      const window = { hours: [18], timeZone: "America/Sao_Paulo" };
      const opening = Date.parse("2026-03-02T21:00:00Z");
      await send({ id: "a", window }, { id: "b", window, scheduledAt: opening - MINUTE_MS });
      expect(batchQueue.schedules).toMatchObject([{ due: opening }]);
    });

    it("have a schedule each also where there are very many", async () => {
      const requests = Array.from({ length: 70 }, (_, i) => dueIn((20 + i) * MINUTE_MS, `${i}`));
      await send(...requests);
      expect(batchQueue.schedules.map(({ due }) => due)).toEqual(
        requests.map(({ scheduledAt }) => scheduledAt),
      );
    });
  });

  describe("where a port fails", () => {
    const requests = [
      sampleRequest({ id: "a" }),
      sampleRequest({ id: "b", scheduledAt: Date.parse("2026-03-02T16:00:00Z") }),
    ];
    const methods = ["findOpen", "findMany", "keep", "schedule", "open", "enqueue"];

    it("asks them in an order in which nobody finds what may yet be refused", async () => {
      const ports = new FaultyPorts(() => undefined);
      await sendBatch(over(ports), account, requests);
      expect(ports.calls).toEqual(methods);
    });

    it.each(methods.flatMap((method) => FAULTS.map((fault) => [method, fault] as const)))(
      "is unavailable and accepts nothing: %s, %s",
      async (failing, fault) => {
        const ports = new FaultyPorts((method) => (method === failing ? fault : undefined));
        const sent = sendBatch(over(ports), account, requests);
        await expect(sent).rejects.toThrow(UnavailableError);
        await expect(sent).rejects.toMatchObject({ traceId: "uuid-1", cause: expect.any(Error) });
        for (const id of ["a", "b"]) expect(await find(id)).toBeUndefined();
        await work();
        for (const id of ["a", "b"]) expect(await find(id)).toBeUndefined();
        expect(dispatchQueue.entries).toEqual([]);
        const again = await sendBatch(deps, account, requests);
        expect(again.results).toMatchObject([{ accepted: true }, { accepted: true }]);
        await work();
        expect(await find("a")).toMatchObject({ batch: { batchId: again.batchId } });
      },
    );

    it.each([
      ["has begun", async (batch: BatchRef) => void (await batches.begin(batch))],
      ["is expanded and closed", async (batch: BatchRef) => void (await expand(batch))],
    ])("accepts all where the queue's answer is lost, but the batch %s", async (_, begin) => {
      const enqueue = batchQueue.enqueue.bind(batchQueue);
      batchQueue.enqueue = async (job) => {
        await enqueue(job);
        await begin(job);
        throw new Error("timeout");
      };
      const { results } = await sendBatch(deps, account, requests);
      expect(results).toMatchObject([{ accepted: true }, { accepted: true }]);
      await work();
      expect(await messages.findMany("acme", ["a", "b"])).toHaveLength(2);
      expect(dispatchQueue.entries.map(({ ref }) => ref.id)).toContain("a");
    });

    it("is unavailable also where one of its messages was canceled in the meantime", async () => {
      batchQueue.enqueue = async () => {
        const canceled = await find("b");
        if (canceled) await messages.insert({ ...canceled, state: "CANCELED" });
        throw new Error("the queue is away");
      };
      await expect(sendBatch(deps, account, requests)).rejects.toThrow(UnavailableError);
      expect(await find("a")).toBeUndefined();
    });

    it.each(FAULTS)(
      "is unavailable where the batch can neither be enqueued nor withdrawn: %s",
      async (fault) => {
        const ports = new FaultyPorts((method) => {
          if (method === "enqueue") return "refused";
          return method === "withdraw" ? fault : undefined;
        });
        const sent = sendBatch(over(ports), account, requests);
        await expect(sent).rejects.toThrow(UnavailableError);
        expect(ports.calls.slice(-2)).toEqual(["enqueue", "withdraw"]);
      },
    );

    it("does not take back what a retry was told is there", async () => {
      const hanging = {
        ...batchQueue,
        enqueue: () =>
          new Promise<never>((_, reject) => {
            refuseFirst = reject;
          }),
      };
      let refuseFirst = (_: Error) => {};
      const first = sendBatch(
        { ...deps, batchQueue: { ...hanging, schedule: batchQueue.schedule.bind(batchQueue) } },
        account,
        [sampleRequest()],
      );
      await expect.poll(() => find("id-1")).toBeDefined();
      const retry = await send({});
      refuseFirst(new Error("the queue is away"));
      expect(retry.results).toEqual([duplicate]);
      expect((await first).results).toMatchObject([{ accepted: true }]);
      expect(await find("id-1")).toBeDefined();
      expect(batchQueue.jobs).toHaveLength(1);
    });

    it("accepts ids whose batch was withdrawn between two looks at it", async () => {
      const first = await send({});
      await batches.withdraw({ account: "acme", batchId: first.batchId });
      const opened = [{ message: sampleMessage(clock.now()), begun: false }].map((open) => ({
        ...open,
        batch: { account: "acme", batchId: first.batchId },
      }));
      batches.findOpen = async () => opened;
      expect((await send({})).results).toMatchObject([{ accepted: true }]);
    });

    it("is unavailable where a stranded batch of the same ids cannot be put on its way", async () => {
      await givenOpen("a");
      batchQueue.refuses = true;
      await expect(send({ id: "a" }, { id: "b" })).rejects.toThrow(UnavailableError);
      expect(await find("b")).toBeUndefined();
    });

    it("loses nothing where a function dies between opening and enqueuing, and its client tries again", async () => {
      let dead = false;
      const dying = new FaultyPorts((method) => {
        dead ||= method === "enqueue";
        return dead ? "refused" : undefined;
      });
      await expect(sendBatch(over(dying), account, requests)).rejects.toThrow(UnavailableError);
      expect(batchQueue.jobs).toEqual([]);
      const first = await find("a");
      expect(first).toMatchObject({ batch: { batchId: "uuid-1" } });
      const { results } = await sendBatch(deps, account, [
        ...requests,
        sampleRequest({ id: "new" }),
      ]);
      expect(results).toMatchObject([duplicate, duplicate, { accepted: true }]);
      expect(batchQueue.jobs[0]).toEqual({ kind: "expand", account: "acme", batchId: "uuid-1" });
      await work();
      expect(await messages.find("acme", "a")).toEqual(first);
      expect(await messages.findMany("acme", ["a", "b", "new"])).toHaveLength(3);
      expect(dispatchQueue.entries.map(({ ref }) => ref.id)).toEqual(["a", "new"]);
      expect(batchQueue.schedules).toMatchObject([{ batchId: "uuid-1", due: first && dueOf("b") }]);
    });

    const dueOf = (id: string) => requests.find((request) => request.id === id)?.scheduledAt;
  });

  describe("of a dialect that stores what cannot be sent", () => {
    const BLOCKED = "5519900002222";
    const HOUR_MS = 60 * MINUTE_MS;
    const element = (overrides: Partial<SendRequest> = {}): Partial<SendRequest> => ({
      dialect: "wavy",
      id: undefined,
      storesRefused: true,
      ...overrides,
    });
    const blocked = (reason: string) => ({ accepted: true, message: { state: "BLOCKED", reason } });
    const loaded = (batchId: string) => batches.load({ account: "acme", batchId });

    beforeEach(async () => {
      const number = BLOCKED;
      const blockedNumbers = new MemoryBlockedNumbers();
      await blockedNumbers.block({ version: 1, account: "acme", number, createdAt: 0 });
      deps = { ...deps, blockedNumbers };
    });

    it("gives each an id and its final state, and sends the others", async () => {
      const { batchId, results } = await send(
        element({ destination: "551132654321" }),
        element(),
        element({ text: " " }),
        element({ destination: BLOCKED }),
        element({ unreadable: true, destination: "", text: "" }),
      );
      expect(results).toMatchObject([
        blocked("invalid-number"),
        { accepted: true, message: { state: "QUEUED" } },
        blocked("invalid-message"),
        blocked("block-list"),
        blocked("invalid-message"),
      ]);
      const ids = results.flatMap((result) => (result.accepted ? [result.message.id] : []));
      expect(new Set(ids).size).toBe(5);
      expect((await loaded(batchId)).map(({ id }) => id)).toEqual(ids);
      for (const id of ids) expect(await find(id)).toMatchObject({ id, batch: { batchId } });
      expect(batchQueue.jobs).toEqual([{ kind: "expand", account: "acme", batchId }]);
      await work();
      expect((await messages.findMany("acme", ids)).map(({ state }) => state)).toEqual([
        "BLOCKED",
        "QUEUED",
        "BLOCKED",
        "BLOCKED",
        "BLOCKED",
      ]);
      expect(dispatchQueue.entries.map(({ ref }) => ref.id)).toEqual([ids[1]]);
    });

    it("keeps also a batch of which nothing is to be sent", async () => {
      const { batchId } = await send(element({ destination: BLOCKED }), element({ text: "" }));
      await work();
      const stored = await loaded(batchId);
      expect(stored.map(({ reason }) => reason)).toEqual(["block-list", "invalid-message"]);
      expect(
        await messages.findMany(
          "acme",
          stored.map(({ id }) => id),
        ),
      ).toEqual(stored);
      expect(dispatchQueue.entries).toEqual([]);
      expect(batchQueue.schedules).toEqual([]);
    });

    it("has no schedule for them, and counts only what is due among what is due together", async () => {
      const scheduledAt = clock.now() + HOUR_MS;
      const later = clock.now() + 2 * HOUR_MS;
      const { batchId } = await send(
        element({ scheduledAt }),
        element({ scheduledAt, destination: BLOCKED }),
        element({ scheduledAt }),
        element({ scheduledAt: later, destination: BLOCKED }),
        element({ scheduledAt: later, text: "" }),
        element({ destination: BLOCKED }),
        element(),
      );
      expect(batchQueue.schedules).toEqual([{ account: "acme", batchId, due: scheduledAt }]);
      const stored = await loaded(batchId);
      expect(stored.map(({ state, batch }) => [state, batch?.dueTogether])).toEqual([
        ["SCHEDULED", 2],
        ["BLOCKED", 1],
        ["SCHEDULED", 2],
        ["BLOCKED", 1],
        ["BLOCKED", 1],
        ["BLOCKED", 1],
        ["QUEUED", 1],
      ]);
      // Kept from now on, and not from when they would have been due.
      for (const { state, removeAt } of stored) {
        if (state === "BLOCKED") expect(removeAt).toBe((clock.now() + 24 * HOUR_MS) / 1_000);
      }
    });

    it("deletes the schedule once all that will be sent is canceled", async () => {
      const scheduledAt = clock.now() + HOUR_MS;
      const { results } = await send(
        element({ scheduledAt }),
        element({ scheduledAt, destination: BLOCKED }),
      );
      const [first] = results.flatMap((result) => (result.accepted ? [result.message.id] : []));
      const ports = { messages, batches, batchQueue, dispatchQueue, clock };
      expect(await cancelMessage(ports, "acme", first ?? "")).toMatchObject({ kind: "canceled" });
      expect(batchQueue.schedules).toEqual([]);
    });

    it("releases none of them, whenever it is expanded and released", async () => {
      const scheduledAt = clock.now() + HOUR_MS;
      const { batchId } = await send(
        element({ scheduledAt, destination: BLOCKED }),
        element({ scheduledAt }),
      );
      const batch = { account: "acme", batchId };
      await expand(batch);
      const due = { ...batch, due: scheduledAt };
      const live = (await loaded(batchId)).filter(({ state }) => state === "SCHEDULED");
      await releaseBatch({ batches, dispatchQueue }, due);
      expect(dispatchQueue.entries.map(({ ref }) => ref.id)).toEqual(live.map(({ id }) => id));
    });

    it("tells of each once, however often its batch is expanded", async () => {
      const { batchId } = await send(
        element({ destination: "1" }),
        element({ destination: BLOCKED }),
      );
      const batch = { account: "acme", batchId };
      const elements = await loaded(batchId);
      const written: MessageWrite[] = [];
      const insertMany: MemoryMessages["insertMany"] = async (all) => {
        for (const one of all) {
          if (!(await messages.find("acme", one.id))) written.push({ after: one });
        }
        return messages.insertMany(all);
      };
      // A function that dies before it has closed the batch.
      const dying = { ...batches, begin: async () => true, load: async () => elements };
      const close = () => Promise.reject(new Error("timeout"));
      const deps = { messages: { insertMany }, dispatchQueue, clock };
      await expect(expandBatch({ ...deps, batches: { ...dying, close } }, batch)).rejects.toThrow();
      await expandBatch({ ...deps, batches }, batch);
      const events = written.flatMap((write) => eventOf(write) ?? []);
      expect(events).toMatchObject([
        { state: "BLOCKED", reason: "invalid-number", final: true, batchId, destination: "1" },
        { state: "BLOCKED", reason: "block-list", final: true, batchId, destination: BLOCKED },
      ]);
      expect(events.map(({ codes }) => codes.wavy)).toEqual([{ sent: 202 }, { sent: 203 }]);
      for (const event of events) {
        expect(event).not.toHaveProperty("previousState");
        expect(messageStatusChangedSchema.parse(event)).toEqual(event);
      }
      for (const { traceId } of elements)
        expect(messages.history.get(traceId)).toEqual(["BLOCKED"]);
    });
  });

  it("answers every request in its place and accepts an id once, whatever is asked", async () => {
    const ids = ["a", "b", "c", "d"];
    const request = fc.record({
      id: fc.constantFrom(...ids, undefined),
      destination: fc.constantFrom("5519900001111", "551132654321"),
      text: fc.constantFrom("Hello", " "),
      dueIn: fc.constantFrom(0, 5, 15, 16, 60),
    });
    const some = fc.uniqueArray(fc.constantFrom(...ids), { maxLength: 2 });
    await fc.assert(
      fc.asyncProperty(
        fc.array(request, { maxLength: 20 }),
        some,
        some,
        async (asked, stored, open) => {
          startOver();
          for (const id of stored) {
            await messages.insert(sampleMessage(clock.now(), { id, traceId: `stored-${id}` }));
          }
          for (const id of open) await givenOpen(id, { account: "acme", batchId: `open-${id}` });
          const requests = asked.map(({ dueIn, ...it }) =>
            sampleRequest({ ...it, scheduledAt: clock.now() + dueIn * MINUTE_MS }),
          );
          const { batchId, results } = await sendBatch(deps, account, requests);

          const taken = new Set([...stored, ...open]);
          const expected = requests.map(({ id, text, destination }) => {
            if (text.trim() === "") return "empty-text";
            if (destination === "551132654321") return "invalid-destination";
            if (id !== undefined && taken.has(id)) return "duplicate-id";
            if (id !== undefined) taken.add(id);
            return "accepted";
          });
          expect(results.map((it) => (it.accepted ? "accepted" : it.refusal))).toEqual(expected);

          const kept = await batches.load({ account: "acme", batchId });
          expect(new Set(kept.map(({ id }) => id)).size).toBe(kept.length);
          const accepted = requests.filter((_, index) => expected[index] === "accepted");
          expect(kept.map(({ claimableFrom }) => claimableFrom)).toEqual(
            accepted.map(({ scheduledAt }) => scheduledAt),
          );
          for (const { claimableFrom, batch } of kept) {
            const together = kept.filter((other) => other.claimableFrom === claimableFrom);
            expect(batch).toEqual({ batchId, dueTogether: together.length });
          }
          const scheduled = accepted.flatMap(({ scheduledAt = 0 }) =>
            scheduledAt - clock.now() > 15 * MINUTE_MS ? [scheduledAt] : [],
          );
          expect(batchQueue.schedules.map(({ due }) => due)).toEqual([...new Set(scheduled)]);
          expect(batchQueue.jobs.filter((job) => job.batchId === batchId)).toHaveLength(
            Math.min(kept.length, 1),
          );
        },
      ),
    );
  });
});
