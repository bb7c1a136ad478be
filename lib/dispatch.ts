import { Aws, Duration, RemovalPolicy, Validations } from "aws-cdk-lib";
import { PolicyStatement, Role, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import { ScheduleGroup } from "aws-cdk-lib/aws-scheduler";
import { Construct } from "constructs";
import { env } from "../functions/dispatch/env.ts";
import type { Messages } from "./messages.ts";
import type { Carrier } from "./shared/carrier.ts";
import { QueueWorker } from "./shared/queue-worker.ts";
import { type TakesEnvironment, TorpedoFunction } from "./shared/torpedo-function.ts";
import type { Stage } from "./stage.ts";

/**
 * The longest that a claim, the carrier's answer, and its record or its keeping in the queue take
 * together when each call to AWS uses all of its tries (functions/adapters/aws-client.ts): a
 * function that is cut off with an answer in hand is how a message goes out twice.
 */
const TIMEOUT = Duration.seconds(60);
const CARRIER_TIMEOUT = Duration.seconds(10);
/** Longer than the function can live, so that no two ever hold the same message. */
const LEASE = Duration.seconds(70);

type Enqueues = TakesEnvironment<
  | "DISPATCH_QUEUE_URL"
  | "DISPATCH_QUEUE_ARN"
  | "DISPATCH_DEAD_LETTER_QUEUE_ARN"
  | "DISPATCH_SCHEDULE_GROUP"
  | "DISPATCH_SCHEDULE_ROLE_ARN"
>;

/** What dispatch needs of the rest. */
export interface DispatchProps {
  readonly stage: Stage;
  readonly messages: Messages;
  readonly carrier: Carrier;
}

/** The way to the carrier: the queue, the schedules that feed it later, and the function that hands over. */
export class Dispatch extends Construct {
  readonly worker: QueueWorker;
  readonly #scheduleGroup: string;
  readonly #scheduleRole: Role;

  constructor(scope: Construct, id: string, { stage, messages, carrier }: DispatchProps) {
    super(scope, id);
    const fn = new TorpedoFunction(this, "Function", {
      stage,
      capability: "dispatch",
      description: "Hands messages to the carrier",
      env,
      environment: {
        CARRIER_TIMEOUT_SECONDS: String(CARRIER_TIMEOUT.toSeconds()),
        LEASE_SECONDS: String(LEASE.toSeconds()),
        MAX_ATTEMPTS: String(stage.dispatch.maxAttempts),
        BACKOFF_BASE_SECONDS: String(stage.dispatch.backoffBaseSeconds),
        BACKOFF_CAP_SECONDS: String(stage.dispatch.backoffCapSeconds),
      },
      timeout: TIMEOUT,
      feedsItself: true,
    });
    this.worker = new QueueWorker(this, "Singles", {
      stage,
      worker: fn,
      maxConcurrency: stage.concurrency.dispatch,
      oldestMessage: Duration.minutes(2),
      whenStuck: {
        impact: "Messages, one-time passwords among them, wait to be handed to the carrier.",
        action:
          "Look for errors or throttling of the dispatch function and for a carrier that hangs.",
      },
      whenSetAside: {
        impact: "Accepted messages are not being handed to the carrier.",
        action: "Mend what the dispatch function's log names, then redrive the queue.",
      },
    });
    this.#scheduleGroup = `torpedo-${stage.name}`;
    new ScheduleGroup(this, "Schedules", {
      scheduleGroupName: this.#scheduleGroup,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    this.#scheduleRole = new Role(this, "ScheduleRole", {
      assumedBy: new ServicePrincipal("scheduler.amazonaws.com", {
        conditions: { StringEquals: { "aws:SourceAccount": Aws.ACCOUNT_ID } },
      }),
      description: "What the schedules of messages may do: feed the dispatch queue",
    });
    this.worker.queue.grant(this.#scheduleRole, "sqs:SendMessage");
    this.worker.deadLetterQueue.grant(this.#scheduleRole, "sqs:SendMessage");
    messages.grantMove(fn);
    carrier.grantSend(fn);
    this.grantEnqueue(fn);
  }

  /** Lets a function put messages on their way to the carrier, now or at a time. */
  grantEnqueue(fn: Enqueues): void {
    const { queue, deadLetterQueue } = this.worker;
    queue.grant(fn, "sqs:SendMessage");
    fn.addToRolePolicy(
      new PolicyStatement({
        actions: ["scheduler:CreateSchedule"],
        resources: [
          `arn:${Aws.PARTITION}:scheduler:${Aws.REGION}:${Aws.ACCOUNT_ID}:schedule/${this.#scheduleGroup}/*`,
        ],
      }),
    );
    fn.addToRolePolicy(
      new PolicyStatement({
        actions: ["iam:PassRole"],
        resources: [this.#scheduleRole.roleArn],
        conditions: { StringEquals: { "iam:PassedToService": "scheduler.amazonaws.com" } },
      }),
    );
    fn.provide({
      DISPATCH_QUEUE_URL: queue.queueUrl,
      DISPATCH_QUEUE_ARN: queue.queueArn,
      DISPATCH_DEAD_LETTER_QUEUE_ARN: deadLetterQueue.queueArn,
      DISPATCH_SCHEDULE_GROUP: this.#scheduleGroup,
      DISPATCH_SCHEDULE_ROLE_ARN: this.#scheduleRole.roleArn,
    });
    if (fn.role) {
      Validations.of(fn.role).acknowledge({
        id: `AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:scheduler:<AWS::Region>:<AWS::AccountId>:schedule/${this.#scheduleGroup}/*]`,
        reason: "Schedules are named after messages; only those of our own group can be created.",
      });
    }
  }
}
