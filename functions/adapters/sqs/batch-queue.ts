import { SendMessageCommand, type SQSClient } from "@aws-sdk/client-sqs";
import type * as z from "zod";
import type { BatchJob, Release } from "../../core/batch.ts";
import type { BatchQueue } from "../../core/ports.ts";
import type { Schedules } from "../scheduler/schedules.ts";
import { schedulesWhenNeeded } from "../scheduler/schedules-when-needed.ts";
import type { batchQueueEnv } from "./env.ts";

/**
 * The queue of jobs on batches, in SQS, with the schedules that feed it later. One account's jobs do
 * not stand before another's (docs/decisions/0017).
 */
export function createBatchQueue(deps: {
  readonly client: SQSClient;
  readonly queueUrl: string;
  readonly later: Schedules;
}): BatchQueue {
  const { client, queueUrl, later } = deps;
  return {
    async enqueue(job) {
      await client.send(
        new SendMessageCommand({
          QueueUrl: queueUrl,
          MessageBody: JSON.stringify(job),
          MessageGroupId: job.account,
        }),
      );
    },
    schedule: (release) => later.create(release.batchId, release.due, releaseJob(release)),
    unschedule: ({ batchId, due }) => later.remove(batchId, due),
  };
}

const releaseJob = ({ account, batchId, due }: Release): BatchJob => ({
  kind: "release",
  account,
  batchId,
  due,
});

/** The queue of jobs on batches that the environment names. */
export function openBatchQueue(
  env: z.output<typeof batchQueueEnv>,
  { client }: { readonly client: SQSClient },
): BatchQueue {
  return createBatchQueue({
    client,
    queueUrl: env.BATCH_QUEUE_URL,
    later: schedulesWhenNeeded({
      groupName: env.SCHEDULE_GROUP,
      roleArn: env.SCHEDULE_ROLE_ARN,
      queueArn: env.BATCH_QUEUE_ARN,
      deadLetterQueueArn: env.BATCH_DEAD_LETTER_QUEUE_ARN,
    }),
  });
}
