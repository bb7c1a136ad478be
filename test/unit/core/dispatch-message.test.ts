import fc from "fast-check";
import { beforeEach, describe, expect, it } from "vitest";
import { applyReceipt } from "../../../functions/core/apply-receipt.ts";
import type { Carrier, OutboundMessage, SendOutcome } from "../../../functions/core/carrier.ts";
import {
  type DispatchDependencies,
  dispatchMessage,
  recordHandOver,
} from "../../../functions/core/dispatch-message.ts";
import { handOverRecordSchema } from "../../../functions/core/hand-over-record.ts";
import { canMove, isFinal, type State } from "../../../functions/core/lifecycle.ts";
import { type Message, refOf } from "../../../functions/core/message.ts";
import type { TimeLimit } from "../../../functions/core/ports.ts";
import {
  ManualClock,
  ManualTimeLimit,
  MemoryDispatchQueue,
  MemoryMessages,
} from "../../support/memory.ts";
import { MemoryBlockedNumbers } from "../../support/memory-customers.ts";
import { sampleMessage } from "../../support/samples.ts";
import { SimplePool } from "../../support/simple-pool.ts";
import { dispatchDependencies } from "./support.ts";

const LEASE_MS = 30_000;
const accepted: SendOutcome = {
  kind: "accepted",
  carrierMessageId: "c-1",
  operator: "Vivo",
  shortCode: "27182",
  receipts: true,
};
const unreachable: SendOutcome = { kind: "unreachable", detail: "no route" };

/** A carrier that answers as it was told, one answer after another, the last one again and again. */
class ScriptedCarrier implements Carrier {
  readonly name = "scripted";
  readonly takes = "parts";
  readonly handedOver: OutboundMessage[] = [];
  constructor(
    public answers: (SendOutcome | Error | (() => Promise<SendOutcome>))[] = [accepted],
  ) {}
  async send(message: OutboundMessage) {
    const answer = this.answers[Math.min(this.handedOver.length, this.answers.length - 1)];
    this.handedOver.push(message);
    if (answer instanceof Error) throw answer;
    return typeof answer === "function" ? answer() : (answer ?? accepted);
  }
}

describe("dispatchMessage", () => {
  let clock: ManualClock;
  let messages: MemoryMessages;
  let dispatchQueue: MemoryDispatchQueue;
  let carrier: ScriptedCarrier;
  let timeLimit: ManualTimeLimit;
  let deps: DispatchDependencies;
  let message: Message;
  let run: () => ReturnType<typeof dispatchMessage>;

  const stored = () => messages.find(message.account, message.id);
  async function given(overrides: Partial<Message> = {}) {
    message = sampleMessage(clock.now(), overrides);
    await messages.insert(message);
  }

  beforeEach(() => {
    clock = new ManualClock();
    messages = new MemoryMessages(clock);
    dispatchQueue = new MemoryDispatchQueue();
    carrier = new ScriptedCarrier();
    timeLimit = new ManualTimeLimit();
    deps = { ...dispatchDependencies({ messages, dispatchQueue, carrier, clock }), timeLimit };
    run = () => dispatchMessage(deps, refOf(message));
  });

  it("hands the message over and records the acceptance", async () => {
    await given();
    expect(await run()).toEqual({ kind: "moved", state: "SENT" });
    expect(carrier.handedOver).toEqual([
      {
        ref: refOf(message),
        destination: message.destination,
        text: message.text,
        segments: { coding: "gsm", texts: [message.text], first: 1, total: 1 },
        lane: "singles",
        flash: false,
      },
    ]);
    expect(await stored()).toMatchObject({
      state: "SENT",
      reason: undefined,
      carrier: "scripted",
      carrierMessageId: "c-1",
      operator: "Vivo",
      shortCode: "27182",
      attempts: 1,
      lease: undefined,
      sentAt: clock.now(),
    });
  });

  it("does not send what was scheduled to a number that is blocked by now", async () => {
    const blockedNumbers = new MemoryBlockedNumbers();
    deps = { ...deps, blockedNumbers };
    await given({ state: "SCHEDULED", subAccount: "Marketing" });
    const { account, destination: number } = message;
    const at = clock.now();
    await blockedNumbers.optOut({ account, subAccount: "Vendas", number, at, origin: "mo-1" });
    await blockedNumbers.optOut({ account, subAccount: "Marketing", number, at, origin: "mo-2" });
    expect(await run()).toEqual({ kind: "moved", state: "BLOCKED", reason: "opt-out" });
    expect(carrier.handedOver).toEqual([]);
    expect(messages.history.get(message.traceId)).toEqual(["SCHEDULED", "BLOCKED"]);
  });

  it("sends what was scheduled to a number that another sub-account may not send to", async () => {
    await given({ state: "SCHEDULED", subAccount: "Marketing" });
    const { account, destination: number } = message;
    const word = { account, subAccount: "Vendas", number, at: clock.now(), origin: "mo-1" };
    const blockedNumbers = new MemoryBlockedNumbers();
    await blockedNumbers.optOut(word);
    deps = { ...deps, blockedNumbers };
    expect(await run()).toMatchObject({ state: "SENT" });
  });

  it("waits with what was scheduled while nobody can say whether its number is blocked", async () => {
    await given({ state: "SCHEDULED" });
    deps = {
      ...deps,
      blockedNumbers: { findBlocked: () => Promise.reject(new Error("throttled")) },
    };
    await expect(run()).rejects.toThrow("throttled");
    expect(await stored()).toMatchObject({ state: "SCHEDULED" });
    expect(carrier.handedOver).toEqual([]);
  });

  it("records that no receipt will come", async () => {
    carrier.answers = [{ ...accepted, receipts: false }];
    await given();
    await run();
    expect(await stored()).toMatchObject({ state: "SENT", reason: "no-receipts" });
  });

  it.each([
    [{ kind: "rejected", reason: "operator-rejected" }, "FAILED", "operator-rejected"],
    [{ kind: "blocked", reason: "no-coverage" }, "BLOCKED", "no-coverage"],
  ] as const)("records a refusal: %j", async (answer, state, reason) => {
    carrier.answers = [answer];
    await given();
    expect(await run()).toMatchObject({ kind: "moved", state });
    expect(await stored()).toMatchObject({ state, reason });
    expect(dispatchQueue.entries).toEqual([]);
  });

  it("does not hand a message over again that the carrier may have, where it throws", async () => {
    carrier.answers = [new TypeError("GET https://carrier.example/?to=5519900001111 failed")];
    await given();
    expect(await run()).toEqual({
      kind: "moved",
      state: "FAILED",
      reason: "internal-error",
      detail: "TypeError",
    });
    expect(dispatchQueue.entries).toEqual([]);
  });

  it("nor where it does not answer in time", async () => {
    carrier.answers = [() => new Promise(() => {})];
    await given();
    const outcome = run();
    await expect.poll(() => timeLimit.asked).toEqual([10_000]);
    timeLimit.reach();
    expect(await outcome).toMatchObject({ state: "FAILED", detail: "RangeError" });
    expect(await stored()).toMatchObject({ state: "FAILED", reason: "internal-error" });
  });

  describe("where what the carrier answered cannot be written down", () => {
    const failing = () => {
      const { claim, find } = messages;
      deps = {
        ...deps,
        messages: { claim: claim.bind(messages), find: find.bind(messages), change },
      };
    };
    const change = () => Promise.reject(new Error("throttled"));

    it.each([
      [accepted, "SENT"],
      [{ kind: "rejected", reason: "operator-rejected" }, "FAILED"],
      [{ kind: "blocked", reason: "no-coverage" }, "BLOCKED"],
    ] as const)(
      "keeps it in the queue, and hands nothing over again: %j",
      async (answer, state) => {
        carrier.answers = [answer];
        await given();
        const working = deps;
        failing();
        expect(await run()).toEqual({ kind: "deferred", detail: "Error" });
        const [record] = dispatchQueue.records.map((kept) => handOverRecordSchema.parse(kept));
        if (!record) throw new Error("nothing was kept");
        expect(record).toMatchObject({ ref: refOf(message), outcome: answer, at: clock.now() });
        clock.advance(120_000);
        expect(await recordHandOver(working, record)).toMatchObject({ kind: "moved", state });
        expect(await stored()).toMatchObject({ state, stateAt: record.at });
        expect(await recordHandOver(working, record)).toMatchObject({ kind: "nothing-to-do" });
        expect(carrier.handedOver).toHaveLength(1);
      },
    );

    /** Time that passes when somebody waits for it, and only then. */
    const passing: TimeLimit = {
      async within(ms, work) {
        const done = await Promise.race([work, Promise.resolve(undefined)]);
        if (done !== undefined) return done;
        clock.advance(ms);
        throw new RangeError("out of time");
      },
    };

    it("is tried again and again where the queue does not take it either", async () => {
      await given();
      const asked: number[] = [];
      failing();
      deps = { ...deps, timeLimit: passing };
      dispatchQueue.enqueueRecord = async () => {
        asked.push(clock.now());
        if (asked.length < 4) throw new Error("the queue is away");
      };
      expect(await run()).toEqual({ kind: "deferred", detail: "Error" });
      expect(asked.map((at) => at - (asked[0] ?? 0))).toEqual([0, 1_000, 3_000, 7_000]);
      expect(carrier.handedOver).toHaveLength(1);
    });

    it("has the reference come again where nothing ever takes it", async () => {
      await given();
      failing();
      deps = { ...deps, timeLimit: passing };
      dispatchQueue.refuses = true;
      const startedAt = clock.now();
      await expect(run()).rejects.toThrow("the queue is away");
      expect(clock.now() - startedAt).toBe(15_000);
    });

    it("lets a receipt that came meanwhile stand", async () => {
      await given();
      const working = deps;
      failing();
      await run();
      const receipt = { type: "receipt", outcome: "delivered", carrier: "scripted" } as const;
      await applyReceipt({ messages, clock }, { ...receipt, ref: refOf(message), at: 0 });
      const [record] = dispatchQueue.records;
      if (record) await recordHandOver(working, record);
      expect(await stored()).toMatchObject({ state: "DELIVERED" });
    });
  });

  it("ends a message that functions keep dying with", async () => {
    const lease = { token: "dead", until: clock.now(), lastCall: true } as const;
    await given({ attempts: 3, state: "SENDING", lease });
    expect(await run()).toMatchObject({ state: "FAILED", reason: "internal-error" });
    expect(carrier.handedOver).toEqual([]);
  });

  it("queues the message again, later each time, where the carrier is unreachable", async () => {
    carrier.answers = [unreachable, { ...unreachable, detail: "still none" }, accepted];
    await given();
    const start = clock.now();
    expect(await run()).toEqual({ kind: "moved", state: "QUEUED", detail: "no route" });
    expect(dispatchQueue.entries).toEqual([{ ref: refOf(message), notBefore: start + 500 }]);
    clock.advance(500);
    expect(await run()).toMatchObject({ state: "QUEUED", detail: "still none" });
    expect(dispatchQueue.entries.at(-1)?.notBefore).toBe(start + 500 + 1_000);
    clock.advance(1_000);
    expect(await run()).toMatchObject({ state: "SENT" });
    expect(await stored()).toMatchObject({ attempts: 3 });
  });

  it("fails the message at the last attempt", async () => {
    carrier.answers = [unreachable];
    await given({ attempts: 2 });
    expect(await run()).toMatchObject({ kind: "moved", state: "FAILED" });
    expect(await stored()).toMatchObject({ state: "FAILED", reason: "operator-unreachable" });
    expect(dispatchQueue.entries).toEqual([]);
  });

  it("fails the message where the next attempt would come after its expiry", async () => {
    carrier.answers = [unreachable];
    const expiresAt = clock.now() + 400;
    await given({ expiresAt, claimableUntil: expiresAt });
    expect(await run()).toMatchObject({ state: "FAILED" });
  });

  it("expires a message whose time is over", async () => {
    const expiresAt = clock.now() - 1;
    await given({ expiresAt, claimableUntil: expiresAt });
    expect(await run()).toEqual({ kind: "moved", state: "EXPIRED" });
    expect(carrier.handedOver).toEqual([]);
  });

  it("expires a scheduled message that comes too late, by way of QUEUED", async () => {
    const expiresAt = clock.now() - 1;
    await given({
      state: "SCHEDULED",
      claimableFrom: expiresAt - 1,
      expiresAt,
      claimableUntil: expiresAt,
    });
    expect(await run()).toEqual({ kind: "moved", state: "EXPIRED" });
    expect(messages.history.get(message.traceId)).toEqual(["SCHEDULED", "QUEUED", "EXPIRED"]);
  });

  it("leaves a canceled message canceled, also where it is canceled in the very moment", async () => {
    await given({ state: "SCHEDULED" });
    const change = messages.change.bind(messages);
    messages.change = async (...asked) => {
      messages.change = change;
      await change(message, { state: "CANCELED" });
      return change(...asked);
    };
    expect(await run()).toEqual({ kind: "nothing-to-do", state: "CANCELED" });
    expect(await run()).toEqual({ kind: "nothing-to-do", state: "CANCELED" });
    expect(carrier.handedOver).toEqual([]);
  });

  it("waits with a message that comes before its time", async () => {
    await given({ claimableFrom: clock.now() + 5_000 });
    expect(await run()).toEqual({ kind: "deferred" });
    expect(dispatchQueue.entries).toEqual([
      { ref: refOf(message), notBefore: message.claimableFrom },
    ]);
    expect(carrier.handedOver).toEqual([]);
  });

  it("queues and sends a scheduled message when it is due, and not before", async () => {
    await given({ state: "SCHEDULED", claimableFrom: clock.now() + 5_000 });
    expect(await run()).toEqual({ kind: "deferred" });
    clock.advance(5_000);
    expect(await run()).toEqual({ kind: "moved", state: "SENT" });
    expect(messages.history.get(message.traceId)).toEqual([
      "SCHEDULED",
      "QUEUED",
      "SENDING",
      "SENT",
    ]);
  });

  it("defers a message whose window has closed to the next opening, and keeps it that much longer", async () => {
    // 12:00 in São Paulo; the window closes at 13:00 and opens again at 18:00.
    const window = { hours: [12, 18], timeZone: "America/Sao_Paulo" };
    await given({ window, claimableUntil: clock.now() + 3_600_000 });
    clock.advance(3_600_000);
    expect(await run()).toEqual({ kind: "deferred" });
    const opening = Date.parse("2026-03-02T21:00:00Z");
    expect(dispatchQueue.entries).toEqual([{ ref: refOf(message), notBefore: opening }]);
    expect(await stored()).toMatchObject({
      state: "QUEUED",
      claimableFrom: opening,
      claimableUntil: opening + 3_600_000,
      removeAt: message.removeAt + 6 * 3_600,
    });
    clock.time = opening;
    expect(await run()).toMatchObject({ state: "SENT" });
  });

  it("sends a message that was late for one opening of its window in the one that is open now", async () => {
    const window = { hours: [12, 18], timeZone: "America/Sao_Paulo" };
    await given({ window, claimableUntil: clock.now() + 3_600_000 });
    clock.time = Date.parse("2026-03-02T21:30:00Z");
    expect(await run()).toMatchObject({ state: "SENT" });
  });

  it("tries again inside the window only", async () => {
    carrier.answers = [unreachable];
    const window = { hours: [12], timeZone: "America/Sao_Paulo" };
    clock.advance(3_600_000 - 100);
    await given({ window, claimableUntil: clock.now() + 100 });
    await run();
    expect(dispatchQueue.entries[0]?.notBefore).toBe(Date.parse("2026-03-03T15:00:00Z"));
  });

  it("leaves a message alone that another holds, and looks again when its lease has run out", async () => {
    await given();
    carrier.answers = [() => new Promise(() => {}), accepted];
    void run();
    await Promise.resolve();
    expect(await run()).toEqual({ kind: "deferred" });
    expect(dispatchQueue.entries).toEqual([
      { ref: refOf(message), notBefore: clock.now() + LEASE_MS },
    ]);
    clock.advance(LEASE_MS);
    expect(await run()).toEqual({ kind: "deferred" });
    expect(dispatchQueue.entries.at(-1)).toEqual({
      ref: refOf(message),
      notBefore: clock.now() + deps.lastCallMs,
    });
    clock.advance(deps.lastCallMs - 1);
    expect(await run()).toEqual({ kind: "deferred" });
    clock.advance(1);
    expect(await run()).toMatchObject({ state: "SENT" });
    expect(await stored()).toMatchObject({ attempts: 2 });
  });

  it("lets the record of a hand-over that waited in the queue for the store come before anybody else", async () => {
    await given();
    const working = deps;
    const away = () => Promise.reject(new Error("the store is away"));
    deps = {
      ...deps,
      messages: {
        claim: messages.claim.bind(messages),
        change: away,
        find: messages.find.bind(messages),
      },
    };
    await run();
    const [record] = dispatchQueue.records;
    clock.advance(10 * LEASE_MS);
    deps = working;
    expect(await run()).toEqual({ kind: "deferred" });
    clock.advance(deps.lastCallMs - 1);
    if (record) await recordHandOver(working, record);
    expect(await stored()).toMatchObject({ state: "SENT", attempts: 1 });
    expect(carrier.handedOver).toHaveLength(1);
  });

  it("expires a message whose holder died, and waits for the window of one that has one", async () => {
    const lease = { token: "dead", until: clock.now(), lastCall: true } as const;
    await given({ state: "SENDING", lease, expiresAt: clock.now(), claimableUntil: clock.now() });
    expect(await run()).toMatchObject({ state: "EXPIRED" });
    expect(dispatchQueue.entries).toEqual([]);

    const window = { hours: [new Date(clock.now()).getUTCHours() + 1], timeZone: "UTC" };
    await given({ id: "w", state: "SENDING", lease, window, claimableUntil: clock.now() });
    await dispatchMessage(deps, { ...refOf(message), id: "w" });
    const opening = (Math.floor(clock.now() / 3_600_000) + 1) * 3_600_000;
    expect(dispatchQueue.entries.map(({ notBefore }) => notBefore)).toEqual([opening]);
    expect(carrier.handedOver).toEqual([]);
    // Its carrier may have it: until then it is in nobody else's hand.
    expect(await messages.find(message.account, "w")).toMatchObject({ state: "SENDING", lease });
    clock.time = opening;
    await dispatchMessage(deps, { ...refOf(message), id: "w" });
    expect(await messages.find(message.account, "w")).toMatchObject({ state: "SENT", attempts: 1 });
  });

  it("hands nothing over under a claim that took too long, and does so when its lease has run out", async () => {
    const { claim, change, find } = messages;
    let takes = 15_001;
    deps = {
      ...deps,
      messages: {
        claim: async (...asked) => {
          const claimed = await claim.apply(messages, asked);
          clock.advance(takes);
          return claimed;
        },
        change: change.bind(messages),
        find: find.bind(messages),
      },
    };
    await given();
    const leaseEnd = clock.now() + LEASE_MS;
    await expect(run()).rejects.toMatchObject({ name: "SlowClaimError" });
    expect(carrier.handedOver).toEqual([]);
    takes = 0;
    expect(await run()).toEqual({ kind: "deferred" });
    expect(dispatchQueue.entries).toEqual([{ ref: refOf(message), notBefore: leaseEnd }]);
    clock.time = leaseEnd;
    expect(await run()).toEqual({ kind: "deferred" });
    clock.advance(deps.lastCallMs);
    takes = 15_000;
    expect(await run()).toMatchObject({ state: "SENT" });
    expect(carrier.handedOver).toHaveLength(1);
  });

  it("counts all the time since the beginning of the message's turn", async () => {
    const find = messages.find.bind(messages);
    messages.find = async (...asked) => {
      clock.advance(8_000);
      return find(...asked);
    };
    await given({ state: "SCHEDULED" });
    await expect(run()).rejects.toMatchObject({ name: "SlowClaimError" });
    expect(carrier.handedOver).toEqual([]);
    // Nobody has claimed it: it can be handed over as soon as it comes again.
    expect(await stored()).toMatchObject({ state: "QUEUED", attempts: 0 });
  });

  it("does nothing for a message that is gone, or whose id is another message's now", async () => {
    await given();
    const gone = { ...refOf(message), id: "gone" };
    expect(await dispatchMessage(deps, gone)).toEqual({ kind: "absent" });
    const another = { ...refOf(message), traceId: "another" };
    expect(await dispatchMessage(deps, another)).toEqual({ kind: "absent" });
    clock.time = message.removeAt * 1_000;
    expect(await run()).toEqual({ kind: "absent" });
    expect(carrier.handedOver).toEqual([]);
  });

  it("leaves a message as its receipt left it, where that came before the acceptance was recorded", async () => {
    await given();
    carrier.answers = [
      async () => {
        const receipt = { type: "receipt", outcome: "delivered", carrier: "scripted" } as const;
        await applyReceipt(
          { messages, clock },
          { ...receipt, ref: refOf(message), at: clock.now() },
        );
        return accepted;
      },
    ];
    expect(await run()).toMatchObject({ kind: "nothing-to-do" });
    expect(messages.history.get(message.traceId)).toEqual([
      "QUEUED",
      "SENDING",
      "SENT",
      "DELIVERED",
    ]);
  });

  it("ends every message in a final state by moves of the table, handed over and accepted at most once", async () => {
    const answers = fc.array(
      fc.constantFrom<SendOutcome>(
        accepted,
        unreachable,
        { kind: "rejected", reason: "operator-rejected" },
        { kind: "blocked", reason: "content" },
      ),
      { minLength: 1, maxLength: 5 },
    );
    const deliveries = fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 10 });
    await fc.assert(
      fc.asyncProperty(answers, deliveries, async (script, extraDeliveries) => {
        clock = new ManualClock();
        messages = new MemoryMessages(clock);
        dispatchQueue = new MemoryDispatchQueue();
        carrier = new ScriptedCarrier(script);
        deps = { ...deps, messages, dispatchQueue, carriers: new SimplePool(carrier), clock };
        await given();
        await dispatchQueue.enqueue(refOf(message), clock.now());
        // Each reference is delivered when it is due, some of them several times at once.
        for (let next = dispatchQueue.entries.shift(); next; next = dispatchQueue.entries.shift()) {
          clock.time = Math.max(clock.time, next.notBefore);
          const copies = 1 + (extraDeliveries.shift() ?? 0);
          await Promise.all(Array.from({ length: copies }, () => run()));
        }
        const states = messages.history.get(message.traceId) ?? [];
        const steps = states.slice(1).map((to, i) => [states[i] as State, to] as const);
        expect(steps.filter(([from, to]) => !canMove(from, to))).toEqual([]);
        const end = states.at(-1) as State;
        expect(isFinal(end) || end === "SENT").toBe(true);
        const answered = carrier.handedOver.map((_, i) => script[Math.min(i, script.length - 1)]);
        expect(answered.slice(0, -1).every((answer) => answer?.kind === "unreachable")).toBe(true);
      }),
    );
  });
});
