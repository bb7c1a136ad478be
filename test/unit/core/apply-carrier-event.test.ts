import fc from "fast-check";
import { beforeEach, describe, expect, it } from "vitest";
import { applyCarrierEvent } from "../../../functions/core/apply-carrier-event.ts";
import type { CarrierEvent } from "../../../functions/core/carrier.ts";
import { canMove, type State } from "../../../functions/core/lifecycle.ts";
import { type Message, refOf } from "../../../functions/core/message.ts";
import type { MessageStore } from "../../../functions/core/ports.ts";
import { ManualClock, MemoryMessages } from "../../support/memory.ts";
import { sampleMessage } from "../../support/samples.ts";

describe("applyCarrierEvent", () => {
  const clock = new ManualClock();
  let messages: MemoryMessages;
  let message: Message;

  beforeEach(() => {
    messages = new MemoryMessages(clock);
  });

  async function given(overrides: Partial<Message> = {}) {
    message = sampleMessage(clock.now(), overrides);
    await messages.insert(message);
  }
  const delivered = (overrides: object = {}): CarrierEvent => ({
    type: "receipt",
    outcome: "delivered",
    ref: refOf(message),
    carrier: "sandbox",
    at: clock.now() - 1_000,
    operator: "Claro",
    shortCode: "27182",
    ...overrides,
  });
  const notDelivered = (): CarrierEvent => ({
    ...delivered(),
    outcome: "not-delivered",
    reason: "inactive-number",
  });
  const apply = (event: CarrierEvent) => applyCarrierEvent({ messages, clock }, event);
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
    await expect(applyCarrierEvent({ messages: stopping, clock }, delivered())).rejects.toThrow();
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

  it("starts over where another is faster, and throws where that does not end", async () => {
    await given({ state: "SENT", sentAt: clock.now() });
    let interruptions = 2;
    const racing: Pick<MessageStore, "find" | "change"> = {
      find: (account, id) => messages.find(account, id),
      change: async (current, change) =>
        interruptions-- > 0 ? undefined : messages.change(current, change),
    };
    expect(await applyCarrierEvent({ messages: racing, clock }, delivered())).toMatchObject({
      kind: "moved",
    });
    await given({ id: "id-2", traceId: "trace-2", state: "SENT", sentAt: clock.now() });
    interruptions = Number.POSITIVE_INFINITY;
    await expect(applyCarrierEvent({ messages: racing, clock }, delivered())).rejects.toThrow(
      /kept changing/,
    );
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
});
