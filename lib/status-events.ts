import { Duration, Validations } from "aws-cdk-lib";
import { FilterCriteria, FilterRule, StartingPosition } from "aws-cdk-lib/aws-lambda";
import { DynamoEventSource, SqsDlq } from "aws-cdk-lib/aws-lambda-event-sources";
import { Queue } from "aws-cdk-lib/aws-sqs";
import { Construct } from "constructs";
import { env } from "../functions/status-events/env.ts";
import type { EventBus } from "./event-bus.ts";
import type { Messages } from "./messages.ts";
import { addAlarm, alarmOnDeadLetters } from "./shared/alarms.ts";
import { TorpedoFunction } from "./shared/torpedo-function.ts";
import type { Stage } from "./stage.ts";

/** What status-events needs of the rest. */
export interface StatusEventsProps {
  readonly stage: Stage;
  readonly messages: Messages;
  readonly bus: EventBus;
}

/** Every change of a message's state, from the table's stream to the bus. */
export class StatusEvents extends Construct {
  constructor(scope: Construct, id: string, { stage, messages, bus }: StatusEventsProps) {
    super(scope, id);
    const fn = new TorpedoFunction(this, "Function", {
      stage,
      capability: "status-events",
      description: "Puts changes of messages on the bus",
      env,
      environment: { STAGE: stage.name },
      timeout: Duration.seconds(30),
    });
    const deadLetters = new Queue(this, "DeadLetters", {
      enforceSSL: true,
      retentionPeriod: Duration.days(14),
    });
    Validations.of(deadLetters).acknowledge({
      id: "AwsSolutions-SQS3",
      reason: "This is itself the queue of records that the stream could not deliver.",
    });
    deadLetters.grant(fn, "sqs:SendMessage");
    fn.provide({ DEAD_LETTER_QUEUE_URL: deadLetters.queueUrl });
    bus.grantPublish(fn, "Message Status Changed", "Message Received");
    fn.addEventSource(
      new DynamoEventSource(messages.streamed, {
        startingPosition: StartingPosition.TRIM_HORIZON,
        batchSize: 100,
        parallelizationFactor: 2,
        reportBatchItemFailures: true,
        bisectBatchOnError: true,
        // Until a record leaves the stream: a bus that is down for an hour must not cost a status.
        retryAttempts: -1,
        onFailure: new SqsDlq(deadLetters),
        filters: [
          FilterCriteria.filter({
            eventName: FilterRule.or("INSERT", "MODIFY"),
            // Messages and MOs; not what is kept of batches.
            dynamodb: { Keys: { sk: { S: ["MT", { prefix: "MO#" }] } } },
          }),
        ],
      }),
    );
    if (fn.role) {
      Validations.of(fn.role).acknowledge({
        id: "AwsSolutions-IAM5[Resource::*]",
        reason: "dynamodb:ListStreams, which event-source mappings need, knows no resources.",
      });
    }
    alarmOnDeadLetters(this, stage, deadLetters, {
      impact: "Changes of state or MOs were not told: callbacks for them were not made.",
      action: "Read the cause on the set-aside records; their messages can still be asked about.",
    });
    addAlarm(this, "AgeAlarm", stage, {
      impact: "Delivery statuses and MOs reach customers late.",
      action: "Look for errors or throttling of the status-events function and of PutEvents.",
      metric: fn.metric("IteratorAge", { period: Duration.minutes(1), statistic: "max" }),
      threshold: Duration.minutes(5).toMilliseconds(),
      evaluationPeriods: 3,
    });
  }
}
