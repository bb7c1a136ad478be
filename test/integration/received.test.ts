import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CallbackReceiver } from "./support/callback-receiver.ts";
import { eventually } from "./support/eventually.ts";
import { phoneOfOurOwn, replyFrom, TestAccount } from "./support/stack.ts";

/** An account that has sent a message to a phone, and how the phone answers it. */
async function conversation(id: string) {
  const account = await TestAccount.create();
  const phone = phoneOfOurOwn();
  await account.sendSms({ destination: phone, correlationId: id });
  await eventually(async () => expect(await account.codes(id)).toBe("03/120"));
  return { account, phone };
}

const search = (account: TestAccount, from: string, to: string) =>
  account.request(`/api/received/search/${encodeURIComponent(from)}/${encodeURIComponent(to)}`);

const EVER = ["2020-01-01T00:00:00", "2099-12-31T23:59:59"] as const;

describe("MOs", () => {
  const receivers: CallbackReceiver[] = [];
  afterAll(() => {
    for (const receiver of receivers) receiver.stop();
  });

  it("are found by whoever was answered, in the document's shape, and by nobody else", async () => {
    const [{ account, phone }, other] = await Promise.all([
      conversation("asked"),
      TestAccount.create(),
    ]);
    await replyFrom(phone, "Sim, às 10 ☺");
    const [mo] = await eventually(async () => {
      const { body } = await search(account, ...EVER);
      expect(body.receivedResponse.receivedMessages).toHaveLength(1);
      return body.receivedResponse.receivedMessages;
    });
    expect(mo).toEqual({
      id: expect.any(Number),
      dateReceived: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$/),
      mobile: phone,
      shortcode: "27182",
      body: "Sim, às 10 ☺",
      correlationId: "asked",
      correlatedMessageSmsId: "asked",
    });
    expect(Number.isSafeInteger(mo.id)).toBe(true);
    const { body } = await search(other, ...EVER);
    expect(body.receivedResponse).toEqual({
      statusCode: "00",
      statusDescription: "Ok",
      detailCode: "301",
      detailDescription: "No received messages found",
      receivedMessages: [],
    });
    expect(await other.listReceived()).toEqual([]);
  });

  it("are listed once, to two callers at the same time", async () => {
    const { account, phone } = await conversation("many");
    const texts = Array.from({ length: 30 }, (_, index) => `reply ${index}`);
    await Promise.all(texts.map((text) => replyFrom(phone, text)));
    await eventually(async () => {
      const { body } = await search(account, ...EVER);
      expect(body.receivedResponse.receivedMessages).toHaveLength(texts.length);
    });
    const listed = await Promise.all([account.listReceived(), account.listReceived()]);
    const rest = await account.listReceived();
    const bodies = [...listed.flat(), ...rest].map(({ body }) => body);
    expect(bodies.sort()).toEqual(texts.sort());
    expect(await account.listReceived()).toEqual([]);
  });

  it("are stored once, however often the carrier reports them", async () => {
    const { account, phone } = await conversation("repeated");
    const at = Date.now();
    for (let times = 0; times < 3; times++) {
      await replyFrom(phone, "again", { carrierMessageId: `carrier-${phone}`, at });
    }
    await replyFrom(phone, "last");
    await eventually(async () => {
      const { body } = await search(account, ...EVER);
      const texts = body.receivedResponse.receivedMessages.map((mo: { body: string }) => mo.body);
      expect(texts.sort()).toEqual(["again", "last"]);
    });
  });

  it("name the operator to accounts that have it enabled", async () => {
    const account = await TestAccount.create({ operatorOfMo: true });
    const phone = phoneOfOurOwn();
    await account.sendSms({ destination: phone, correlationId: "operator" });
    await eventually(async () => expect(await account.codes("operator")).toBe("03/120"));
    await replyFrom(phone, "Oi");
    const [mo] = await eventually(async () => {
      const listed = await account.listReceived();
      expect(listed).toHaveLength(1);
      return listed;
    });
    expect(mo.mobileOperatorName).toBe("Claro");
  });

  it("that answer nothing go to the account of the short code", async () => {
    const shortCode = String(Date.now());
    const account = await TestAccount.create({ shortCodes: [shortCode] });
    await replyFrom(phoneOfOurOwn(), "PROMO", { shortCode });
    const [mo] = await eventually(async () => {
      const listed = await account.listReceived();
      expect(listed).toHaveLength(1);
      return listed;
    });
    expect(mo).toMatchObject({ shortcode: shortCode, body: "PROMO" });
    expect(mo).not.toHaveProperty("correlationId");
  });

  it("are called back in the document's shape, to endpoints that want them", async () => {
    const { account, phone } = await conversation("asked-back");
    const [wanting, other] = await Promise.all([
      CallbackReceiver.start(),
      CallbackReceiver.start(),
    ]);
    receivers.push(wanting, other);
    await account.addEndpoint(wanting.url, { events: ["received"], callbackOption: "NONE" });
    await account.addEndpoint(other.url, { events: ["sent", "delivered"] });
    await replyFrom(phone, "Não");
    await eventually(() => expect(wanting.mos).toHaveLength(1));
    expect(wanting.mos[0]).toEqual({
      id: expect.stringMatching(/^\d+$/),
      mobile: phone,
      shortCode: "27182",
      account: account.name,
      body: "Não",
      received: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}-03:00$/),
      campaignId: "asked-back",
      correlatedMessageSmsId: "asked-back",
    });
    expect(other.mos).toEqual([]);
  });

  describe("searched for by dates that are no period", () => {
    let account: TestAccount;
    beforeAll(async () => {
      account = await TestAccount.create();
    });

    it.each([
      ["reversed", "2026-01-02T00:00:00", "2026-01-01T00:00:00"],
      ["no dates", "yesterday", "today"],
      ["a day that does not exist", "2026-02-30T00:00:00", "2026-03-01T00:00:00"],
      ["a date without time", "2026-01-01", "2026-01-02"],
    ])("are answered: %s", async (_, from, to) => {
      expect(await search(account, from, to)).toMatchObject({
        status: 400,
        body: { receivedResponse: { detailCode: "015", hint: expect.any(String) } },
      });
    });

    it("are answered without an end, too", async () => {
      const answer = await account.request("/api/received/search/2026-01-01T00:00:00");
      expect(answer).toMatchObject({
        status: 400,
        body: { receivedResponse: { detailCode: "015" } },
      });
    });
  });
});
