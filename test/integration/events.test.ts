import { beforeAll, describe, expect, it } from "vitest";
import { messageStatusChangedSchema } from "../../functions/core/events.ts";
import { watchBus } from "./support/bus.ts";
import { eventually } from "./support/eventually.ts";
import { TestAccount } from "./support/stack.ts";

describe("the bus, for a team that hangs a rule of its own on it", () => {
  let account: TestAccount;
  let eventsSoFar: Awaited<ReturnType<typeof watchBus>>;

  beforeAll(async () => {
    account = await TestAccount.create();
    eventsSoFar = await watchBus(account.name);
  });

  it("tells every change of which customers can be told once, with one trace", async () => {
    await account.sendSms({ correlationId: "told", extraInfo: "campaign-7" });
    const events = await eventually(async () => {
      const found = (await eventsSoFar()).map(({ detail, ...event }) => ({
        ...messageStatusChangedSchema.parse(detail),
        ...event,
      }));
      const states = found.map(({ state }) => state);
      expect(states).toEqual(expect.arrayContaining(["SENT", "DELIVERED"]));
      return found;
    });
    expect(events.map(({ state }) => state).sort()).toEqual(["DELIVERED", "SENT"]);
    expect(new Set(events.map(({ traceId }) => traceId)).size).toBe(1);
    expect(new Set(events.map(({ eventId }) => eventId)).size).toBe(2);
    expect(events.find(({ state }) => state === "SENT")).toMatchObject({
      detailType: "Message Statuses Changed",
      account: account.name,
      final: false,
    });
    expect(events.find(({ state }) => state === "DELIVERED")).toMatchObject({
      source: "torpedo",
      detailType: "Message Status Changed",
      account: account.name,
      id: "told",
      final: true,
      previousState: "SENT",
      carrier: "sandbox",
      extraInfo: "campaign-7",
      codes: { mesago: { statusCode: "03", detailCode: "120" }, wavy: { sent: 2, delivered: 4 } },
    });
  });
});
