import { bulk } from "./bulk.ts";
import { callbacks } from "./callbacks.ts";
import { mo } from "./mo.ts";
import { receiptsByHttp, receiptsByQueue } from "./receipts.ts";
import { scheduled } from "./scheduled.ts";
import { singles } from "./singles.ts";
import { statusSearch } from "./status-search.ts";
import type { Workload } from "./workload.ts";

/** How many messages a workload is about. */
const MESSAGES = 1_000;
/** Where each is a request of its own, fewer show as much. */
const QUICK_SINGLES = 200;

/** What is measured; a campaign of a hundred thousand is a part of the growth. */
export const allWorkloads = (isQuick: boolean): readonly Workload[] => [
  bulk(MESSAGES),
  singles(isQuick ? QUICK_SINGLES : MESSAGES),
  scheduled(MESSAGES),
  receiptsByQueue(MESSAGES),
  receiptsByHttp(isQuick ? QUICK_SINGLES : MESSAGES),
  callbacks(MESSAGES),
  statusSearch("ids"),
  statusSearch("correlationIds"),
  mo(MESSAGES),
];

/** Messages after which functions are as fast as they get, and those for whoever is in a hurry. */
const WARM_UP = { bulks: 10, singles: 1_000 };
const QUICK_WARM_UP = { bulks: 4, singles: 200 };

/** What runs before anything is measured. */
export function warmUpWorkloads(isQuick: boolean): readonly Workload[] {
  const { bulks, singles: messages } = isQuick ? QUICK_WARM_UP : WARM_UP;
  return [...Array.from({ length: bulks }, () => bulk(MESSAGES)), singles(messages)];
}
