import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CallbackReceiver } from "./support/callback-receiver.ts";
import { eventually } from "./support/eventually.ts";
import { TestAccount } from "./support/stack.ts";

describe("callbacks", () => {
  let receiver: CallbackReceiver;
  beforeAll(async () => {
    receiver = await CallbackReceiver.start();
  });
  afterAll(() => receiver.stop());

  async function accountWithEndpoint(options?: Parameters<TestAccount["addEndpoint"]>[1]) {
    const account = await TestAccount.create();
    await account.addEndpoint(receiver.url, options);
    return account;
  }

  /** Sends messages and waits until the last of them, which reports everything, was reported. */
  async function sendAndWait(account: TestAccount, messages: { id: string; fields?: object }[]) {
    for (const { id, fields } of messages) await account.sendSms({ correlationId: id, ...fields });
    for (const { id } of messages) {
      await eventually(async () => expect(await account.codes(id)).toMatch(/^(03|04|10|02\/111)/));
    }
    const last = `${messages[0]?.id}-last`;
    await account.sendSms({ correlationId: last, callbackOption: "ALL" });
    await eventually(() => expect(receiver.statusesOf(last)).toContain("03/120"));
  }

  it("report as the request says: every status, the final one, or none", async () => {
    const account = await accountWithEndpoint();
    await sendAndWait(account, [
      { id: "cb-all", fields: { callbackOption: "ALL" } },
      { id: "cb-final", fields: { callbackOption: "FINAL" } },
      { id: "cb-none", fields: { callbackOption: "NONE" } },
    ]);
    await eventually(() =>
      expect(new Set(receiver.statusesOf("cb-all"))).toEqual(new Set(["02/110", "03/120"])),
    );
    await eventually(() => expect(receiver.statusesOf("cb-final")).toEqual(["03/120"]));
    expect(receiver.statusesOf("cb-none")).toEqual([]);
  });

  it("report as the endpoint says where the request does not", async () => {
    const account = await accountWithEndpoint({ callbackOption: "FINAL" });
    await sendAndWait(account, [{ id: "cb-default" }]);
    await eventually(() => expect(receiver.statusesOf("cb-default")).toEqual(["03/120"]));
  });

  it("report only what the endpoint wants to know", async () => {
    const account = await accountWithEndpoint({ events: ["delivered"] });
    await sendAndWait(account, [{ id: "cb-delivered" }]);
    await eventually(() => expect(receiver.statusesOf("cb-delivered")).toEqual(["03/120"]));
  });

  it("report a message without receipt as final", async () => {
    const account = await accountWithEndpoint({ callbackOption: "FINAL" });
    await sendAndWait(account, [{ id: "cb-oi", fields: { destination: "5519900008200" } }]);
    await eventually(() => expect(receiver.statusesOf("cb-oi")).toEqual(["02/111"]));
  });

  it("look as the document shows them", async () => {
    const account = await accountWithEndpoint();
    await sendAndWait(account, [{ id: "cb-shape" }]);
    const callback = await eventually(() => {
      const found = receiver.received.find(
        ({ body }) =>
          body.callbackMtRequest.id === "cb-shape" && body.callbackMtRequest.status === "03",
      );
      expect(found).toBeDefined();
      return found;
    });
    expect(callback?.contentType).toMatch(/^application\/json/);
    expect(callback?.body).toEqual({
      callbackMtRequest: {
        status: "03",
        statusMessage: "Delivered",
        statusDetail: "120",
        statusDetailMessage: "Message received by mobile",
        id: "cb-shape",
        received: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}-03:00$/),
        mobileOperatorName: expect.stringMatching(/^(Vivo|Claro|TIM)$/),
      },
    });
  });

  it("are tried again where the endpoint fails, while others are told at once", async () => {
    const shaky = await CallbackReceiver.start();
    shaky.answers.push(500);
    const account = await accountWithEndpoint({ callbackOption: "FINAL" });
    await account.addEndpoint(shaky.url, { callbackOption: "FINAL" });
    await account.sendSms({ correlationId: "cb-retry" });
    await eventually(() => expect(receiver.statusesOf("cb-retry")).toEqual(["03/120"]));
    await eventually(() => expect(shaky.statusesOf("cb-retry")).toEqual(["03/120", "03/120"]));
    expect(receiver.statusesOf("cb-retry")).toEqual(["03/120"]);
    shaky.stop();
  });

  it("reach the account's own endpoints only", async () => {
    const stranger = await CallbackReceiver.start();
    const other = await TestAccount.create();
    await other.addEndpoint(stranger.url);
    const account = await accountWithEndpoint();
    await sendAndWait(account, [{ id: "cb-own" }]);
    expect(stranger.received).toEqual([]);
    stranger.stop();
  });
});
