import { Duration } from "aws-cdk-lib";
import type { IGrantable } from "aws-cdk-lib/aws-iam";
import { Construct } from "constructs";
import { env } from "../functions/carrier-events/env.ts";
import type { Carriers } from "./carriers.ts";
import type { Directory } from "./directory.ts";
import type { Dispatch } from "./dispatch.ts";
import type { Messages } from "./messages.ts";
import { QueueWorker } from "./shared/queue-worker.ts";
import { TorpedoFunction } from "./shared/torpedo-function.ts";
import type { Stage } from "./stage.ts";

const TIMEOUT = Duration.seconds(20);

/**
 * Receipts come in swarms, and are far cheaper together. A second is little beside what operators
 * take to send them.
 */
const REPORTS_AT_ONCE = 50;
const WAIT_FOR_MORE = Duration.seconds(1);

const WHEN_SET_ASIDE = {
  impact: "Receipts were not applied: their messages look undelivered; or MOs are nobody's.",
  action:
    "Read the cause on the messages: give a short code its account, or mend what it names; then redrive the queue.",
};

/** What carrier-events needs of the rest. */
export interface CarrierEventsProps {
  readonly stage: Stage;
  readonly messages: Messages;
  readonly directory: Directory;
}

/** What carriers report: the queue it waits in and the function that applies it. */
export class CarrierEvents extends Construct {
  readonly worker: QueueWorker;
  readonly #function: TorpedoFunction<typeof env>;

  constructor(scope: Construct, id: string, { stage, messages, directory }: CarrierEventsProps) {
    super(scope, id);
    const fn = new TorpedoFunction(this, "Function", {
      stage,
      capability: "carrier-events",
      description: "Applies receipts to their messages, puts MOs together, and stores them",
      env,
      environment: {
        MO_RETENTION_HOURS: String(stage.moRetentionHours),
        STATUS_RETENTION_HOURS: String(stage.statusRetentionHours),
      },
      timeout: TIMEOUT,
      feedsItself: true,
    });
    this.worker = new QueueWorker(this, "Reports", {
      stage,
      worker: fn,
      maxConcurrency: stage.concurrency.carrierEvents,
      batchSize: REPORTS_AT_ONCE,
      waitForMore: WAIT_FOR_MORE,
      oldestMessage: Duration.minutes(5),
      whenStuck: {
        impact: "Delivery statuses and MOs reach customers late.",
        action: "Look for errors or throttling of the carrier-events function.",
      },
      whenSetAside: WHEN_SET_ASIDE,
    });
    messages.grantFindAndMove(fn);
    messages.grantReceive(fn);
    directory.grantFindAccount(fn);
    directory.grantFindAccountOfShortCode(fn);
    directory.grantOptOut(fn);
    this.#function = fn;
    this.#wakeWhenPartsAreDue(stage, fn);
    this.worker.grantSetAside(fn);
  }

  /**
   * It wakes itself when an MO has waited for its parts for long enough: through a queue of its own,
   * in which messages are old by nature.
   */
  #wakeWhenPartsAreDue(stage: Stage, fn: TorpedoFunction<typeof env>): void {
    const { queue } = new QueueWorker(this, "MoParts", {
      stage,
      worker: fn,
      maxConcurrency: 2,
      deadLetterQueue: this.worker.deadLetterQueue,
      oldestMessage: Duration.minutes(25),
      whenStuck: {
        impact: "MOs of which parts are missing reach customers late.",
        action: "Look for errors or throttling of the carrier-events function.",
      },
      whenSetAside: WHEN_SET_ASIDE,
    });
    queue.grant(fn, "sqs:SendMessage");
    fn.provide({ MO_PARTS_QUEUE_URL: queue.queueUrl });
  }

  /** Lets it be known how fast the carriers' receipts come. */
  countReceiptsFor(carriers: Carriers): void {
    carriers.grantCountReceipts(this.#function);
  }

  /** Lets those who opt out by an MO be answered. */
  confirmThrough(dispatch: Dispatch): void {
    dispatch.grantEnqueue(this.#function, "singles");
  }

  /** Lets a function report what a carrier says. @returns the environment that it needs for it */
  grantReport(fn: IGrantable): { CARRIER_EVENTS_QUEUE_URL: string } {
    this.worker.queue.grant(fn, "sqs:SendMessage");
    return { CARRIER_EVENTS_QUEUE_URL: this.worker.queue.queueUrl };
  }
}
