import { SchedulerClient } from "@aws-sdk/client-scheduler";
import { SendMessageCommand, type SQSClient } from "@aws-sdk/client-sqs";
import type * as z from "zod";
import type { Clock, DispatchQueue } from "../../core/ports.ts";
import { awsClientConfig } from "../aws-client.ts";
import {
  createDispatchSchedules,
  type DispatchAlarmClock,
} from "../scheduler/dispatch-schedules.ts";
import type { dispatchQueueEnv } from "./env.ts";

/** The longest delay that SQS takes. */
const MAX_DELAY_MS = 15 * 60 * 1_000;

/** Gives whatever kept the record from being written a moment to pass. */
const RECORD_DELAY_SECONDS = 5;

/**
 * The dispatch queue. What is due within the quarter of an hour waits in SQS, to the second; what
 * is due later waits in a schedule.
 */
export function createDispatchQueue(deps: {
  readonly client: SQSClient;
  readonly queueUrl: string;
  readonly later: DispatchAlarmClock;
  readonly clock: Clock;
}): DispatchQueue {
  async function send(body: unknown, delaySeconds: number): Promise<void> {
    await deps.client.send(
      new SendMessageCommand({
        QueueUrl: deps.queueUrl,
        MessageBody: JSON.stringify(body),
        ...(delaySeconds > 0 && { DelaySeconds: delaySeconds }),
      }),
    );
  }

  return {
    async enqueue(ref, notBefore) {
      const delayMs = Math.max(0, notBefore - deps.clock.now());
      if (delayMs > MAX_DELAY_MS) return deps.later.schedule(ref, notBefore);
      await send(ref, Math.ceil(delayMs / 1_000));
    },
    enqueueRecord: (record) => send(record, RECORD_DELAY_SECONDS),
  };
}

/** The dispatch queue that the environment names, with the schedules that feed it later. */
export function openDispatchQueue(
  env: z.output<typeof dispatchQueueEnv>,
  { client, clock }: { readonly client: SQSClient; readonly clock: Clock },
): DispatchQueue {
  return createDispatchQueue({
    client,
    queueUrl: env.DISPATCH_QUEUE_URL,
    later: createDispatchSchedules({
      client: new SchedulerClient(awsClientConfig),
      groupName: env.DISPATCH_SCHEDULE_GROUP,
      roleArn: env.DISPATCH_SCHEDULE_ROLE_ARN,
      queueArn: env.DISPATCH_QUEUE_ARN,
      deadLetterQueueArn: env.DISPATCH_DEAD_LETTER_QUEUE_ARN,
    }),
    clock,
  });
}
