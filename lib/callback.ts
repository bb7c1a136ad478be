import { Duration } from "aws-cdk-lib";
import { Rule, RuleTargetInput } from "aws-cdk-lib/aws-events";
import { SqsQueue } from "aws-cdk-lib/aws-events-targets";
import { Construct } from "constructs";
import { env } from "../functions/callback/env.ts";
import type { Directory } from "./directory.ts";
import type { EventBus } from "./event-bus.ts";
import { QueueWorker } from "./shared/queue-worker.ts";
import { TorpedoFunction } from "./shared/torpedo-function.ts";
import type { Stage } from "./stage.ts";

/** The 10 seconds that a customer's URL gets, and what the calls to AWS around it may take. */
const TIMEOUT = Duration.seconds(60);

/** The states of which customers are told. */
const TOLD_STATES = [
  "SENT",
  "DELIVERED",
  "NOT_DELIVERED",
  "CANCELED",
  "BLOCKED",
  "EXPIRED",
  "FAILED",
];

/** What callback needs of the rest. */
export interface CallbackProps {
  readonly stage: Stage;
  readonly directory: Directory;
  readonly bus: EventBus;
}

/** From the bus to the customers' URLs: rules for statuses and MOs, a queue for first attempts, and one for those that failed. */
export class Callback extends Construct {
  readonly worker: QueueWorker;

  constructor(scope: Construct, id: string, { stage, directory, bus }: CallbackProps) {
    super(scope, id);
    const fn = new TorpedoFunction(this, "Function", {
      stage,
      capability: "callback",
      description: "Tells customers of what became of their messages",
      env,
      environment: {
        STAGE: stage.name,
        CALLBACK_ALLOW_HTTP: String(stage.callbacks.allowHttp),
        CALLBACK_ALLOW_LOOPBACK: String(stage.callbacks.allowLoopback),
      },
      timeout: TIMEOUT,
      feedsItself: true,
    });
    const whenSetAside = {
      impact:
        "Customers were not told of statuses or MOs: their endpoints failed, or our function did.",
      action: "Read the cause on the messages; redrive them once the endpoint answers again.",
    };
    this.worker = new QueueWorker(this, "Events", {
      stage,
      worker: fn,
      maxConcurrency: stage.concurrency.callback,
      oldestMessage: Duration.minutes(5),
      whenStuck: {
        impact: "Callbacks reach customers late.",
        action: "Look for errors of the callback function and for endpoints that hang.",
      },
      whenSetAside,
    });
    const { deadLetterQueue } = this.worker;
    const retries = new QueueWorker(this, "Retries", {
      stage,
      worker: fn,
      maxConcurrency: stage.concurrency.callback,
      oldestMessage: Duration.minutes(15),
      whenStuck: {
        impact: "Callbacks to endpoints that failed before are tried again late.",
        action: "Look for errors of the callback function and for endpoints that hang.",
      },
      whenSetAside,
      deadLetterQueue,
    });
    const targets = [
      new SqsQueue(this.worker.queue, {
        message: RuleTargetInput.fromEventPath("$.detail"),
        deadLetterQueue,
      }),
    ];
    new Rule(this, "Rule", {
      eventBus: bus.bus,
      description: "Statuses of which customers may want to be told",
      eventPattern: {
        source: ["torpedo"],
        detailType: ["Message Status Changed"],
        detail: { state: TOLD_STATES },
      },
      targets,
    });
    new Rule(this, "ReceivedRule", {
      eventBus: bus.bus,
      description: "MOs, of which customers may want to be told",
      eventPattern: { source: ["torpedo"], detailType: ["Message Received"] },
      targets,
    });
    retries.queue.grant(fn, "sqs:SendMessage");
    deadLetterQueue.grant(fn, "sqs:SendMessage");
    fn.provide({
      CALLBACK_RETRY_QUEUE_URL: retries.queue.queueUrl,
      CALLBACK_DEAD_LETTER_QUEUE_URL: deadLetterQueue.queueUrl,
    });
    directory.grantFindEndpoints(fn);
  }
}
