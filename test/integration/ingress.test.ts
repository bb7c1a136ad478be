import { randomUUID } from "node:crypto";
import { beforeAll, describe, expect, it } from "vitest";
import { createDocumentClient } from "../../functions/adapters/dynamodb/client.ts";
import { createMessageStore } from "../../functions/adapters/dynamodb/messages.ts";
import { type Message, refOf } from "../../functions/core/message.ts";
import { systemClock } from "../../functions/runtime/system.ts";
import { type CallbackReceiver, receiversOfTests } from "./support/callback-receiver.ts";
import { adminJson } from "./support/command-line.ts";
import { eventually } from "./support/eventually.ts";
import { logLines } from "./support/logs.ts";
import { clientConfig, phoneOfOurOwn, stack, TestAccount } from "./support/stack.ts";

const startReceiver = receiversOfTests();
const messages = createMessageStore({
  client: createDocumentClient(clientConfig),
  tableName: stack.outputs.MessagesTableName,
  clock: systemClock,
});

/** The sandbox's own receipt for numbers that end so comes after 99 seconds, for which nobody waits. */
const SLOW_RECEIPT = "8199";

/** Where a carrier reports receipts, or MOs. */
const urlOf = (carrier: string, what: "dlr" | "mo") =>
  `${stack.apiUrl}/carriers/${carrier}/${what}`;
const DLR = urlOf("sandbox", "dlr");
const MO = urlOf("sandbox", "mo");

/** Lets the carrier that the stage hands messages to report over HTTP. @returns its secret */
async function letSandboxReport(): Promise<string> {
  const ofSandbox = ["--name", "sandbox"];
  const { carriers } = await adminJson("carrier", "list");
  const isThere = carriers.some(({ carrier }: { carrier: string }) => carrier === "sandbox");
  const { secret } = await (isThere
    ? adminJson("carrier", "rotate-secret", ...ofSandbox)
    : adminJson("carrier", "add", ...ofSandbox, "--protocol", "sandbox"));
  return secret;
}

async function report(url: string, body: unknown, authorization?: string) {
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json", ...(authorization && { authorization }) },
    body: JSON.stringify(body),
  });
  return { status: response.status, body: await response.json() };
}

const receiptOf = (message: Message) => ({
  ref: refOf(message),
  outcome: "delivered",
  at: new Date().toISOString(),
});

const TAKEN = { status: 200, body: { taken: 1 } };

describe("a carrier that reports over HTTP", () => {
  let secret: string;
  let bearer: string;
  let account: TestAccount;
  let receiver: CallbackReceiver;

  beforeAll(async () => {
    [secret, account, receiver] = await Promise.all([
      letSandboxReport(),
      TestAccount.create(),
      startReceiver(),
    ]);
    bearer = `Bearer ${secret}`;
    await account.addEndpoint(receiver.url);
    // A function that knew an older secret knows it for some seconds.
    await eventually(async () => {
      expect(await report(DLR, {}, bearer)).toMatchObject({ status: 400 });
    });
  });

  /** A message of which the carrier says nothing by itself. */
  async function sent(): Promise<Message> {
    const destination = phoneOfOurOwn(SLOW_RECEIPT);
    const correlationId = randomUUID();
    await account.sendSms({ destination, correlationId });
    await eventually(async () => expect(await account.codes(correlationId)).toBe("02/110"));
    const message = await messages.find(account.name, correlationId);
    if (!message) throw new Error("the message is gone");
    return message;
  }

  it.concurrent.each([
    ["as a bearer token", () => [DLR, bearer] as const],
    ["as a password", () => [DLR, `Basic ${btoa(`whoever:${secret}`)}`] as const],
    ["in the URL", () => [`${DLR}?secret=${encodeURIComponent(secret)}`] as const],
  ])("tells by a receipt that a message was delivered, its secret %s", async (_, withSecret) => {
    const message = await sent();
    const [url, authorization] = withSecret();
    expect(await report(url, receiptOf(message), authorization)).toEqual(TAKEN);
    await eventually(async () => expect(await account.codes(message.id)).toBe("03/120"));
    await eventually(() =>
      expect(new Set(receiver.statusesOf(message.id))).toEqual(new Set(["02/110", "03/120"])),
    );
  });

  it.concurrent("tells of many messages at once", async () => {
    const [one, other] = await Promise.all([sent(), sent()]);
    const notDelivered = { outcome: "not-delivered", reason: "inactive-number" };
    const both = [receiptOf(one), { ...receiptOf(other), ...notDelivered }];
    expect(await report(DLR, both, bearer)).toEqual({ status: 200, body: { taken: 2 } });
    await eventually(async () => {
      expect(await account.codes(one.id)).toBe("03/120");
      expect(await account.codes(other.id)).toBe("04/145");
    });
  });

  it.concurrent("brings the answer of a phone to the account whose message it answers", async () => {
    const { id, destination, shortCode } = await sent();
    const mo = { from: destination, shortCode, text: "Sim", carrierMessageId: randomUUID() };
    const reported = [{ ...mo, at: new Date().toISOString() }];
    // It comes twice.
    expect(await report(MO, reported, bearer)).toEqual(TAKEN);
    expect(await report(MO, reported, bearer)).toEqual(TAKEN);
    await eventually(() =>
      expect(receiver.mos).toContainEqual(
        expect.objectContaining({ mobile: destination, body: "Sim", correlatedMessageSmsId: id }),
      ),
    );
    expect(await account.listReceived()).toMatchObject([{ mobile: destination }]);
  });

  it.concurrent("is not let in by another secret, and is told what is wrong with its report", async () => {
    expect(await report(DLR, {}, "Bearer wrong")).toMatchObject({ status: 401 });
    expect(await report(DLR, {})).toMatchObject({ status: 401 });
    expect(await report(urlOf("nobody", "dlr"), {}, bearer)).toMatchObject({ status: 401 });
    expect(await report(DLR, { outcome: "delivered" }, bearer)).toMatchObject({
      status: 400,
      body: { error: expect.stringMatching(/^ref: /) },
    });
    expect((await fetch(`${DLR}?secret=${secret}`)).status).toBe(400);
  });

  it.concurrent("reports of its own messages, and of no other carrier's, until it is removed", async () => {
    const name = `other-${randomUUID().slice(0, 8)}`;
    const ofOther = ["--name", name];
    const add = adminJson("carrier", "add", ...ofOther, "--protocol", "sandbox");
    const [other, message] = await Promise.all([add, sent()]);
    const itsOwn = `Bearer ${other.secret}`;
    const itsUrl = urlOf(name, "dlr");
    expect(await report(DLR, receiptOf(message), itsOwn)).toMatchObject({ status: 401 });
    expect(await report(itsUrl, receiptOf(message), itsOwn)).toEqual(TAKEN);
    await eventually(async () => {
      const lines = await logLines("CarrierEvents");
      const ofMessage = lines.filter((line) => line.includes(message.traceId));
      expect(ofMessage.join("\n")).toContain("another-carrier");
    });
    expect(await account.codes(message.id)).toBe("02/110");

    await adminJson("carrier", "remove", ...ofOther);
    await eventually(async () =>
      expect(await report(itsUrl, receiptOf(message), itsOwn)).toMatchObject({ status: 401 }),
    );
  });
});
