import { STAGES } from "../workloads/workload.ts";

/** The fewest calls to AWS that could do the job, by message. */
export interface LeastCalls {
  readonly workload: string;
  readonly stage: string;
  readonly calls: number;
  /** What they are. */
  readonly made: Readonly<Record<string, number>>;
}

/** The messages of a bulk request. */
const BULK = 1_000;
/** The most writes that one request carries, each with a condition of its own (BatchExecuteStatement). */
const WRITES = 25;
/** The most items that one request reads (BatchGetItem). */
const READS = 100;
/** The most messages of a SendMessageBatch, and the most entries of a PutEvents. */
const TOGETHER = 10;
/** What Lambda hands a function of a queue without waiting for more. */
const QUEUE_BATCH = 10;
/** What status-events is handed of the stream. */
const STREAM_BATCH = 100;
/** A record of 1 KB and its overhead, forty to a message of a queue that holds 256 KB at most. */
const REFERENCES = 40;

/** What is told of the end of a message's way. */
const LAST_WORD = {
  // An event of its own, by which rules can be as fine as they like.
  events: 1 / TOGETHER,
  "events, on the callbacks' queue": 1 / STREAM_BATCH,
};
const CALLBACK = { "callbacks, written down": 1 / WRITES };
/** From a receipt to the callback. */
const RECEIVED = { "receipts, applied": 1 / QUEUE_BATCH, ...LAST_WORD, ...CALLBACK };
/** From a batch that is read to its messages' hand-overs. */
const OF_BATCH = {
  // Each is an item with a condition: another may have its id by now.
  "messages, inserted": 1 / WRITES,
  "references, on their queue": 1 / REFERENCES / TOGETHER,
  "numbers that are blocked": 1 / READS,
  claims: 1 / WRITES,
  "hand-overs, written down": 1 / WRITES,
  "the batch, closed": 1 / BULK,
};
/** What is not the last word travels together. */
const TOLD = { events: 1 / STREAM_BATCH };

/**
 * By arithmetic, under the promises of the design: what is accepted is durable before it is
 * answered, an id is taken once, a message is claimed before it is handed over and its hand-over is
 * written down after, the last change is an event of its own, and each callback is known to have
 * been made.
 */
export const LEAST_CALLS: readonly LeastCalls[] = [
  least("bulk", STAGES.accept, {
    // Refused in place, so looked up before the answer.
    "ids that are taken": 1 / READS,
    "the batch, kept": 1 / BULK,
    "the batch, on its queue": 1 / BULK,
    "the batch, read": 1 / BULK,
    ...OF_BATCH,
  }),
  least("bulk", STAGES.told, TOLD),
  least("bulk", STAGES.receipt, RECEIVED),
  least("singles", STAGES.accept, {
    // By a request each, whose answer cannot wait for others.
    "the message, inserted": 1,
    "its reference, on its queue": 1,
    "numbers that are blocked": 1 / QUEUE_BATCH,
    claims: 1 / QUEUE_BATCH,
    "hand-overs, written down": 1 / QUEUE_BATCH,
  }),
  least("singles", STAGES.told, TOLD),
  least("singles", STAGES.receipt, RECEIVED),
  least("scheduled", STAGES.accept, {
    "ids that are taken": 1 / READS,
    "the batch, kept": 1 / BULK,
    "the schedule": 1 / BULK,
    "the batch, on its queue": 1 / BULK,
    "the batch, read twice": 2 / BULK,
    ...OF_BATCH,
  }),
  least("scheduled", STAGES.told, TOLD),
  least("scheduled", STAGES.receipt, RECEIVED),
  least("receipts-queue", STAGES.event, {
    "receipts, applied": 1 / QUEUE_BATCH,
    ...LAST_WORD,
  }),
  least("receipts-http", STAGES.event, {
    // Durable before the carrier is answered.
    "the receipt, on its queue": 1,
    "receipts, applied": 1 / QUEUE_BATCH,
    ...LAST_WORD,
  }),
  least("callbacks", STAGES.callback, CALLBACK),
  least("search-ids", STAGES.request, { "messages, read": 1 / READS }),
  least("search-correlation", STAGES.request, {
    // Ids that many messages may share, each of them a question of its own to an index.
    "messages, looked up": 1,
    "messages, read": 1 / READS,
  }),
  least("mo", STAGES.mo, {
    // Each phone's last message is a question of its own to an index.
    "what it answers, looked up": 1,
    "MOs, stored": 1 / QUEUE_BATCH,
    ...LAST_WORD,
    ...CALLBACK,
  }),
];

function least(workload: string, stage: string, made: LeastCalls["made"]): LeastCalls {
  const calls = Object.values(made).reduce((sum, count) => sum + count, 0);
  return { workload, stage, calls, made };
}

/** The fewest calls of a part of a workload; undefined for what nobody has thought about. */
export const leastCallsOf = (workload: string, stage: string): number | undefined =>
  LEAST_CALLS.find((it) => it.workload === workload && it.stage === stage)?.calls;
