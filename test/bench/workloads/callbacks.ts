import { putReceipts, sendRequests } from "./sms.ts";
import { STAGES, type Workload } from "./workload.ts";

/** So many events of delivered messages that wait for their endpoint to be told. */
export const callbacks = (messages: number): Workload => ({
  name: "callbacks",
  title: "callbacks",
  about: `${messages} last words that wait for the endpoint to be told of them, until they are posted`,
  messages,
  callbacks: messages,
  async prepare(setting) {
    const { world } = setting;
    await world.request(sendRequests(setting, messages));
    await world.pump();
    await putReceipts(setting, messages);
    await world.pumpOnly("carrier-events");
    await world.pumpOnly("status-events");
  },
  async run({ world }) {
    world.enter(STAGES.callback);
    await world.pumpOnly("callback");
  },
});
