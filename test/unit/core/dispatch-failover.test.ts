import fc from "fast-check";
import { beforeEach, describe, expect, it } from "vitest";
import { applyReceipt } from "../../../functions/core/apply-receipt.ts";
import type { Carrier, OutboundMessage, SendOutcome } from "../../../functions/core/carrier.ts";
import { demotionPolicySchema } from "../../../functions/core/carrier-health.ts";
import { createCarrierPool, NoSuchCarrierError } from "../../../functions/core/carrier-pool.ts";
import type { CarrierRate } from "../../../functions/core/carrier-rate.ts";
import {
  type DispatchDependencies,
  dispatchMessage,
  recordHandOver,
} from "../../../functions/core/dispatch-message.ts";
import { handOverRecordSchema } from "../../../functions/core/hand-over-record.ts";
import { canMove, isFinal, type State } from "../../../functions/core/lifecycle.ts";
import { type Message, refOf } from "../../../functions/core/message.ts";
import { textsOfParts } from "../../../functions/core/parts.ts";
import type { Route } from "../../../functions/core/routing.ts";
import { segmentsOf } from "../../../functions/core/segments.ts";
import {
  ManualClock,
  ManualTimeLimit,
  MemoryDirectory,
  MemoryDispatchQueue,
  MemoryMessages,
} from "../../support/memory.ts";
import { MemoryCarrierHealths } from "../../support/memory-carrier-healths.ts";
import { sampleLongMessage, sampleMessage } from "../../support/samples.ts";
import { SimplePool } from "../../support/simple-pool.ts";
import { dispatchDependencies, interleaved } from "./support.ts";

const unreachable: SendOutcome = { kind: "unreachable", detail: "no route" };
const rejected: SendOutcome = { kind: "rejected", reason: "operator-rejected" };
const blocked: SendOutcome = { kind: "blocked", reason: "content" };
const accepted: SendOutcome = { kind: "accepted", carrierMessageId: "c-1", receipts: true };

type Answer = SendOutcome | Error | ((message: OutboundMessage) => Promise<SendOutcome>);

/** A carrier that answers as it was told, one answer after another, and then accepts. */
class NamedCarrier implements Carrier {
  readonly handedOver: OutboundMessage[] = [];
  answers: Answer[];

  constructor(
    readonly name: string,
    answers: readonly Answer[] = [],
    readonly takes: Carrier["takes"] = "parts",
  ) {
    this.answers = [...answers];
  }

  async send(message: OutboundMessage): Promise<SendOutcome> {
    this.handedOver.push(message);
    const answer = this.answers.shift() ?? accepted;
    if (answer instanceof Error) throw answer;
    return typeof answer === "function" ? answer(message) : answer;
  }
  /** The orders of the parts handed over so far. */
  get orders() {
    return this.handedOver.map(({ part }) => part?.order);
  }
}

/** A rate that has room for so many SMS, and no more. */
function roomFor(sms: number): CarrierRate & { room: number } {
  return {
    room: sms,
    async take(wanted) {
      const leave = Math.min(wanted, this.room);
      this.room -= leave;
      return leave;
    },
    async owe() {},
  };
}

let clock: ManualClock;
let messages: MemoryMessages;
let dispatchQueue: MemoryDispatchQueue;
let timeLimit: ManualTimeLimit;
let first: NamedCarrier;
let second: NamedCarrier;
let pool: SimplePool;
let deps: DispatchDependencies;
let message: Message;

function startOver() {
  clock = new ManualClock();
  messages = new MemoryMessages(clock);
  dispatchQueue = new MemoryDispatchQueue();
  timeLimit = new ManualTimeLimit();
  use(new NamedCarrier("first"), new NamedCarrier("second"));
}
beforeEach(startOver);

/** These two carriers, by a pool that leaves everything to the test. */
function use(one: NamedCarrier, other: NamedCarrier) {
  [first, second] = [one, other];
  pool = new SimplePool(first, second);
  const ports = { messages, dispatchQueue, clock, carrier: first };
  deps = { ...dispatchDependencies(ports), carriers: pool, timeLimit };
}

/** The same two, by the pool that the function has. */
function useRealPool(
  rates: readonly CarrierRate[] = [roomFor(99), roomFor(99)],
  routes: readonly Route[] = [{ carrier: "first" }, { carrier: "second" }],
) {
  const carriers = [first, second].map((carrier, index) => ({
    carrier,
    rate: rates[index] as CarrierRate,
    demotion: demotionPolicySchema.parse({}),
  }));
  deps = {
    ...deps,
    carriers: createCarrierPool({
      carriers,
      routes,
      lane: "singles",
      directory: new MemoryDirectory(),
      operators: { find: async () => undefined },
      healths: new MemoryCarrierHealths(),
      tell: async () => {},
      clock,
      timeLimit: new ManualTimeLimit(),
      onFailure: () => {},
    }),
  };
}

async function given(overrides: Partial<Message> = {}) {
  message = sampleMessage(clock.now(), overrides);
  await messages.insert(message);
}
async function givenLong(overrides: Partial<Message> = {}) {
  message = sampleLongMessage(clock.now(), overrides);
  await messages.insert(message);
}
const run = () => dispatchMessage(deps, refOf(message));
const stored = () => messages.find(message.account, message.id);
const partStates = async () => (await stored())?.parts?.map(({ state }) => state);
const receiptOf = (carrier: string) => ({
  type: "receipt" as const,
  outcome: "delivered" as const,
  ref: refOf(message),
  carrier,
  at: clock.now(),
});
/** Runs what the queue holds, when it is due. @returns how each ended */
async function runQueued() {
  const outcomes = [];
  for (const { ref, notBefore } of dispatchQueue.entries.splice(0)) {
    clock.time = Math.max(clock.time, notBefore);
    outcomes.push(await dispatchMessage(deps, ref));
  }
  return outcomes;
}

describe("where the first carrier is certain not to have a message", () => {
  it("the next gets it, and that was one attempt", async () => {
    first.answers = [unreachable];
    await given();
    expect(await run()).toEqual({ kind: "moved", state: "SENT" });
    expect(await stored()).toMatchObject({
      state: "SENT",
      carrier: "second",
      carriersTried: ["first"],
      carrierMessageId: "c-1",
      attempts: 1,
      lease: undefined,
    });
    expect([first.handedOver.length, second.handedOver.length]).toEqual([1, 1]);
    expect(messages.history.get(message.traceId)).toEqual(["QUEUED", "SENDING", "SENT"]);
    expect(pool.noted).toEqual([
      { carrier: "first", results: ["unreachable"] },
      { carrier: "second", results: ["accepted"] },
    ]);
  });

  it("and neither is the next, the message waits for another attempt, with both", async () => {
    first.answers = [unreachable];
    second.answers = [{ ...unreachable, detail: "closed" }];
    await given();
    const start = clock.now();
    expect(await run()).toEqual({ kind: "moved", state: "QUEUED", detail: "closed" });
    expect(dispatchQueue.entries).toEqual([{ ref: refOf(message), notBefore: start + 500 }]);
    expect(await stored()).toMatchObject({ attempts: 1, carriersTried: ["first", "second"] });
    expect(await runQueued()).toEqual([{ kind: "moved", state: "SENT" }]);
    expect(await stored()).toMatchObject({ attempts: 2, carrier: "first" });
  });

  it("the receipt of the second counts that comes before its answer, and one of the first does not", async () => {
    first.answers = [unreachable];
    const heard: unknown[] = [];
    second.answers = [
      async () => {
        for (const carrier of ["first", "second"]) {
          heard.push(await applyReceipt({ messages, clock }, receiptOf(carrier)));
        }
        return accepted;
      },
    ];
    await given();
    expect(await run()).toMatchObject({ kind: "nothing-to-do" });
    expect(heard).toEqual([
      { kind: "ignored", why: "another-carrier" },
      { kind: "moved", state: "DELIVERED" },
    ]);
    expect(await stored()).toMatchObject({ state: "DELIVERED", carrier: "second" });
  });

  it("but said so late, the next is left for the next attempt: its answer might come too late for this function", async () => {
    first.answers = [
      async () => {
        clock.advance(2_001);
        return unreachable;
      },
    ];
    await given();
    expect(await run()).toMatchObject({ state: "QUEUED" });
    expect(second.handedOver).toEqual([]);
    expect(await stored()).toMatchObject({ carrier: "first", carriersTried: ["first"] });
    expect(dispatchQueue.entries).toHaveLength(1);
  });

  it("and the next has no room, the message waits for another attempt", async () => {
    first.answers = [unreachable];
    pool.room.set("second", 0);
    await given();
    expect(await run()).toMatchObject({ state: "QUEUED" });
    expect(second.handedOver).toEqual([]);
    expect(await stored()).toMatchObject({ carriersTried: ["first"], attempts: 1 });
    expect(dispatchQueue.entries).toHaveLength(1);
  });

  it("and the next has no room, the one after it gets it", async () => {
    const third = new NamedCarrier("third");
    pool = new SimplePool(first, second, third);
    deps = { ...deps, carriers: pool };
    first.answers = [unreachable];
    pool.room.set("second", 0);
    await given();
    expect(await run()).toEqual({ kind: "moved", state: "SENT" });
    expect([second.handedOver.length, third.handedOver.length]).toEqual([0, 1]);
    // Nobody has asked the second, so that it has not failed the message.
    expect(await stored()).toMatchObject({ carrier: "third", carriersTried: ["first"] });
  });

  it.each([
    ["is refused", () => Promise.reject(new Error("throttled"))],
    ["takes effect, and its answer is lost", undefined],
  ])("and the write before the next %s, it is in its queue at once", async (_, refuse) => {
    first.answers = [unreachable];
    await given();
    const change = messages.change.bind(messages);
    let calls = 0;
    messages.change = async (...asked) => {
      calls += 1;
      if (calls > 1) return change(...asked);
      if (refuse) return refuse();
      await change(...asked);
      throw new Error("reset");
    };
    const start = clock.now();
    expect(await run()).toMatchObject({ kind: "moved", state: "QUEUED" });
    expect(second.handedOver).toEqual([]);
    expect(await stored()).toMatchObject({ carriersTried: ["first"], lease: undefined });
    expect(dispatchQueue.entries).toEqual([{ ref: refOf(message), notBefore: start + 500 }]);
    expect(await runQueued()).toMatchObject([{ state: "SENT" }]);
  });

  it("and the write before the next hangs, it is in its queue after five seconds", async () => {
    first.answers = [unreachable];
    await given();
    const change = messages.change.bind(messages);
    messages.change = () => {
      messages.change = change;
      return new Promise(() => {});
    };
    const outcome = run();
    await expect.poll(() => timeLimit.asked).toEqual([10_000, 5_000]);
    timeLimit.reach();
    expect(await outcome).toMatchObject({ kind: "moved", state: "QUEUED" });
    expect(second.handedOver).toEqual([]);
  });

  it("and somebody else changes the message between the carriers, it is left to them", async () => {
    first.answers = [
      async () => {
        // It has the message after all: its receipt is the better witness.
        await applyReceipt({ messages, clock }, receiptOf("first"));
        return unreachable;
      },
    ];
    await given();
    expect(await run()).toMatchObject({ kind: "nothing-to-do" });
    expect(second.handedOver).toEqual([]);
    expect(await stored()).toMatchObject({ state: "DELIVERED", carrier: "first" });
    expect(dispatchQueue.entries).toEqual([]);
  });

  it("fails at the last attempt only, however many carriers there are", async () => {
    first.answers = [unreachable, unreachable, unreachable];
    second.answers = [unreachable, unreachable, unreachable];
    await given();
    await run();
    await runQueued();
    expect(await runQueued()).toMatchObject([{ state: "FAILED", reason: "operator-unreachable" }]);
    expect(await stored()).toMatchObject({ attempts: 3, carriersTried: ["first", "second"] });
  });
});

describe("where the first carrier may have a message, or has judged it", () => {
  it.each<[string, Answer, State, string]>([
    ["throws", new Error("reset"), "FAILED", "internal-error"],
    ["rejects it", rejected, "FAILED", "operator-rejected"],
    ["blocks it", blocked, "BLOCKED", "content"],
  ])("the next never gets it: %s", async (_, answer, state, reason) => {
    first.answers = [answer];
    await given();
    expect(await run()).toMatchObject({ kind: "moved", state });
    expect(await stored()).toMatchObject({ state, reason, carrier: "first" });
    expect(second.handedOver).toEqual([]);
    expect(dispatchQueue.entries).toEqual([]);
    expect(await run()).toEqual({ kind: "nothing-to-do", state });
  });

  it("nor where it does not answer in time", async () => {
    first.answers = [() => new Promise(() => {})];
    await given();
    const outcome = run();
    await expect.poll(() => timeLimit.asked).toEqual([10_000]);
    timeLimit.reach();
    expect(await outcome).toMatchObject({ state: "FAILED", reason: "internal-error" });
    expect(second.handedOver).toEqual([]);
    expect(pool.noted).toEqual([{ carrier: "first", results: ["unclear"] }]);
  });
});

it("blocks a message that no carrier is for", async () => {
  pool = new SimplePool();
  deps = { ...deps, carriers: pool };
  await given();
  expect(await run()).toEqual({ kind: "moved", state: "BLOCKED", reason: "no-coverage" });
  expect(messages.history.get(message.traceId)).toEqual(["QUEUED", "BLOCKED"]);
});

describe("where routes lead nowhere", () => {
  const gone = [{ carrier: "gone" }];

  it("a message stays what it is, until somebody has changed them", async () => {
    useRealPool(undefined, gone);
    await given();
    const before = await stored();
    await expect(run()).rejects.toThrow(NoSuchCarrierError);
    expect(await stored()).toEqual(before);
    useRealPool();
    expect(await run()).toEqual({ kind: "moved", state: "SENT" });
  });

  it("the rest of a message stays, whose carrier takes whole messages by now", async () => {
    const [roomy, narrow] = [roomFor(99), roomFor(1)];
    useRealPool([narrow, roomy]);
    await givenLong();
    expect(await run()).toMatchObject({ state: "QUEUED" });
    expect(first.orders).toEqual([1]);
    use(new NamedCarrier("first", [], "whole"), new NamedCarrier("second", [], "whole"));
    useRealPool();
    clock.advance(10_000);
    await expect(run()).rejects.toThrow(NoSuchCarrierError);
    expect([first.handedOver, second.handedOver]).toEqual([[], []]);
    expect(await partStates()).toEqual(["SENT", "QUEUED", "QUEUED"]);
  });
});

describe("what no carrier takes because of its expiry", () => {
  const tooShort: SendOutcome = { ...unreachable, about: "message" };
  const soon = () => {
    const expiresAt = clock.now() + 4_900;
    return { expiresAt, claimableUntil: expiresAt };
  };

  it.each([
    ["of one part", given],
    ["of several parts", givenLong],
  ])("ends EXPIRED, when it does, a message %s", async (_, givenIt) => {
    first.answers = Array(9).fill(tooShort);
    second.answers = Array(9).fill(tooShort);
    await givenIt(soon());
    const start = clock.now();
    expect(await run()).toMatchObject({ kind: "moved", state: "QUEUED", detail: "no route" });
    expect(dispatchQueue.entries).toEqual([{ ref: refOf(message), notBefore: start + 4_900 }]);
    expect(await runQueued()).toEqual([{ kind: "moved", state: "EXPIRED" }]);
    expect(await stored()).toMatchObject({ attempts: 1, carriersTried: ["first", "second"] });
  });

  it("goes to the one that takes it", async () => {
    first.answers = [tooShort];
    await given(soon());
    expect(await run()).toEqual({ kind: "moved", state: "SENT" });
    expect(second.handedOver).toHaveLength(1);
  });

  it("but not what they do not take for another reason: it fails at the last attempt", async () => {
    first.answers = Array(9).fill(tooShort);
    second.answers = Array(9).fill(tooShort);
    await given({ expiresAt: clock.now() + 600_000 });
    await run();
    await runQueued();
    expect(await runQueued()).toMatchObject([{ state: "FAILED", reason: "operator-unreachable" }]);
  });

  it("nor what cannot be sent because the carriers are away", async () => {
    first.answers = Array(9).fill(unreachable);
    second.answers = Array(9).fill(unreachable);
    await given({ expiresAt: clock.now() + 100 });
    expect(await run()).toMatchObject({ state: "FAILED", reason: "operator-unreachable" });
  });
});

describe("where there is no room at the first carrier", () => {
  it("nothing is claimed, and the message is to be put back", async () => {
    pool.room.set("first", 0);
    await given();
    const before = await stored();
    expect(await run()).toEqual({ kind: "held", until: clock.now() + 2_000, parts: 1 });
    expect(await stored()).toEqual(before);
    expect([first.handedOver, second.handedOver, dispatchQueue.entries]).toEqual([[], [], []]);
  });

  it("it is asked for as many SMS as there are parts left", async () => {
    pool.room.set("first", 0);
    await givenLong();
    expect(await run()).toMatchObject({ kind: "held", parts: 3 });
    expect(pool.taken).toEqual([{ carrier: "first", sms: 3 }]);
  });

  it("a message that expires meanwhile is not sent any more", async () => {
    pool.room.set("first", 0);
    const expiresAt = clock.now() + 1_000;
    await given({ expiresAt, claimableUntil: expiresAt });
    const outcome = await run();
    clock.time = outcome.kind === "held" ? outcome.until : 0;
    expect(await run()).toEqual({ kind: "moved", state: "EXPIRED" });
  });
});

describe("a message of several parts", () => {
  it("goes to the next carrier where the first has none of them", async () => {
    first.answers = [unreachable, unreachable, unreachable];
    await givenLong();
    expect(await run()).toEqual({ kind: "moved", state: "SENT" });
    expect(second.orders).toEqual([1, 2, 3]);
    expect(await stored()).toMatchObject({ carrier: "second", carriersTried: ["first"] });
  });

  it("waits for another attempt where nobody has any, and says who was tried", async () => {
    first.answers = [unreachable, unreachable, unreachable];
    second.answers = [unreachable, unreachable, unreachable];
    await givenLong();
    expect(await run()).toMatchObject({ kind: "moved", state: "QUEUED" });
    expect(await stored()).toMatchObject({ attempts: 1, carriersTried: ["first", "second"] });
    expect(await runQueued()).toMatchObject([{ state: "SENT" }]);
  });

  it("stays with the carrier that has some of them, at all later attempts", async () => {
    useRealPool();
    first.answers = [accepted, unreachable, unreachable, unreachable, unreachable];
    await givenLong();
    expect(await run()).toMatchObject({ state: "QUEUED" });
    expect(await runQueued()).toMatchObject([{ state: "QUEUED" }]);
    expect(await runQueued()).toMatchObject([{ state: "SENT" }]);
    expect(first.orders).toEqual([1, 2, 3, 2, 3, 2, 3]);
    expect(second.handedOver).toEqual([]);
  });

  it("is handed over as far as there is room, and goes on soon without having failed", async () => {
    pool.room.set("first", 2);
    await givenLong();
    const start = clock.now();
    expect(await run()).toMatchObject({ kind: "moved", state: "QUEUED" });
    expect(first.orders).toEqual([1, 2]);
    expect(second.handedOver).toEqual([]);
    expect(await partStates()).toEqual(["SENT", "SENT", "QUEUED"]);
    expect(await stored()).toMatchObject({ attempts: 0 });
    expect(dispatchQueue.entries).toEqual([{ ref: refOf(message), notBefore: start + 2_000 }]);
    pool.room.set("first", 1);
    expect(await runQueued()).toEqual([{ kind: "moved", state: "SENT" }]);
    expect(first.orders).toEqual([1, 2, 3]);
    expect(await stored()).toMatchObject({ attempts: 1 });
  });

  it("counts its attempts where there was room and nothing was taken, and so comes to an end", async () => {
    pool = Object.assign(new SimplePool(first), { take: async () => 2 });
    deps = { ...deps, carriers: pool };
    first.answers = Array(99).fill(unreachable);
    await givenLong();
    const attempts: unknown[] = [];
    await run();
    while (dispatchQueue.entries.length > 0) {
      attempts.push((await stored())?.attempts);
      await runQueued();
    }
    expect(attempts).toEqual([1, 2]);
    expect(await stored()).toMatchObject({ state: "FAILED", reason: "operator-unreachable" });
    expect(first.orders).toEqual([1, 2, 1, 2, 1, 2]);
  });

  it("goes on soon as long as each time some are taken, however often that is", async () => {
    deps = { ...deps, backoff: { ...deps.backoff, maxAttempts: 1 } };
    await givenLong();
    for (const order of [1, 2, 3]) {
      pool.room.set("first", 1);
      await (order === 1 ? run() : runQueued());
    }
    expect(first.orders).toEqual([1, 2, 3]);
    expect(await stored()).toMatchObject({ state: "SENT", attempts: 1 });
  });

  it("writes down what it can where one is refused while others wait for room", async () => {
    pool.room.set("first", 2);
    first.answers = [accepted, rejected];
    await givenLong();
    expect(await run()).toMatchObject({ state: "FAILED", reason: "operator-rejected" });
    expect(await partStates()).toEqual(["SENT", "FAILED", "QUEUED"]);
    expect(dispatchQueue.entries).toEqual([]);
  });

  it("keeps in the queue what some of them came to, also that others wait for room", async () => {
    pool.room.set("first", 2);
    await givenLong();
    const working = deps;
    const store = { claim: messages.claim.bind(messages), find: messages.find.bind(messages) };
    const change = () => Promise.reject(new Error("throttled"));
    deps = { ...deps, messages: { ...store, change } };
    expect(await run()).toMatchObject({ kind: "deferred" });
    const [record] = dispatchQueue.records.map((it) =>
      handOverRecordSchema.parse(JSON.parse(JSON.stringify(it))),
    );
    if (!record) throw new Error("nothing was kept");
    expect(await recordHandOver(working, record)).toMatchObject({ state: "QUEUED" });
    expect(await stored()).toMatchObject({ attempts: 0 });
    expect(await partStates()).toEqual(["SENT", "SENT", "QUEUED"]);
  });
});

describe("a carrier that is handed messages as a whole", () => {
  beforeEach(() => use(new NamedCarrier("first", [], "whole"), new NamedCarrier("second")));

  it("gets the text once, and its answer and receipt count for all parts", async () => {
    await givenLong();
    expect(await run()).toEqual({ kind: "moved", state: "SENT" });
    expect(first.handedOver).toMatchObject([
      { text: message.text, segments: { coding: "gsm", first: 1 } },
    ]);
    expect(first.handedOver[0]).not.toHaveProperty("part");
    expect(first.handedOver[0]?.segments.texts.join("")).toBe(message.text);
    expect(await partStates()).toEqual(["SENT", "SENT", "SENT"]);
    await applyReceipt({ messages, clock }, receiptOf("first"));
    expect(await stored()).toMatchObject({ state: "DELIVERED" });
    expect(await partStates()).toEqual(["DELIVERED", "DELIVERED", "DELIVERED"]);
  });

  it("is asked for room for all of its SMS, as the carrier will cut it", async () => {
    await givenLong();
    await run();
    expect(segmentsOf([message.text])[0]?.total).toBe(2);
    expect(pool.taken).toEqual([{ carrier: "first", sms: 2 }]);
  });

  it("is followed by one that takes parts, and the other way round", async () => {
    first.answers = [unreachable];
    await givenLong();
    expect(await run()).toEqual({ kind: "moved", state: "SENT" });
    expect(second.handedOver.map(({ text }) => text)).toEqual(textsOfParts(message));
    startOver();
    use(
      new NamedCarrier("first", Array(3).fill(unreachable)),
      new NamedCarrier("second", [], "whole"),
    );
    await givenLong();
    expect(await run()).toEqual({ kind: "moved", state: "SENT" });
    expect(second.handedOver.map(({ text }) => text)).toEqual([message.text]);
  });

  it("judges all parts with one answer", async () => {
    first.answers = [rejected];
    await givenLong();
    expect(await run()).toMatchObject({ state: "FAILED", reason: "operator-rejected" });
    expect(await partStates()).toEqual(["FAILED", "FAILED", "FAILED"]);
    expect(second.handedOver).toEqual([]);
  });

  it("gets all of it though there is room for some of it, which is then owed", async () => {
    const owed: number[] = [];
    const rate = { ...roomFor(1), owe: async (sms: number) => void owed.push(sms) };
    useRealPool([rate, roomFor(99)]);
    await givenLong();
    expect(await run()).toEqual({ kind: "moved", state: "SENT" });
    expect(first.handedOver).toHaveLength(1);
    expect(owed).toEqual([1]);
  });
});

describe("where a function died with a message in hand", () => {
  const lease = { token: "dead", until: 0, lastCall: true } as const;

  it.each([
    ["of one part", given],
    ["of several parts", givenLong],
  ])("no other carrier gets it: %s", async (_, givenIt) => {
    useRealPool();
    await givenIt({ state: "SENDING", lease, attempts: 1, carrier: "second" });
    expect(await run()).toMatchObject({ kind: "moved", state: "SENT" });
    expect(first.handedOver).toEqual([]);
    expect(await stored()).toMatchObject({ carrier: "second", attempts: 2 });
  });

  it("and its carrier is none of the stage's any more, another gets it", async () => {
    useRealPool();
    await given({ state: "SENDING", lease, attempts: 1, carrier: "gone" });
    expect(await run()).toMatchObject({ kind: "moved", state: "SENT" });
    expect(await stored()).toMatchObject({ carrier: "first" });
  });
});

describe("whatever the carriers answer, in whatever order everything happens", () => {
  const answer = fc.oneof(
    { weight: 5, arbitrary: fc.constant<Answer>(unreachable) },
    { weight: 2, arbitrary: fc.constant<Answer>(accepted) },
    { weight: 1, arbitrary: fc.constantFrom<Answer>(rejected, blocked, new Error("reset")) },
  );
  const answers = fc.array(answer, { maxLength: 9 });
  const rooms = fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 9 });
  const takes = fc.constantFrom("parts" as const, "whole" as const);
  const isReceived = fc.boolean();

  /** Which SMS a carrier may have: it has accepted them, or nobody knows. */
  function mayHave(carrier: NamedCarrier, given: readonly Answer[], parts: number): number[] {
    return carrier.handedOver.flatMap(({ part }, index) => {
      const answered = given[index] ?? accepted;
      const isCertain = !(answered instanceof Error) && "kind" in answered;
      if (isCertain && answered.kind !== "accepted") return [];
      return part ? [part.order] : Array.from({ length: parts }, (_, order) => order + 1);
    });
  }

  /** Rates with room for what is drawn, and at last for everything. */
  const drawn = (room: readonly number[]): CarrierRate => {
    const left = [...room];
    return {
      take: async (sms) => Math.min(sms, left.shift() ?? sms),
      owe: async () => {},
    };
  };

  it("at most one carrier may have each SMS, states move along the table, and the message ends", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.scheduler(),
        fc.record({
          isLong: fc.boolean(),
          copies: fc.integer({ min: 1, max: 3 }),
          of: fc.tuple(answers, answers),
          rooms: fc.tuple(rooms, rooms),
          takes: fc.tuple(takes, takes),
          isReceived,
        }),
        async (scheduler, plan) => {
          startOver();
          use(
            new NamedCarrier("first", plan.of[0], plan.takes[0]),
            new NamedCarrier("second", plan.of[1], plan.takes[1]),
          );
          useRealPool(plan.rooms.map(drawn));
          await (plan.isLong ? givenLong() : given());
          const slow = interleaved(scheduler, messages);
          const working: Promise<unknown>[] = [];
          for (const carrier of [first, second]) {
            const send = carrier.send.bind(carrier);
            carrier.send = async (outbound) => {
              await scheduler.schedule(Promise.resolve(), `hand-over to ${carrier.name}`);
              const outcome = await send(outbound);
              if (outcome.kind === "accepted" && plan.isReceived) {
                const part = outbound.part && { part: outbound.part.order };
                const receipt = { ...receiptOf(carrier.name), ...part };
                working.push(applyReceipt({ messages: slow, clock }, receipt));
              }
              await scheduler.schedule(Promise.resolve(), `answer of ${carrier.name}`);
              return outcome;
            };
          }
          const dispatching = { ...deps, messages: slow };
          // What throws is delivered again: time passes while others are at work.
          const deliver = async (): Promise<void> => {
            const again = { kind: "held", until: clock.now() } as const;
            const outcome = await dispatchMessage(dispatching, refOf(message)).catch(() => again);
            if (outcome.kind === "held") await dispatchQueue.enqueue(refOf(message), outcome.until);
          };
          for (let copy = 0; copy < plan.copies; copy += 1) working.push(deliver());
          for (let rounds = 0; working.length > 0; rounds += 1) {
            expect(rounds).toBeLessThan(200);
            while (working.length > 0) await scheduler.waitFor(Promise.all(working.splice(0)));
            for (const { notBefore } of dispatchQueue.entries.splice(0)) {
              clock.time = Math.max(clock.time, notBefore);
              working.push(deliver());
            }
          }

          const parts = message.parts?.length ?? 1;
          const had = [first, second].map((carrier, index) =>
            mayHave(carrier, plan.of[index] ?? [], parts),
          );
          const all = had.flat();
          expect(new Set(all).size).toBe(all.length);
          expect(had.filter((it) => it.length > 0).length).toBeLessThanOrEqual(1);
          const states = messages.history.get(message.traceId) ?? [];
          const steps = states.slice(1).map((to, i) => [states[i] as State, to] as const);
          expect(steps.filter(([from, to]) => !canMove(from, to))).toEqual([]);
          const end = states.at(-1) as State;
          expect([end, isFinal(end) || end === "SENT"]).toEqual([end, true]);
        },
      ),
      { numRuns: 500 },
    );
  });
});
