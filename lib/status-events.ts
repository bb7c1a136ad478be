import { Duration, Validations } from "aws-cdk-lib";
import { FilterCriteria, StartingPosition } from "aws-cdk-lib/aws-lambda";
import { DynamoEventSource, SqsDlq } from "aws-cdk-lib/aws-lambda-event-sources";
import { Queue } from "aws-cdk-lib/aws-sqs";
import { Construct } from "constructs";
import { env } from "../functions/status-events/env.ts";
import type { Callback } from "./callback.ts";
import type { EventBus } from "./event-bus.ts";
import type { Messages } from "./messages.ts";
import { addAlarm, alarmOnDeadLetters } from "./shared/alarms.ts";
import { TorpedoFunction } from "./shared/torpedo-function.ts";
import type { Stage } from "./stage.ts";

/** What its longest tries at a bus or a queue that do not answer take together. */
const TIMEOUT = Duration.minutes(1);

/** The states of which customers can be told. */
const TOLD_STATES = [
  "SENT",
  "DELIVERED",
  "NOT_DELIVERED",
  "CANCELED",
  "BLOCKED",
  "EXPIRED",
  "FAILED",
];

const OF_MESSAGES = { Keys: { sk: { S: ["MT"] } } };
const OF_MESSAGES_AND_MOS = { Keys: { sk: { S: ["MT", { prefix: "MO#" }] } } };

/** What is new: messages and MOs; not what is kept of batches. */
const INSERTED = { eventName: ["INSERT"], dynamodb: OF_MESSAGES_AND_MOS };
const MODIFIED = { eventName: ["MODIFY"], dynamodb: OF_MESSAGES };
const BECAME_TOLD = {
  eventName: ["MODIFY"],
  dynamodb: { ...OF_MESSAGES, NewImage: { state: { S: TOLD_STATES } } },
};
/** Among these is what took the place of an expired message with the same id: as new as an insert. */
const NOT_TRIED = {
  eventName: ["MODIFY"],
  dynamodb: {
    ...OF_MESSAGES,
    NewImage: { state: { S: ["SCHEDULED", "QUEUED"] }, attempts: { N: ["0"] } },
  },
};

/** Which records are worth an invocation: those that tell something, or of a message that is new. */
const filtersOf = ({ events }: Stage) =>
  events === "every" ? [INSERTED, MODIFIED] : [INSERTED, BECAME_TOLD, NOT_TRIED];

/** What status-events needs of the rest. */
export interface StatusEventsProps {
  readonly stage: Stage;
  readonly messages: Messages;
  readonly bus: EventBus;
  readonly callback: Callback;
}

/** Changes of messages' states and MOs, from the table's stream to the bus and to callbacks. */
export class StatusEvents extends Construct {
  constructor(scope: Construct, id: string, props: StatusEventsProps) {
    super(scope, id);
    const { stage, messages, bus, callback } = props;
    const fn = new TorpedoFunction(this, "Function", {
      stage,
      capability: "status-events",
      description: "Tells the bus and callbacks of changes of messages",
      env,
      environment: { STAGE: stage.name, EVENTS_ON_BUS: stage.events },
      timeout: TIMEOUT,
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
    bus.grantPublish(fn, "Message Status Changed", "Message Statuses Changed", "Message Received");
    callback.grantTell(fn);
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
        filters: filtersOf(stage).map((filter) => FilterCriteria.filter(filter)),
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
      action:
        "Look for errors or throttling of the status-events function, of PutEvents, and of the callbacks' queue.",
      metric: fn.metric("IteratorAge", { period: Duration.minutes(1), statistic: "max" }),
      threshold: Duration.minutes(5).toMilliseconds(),
      evaluationPeriods: 3,
    });
  }
}
