import { expect, it } from "vitest";
import { type CarrierChange, carrierChangedSchema } from "../../../functions/core/events.ts";
import type { EventBus } from "../../../functions/core/ports.ts";
import { tellOfCarriers } from "../../../functions/core/tell-of-carriers.ts";

const AT = Date.parse("2026-03-02T15:00:00Z");
const demoted: CarrierChange = {
  carrier: "one",
  change: "demoted",
  reason: "slow-receipts",
  percent: 93,
  at: AT,
  until: AT + 30_000,
};

/** A bus that takes everything, or nothing. */
function setUp({ refuses = false } = {}) {
  const events: unknown[] = [];
  const counted: string[] = [];
  const bus: EventBus = {
    async publish(published) {
      events.push(...published);
      return refuses ? [0] : [];
    },
  };
  const tell = tellOfCarriers({ bus, meter: { count: (name) => void counted.push(name) } });
  return { events, counted, tell };
}

it("tells the bus of a carrier that was demoted, and counts it", async () => {
  const { events, counted, tell } = setUp();
  await tell(demoted);
  expect(events.map((event) => carrierChangedSchema.parse(event))).toEqual([
    {
      version: 1,
      eventId: `one.demoted.${AT}`,
      carrier: "one",
      change: "demoted",
      reason: "slow-receipts",
      percent: 93,
      at: "2026-03-02T15:00:00.000Z",
      until: "2026-03-02T15:00:30.000Z",
    },
  ]);
  expect(counted).toEqual(["CarrierDemoted"]);
});

it("and of one that came back", async () => {
  const { events, counted, tell } = setUp();
  await tell({ carrier: "one", change: "restored", at: AT });
  expect(events).toMatchObject([{ carrier: "one", change: "restored" }]);
  expect(counted).toEqual(["CarrierRestored"]);
});

it("counts nothing that the bus did not take, and says so", async () => {
  const { counted, tell } = setUp({ refuses: true });
  await expect(tell(demoted)).rejects.toThrow("did not take");
  expect(counted).toEqual([]);
});
