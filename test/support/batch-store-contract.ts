import { randomBytes, randomUUID } from "node:crypto";
import { beforeEach, describe, expect, it } from "vitest";
import type { BatchRef } from "../../functions/core/batch.ts";
import type { Message } from "../../functions/core/message.ts";
import type { BatchStore } from "../../functions/core/ports.ts";
import { ManualClock } from "./memory.ts";
import { sampleLongMessage, sampleMessage } from "./samples.ts";

/** What every `BatchStore` does; the store in memory and the one in DynamoDB are held to the same. */
export function describeBatchStore(
  name: string,
  createStore: (clock: ManualClock) => BatchStore,
): void {
  describe(name, () => {
    let clock: ManualClock;
    let store: BatchStore;
    let batch: BatchRef;
    let messages: Message[];

    beforeEach(() => {
      // The store removes by the world's clock what is past its removal.
      clock = new ManualClock(Date.now());
      store = createStore(clock);
      batch = { account: `contract-${randomUUID()}`, batchId: randomUUID() };
      messages = messagesOf(batch, ["a", "b", "c"]);
    });

    const messagesOf = ({ account, batchId }: BatchRef, ids: readonly string[]) =>
      ids.map((id) =>
        sampleMessage(clock.now(), {
          account,
          id,
          traceId: `trace-of-${id}`,
          batch: { batchId, dueTogether: ids.length },
        }),
      );
    const anotherBatch = () => ({ ...batch, batchId: randomUUID() });
    const keepAndOpen = async (ref = batch, its = messages) => {
      await store.keep(ref, its);
      await store.open(ref, its);
    };
    const idsOfOpen = async (ids: readonly string[], account = batch.account) =>
      (await store.findOpen(account, ids)).map(({ message }) => message.id).sort();

    it("keeps messages that nobody finds before their batch is opened", async () => {
      await store.keep(batch, messages);
      expect(await idsOfOpen(["a", "b", "c"])).toEqual([]);
      expect(await store.begin(batch)).toBe(false);
      await store.open(batch, messages);
      expect(await idsOfOpen(["a", "b", "c"])).toEqual(["a", "b", "c"]);
    });

    it("finds each message of an open batch by its id", async () => {
      await keepAndOpen();
      for (const message of messages) {
        expect(await store.findOpen(batch.account, [message.id])).toEqual([
          { message, batch, begun: false },
        ]);
      }
      expect(await idsOfOpen(["a", "unknown", "c"])).toEqual(["a", "c"]);
      expect(await idsOfOpen(["unknown"])).toEqual([]);
      expect(await idsOfOpen([])).toEqual([]);
    });

    it("finds all messages of open batches with a correlation id, which is another thing than an id", async () => {
      const [a, b, c] = messages as [Message, Message, Message];
      const correlated = [
        { ...a, correlationId: "same" },
        { ...b, correlationId: "same" },
        { ...c, correlationId: "a" },
      ];
      await keepAndOpen(batch, correlated);
      const second = anotherBatch();
      const more = messagesOf(second, ["d", "e"]).map((message) => ({
        ...message,
        correlationId: message.id === "d" ? "same" : "ção #1",
      }));
      await keepAndOpen(second, more);
      await store.begin(second);
      const find = async (ids: string[], correlationIds: string[], account = batch.account) =>
        (await store.findOpen(account, ids, correlationIds))
          .map(({ message }) => message.id)
          .sort();
      expect(await find([], ["same"])).toEqual(["a", "b", "d"]);
      expect(await find([], ["a"])).toEqual(["c"]);
      expect(await find(["a"], [])).toEqual(["a"]);
      expect(await find(["same"], [])).toEqual([]);
      expect(await find(["a", "unknown"], ["same", "unknown"])).toEqual(["a", "b", "d"]);
      expect(await find([], ["ção #1", "a"])).toEqual(["c", "e"]);
      expect(await find([], ["unknown"])).toEqual([]);
      expect(await find([], ["same"], `${batch.account}-2`)).toEqual([]);
      expect(await store.findOpen(batch.account, [], ["ção #1"])).toEqual([
        { message: more[1], batch: second, begun: true },
      ]);
      await store.close(second);
      expect(await find([], ["same"])).toEqual(["a", "b"]);
    });

    it("finds a message whatever its id holds", async () => {
      const ids = ["a#b", "a/b", "ção 😀", "OPEN#a", " a"];
      await keepAndOpen(batch, messagesOf(batch, ids));
      for (const id of ids) expect(await idsOfOpen([id])).toEqual([id]);
    });

    it("says whether the expansion of a message's batch has begun", async () => {
      await keepAndOpen();
      await store.begin(batch);
      const [found] = await store.findOpen(batch.account, ["b"]);
      expect(found).toEqual({ message: messages[1], batch, begun: true });
    });

    it("shows a batch to nobody but its account", async () => {
      await keepAndOpen();
      expect(await idsOfOpen(["a"], `${batch.account}-2`)).toEqual([]);
      const elsewhere = { ...batch, account: `${batch.account}-2` };
      expect(await store.load(elsewhere)).toEqual([]);
      expect(await store.begin(elsewhere)).toBe(false);
      expect(await store.withdraw(elsewhere)).toBe(true);
      await store.close(elsewhere);
      expect(await idsOfOpen(["a"])).toEqual(["a"]);
    });

    it("finds messages in any of several open batches", async () => {
      const [second, third] = [anotherBatch(), anotherBatch()];
      await keepAndOpen();
      await keepAndOpen(second, messagesOf(second, ["d", "e"]));
      await keepAndOpen(third, messagesOf(third, ["f"]));
      await store.begin(second);
      const found = await store.findOpen(batch.account, ["f", "a", "e", "unknown"]);
      const byId = new Map(found.map((one) => [one.message.id, one]));
      expect(found).toHaveLength(3);
      expect(byId.get("a")).toMatchObject({ batch, begun: false });
      expect(byId.get("e")).toMatchObject({ batch: second, begun: true });
      expect(byId.get("f")).toMatchObject({ batch: third, begun: false });
    });

    it("gives back a thousand long messages as they were, in order", async () => {
      const ids = Array.from({ length: 1_000 }, (_, n) => `id-${n}`);
      const thousand = messagesOf(batch, ids).map((message) => ({
        ...message,
        text: randomBytes(1_000).toString("base64"),
      }));
      await keepAndOpen(batch, thousand);
      expect(await store.load(batch)).toEqual(thousand);
      expect(await idsOfOpen(["id-0", "id-999"])).toEqual(["id-0", "id-999"]);
    });

    it("gives back messages with all that they can have", async () => {
      const [short, long] = messagesOf(batch, ["short", "long"]) as [Message, Message];
      const { text, parts } = sampleLongMessage(clock.now());
      const all = [
        { ...short, text: "ção 😀 \u{10ffff}\n", window: { hours: [1, 2], timeZone: "UTC" } },
        { ...long, text, ...(parts && { parts }), extraInfo: "", expiresAt: clock.now() + 1 },
        {
          ...short,
          id: "blocked",
          dialect: "wavy",
          state: "BLOCKED",
          reason: "invalid-number",
          destination: "",
          correlationId: "correlation",
          subAccount: "sales",
          campaign: { id: 7, alias: "Natal" },
          sender: { username: "ana" },
          invalidParams: true,
        } satisfies Message,
      ];
      await store.keep(batch, all);
      expect(await store.load(batch)).toEqual(all);
    });

    it("begins with a batch, and begins again, as long as it is open", async () => {
      expect(await store.begin(batch)).toBe(false);
      await keepAndOpen();
      expect(await store.begin(batch)).toBe(true);
      expect(await store.begin(batch)).toBe(true);
      await store.close(batch);
      expect(await store.begin(batch)).toBe(false);
      expect(await idsOfOpen(["a"])).toEqual([]);
    });

    it("withdraws a batch that has not been begun with, as often as it is asked", async () => {
      await keepAndOpen();
      expect(await store.withdraw(batch)).toBe(true);
      expect(await idsOfOpen(["a", "b", "c"])).toEqual([]);
      expect(await store.begin(batch)).toBe(false);
      expect(await store.withdraw(batch)).toBe(true);
    });

    it("does not withdraw a batch that has been begun with", async () => {
      await keepAndOpen();
      await store.begin(batch);
      expect(await store.withdraw(batch)).toBe(false);
      expect(await idsOfOpen(["a"])).toEqual(["a"]);
      expect(await store.begin(batch)).toBe(true);
    });

    it("lets one of beginning and withdrawing happen where both are tried at once", async () => {
      const batches = Array.from({ length: 10 }, anotherBatch);
      for (const [index, ref] of batches.entries()) {
        await keepAndOpen(ref, messagesOf(ref, ["a"]));
        const tries = [() => store.begin(ref), () => store.withdraw(ref)];
        if (index % 2 === 1) tries.reverse();
        const done = await Promise.all(tries.map((attempt) => attempt()));
        expect(done.filter(Boolean)).toHaveLength(1);
      }
    });

    it("does not find the messages of a closed batch, and still gives them back", async () => {
      await keepAndOpen();
      await store.begin(batch);
      await store.close(batch);
      expect(await idsOfOpen(["a", "b", "c"])).toEqual([]);
      expect(await store.load(batch)).toEqual(messages);
      await store.close(batch);
    });

    it("keeps batches apart", async () => {
      const other = anotherBatch();
      await keepAndOpen();
      await keepAndOpen(other, messagesOf(other, ["d"]));
      await store.close(batch);
      expect(await idsOfOpen(["a", "d"])).toEqual(["d"]);
      expect(await store.withdraw(other)).toBe(true);
      expect(await store.load(batch)).toEqual(messages);
    });

    it("takes a batch past its removal for absent", async () => {
      const [first, ...others] = messages as [Message, ...Message[]];
      const removeAt = first.removeAt + 1;
      const uneven = [first, ...others.map((message) => ({ ...message, removeAt }))];
      await keepAndOpen(batch, uneven);
      clock.time = removeAt * 1_000 - 1;
      expect(await idsOfOpen(["b"])).toEqual(["b"]);
      clock.advance(1);
      expect(await idsOfOpen(["a", "b", "c"])).toEqual([]);
      expect(await store.load(batch)).toEqual([]);
    });

    it("counts each canceled message once for each of its batch's due times", async () => {
      const release = { ...batch, due: clock.now() + 3_600_000 };
      expect(await store.noteCanceled(release, "trace-1")).toBe(1);
      expect(await store.noteCanceled(release, "trace-1")).toBe(1);
      expect(await store.noteCanceled(release, "trace-2")).toBe(2);
      expect(await store.noteCanceled({ ...release, due: release.due + 1 }, "trace-3")).toBe(1);
      expect(await store.noteCanceled({ ...release, ...anotherBatch() }, "trace-4")).toBe(1);
      const elsewhere = { ...release, account: `${batch.account}-2` };
      expect(await store.noteCanceled(elsewhere, "trace-5")).toBe(1);
      expect(await store.noteCanceled(release, "trace-2")).toBe(2);
    });

    it("tells one of many who cancel at the same time that theirs was the last", async () => {
      const release = { ...batch, due: clock.now() + 3_600_000 };
      const counts = await Promise.all(
        Array.from({ length: 20 }, (_, n) => store.noteCanceled(release, `trace-${n}`)),
      );
      const inOrder = [...counts].sort((one, other) => one - other);
      expect(inOrder).toEqual(counts.map((_, index) => index + 1));
    });
  });
}
