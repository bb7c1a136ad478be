import { randomUUID } from "node:crypto";
import { beforeEach, describe, expect, it, vi } from "vitest";
import type { BlockedNumbers, OptedOutNumber } from "../../functions/core/blocked-number.ts";
import { sampleWord } from "./customer-samples.ts";

const NUMBER = "5519900001111";
const OTHER = "5519900002222";

/** What `BlockedNumbers` do; those in memory and those in DynamoDB are held to the same. */
export function describeBlockedNumbers(name: string, create: () => BlockedNumbers): void {
  describe(name, () => {
    let numbers: BlockedNumbers;
    let account: string;

    beforeEach(() => {
      numbers = create();
      account = `c-${randomUUID()}`;
    });

    const block = (number: string, createdAt = 1) =>
      numbers.block({ version: 1, account, number, createdAt });
    const word = (at: number, subAccount?: string, overrides = {}) =>
      sampleWord(at, { account, ...(subAccount && { subAccount }), ...overrides });
    const optOut = (at: number, subAccount?: string) => numbers.optOut(word(at, subAccount));
    const optIn = (at: number, subAccount?: string) => numbers.optIn(word(at, subAccount));
    /** Why a number is not sent to by the account itself and by two of its sub-accounts. */
    const reasons = async (number = NUMBER) => {
      const senders = [undefined, "A", "B"];
      const found = await Promise.all(
        senders.map((sender) => numbers.findBlocked(account, sender, [number])),
      );
      return found.map((blocked) => blocked.get(number));
    };
    /** Lists may take a moment to show what was written. */
    const eventually = (list: () => Promise<object[]>, expected: object[]) =>
      vi.waitFor(async () => {
        const found = await list();
        expect(found).toHaveLength(expected.length);
        expect(found).toEqual(
          expect.arrayContaining(expected.map((each) => expect.objectContaining(each))),
        );
      }, 4_000);
    const listed = (expected: Partial<OptedOutNumber>[]) =>
      eventually(
        () => numbers.listOptedOut(account),
        expected.map((each) => ({ version: 1, account, number: NUMBER, ...each })),
      );

    describe("the block-list", () => {
      it("holds a number once, until it is unblocked", async () => {
        expect(await block(NUMBER, 1)).toBe(true);
        expect(await block(NUMBER, 2)).toBe(false);
        await eventually(
          () => numbers.listBlocked(account),
          [{ version: 1, account, number: NUMBER, createdAt: 1 }],
        );
        expect(await reasons()).toEqual(["block-list", "block-list", "block-list"]);
        expect(await reasons(OTHER)).toEqual([undefined, undefined, undefined]);
        expect(await numbers.unblock(account, OTHER)).toBe(false);
        expect(await numbers.unblock(account, NUMBER)).toBe(true);
        expect(await numbers.unblock(account, NUMBER)).toBe(false);
        expect(await reasons()).toEqual([undefined, undefined, undefined]);
        await eventually(() => numbers.listBlocked(account), []);
        expect(await block(NUMBER, 3)).toBe(true);
      });

      it("is an account's own", async () => {
        await block(NUMBER);
        await optOut(1);
        const found = await numbers.findBlocked(`${account}-2`, undefined, [NUMBER]);
        expect(found.size).toBe(0);
        expect(await numbers.unblock(`${account}-2`, NUMBER)).toBe(false);
        expect(await numbers.optIn(word(2, undefined, { account: `${account}-2` }))).toBe(false);
        await eventually(() => numbers.listBlocked(`${account}-2`), []);
        await eventually(() => numbers.listOptedOut(`${account}-2`), []);
        expect(await reasons()).toEqual(["block-list", "block-list", "block-list"]);
      });

      it("comes before opting out", async () => {
        await optOut(1);
        await optOut(1, "A");
        await block(NUMBER);
        expect(await reasons()).toEqual(["block-list", "block-list", "block-list"]);
        await numbers.unblock(account, NUMBER);
        expect(await reasons()).toEqual(["opt-out", "opt-out", "opt-out"]);
      });
    });

    it("finds the blocked ones among a thousand numbers, some of them twice", async () => {
      const many = Array.from({ length: 1_000 }, (_, n) => String(5_519_900_000_000 + n));
      const blocked = many.filter((_, n) => n % 90 === 0);
      const optedOut = many.filter((_, n) => n % 90 === 45);
      await Promise.all([
        ...blocked.map((number) => block(number)),
        ...optedOut.map((number) => numbers.optOut(word(1, "A", { number }))),
      ]);
      const asked = [...many, ...many.slice(0, 500)];
      const ofA = await numbers.findBlocked(account, "A", asked);
      expect(new Set(ofA.keys())).toEqual(new Set([...blocked, ...optedOut]));
      expect(blocked.every((number) => ofA.get(number) === "block-list")).toBe(true);
      expect(optedOut.every((number) => ofA.get(number) === "opt-out")).toBe(true);
      const ofB = await numbers.findBlocked(account, "B", asked);
      expect(new Set(ofB.keys())).toEqual(new Set(blocked));
      expect(await numbers.findBlocked(account, "A", [])).toEqual(new Map());
    });

    describe("opting out", () => {
      it("of a sub-account holds for that one", async () => {
        expect(await optOut(5, "A")).toBe(true);
        expect(await reasons()).toEqual([undefined, "opt-out", undefined]);
        expect(await reasons(OTHER)).toEqual([undefined, undefined, undefined]);
        await listed([{ subAccount: "A", createdAt: 5, origin: "said at 5" }]);
      });

      it("of the account holds for all of them", async () => {
        expect(await optOut(5)).toBe(true);
        expect(await reasons()).toEqual(["opt-out", "opt-out", "opt-out"]);
        await listed([{ createdAt: 5, origin: "said at 5" }]);
      });

      it("counts the first time, and where the very same word comes again", async () => {
        expect(await optOut(5, "A")).toBe(true);
        expect(await optOut(7, "A")).toBe(false);
        expect(await optOut(3, "A")).toBe(false);
        expect(await optOut(5, "A")).toBe(true);
        expect(await optOut(7, "A")).toBe(false);
        await listed([{ subAccount: "A", createdAt: 5, origin: "said at 5" }]);
        expect(await optOut(8, "B")).toBe(true);
        expect(await optOut(9)).toBe(true);
        await listed([
          { subAccount: "A", createdAt: 5, origin: "said at 5" },
          { subAccount: "B", createdAt: 8, origin: "said at 8" },
          { createdAt: 9, origin: "said at 9" },
        ]);
      });

      it("counts once for many who write it down at the same time", async () => {
        const answers = await Promise.all(
          Array.from({ length: 6 }, (_, n) =>
            numbers.optOut(word(5, "A", { origin: `origin ${n}` })),
          ),
        );
        expect(answers.filter(Boolean)).toHaveLength(1);
        await listed([
          { subAccount: "A", createdAt: 5, origin: `origin ${answers.indexOf(true)}` },
        ]);
      });

      it("loses nothing where much is said at the same time", async () => {
        const names = Array.from({ length: 6 }, (_, n) => `S${n}`);
        await Promise.all(names.map((subAccount) => optOut(5, subAccount)));
        await listed(names.map((subAccount) => ({ subAccount })));
      });
    });

    describe("the way back", () => {
      it("leads into the sub-account, and out of what the whole account's opt-out held back", async () => {
        await optOut(1, "A");
        await optOut(2, "B");
        await optOut(3);
        expect(await optIn(4, "A")).toBe(true);
        expect(await reasons()).toEqual([undefined, undefined, "opt-out"]);
        await listed([{ subAccount: "B" }]);
      });

      it("leads into everything where no sub-account is named", async () => {
        await optOut(1, "A");
        await optOut(2, "B");
        await optOut(3);
        expect(await optIn(4)).toBe(true);
        expect(await reasons()).toEqual([undefined, undefined, undefined]);
        await listed([]);
      });

      it("counts where the person was out, and where the very same word comes again", async () => {
        expect(await optIn(1, "A")).toBe(false);
        await optOut(2, "A");
        expect(await optIn(3, "B")).toBe(false);
        expect(await reasons()).toEqual([undefined, "opt-out", undefined]);
        expect(await optIn(4, "A")).toBe(true);
        expect(await optIn(5, "A")).toBe(false);
        expect(await optIn(4, "A")).toBe(true);
        expect(await optIn(6)).toBe(false);
      });

      it("can be gone again and again", async () => {
        for (const at of [10, 20, 30]) {
          expect(await optOut(at, "A")).toBe(true);
          expect(await reasons()).toEqual([undefined, "opt-out", undefined]);
          await listed([{ createdAt: at }]);
          expect(await optIn(at + 5, "A")).toBe(true);
          expect(await reasons()).toEqual([undefined, undefined, undefined]);
        }
      });
    });

    describe("an older word that comes late, or again", () => {
      it("changes nothing", async () => {
        await optOut(2, "A");
        await optIn(4, "A");
        expect(await optOut(2, "A")).toBe(false);
        expect(await optOut(3, "A")).toBe(false);
        expect(await reasons()).toEqual([undefined, undefined, undefined]);
        await optOut(6, "A");
        expect(await optIn(4, "A")).toBe(false);
        expect(await optIn(5)).toBe(false);
        expect(await reasons()).toEqual([undefined, "opt-out", undefined]);
      });

      it("changes nothing where all that was known was the way back", async () => {
        expect(await optIn(5)).toBe(false);
        expect(await optOut(4, "A")).toBe(false);
        expect(await optOut(4)).toBe(false);
        expect(await reasons()).toEqual([undefined, undefined, undefined]);
        expect(await optOut(6, "A")).toBe(true);
      });

      it("changes nothing where the person has said the newer one more than once", async () => {
        await optOut(1, "A");
        await optOut(3, "A");
        expect(await optIn(2, "A")).toBe(false);
        expect(await reasons()).toEqual([undefined, "opt-out", undefined]);
      });
    });
  });
}
