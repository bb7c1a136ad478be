import { describe, expect, it } from "vitest";
import { carrierChangedSchema, messageStatusChangedSchema } from "../../functions/core/events.ts";
import { watchBus, watchEvents } from "./support/bus.ts";
import { eventually } from "./support/eventually.ts";
import { outbox, phoneOfOurOwn, TestAccount } from "./support/stack.ts";

/** So many messages to one phone. */
const messagesTo = (destination: string, count: number) =>
  Array.from({ length: count }, (_, index) => ({ destination, correlationId: `routed-${index}` }));

const handedOverTo = async (phone: string) =>
  (await outbox.list(phone)).map(({ carrier, sender, outcome }) => ({ carrier, sender, outcome }));

describe.sequential("routes", () => {
  it("fail over to the next carrier, and the events say so", async () => {
    const account = await TestAccount.create({
      routes: [{ carrier: "sandbox-down" }, { carrier: "sandbox-2" }],
    });
    const eventsSoFar = await watchBus(account.name);
    const destination = phoneOfOurOwn();
    await account.sendSms({ correlationId: "over", destination });
    const delivered = await eventually(async () => {
      const events = (await eventsSoFar()).map(({ detail }) =>
        messageStatusChangedSchema.parse(detail),
      );
      const last = events.find(({ state }) => state === "DELIVERED");
      expect(last).toBeDefined();
      return last;
    });
    expect(delivered).toMatchObject({
      carrier: "sandbox-2",
      carriersTried: ["sandbox-down"],
      attempts: 1,
    });
    expect(await handedOverTo(destination)).toEqual([
      { carrier: "sandbox-2", sender: undefined, outcome: "accepted" },
    ]);
  });

  it("part singles from bulk, and messages come from the account's sender", async () => {
    const account = await TestAccount.create({
      routes: [{ lane: "bulk", carrier: "sandbox-2" }, { carrier: "sandbox" }],
      senders: ["40404", "50505"],
    });
    const [alone, together] = [phoneOfOurOwn(), phoneOfOurOwn()];
    await account.sendSms({ correlationId: "alone", destination: alone });
    await account.sendMany(messagesTo(together, 2));
    await eventually(async () => {
      const single = { carrier: "sandbox", sender: "40404", outcome: "accepted" };
      const bulk = { carrier: "sandbox-2", sender: "40404", outcome: "accepted" };
      expect(await handedOverTo(alone)).toEqual([single]);
      expect(await handedOverTo(together)).toEqual([bulk, bulk]);
    });
  });

  it("block what no line is for", async () => {
    const account = await TestAccount.create({ routes: [{ country: ["PT"], carrier: "sandbox" }] });
    await account.sendSms({ correlationId: "nowhere" });
    await eventually(async () => expect(await account.codes("nowhere")).toBe("05/140"));
  });

  it("demote a carrier that fails, and tell of it", async () => {
    const account = await TestAccount.create({
      routes: [{ carrier: "sandbox-down" }, { carrier: "sandbox" }],
    });
    const changesSoFar = await watchEvents({ carrier: ["sandbox-down"] });
    const destination = phoneOfOurOwn();
    await account.sendMany(messagesTo(destination, 40));
    await eventually(async () => {
      expect(await handedOverTo(destination)).toHaveLength(40);
    });
    // What was counted is written and looked at when there is more to do.
    await eventually(async () => {
      await account.sendSms({ destination: phoneOfOurOwn() });
      const changes = (await changesSoFar()).filter(({ detailType }) =>
        detailType.startsWith("Carrier "),
      );
      expect(changes.map(({ detailType }) => detailType)).toContain("Carrier Demoted");
      const [demoted] = changes.map(({ detail }) => carrierChangedSchema.parse(detail));
      expect(demoted).toMatchObject({
        carrier: "sandbox-down",
        change: "demoted",
        reason: "failures",
        percent: 100,
      });
    });
  });

  it("keep to a carrier's rate", async () => {
    const perSecond = 20;
    const account = await TestAccount.create({ routes: [{ carrier: "sandbox-slow" }] });
    const destination = phoneOfOurOwn();
    await account.sendMany(messagesTo(destination, 100));
    const times = await eventually(async () => {
      const entries = await outbox.list(destination);
      expect(entries).toHaveLength(100);
      return entries.map(({ receivedAt }) => receivedAt).sort((a, b) => a - b);
    });
    const busiest = Math.max(
      ...times.map((from) => times.filter((at) => at >= from && at < from + 10_000).length),
    );
    expect(busiest).toBeLessThanOrEqual(perSecond * 10 * 1.1);
    expect((times.at(-1) ?? 0) - (times[0] ?? 0)).toBeGreaterThan(3_000);
  });
});
