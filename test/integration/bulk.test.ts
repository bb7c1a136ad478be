import { ListSchedulesCommand, SchedulerClient } from "@aws-sdk/client-scheduler";
import { beforeAll, describe, expect, it } from "vitest";
import { SEND_SMS_MULTIPLE_EXAMPLES } from "../support/mesago-examples.ts";
import { eventually } from "./support/eventually.ts";
import { clientConfig, outbox, phoneOfOurOwn, stack, TestAccount } from "./support/stack.ts";

const ok = {
  statusCode: "00",
  statusDescription: "Ok",
  detailCode: "000",
  detailDescription: "Message Sent",
};

const detailCodes = (list: { detailCode: string }[]) => list.map(({ detailCode }) => detailCode);

const inMinutes = (minutes: number) => new Date(Date.now() + minutes * 60_000).toISOString();

async function schedules(): Promise<string[]> {
  const { Schedules = [] } = await new SchedulerClient(clientConfig).send(
    new ListSchedulesCommand({ GroupName: `torpedo-${stack.stage}`, MaxResults: 100 }),
  );
  return Schedules.map(({ Name }) => Name ?? "").sort();
}

describe("bulk requests over HTTP", () => {
  let account: TestAccount;
  beforeAll(async () => {
    account = await TestAccount.create();
  });

  it("takes a thousand messages, refuses three of them, and knows all others at once", async () => {
    const messages = Array.from({ length: 1_000 }, (_, index): object => ({
      destination: "5519900001111",
      correlationId: `bulk-${index}`,
    }));
    messages[10] = { destination: "123", correlationId: "bulk-10" };
    messages[500] = { destination: "5519900001111", correlationId: "bulk-499" };
    messages[999] = { destination: "5519900001111", messageText: "x".repeat(161) };
    // So late that the emulator need not send them all; the next test sends some.
    const { status, body } = await account.sendMany(messages, { scheduledDate: inMinutes(60) });
    expect(status).toBe(201);
    expect(body).toHaveLength(1_000);
    const refused = detailCodes(body).flatMap((code, index) =>
      code === "000" ? [] : [[index, code]],
    );
    expect(refused).toEqual([
      [10, "013"],
      [500, "080"],
      [999, "012"],
    ]);
    const asked = ["bulk-0", "bulk-499", "bulk-998"];
    for (const id of asked) expect(await account.codes(id)).toBe("01/100");
    for (const id of ["bulk-10", "bulk-999"]) expect(await account.codes(id)).toBe("10/180");
    const again = await account.sendMany(messages);
    expect(detailCodes(again.body).filter((code) => code === "000")).toEqual([]);
  });

  it("hands each message of a bulk over once, and takes it to the phone", async () => {
    const phone = phoneOfOurOwn("2222");
    const ids = Array.from({ length: 45 }, (_, index) => `sent-${index}`);
    await account.sendMany(ids.map((correlationId) => ({ destination: phone, correlationId })));
    for (const id of ["sent-0", "sent-44"]) {
      expect(await account.codes(id)).toMatch(/^(00\/100|02\/110|03\/120)$/);
    }
    await eventually(async () => expect(await outbox.list(phone)).toHaveLength(ids.length));
    const handedOver = (await outbox.list(phone)).map(({ messageId }) => messageId);
    expect(handedOver.sort()).toEqual(ids.sort());
    await eventually(async () => {
      for (const id of ids) expect(await account.codes(id)).toBe("03/120");
    });
  });

  it.each([1, 3, "withIds"] as const)("takes the document's example %s", async (example) => {
    const { status, body } = await (await TestAccount.create()).post(
      "/api/send-sms-multiple",
      SEND_SMS_MULTIPLE_EXAMPLES[example],
    );
    expect(status).toBe(201);
    const list: { id?: string }[] = body.sendSmsMultiResponse.sendSmsResponseList;
    expect(list.map(({ id: _, ...documented }) => documented)).toEqual(list.map(() => ok));
  });

  it("refuses the document's example 2, whose schedule is long past", async () => {
    const { status, body } = await account.post(
      "/api/send-sms-multiple",
      SEND_SMS_MULTIPLE_EXAMPLES[2],
    );
    expect(status).toBe(200);
    expect(detailCodes(body.sendSmsMultiResponse.sendSmsResponseList)).toEqual(["015", "015"]);
  });

  it("finds duplicates of single messages, of bulk messages, and the other way round", async () => {
    await account.sendSms({ correlationId: "was-single" });
    const first = await account.sendMany([
      { destination: "5519900001111", correlationId: "was-single" },
      { destination: "5519900001111", correlationId: "was-bulk" },
    ]);
    expect(detailCodes(first.body)).toEqual(["080", "000"]);
    const again = await account.sendMany([
      { destination: "5519900001111", correlationId: "was-bulk" },
    ]);
    expect([again.status, detailCodes(again.body)]).toEqual([200, ["080"]]);
    const single = await account.sendSms({ correlationId: "was-bulk" });
    expect(single.body.sendSmsResponse.detailCode).toBe("080");
  });

  it("sends a scheduled bulk when it is due, without the message that was cancelled", async () => {
    const phone = phoneOfOurOwn();
    const scheduledDate = new Date(Date.now() + 4_000).toISOString();
    const ids = ["due-1", "due-2", "due-3"];
    await account.sendMany(
      ids.map((correlationId) => ({ destination: phone, correlationId })),
      { scheduledDate },
    );
    expect(await account.codes("due-3")).toBe("01/100");
    expect(await account.cancel("due-2")).toBe("09/002");
    expect(await account.cancel("due-2")).toBe("09/132");
    await eventually(async () => {
      expect(await account.codes("due-1")).toBe("03/120");
      expect(await account.codes("due-3")).toBe("03/120");
    });
    expect(await account.codes("due-2")).toBe("09/002");
    const handedOver = await outbox.list(phone);
    expect(handedOver.map(({ messageId }) => messageId).sort()).toEqual(["due-1", "due-3"]);
    for (const { receivedAt } of handedOver) {
      expect(receivedAt).toBeGreaterThanOrEqual(Date.parse(scheduledDate));
    }
    expect(await account.cancel("due-1")).toBe("10/120");
  });

  it("keeps one schedule per due time, until nothing of it is left to send", async () => {
    const before = await schedules();
    const made = async () => (await schedules()).filter((name) => !before.includes(name));
    await account.sendMany([
      { destination: "5519900001111", correlationId: "far-1", scheduledDate: inMinutes(60) },
      { destination: "5519900001111", correlationId: "near", scheduledDate: inMinutes(5) },
    ]);
    const scheduledDate = inMinutes(90);
    await account.sendMany(
      ["far-2", "far-3"].map((correlationId) => ({ destination: "5519900001111", correlationId })),
      { scheduledDate },
    );
    const single = { correlationId: "far-4", scheduledDate: inMinutes(120) };
    expect((await account.sendSms(single)).status).toBe(201);
    expect(await made()).toHaveLength(3);
    await account.cancel("far-2");
    expect(await made()).toHaveLength(3);
    for (const id of ["far-1", "far-3", "far-4", "near"]) {
      expect(await account.cancel(id)).toBe("09/002");
    }
    expect(await made()).toEqual([]);
  });

  it("ends a race between cancelling and coming due in exactly one of the two, a hundred times", async () => {
    const phone = phoneOfOurOwn("3333");
    const due = Date.now() + 5_000;
    const ids = Array.from({ length: 100 }, (_, index) => `race-${index}`);
    const { body } = await account.sendMany(
      ids.map((correlationId) => ({ destination: phone, correlationId })),
      { scheduledDate: new Date(due).toISOString() },
    );
    expect(new Set(detailCodes(body))).toEqual(new Set(["000"]));
    // From a second before the due time on, for as long as it takes.
    await eventually(() => expect(Date.now()).toBeGreaterThan(due - 1_000));
    const answers: string[] = [];
    for (const id of ids) answers.push(await account.cancel(id));
    const sent = ids.filter((_, index) => answers[index] !== "09/002");
    await eventually(async () =>
      expect((await outbox.list(phone)).map(({ messageId }) => messageId).sort()).toEqual(
        sent.sort(),
      ),
    );
    for (const [index, id] of ids.entries()) {
      if (!sent.includes(id)) expect(await account.codes(id)).toBe("09/002");
      else expect(answers[index]).toMatch(/^10\/(100|110|120)$/);
    }
  });

  it.each([
    ["1001 messages", { messages: Array(1_001).fill({ destination: "5519900001111" }) }, "170"],
    ["no messages", { messages: [] }, "172"],
    ["messages that are no list", { messages: { destination: "5519900001111" } }, "170"],
    ["no list of messages", {}, "172"],
    ["defaults that are no object", { messages: [{}], defaultValues: ["x"] }, "170"],
  ])("answers %s as a whole", async (_, sendSmsMultiRequest, detailCode) => {
    const answer = await account.post("/api/send-sms-multiple", { sendSmsMultiRequest });
    expect(answer.status).toBe(400);
    expect(answer.body.sendSmsMultiResponse).toMatchObject({
      detailCode,
      hint: expect.any(String),
      sendSmsResponseList: [],
    });
  });
});
