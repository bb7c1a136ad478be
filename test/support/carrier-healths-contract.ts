import { randomUUID } from "node:crypto";
import { beforeEach, describe, expect, it, vi } from "vitest";
import {
  type CarrierCounts,
  type CarrierHealth,
  demoted,
  goodCarrier,
  NO_COUNTS,
  onTrial,
  sliceOf,
} from "../../functions/core/carrier-health.ts";
import type { CarrierHealths } from "../../functions/core/carrier-pool.ts";

/** What all `CarrierHealths` do; those in memory and those in DynamoDB are held to the same. */
export function describeCarrierHealths(name: string, createHealths: () => CarrierHealths): void {
  describe(name, () => {
    let healths: CarrierHealths;
    let carrier: string;
    let now: number;
    let good: CarrierHealth;

    beforeEach(() => {
      healths = createHealths();
      // All carriers of a stage are read together, so tests tell theirs by its name.
      carrier = `c-${randomUUID().slice(0, 8)}`;
      now = Date.now();
      good = goodCarrier(carrier);
    });

    const complaint = { reason: "failures", percent: 62 } as const;
    const counts = (overrides: Partial<CarrierCounts>) => ({ ...NO_COUNTS, ...overrides });
    const healthOf = async (which = carrier) =>
      (await healths.load(now)).healths.filter((it) => it.carrier === which);
    const slicesOf = async (since: number, which = carrier) =>
      (await healths.load(since)).slices.filter((it) => it.carrier === which);
    /** What is read shows a change a moment later. */
    const eventually = (assertion: () => Promise<void>) =>
      vi.waitFor(assertion, { timeout: 5_000, interval: 20 });

    it("know nothing of a carrier that nobody has changed or counted", async () => {
      expect(await healthOf()).toEqual([]);
      expect(await slicesOf(0)).toEqual([]);
    });

    it("give a carrier's health back as it was changed, with all that it can have", async () => {
      const bad = demoted(good, complaint, now);
      expect(await healths.change(good, bad)).toBe(true);
      await eventually(async () => expect(await healthOf()).toEqual([bad]));
      const trial = onTrial(bad, now + 1);
      expect(await healths.change(bad, trial)).toBe(true);
      await eventually(async () => expect(await healthOf()).toEqual([trial]));
    });

    it("refuse a change of what somebody else has changed since", async () => {
      const bad = demoted(good, complaint, now);
      await healths.change(good, bad);
      expect(await healths.change(good, demoted(good, complaint, now + 1))).toBe(false);
      await eventually(async () => expect(await healthOf()).toEqual([bad]));
    });

    it("let one of many change it at the same time, be it to the same", async () => {
      const bad = demoted(good, complaint, now);
      const answers = await Promise.all(
        Array.from({ length: 8 }, () => healths.change(good, { ...bad })),
      );
      expect(answers.filter(Boolean)).toHaveLength(1);
    });

    it("keep carriers apart, also where one's name begins another's", async () => {
      const other = `${carrier}-2`;
      const bad = demoted(good, complaint, now);
      await healths.change(good, bad);
      await healths.count(carrier, sliceOf(now), counts({ handedOver: 1 }));
      await healths.count(other, sliceOf(now), counts({ handedOver: 5 }));
      await eventually(async () => {
        expect(await healthOf()).toEqual([bad]);
        expect(await healthOf(other)).toEqual([]);
        expect((await slicesOf(0)).map((it) => it.counts.handedOver)).toEqual([1]);
        expect((await slicesOf(0, other)).map((it) => it.counts.handedOver)).toEqual([5]);
      });
    });

    it("add up what is counted of a slice, whoever counts", async () => {
      const start = sliceOf(now);
      const added = counts({ handedOver: 3, failed: 1, awaited: 2 });
      await Promise.all([
        ...Array.from({ length: 4 }, () => healths.count(carrier, start, added)),
        healths.count(carrier, start, counts({ prompt: 7 })),
      ]);
      await eventually(async () =>
        expect(await slicesOf(start)).toEqual([
          { carrier, start, counts: { handedOver: 12, failed: 4, awaited: 8, prompt: 7 } },
        ]),
      );
    });

    it("count nothing of what is nothing", async () => {
      await healths.count(carrier, sliceOf(now), NO_COUNTS);
      expect(await slicesOf(0)).toEqual([]);
    });

    it("give back the slices since a time, that of the time included, and every health", async () => {
      const start = sliceOf(now);
      const bad = demoted(good, complaint, now - 3_600_000);
      await healths.change(good, bad);
      for (const ago of [0, 10_000, 20_000, 30_000]) {
        await healths.count(carrier, start - ago, counts({ handedOver: 1 }));
      }
      await eventually(async () => {
        const found = await slicesOf(start - 20_000);
        expect(found.map((it) => it.start).sort()).toEqual([start - 20_000, start - 10_000, start]);
        expect(await slicesOf(start - 19_999)).toHaveLength(2);
        expect(await healthOf()).toEqual([bad]);
      });
    });
  });
}
