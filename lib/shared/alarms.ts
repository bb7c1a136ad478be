import { Duration } from "aws-cdk-lib";
import {
  Alarm,
  ComparisonOperator,
  type IMetric,
  TreatMissingData,
} from "aws-cdk-lib/aws-cloudwatch";
import { SnsAction } from "aws-cdk-lib/aws-cloudwatch-actions";
import { Topic } from "aws-cdk-lib/aws-sns";
import type { IQueue } from "aws-cdk-lib/aws-sqs";
import type { Construct } from "constructs";
import type { Stage } from "../stage.ts";

/** What somebody who is woken needs to know. */
export interface AlarmMeaning {
  /** What users of the gateway notice. */
  readonly impact: string;
  /** What to do about it. */
  readonly action: string;
}

/** The alarms of a stage; none where the stage has them off. */
export interface StageAlarmProps extends AlarmMeaning {
  readonly metric: IMetric;
  /** The alarm goes off at this value and above. */
  readonly threshold: number;
  readonly evaluationPeriods?: number;
}

/** Creates an alarm where the stage has alarms. Its description says what it means and what to do. */
export function addAlarm(scope: Construct, id: string, stage: Stage, props: StageAlarmProps): void {
  if (!stage.alarms.enabled) return;
  const alarm = new Alarm(scope, id, {
    metric: props.metric,
    threshold: props.threshold,
    evaluationPeriods: props.evaluationPeriods ?? 1,
    comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
    treatMissingData: TreatMissingData.NOT_BREACHING,
    alarmDescription: `${props.impact} ${props.action} Runbook: docs/runbook.md`,
  });
  if (stage.alarms.topicArn) {
    const topic = Topic.fromTopicArn(scope, `${id}Topic`, stage.alarms.topicArn);
    alarm.addAlarmAction(new SnsAction(topic));
    alarm.addOkAction(new SnsAction(topic));
  }
}

/** An alarm for anything at all in a dead-letter queue. */
export function alarmOnDeadLetters(
  scope: Construct,
  stage: Stage,
  queue: IQueue,
  meaning: AlarmMeaning,
) {
  addAlarm(scope, "DeadLettersAlarm", stage, {
    ...meaning,
    metric: queue.metricApproximateNumberOfMessagesVisible({
      period: Duration.minutes(1),
      statistic: "max",
    }),
    threshold: 1,
  });
}

/** An alarm for a queue whose oldest message has waited too long. */
export function alarmOnAge(
  scope: Construct,
  id: string,
  stage: Stage,
  queue: IQueue,
  oldest: Duration,
  meaning: AlarmMeaning,
) {
  addAlarm(scope, id, stage, {
    ...meaning,
    metric: queue.metricApproximateAgeOfOldestMessage({
      period: Duration.minutes(1),
      statistic: "max",
    }),
    threshold: oldest.toSeconds(),
    evaluationPeriods: 3,
  });
}
