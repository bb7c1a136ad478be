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
  return {
    async enqueue(ref, notBefore) {
      const delayMs = Math.max(0, notBefore - deps.clock.now());
      if (delayMs > MAX_DELAY_MS) return deps.later.schedule(ref, notBefore);
      const delaySeconds = Math.ceil(delayMs / 1_000);
      await deps.client.send(
        new SendMessageCommand({
          QueueUrl: deps.queueUrl,
          MessageBody: JSON.stringify(ref),
          ...(delaySeconds > 0 && { DelaySeconds: delaySeconds }),
        }),
      );
    },
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
