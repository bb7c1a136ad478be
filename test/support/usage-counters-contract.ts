import { randomUUID } from "node:crypto";
import * as fc from "fast-check";
import { beforeEach, describe, expect, it } from "vitest";
import type {
  Limits,
  UsageCounters,
  UsageOwner,
  UsageRequest,
} from "../../functions/core/limits.ts";

const DAYS = ["2026-11-29", "2026-11-30", "2026-12-01"] as const;
const [EVE, TODAY, NEXT_MONTH] = DAYS;
const monthOf = (day: string) => day.slice(0, "2026-11".length);

/** What `UsageCounters` do; those in memory and those in DynamoDB are held to the same. */
export function describeUsageCounters(
  name: string,
  create: () => UsageCounters,
  options: { readonly propertyRuns: number },
): void {
  describe(name, () => {
    let counters: UsageCounters;
    let owner: UsageOwner;

    beforeEach(() => {
      counters = create();
      owner = { account: `c-${randomUUID()}` };
    });

    const requestOf = (
      parts: number,
      limits: Partial<Limits>,
      { day = TODAY as string, token = randomUUID() as string } = {},
    ): UsageRequest => ({
      owner,
      limits: { prepaid: false, ...limits },
      day,
      month: monthOf(day),
      parts,
      token,
    });
    const take = (...request: Parameters<typeof requestOf>) => counters.take(requestOf(...request));
    const used = async () => {
      const { usedToday, usedThisMonth, credit } = (await counters.read(owner)) ?? {};
      return [usedToday, usedThisMonth, credit];
    };
    const TAKEN = { taken: true };

    it("knows nothing of an owner before it counts", async () => {
      expect(await counters.read(owner)).toBeUndefined();
      expect(await take(3, { perDay: 2 })).toEqual({ taken: false, left: 2 });
      expect(await counters.read(owner)).toBeUndefined();
    });

    it("counts days and months", async () => {
      expect(await take(3, { perDay: 10 })).toEqual(TAKEN);
      expect(await counters.read(owner)).toEqual({
        version: 1,
        day: TODAY,
        usedToday: 3,
        month: "2026-11",
        usedThisMonth: 3,
        credit: 0,
      });
      expect(await take(4, { perMonth: 10 })).toEqual(TAKEN);
      expect(await used()).toEqual([7, 7, 0]);
    });

    it.each<[string, Partial<Limits>]>([
      ["day", { perDay: 5 }],
      ["month", { perMonth: 5 }],
    ])("takes what fits into a %s, to the last part and no further", async (_, limits) => {
      expect(await take(6, limits)).toEqual({ taken: false, left: 5 });
      expect(await take(2, limits)).toEqual(TAKEN);
      expect(await take(4, limits)).toEqual({ taken: false, left: 3 });
      expect(await take(3, limits)).toEqual(TAKEN);
      expect(await take(1, limits)).toEqual({ taken: false, left: 0 });
      expect(await used()).toEqual([5, 5, 0]);
    });

    it("names what fits into the narrowest of the limits, and never less than nothing", async () => {
      await counters.addCredit(owner, 20, "credit");
      await take(4, {});
      expect(await take(30, { perDay: 10, perMonth: 12, prepaid: true })).toMatchObject({
        left: 6,
      });
      expect(await take(30, { perDay: 14, perMonth: 12, prepaid: true })).toMatchObject({
        left: 8,
      });
      expect(await take(30, { perDay: 99, perMonth: 99, prepaid: true })).toMatchObject({
        left: 20,
      });
      expect(await take(1, { perDay: 2, perMonth: 99 })).toEqual({ taken: false, left: 0 });
      expect(await take(1, { perDay: 0 })).toEqual({ taken: false, left: 0 });
    });

    it("lets a prepaid owner have what it has credit for", async () => {
      expect(await take(1, { prepaid: true })).toEqual({ taken: false, left: 0 });
      expect(await counters.addCredit(owner, 5, "one")).toBe(5);
      expect(await counters.read(owner)).toMatchObject({
        usedToday: 0,
        usedThisMonth: 0,
        credit: 5,
      });
      expect(await take(3, { prepaid: true })).toEqual(TAKEN);
      expect(await take(3, { prepaid: true })).toEqual({ taken: false, left: 2 });
      expect(await counters.addCredit(owner, 5, "two")).toBe(7);
      expect(await take(7, { prepaid: true })).toEqual(TAKEN);
      expect(await used()).toEqual([10, 10, 0]);
      expect(await take(2, {})).toEqual(TAKEN);
      expect(await used()).toEqual([12, 12, 0]);
    });

    it("adds credit once for a token, and takes it away, also more than there is", async () => {
      expect(await counters.addCredit(owner, 5, "one")).toBe(5);
      expect(await counters.addCredit(owner, 5, "one")).toBe(5);
      expect(await counters.addCredit(owner, -8, "two")).toBe(-3);
      expect(await counters.addCredit(owner, -8, "two")).toBe(-3);
      expect(await take(1, { prepaid: true })).toEqual({ taken: false, left: 0 });
      expect(await counters.addCredit(owner, 4, "three")).toBe(1);
      expect(await take(1, { prepaid: true })).toEqual(TAKEN);
    });

    it("begins anew with each day, and with each month", async () => {
      await counters.addCredit(owner, 100, "credit");
      const limits = { perDay: 5, perMonth: 8, prepaid: true };
      expect(await take(5, limits, { day: EVE })).toEqual(TAKEN);
      expect(await take(4, limits, { day: TODAY })).toEqual({ taken: false, left: 3 });
      expect(await take(3, limits, { day: TODAY })).toEqual(TAKEN);
      expect(await used()).toEqual([3, 8, 92]);
      expect(await take(6, limits, { day: NEXT_MONTH })).toEqual({ taken: false, left: 5 });
      expect(await take(5, limits, { day: NEXT_MONTH })).toEqual(TAKEN);
      expect(await counters.read(owner)).toMatchObject({
        day: NEXT_MONTH,
        usedToday: 5,
        month: "2026-12",
        usedThisMonth: 5,
        credit: 87,
      });
    });

    it("counts what a clock that is behind sends on the day that has begun", async () => {
      const limits = { perDay: 5, perMonth: 5 };
      await take(2, limits, { day: NEXT_MONTH });
      expect(await take(2, limits, { day: TODAY })).toEqual(TAKEN);
      expect(await take(2, limits, { day: TODAY })).toEqual({ taken: false, left: 1 });
      expect(await counters.read(owner)).toMatchObject({
        day: NEXT_MONTH,
        usedToday: 4,
        month: "2026-12",
        usedThisMonth: 4,
      });
    });

    it("counts once under a token, on whatever day it is asked for again", async () => {
      await counters.addCredit(owner, 10, "credit");
      const limits = { perDay: 3, perMonth: 3, prepaid: true };
      expect(await take(3, limits, { token: "same" })).toEqual(TAKEN);
      expect(await take(3, limits, { token: "same" })).toEqual(TAKEN);
      expect(await take(3, limits, { token: "same", day: NEXT_MONTH })).toEqual(TAKEN);
      expect(await used()).toEqual([3, 3, 7]);
    });

    it("counts an account and its sub-accounts apart", async () => {
      const { account } = owner;
      const owners = [owner, { account, subAccount: "A" }, { account, subAccount: "B" }];
      for (const [n, each] of owners.entries()) {
        const request = { ...requestOf(n + 1, { perDay: n + 1 }), owner: each };
        expect(await counters.take(request)).toEqual(TAKEN);
        await counters.addCredit(each, 10 * n, "credit");
      }
      for (const [n, each] of owners.entries()) {
        expect(await counters.read(each)).toMatchObject({ usedToday: n + 1, credit: 10 * n });
      }
    });

    describe("what is given back", () => {
      it("goes back to the day, the month and the credit", async () => {
        await counters.addCredit(owner, 10, "credit");
        const request = requestOf(4, { perDay: 9, prepaid: true });
        await counters.take(requestOf(3, { prepaid: true }));
        await counters.take(request);
        await counters.giveBack(request);
        expect(await used()).toEqual([3, 3, 7]);
      });

      it("goes back once under a token, and apart from what was taken under it", async () => {
        await counters.addCredit(owner, 10, "credit");
        const request = requestOf(4, { prepaid: true });
        await counters.take(request);
        await counters.giveBack(request);
        await counters.giveBack(request);
        expect(await used()).toEqual([0, 0, 10]);
      });

      it("can be a part of what was taken", async () => {
        const request = requestOf(5, { perDay: 9 });
        await counters.take(request);
        await counters.giveBack({ ...request, parts: 2, token: "one" });
        await counters.giveBack({ ...request, parts: 1, token: "other" });
        expect(await used()).toEqual([2, 2, 0]);
      });

      it("is no credit to whom is not prepaid", async () => {
        const request = requestOf(4, { perDay: 9 });
        await counters.take(request);
        await counters.giveBack(request);
        expect(await used()).toEqual([0, 0, 0]);
      });

      it("does not go back to a day or month that is over", async () => {
        await counters.addCredit(owner, 10, "credit");
        const [onEve, today] = [EVE, TODAY].map((day) =>
          requestOf(2, { perDay: 9, prepaid: true }, { day }),
        ) as [UsageRequest, UsageRequest];
        await counters.take(onEve);
        await counters.take(today);
        await counters.giveBack(onEve);
        expect(await used()).toEqual([2, 2, 8]);
        await counters.take(requestOf(3, { prepaid: true }, { day: NEXT_MONTH }));
        await counters.giveBack(today);
        expect(await used()).toEqual([3, 3, 7]);
      });

      it("leaves nothing below nothing", async () => {
        const request = requestOf(2, { perDay: 9 });
        await counters.giveBack(request);
        expect(await counters.read(owner)).toBeUndefined();
        await counters.take(requestOf(5, {}, { day: EVE }));
        await counters.take(request);
        await counters.giveBack({ ...request, parts: 3, token: "more" });
        expect(await used()).toEqual([0, 4, 0]);
        await counters.giveBack({ ...request, parts: 9, token: "much more" });
        expect(await used()).toEqual([0, 0, 0]);
      });
    });

    it("takes no more than there is when many want it at the same time, and all that fits", async () => {
      await counters.addCredit(owner, 100, "credit");
      const limits = { perDay: 10, perMonth: 50, prepaid: true };
      const outcomes = await Promise.all(Array.from({ length: 14 }, () => take(1, limits)));
      expect(outcomes.filter(({ taken }) => taken)).toHaveLength(10);
      expect(await used()).toEqual([10, 10, 90]);
    });

    it("loses nothing where a day begins for many at the same time", async () => {
      await take(1, {}, { day: EVE });
      await Promise.all(
        Array.from({ length: 12 }, (_, n) => take(1, {}, { day: n % 3 ? TODAY : NEXT_MONTH })),
      );
      const usage = await counters.read(owner);
      expect(usage).toMatchObject({ day: NEXT_MONTH, month: "2026-12" });
      expect(usage?.usedToday).toBe(usage?.usedThisMonth);
      expect(usage?.usedToday).toBeGreaterThanOrEqual(4);
      expect(usage?.usedToday).toBeLessThanOrEqual(12);
    });

    it("holds to every limit, however much is wanted, in whatever company", async () => {
      const size = fc.integer({ min: 0, max: 9 });
      const wanted = fc.record({
        parts: fc.integer({ min: 1, max: 5 }),
        day: fc.constantFrom(...DAYS),
        isGivenBack: fc.boolean(),
      });
      const company = fc.array(wanted, { minLength: 1, maxLength: 6 });
      const limits = fc.record({
        perDay: fc.option(size, { nil: undefined }),
        perMonth: fc.option(size, { nil: undefined }),
        prepaid: fc.boolean(),
      });
      await fc.assert(
        fc.asyncProperty(limits, size, fc.array(company, { maxLength: 4 }), async (...given) => {
          await holdsToLimits(counters, { account: `c-${randomUUID()}` }, ...given);
        }),
        { numRuns: options.propertyRuns },
      );
    });
  });
}

interface Wanted {
  readonly parts: number;
  readonly day: string;
  readonly isGivenBack: boolean;
}

/**
 * Takes much at the same time, round by round, in the order of the days, and looks after each
 * round whether the counters hold what was taken and not given back, and no more than they may.
 */
async function holdsToLimits(
  counters: UsageCounters,
  owner: UsageOwner,
  limits: Limits,
  credit: number,
  rounds: readonly (readonly Wanted[])[],
): Promise<void> {
  await counters.addCredit(owner, credit, "credit");
  let everTaken = 0;
  for (const round of rounds) {
    const requests = round.map(({ parts, day, isGivenBack }) => ({
      request: { owner, limits, day, month: monthOf(day), parts, token: randomUUID() },
      isGivenBack,
    }));
    const outcomes = await Promise.all(
      requests.map(async ({ request, isGivenBack }) => {
        const { taken } = await counters.take(request);
        if (taken && isGivenBack) await counters.giveBack(request);
        return taken && !isGivenBack ? request.parts : 0;
      }),
    );
    everTaken += outcomes.reduce((sum, parts) => sum + parts, 0);
    const usage = await counters.read(owner);
    expect(usage?.usedToday).toBeLessThanOrEqual(limits.perDay ?? Number.POSITIVE_INFINITY);
    expect(usage?.usedThisMonth).toBeLessThanOrEqual(limits.perMonth ?? Number.POSITIVE_INFINITY);
    expect(usage?.usedToday).toBeGreaterThanOrEqual(0);
    expect(usage?.credit).toBe(limits.prepaid ? credit - everTaken : credit);
    expect(usage?.credit).toBeGreaterThanOrEqual(0);
  }
  await takesWhatFitsAlone(counters, owner, limits);
}

/** Asks for one part too many, then for exactly as many as are said to be left. */
async function takesWhatFitsAlone(
  counters: UsageCounters,
  owner: UsageOwner,
  limits: Limits,
): Promise<void> {
  const [, , day] = DAYS;
  const request = { owner, limits, day, month: monthOf(day) };
  const tooMany = await counters.take({ ...request, parts: 1_000_000, token: randomUUID() });
  if (tooMany.taken) return;
  const { left: parts } = tooMany;
  if (parts === 0) return;
  expect(await counters.take({ ...request, parts, token: randomUUID() })).toEqual({ taken: true });
  const oneMore = await counters.take({ ...request, parts: 1, token: randomUUID() });
  expect(oneMore).toEqual({ taken: false, left: 0 });
}
