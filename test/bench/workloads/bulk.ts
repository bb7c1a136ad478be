import { BULK_SIZE, messagesIn, putReceipts, sendRequests } from "./sms.ts";
import { STAGES, type Workload } from "./workload.ts";

/** Bulk requests at work at the same time. */
const AT_ONCE = 10;

/** So many messages in bulk requests, until their final callbacks are posted. */
export const bulk = (messages: number, perRequest = BULK_SIZE): Workload => ({
  name: "bulk",
  title: "bulk messages",
  about:
    messages <= perRequest
      ? `${messages} messages in a bulk request, until their final callbacks are posted`
      : `${messages} messages in bulk requests of ${perRequest}, until their final callbacks are posted`,
  messages,
  callbacks: messages,
  async run(setting) {
    const { world } = setting;
    const atOnce = AT_ONCE * BULK_SIZE;
    for (let from = 0; from < messages; from += atOnce) {
      const some = Math.min(atOnce, messages - from);
      world.enter(STAGES.accept, STAGES.told);
      await world.request(sendRequests(setting, some, { perRequest, from }));
      await world.pump();
      world.enter(STAGES.receipt);
      await putReceipts(setting, some, from);
      await world.pump();
    }
    await messagesIn(setting, "DELIVERED", messages);
  },
});
