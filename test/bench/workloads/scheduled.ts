import { messagesIn, putReceipts, sendRequests } from "./sms.ts";
import { STAGES, type Workload } from "./workload.ts";

const HOUR_MS = 60 * 60 * 1_000;
/** EventBridge Scheduler fires within the minute. */
const LATE_MS = 30_000;

/** So many messages in a bulk request that are due in an hour, until their final callbacks are posted. */
export const scheduled = (messages: number): Workload => ({
  name: "scheduled",
  title: "scheduled bulk messages",
  about: `${messages} messages in a bulk request that are due in an hour, until their final callbacks are posted`,
  messages,
  callbacks: messages,
  async run(setting) {
    const { world } = setting;
    world.enter(STAGES.accept, STAGES.told);
    const scheduledDate = new Date(Math.ceil((Date.now() + HOUR_MS) / 1_000) * 1_000).toISOString();
    await world.request(sendRequests(setting, messages, { fields: { scheduledDate } }));
    await world.pump();
    world.aheadMs = HOUR_MS + LATE_MS;
    await world.outside(() => world.nullAws.control("fire"));
    await world.pump();
    world.enter(STAGES.receipt);
    await putReceipts(setting, messages);
    await world.pump();
    await messagesIn(setting, "DELIVERED", messages);
  },
});
