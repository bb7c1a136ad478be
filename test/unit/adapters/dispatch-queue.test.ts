import { SchedulerClient } from "@aws-sdk/client-scheduler";
import { SQSClient } from "@aws-sdk/client-sqs";
import { describe, expect, it } from "vitest";
import { createDispatchSchedules } from "../../../functions/adapters/scheduler/dispatch-schedules.ts";
import { createDispatchQueue } from "../../../functions/adapters/sqs/dispatch-queue.ts";
import type { HandOverRecord } from "../../../functions/core/hand-over-record.ts";
import { dispatchInputSchema, traceOf } from "../../../functions/dispatch/schema.ts";
import { ManualClock } from "../../support/memory.ts";
import { stubbedAws, type WireResponse } from "../../support/stub-aws.ts";

const queueUrl = "https://sqs.us-east-1.amazonaws.com/123456789012/dispatch";
const ref = { account: "acme", id: "id-1", traceId: "trace-1" };
const clock = new ManualClock(Date.parse("2026-03-02T15:00:00.250Z"));

function setUp(schedulerAnswer: WireResponse = { body: { ScheduleArn: "arn" } }) {
  const sqs = stubbedAws(() => ({ body: { MessageId: "m" } }));
  const scheduler = stubbedAws(() => schedulerAnswer);
  const queue = createDispatchQueue({
    client: new SQSClient({ ...sqs.config, md5: false }),
    queueUrl,
    later: createDispatchSchedules({
      client: new SchedulerClient(scheduler.config),
      groupName: "torpedo-test",
      roleArn: "arn:aws:iam::123456789012:role/schedules",
      queueArn: "arn:aws:sqs:us-east-1:123456789012:dispatch",
      deadLetterQueueArn: "arn:aws:sqs:us-east-1:123456789012:dispatch-dead-letters",
    }),
    clock,
  });
  return { queue, sqs: sqs.requests, scheduler: scheduler.requests };
}

describe("the dispatch queue", () => {
  it.each([
    ["at once", clock.now(), undefined],
    ["at once what is past due", clock.now() - 60_000, undefined],
    ["rounded up, never early", clock.now() + 1, 1],
    ["up to a quarter of an hour", clock.now() + 900_000, 900],
  ])("takes a message %s", async (_, notBefore, delaySeconds) => {
    const { queue, sqs, scheduler } = setUp();
    await queue.enqueue(ref, notBefore);
    expect(sqs.map(({ body }) => body)).toEqual([
      {
        QueueUrl: queueUrl,
        MessageBody: JSON.stringify(ref),
        ...(delaySeconds && { DelaySeconds: delaySeconds }),
      },
    ]);
    expect(scheduler).toEqual([]);
  });

  it("schedules what is due later, in UTC, to be deleted once it has fired", async () => {
    const { queue, sqs, scheduler } = setUp();
    await queue.enqueue(ref, clock.now() + 3_600_000);
    expect(sqs).toEqual([]);
    expect(scheduler).toMatchObject([
      {
        method: "POST",
        path: expect.stringMatching(/^\/schedules\/[0-9a-f]{64}$/),
        body: {
          GroupName: "torpedo-test",
          ScheduleExpression: "at(2026-03-02T16:00:01)",
          ScheduleExpressionTimezone: "UTC",
          FlexibleTimeWindow: { Mode: "OFF" },
          ActionAfterCompletion: "DELETE",
          Target: {
            Arn: "arn:aws:sqs:us-east-1:123456789012:dispatch",
            RoleArn: "arn:aws:iam::123456789012:role/schedules",
            Input: JSON.stringify(ref),
            DeadLetterConfig: { Arn: "arn:aws:sqs:us-east-1:123456789012:dispatch-dead-letters" },
          },
        },
      },
    ]);
  });

  it("takes a schedule that is there already for done, under a name that says which it is", async () => {
    const conflict = {
      status: 409,
      headers: { "x-amzn-errortype": "ConflictException" },
      body: { Message: "Schedule already exists." },
    };
    const { queue, scheduler } = setUp(conflict);
    await queue.enqueue(ref, clock.now() + 3_600_000);
    await queue.enqueue(ref, clock.now() + 3_600_000);
    await queue.enqueue({ ...ref, traceId: "trace-2" }, clock.now() + 3_600_000);
    const [first, again, other] = scheduler.map(({ path }) => path);
    expect(again).toBe(first);
    expect(other).not.toBe(first);
  });

  it("keeps what became of a hand-over, for a moment later", async () => {
    const { queue, sqs } = setUp();
    const record: HandOverRecord = {
      ref,
      lease: { token: "t", until: clock.now() },
      outcome: { kind: "rejected", reason: "operator-rejected" },
      at: clock.now(),
    };
    await queue.enqueueRecord(record);
    expect(sqs.map(({ body }) => body)).toEqual([
      { QueueUrl: queueUrl, MessageBody: JSON.stringify(record), DelaySeconds: 5 },
    ]);
    expect(dispatchInputSchema.parse(record)).toEqual(record);
    expect(dispatchInputSchema.parse(ref)).toEqual(ref);
    expect([traceOf(record), traceOf(ref)]).toEqual(["trace-1", "trace-1"]);
  });

  it("throws where the scheduler does not take it", async () => {
    const throttled = {
      status: 429,
      headers: { "x-amzn-errortype": "ThrottlingException" },
      body: { Message: "Rate exceeded" },
    };
    const { queue } = setUp(throttled);
    await expect(queue.enqueue(ref, clock.now() + 3_600_000)).rejects.toThrow("Rate exceeded");
  });
});
