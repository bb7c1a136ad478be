import { createHash } from "node:crypto";
import {
  ConflictException,
  CreateScheduleCommand,
  DeleteScheduleCommand,
  ResourceNotFoundException,
  type SchedulerClient,
} from "@aws-sdk/client-scheduler";

/** Puts something on a queue at a time that SQS cannot wait for. */
export interface Schedules {
  /**
   * Creates the schedule, once however often it is asked to.
   * @param subject together with the time, what no other schedule has
   * @param at milliseconds since the epoch
   */
  create(subject: string, at: number, body: unknown): Promise<void>;
  /** Deletes the schedule, if there is one. */
  remove(subject: string, at: number): Promise<void>;
}

/** `at()` takes UTC without zone or fraction; up, so that nothing is ever early. */
const scheduleTime = (at: number) =>
  new Date(Math.ceil(at / 1_000) * 1_000).toISOString().slice(0, 19);

/** Only so long, and only of few characters, may a schedule's name be. */
const nameOf = (subject: string, at: number) =>
  createHash("sha256").update(`${subject}@${at}`).digest("hex");

/** Scheduler replaces `<aws.scheduler.…>` in what it sends; ids of clients can hold that. */
const withoutKeywords = (json: string) => json.replaceAll("<", "\\u003c");

/** What schedules of one queue have in common. */
export interface SchedulesOfQueue {
  readonly groupName: string;
  readonly roleArn: string;
  readonly queueArn: string;
  /** Gets what could not reach the queue. */
  readonly deadLetterQueueArn: string;
}

/** Schedules that feed one queue and delete themselves. */
export function createSchedules(
  deps: SchedulesOfQueue & { readonly client: SchedulerClient },
): Schedules {
  const { client, groupName: GroupName } = deps;
  return {
    async create(subject, at, body) {
      try {
        await client.send(
          new CreateScheduleCommand({
            GroupName,
            Name: nameOf(subject, at),
            ScheduleExpression: `at(${scheduleTime(at)})`,
            ScheduleExpressionTimezone: "UTC",
            FlexibleTimeWindow: { Mode: "OFF" },
            ActionAfterCompletion: "DELETE",
            Target: {
              Arn: deps.queueArn,
              RoleArn: deps.roleArn,
              Input: withoutKeywords(JSON.stringify(body)),
              DeadLetterConfig: { Arn: deps.deadLetterQueueArn },
            },
          }),
        );
      } catch (error) {
        // The name says of what and when: there is such a schedule already.
        if (!(error instanceof ConflictException)) throw error;
      }
    },

    async remove(subject, at) {
      try {
        await client.send(new DeleteScheduleCommand({ GroupName, Name: nameOf(subject, at) }));
      } catch (error) {
        if (!(error instanceof ResourceNotFoundException)) throw error;
      }
    },
  };
}
