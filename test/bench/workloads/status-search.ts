import type { HttpRequest } from "../http-events.ts";
import { assertCount, BULK_SIZE, smsOf } from "./sms.ts";
import { type Setting, STAGES, type Workload } from "./workload.ts";

/** The ids of messages in the answer to a bulk request, which has one itself. */
const ID = /"id":"([^"]+)"(?=[^{}]*"correlationId")/g;

/**
 * Searches of Wavy's for as many messages as one may be for, by their ids or by the client's.
 * @param searches of a run: one alone would be little to measure
 */
export function statusSearch(by: "ids" | "correlationIds", searches: number): Workload {
  let names: readonly string[] = [];
  const messages = searches * BULK_SIZE;
  return {
    name: by === "ids" ? "search-ids" : "search-correlation",
    title: by === "ids" ? "searches by id" : "searches by correlation id",
    about: `${searches} status searches of the Wavy API, each for ${BULK_SIZE} messages by ${by === "ids" ? "their ids" : "correlation ids"}; all by message`,
    messages,
    callbacks: 0,
    isReadOnly: true,
    async prepare(setting) {
      const { world } = setting;
      const [answer = ""] = await world.request([sendBulk(setting)]);
      await world.pump();
      const ids = [...answer.matchAll(ID)].map(([, id]) => id ?? "");
      assertCount("ids", ids.length, BULK_SIZE);
      names =
        by === "ids"
          ? ids
          : Array.from(
              { length: BULK_SIZE },
              (_, index) => smsOf(setting.run, index).correlationId,
            );
    },
    async run({ world, customer }) {
      world.enter(STAGES.request);
      const search: HttpRequest = {
        method: "POST",
        path: "/v1/sms/status/search",
        headers: customer.wavyHeaders,
        body: { [by]: names },
      };
      const answers = await world.request(Array.from({ length: searches }, () => search));
      for (const answer of answers) {
        const found = [...answer.matchAll(/"sentStatusCode"/g)].length;
        assertCount("messages found", found, BULK_SIZE);
      }
    },
  };
}

const sendBulk = ({ customer, run }: Setting): HttpRequest => ({
  method: "POST",
  path: "/v1/send-bulk-sms",
  headers: customer.wavyHeaders,
  body: {
    messages: Array.from({ length: BULK_SIZE }, (_, index) => {
      const { destination, messageText, correlationId } = smsOf(run, index);
      return { destination, messageText, correlationId };
    }),
  },
});
