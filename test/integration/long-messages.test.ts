import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { LONG_SMS_EXAMPLE, SEND_SMS_MULTIPLE_EXAMPLES } from "../support/mesago-examples.ts";
import { CallbackReceiver } from "./support/callback-receiver.ts";
import { eventually } from "./support/eventually.ts";
import { outbox, phoneOfOurOwn, TestAccount } from "./support/stack.ts";

const LONG_TEXT = LONG_SMS_EXAMPLE.sendSmsRequest.messageText;

const partsOf = (id: string, count: number) =>
  Array.from({ length: count }, (_, index) => ({
    partId: `${id}_00${index + 1}`,
    order: index + 1,
  }));

describe("long messages", () => {
  let account: TestAccount;
  let receiver: CallbackReceiver;
  beforeAll(async () => {
    account = await TestAccount.create({ longMessages: true });
    receiver = await CallbackReceiver.start();
    await account.addEndpoint(receiver.url);
  });
  afterAll(() => receiver.stop());

  it("answer the document's example as it does, with three parts", async () => {
    const { status, body } = await account.post("/api/send-sms", LONG_SMS_EXAMPLE);
    expect(status).toBe(201);
    expect(body).toEqual({
      sendSmsResponse: {
        statusCode: "00",
        statusDescription: "Ok",
        detailCode: "000",
        detailDescription: "Message Sent",
        parts: partsOf("myId", 3),
      },
    });
  });

  it("reach the phone in parts, and are delivered and called back once", async () => {
    const phone = phoneOfOurOwn();
    await account.sendSms({ destination: phone, messageText: LONG_TEXT, correlationId: "long" });
    await eventually(() => expect(receiver.statusesOf("long")).toContain("03/120"));
    expect(receiver.statusesOf("long").sort()).toEqual(["02/110", "03/120"]);
    const handedOver = (await outbox.list(phone)).sort(
      (one, other) => (one.part?.order ?? 0) - (other.part?.order ?? 0),
    );
    expect(handedOver.map(({ part }) => part)).toEqual([
      { order: 1, total: 3 },
      { order: 2, total: 3 },
      { order: 3, total: 3 },
    ]);
    expect(handedOver.map(({ text }) => text).join("")).toBe(LONG_TEXT);
    for (const { text } of handedOver) expect(text.length).toBeLessThanOrEqual(152);
    expect(await account.codes("long")).toBe("03/120");
    expect(await account.codes("long_002")).toBe("03/120");
    expect(await account.codes("long_004")).toBe("10/180");
  });

  it("are not delivered when one part is not, and say so once", async () => {
    await account.sendSms({
      destination: phoneOfOurOwn("8303"),
      messageText: LONG_TEXT,
      correlationId: "lost-part",
    });
    await eventually(() => expect(receiver.statusesOf("lost-part")).toContain("04/161"));
    expect(await account.codes("lost-part")).toBe("04/161");
    expect(receiver.statusesOf("lost-part").sort()).toEqual(["02/110", "04/161"]);
    expect(await account.codes("lost-part_002")).toBe("04/161");
  });

  it("try only the part again that was unreachable", async () => {
    const phone = phoneOfOurOwn("8502");
    await account.sendSms({ destination: phone, messageText: LONG_TEXT, correlationId: "again" });
    await eventually(async () => expect(await account.codes("again")).toBe("03/120"));
    const attempts = (await outbox.list(phone)).map(({ part, outcome }) => [part?.order, outcome]);
    expect(attempts.sort()).toEqual([
      [1, "accepted"],
      [2, "accepted"],
      [2, "unreachable"],
      [2, "unreachable"],
      [3, "accepted"],
    ]);
  });

  it("are taken in bulk, each listing its parts", async () => {
    const { status, body } = await account.post(
      "/api/send-sms-multiple",
      SEND_SMS_MULTIPLE_EXAMPLES.long,
    );
    expect(status).toBe(201);
    for (const { id, parts } of body.sendSmsMultiResponse.sendSmsResponseList) {
      expect(parts).toEqual(partsOf(id, 3));
    }
    const mixed = await account.sendMany([
      { destination: "5519900001111", correlationId: "mixed-1", messageText: LONG_TEXT },
      { destination: "5519900001111", correlationId: "mixed-2" },
      { destination: "nobody" },
    ]);
    expect(mixed.body.map(({ parts }: { parts?: unknown }) => parts)).toEqual([
      partsOf("mixed-1", 3),
      [{ partId: "mixed-2", order: 1 }],
      undefined,
    ]);
  });

  it("are refused for accounts that are not enabled, and over 1520 characters for all", async () => {
    const other = await TestAccount.create();
    const refused = await other.sendSms({ messageText: "x".repeat(161) });
    expect(refused).toMatchObject({
      status: 200,
      body: { sendSmsResponse: { detailCode: "012" } },
    });
    const [fits, tooLong] = await Promise.all(
      [1_519, 1_520].map((length) =>
        account.sendSms({ from: "A", messageText: "x".repeat(length) }),
      ),
    );
    expect(fits?.body.sendSmsResponse.detailCode).toBe("000");
    expect(tooLong?.body.sendSmsResponse.detailCode).toBe("012");
  });

  it("put the sender's label in front of the text", async () => {
    const phone = phoneOfOurOwn();
    await account.sendSms({ destination: phone, from: "ACME", messageText: "your order is here" });
    await eventually(async () => expect(await outbox.list(phone)).toHaveLength(1));
    expect((await outbox.list(phone))[0]?.text).toBe("ACME: your order is here");
  });

  it("are cut as phone networks do, without accents, for accounts that want it so", async () => {
    const gsm = await TestAccount.create({
      longMessages: true,
      segmentation: "gsm",
      transliterate: true,
    });
    const phone = phoneOfOurOwn();
    const answer = await gsm.sendSms({ destination: phone, messageText: "ção".repeat(54) });
    expect(answer.body.sendSmsResponse.parts).toHaveLength(2);
    const short = await gsm.sendSms({ destination: phone, messageText: "ção ".repeat(40) });
    expect(short.body.sendSmsResponse).not.toHaveProperty("parts");
    await eventually(async () => expect(await outbox.list(phone)).toHaveLength(3));
    const texts = (await outbox.list(phone)).map(({ text }) => text.length).sort((a, b) => a - b);
    expect(texts).toEqual([9, 153, 160]);
  });

  it("keep an emoji at a part's boundary whole", async () => {
    const phone = phoneOfOurOwn();
    const messageText = `${"x".repeat(151)}😀${"y".repeat(20)}`;
    await account.sendSms({ destination: phone, messageText });
    await eventually(async () => expect(await outbox.list(phone)).toHaveLength(2));
    for (const { text } of await outbox.list(phone)) expect(text.isWellFormed()).toBe(true);
  });
});
