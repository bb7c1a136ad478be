import { messagesIn, putReceipts, sendSingles } from "./sms.ts";
import { type Setting, STAGES, type Workload } from "./workload.ts";

/** So many messages, each by a request of its own, until its final callback is posted. */
export const singles = (messages: number): Workload => ({
  name: "singles",
  title: "single messages",
  about: `${messages} messages, each by a request of its own, until their final callbacks are posted`,
  messages,
  callbacks: messages,
  async run(setting: Setting) {
    const { world } = setting;
    world.enter(STAGES.accept, STAGES.told);
    await world.request(sendSingles(setting, messages));
    await world.pump();
    world.enter(STAGES.receipt);
    await putReceipts(setting, messages);
    await world.pump();
    await messagesIn(setting, "DELIVERED", messages);
  },
});
