import fc from "fast-check";
import { beforeEach, describe, expect, it } from "vitest";
import { UnavailableError } from "../../../functions/core/errors.ts";
import {
  type SendDependencies,
  type SendRequest,
  SHORT_TEXT_LENGTH,
  sendMessage,
} from "../../../functions/core/send-message.ts";
import {
  CountingRandomness,
  ManualClock,
  MemoryDispatchQueue,
  MemoryMessages,
} from "../../support/memory.ts";
import { sampleAccount } from "../../support/samples.ts";

const HOUR_MS = 3_600_000;
const account = sampleAccount();

const request = (overrides: Partial<SendRequest> = {}): SendRequest => ({
  dialect: "mesago",
  id: "id-1",
  destination: "5519900001111",
  text: "Hello",
  flash: false,
  ...overrides,
});

describe("sendMessage", () => {
  let clock: ManualClock;
  let messages: MemoryMessages;
  let dispatchQueue: MemoryDispatchQueue;
  let deps: SendDependencies;

  beforeEach(() => {
    clock = new ManualClock();
    messages = new MemoryMessages(clock);
    dispatchQueue = new MemoryDispatchQueue();
    deps = {
      messages,
      dispatchQueue,
      clock,
      randomness: new CountingRandomness(),
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

  it.each([
    ["empty-destination", { destination: " " }],
    ["invalid-destination", { destination: "551132654321" }],
    ["empty-text", { text: " \n" }],
    ["text-too-long", { text: "x".repeat(SHORT_TEXT_LENGTH + 1) }],
  ] as const)("refuses with %s, and stores nothing", async (refusal, overrides) => {
    expect(await sendMessage(deps, account, request(overrides))).toEqual({
      accepted: false,
      refusal,
    });
    expect(await messages.find("acme", "id-1")).toBeUndefined();
    expect(dispatchQueue.entries).toEqual([]);
  });

  it("takes a text of exactly the length of a part", async () => {
    const text = "x".repeat(SHORT_TEXT_LENGTH);
    expect(await sendMessage(deps, account, request({ text }))).toMatchObject({ accepted: true });
  });

  it("refuses an id used before, and leaves the first message as it was", async () => {
    await sendMessage(deps, account, request({ text: "first" }));
    const first = await messages.find("acme", "id-1");
    expect(await sendMessage(deps, account, request({ text: "second" }))).toEqual({
      accepted: false,
      refusal: "duplicate-id",
    });
    expect(await messages.find("acme", "id-1")).toEqual(first);
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
