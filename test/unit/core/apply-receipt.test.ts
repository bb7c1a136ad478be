import fc from "fast-check";
import { beforeEach, describe, expect, it } from "vitest";
import { applyReceipt } from "../../../functions/core/apply-receipt.ts";
import type { Receipt } from "../../../functions/core/carrier.ts";
import { canMove, isFinal, STATES, type State } from "../../../functions/core/lifecycle.ts";
import { type Message, type Part, refOf } from "../../../functions/core/message.ts";
import type { MessageStore } from "../../../functions/core/ports.ts";
import { ManualClock, MemoryMessages } from "../../support/memory.ts";
import { sampleLongMessage, sampleMessage } from "../../support/samples.ts";
import { interleaved } from "./support.ts";

describe("applyReceipt", () => {
  const clock = new ManualClock();
  let messages: MemoryMessages;
  let message: Message;

  beforeEach(() => {
    messages = new MemoryMessages(clock);
  });

  /** A message that was handed to the sandbox carrier at least once. */
  async function given(overrides: Partial<Message> = {}) {
    message = sampleMessage(clock.now(), { carrier: "sandbox", attempts: 1, ...overrides });
    await messages.insert(message);
  }
  const delivered = (overrides: object = {}): Receipt => ({
    type: "receipt",
    outcome: "delivered",
    ref: refOf(message),
    carrier: "sandbox",
    at: clock.now() - 1_000,
    operator: "Claro",
    shortCode: "27182",
    ...overrides,
  });
  const notDelivered = (): Receipt => ({
    ...delivered(),
    outcome: "not-delivered",
    reason: "inactive-number",
  });
  const apply = (event: Receipt) => applyReceipt({ messages, clock }, event);
  const states = () => messages.history.get(message.traceId);

  it("delivers a message that was sent", async () => {
    await given({ state: "SENT", sentAt: clock.now() - 5_000 });
    expect(await apply(delivered())).toEqual({ kind: "moved", state: "DELIVERED" });
    expect(await messages.find("acme", "id-1")).toMatchObject({
      state: "DELIVERED",
      stateAt: clock.now() - 1_000,
      operator: "Claro",
      shortCode: "27182",
    });
  });

  it("says why a message was not delivered", async () => {
    await given({ state: "SENT", sentAt: clock.now() });
    await apply(notDelivered());
    expect(await messages.find("acme", "id-1")).toMatchObject({
      state: "NOT_DELIVERED",
      reason: "inactive-number",
    });
  });

  it.each([
    ["SENDING", ["SENDING", "SENT", "DELIVERED"]],
    ["QUEUED", ["QUEUED", "SENDING", "SENT", "DELIVERED"]],
  ] as const)("moves a message that is still %s through every state", async (state, expected) => {
    const lease = { token: "t", until: clock.now() + 1_000 };
    await given({ state, ...(state === "SENDING" && { lease }) });
    await apply(delivered());
    expect(states()).toEqual(expected);
    expect((await messages.find("acme", "id-1"))?.lease).toBeUndefined();
  });

  it("is not before the sending, whatever the carrier's clock says", async () => {
    await given({ state: "SENT", sentAt: clock.now() });
    await apply(delivered({ at: clock.now() - 60_000 }));
    expect(await messages.find("acme", "id-1")).toMatchObject({ stateAt: clock.now() });
  });

  it.each([1_000, 1e15, Number.MAX_SAFE_INTEGER])(
    "is not later than now, whatever the carrier's clock says",
    async (ahead) => {
      await given({ state: "SENT", sentAt: clock.now() });
      await apply(delivered({ at: Math.min(clock.now() + ahead, Number.MAX_SAFE_INTEGER) }));
      expect(await messages.find("acme", "id-1")).toMatchObject({ stateAt: clock.now() });
    },
  );

  it("keeps dispatch away from a message on its way through SENDING, should it stop there", async () => {
    await given();
    const stopping: Pick<MessageStore, "find" | "change"> = {
      find: (account, id) => messages.find(account, id),
      change: async (current, change) => {
        if (current.state === "SENDING") throw new Error("throttled");
        return messages.change(current, change);
      },
    };
    await expect(applyReceipt({ messages: stopping, clock }, delivered())).rejects.toThrow();
    const claim = {
      now: clock.now() + 12 * 3_600_000,
      lease: { token: "t", until: 0 },
      carrier: "sandbox",
    };
    expect(await messages.claim(refOf(message), claim)).toMatchObject({ kind: "refused" });
    expect(await apply(delivered())).toEqual({ kind: "moved", state: "DELIVERED" });
  });

  it("takes a late receipt for a message whose operator was said to give none", async () => {
    await given({ state: "SENT", reason: "no-receipts", sentAt: clock.now() });
    expect(await apply(delivered())).toEqual({ kind: "moved", state: "DELIVERED" });
    expect((await messages.find("acme", "id-1"))?.reason).toBeUndefined();
  });

  it("does no harm the second time, nor after another verdict", async () => {
    await given({ state: "SENT", sentAt: clock.now() });
    await apply(delivered());
    expect(await apply(delivered())).toEqual({ kind: "ignored", why: "already-final" });
    expect(await apply(notDelivered())).toEqual({ kind: "ignored", why: "already-final" });
    expect(states()).toEqual(["SENT", "DELIVERED"]);
  });

  it("does no harm for a message that is gone or another by the same id", async () => {
    await given({ state: "SENT" });
    expect(await apply(delivered({ ref: { ...refOf(message), id: "gone" } }))).toEqual({
      kind: "ignored",
      why: "absent",
    });
    expect(await apply(delivered({ ref: { ...refOf(message), traceId: "old" } }))).toEqual({
      kind: "ignored",
      why: "another-message",
    });
    expect(states()).toEqual(["SENT"]);
  });

  it.each([
    ["SCHEDULED", "not-handed-over"],
    ["QUEUED", "not-handed-over"],
    ["CANCELED", "not-handed-over"],
    ["BLOCKED", "not-handed-over"],
    ["EXPIRED", "not-handed-over"],
  ] as const)(
    "does nothing to a message that is %s and no carrier ever had",
    async (state, why) => {
      await given({ state, carrier: undefined, attempts: 0 });
      expect(await apply(delivered())).toEqual({ kind: "ignored", why });
      expect(states()).toEqual([state]);
    },
  );

  it.each(STATES)("does nothing to a message that is %s with another carrier", async (state) => {
    await given({ state });
    expect(await apply(delivered({ carrier: "another" }))).toEqual({
      kind: "ignored",
      why: "another-carrier",
    });
    expect(states()).toEqual([state]);
  });

  it.each(["CANCELED", "BLOCKED", "EXPIRED", "FAILED", "NOT_DELIVERED"] as const)(
    "does nothing to a message that is %s, though its carrier had it",
    async (state) => {
      await given({ state });
      expect(await apply(delivered())).toEqual({ kind: "ignored", why: "already-final" });
      expect(states()).toEqual([state]);
    },
  );

  it("does nothing to a message that is past its retention", async () => {
    await given({ state: "SENT", sentAt: clock.now(), removeAt: clock.now() / 1_000 });
    expect(await apply(delivered())).toEqual({ kind: "ignored", why: "absent" });
    expect(states()).toEqual(["SENT"]);
  });

  it("starts over where another is faster, and throws where that does not end", async () => {
    await given({ state: "SENT", sentAt: clock.now() });
    let interruptions = 2;
    const racing: Pick<MessageStore, "find" | "change"> = {
      find: (account, id) => messages.find(account, id),
      change: async (current, change) =>
        interruptions-- > 0 ? undefined : messages.change(current, change),
    };
    expect(await applyReceipt({ messages: racing, clock }, delivered())).toMatchObject({
      kind: "moved",
    });
    await given({ id: "id-2", traceId: "trace-2", state: "SENT", sentAt: clock.now() });
    interruptions = Number.POSITIVE_INFINITY;
    await expect(applyReceipt({ messages: racing, clock }, delivered())).rejects.toThrow(
      /kept changing/,
    );
  });

  describe("to a message of several parts", () => {
    const part = (state: Part["state"], reason?: Part["reason"]) => ({
      state,
      ...(reason && { reason }),
    });
    const [queued, sent, isDelivered] = [part("QUEUED"), part("SENT"), part("DELIVERED")];
    const unconfirmed = part("SENT", "no-receipts");
    const lost = part("NOT_DELIVERED", "inactive-number");

    async function givenParts(
      states: readonly Pick<Part, "state" | "reason">[],
      overrides: Partial<Message> = {},
    ) {
      const long = sampleLongMessage(clock.now(), { carrier: "sandbox" });
      const parts = long.parts?.map((it, i) => ({ ...it, ...states[i] }));
      message = { ...long, ...(parts && { parts }), ...overrides };
      await messages.insert(message);
    }
    const stored = () => messages.find("acme", "id-1");
    const partStates = async () =>
      (await stored())?.parts?.map(({ state, reason }) => part(state, reason));
    const lostPart = (order: number): Receipt => ({ ...notDelivered(), part: order });
    const isSent = { state: "SENT", sentAt: clock.now() } as const;
    const isSending = {
      state: "SENDING",
      lease: { token: "t", until: clock.now() + 30_000 },
    } as const;

    it("delivers it when every part is, and not before", async () => {
      await givenParts([sent, sent, sent], isSent);
      expect(await apply(delivered({ part: 2 }))).toEqual({ kind: "part-noted", state: "SENT" });
      expect(await apply(delivered({ part: 1 }))).toEqual({ kind: "part-noted", state: "SENT" });
      expect(await partStates()).toEqual([isDelivered, isDelivered, sent]);
      expect(await stored()).toMatchObject({ state: "SENT", stateAt: message.stateAt });
      expect(await apply(delivered({ part: 3 }))).toEqual({ kind: "moved", state: "DELIVERED" });
      expect(await partStates()).toEqual([isDelivered, isDelivered, isDelivered]);
      expect(await stored()).toMatchObject({ operator: "Claro", shortCode: "27182" });
      expect(states()).toEqual(["SENT", "DELIVERED"]);
    });

    it("keeps what else is known of a part, and of the others", async () => {
      await givenParts([sent, sent, sent], isSent);
      const parts = message.parts?.map((it, i) => ({ ...it, carrierMessageId: `c-${i + 1}` }));
      await messages.change(message, { parts });
      await apply(delivered({ part: 2 }));
      expect((await stored())?.parts).toEqual(
        parts?.map((it, i) => (i === 1 ? { ...it, state: "DELIVERED" } : it)),
      );
    });

    it("takes it for not delivered as soon as one part is not, and leaves it so", async () => {
      await givenParts([sent, sent, sent], isSent);
      await apply(delivered({ part: 1 }));
      expect(await apply(lostPart(3))).toEqual({ kind: "moved", state: "NOT_DELIVERED" });
      expect(await stored()).toMatchObject({ state: "NOT_DELIVERED", reason: "inactive-number" });
      expect(await partStates()).toEqual([isDelivered, sent, lost]);
      const ignored = { kind: "ignored", why: "already-final" };
      // The other parts can be asked about by themselves.
      expect(await apply(delivered({ part: 2 }))).toEqual({
        kind: "part-noted",
        state: "NOT_DELIVERED",
      });
      expect(await partStates()).toEqual([isDelivered, isDelivered, lost]);
      expect(await apply(delivered({ part: 3 }))).toEqual(ignored);
      expect(await apply(delivered())).toEqual(ignored);
      expect(await stored()).toMatchObject({ state: "NOT_DELIVERED", reason: "inactive-number" });
      expect(states()).toEqual(["SENT", "NOT_DELIVERED"]);
    });

    it("does no harm when a part's receipt comes again, or says something else", async () => {
      await givenParts([sent, sent, sent], isSent);
      await apply(delivered({ part: 1 }));
      expect(await apply(delivered({ part: 1 }))).toEqual({
        kind: "ignored",
        why: "already-final",
      });
      await apply(lostPart(1));
      expect(await partStates()).toEqual([isDelivered, sent, sent]);
      expect(await stored()).toMatchObject({ state: "SENT" });
    });

    it("ignores a receipt of a part that there is not", async () => {
      const ignored = { kind: "ignored", why: "unknown-part" };
      await givenParts([sent, sent, sent], isSent);
      expect(await apply(delivered({ part: 4 }))).toEqual(ignored);
      expect(await partStates()).toEqual([sent, sent, sent]);
      await given({ id: "short", traceId: "short", state: "SENT", sentAt: clock.now() });
      expect(await apply(delivered({ part: 2 }))).toEqual(ignored);
      expect(await apply(delivered({ part: 1 }))).toEqual({ kind: "moved", state: "DELIVERED" });
    });

    it("counts a receipt without part for all that have none yet", async () => {
      await givenParts([lost, sent, queued], { ...isSending });
      expect(await apply(delivered())).toEqual({ kind: "moved", state: "NOT_DELIVERED" });
      expect(await partStates()).toEqual([lost, isDelivered, isDelivered]);
      messages = new MemoryMessages(clock);
      await givenParts([sent, sent, sent], isSent);
      expect(await apply(delivered())).toEqual({ kind: "moved", state: "DELIVERED" });
    });

    it.each([
      ["SENDING", isSending],
      ["QUEUED", { state: "QUEUED", attempts: 1 }],
    ] as const)(
      "notes it and leaves the message %s while a part waits to be handed over",
      async (state, overrides) => {
        await givenParts([sent, queued, queued], overrides);
        expect(await apply(delivered({ part: 1 }))).toEqual({ kind: "part-noted", state });
        expect(await apply(delivered({ part: 3 }))).toEqual({ kind: "part-noted", state });
        expect(await apply(lostPart(3))).toMatchObject({ kind: "ignored" });
        expect(await partStates()).toEqual([isDelivered, queued, isDelivered]);
        expect(await stored()).toEqual({ ...message, parts: (await stored())?.parts });
      },
    );

    it.each([
      ["SENDING", isSending, ["SENDING", "SENT"]],
      ["QUEUED", { state: "QUEUED", attempts: 1 }, ["QUEUED", "SENDING", "SENT"]],
    ] as const)(
      "moves a message that is %s through every state to where its parts are",
      async (_, overrides, expected) => {
        await givenParts([sent, queued, isDelivered], overrides);
        expect(await apply(delivered({ part: 2 }))).toEqual({ kind: "moved", state: "SENT" });
        expect(states()).toEqual(expected);
        expect(await stored()).toMatchObject({ sentAt: clock.now() });
        expect((await stored())?.lease).toBeUndefined();
        await apply(delivered({ part: 1 }));
        expect(states()).toEqual([...expected, "DELIVERED"]);
      },
    );

    it("keeps the last word where the receipts that may come have come", async () => {
      await givenParts([sent, unconfirmed, queued], isSending);
      expect(await apply(delivered({ part: 3 }))).toEqual({ kind: "moved", state: "SENT" });
      expect((await stored())?.reason).toBeUndefined();
      clock.advance(1);
      await apply(delivered({ part: 1 }));
      // It is a change of its own, of which those are told who want last words only.
      expect(await stored()).toMatchObject({
        state: "SENT",
        reason: "no-receipts",
        stateAt: clock.now(),
      });
    });

    it("takes late receipts for a message whose operator was said to give none", async () => {
      await givenParts([unconfirmed, unconfirmed, unconfirmed], {
        ...isSent,
        reason: "no-receipts",
      });
      for (const order of [1, 2, 3]) await apply(delivered({ part: order }));
      expect(await stored()).toMatchObject({ state: "DELIVERED" });
      expect((await stored())?.reason).toBeUndefined();
      expect(await partStates()).toEqual([isDelivered, isDelivered, isDelivered]);
    });

    it("forgets of a part that no receipt was expected once one has come", async () => {
      await givenParts([unconfirmed, sent, sent], isSent);
      await apply(delivered({ part: 1 }));
      expect(await partStates()).toEqual([isDelivered, sent, sent]);
    });

    it.each(["CANCELED", "EXPIRED", "FAILED", "BLOCKED"] as const)(
      "stays what it is once it is %s, whatever is told of its parts",
      async (state) => {
        await givenParts([sent, queued, sent], { state });
        expect(await apply(delivered({ part: 1 }))).toEqual({ kind: "part-noted", state });
        expect(await apply(delivered({ part: 1 }))).toEqual({
          kind: "ignored",
          why: "already-final",
        });
        await apply(lostPart(3));
        expect(await stored()).toEqual({
          ...message,
          parts: [isDelivered, queued, lost].map((part, index) => ({
            ...message.parts?.[index],
            ...part,
          })),
        });
      },
    );

    it("takes the receipts of very many parts at the same time", async () => {
      const parts = Array.from({ length: 23 }, () => sent);
      await givenParts(parts, isSent);
      await Promise.all(parts.map((_, index) => apply(delivered({ part: index + 1 }))));
      expect(await stored()).toMatchObject({ state: "DELIVERED" });
    });

    it("goes on where it stopped half-way, and starts over where another part's receipt is faster", async () => {
      await givenParts([queued, sent, isDelivered], isSending);
      const change = messages.change.bind(messages);
      messages.change = async (seen, it) => {
        if (it.state === "SENT") throw new Error("throttled");
        return change(seen, it);
      };
      await expect(apply(delivered({ part: 1 }))).rejects.toThrow("throttled");
      messages.change = async (seen, it) => {
        messages.change = change;
        await apply(delivered({ part: 2 }));
        return change(seen, it);
      };
      expect(await apply(delivered({ part: 1 }))).toMatchObject({ kind: "moved" });
      expect(await stored()).toMatchObject({ state: "DELIVERED" });
      expect(states()).toEqual(["SENDING", "SENT", "DELIVERED"]);
    });

    it("ends where the first receipts of its parts say, whatever order they come in and how often", async () => {
      const receipts = fc.array(
        fc.record({ part: fc.integer({ min: 1, max: 3 }), good: fc.boolean() }),
        { minLength: 1, maxLength: 10 },
      );
      await fc.assert(
        fc.asyncProperty(fc.scheduler(), receipts, async (scheduler, events) => {
          messages = new MemoryMessages(clock);
          await givenParts([sent, sent, sent], isSent);
          const slow = interleaved(scheduler, messages);
          await scheduler.waitFor(
            Promise.allSettled(
              events.map(({ part: order, good }) =>
                applyReceipt(
                  { messages: slow, clock },
                  good ? delivered({ part: order }) : lostPart(order),
                ),
              ),
            ),
          );
          // What gave up because the message kept changing comes again.
          for (const { part: order, good } of events) {
            await apply(good ? delivered({ part: order }) : lostPart(order));
          }
          const after = await stored();
          const all = (await partStates())?.map(({ state }) => state) ?? [];
          const told = new Set(events.map((it) => it.part));
          const expected = all.includes("NOT_DELIVERED")
            ? "NOT_DELIVERED"
            : told.size === 3
              ? "DELIVERED"
              : "SENT";
          expect(after?.state).toBe(expected);
          if (expected !== "NOT_DELIVERED") {
            expect(all).toEqual([1, 2, 3].map((it) => (told.has(it) ? "DELIVERED" : "SENT")));
          }
          const seen = states() ?? [];
          expect(seen).toEqual(expected === "SENT" ? ["SENT"] : ["SENT", expected]);
        }),
      );
    });
  });

  it("moves only as the table allows and ends in the first verdict, whatever comes and how often", async () => {
    const receipts = fc.array(fc.boolean(), { minLength: 1, maxLength: 6 });
    const start = fc.constantFrom<State>("QUEUED", "SENDING", "SENT");
    await fc.assert(
      fc.asyncProperty(start, receipts, fc.boolean(), async (state, verdicts, atOnce) => {
        messages = new MemoryMessages(clock);
        await given({ state });
        const events = verdicts.map((good) => (good ? delivered() : notDelivered()));
        if (atOnce) await Promise.allSettled(events.map(apply));
        else for (const event of events) await apply(event);
        const seen = states() ?? [];
        expect(seen.slice(1).every((to, i) => canMove(seen[i] as State, to))).toBe(true);
        expect(["DELIVERED", "NOT_DELIVERED"]).toContain(seen.at(-1));
      }),
    );
  });

  it("is the same however often receipts come, and whatever comes from elsewhere between them", async () => {
    const parts = 3;
    const receipt = fc.record({
      part: fc.option(fc.integer({ min: 1, max: parts + 1 }), { nil: undefined }),
      good: fc.boolean(),
    });
    const from = fc.constantFrom("nowhere", "another-trace", "another-carrier", "twice");
    const start = fc.constantFrom<State>(...STATES);
    const eventOf = ({ part, good }: { part: number | undefined; good: boolean }): Receipt => ({
      ...(good ? delivered() : notDelivered()),
      ...(part !== undefined && { part }),
    });
    const elsewhere = (event: Receipt, where: string): Receipt => {
      if (where === "twice") return event;
      if (where === "another-carrier") return { ...event, carrier: "another" };
      const ref = { ...event.ref, [where === "nowhere" ? "id" : "traceId"]: "unknown" };
      return { ...event, ref };
    };

    /** Where a message ends that gets these receipts. */
    async function endOf(long: boolean, state: State, events: readonly Receipt[]) {
      messages = new MemoryMessages(clock);
      const sample = long ? sampleLongMessage : sampleMessage;
      message = sample(clock.now(), { state, carrier: "sandbox", attempts: 1 });
      await messages.insert(message);
      for (const event of events) await apply(event);
      const { state: end, reason, parts: ended } = (await messages.find("acme", "id-1")) as Message;
      return { end, reason, ended, seen: states() ?? [] };
    }

    await fc.assert(
      fc.asyncProperty(
        fc.boolean(),
        start,
        fc.array(fc.tuple(receipt, fc.array(from, { maxLength: 2 })), { maxLength: 8 }),
        async (long, state, told) => {
          await given();
          const events = told.map(([it]) => eventOf(it));
          const noisy = told.flatMap(([it, where], index) => {
            const earlier = events.slice(0, index + 1);
            const noise = where.map((place, n) =>
              elsewhere(earlier[n % earlier.length] as Receipt, place),
            );
            return [eventOf(it), ...noise];
          });
          const quiet = await endOf(long, state, events);
          expect(await endOf(long, state, noisy)).toEqual(quiet);
          expect(quiet.seen.slice(1).every((to, i) => canMove(quiet.seen[i] as State, to))).toBe(
            true,
          );
          if (isFinal(state)) expect(quiet.seen).toEqual([state]);
        },
      ),
    );
  });
});
