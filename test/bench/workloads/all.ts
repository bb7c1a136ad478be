import { bulk } from "./bulk.ts";
import { callbacks } from "./callbacks.ts";
import { mo } from "./mo.ts";
import { receiptsByHttp, receiptsByQueue } from "./receipts.ts";
import { scheduled } from "./scheduled.ts";
import { singles } from "./singles.ts";
import { statusSearch } from "./status-search.ts";
import type { Workload } from "./workload.ts";

/** How many messages those workloads are about that goals are set for; single ones take requests by the message. */
const MESSAGES = { bulk: 1_000, singles: 500 };
/** Of parts of a message's way, fewer show as much. */
const OF_PARTS = 500;
/** Where each is a request of its own, those who are in a hurry make fewer. */
const QUICK = 200;

/** What is measured; a campaign of a hundred thousand goes before it. */
export const allWorkloads = (isQuick: boolean): readonly Workload[] => [
  bulk(MESSAGES.bulk),
  singles(isQuick ? QUICK : MESSAGES.singles),
  scheduled(MESSAGES.bulk),
  receiptsByQueue(OF_PARTS),
  receiptsByHttp(isQuick ? QUICK : OF_PARTS),
  callbacks(OF_PARTS),
  statusSearch("ids", 5),
  statusSearch("correlationIds", 2),
  mo(OF_PARTS),
];

/** Single messages after which functions are hardly faster, and for whoever is in a hurry. */
const WARM_UP = 3_000;
const QUICK_WARM_UP = 200;

/** What runs before anything is measured, beside a campaign. */
export const warmUpWorkload = (isQuick: boolean): Workload =>
  singles(isQuick ? QUICK_WARM_UP : WARM_UP);
