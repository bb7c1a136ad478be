import { Duration } from "aws-cdk-lib";
import type { Function as LambdaFunction } from "aws-cdk-lib/aws-lambda";
import { SqsEventSource } from "aws-cdk-lib/aws-lambda-event-sources";
import { Queue } from "aws-cdk-lib/aws-sqs";
import { Construct } from "constructs";
import type { Stage } from "../stage.ts";
import { type AlarmMeaning, alarmOnAge, alarmOnDeadLetters } from "./alarms.ts";
import type { TakesEnvironment } from "./torpedo-function.ts";

const BATCH_SIZE = 10;
/** Deliveries before a message is set aside: enough to outlast a bad minute of what the function needs. */
const MAX_RECEIVES = 10;

/** What distinguishes one queue and its worker from another. */
export interface QueueWorkerProps {
  readonly stage: Stage;
  readonly worker: LambdaFunction & { readonly timeout: Duration };
  readonly maxConcurrency: number;
  /** Messages per invocation; 10 where not said. For more than that, SQS wants `waitForMore`. */
  readonly batchSize?: number;
  /** How long messages wait for others to share an invocation with; at least a second. */
  readonly waitForMore?: Duration;
  /** The age of the oldest message that is alarming. */
  readonly oldestMessage: Duration;
  /** What it means that this queue stands still. */
  readonly whenStuck: AlarmMeaning;
  /** What it means that messages of this queue were set aside. */
  readonly whenSetAside: AlarmMeaning;
  /** A dead-letter queue to share; one of its own where there is none. */
  readonly deadLetterQueue?: Queue;
}

/** A queue, the function that works on it in batches with partial failures, a dead-letter queue, and alarms. */
export class QueueWorker extends Construct {
  readonly queue: Queue;
  readonly deadLetterQueue: Queue;

  constructor(scope: Construct, id: string, props: QueueWorkerProps) {
    super(scope, id);
    const { stage, worker, maxConcurrency } = props;
    this.deadLetterQueue =
      props.deadLetterQueue ?? this.#createDeadLetterQueue(stage, props.whenSetAside);
    this.queue = new Queue(this, "Queue", {
      enforceSSL: true,
      // A function that died is not waited for much longer than one that lives.
      visibilityTimeout: Duration.seconds(2 * worker.timeout.toSeconds()),
      retentionPeriod: Duration.days(14),
      deadLetterQueue: { queue: this.deadLetterQueue, maxReceiveCount: MAX_RECEIVES },
    });
    worker.addEventSource(
      new SqsEventSource(this.queue, {
        batchSize: props.batchSize ?? BATCH_SIZE,
        reportBatchItemFailures: true,
        maxConcurrency,
        ...(props.waitForMore && { maxBatchingWindow: props.waitForMore }),
      }),
    );
    alarmOnAge(this, "AgeAlarm", stage, this.queue, props.oldestMessage, props.whenStuck);
  }

  /** Lets a function set messages aside with the reason, those that it failed at for the last time among them. */
  grantSetAside(fn: TakesEnvironment<"DEAD_LETTER_QUEUE_URL" | "MAX_RECEIVES">): void {
    this.deadLetterQueue.grant(fn, "sqs:SendMessage");
    fn.provide({
      DEAD_LETTER_QUEUE_URL: this.deadLetterQueue.queueUrl,
      MAX_RECEIVES: String(MAX_RECEIVES),
    });
  }

  #createDeadLetterQueue(stage: Stage, meaning: AlarmMeaning): Queue {
    const queue = new Queue(this, "DeadLetters", {
      enforceSSL: true,
      retentionPeriod: Duration.days(14),
    });
    alarmOnDeadLetters(this, stage, queue, meaning);
    return queue;
  }
}
