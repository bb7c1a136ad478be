import { Aws, Duration, RemovalPolicy, Validations } from "aws-cdk-lib";
import { PolicyStatement, Role, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import type { Function as LambdaFunction } from "aws-cdk-lib/aws-lambda";
import { ScheduleGroup } from "aws-cdk-lib/aws-scheduler";
import { Construct } from "constructs";
import type * as z from "zod";
import { env } from "../functions/dispatch/env.ts";
import type { Carriers } from "./carriers.ts";
import type { Directory } from "./directory.ts";
import type { Messages } from "./messages.ts";
import { QueueWorker } from "./shared/queue-worker.ts";
import { type TakesEnvironment, TorpedoFunction } from "./shared/torpedo-function.ts";
import type { Stage } from "./stage.ts";

/**
 * The longest that a claim that is made use of, the carrier's answer, and its record or its keeping
 * in the queue take together when each call to AWS uses all of its tries
 * (functions/adapters/aws-client.ts): a function that is cut off with an answer in hand is how a
 * message goes out twice.
 */
const TIMEOUT = Duration.seconds(70);
const CLAIM_TIMEOUT = Duration.seconds(15);
const CARRIER_TIMEOUT = Duration.seconds(10);
/** Longer than the function can live, so that no two ever hold the same message. */
const LEASE = Duration.seconds(80);
/** Longer than the record of a hand-over takes to be delivered again, twice: whoever writes it down may die, too. */
const LAST_CALL = Duration.seconds(4 * TIMEOUT.toSeconds() + 10);

/** Groups of references per invocation of the bulk lane: twenty times as many SMS are handed over side by side. */
const GROUPS_AT_ONCE = 4;

/** The two lanes to the carriers: a one-time password never waits behind a campaign. */
type Lane = z.output<typeof env>["LANE"];

type Schedules = TakesEnvironment<"SCHEDULE_GROUP" | "SCHEDULE_ROLE_ARN">;
type Enqueues = TakesEnvironment<
  | "DISPATCH_QUEUE_URL"
  | "DISPATCH_QUEUE_ARN"
  | "DISPATCH_DEAD_LETTER_QUEUE_ARN"
  | "SCHEDULE_GROUP"
  | "SCHEDULE_ROLE_ARN"
>;

/** What dispatch needs of the rest. */
export interface DispatchProps {
  readonly stage: Stage;
  readonly messages: Messages;
  readonly directory: Directory;
  readonly carriers: Carriers;
}

/**
 * The way to the carrier, in two lanes that share nothing but the code: each has its queue and its
 * function. Beside them the schedules, which feed any queue later.
 */
export class Dispatch extends Construct {
  readonly lanes: Readonly<Record<Lane, QueueWorker>>;
  readonly #scheduleGroup: string;
  readonly #scheduleRole: Role;

  constructor(
    scope: Construct,
    id: string,
    { stage, messages, directory, carriers }: DispatchProps,
  ) {
    super(scope, id);
    const singles = this.#createFunction("Function", stage, "Hands single messages to the carrier");
    const bulk = this.#createFunction("BulkFunction", stage, "Hands bulk messages to the carrier");
    const hint =
      "Look for errors or throttling of the dispatch function and for a carrier that hangs.";
    const whenSetAside = {
      impact: "Accepted messages are not being handed to the carrier.",
      action: "Read the cause on the messages, mend it, then redrive the queue.",
    };
    this.lanes = {
      singles: new QueueWorker(this, "Singles", {
        stage,
        worker: singles,
        maxConcurrency: stage.concurrency.dispatch,
        oldestMessage: Duration.minutes(2),
        whenStuck: {
          impact: "Messages, one-time passwords among them, wait to be handed to the carrier.",
          action: hint,
        },
        whenSetAside,
      }),
      bulk: new QueueWorker(this, "Bulk", {
        stage,
        worker: bulk,
        maxConcurrency: stage.concurrency.bulkDispatch,
        batchSize: GROUPS_AT_ONCE,
        oldestMessage: Duration.minutes(15),
        whenStuck: {
          impact: "Messages of campaigns are handed to the carrier late.",
          action: hint,
        },
        whenSetAside,
      }),
    };
    this.#scheduleGroup = `torpedo-${stage.name}`;
    new ScheduleGroup(this, "Schedules", {
      scheduleGroupName: this.#scheduleGroup,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    this.#scheduleRole = new Role(this, "ScheduleRole", {
      assumedBy: new ServicePrincipal("scheduler.amazonaws.com", {
        conditions: { StringEquals: { "aws:SourceAccount": Aws.ACCOUNT_ID } },
      }),
      description: "What the schedules of messages may do: feed our queues",
    });
    for (const [lane, fn] of [
      ["singles", singles],
      ["bulk", bulk],
    ] as const) {
      this.lanes[lane].grantSetAside(fn);
      this.letSchedulesFeed(this.lanes[lane]);
      messages.grantFindAndMove(fn);
      directory.grantFindBlocked(fn);
      directory.grantFindAccount(fn);
      carriers.grantSend(fn);
      fn.provide({ LANE: lane });
      this.grantEnqueue(fn, lane);
    }
  }

  #createFunction(id: string, stage: Stage, description: string): TorpedoFunction<typeof env> {
    return new TorpedoFunction(this, id, {
      stage,
      capability: "dispatch",
      description,
      env,
      environment: {
        CLAIM_TIMEOUT_SECONDS: String(CLAIM_TIMEOUT.toSeconds()),
        CARRIER_TIMEOUT_SECONDS: String(CARRIER_TIMEOUT.toSeconds()),
        LEASE_SECONDS: String(LEASE.toSeconds()),
        LAST_CALL_SECONDS: String(LAST_CALL.toSeconds()),
        CONCURRENCY: String(stage.concurrency.dispatch + stage.concurrency.bulkDispatch),
        STAGE: stage.name,
        MAX_ATTEMPTS: String(stage.dispatch.maxAttempts),
        BACKOFF_BASE_SECONDS: String(stage.dispatch.backoffBaseSeconds),
        BACKOFF_CAP_SECONDS: String(stage.dispatch.backoffCapSeconds),
      },
      timeout: TIMEOUT,
      feedsItself: true,
    });
  }

  /** Lets schedules put messages on a queue, or set aside what they cannot. */
  letSchedulesFeed({ queue, deadLetterQueue }: QueueWorker): void {
    queue.grant(this.#scheduleRole, "sqs:SendMessage");
    deadLetterQueue.grant(this.#scheduleRole, "sqs:SendMessage");
  }

  /** Lets a function put messages on their way to the carrier in a lane, now or at a time. */
  grantEnqueue(fn: Enqueues, lane: Lane): void {
    const { queue, deadLetterQueue } = this.lanes[lane];
    queue.grant(fn, "sqs:SendMessage");
    fn.provide({
      DISPATCH_QUEUE_URL: queue.queueUrl,
      DISPATCH_QUEUE_ARN: queue.queueArn,
      DISPATCH_DEAD_LETTER_QUEUE_ARN: deadLetterQueue.queueArn,
      ...this.grantSchedule(fn),
    });
  }

  /** Lets a function create schedules. @returns the environment that it needs for it */
  grantSchedule(fn: Schedules | Enqueues): { SCHEDULE_GROUP: string; SCHEDULE_ROLE_ARN: string } {
    this.#grantOnSchedules(fn, "scheduler:CreateSchedule");
    fn.addToRolePolicy(
      new PolicyStatement({
        actions: ["iam:PassRole"],
        resources: [this.#scheduleRole.roleArn],
        conditions: { StringEquals: { "iam:PassedToService": "scheduler.amazonaws.com" } },
      }),
    );
    return {
      SCHEDULE_GROUP: this.#scheduleGroup,
      SCHEDULE_ROLE_ARN: this.#scheduleRole.roleArn,
    };
  }

  /** Lets a function delete schedules, of single messages and of batches. */
  grantUnschedule(fn: LambdaFunction): void {
    this.#grantOnSchedules(fn, "scheduler:DeleteSchedule");
  }

  #grantOnSchedules(fn: LambdaFunction, action: string): void {
    fn.addToRolePolicy(
      new PolicyStatement({
        actions: [action],
        resources: [
          `arn:${Aws.PARTITION}:scheduler:${Aws.REGION}:${Aws.ACCOUNT_ID}:schedule/${this.#scheduleGroup}/*`,
        ],
      }),
    );
    if (fn.role) {
      Validations.of(fn.role).acknowledge({
        id: `AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:scheduler:<AWS::Region>:<AWS::AccountId>:schedule/${this.#scheduleGroup}/*]`,
        reason: "Schedules are named after messages; only those of our own group can be touched.",
      });
    }
  }
}
