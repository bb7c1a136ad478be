import fc from "fast-check";
import { beforeEach, describe, expect, it } from "vitest";
import { applyReceipt } from "../../../functions/core/apply-receipt.ts";
import type {
  Carrier,
  OutboundMessage,
  Receipt,
  SendOutcome,
} from "../../../functions/core/carrier.ts";
import {
  type DispatchDependencies,
  dispatchMessage,
  recordHandOver,
} from "../../../functions/core/dispatch-message.ts";
import { handOverRecordSchema } from "../../../functions/core/hand-over-record.ts";
import { canMove, isFinal, type State } from "../../../functions/core/lifecycle.ts";
import { type Message, messageSchema, type Part, refOf } from "../../../functions/core/message.ts";
import { textsOfParts } from "../../../functions/core/parts.ts";
import type { MessageStore } from "../../../functions/core/ports.ts";
import { ManualClock, MemoryDispatchQueue, MemoryMessages } from "../../support/memory.ts";
import { sampleLongMessage } from "../../support/samples.ts";
import { SimplePool } from "../../support/simple-pool.ts";
import { dispatchDependencies, interleaved } from "./support.ts";

const LEASE_MS = 30_000;
const ORDERS = [1, 2, 3];

const unreachable: SendOutcome = { kind: "unreachable", detail: "no route" };
const rejected: SendOutcome = { kind: "rejected", reason: "operator-rejected", detail: "code 7" };
const blocked: SendOutcome = { kind: "blocked", reason: "content" };
const accepted = (order: number, receipts = true): SendOutcome => ({
  kind: "accepted",
  carrierMessageId: `c-${order}`,
  operator: "Vivo",
  shortCode: "27182",
  receipts,
});

type Answer = (message: OutboundMessage) => SendOutcome | Promise<SendOutcome>;

/** A carrier that answers each part as it was told, and accepts it where it was told nothing. */
class CarrierOfParts implements Carrier {
  readonly name = "carrier of parts";
  readonly takes = "parts";
  readonly handedOver: OutboundMessage[] = [];
  /** By order of the part, what is answered to its hand-overs one after another. */
  answers: Readonly<Record<number, (SendOutcome | Answer)[]>> = {};

  async send(message: OutboundMessage): Promise<SendOutcome> {
    this.handedOver.push(message);
    const order = message.part?.order ?? 0;
    const answer = this.answers[order]?.shift() ?? accepted(order);
    return typeof answer === "function" ? answer(message) : answer;
  }
  /** The orders of the parts handed over so far. */
  get orders() {
    return this.handedOver.map(({ part }) => part?.order);
  }
}

describe("dispatchMessage of a message of several parts", () => {
  let clock: ManualClock;
  let messages: MemoryMessages;
  let dispatchQueue: MemoryDispatchQueue;
  let carrier: CarrierOfParts;
  let deps: DispatchDependencies;
  let message: Message;

  function startOver() {
    clock = new ManualClock();
    messages = new MemoryMessages(clock);
    dispatchQueue = new MemoryDispatchQueue();
    carrier = new CarrierOfParts();
    deps = dispatchDependencies({ messages, dispatchQueue, carrier, clock });
    message = sampleLongMessage(clock.now());
  }
  beforeEach(startOver);

  async function given(overrides: Partial<Message> = {}, ...states: Partial<Part>[]) {
    const parts = message.parts?.map((part, index) => ({ ...part, ...states[index] }));
    message = { ...message, ...(parts && { parts }), ...overrides };
    await messages.insert(message);
  }
  const run = () => dispatchMessage(deps, refOf(message));
  const stored = () => messages.find(message.account, message.id);
  const partStates = async () => (await stored())?.parts?.map(({ state }) => state);
  const states = () => messages.history.get(message.traceId);
  const receipt = (order?: number): Receipt => ({
    type: "receipt",
    outcome: "delivered",
    ref: refOf(message),
    ...(order && { part: order }),
    carrier: carrier.name,
    at: clock.now(),
  });
  const lost = (order: number): Receipt => ({
    ...receipt(order),
    outcome: "not-delivered",
    reason: "undeliverable",
  });
  const apply = (event: Receipt) => applyReceipt({ messages, clock }, event);
  /** Runs what the queue holds, when it is due. */
  async function runQueued() {
    for (const { ref, notBefore } of dispatchQueue.entries.splice(0)) {
      clock.time = Math.max(clock.time, notBefore);
      await dispatchMessage(deps, ref);
    }
  }

  it("hands over every part with its text and its place", async () => {
    await given({ expiresAt: clock.now() + 60_000, flash: true });
    expect(await run()).toEqual({ kind: "moved", state: "SENT" });
    expect(carrier.handedOver).toEqual(
      textsOfParts(message).map((text, index) => ({
        ref: refOf(message),
        destination: message.destination,
        text,
        part: { order: index + 1, total: 3 },
        segments: { coding: "gsm", texts: [text], first: index + 1, total: 3 },
        lane: "singles",
        flash: true,
        expiresAt: message.expiresAt,
      })),
    );
    expect(carrier.handedOver.map(({ text }) => text).join("")).toBe(message.text);
  });

  it("records what the carrier made of each", async () => {
    carrier.answers = { 1: [{ kind: "accepted", carrierMessageId: "first", receipts: true }] };
    await given();
    await run();
    const after = await stored();
    expect(after).toMatchObject({
      state: "SENT",
      reason: undefined,
      sentAt: clock.now(),
      lease: undefined,
      attempts: 1,
      operator: "Vivo",
      shortCode: "27182",
    });
    expect(after?.parts).toEqual(
      message.parts?.map(({ length }, index) => ({
        length,
        state: "SENT",
        carrierMessageId: index === 0 ? "first" : `c-${index + 1}`,
      })),
    );
    expect(messageSchema.safeParse(after).success).toBe(true);
  });

  it("hands them over side by side: one slow answer holds up no other", async () => {
    const waiting: (() => void)[] = [];
    const slowly: Answer = ({ part }) =>
      new Promise((resolve) => {
        waiting.push(() => resolve(accepted(part?.order ?? 0)));
      });
    carrier.answers = { 1: [slowly], 2: [slowly], 3: [slowly] };
    await given();
    const outcome = run();
    await expect.poll(() => waiting.length).toBe(3);
    for (const answer of waiting.reverse()) answer();
    expect(await outcome).toEqual({ kind: "moved", state: "SENT" });
    expect(carrier.orders).toEqual(ORDERS);
    expect((await stored())?.parts?.map((part) => part.carrierMessageId)).toEqual([
      "c-1",
      "c-2",
      "c-3",
    ]);
  });

  it("has no last word in SENT while one part's receipt may come", async () => {
    carrier.answers = { 1: [accepted(1, false)], 3: [accepted(3, false)] };
    await given();
    expect(await run()).toEqual({ kind: "moved", state: "SENT" });
    expect((await stored())?.reason).toBeUndefined();
    startOver();
    carrier.answers = Object.fromEntries(ORDERS.map((it) => [it, [accepted(it, false)]]));
    await given();
    expect(await run()).toEqual({ kind: "moved", state: "SENT", reason: "no-receipts" });
  });

  it.each([
    [rejected, "FAILED", "operator-rejected"],
    [blocked, "BLOCKED", "content"],
    [() => Promise.reject(new TypeError("connection reset")), "FAILED", "internal-error"],
  ] as const)(
    "ends with the first part that is refused, and hands nothing over again: %s",
    async (answer, state, reason) => {
      carrier.answers = { 2: [answer] };
      await given();
      expect(await run()).toMatchObject({ kind: "moved", state, reason });
      expect(await stored()).toMatchObject({ state, reason, lease: undefined });
      expect(await partStates()).toEqual(["SENT", state, "SENT"]);
      expect(dispatchQueue.entries).toEqual([]);
      expect(await run()).toEqual({ kind: "nothing-to-do", state });
      expect(carrier.orders).toEqual(ORDERS);
    },
  );

  it("ends also where another part could be tried again", async () => {
    carrier.answers = { 1: [unreachable], 3: [rejected] };
    await given();
    expect(await run()).toMatchObject({ state: "FAILED", reason: "operator-rejected" });
    expect(dispatchQueue.entries).toEqual([]);
  });

  describe("where the carrier could not be reached with some", () => {
    it("hands over only these again", async () => {
      carrier.answers = { 2: [unreachable, unreachable] };
      await given();
      expect(await run()).toEqual({ kind: "moved", state: "QUEUED", detail: "no route" });
      expect(await stored()).toMatchObject({ state: "QUEUED", attempts: 1, lease: undefined });
      expect(await partStates()).toEqual(["SENT", "QUEUED", "SENT"]);
      expect(dispatchQueue.entries).toEqual([
        { ref: refOf(message), notBefore: clock.now() + 500 },
      ]);
      await runQueued();
      await runQueued();
      expect(carrier.orders).toEqual([1, 2, 3, 2, 2]);
      const [second] = textsOfParts(message).slice(1);
      expect(carrier.handedOver.at(-1)).toMatchObject({ text: second, part: { total: 3 } });
      expect(await stored()).toMatchObject({ state: "SENT", attempts: 3 });
      expect(states()).toEqual([
        "QUEUED",
        "SENDING",
        "QUEUED",
        "SENDING",
        "QUEUED",
        "SENDING",
        "SENT",
      ]);
    });

    it("hands over all again where none was reached", async () => {
      carrier.answers = { 1: [unreachable], 2: [unreachable], 3: [unreachable] };
      await given();
      expect(await run()).toMatchObject({ state: "QUEUED" });
      await runQueued();
      expect(carrier.orders).toEqual([...ORDERS, ...ORDERS]);
      expect(await stored()).toMatchObject({ state: "SENT" });
    });

    it.each([
      ["some", { 2: Array<SendOutcome>(3).fill(unreachable) }],
      [
        "none",
        Object.fromEntries(ORDERS.map((it) => [it, Array<SendOutcome>(3).fill(unreachable)])),
      ],
    ])("fails as unreachable with the last attempt: %s", async (_, answers) => {
      carrier.answers = answers;
      await given();
      await run();
      await runQueued();
      await runQueued();
      expect(await stored()).toMatchObject({
        state: "FAILED",
        reason: "operator-unreachable",
        attempts: 3,
      });
      expect(dispatchQueue.entries).toEqual([]);
    });

    it("fails as unreachable where the next attempt would come after the expiry", async () => {
      carrier.answers = { 2: [unreachable] };
      const expiresAt = clock.now() + 400;
      await given({ expiresAt, claimableUntil: expiresAt });
      expect(await run()).toMatchObject({ state: "FAILED", reason: "operator-unreachable" });
      expect(await partStates()).toEqual(["SENT", "QUEUED", "SENT"]);
    });

    it("takes receipts meanwhile, and is where its parts are when the last is handed over", async () => {
      carrier.answers = { 2: [unreachable] };
      await given();
      await run();
      await apply(receipt(1));
      await apply(lost(3));
      expect(await stored()).toMatchObject({ state: "QUEUED" });
      await runQueued();
      expect(carrier.orders).toEqual([1, 2, 3, 2]);
      expect(await stored()).toMatchObject({ state: "NOT_DELIVERED", reason: "undeliverable" });
      expect(states()?.slice(-3)).toEqual(["SENDING", "SENT", "NOT_DELIVERED"]);
    });

    it("tries again also where another part's receipt comes in the very moment", async () => {
      const meanwhile: Answer = async () => {
        await apply(receipt(1));
        return unreachable;
      };
      carrier.answers = { 2: [unreachable, meanwhile] };
      await given();
      await run();
      await runQueued();
      expect(await stored()).toMatchObject({ state: "QUEUED" });
      expect(await partStates()).toEqual(["DELIVERED", "QUEUED", "SENT"]);
      await runQueued();
      expect(carrier.orders).toEqual([1, 2, 3, 2, 2]);
      expect(await stored()).toMatchObject({ state: "SENT" });
    });

    it("fails at the last attempt also where another part's receipt comes in the very moment", async () => {
      const meanwhile: Answer = async () => {
        await apply(receipt(1));
        return unreachable;
      };
      carrier.answers = { 2: [meanwhile] };
      await given({ attempts: 2 }, { state: "SENT" }, {}, { state: "SENT" });
      await run();
      expect(await stored()).toMatchObject({ state: "FAILED", reason: "operator-unreachable" });
    });
  });

  describe("with receipts that are faster than the record", () => {
    it("keeps them, and records the others", async () => {
      carrier.answers = {
        2: [
          async () => {
            await apply(receipt(1));
            await apply(lost(2));
            return accepted(2);
          },
        ],
      };
      await given();
      expect(await run()).toEqual({
        kind: "moved",
        state: "NOT_DELIVERED",
        reason: "undeliverable",
      });
      expect(await partStates()).toEqual(["DELIVERED", "NOT_DELIVERED", "SENT"]);
      expect(states()).toEqual(["QUEUED", "SENDING", "SENT", "NOT_DELIVERED"]);
    });

    it.each([
      ["each part", () => ORDERS.map((order) => receipt(order))],
      ["the whole", () => [receipt()]],
    ])("leaves the message as they left it, where they tell of %s", async (_, receipts) => {
      carrier.answers = {
        3: [
          async () => {
            for (const event of receipts()) await apply(event);
            return accepted(3);
          },
        ],
      };
      await given();
      expect(await run()).toEqual({ kind: "nothing-to-do", state: "DELIVERED" });
      expect(states()).toEqual(["QUEUED", "SENDING", "SENT", "DELIVERED"]);
      expect(dispatchQueue.records).toEqual([]);
    });

    it("looks again where one comes while the record is being written", async () => {
      await given();
      const change = messages.change.bind(messages);
      messages.change = async (...asked) => {
        messages.change = change;
        await apply(receipt(2));
        return change(...asked);
      };
      expect(await run()).toEqual({ kind: "moved", state: "SENT" });
      expect(await partStates()).toEqual(["SENT", "DELIVERED", "SENT"]);
    });

    it("keeps the record in the queue where the message does not stop changing", async () => {
      await given();
      const change = messages.change.bind(messages);
      messages.change = async (seen, it) => (it.state === "SENT" ? undefined : change(seen, it));
      expect(await run()).toEqual({ kind: "deferred", detail: "Error" });
      messages.change = change;
      const [record] = dispatchQueue.records;
      if (record) expect(await recordHandOver(deps, record)).toMatchObject({ state: "SENT" });
      expect(await stored()).toMatchObject({ state: "SENT" });
    });
  });

  describe("where what the carrier answered cannot be written down", () => {
    /** A store that takes no change. */
    function failing(): DispatchDependencies {
      const change: MessageStore["change"] = () => Promise.reject(new Error("throttled"));
      const { claim, find } = messages;
      const store = { claim: claim.bind(messages), find: find.bind(messages), change };
      return { ...deps, messages: store };
    }
    /** Its message is handed over, and what became of that is in the queue. */
    async function givenRecord(answers: CarrierOfParts["answers"] = {}) {
      carrier.answers = answers;
      await given();
      expect(await dispatchMessage(failing(), refOf(message))).toMatchObject({ kind: "deferred" });
      const [record] = dispatchQueue.records.splice(0);
      if (!record) throw new Error("nothing was kept");
      const carried = handOverRecordSchema.parse(JSON.parse(JSON.stringify(record)));
      expect(carried).toEqual(record);
      clock.advance(5_000);
      return carried;
    }

    it("keeps it in the queue, and writes it down later, once", async () => {
      const record = await givenRecord();
      expect(await recordHandOver(deps, record)).toEqual({ kind: "moved", state: "SENT" });
      expect(await stored()).toMatchObject({
        state: "SENT",
        sentAt: record.at,
        stateAt: record.at,
      });
      const after = await stored();
      expect(await recordHandOver(deps, record)).toEqual({ kind: "nothing-to-do", state: "SENT" });
      expect(await stored()).toEqual(after);
      expect(carrier.orders).toEqual(ORDERS);
    });

    it("keeps only what is settled, and tries the rest again", async () => {
      const record = await givenRecord({ 2: [unreachable] });
      expect(record).toMatchObject({ parts: [{ order: 1 }, { order: 3 }] });
      expect(await recordHandOver(deps, record)).toEqual({ kind: "moved", state: "QUEUED" });
      expect(await partStates()).toEqual(["SENT", "QUEUED", "SENT"]);
      await runQueued();
      expect(carrier.orders).toEqual([1, 2, 3, 2]);
      expect(await stored()).toMatchObject({ state: "SENT" });
    });

    it("writes it down beside the receipts that came meanwhile", async () => {
      const record = await givenRecord();
      await apply(receipt(1));
      await apply(receipt(3));
      expect(await recordHandOver(deps, record)).toEqual({ kind: "moved", state: "SENT" });
      expect(await partStates()).toEqual(["DELIVERED", "SENT", "DELIVERED"]);
      await apply(receipt(2));
      expect(states()).toEqual(["QUEUED", "SENDING", "SENT", "DELIVERED"]);
      expect(await recordHandOver(deps, record)).toEqual({
        kind: "nothing-to-do",
        state: "DELIVERED",
      });
    });

    it("puts a message on its way again that waits for another attempt, and may be in no queue", async () => {
      carrier.answers = { 2: [unreachable] };
      await given();
      dispatchQueue.enqueue = () => Promise.reject(new Error("the queue is away"));
      expect(await run()).toMatchObject({ kind: "deferred", detail: "Error" });
      expect(await stored()).toMatchObject({ state: "QUEUED" });
      dispatchQueue = new MemoryDispatchQueue();
      const [record] = (deps.dispatchQueue as MemoryDispatchQueue).records;
      deps = { ...deps, dispatchQueue };
      if (record) expect(await recordHandOver(deps, record)).toEqual({ kind: "deferred" });
      await runQueued();
      expect(carrier.orders).toEqual([1, 2, 3, 2]);
      expect(await stored()).toMatchObject({ state: "SENT" });
    });

    it("leaves a message alone that somebody else holds by now, and one that is gone", async () => {
      const record = await givenRecord();
      clock.advance(LEASE_MS);
      await dispatchMessage(deps, refOf(message));
      clock.advance(deps.lastCallMs);
      const lease = { token: "another", until: clock.now() + LEASE_MS };
      await messages.claim(refOf(message), { now: clock.now(), lease, carrier: "another" });
      const held = await stored();
      expect(await recordHandOver(deps, record)).toEqual({
        kind: "nothing-to-do",
        state: "SENDING",
      });
      expect(await stored()).toEqual(held);
      clock.time = message.removeAt * 1_000;
      expect(await recordHandOver(deps, record)).toEqual({ kind: "absent" });
      await messages.insert({ ...message, traceId: "next", removeAt: message.removeAt + 60 });
      expect(await recordHandOver(deps, record)).toEqual({ kind: "absent" });
    });

    it("throws where the store does not take it again, so that the record comes again", async () => {
      const record = await givenRecord();
      await expect(recordHandOver(failing(), record)).rejects.toThrow("throttled");
      expect(dispatchQueue.records).toEqual([]);
      await recordHandOver(deps, record);
      expect(await stored()).toMatchObject({ state: "SENT" });
    });
  });

  describe("where a function died with it", () => {
    it("goes on from SENT to where the parts are", async () => {
      await given(
        { state: "SENT", sentAt: clock.now() },
        { state: "DELIVERED" },
        { state: "NOT_DELIVERED", reason: "operator-expired" },
        { state: "SENT" },
      );
      expect(await run()).toEqual({
        kind: "moved",
        state: "NOT_DELIVERED",
        reason: "operator-expired",
      });
      expect(await stored()).toMatchObject({ state: "NOT_DELIVERED", stateAt: clock.now() });
      expect(carrier.handedOver).toEqual([]);
    });

    it("is done where SENT is where the parts are", async () => {
      await given({ state: "SENT" }, { state: "DELIVERED" }, { state: "SENT" }, { state: "SENT" });
      const before = await stored();
      expect(await run()).toEqual({ kind: "nothing-to-do", state: "SENT" });
      expect(await stored()).toEqual(before);
    });

    it("hands over again only what no receipt has told of", async () => {
      const lease = { token: "dead", until: clock.now(), lastCall: true } as const;
      await given({ state: "SENDING", attempts: 1, lease, carrier: carrier.name });
      await apply(receipt(2));
      await run();
      expect(carrier.orders).toEqual([1, 3]);
      expect(await partStates()).toEqual(["SENT", "DELIVERED", "SENT"]);
    });

    it("ends a message that functions keep dying with, whatever became of its parts", async () => {
      const lease = { token: "dead", until: clock.now(), lastCall: true } as const;
      await given({ state: "SENDING", attempts: 3, lease }, { state: "DELIVERED" });
      expect(await run()).toMatchObject({ state: "FAILED", reason: "internal-error" });
      expect(carrier.handedOver).toEqual([]);
    });
  });

  /** What happens to one part. */
  interface Fate {
    /** What the carrier answers to its hand-overs, one after another; then it accepts it. */
    readonly answers: readonly SendOutcome[];
    /** Its receipts, which come when it is accepted: whether each says that it is delivered. */
    readonly receipts: readonly boolean[];
  }

  /** How often a part was accepted that was handed over so many times. */
  const acceptances = ({ answers }: Fate, handOvers: number) =>
    answers.slice(0, handOvers).filter(({ kind }) => kind === "accepted").length +
    Math.max(0, handOvers - answers.length);

  /**
   * Dispatches the message, side by side with the receipts of its parts and with what comes out of
   * the queue, until nothing is left to do. What throws is delivered again.
   */
  async function live(
    scheduler: fc.Scheduler,
    fates: readonly Fate[],
    deliveries: number,
    failures: readonly boolean[] = [],
  ) {
    startOver();
    await given();
    carrier.answers = Object.fromEntries(
      fates.map(({ answers }, index) => [index + 1, [...answers]]),
    );
    const slow = interleaved(scheduler, messages);
    const left = [...failures];
    const working: Promise<void>[] = [];
    const begin = (label: string, work: () => Promise<unknown>) => {
      const untilDone = async (): Promise<void> => {
        await scheduler.schedule(Promise.resolve(), label);
        await work().catch(untilDone);
      };
      working.push(untilDone());
    };
    const receive = (event: Receipt) =>
      begin(`receipt of ${event.part}`, () => applyReceipt({ messages: slow, clock }, event));
    const dispatching: DispatchDependencies = {
      ...deps,
      messages: {
        claim: slow.claim,
        find: slow.find,
        change: (...asked) =>
          left.shift() ? Promise.reject(new Error("throttled")) : slow.change(...asked),
      },
      carriers: new SimplePool({
        name: carrier.name,
        takes: carrier.takes,
        send: async (outbound) => {
          const order = outbound.part?.order ?? 0;
          await scheduler.schedule(Promise.resolve(), `hand-over of ${order}`);
          const outcome = await carrier.send(outbound);
          const receipts = fates[order - 1]?.receipts ?? [];
          if (outcome.kind === "accepted") {
            for (const good of receipts) receive(good ? receipt(order) : lost(order));
          }
          await scheduler.schedule(Promise.resolve(), `answer to ${order}`);
          return outcome;
        },
      }),
      dispatchQueue: {
        enqueue: async (ref, notBefore) => {
          // Nobody lives as long as a lease: what waits for its end comes when all others are done.
          if (notBefore - clock.now() > LEASE_MS / 2) {
            return dispatchQueue.enqueue(ref, notBefore);
          }
          begin("another attempt", () => {
            clock.time = Math.max(clock.time, notBefore);
            return dispatchMessage(dispatching, ref);
          });
        },
        enqueueRecord: async (record) =>
          begin("record", () => recordHandOver(dispatching, handOverRecordSchema.parse(record))),
      },
    };
    const dispatch = () => begin("delivery", () => dispatchMessage(dispatching, refOf(message)));
    for (let delivery = 0; delivery < deliveries; delivery++) dispatch();
    while (working.length > 0) {
      while (working.length > 0) await scheduler.waitFor(Promise.all(working.splice(0)));
      for (const { notBefore } of dispatchQueue.entries.splice(0)) {
        clock.time = Math.max(clock.time, notBefore);
        dispatch();
      }
    }
  }

  function expectLifecycle() {
    const seen = states() ?? [];
    const steps = seen.slice(1).map((to, i) => [seen[i] as State, to] as const);
    expect(steps.filter(([from, to]) => !canMove(from, to))).toEqual([]);
    const end = seen.at(-1);
    if (end === "DELIVERED" || end === "NOT_DELIVERED") expect(seen.at(-2)).toBe("SENT");
  }

  const copies = fc.integer({ min: 1, max: 3 });
  const receipts = fc.array(fc.boolean(), { maxLength: 3 });

  it("hands each part over once and ends where their receipts say, however all falls together", async () => {
    const fate = fc.record({ answers: fc.constant([]), receipts });
    await fc.assert(
      fc.asyncProperty(
        fc.scheduler(),
        fc.tuple(fate, fate, fate),
        copies,
        async (scheduler, fates, deliveries) => {
          await live(scheduler, fates, deliveries);
          expect([...carrier.orders].sort()).toEqual(ORDERS);
          expectLifecycle();
          const after = await stored();
          const kept = after?.parts?.map(({ state }) => state) ?? [];
          const isTold = fates.map((it) => it.receipts.length > 0);
          const isLost = kept.includes("NOT_DELIVERED");
          const verdict = isTold.every(Boolean) ? "DELIVERED" : "SENT";
          expect(after?.state).toBe(isLost ? "NOT_DELIVERED" : verdict);
          expect(after?.lease).toBeUndefined();
          if (!isLost) expect(kept).toEqual(isTold.map((it) => (it ? "DELIVERED" : "SENT")));
          for (const [index, it] of fates.entries()) {
            // A part that was lost by all of its receipts is not taken for delivered.
            const isCertain = it.receipts.length > 0 && !it.receipts.includes(true);
            if (isCertain) expect([kept[index], isLost]).not.toEqual(["SENT", false]);
            if (isCertain) expect(kept[index]).not.toBe("DELIVERED");
          }
        },
      ),
      { numRuns: 300 },
    );
  });

  it("comes to an end, no part accepted twice, whatever the carrier answers and the store does not take", async () => {
    const answer = fc.oneof(
      { weight: 4, arbitrary: fc.constant(unreachable) },
      { weight: 2, arbitrary: fc.constant(accepted(0)) },
      { weight: 1, arbitrary: fc.constantFrom(rejected, blocked) },
    );
    const fate = fc.record({ answers: fc.array(answer, { maxLength: 3 }), receipts });
    const failures = fc.array(fc.boolean(), { maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(
        fc.scheduler(),
        fc.tuple(fate, fate, fate),
        copies,
        failures,
        async (scheduler, fates, deliveries, failing) => {
          await live(scheduler, fates, deliveries, failing);
          expectLifecycle();
          const after = await stored();
          const kept = after?.parts ?? [];
          const state = after?.state ?? "SCHEDULED";
          const waitsForReceipt = kept.some(
            (part, index) => part.state === "SENT" && fates[index]?.receipts.length === 0,
          );
          expect([state, isFinal(state) || waitsForReceipt]).toEqual([state, true]);
          expect(["SENDING", "QUEUED"]).not.toContain(state);
          for (const [index, it] of fates.entries()) {
            const handOvers = carrier.orders.filter((order) => order === index + 1).length;
            expect(acceptances(it, handOvers)).toBeLessThanOrEqual(1);
          }
          if (state === "DELIVERED") {
            expect(kept.map((part) => part.state)).toEqual(Array(3).fill("DELIVERED"));
          }
        },
      ),
      { numRuns: 1_000 },
    );
  });
});
