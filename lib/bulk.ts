import { Duration } from "aws-cdk-lib";
import { Construct } from "constructs";
import { env } from "../functions/bulk/env.ts";
import type { Dispatch } from "./dispatch.ts";
import type { Messages } from "./messages.ts";
import { QueueWorker } from "./shared/queue-worker.ts";
import { type TakesEnvironment, TorpedoFunction } from "./shared/torpedo-function.ts";
import type { Stage } from "./stage.ts";

/** A thousand inserts of which each has to be tried again. */
const TIMEOUT = Duration.seconds(90);

type HandsOnBatches = TakesEnvironment<
  | "BATCH_QUEUE_URL"
  | "BATCH_QUEUE_ARN"
  | "BATCH_DEAD_LETTER_QUEUE_ARN"
  | "SCHEDULE_GROUP"
  | "SCHEDULE_ROLE_ARN"
>;

/** What bulk needs of the rest. */
export interface BulkProps {
  readonly stage: Stage;
  readonly messages: Messages;
  readonly dispatch: Dispatch;
}

/** Bulk requests: the queue in which they wait, and the function that makes messages of them. */
export class Bulk extends Construct {
  readonly worker: QueueWorker;
  readonly #dispatch: Dispatch;

  constructor(scope: Construct, id: string, { stage, messages, dispatch }: BulkProps) {
    super(scope, id);
    this.#dispatch = dispatch;
    const fn = new TorpedoFunction(this, "Function", {
      stage,
      capability: "bulk",
      description: "Makes messages of bulk requests",
      env,
      timeout: TIMEOUT,
    });
    this.worker = new QueueWorker(this, "Batches", {
      stage,
      worker: fn,
      maxConcurrency: stage.concurrency.bulk,
      batchSize: 1,
      oldestMessage: Duration.minutes(5),
      whenStuck: {
        impact: "Messages of bulk requests, scheduled ones among them, go out late.",
        action: "Look for errors or throttling of the bulk function.",
      },
      whenSetAside: {
        impact: "Bulk requests were accepted but are not being sent.",
        action: "Read the cause on the messages, mend it, then redrive the queue.",
      },
    });
    this.worker.grantSetAside(fn);
    dispatch.letSchedulesFeed(this.worker);
    dispatch.grantEnqueue(fn, "bulk");
    messages.grantExpand(fn);
  }

  /** Lets a function hand on bulk requests, now or at a time. */
  grantHandOn(fn: HandsOnBatches): void {
    const { queue, deadLetterQueue } = this.worker;
    queue.grant(fn, "sqs:SendMessage");
    fn.provide({
      BATCH_QUEUE_URL: queue.queueUrl,
      BATCH_QUEUE_ARN: queue.queueArn,
      BATCH_DEAD_LETTER_QUEUE_ARN: deadLetterQueue.queueArn,
      ...this.#dispatch.grantSchedule(fn),
    });
  }
}
