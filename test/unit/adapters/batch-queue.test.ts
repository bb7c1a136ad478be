import { SchedulerClient } from "@aws-sdk/client-scheduler";
import { SQSClient } from "@aws-sdk/client-sqs";
import { describe, expect, it } from "vitest";
import { createSchedules } from "../../../functions/adapters/scheduler/schedules.ts";
import { createBatchQueue } from "../../../functions/adapters/sqs/batch-queue.ts";
import { type BatchJob, batchJobSchema, type Release } from "../../../functions/core/batch.ts";
import { stubbedAws, type WireResponse } from "../../support/stub-aws.ts";

const queueUrl = "https://sqs.us-east-1.amazonaws.com/123456789012/batches";
const due = Date.parse("2026-03-02T16:00:00.250Z");
const release: Release = { account: "acme", batchId: "batch-1", due };

function setUp(schedulerAnswer: WireResponse = { body: { ScheduleArn: "arn" } }) {
  const sqs = stubbedAws(() => ({ body: { MessageId: "m" } }));
  const scheduler = stubbedAws(() => schedulerAnswer);
  const queue = createBatchQueue({
    client: new SQSClient({ ...sqs.config, md5: false }),
    queueUrl,
    later: createSchedules({
      client: new SchedulerClient(scheduler.config),
      groupName: "torpedo-test",
      roleArn: "arn:aws:iam::123456789012:role/schedules",
      queueArn: "arn:aws:sqs:us-east-1:123456789012:batches",
      deadLetterQueueArn: "arn:aws:sqs:us-east-1:123456789012:batches-dead-letters",
    }),
  });
  return { queue, sqs: sqs.requests, scheduler: scheduler.requests };
}

const schedulerError = (status: number, type: string): WireResponse => ({
  status,
  headers: { "x-amzn-errortype": type },
  body: { Message: `as ${type} says` },
});

describe("the queue of jobs on batches", () => {
  it("takes a job, to be done at once", async () => {
    const { queue, sqs, scheduler } = setUp();
    const job: BatchJob = { kind: "expand", account: "acme", batchId: "batch-1" };
    await queue.enqueue(job);
    expect(sqs.map(({ target, body }) => [target, body])).toEqual([
      [
        "AmazonSQS.SendMessage",
        { QueueUrl: queueUrl, MessageBody: JSON.stringify(job), MessageGroupId: "acme" },
      ],
    ]);
    expect(scheduler).toEqual([]);
  });

  it("schedules the release of a batch's messages for when they are due, never early", async () => {
    const { queue, sqs, scheduler } = setUp();
    await queue.schedule(release);
    expect(sqs).toEqual([]);
    expect(scheduler).toMatchObject([
      {
        method: "POST",
        path: expect.stringMatching(/^\/schedules\/[0-9a-f]{64}$/),
        body: {
          GroupName: "torpedo-test",
          ScheduleExpression: "at(2026-03-02T16:00:01)",
          ActionAfterCompletion: "DELETE",
          Target: {
            Arn: "arn:aws:sqs:us-east-1:123456789012:batches",
            DeadLetterConfig: { Arn: "arn:aws:sqs:us-east-1:123456789012:batches-dead-letters" },
          },
        },
      },
    ]);
    const inputs = scheduler.map(({ body }) => (body.Target as { Input: string }).Input);
    const jobs = inputs.map((input) => batchJobSchema.parse(JSON.parse(input)));
    expect(jobs).toEqual([{ kind: "release", ...release }]);
  });

  it("has one schedule for a batch and time, however often it is asked", async () => {
    const { queue, scheduler } = setUp(schedulerError(409, "ConflictException"));
    await queue.schedule(release);
    await queue.schedule(release);
    await queue.schedule({ ...release, batchId: "batch-2" });
    await queue.schedule({ ...release, due: due + 1_000 });
    const [first, again, ...others] = scheduler.map(({ path }) => path);
    expect(again).toBe(first);
    expect(new Set([first, ...others]).size).toBe(3);
  });

  it("throws where the scheduler does not take it", async () => {
    const { queue } = setUp(schedulerError(429, "ThrottlingException"));
    await expect(queue.schedule(release)).rejects.toThrow("as ThrottlingException says");
    await expect(queue.unschedule(release)).rejects.toThrow("as ThrottlingException says");
  });

  it("deletes the schedule of a release", async () => {
    const { queue, sqs, scheduler } = setUp();
    await queue.schedule(release);
    await queue.unschedule(release);
    const [created, deleted] = scheduler;
    expect(deleted).toMatchObject({ method: "DELETE", path: created?.path });
    expect(scheduler).toHaveLength(2);
    expect(sqs).toEqual([]);
  });

  it("has nothing to delete where there is no schedule", async () => {
    const { queue, scheduler } = setUp(schedulerError(404, "ResourceNotFoundException"));
    await queue.unschedule(release);
    expect(scheduler).toHaveLength(1);
  });
});
