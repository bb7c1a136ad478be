import { slicesOf } from "../../../functions/core/slices.ts";
import { CARRIER, SHORT_CODE } from "../stack.ts";
import { BULK_SIZE, phoneOf, putReceipts, sendRequests } from "./sms.ts";
import { STAGES, type Workload } from "./workload.ts";

/** So many phones answer what they were sent, until the endpoint is told. */
export const mo = (messages: number): Workload => ({
  name: "mo",
  title: "MOs",
  about: `${messages} MOs that answer messages, put on the queue by somebody else, until the endpoint is told`,
  messages,
  callbacks: messages,
  async prepare(setting) {
    const { world } = setting;
    await world.request(sendRequests(setting, messages));
    await world.pump();
    await putReceipts(setting, messages);
    await world.pump();
  },
  async run({ world, customer, run }) {
    world.enter(STAGES.mo);
    const answers = Array.from({ length: messages }, (_, index) => ({
      type: "mo" as const,
      carrier: CARRIER,
      carrierMessageId: `mo-${run}-${index}`,
      from: phoneOf(index),
      shortCode: SHORT_CODE,
      text: "Sim, obrigada",
      at: Date.now(),
    }));
    await world.outside(async () => {
      for (const some of slicesOf(answers, BULK_SIZE)) await customer.reports.enqueueMany(some);
    });
    await world.pump();
  },
});
