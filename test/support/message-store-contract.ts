import { randomUUID } from "node:crypto";
import { beforeEach, describe, expect, it } from "vitest";
import { type Message, refOf } from "../../functions/core/message.ts";
import type { MessageStore } from "../../functions/core/ports.ts";
import { ManualClock } from "./memory.ts";
import { sampleMessage } from "./samples.ts";

const present = (message: Message | undefined) =>
  message && Object.fromEntries(Object.entries(message).filter(([, value]) => value !== undefined));

/** What every `MessageStore` does; the store in memory and the one in DynamoDB are held to the same. */
export function describeMessageStore(
  name: string,
  createStore: (clock: ManualClock) => MessageStore,
): void {
  describe(name, () => {
    let clock: ManualClock;
    let store: MessageStore;
    let message: Message;

    beforeEach(() => {
      clock = new ManualClock();
      store = createStore(clock);
      message = sampleMessage(clock.now(), {
        account: `contract-${randomUUID()}`,
        window: { hours: [1, 2], timeZone: "UTC" },
        callbackOption: "FINAL",
        extraInfo: "extra",
      });
    });

    const find = async () => present(await store.find(message.account, message.id));
    const lease = (token: string) => ({ token, until: clock.now() + 30_000 });
    const claim = (token = "token", ref = refOf(message)) =>
      store.claim(ref, { now: clock.now(), lease: lease(token), carrier: "sandbox" });

    it("gives back what was inserted", async () => {
      expect(await find()).toBeUndefined();
      expect(await store.insert(message)).toEqual({ inserted: true });
      expect(await find()).toEqual(present(message));
    });

    it.each(["a#b", "a/b", "", "ção 😀", "MT"].filter(Boolean))("keeps the id %s", async (id) => {
      message = { ...message, id };
      await store.insert(message);
      expect(await find()).toEqual(present(message));
    });

    it("inserts an id once for an account, and shows the one that is there", async () => {
      await store.insert(message);
      const second = { ...message, traceId: "other", text: "second" };
      expect(await store.insert(second)).toEqual({ inserted: false, existing: message });
      const elsewhere = { ...message, account: `${message.account}-2` };
      expect(await store.insert(elsewhere)).toEqual({ inserted: true });
    });

    it("inserts one of many at the same time", async () => {
      const results = await Promise.all(
        ["a", "b", "c", "d"].map((traceId) => store.insert({ ...message, traceId })),
      );
      expect(results.filter(({ inserted }) => inserted)).toHaveLength(1);
    });

    it("takes a message past its removal for absent", async () => {
      await store.insert(message);
      clock.time = message.removeAt * 1_000;
      expect(await find()).toBeUndefined();
      expect(await claim()).toEqual({ kind: "absent" });
      expect(await store.change(message, { state: "EXPIRED" })).toBeUndefined();
      const successor = { ...message, traceId: "next", removeAt: message.removeAt + 86_400 };
      expect(await store.insert(successor)).toEqual({ inserted: true });
      expect(await find()).toEqual(present(successor));
    });

    it("withdraws a message nobody has begun with", async () => {
      await store.insert(message);
      expect(await store.withdraw({ ...refOf(message), traceId: "another" })).toBe(true);
      expect(await find()).toBeDefined();
      expect(await store.withdraw(refOf(message))).toBe(true);
      expect(await find()).toBeUndefined();
      expect(await store.withdraw(refOf(message))).toBe(true);
    });

    it("does not withdraw a message that has moved on", async () => {
      await store.insert(message);
      await claim();
      expect(await store.withdraw(refOf(message))).toBe(false);
      expect(await find()).toMatchObject({ state: "SENDING" });
    });

    it("claims a queued message once", async () => {
      await store.insert(message);
      const claims = await Promise.all(["a", "b", "c"].map((token) => claim(token)));
      expect(claims.filter(({ kind }) => kind === "claimed")).toHaveLength(1);
      expect(claims.filter(({ kind }) => kind === "refused")).toHaveLength(2);
      expect(await find()).toMatchObject({
        state: "SENDING",
        stateAt: clock.now(),
        attempts: 1,
        carrier: "sandbox",
        lease: { until: clock.now() + 30_000 },
      });
    });

    it("claims a message again when its lease has run out, and not before", async () => {
      await store.insert(message);
      await claim("first");
      clock.advance(29_999);
      expect(await claim("second")).toMatchObject({ kind: "refused" });
      clock.advance(1);
      expect(await claim("second")).toMatchObject({
        kind: "claimed",
        message: { attempts: 2, lease: { token: "second" } },
      });
    });

    it("does not claim a message that is being sent by nobody it knows of", async () => {
      await store.insert({ ...message, state: "SENDING" });
      expect(await claim()).toMatchObject({ kind: "refused" });
    });

    it("does not claim a message before its time, after it, or in another state", async () => {
      await store.insert({
        ...message,
        claimableFrom: clock.now() + 1,
        claimableUntil: clock.now() + 2,
      });
      expect(await claim()).toMatchObject({ kind: "refused", message: { state: "QUEUED" } });
      clock.advance(2);
      expect(await claim()).toMatchObject({ kind: "refused" });
      message = { ...message, id: "scheduled", state: "SCHEDULED" };
      await store.insert(message);
      expect(await claim()).toMatchObject({ kind: "refused", message: { state: "SCHEDULED" } });
    });

    it("does not claim another message by the same id", async () => {
      await store.insert(message);
      expect(await claim("t", { ...refOf(message), traceId: "another" })).toEqual({
        kind: "absent",
      });
      expect(await claim("t", { ...refOf(message), id: "none" })).toEqual({ kind: "absent" });
    });

    it("changes and removes fields", async () => {
      await store.insert(message);
      const claimed = await claim();
      if (claimed.kind !== "claimed") throw new Error("not claimed");
      const changed = await store.change(claimed.message, {
        state: "SENT",
        stateAt: clock.now() + 5,
        lease: undefined,
        operator: "Vivo",
      });
      const expected = { state: "SENT", stateAt: clock.now() + 5, operator: "Vivo", attempts: 1 };
      expect(changed).toMatchObject(expected);
      expect(await find()).toMatchObject(expected);
      expect(await find()).not.toHaveProperty("lease");
    });

    it("does not change what another has changed, or holds", async () => {
      await store.insert(message);
      const held = await claim("first");
      if (held.kind !== "claimed") throw new Error("not claimed");
      expect(await store.change(message, { state: "EXPIRED" })).toBeUndefined();
      clock.advance(30_000);
      await claim("second");
      expect(await store.change(held.message, { state: "SENT", lease: undefined })).toBeUndefined();
      expect(await find()).toMatchObject({ state: "SENDING", lease: { token: "second" } });
    });

    it("lets one of many changes through", async () => {
      await store.insert(message);
      const changes = await Promise.all(
        (["EXPIRED", "BLOCKED", "EXPIRED", "BLOCKED"] as const).map((state, index) =>
          store.change(message, { state, stateAt: clock.now() + index }),
        ),
      );
      expect(changes.filter(Boolean)).toHaveLength(1);
    });
  });
}
