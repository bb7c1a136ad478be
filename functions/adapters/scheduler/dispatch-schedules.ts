import { createHash } from "node:crypto";
import {
  ConflictException,
  CreateScheduleCommand,
  type SchedulerClient,
} from "@aws-sdk/client-scheduler";
import type { MessageRef } from "../../core/message.ts";

/** Wakes dispatch at a time that SQS cannot wait for. */
export interface DispatchAlarmClock {
  schedule(ref: MessageRef, at: number): Promise<void>;
}

/** `at()` takes UTC without zone or fraction; up, so that nothing is ever early. */
const scheduleTime = (at: number) =>
  new Date(Math.ceil(at / 1_000) * 1_000).toISOString().slice(0, 19);

/** Schedules that send a message's reference to the dispatch queue and delete themselves. */
export function createDispatchSchedules(deps: {
  readonly client: SchedulerClient;
  readonly groupName: string;
  readonly roleArn: string;
  readonly queueArn: string;
  /** Gets the references of schedules that could not reach the queue. */
  readonly deadLetterQueueArn: string;
}): DispatchAlarmClock {
  return {
    async schedule(ref, at) {
      const time = scheduleTime(at);
      try {
        await deps.client.send(
          new CreateScheduleCommand({
            GroupName: deps.groupName,
            Name: createHash("sha256").update(`${ref.traceId}@${time}`).digest("hex"),
            ScheduleExpression: `at(${time})`,
            ScheduleExpressionTimezone: "UTC",
            FlexibleTimeWindow: { Mode: "OFF" },
            ActionAfterCompletion: "DELETE",
            Target: {
              Arn: deps.queueArn,
              RoleArn: deps.roleArn,
              Input: JSON.stringify(ref),
              DeadLetterConfig: { Arn: deps.deadLetterQueueArn },
            },
          }),
        );
      } catch (error) {
        // The name says which message and when: there is such a schedule already.
        if (!(error instanceof ConflictException)) throw error;
      }
    },
  };
}
