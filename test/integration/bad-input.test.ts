import { beforeAll, describe, expect, it } from "vitest";
import { eventually } from "./support/eventually.ts";
import { outbox, phoneOfOurOwn, TestAccount } from "./support/stack.ts";

describe("input that no client should send", () => {
  let account: TestAccount;
  beforeAll(async () => {
    account = await TestAccount.create();
  });

  it.each([
    ["null", "null"],
    ["a list", "[]"],
    ["a text", '"sendSmsRequest"'],
    ["an envelope that is a list", '{"sendSmsRequest":[]}'],
    ["another operation's envelope", '{"sendSmsMultiRequest":{"messages":[]}}'],
    ["a prototype", '{"__proto__":{"sendSmsRequest":{}}}'],
    ["deep nesting", `{"sendSmsRequest":${"[".repeat(100_000)}${"]".repeat(100_000)}}`],
  ])("is answered where the body is %s", async (_, body) => {
    const { status, body: answer } = await account.post("/api/send-sms", body);
    expect(status).toBe(400);
    expect(answer.sendSmsResponse.detailCode).toMatch(/^17[02]$/);
  });

  it("is answered in place where elements of a bulk request are no objects", async () => {
    const { status, body } = await account.sendMany([
      null as never,
      5 as never,
      [] as never,
      { destination: 5519900001111 },
      { destination: "5519900001111", timeWindow: [24] },
    ]);
    expect(status).toBe(201);
    expect(body.map(({ detailCode }: { detailCode: string }) => detailCode)).toEqual([
      "170",
      "170",
      "170",
      "000",
      "015",
    ]);
  });

  it.each(["a/b", "100%", 'quo"te', "ção ü 😀", "'; DROP TABLE", "a#b", "__proto__", "a_001"])(
    "finds and cancels a bulk message whose id is %s",
    async (correlationId) => {
      const scheduledDate = new Date(Date.now() + 600_000).toISOString();
      await account.sendMany([{ destination: "5519900001111", correlationId }], { scheduledDate });
      expect(await account.status(correlationId)).toMatchObject({ id: correlationId });
      expect(await account.cancel(correlationId)).toBe("09/002");
    },
  );

  it("takes a schedule in the gap of daylight saving, and one that happens twice", async () => {
    const year = new Date().getUTCFullYear() + (new Date().getUTCMonth() > 1 ? 1 : 0);
    // The second Sunday of March, at two in the morning, is skipped in New York.
    const secondSunday = 14 - ((new Date(Date.UTC(year, 2, 1)).getUTCDay() + 6) % 7);
    const answer = await account.sendSms({
      correlationId: "gap",
      scheduledDate: `${year}-03-${String(secondSunday).padStart(2, "0")}T02:30:00`,
      timeZone: "America/New_York",
    });
    expect(answer.body.sendSmsResponse.detailCode).toBe("000");
    expect(await account.cancel("gap")).toBe("09/002");
  });

  it("takes a message by GET, with the same fields in the query", async () => {
    const phone = phoneOfOurOwn();
    const query = new URLSearchParams({
      version: "1.0",
      destination: phone,
      messageText: "Olá & até já, 100% + mais",
      correlationId: "by-get",
      flashSMS: "true",
      timeWindow: "0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23",
      timeZone: "UTC",
    });
    const { status, body } = await account.request(`/api/send-sms?${query}`);
    expect([status, body.sendSmsResponse.detailCode]).toEqual([201, "000"]);
    await eventually(async () => expect(await account.codes("by-get")).toBe("03/120"));
    expect(await outbox.list(phone)).toMatchObject([
      { text: "Olá & até já, 100% + mais", flash: true },
    ]);
    const refused = await account.request(`/api/send-sms?destination=${phone}`);
    expect([refused.status, refused.body.sendSmsResponse.detailCode]).toEqual([200, "010"]);
  });
});
