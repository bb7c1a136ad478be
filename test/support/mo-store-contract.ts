import { randomInt, randomUUID } from "node:crypto";
import { beforeEach, describe, expect, it } from "vitest";
import type { Mo } from "../../functions/core/mo.ts";
import type { MoStore } from "../../functions/core/ports.ts";
import { ManualClock } from "./memory.ts";
import { sampleMo } from "./samples.ts";

/** What every `MoStore` does; the store in memory and the one in DynamoDB are held to the same. */
export function describeMoStore(name: string, createStore: (clock: ManualClock) => MoStore): void {
  describe(name, () => {
    let clock: ManualClock;
    let store: MoStore;
    let account: string;
    /** An MO is stored once, whosever it is: no test knows another's. */
    let firstId: number;

    beforeEach(() => {
      firstId = randomInt(1_000_000_000) * 100_000;
      // The store removes by the world's clock what is past its removal.
      clock = new ManualClock(Date.now());
      store = createStore(clock);
      account = `contract-${randomUUID()}`;
    });

    const always = () => ({ from: 0, to: clock.now() + 86_400_000 });
    const moAt = (receivedAt: number, nth: number, overrides: Partial<Mo> = {}) =>
      sampleMo(receivedAt, { account, id: firstId + nth, text: `text ${nth}`, ...overrides });
    /** One a second, oldest first. */
    const many = (count: number) =>
      Array.from({ length: count }, (_, n) => moAt(clock.now() + n * 1_000, 70_000 - n));
    const insertAll = (mos: readonly Mo[]) => Promise.all(mos.map((mo) => store.insert(mo)));
    const idsOf = (mos: readonly Mo[]) => mos.map(({ id }) => id);
    const sortedIdsOf = (mos: readonly Mo[]) => idsOf(mos).sort((one, other) => one - other);

    it("gives an MO back as it came", async () => {
      const mo = moAt(clock.now(), 1, { text: "Não 😀\n" });
      const { operator: _, answers: __, ...bare } = moAt(clock.now() + 1, 2, { dialect: "zenvia" });
      await insertAll([mo, bare]);
      expect(await store.search(account, always(), 10)).toEqual([mo, bare]);
      expect(await store.takeNew(account, 10)).toEqual([mo, bare]);
    });

    it("gives back all that an MO can have", async () => {
      const mo = moAt(clock.now(), 1, {
        uuid: randomUUID(),
        dialect: "wavy",
        subAccount: "sales 1",
        campaign: { id: 7, alias: "Natal" },
        answers: {
          id: "id",
          traceId: "trace",
          correlationId: "correlation",
          sender: { username: "ana", email: "ana@acme.example" },
        },
      });
      await store.insert(mo);
      expect(await store.search(account, always(), 10)).toEqual([mo]);
      expect(await store.takeNew(account, 10)).toEqual([mo]);
    });

    it("keeps an MO once, however often it comes", async () => {
      const mo = moAt(clock.now(), 1);
      for (let times = 0; times < 3; times++) await store.insert(mo);
      expect(await store.search(account, always(), 10)).toEqual([mo]);
      expect(await store.takeNew(account, 10)).toEqual([mo]);
    });

    it("does not take one for new that comes again after it was taken", async () => {
      const mo = moAt(clock.now(), 1);
      await store.insert(mo);
      await store.takeNew(account, 10);
      await store.insert(mo);
      expect(await store.takeNew(account, 10)).toEqual([]);
      expect(await store.search(account, always(), 10)).toEqual([mo]);
    });

    it("leaves one that comes again to the account that has it, whosever it would be by now", async () => {
      const mo = moAt(clock.now(), 1);
      await store.insert(mo);
      await store.insert({ ...mo, account: `${account}-2`, receivedAt: mo.receivedAt + 1 });
      expect(await store.search(`${account}-2`, always(), 10)).toEqual([]);
      expect(await store.takeNew(`${account}-2`, 10)).toEqual([]);
      expect(await store.search(account, always(), 10)).toEqual([mo]);
    });

    it("hands new MOs over once, the oldest first", async () => {
      const [first, second, third] = many(3) as [Mo, Mo, Mo];
      await insertAll([second, third, first]);
      expect(await store.takeNew(account, 2)).toEqual([first, second]);
      expect(await store.takeNew(account, 2)).toEqual([third]);
      expect(await store.takeNew(account, 2)).toEqual([]);
      const later = moAt(clock.now(), 4);
      await store.insert(later);
      expect(await store.takeNew(account, 2)).toEqual([later]);
    });

    it("hands over as many as are asked for, also more than a hundred", async () => {
      const mos = many(230);
      await insertAll([...mos].reverse());
      expect(await store.takeNew(account, 150)).toEqual(mos.slice(0, 150));
      expect(await store.takeNew(account, 1_000)).toEqual(mos.slice(150));
      expect(await store.takeNew(account, 1_000)).toEqual([]);
    });

    it("hands each to one of many who ask at the same time", async () => {
      const mos = many(230);
      await insertAll(mos);
      const taken = await Promise.all(
        Array.from({ length: 5 }, () => store.takeNew(account, 1_000)),
      );
      expect(sortedIdsOf(taken.flat())).toEqual(sortedIdsOf(mos));
      expect(await store.takeNew(account, 1_000)).toEqual([]);
    });

    it("still finds what was taken", async () => {
      const mos = many(3);
      await insertAll(mos);
      await store.takeNew(account, 2);
      expect(await store.search(account, always(), 10)).toEqual(mos);
    });

    it("finds what came in a period, its ends included", async () => {
      const mos = many(5);
      const [, second, third, fourth] = mos as [Mo, Mo, Mo, Mo, Mo];
      await insertAll([...mos].reverse());
      const search = (from: number, to: number) => store.search(account, { from, to }, 10);
      expect(await search(second.receivedAt, fourth.receivedAt)).toEqual([second, third, fourth]);
      expect(await search(second.receivedAt + 1, fourth.receivedAt - 1)).toEqual([third]);
      expect(await search(third.receivedAt, third.receivedAt)).toEqual([third]);
      expect(await search(third.receivedAt + 1, third.receivedAt + 999)).toEqual([]);
      expect(await search(0, clock.now() - 1)).toEqual([]);
    });

    it("finds as many as are asked for, the oldest first", async () => {
      const mos = many(120);
      await insertAll([...mos].reverse());
      expect(await store.search(account, always(), 110)).toEqual(mos.slice(0, 110));
      expect(await store.search(account, always(), 1)).toEqual(mos.slice(0, 1));
    });

    describe("of sub-accounts", () => {
      const subAccounts = ["sales", "sales 2", "sale", undefined];
      /** One a second, of each in turn. */
      const mixed = (count: number) =>
        Array.from({ length: count }, (_, n) => {
          const subAccount = subAccounts[n % subAccounts.length];
          return moAt(clock.now() + n * 1_000, n, subAccount === undefined ? {} : { subAccount });
        });
      const of = (mos: readonly Mo[], subAccount: string | undefined) =>
        mos.filter((mo) => mo.subAccount === subAccount);

      it("hands over one's only, where it is asked for, the oldest first", async () => {
        const mos = mixed(12);
        await insertAll([...mos].reverse());
        const take = (limit: number) => store.takeNew(account, limit, { subAccount: "sales" });
        expect(await take(2)).toEqual(of(mos, "sales").slice(0, 2));
        expect(await take(10)).toEqual(of(mos, "sales").slice(2));
        expect(await take(10)).toEqual([]);
        expect(await store.takeNew(account, 10, { subAccount: "unknown" })).toEqual([]);
        expect(await store.takeNew(`${account}-2`, 10, { subAccount: "sales" })).toEqual([]);
        expect(await store.takeNew(account, 100)).toEqual(
          mos.filter(({ subAccount }) => subAccount !== "sales"),
        );
      });

      it("hands over all, where none is asked for, and then no longer one's", async () => {
        const mos = mixed(12);
        await insertAll(mos);
        expect(await store.takeNew(account, 100, {})).toEqual(mos);
        expect(await store.takeNew(account, 100, { subAccount: "sales" })).toEqual([]);
      });

      it("hands each to one of many who ask at the same time, for one or for all", async () => {
        const mos = mixed(60);
        await insertAll(mos);
        const asked = ["sales", undefined, "sales", "sale", undefined, "sales 2"];
        const taken = await Promise.all(
          asked.map((subAccount) => store.takeNew(account, 1_000, { subAccount })),
        );
        taken.push(await store.takeNew(account, 1_000));
        expect(sortedIdsOf(taken.flat())).toEqual(sortedIdsOf(mos));
      });

      it("hands over what came since a time, inclusive, and leaves what came before", async () => {
        const mos = mixed(40);
        await insertAll(mos);
        const since = mos[20]?.receivedAt ?? 0;
        const sales = { subAccount: "sales", since };
        expect(await store.takeNew(account, 2, sales)).toEqual(
          of(mos.slice(20), "sales").slice(0, 2),
        );
        expect(await store.takeNew(account, 100, { since })).toEqual(
          mos.slice(20).filter((mo) => !of(mos.slice(20), "sales").slice(0, 2).includes(mo)),
        );
        expect(await store.takeNew(account, 100, { since })).toEqual([]);
        expect(await store.takeNew(account, 100, { since: 0 })).toEqual(mos.slice(0, 20));
      });

      it("finds one's only, where it is asked for, new or not", async () => {
        const mos = mixed(160);
        await insertAll(mos);
        await store.takeNew(account, 50);
        const search = (subAccount: string | undefined, limit: number) =>
          store.search(account, always(), limit, subAccount);
        expect(await search("sales", 30)).toEqual(of(mos, "sales").slice(0, 30));
        expect(await search("sales", 1_000)).toEqual(of(mos, "sales"));
        expect(await search("unknown", 10)).toEqual([]);
        expect(await search(undefined, 1_000)).toEqual(mos);
        const [, second, third] = of(mos, "sale") as [Mo, Mo, Mo];
        const period = { from: second.receivedAt, to: third.receivedAt };
        expect(await store.search(account, period, 10, "sale")).toEqual([second, third]);
      });
    });

    it("tells apart what came in the same millisecond", async () => {
      const at = clock.now();
      const mos = [5, 23, 230, 90_000, 0].map((nth) => moAt(at, nth));
      await insertAll(mos);
      const found = await store.search(account, { from: at, to: at }, 10);
      expect(sortedIdsOf(found)).toEqual(sortedIdsOf(mos));
      const taken = [...(await store.takeNew(account, 3)), ...(await store.takeNew(account, 3))];
      expect(sortedIdsOf(taken)).toEqual(sortedIdsOf(found));
    });

    it("shows an account's MOs to no other", async () => {
      const theirs = moAt(clock.now(), 2, { account: `${account}-2` });
      await insertAll([theirs, moAt(clock.now(), 1)]);
      expect(await store.search(account, always(), 10)).toEqual([moAt(clock.now(), 1)]);
      expect(await store.takeNew(account, 10)).toEqual([moAt(clock.now(), 1)]);
      expect(await store.takeNew(account, 10)).toEqual([]);
      expect(await store.takeNew(`${account}-2`, 10)).toEqual([theirs]);
    });

    it("takes an MO past its removal for absent", async () => {
      const [gone, ...kept] = many(4) as [Mo, Mo, Mo, Mo];
      await insertAll([gone, ...kept]);
      clock.time = gone.removeAt * 1_000;
      expect(await store.search(account, always(), 2)).toEqual(kept.slice(0, 2));
      expect(await store.search(account, always(), 10)).toEqual(kept);
      expect(await store.takeNew(account, 2)).toEqual(kept.slice(0, 2));
      expect(await store.takeNew(account, 2)).toEqual(kept.slice(2));
      clock.advance(3_000);
      expect(await store.search(account, always(), 10)).toEqual([]);
    });
  });
}
