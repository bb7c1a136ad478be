import { beforeEach, describe, expect, it } from "vitest";
import { UnreadableItemError } from "../../../functions/core/errors.ts";
import type { HandOverRecord } from "../../../functions/core/hand-over-record.ts";
import { refOf } from "../../../functions/core/message.ts";
import { createHandler } from "../../../functions/dispatch/handler.ts";
import { ManualClock, MemoryDispatchQueue, MemoryMessages } from "../../support/memory.ts";
import { RecordingLog } from "../../support/recording-log.ts";
import { sampleMessage } from "../../support/samples.ts";
import { SimplePool } from "../../support/simple-pool.ts";
import { dispatchDependencies, WillingCarrier } from "../core/support.ts";

describe("what became of a hand-over", () => {
  const clock = new ManualClock();
  const lease = { token: "t", until: clock.now() + 80_000 };
  const ref = { account: "acme", id: "a", traceId: "trace-a" };
  const record: HandOverRecord = {
    ref,
    lease,
    at: clock.now(),
    outcome: { kind: "rejected", reason: "operator-rejected" },
  };

  async function write(failure: Error | undefined, laterMs: number, refuses = false) {
    const messages = new MemoryMessages(clock);
    await messages.insert(sampleMessage(clock.now(), { ...ref, state: "SENDING", lease }));
    if (failure) messages.change = () => Promise.reject(failure);
    const dispatchQueue = new MemoryDispatchQueue();
    dispatchQueue.refuses = refuses;
    const later = new ManualClock();
    later.advance(laterMs);
    const deps = dispatchDependencies({
      messages,
      dispatchQueue,
      carrier: new WillingCarrier(),
      clock: later,
    });
    const handler = createHandler({ ...deps, log: new RecordingLog() });
    const lastMs = lease.until + deps.lastCallMs - clock.now();
    return { lastMs, dispatchQueue, written: handler(record, 1) };
  }
  const throttled = new Error("throttled");

  it("is written down", async () => {
    const { written } = await write(undefined, 0);
    expect(await written).toEqual({ kind: "moved", state: "FAILED", reason: "operator-rejected" });
  });

  it("comes again soon where it cannot be, until others may hand its message over", async () => {
    const { lastMs, dispatchQueue, written } = await write(throttled, 0);
    expect(await written).toEqual({ kind: "deferred", detail: "Error" });
    expect(dispatchQueue.records).toEqual([record]);
    await expect((await write(throttled, lastMs)).written).resolves.toMatchObject({});
    await expect((await write(throttled, lastMs + 1)).written).rejects.toThrow("throttled");
  });

  it("is left to its queue where that takes nothing, and where it cannot be read", async () => {
    await expect((await write(throttled, 0, true)).written).rejects.toThrow("throttled");
    const unreadable = new UnreadableItemError("a stored message cannot be read: version: 2");
    await expect((await write(unreadable, 0)).written).rejects.toThrow(UnreadableItemError);
  });
});

describe("a group of messages", () => {
  const clock = new ManualClock();
  let messages: MemoryMessages;
  let carrier: WillingCarrier;
  let log: RecordingLog;

  beforeEach(() => {
    messages = new MemoryMessages(clock);
    carrier = new WillingCarrier();
    log = new RecordingLog();
  });

  const unreadable = new UnreadableItemError("a stored message cannot be read: version: 2");

  /** Hands over a group of three, of which these fail so. @param travels whether the messages come with the group */
  async function handOver(
    failures: Readonly<Record<string, Error>>,
    { travels = false, receives = 1 } = {},
  ) {
    const group = ["a", "b", "c"].map((id) =>
      sampleMessage(clock.now(), { id, traceId: `trace-${id}` }),
    );
    for (const message of group) await messages.insert(message);
    const claim = messages.claim.bind(messages);
    messages.claim = async (ref, request) => {
      const failure = failures[ref.id];
      if (failure) throw failure;
      return claim(ref, request);
    };
    const dispatchQueue = new MemoryDispatchQueue();
    const handler = createHandler({
      ...dispatchDependencies({ messages, dispatchQueue, carrier, clock }),
      log,
    });
    return handler(travels ? { messages: group } : { group: group.map(refOf) }, receives);
  }

  it("is handed over whole, and told in one line", async () => {
    expect(await handOver({})).toEqual({ group: 3, outcomes: { SENT: 3 } });
    expect(log.errors).toEqual([]);
  });

  it("comes again where one fails, and says of what", async () => {
    const failed = handOver({ b: new Error("throttled"), c: unreadable });
    await expect(failed).rejects.toThrow("2 of a group of 3 failed; trace-b: Error: throttled");
    await expect(failed).rejects.not.toThrow(UnreadableItemError);
    expect(log.errors.map(({ traceId }) => traceId)).toEqual(["trace-b", "trace-c"]);
    expect(messages.history.get("trace-a")?.at(-1)).toBe("SENT");
  });

  it("need not come again where nothing is left of it that can be read", async () => {
    const failed = handOver({ a: unreadable, c: unreadable });
    await expect(failed).rejects.toThrow(UnreadableItemError);
    await expect(failed).rejects.toThrow(/^2 of a group of 3 failed; trace-a: .*version: 2$/);
    expect(messages.history.get("trace-b")?.at(-1)).toBe("SENT");
  });

  it("is read in one request, by account", async () => {
    const found: unknown[] = [];
    const findMany = messages.findMany.bind(messages);
    messages.findMany = async (account, ids) => {
      found.push([account, ids]);
      return findMany(account, ids);
    };
    messages.find = () => Promise.reject(new Error("nobody should look at one by itself"));
    await handOver({});
    expect(found).toEqual([["acme", ["a", "b", "c"]]]);
  });

  it("is not read at all where its messages come with it", async () => {
    messages.findMany = () => Promise.reject(new Error("nobody should look"));
    messages.find = messages.findMany as never;
    expect(await handOver({}, { travels: true })).toEqual({ group: 3, outcomes: { SENT: 3 } });
  });

  it("is read all the same where it comes again", async () => {
    const found: unknown[] = [];
    const findMany = messages.findMany.bind(messages);
    messages.findMany = async (account, ids) => {
      found.push(...ids);
      return findMany(account, ids);
    };
    await handOver({}, { travels: true, receives: 2 });
    expect(found).toEqual(["a", "b", "c"]);
  });

  it("goes by how its messages are, not by how they were when they were sent on their way", async () => {
    const claim = messages.claim.bind(messages);
    const changed = async (state: "CANCELED" | "EXPIRED", id: string) => {
      const [seen] = await messages.findMany("acme", [id]);
      if (seen) await messages.change(seen, { state });
    };
    messages.claim = async (ref, request) => {
      await changed(ref.id === "a" ? "CANCELED" : "EXPIRED", ref.id);
      return claim(ref, request);
    };
    const before = carrier.handedOver.length;
    await handOver({}, { travels: true });
    expect(carrier.handedOver.length).toBe(before);
  });

  it("is looked at one by one where one of it cannot be read", async () => {
    messages.findMany = () => Promise.reject(unreadable);
    expect(await handOver({})).toEqual({ group: 3, outcomes: { SENT: 3 } });
  });

  it("comes again where it cannot be read at all", async () => {
    messages.findMany = () => Promise.reject(new Error("throttled"));
    await expect(handOver({})).rejects.toThrow("throttled");
    expect(carrier.handedOver).toEqual([]);
  });
});

describe("what the carrier's rate has no room for", () => {
  const clock = new ManualClock();
  let messages: MemoryMessages;
  let dispatchQueue: MemoryDispatchQueue;
  let pool: SimplePool;
  let handler: ReturnType<typeof createHandler>;
  let carrier: WillingCarrier;
  let together: number[];
  const refs = ["a", "b", "c", "d"].map((id) => ({ account: "acme", id, traceId: `trace-${id}` }));
  const [ref] = refs as [(typeof refs)[number]];

  beforeEach(async () => {
    messages = new MemoryMessages(clock);
    dispatchQueue = new MemoryDispatchQueue();
    carrier = new WillingCarrier();
    pool = new SimplePool(carrier);
    together = [];
    const enqueueMany = dispatchQueue.enqueueMany.bind(dispatchQueue);
    dispatchQueue.enqueueMany = async (many) => {
      together.push(many.length);
      return enqueueMany(many);
    };
    let fraction = 0;
    handler = createHandler({
      ...dispatchDependencies({ messages, dispatchQueue, carrier, clock }),
      carriers: pool,
      randomness: { uuid: () => "uuid", fraction: () => (fraction += 0.25) },
      log: new RecordingLog(),
    });
    for (const it of refs) await messages.insert(sampleMessage(clock.now(), it));
  });

  it("goes back into the queue, as if nobody had ever taken it out", async () => {
    pool.room.set("willing", 0);
    expect(await handler(ref, 1)).toMatchObject({ kind: "held" });
    expect(dispatchQueue.entries).toEqual([{ ref, notBefore: clock.now() + 3_000 }]);
    expect(await messages.find("acme", "a")).toMatchObject({ state: "QUEUED", attempts: 0 });
  });

  it("goes back together where it came in a group, and is told beside the others", async () => {
    pool.room.set("willing", 1);
    expect(await handler({ group: refs }, 1)).toEqual({ group: 4, outcomes: { SENT: 1, held: 3 } });
    expect(together).toEqual([3]);
    // When the last of them may go.
    const notBefore = clock.now() + 2_000 + 3_000;
    expect(dispatchQueue.entries).toEqual(
      refs.slice(1).map((it) => ({ ref: it, notBefore, parts: 1 })),
    );
    expect(carrier.ids).toEqual(["a"]);
  });

  it("comes again with its group where others of it failed, and goes then", async () => {
    pool.room.set("willing", 1);
    const claim = messages.claim.bind(messages);
    messages.claim = () => Promise.reject(new Error("throttled"));
    await expect(handler({ group: refs }, 1)).rejects.toThrow("1 of a group of 4 failed");
    // Else each of them would be in the queue twice.
    expect([together, dispatchQueue.entries]).toEqual([[], []]);
    messages.claim = claim;
    pool.room.set("willing", 4);
    expect(await handler({ group: refs }, 1)).toEqual({ group: 4, outcomes: { SENT: 4 } });
  });

  it("goes back where its group does not come again, as what failed of it cannot be read", async () => {
    pool.room.set("willing", 1);
    const unreadable = new UnreadableItemError("a stored message cannot be read: version: 2");
    messages.claim = () => Promise.reject(unreadable);
    await expect(handler({ group: refs }, 1)).rejects.toThrow(UnreadableItemError);
    expect(together).toEqual([3]);
    expect(dispatchQueue.entries.map(({ ref: { id } }) => id)).toEqual(["b", "c", "d"]);
  });

  it("comes again with its group where the queue does not take it back", async () => {
    pool.room.set("willing", 1);
    dispatchQueue.refuses = true;
    await expect(handler({ group: refs }, 1)).rejects.toThrow("the queue is away");
    await expect(handler(ref, 1)).resolves.toMatchObject({ kind: "nothing-to-do" });
    await expect(handler(refs[1] ?? ref, 1)).rejects.toThrow("the queue is away");
  });
});
