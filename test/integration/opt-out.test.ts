import { randomUUID } from "node:crypto";
import { describe, expect, it } from "vitest";
import { eventually } from "./support/eventually.ts";
import { outbox, phoneOfOurOwn, replyFrom, TestAccount } from "./support/stack.ts";
import { TestWavyAccount } from "./support/wavy-account.ts";

const OUT = "Voce nao recebera mais nossas mensagens. Para voltar a receber, responda VOLTAR.";
const BACK = "Voce voltara a receber nossas mensagens.";
const AS_OFTEN_AS_IT_LIKES = { requestsPerSecond: 10_000, statusQueriesPerSecond: 10_000 };

type Settings = Parameters<typeof TestWavyAccount.create>[0];

/** An account that has sent a phone something for its sub-account Marketing. */
async function conversation(settings: Settings = {}) {
  const account = await TestWavyAccount.create({ rateLimits: AS_OFTEN_AS_IT_LIKES, ...settings });
  await account.addSubAccount("Sales");
  const phone = phoneOfOurOwn();
  /** Sends a message for a sub-account. @returns its id */
  const send = async (subAccount = "Marketing"): Promise<string> => {
    const answer = await account.send({ destination: phone, subAccount }, "admin");
    expect(answer).toMatchObject({ status: 200 });
    return answer.body[0].id;
  };
  /** The first level of a message's status. */
  const sent = async (id: string) => (await account.status(id, "admin")).sentStatusCode;
  const texts = async () => (await outbox.list(phone)).map(({ text }) => text);

  const first = await send();
  await eventually(async () => expect(await sent(first)).toBe(2));
  return { account, phone, send, sent, texts };
}

describe("a person who answers SAIR", () => {
  it("is told once, and sent nothing more by that sub-account, but by others", async () => {
    const { account, phone, send, sent, texts } = await conversation();
    const carrierMessageId = randomUUID();
    const at = Date.now();
    // The carrier may tell it more than once.
    for (let times = 0; times < 3; times++) {
      await replyFrom(phone, " Sair! ", { carrierMessageId, at });
    }
    await eventually(async () => expect(await texts()).toContain(OUT));
    const blocked = await send();
    // At once.
    expect(await account.status(blocked, "admin")).toMatchObject({
      sentStatusCode: 204,
      sentStatus: "DESTINATION_BLOCKED_BY_OPTOUT",
    });
    const { body } = await account.sendBulk({
      messages: [{ destination: phone }, { destination: phone }],
      defaultValues: { messageText: "Hello" },
    });
    for (const { id } of body.messages) expect(await sent(id)).toBe(204);
    const bySales = await send("Sales");
    await eventually(async () => expect(await sent(bySales)).toBe(2));
    expect((await texts()).sort()).toEqual(["Hello", "Hello", OUT].sort());
    // It is an MO like any other, and its confirmation in no list.
    const { body: mos } = await account.get("/v1/sms/receive/search");
    expect(mos).toMatchObject({ total: 1, messages: [{ source: phone, messageText: " Sair! " }] });
    const { body: listed } = await account.get("/v1/sms/status/list", "admin");
    for (const { id } of listed.messages) expect(id).not.toMatch(/^opt-out/);
  });

  it("comes back with VOLTAR, and is told so", async () => {
    const { phone, send, sent, texts } = await conversation();
    await replyFrom(phone, "PARAR");
    await eventually(async () => expect(await texts()).toContain(OUT));
    expect(await sent(await send())).toBe(204);
    await replyFrom(phone, "voltar.");
    await eventually(async () => expect(await texts()).toContain(BACK));
    const again = await send();
    await eventually(async () => expect(await sent(again)).toBe(2));
    expect((await texts()).sort()).toEqual(["Hello", "Hello", OUT, BACK].sort());
  });

  it("is told also where nothing may be sent any more", async () => {
    const { phone, send, sent, texts } = await conversation({
      limits: { perDay: 1, prepaid: false },
    });
    expect(await sent(await send())).toBe(201);
    await replyFrom(phone, "stop");
    await eventually(async () => expect(await texts()).toEqual(["Hello", OUT]));
    expect(await sent(await send())).toBe(204);
  });

  it("is taken at the account's own words, and at no others", async () => {
    const optOut = { keywords: ["Chega"], confirmation: "Ok." };
    const { account, phone, send, sent, texts } = await conversation({ optOut });
    await replyFrom(phone, "SAIR");
    await replyFrom(phone, "chega de mensagens");
    await eventually(async () => {
      const { body } = await account.get("/v1/sms/receive/search");
      expect(body.total).toBe(2);
    });
    const second = await send();
    await eventually(async () => expect(await sent(second)).toBe(2));
    await replyFrom(phone, "CHEGA!");
    await eventually(async () => expect(await texts()).toContain("Ok."));
    expect(await sent(await send())).toBe(204);
    expect(await texts()).not.toContain(OUT);
  });

  it("is sent nothing by Mesago's clients either", async () => {
    const account = await TestAccount.create();
    const phone = phoneOfOurOwn();
    await account.sendSms({ destination: phone, correlationId: "asked" });
    await eventually(async () => expect(await account.codes("asked")).toBe("03/120"));
    await replyFrom(phone, "Cancelar");
    await eventually(async () => {
      expect((await outbox.list(phone)).map(({ text }) => text)).toContain(OUT);
    });
    const { body } = await account.sendSms({ destination: phone });
    expect(body.sendSmsResponse).toMatchObject({ statusCode: "06", detailCode: "130" });
    const bulk = await account.sendMany([{ destination: phone }, { destination: phoneOfOurOwn() }]);
    expect(bulk.body.map(({ detailCode }: { detailCode: string }) => detailCode)).toEqual([
      "130",
      "000",
    ]);
  });
});
