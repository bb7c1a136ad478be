import { receiptUrl } from "../../../functions/adapters/carriers/kannel/receipt-url.ts";
import type { MessageRef } from "../../../functions/core/message.ts";
import type { HttpRequest } from "../http-events.ts";
import { SHORT_CODE } from "../stack.ts";
import { messagesIn, putReceipts, sendRequests } from "./sms.ts";
import { type Setting, STAGES, type Workload } from "./workload.ts";

/** So many messages are with the carrier. */
async function handOver(setting: Setting, messages: number): Promise<void> {
  await setting.world.request(sendRequests(setting, messages));
  await setting.world.pump();
}

/** Has the functions apply what carriers report, and tell of it on the bus; nobody is called back. */
async function apply({ world }: Setting): Promise<void> {
  await world.pumpOnly("carrier-events");
  await world.pumpOnly("status-events");
}

/** So many receipts that somebody else puts on the queue. */
export const receiptsByQueue = (messages: number): Workload => ({
  name: "receipts-queue",
  title: "receipts by queue",
  about: `${messages} receipts that somebody else puts on the queue, until their events are on the bus`,
  messages,
  callbacks: 0,
  prepare: (setting) => handOver(setting, messages),
  async run(setting) {
    setting.world.enter(STAGES.event);
    await putReceipts(setting, messages);
    await apply(setting);
    await messagesIn(setting, "DELIVERED", messages);
  },
});

/** So many receipts that a Kannel reports over HTTP, each by a request. */
export const receiptsByHttp = (messages: number): Workload => ({
  name: "receipts-http",
  title: "receipts over HTTP",
  about: `${messages} receipts that a Kannel reports, each by a request, until their events are on the bus`,
  messages,
  callbacks: 0,
  prepare: (setting) => handOver(setting, messages),
  async run(setting) {
    const { world } = setting;
    world.enter(STAGES.event);
    const sent = await messagesIn(setting, "SENT", messages);
    await world.request(sent.map((ref) => reportOf(setting, ref)));
    await apply(setting);
    await messagesIn(setting, "DELIVERED", messages);
  },
});

/** What Kannel makes of the URL that it was given with a message. */
function reportOf({ customer }: Setting, ref: MessageRef): HttpRequest {
  const filledIn: Readonly<Record<string, string>> = {
    "%d": "1",
    "%A": "id%3A0123456789+sub%3A001+dlvrd%3A001+stat%3ADELIVRD+err%3A000",
    "%T": String(Math.floor(Date.now() / 1_000)),
    "%P": SHORT_CODE,
    "%%": "%",
  };
  const told = receiptUrl(
    `https://gateway.example${customer.receiptPath}`,
    { ref },
    { smscsAreOperators: false },
  );
  const url = new URL(told.replace(/%[dATP%]/g, (sign) => filledIn[sign] ?? sign));
  return { method: "GET", path: url.pathname + url.search };
}
