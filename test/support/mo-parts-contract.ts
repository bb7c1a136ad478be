import { randomUUID } from "node:crypto";
import { beforeEach, describe, expect, it } from "vitest";
import type { MoInParts, MoParts, PartsKey } from "../../functions/core/assemble-mo.ts";
import { ManualClock } from "./memory.ts";

const HOUR_SECONDS = 3_600;

/** What every `MoParts` does; the one in memory and the one in DynamoDB are held to the same. */
export function describeMoParts(name: string, create: (clock: ManualClock) => MoParts): void {
  describe(name, () => {
    let clock: ManualClock;
    let store: MoParts;
    let key: PartsKey;

    beforeEach(() => {
      // The store removes by the world's clock what is past its removal.
      clock = new ManualClock(Date.now());
      store = create(clock);
      key = {
        carrier: `contract-${randomUUID()}`,
        from: "5519900001111",
        shortCode: "27182",
        reference: 7,
        total: 3,
      };
    });

    const moOf = (id: string, overrides: Partial<MoInParts> = {}): MoInParts => ({
      id,
      at: clock.now(),
      state: "open",
      parts: [{ order: 2, carrierMessageId: `${id}-2`, text: "b", at: clock.now() }],
      removeAt: Math.ceil(clock.now() / 1_000) + HOUR_SECONDS,
      ...overrides,
    });

    it("finds nothing where nothing is", async () => {
      expect(await store.find(key)).toBeUndefined();
    });

    it("gives back what was stored, in its order", async () => {
      const mos = [
        moOf("z", { state: "received" }),
        moOf("a", {
          state: "closed",
          parts: [
            { order: 1, carrierMessageId: "a-1", text: "Não ", at: 1, operator: "Claro" },
            { order: 3, carrierMessageId: "a-3", text: "", at: 2 },
          ],
        }),
      ];
      expect(await store.replace(key, undefined, mos)).toBe(true);
      expect((await store.find(key))?.mos).toEqual(mos);
    });

    it.each([
      ["half of a character at the end", "a\ud83d"],
      ["half of a character at the beginning", "\ude00b"],
      ["halves in the wrong order", "\ude00\ud83d"],
      ["whole ones", "😀ç"],
      ["what is no character", "\u0000\u001b\ufffe\uffff"],
    ])("loses nothing of a text: %s", async (_, text) => {
      const part = { order: 1, carrierMessageId: "m", text, at: 1 };
      await store.replace(key, undefined, [moOf("a", { parts: [part] })]);
      expect((await store.find(key))?.mos[0]?.parts).toEqual([part]);
    });

    it("replaces what was found, and nothing else", async () => {
      expect(await store.replace(key, 1, [moOf("too soon")])).toBe(false);
      expect(await store.replace(key, undefined, [moOf("first")])).toBe(true);
      expect(await store.replace(key, undefined, [moOf("another")])).toBe(false);
      const found = await store.find(key);
      expect(found?.mos).toEqual([moOf("first")]);
      expect(await store.replace(key, found?.revision, [moOf("second")])).toBe(true);
      expect(await store.replace(key, found?.revision, [moOf("late")])).toBe(false);
      expect((await store.find(key))?.mos).toEqual([moOf("second")]);
    });

    it("lets one of many change what all have found", async () => {
      await store.replace(key, undefined, [moOf("first")]);
      const found = await store.find(key);
      const changed = await Promise.all(
        Array.from({ length: 8 }, (_, n) => store.replace(key, found?.revision, [moOf(`${n}`)])),
      );
      expect(changed.filter(Boolean)).toHaveLength(1);
      expect((await store.find(key))?.mos).toEqual([moOf(String(changed.indexOf(true)))]);
    });

    it("keeps apart what differs in anything", async () => {
      const others: Partial<PartsKey>[] = [
        { carrier: `${key.carrier}-2` },
        { from: "5519900002222" },
        { shortCode: "27182#7" },
        { reference: 8 },
        { total: 4 },
      ];
      await store.replace(key, undefined, [moOf("first")]);
      for (const [n, other] of others.entries()) {
        expect(await store.find({ ...key, ...other })).toBeUndefined();
        expect(await store.replace({ ...key, ...other }, undefined, [moOf(`${n}`)])).toBe(true);
      }
      expect((await store.find(key))?.mos).toEqual([moOf("first")]);
    });

    it("has forgotten what is past its removal, and is stored anew", async () => {
      const soon = Math.ceil(clock.now() / 1_000) + 60;
      await store.replace(key, undefined, [moOf("first", { removeAt: soon })]);
      clock.advance(61_000);
      expect(await store.find(key)).toBeUndefined();
      expect(await store.replace(key, undefined, [moOf("second")])).toBe(true);
      expect((await store.find(key))?.mos).toEqual([moOf("second")]);
    });

    it("keeps all as long as the one that is kept longest", async () => {
      const soon = Math.ceil(clock.now() / 1_000) + 60;
      const mos = [moOf("first", { removeAt: soon }), moOf("second")];
      await store.replace(key, undefined, mos);
      clock.advance(61_000);
      expect((await store.find(key))?.mos).toContainEqual(mos[1]);
    });
  });
}
