import { beforeAll, describe, expect, it } from "vitest";
import { eventually } from "./support/eventually.ts";
import { outbox, TestAccount } from "./support/stack.ts";

describe("what the sandbox carrier does with a number", () => {
  let account: TestAccount;
  beforeAll(async () => {
    account = await TestAccount.create();
  });

  it.concurrent.each([
    ["delivers at once", "0000", "03/120"],
    ["delivers after a second", "8101", "03/120"],
    ["accepts without receipt", "8200", "02/111"],
    ["does not deliver", "8300", "04/161"],
    ["expires at the operator", "8301", "04/150"],
    ["finds the number inactive", "8302", "04/145"],
    ["rejects", "8400", "10/161"],
    ["does not cover", "8401", "05/140"],
    ["is unreachable twice and then accepts", "8500", "03/120"],
    ["sends the receipt first", "8600", "03/120"],
    ["sends the receipt twice", "8601", "03/120"],
  ])("%s: …%s ends as %s", async (_, lastFour, codes) => {
    const id = `to-${lastFour}`;
    await account.sendSms({ correlationId: id, destination: `551990000${lastFour}` });
    await eventually(async () => expect(await account.codes(id)).toBe(codes));
  });

  it("gives up on a number that is always unreachable", async () => {
    await account.sendSms({ correlationId: "lost", destination: "5519900008501" });
    await eventually(async () => expect(await account.codes("lost")).toBe("10/160"));
  });

  it("names the operator, and Oi where it sends no receipts", async () => {
    await account.sendSms({ correlationId: "oi", destination: "5521900008200" });
    await eventually(async () =>
      expect(await account.status("oi")).toMatchObject({ mobileOperatorName: "Oi" }),
    );
  });

  it("keeps what it was handed, attempt by attempt", async () => {
    const destination = "5531900008500";
    await account.sendSms({ correlationId: "twice", destination, messageText: "kept" });
    await eventually(async () => expect(await account.codes("twice")).toBe("03/120"));
    const entries = await outbox.list(destination);
    const own = entries.filter((entry) => entry.account === account.name);
    expect(own.map(({ attempt, outcome, text }) => [attempt, outcome, text])).toEqual([
      [1, "unreachable", "kept"],
      [2, "unreachable", "kept"],
      [3, "accepted", "kept"],
    ]);
  });
});
