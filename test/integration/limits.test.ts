import { randomUUID } from "node:crypto";
import { describe, expect, it } from "vitest";
import { openDirectory } from "../../bin/directory-client.ts";
import { blockNumber, unblockNumber } from "../../functions/core/block-list.ts";
import type { UsageOwner } from "../../functions/core/limits.ts";
import { addCredit, changeLimits, readUsage } from "../../functions/core/usage.ts";
import { eventually } from "./support/eventually.ts";
import { clientConfig, phoneOfOurOwn, stack, TestAccount } from "./support/stack.ts";
import { TestWavyAccount } from "./support/wavy-account.ts";

const access = openDirectory(stack.outputs, clientConfig);
const AS_OFTEN_AS_IT_LIKES = { requestsPerSecond: 10_000, statusQueriesPerSecond: 10_000 };

type Settings = Parameters<typeof TestWavyAccount.create>[0];
const createAccount = (settings: Settings = {}) =>
  TestWavyAccount.create({ rateLimits: AS_OFTEN_AS_IT_LIKES, ...settings });

/** So late that the emulator need not send them. */
const later = () => ({ scheduledAt: Date.now() + 60 * 60 * 1_000 });
const times = <T>(count: number, what: (index: number) => Promise<T>) =>
  Promise.all(Array.from({ length: count }, (_, index) => what(index)));

/** Sends messages of one part each, all at the same time. @returns their ids */
const sendSingles = async (account: TestWavyAccount, count: number): Promise<string[]> => {
  const answers = await times(count, () => account.send(later()));
  return answers.flatMap(({ body }) => body.map(({ id }: { id: string }) => id));
};

/** How many messages are refused for want of credit, and how many not. */
async function tally(account: TestWavyAccount, ids: readonly string[]) {
  const { body } = await account.post("/v1/sms/status/search", { ids }, "admin");
  expect(body.total).toBe(ids.length);
  const codes = body.messages.map((it: { sentStatusCode?: number }) => it.sentStatusCode);
  const refused = codes.filter((code: number | undefined) => code === 201).length;
  expect(codes.filter((code: number | undefined) => code === undefined)).toHaveLength(
    ids.length - refused,
  );
  return { accepted: ids.length - refused, refused };
}

const usageOf = async (owner: UsageOwner) => (await readUsage(access, owner)).usage;

describe("limits of use", () => {
  it("of a day hold for messages that come all at once", async () => {
    const account = await createAccount({ limits: { perDay: 5 } });
    const ids = await sendSingles(account, 12);
    expect(await tally(account, ids)).toEqual({ accepted: 5, refused: 7 });
    expect(await usageOf({ account: account.name })).toMatchObject({ usedToday: 5 });
    expect(await tally(account, await sendSingles(account, 1))).toMatchObject({ accepted: 0 });
  });

  it("are counted in parts, in bulk requests that come all at once", async () => {
    const account = await createAccount({ limits: { perMonth: 50 } });
    const three = "x".repeat(400);
    const answers = await times(6, () =>
      account.sendBulk({
        messages: Array.from({ length: 10 }, (_, index) => ({
          destination: "5519900001111",
          ...(index % 5 === 0 && { messageText: three }),
        })),
        defaultValues: { messageText: "x" },
        ...later(),
      }),
    );
    const batches = answers.map(({ body }) => body.messages.map(({ id }: { id: string }) => id));
    const ids: string[] = batches.flat();
    const isLong = new Set<string>(batches.flatMap(([first, , , , , sixth]) => [first, sixth]));
    const { body } = await account.post("/v1/sms/status/search", { ids });
    expect(body.total).toBe(60);
    const accepted = body.messages.filter(
      (it: { sentStatusCode?: number }) => it.sentStatusCode === undefined,
    );
    const parts = accepted
      .map(({ id }: { id: string }) => (isLong.has(id) ? 3 : 1))
      .reduce((sum: number, count: number) => sum + count, 0);
    // There are short ones enough for what long ones leave.
    expect(parts).toBe(50);
    expect(await usageOf({ account: account.name })).toMatchObject({ usedThisMonth: 50 });
  });

  it("of account and sub-account both hold", async () => {
    const account = await createAccount({ limits: { perDay: 5 } });
    const owner = { account: account.name, subAccount: account.subAccount };
    await changeLimits(access, owner, { perDay: 3 });
    expect(await tally(account, await sendSingles(account, 8))).toMatchObject({ accepted: 3 });
    const answers = await times(6, () => account.send(later(), "admin"));
    const ids = answers.map(({ body }) => body[0].id);
    expect(await tally(account, ids)).toMatchObject({ accepted: 2 });
    expect(await usageOf(owner)).toMatchObject({ usedToday: 3 });
    expect(await usageOf({ account: account.name })).toMatchObject({ usedToday: 5 });
  });

  it("by credit hold, and end at once where credit is added", async () => {
    const account = await createAccount({ limits: { prepaid: true } });
    const owner = { account: account.name };
    expect(await addCredit(access, owner, 5, randomUUID())).toBe(5);
    expect(await tally(account, await sendSingles(account, 8))).toMatchObject({ accepted: 5 });
    expect(await usageOf(owner)).toMatchObject({ credit: 0 });
    expect(await addCredit(access, owner, 2, randomUUID())).toBe(2);
    expect(await tally(account, await sendSingles(account, 4))).toMatchObject({ accepted: 2 });
    expect(await usageOf(owner)).toMatchObject({ credit: 0 });
  });

  it("are told to Mesago's clients as 990, message by message", async () => {
    const account = await TestAccount.create({ limits: { perDay: 2, prepaid: false } });
    const scheduledDate = new Date(Date.now() + 60 * 60 * 1_000).toISOString();
    const first = await account.sendSms({ scheduledDate, correlationId: "first" });
    expect(first.body.sendSmsResponse.detailCode).toBe("000");
    const messages = [1, 2].map(() => ({ destination: "5519900001111" }));
    const { body } = await account.sendMany(messages, { scheduledDate });
    expect(body.map(({ detailCode }: { detailCode: string }) => detailCode)).toEqual([
      "000",
      "990",
    ]);
    expect((await account.sendSms({ scheduledDate })).body.sendSmsResponse).toMatchObject({
      statusCode: "09",
      detailCode: "990",
    });
    // The retry of one that was accepted is still told so.
    const retry = await account.sendSms({ scheduledDate, correlationId: "first" });
    expect(retry.body.sendSmsResponse.detailCode).toBe("080");
  });
});

describe("a blocked number", () => {
  it("is sent nothing until it is unblocked: 203 here, 130 for Mesago's clients", async () => {
    const [wavy, mesago] = await Promise.all([createAccount(), TestAccount.create()]);
    const phone = phoneOfOurOwn();
    const codes = async () => {
      const [ofWavy, ofMesago] = await Promise.all([
        wavy.send({ destination: phone, ...later() }),
        mesago.sendSms({
          destination: phone,
          scheduledDate: new Date(Date.now() + 60 * 60 * 1_000).toISOString(),
        }),
      ]);
      const { sentStatusCode } = await wavy.status(ofWavy.body[0].id);
      const { statusCode, detailCode } = ofMesago.body.sendSmsResponse;
      return [sentStatusCode, `${statusCode}/${detailCode}`];
    };
    expect(await codes()).toEqual([undefined, "00/000"]);
    for (const { name } of [wavy, mesago]) await blockNumber(access, name, `+${phone}`);
    expect(await codes()).toEqual([203, "06/130"]);
    for (const { name } of [wavy, mesago]) await unblockNumber(access, name, phone);
    expect(await codes()).toEqual([undefined, "00/000"]);
  });
});

describe("limits per second", () => {
  const LIST = "/v1/sms/status/list";
  const tooMany = (answers: readonly { status: number }[]) =>
    answers.filter(({ status }) => status === 429);

  it("let one status query through, and tell the others when to come back", async () => {
    const account = await TestWavyAccount.create();
    // A counter that the emulator is too busy for limits nobody for a second.
    const answers = await eventually(async () => {
      const burst = await times(30, () => account.get(LIST));
      expect(tooMany(burst).length).toBeGreaterThan(20);
      return burst;
    });
    for (const { status, headers, body } of answers) {
      expect([200, 429]).toContain(status);
      if (status !== 429) continue;
      expect(Number(headers.get("retry-after"))).toBeGreaterThanOrEqual(1);
      expect(body).toEqual({
        errorCode: "TOO_MANY_REQUESTS",
        errorMessage: expect.any(String),
      });
    }
    // Sending is not concerned, and a moment later one may ask again.
    expect(await account.send(later())).toMatchObject({ status: 200 });
    await eventually(async () => expect(await account.get(LIST)).toMatchObject({ status: 200 }));
  });

  it("are an account's own where it has some", async () => {
    const [fast, slow] = await Promise.all([
      createAccount(),
      TestWavyAccount.create({ rateLimits: { requestsPerSecond: 2 } }),
    ]);
    expect(tooMany(await times(12, () => fast.get(LIST)))).toEqual([]);
    await eventually(async () => {
      const burst = await times(12, () => slow.send({ destination: "123" }));
      expect(tooMany(burst).length).toBeGreaterThan(5);
    });
  });
});
