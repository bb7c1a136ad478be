import { Duration } from "aws-cdk-lib";
import { Construct } from "constructs";
import { env } from "../functions/callback/env.ts";
import type { CallbacksTable } from "./callbacks-table.ts";
import type { Directory } from "./directory.ts";
import type { Dispatch } from "./dispatch.ts";
import type { EventBus } from "./event-bus.ts";
import { QueueWorker } from "./shared/queue-worker.ts";
import { type TakesEnvironment, TorpedoFunction } from "./shared/torpedo-function.ts";
import type { Stage } from "./stage.ts";

/** What requests to customers' URLs that wait for each other may take, 10 seconds each, and the calls to AWS around them. */
const TIMEOUT = Duration.seconds(60);

type PutsOnTheirWay = TakesEnvironment<
  "CALLBACK_DELIVERIES_QUEUE_URL" | "CALLBACK_RETRY_QUEUE_URL"
>;

/** What callback needs of the rest. */
export interface CallbackProps {
  readonly stage: Stage;
  readonly directory: Directory;
  readonly callbacks: CallbacksTable;
  readonly bus: EventBus;
  readonly dispatch: Dispatch;
}

/**
 * From events to the customers' URLs: three queues that share a function: for events, for what each
 * endpoint is told of them, and for what is told later.
 */
export class Callback extends Construct {
  readonly worker: QueueWorker;
  readonly deliveries: QueueWorker;
  readonly retries: QueueWorker;

  constructor(scope: Construct, id: string, props: CallbackProps) {
    super(scope, id);
    const { stage, bus, dispatch } = props;
    const fn = new TorpedoFunction(this, "Function", {
      stage,
      capability: "callback",
      description: "Tells customers of what became of their messages",
      env,
      environment: {
        STAGE: stage.name,
        CALLBACK_ALLOW_HTTP: String(stage.callbacks.allowHttp),
        CALLBACK_ALLOW_LOOPBACK: String(stage.callbacks.allowLoopback),
        CALLBACK_SLOTS: String(stage.callbacks.concurrencyPerEndpoint),
      },
      timeout: TIMEOUT,
      feedsItself: true,
    });
    const shared = {
      stage,
      worker: fn,
      maxConcurrency: stage.concurrency.callback,
      whenSetAside: {
        impact:
          "Customers were not told of statuses or MOs: their endpoints failed for a day, or our function did.",
        action:
          "Read the cause on the messages; bring them back with `npm run admin -- callbacks replay` once it is mended.",
      },
    };
    this.worker = new QueueWorker(this, "Events", {
      ...shared,
      oldestMessage: Duration.minutes(5),
      whenStuck: {
        impact: "Callbacks reach customers late.",
        action: "Look for errors or throttling of the callback function.",
      },
    });
    const { deadLetterQueue } = this.worker;
    this.deliveries = new QueueWorker(this, "Deliveries", {
      ...shared,
      oldestMessage: Duration.minutes(5),
      whenStuck: {
        impact: "First callbacks reach customers late, also those whose endpoints answer.",
        action:
          "Look for errors or throttling of the callback function, and whether all of its copies wait for endpoints that hang: pause those, or raise the stage's concurrency of callback.",
      },
      deadLetterQueue,
    });
    this.retries = new QueueWorker(this, "Retries", {
      ...shared,
      oldestMessage: Duration.minutes(15),
      whenStuck: {
        impact: "Callbacks to endpoints that failed before are tried again late.",
        action: "Look for errors of the callback function and for endpoints that hang.",
      },
      deadLetterQueue,
    });
    this.worker.grantSetAside(fn);
    this.grantPutOnTheirWay(fn);
    fn.provide({
      CALLBACK_RETRY_QUEUE_ARN: this.retries.queue.queueArn,
      CALLBACK_DEAD_LETTER_QUEUE_URL: deadLetterQueue.queueUrl,
      CALLBACK_DEAD_LETTER_QUEUE_ARN: deadLetterQueue.queueArn,
      ...dispatch.grantSchedule(fn),
    });
    dispatch.letSchedulesFeed(this.retries);
    props.callbacks.grantDeliver(fn);
    props.directory.grantFindEndpoints(fn);
    bus.grantPublish(fn, "Endpoint Disabled");
  }

  /** Lets a function have endpoints told of events. */
  grantTell(fn: TakesEnvironment<"CALLBACK_EVENTS_QUEUE_URL">): void {
    this.worker.queue.grant(fn, "sqs:SendMessage");
    fn.provide({ CALLBACK_EVENTS_QUEUE_URL: this.worker.queue.queueUrl });
  }

  /** Lets a function put deliveries on their way, for the first time or again. */
  grantPutOnTheirWay(fn: PutsOnTheirWay): void {
    this.deliveries.queue.grant(fn, "sqs:SendMessage");
    this.retries.queue.grant(fn, "sqs:SendMessage");
    fn.provide({
      CALLBACK_DELIVERIES_QUEUE_URL: this.deliveries.queue.queueUrl,
      CALLBACK_RETRY_QUEUE_URL: this.retries.queue.queueUrl,
    });
  }
}
