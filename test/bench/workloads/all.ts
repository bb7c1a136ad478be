import { bulk } from "./bulk.ts";
import { callbacks } from "./callbacks.ts";
import { mo } from "./mo.ts";
import { receiptsByHttp, receiptsByQueue } from "./receipts.ts";
import { scheduled } from "./scheduled.ts";
import { singles } from "./singles.ts";
import { statusSearch } from "./status-search.ts";
import type { Workload } from "./workload.ts";

/** How many messages those workloads are about that goals are set for. */
const MESSAGES = 1_000;
/** Of parts of a message's way, fewer show as much. */
const OF_PARTS = 500;
/** Where each is a request of its own, those who are in a hurry make fewer. */
const QUICK = 200;

/** What is measured; a campaign of a hundred thousand is a part of the growth. */
export const allWorkloads = (isQuick: boolean): readonly Workload[] => [
  bulk(MESSAGES),
  singles(isQuick ? QUICK : MESSAGES),
  scheduled(MESSAGES),
  receiptsByQueue(OF_PARTS),
  receiptsByHttp(isQuick ? QUICK : OF_PARTS),
  callbacks(OF_PARTS),
  statusSearch("ids", 5),
  statusSearch("correlationIds", 2),
  mo(OF_PARTS),
];

/** Messages after which functions are as fast as they get, and those for whoever is in a hurry. */
const WARM_UP = { bulks: 10, singles: 1_000 };
const QUICK_WARM_UP = { bulks: 4, singles: 200 };

/** What runs before anything is measured. */
export function warmUpWorkloads(isQuick: boolean): readonly Workload[] {
  const { bulks, singles: messages } = isQuick ? QUICK_WARM_UP : WARM_UP;
  return [...Array.from({ length: bulks }, () => bulk(MESSAGES)), singles(messages)];
}
