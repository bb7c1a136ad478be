import fc from "fast-check";
import { beforeEach, describe, expect, it } from "vitest";
import type { SendRequest } from "../../../functions/core/accept-message.ts";
import { UnavailableError } from "../../../functions/core/errors.ts";
import type { Message } from "../../../functions/core/message.ts";
import { eventOf } from "../../../functions/core/publish-changes.ts";
import { type SendDependencies, sendMessage } from "../../../functions/core/send-message.ts";
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
import { sampleRequest as request } from "./support.ts";

const HOUR_MS = 3_600_000;
const account = sampleAccount();

describe("sendMessage", () => {
  let clock: ManualClock;
  let messages: MemoryMessages;
  let batches: MemoryBatches;
  let batchQueue: MemoryBatchQueue;
  let dispatchQueue: MemoryDispatchQueue;
  let deps: SendDependencies;

  beforeEach(() => {
    clock = new ManualClock();
    messages = new MemoryMessages(clock);
    batches = new MemoryBatches(clock);
    batchQueue = new MemoryBatchQueue();
    dispatchQueue = new MemoryDispatchQueue();
    deps = {
      messages,
      batches,
      batchQueue,
      dispatchQueue,
      clock,
      randomness: new CountingRandomness(),
      blockedNumbers: new MemoryBlockedNumbers(),
      usage: new MemoryUsageCounters(),
      retentionMs: 24 * HOUR_MS,
    };
  });

  it("stores the message, puts it on its way, and keeps it for its retention", async () => {
    const result = await sendMessage(deps, account, request());
    const stored = await messages.find("acme", "id-1");
    expect(result).toEqual({ accepted: true, message: stored });
    expect(stored).toMatchObject({ state: "QUEUED", destination: "5519900001111", attempts: 0 });
    expect(stored?.removeAt).toBe((clock.now() + 24 * HOUR_MS) / 1_000);
    expect(dispatchQueue.entries).toEqual([
      { ref: { account: "acme", id: "id-1", traceId: "uuid-1" }, notBefore: clock.now() },
    ]);
  });

  it("gives a message an id where the client chose none", async () => {
    const result = await sendMessage(deps, account, request({ id: undefined }));
    expect(result).toMatchObject({ accepted: true, message: { id: "uuid-1" } });
  });

  it("refuses a bad request, stores nothing, and asks nobody", async () => {
    batches.findOpen = () => Promise.reject(new Error("not to be asked"));
    expect(await sendMessage(deps, account, request({ destination: "551132654321" }))).toEqual({
      accepted: false,
      refusal: "invalid-destination",
    });
    expect(await messages.find("acme", "id-1")).toBeUndefined();
    expect(dispatchQueue.entries).toEqual([]);
  });

  it("stores a long message with its parts", async () => {
    const long = sampleAccount({ longMessages: true });
    const result = await sendMessage(deps, long, request({ text: "x".repeat(200) }));
    expect(result).toMatchObject({ accepted: true });
    expect(await messages.find("acme", "id-1")).toMatchObject({
      parts: [
        { length: 152, state: "QUEUED" },
        { length: 48, state: "QUEUED" },
      ],
    });
  });

  it("puts a scheduled message on its way for when it is due", async () => {
    const due = clock.now() + 48 * HOUR_MS;
    await sendMessage(deps, account, request({ scheduledAt: due }));
    expect(await messages.find("acme", "id-1")).toMatchObject({
      state: "SCHEDULED",
      claimableFrom: due,
      removeAt: (due + 24 * HOUR_MS) / 1_000,
    });
    expect(dispatchQueue.entries).toMatchObject([{ notBefore: due }]);
  });

  it("refuses an id used before, and leaves the first message as it was", async () => {
    await sendMessage(deps, account, request({ text: "first" }));
    const first = await messages.find("acme", "id-1");
    expect(await sendMessage(deps, account, request({ text: "second" }))).toEqual({
      accepted: false,
      refusal: "duplicate-id",
    });
    expect(await messages.find("acme", "id-1")).toEqual({ ...first, kept: true });
  });

  it("does not take back what a retry was told is there", async () => {
    // The first try hangs; its client tries again; then the queue refuses the first try.
    let refuseFirst = (_: Error) => {};
    const hanging: SendDependencies = {
      ...deps,
      dispatchQueue: {
        enqueue: () =>
          new Promise((_, reject) => {
            refuseFirst = reject;
          }),
      },
    };
    const first = sendMessage(hanging, account, request());
    await expect.poll(() => messages.find("acme", "id-1")).toBeDefined();
    const retry = await sendMessage(deps, account, request());
    refuseFirst(new Error("the queue is away"));
    expect(retry).toEqual({ accepted: false, refusal: "duplicate-id" });
    expect(await first).toMatchObject({ accepted: true });
    expect(await messages.find("acme", "id-1")).toBeDefined();
    expect(dispatchQueue.entries).toHaveLength(1);
  });

  it("takes the id itself where the message that had it is withdrawn meanwhile", async () => {
    await sendMessage(deps, account, request({ text: "withdrawn" }));
    const withdrawn = await messages.find("acme", "id-1");
    dispatchQueue.entries.length = 0;
    const enqueue = dispatchQueue.enqueue.bind(dispatchQueue);
    dispatchQueue.enqueue = async (ref, notBefore) => {
      if (withdrawn) await messages.withdraw(withdrawn);
      await enqueue(ref, notBefore);
    };
    const retry = await sendMessage(deps, account, request({ text: "second" }));
    expect(retry).toMatchObject({ accepted: true, message: { text: "second" } });
    expect(dispatchQueue.entries.at(-1)?.ref.traceId).toBe(retry.accepted && retry.message.traceId);
  });

  it("takes the id of another account, and one whose message is past its retention", async () => {
    await sendMessage(deps, account, request());
    const other = sampleAccount({ account: "other" });
    expect(await sendMessage(deps, other, request())).toMatchObject({ accepted: true });
    clock.advance(24 * HOUR_MS + 1_000);
    expect(await sendMessage(deps, account, request())).toMatchObject({ accepted: true });
  });

  it("accepts nothing where the queue does not take it, so that the client can try again", async () => {
    dispatchQueue.refuses = true;
    await expect(sendMessage(deps, account, request())).rejects.toThrow(UnavailableError);
    expect(await messages.find("acme", "id-1")).toBeUndefined();
    dispatchQueue.refuses = false;
    expect(await sendMessage(deps, account, request())).toMatchObject({ accepted: true });
  });

  it("accepts nothing where the store does not take it", async () => {
    messages.insert = () => Promise.reject(new Error("throttled"));
    await expect(sendMessage(deps, account, request())).rejects.toThrow(UnavailableError);
    expect(dispatchQueue.entries).toEqual([]);
  });

  it("puts a message on its way again whose first try died between its two writes", async () => {
    dispatchQueue.refuses = true;
    const dying: SendDependencies = {
      ...deps,
      messages: {
        insert: (message) => messages.insert(message),
        find: (...key) => messages.find(...key),
        change: (...change) => messages.change(...change),
        withdraw: () => Promise.reject(new Error("throttled")),
      },
    };
    await expect(sendMessage(dying, account, request())).rejects.toThrow(UnavailableError);
    dispatchQueue.refuses = false;
    expect(await sendMessage(deps, account, request())).toEqual({
      accepted: false,
      refusal: "duplicate-id",
    });
    expect(dispatchQueue.entries.map(({ ref }) => ref.id)).toEqual(["id-1"]);
  });

  it("accepts a message that the queue had taken and dispatch has begun with, though its answer was lost", async () => {
    const taken: SendDependencies = {
      ...deps,
      dispatchQueue: {
        enqueue: async (ref) => {
          const lease = { token: "t", until: clock.now() + 1 };
          await messages.claim(ref, { now: clock.now(), lease, carrier: "sandbox" });
          throw new Error("timeout");
        },
      },
    };
    expect(await sendMessage(taken, account, request())).toMatchObject({ accepted: true });
    expect(await messages.find("acme", "id-1")).toMatchObject({ state: "SENDING" });
  });

  it("answers a stranded message as unavailable while the queue is still away", async () => {
    await sendMessage(deps, account, request());
    dispatchQueue.refuses = true;
    await expect(sendMessage(deps, account, request())).rejects.toThrow(UnavailableError);
  });

  it("does not put a message on its way again that dispatch has begun with", async () => {
    await sendMessage(deps, account, request());
    const [entry] = dispatchQueue.entries;
    const lease = { token: "t", until: clock.now() + 1 };
    if (entry) await messages.claim(entry.ref, { now: clock.now(), lease, carrier: "sandbox" });
    await sendMessage(deps, account, request());
    expect(dispatchQueue.entries).toHaveLength(1);
    const held = await messages.find("acme", "id-1");
    if (held) await messages.change(held, { state: "QUEUED", lease: undefined });
    await sendMessage(deps, account, request());
    expect(dispatchQueue.entries).toHaveLength(1);
  });

  describe("under an id that a bulk request has taken", () => {
    const duplicate = { accepted: false, refusal: "duplicate-id" };
    const batch = { account: "acme", batchId: "batch-1" };
    let element: Message;

    beforeEach(async () => {
      const membership = { batchId: "batch-1", dueTogether: 1 };
      element = sampleMessage(clock.now(), { traceId: "element", batch: membership });
      await batches.keep(batch, [element]);
    });

    it("refuses the message, and puts a batch on its way that nobody has begun with", async () => {
      await batches.open(batch);
      expect(await sendMessage(deps, account, request())).toEqual(duplicate);
      expect(batchQueue.jobs).toEqual([{ kind: "expand", ...batch }]);
      expect(await messages.find("acme", "id-1")).toBeUndefined();
      expect(dispatchQueue.entries).toEqual([]);
    });

    it("does not put a batch on its way again that has begun", async () => {
      await batches.open(batch);
      await batches.begin(batch);
      expect(await sendMessage(deps, account, request())).toEqual(duplicate);
      expect(batchQueue.jobs).toEqual([]);
    });

    it("leaves a message that is an item of its own by now to its batch", async () => {
      await messages.insert(element);
      expect(await sendMessage(deps, account, request())).toEqual(duplicate);
      expect(batchQueue.jobs).toEqual([]);
      expect(dispatchQueue.entries).toEqual([]);
      expect(await messages.find("acme", "id-1")).toEqual(element);
    });

    it("refuses it also where the batch is expanded and closed between the two looks", async () => {
      await batches.open(batch);
      const findOpen: MemoryBatches["findOpen"] = async () => {
        await messages.insert(element);
        await batches.close(batch);
        return [];
      };
      const racing = { ...deps, batches: { findOpen, begin: batches.begin.bind(batches) } };
      expect(await sendMessage(racing, account, request())).toEqual(duplicate);
      expect(await messages.find("acme", "id-1")).toEqual(element);
    });

    it("takes an id that only another account's batch has, or one that was withdrawn", async () => {
      await batches.open(batch);
      const other = sampleAccount({ account: "other" });
      expect(await sendMessage(deps, other, request())).toMatchObject({ accepted: true });
      await batches.withdraw(batch);
      expect(await sendMessage(deps, account, request())).toMatchObject({ accepted: true });
    });

    it("is unavailable where a stranded batch cannot be put on its way, or not be looked for", async () => {
      await batches.open(batch);
      batchQueue.refuses = true;
      await expect(sendMessage(deps, account, request())).rejects.toThrow(UnavailableError);
      batches.findOpen = () => Promise.reject(new Error("throttled"));
      await expect(sendMessage(deps, account, request())).rejects.toThrow(UnavailableError);
      expect(await messages.find("acme", "id-1")).toBeUndefined();
    });
  });

  it("does not look for batches where the id is ours", async () => {
    batches.findOpen = () => Promise.reject(new Error("not to be asked"));
    const result = await sendMessage(deps, account, request({ id: undefined }));
    expect(result).toMatchObject({ accepted: true });
  });

  it("does not send off again a message that is canceled", async () => {
    const due = clock.now() + HOUR_MS;
    await sendMessage(deps, account, request({ scheduledAt: due }));
    const scheduled = await messages.find("acme", "id-1");
    if (scheduled) await messages.change(scheduled, { state: "CANCELED" });
    await sendMessage(deps, account, request({ scheduledAt: due }));
    expect(dispatchQueue.entries).toHaveLength(1);
  });

  it("holds a message outside its window until it opens, and keeps it that much longer", async () => {
    // 12:00 in São Paulo.
    const window = { hours: [18, 19], timeZone: "America/Sao_Paulo" };
    await sendMessage(deps, account, request({ window }));
    const opening = Date.parse("2026-03-02T21:00:00Z");
    expect(await messages.find("acme", "id-1")).toMatchObject({
      state: "SCHEDULED",
      claimableFrom: opening,
      claimableUntil: opening + 2 * HOUR_MS,
      removeAt: (opening + 24 * HOUR_MS) / 1_000,
    });
    expect(dispatchQueue.entries).toMatchObject([{ notBefore: opening }]);
  });

  it("queues a message inside its window at once", async () => {
    const window = { hours: [12], timeZone: "America/Sao_Paulo" };
    await sendMessage(deps, account, request({ window }));
    expect(await messages.find("acme", "id-1")).toMatchObject({
      state: "QUEUED",
      claimableUntil: clock.now() + HOUR_MS,
    });
  });

  describe("that cannot be sent, of a dialect that stores those", () => {
    const BLOCKED = "5519900002222";
    const wavy = (overrides: Partial<SendRequest> = {}) =>
      request({ dialect: "wavy", id: undefined, storesRefused: true, ...overrides });

    beforeEach(async () => {
      const blockedNumbers = new MemoryBlockedNumbers();
      const blocked = { version: 1, account: "acme", number: BLOCKED, createdAt: 0 } as const;
      await blockedNumbers.block(blocked);
      deps = { ...deps, blockedNumbers };
    });

    it.each([
      ["invalid-number", { destination: "551132654321" }],
      ["invalid-message", { text: "" }],
      ["block-list", { destination: BLOCKED }],
    ])("is stored, told of once, and not put on its way: %s", async (reason, wrong) => {
      const result = await sendMessage(deps, account, wavy(wrong));
      const message = result.accepted ? result.message : undefined;
      expect(message).toMatchObject({ state: "BLOCKED", reason });
      expect(await messages.find("acme", message?.id ?? "")).toEqual(message);
      expect(dispatchQueue.entries).toEqual([]);
      expect(message && eventOf({ after: message })).toMatchObject({ final: true, reason });
      expect(await messages.takeChanged("acme", 10)).toEqual([message]);
    });

    it("is refused where its id is taken", async () => {
      await sendMessage(deps, account, request());
      expect(await sendMessage(deps, account, wavy({ id: "id-1", text: "" }))).toEqual({
        accepted: false,
        refusal: "duplicate-id",
      });
    });

    it("is unavailable where the store does not take it", async () => {
      messages.insert = () => Promise.reject(new Error("throttled"));
      const sent = sendMessage(deps, account, wavy({ text: "" }));
      await expect(sent).rejects.toThrow(UnavailableError);
    });
  });

  it("accepts each id once, whatever the number of tries at the same time", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.constantFrom("a", "b", "c"), { maxLength: 20 }), async (ids) => {
        const own = new MemoryMessages(clock);
        const tries = ids.map((id) =>
          sendMessage({ ...deps, messages: own }, account, request({ id })),
        );
        const accepted = (await Promise.all(tries)).filter((result) => result.accepted);
        expect(accepted).toHaveLength(new Set(ids).size);
      }),
    );
  });
});
