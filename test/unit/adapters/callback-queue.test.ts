import { SchedulerClient } from "@aws-sdk/client-scheduler";
import { SQSClient } from "@aws-sdk/client-sqs";
import { describe, expect, it } from "vitest";
import { createSchedules } from "../../../functions/adapters/scheduler/schedules.ts";
import {
  createCallbackQueue,
  openReplayQueue,
} from "../../../functions/adapters/sqs/callback-queue.ts";
import type { EndpointGroup, ReleaseJob } from "../../../functions/core/callback-delivery.ts";
import { ManualClock } from "../../support/memory.ts";
import { stubbedAws, type WireResponse } from "../../support/stub-aws.ts";

const urlOf = (name: string) => `https://sqs.us-east-1.amazonaws.com/123456789012/${name}`;
const clock = new ManualClock(Date.parse("2026-03-02T15:00:00.250Z"));
const turn = {
  account: "acme",
  endpointId: "endpoint-1",
  subject: "trace-1",
  level: "sent" as const,
  turn: 3,
};
const group: EndpointGroup = {
  account: "acme",
  endpointId: "endpoint-1",
  events: [{ text: "half a pair \ud83d, and \ufffe \uffff" }],
  since: 5,
};
const job: ReleaseJob = {
  kind: "release",
  account: "acme",
  endpointId: "endpoint-1",
  state: "held",
  since: 0,
  until: 1,
};

const throttled: WireResponse = {
  status: 429,
  body: { __type: "ThrottlingException", message: "slower" },
};

function setUp(
  refused: (round: number) => readonly string[] = () => [],
  scheduled: WireResponse = { body: { ScheduleArn: "arn" } },
) {
  let rounds = 0;
  const sqs = stubbedAws(({ body }) => ({
    body: {
      MessageId: "m",
      Failed: body.Entries
        ? refused(++rounds).map((Id) => ({ Id, Code: "InternalError", SenderFault: false }))
        : [],
    },
  }));
  const scheduler = stubbedAws(() => scheduled);
  const client = new SQSClient({ ...sqs.config, md5: false });
  const unscheduled: unknown[] = [];
  const queue = createCallbackQueue({
    client,
    deliveriesQueueUrl: urlOf("deliveries"),
    retryQueueUrl: urlOf("retries"),
    deadLetterQueueUrl: urlOf("dead-letters"),
    later: createSchedules({
      client: new SchedulerClient(scheduler.config),
      groupName: "torpedo-test",
      roleArn: "arn:aws:iam::123456789012:role/schedules",
      queueArn: "arn:aws:sqs:us-east-1:123456789012:retries",
      deadLetterQueueArn: "arn:aws:sqs:us-east-1:123456789012:dead-letters",
    }),
    onNoSchedule: (error) => unscheduled.push(error),
    clock,
  });
  return { queue, client, sqs: sqs.requests, scheduler: scheduler.requests, unscheduled };
}

/** The messages of all requests, each with its queue; without the names that they have in their request. */
const messagesOf = (requests: readonly { readonly body: Record<string, unknown> }[]) =>
  requests.flatMap(
    ({ body: { QueueUrl, Entries } }) =>
      (Entries as Record<string, unknown>[]).map(({ Id: _, ...message }) => ({
        ...message,
        QueueUrl,
      })) as Record<string, unknown>[],
  );
const bodiesOf = (entries: unknown) =>
  (entries as { MessageBody: string }[]).map(({ MessageBody }) => JSON.parse(MessageBody));

describe("the ways of deliveries", () => {
  it("takes first turns in tens, a message each, in a queue of their own", async () => {
    const { queue, sqs, scheduler } = setUp();
    const turns = Array.from({ length: 23 }, (_, n) => ({ ...turn, subject: `trace-${n}` }));
    await queue.enqueue(turns);
    expect(sqs.map(({ target, body }) => [target, body.QueueUrl])).toEqual(
      Array(3).fill(["AmazonSQS.SendMessageBatch", urlOf("deliveries")]),
    );
    expect(sqs.map(({ body }) => bodiesOf(body.Entries).length)).toEqual([10, 10, 3]);
    expect(sqs.flatMap(({ body }) => bodiesOf(body.Entries))).toEqual(turns);
    const entries = sqs.flatMap(({ body }) => body.Entries as Record<string, unknown>[]);
    for (const entry of entries) expect(entry).not.toHaveProperty("DelaySeconds");
    expect(scheduler).toEqual([]);
  });

  it("takes first turns a little later as well, in the same queue", async () => {
    const { queue, sqs } = setUp();
    await queue.enqueue([turn], 7);
    expect(sqs.map(({ body }) => body)).toMatchObject([
      { QueueUrl: urlOf("deliveries"), Entries: [{ DelaySeconds: 7 }] },
    ]);
  });

  it("has no account stand before another, in either queue", async () => {
    const { queue, sqs } = setUp();
    const other = { ...turn, account: "other" };
    await queue.enqueue([turn, other]);
    await queue.enqueueLater(other, clock.now());
    await queue.enqueueRelease({ ...job, account: "other" }, 0);
    await queue.enqueueGroups([group, { ...group, account: "other" }]);
    expect(messagesOf(sqs).map(({ MessageGroupId }) => MessageGroupId)).toEqual([
      "acme",
      "other",
      "other",
      "other",
      "acme",
      "other",
    ]);
  });

  it("sends again those that SQS did not take, and throws where it never does", async () => {
    const { queue, sqs } = setUp((round) => (round === 1 ? ["1"] : []));
    const turns = [turn, { ...turn, subject: "trace-2" }];
    await queue.enqueue(turns);
    expect(sqs.map(({ body }) => bodiesOf(body.Entries))).toEqual([turns, [turns[1]]]);
    await expect(setUp(() => ["0"]).queue.enqueue([turn])).rejects.toThrow("SQS does not take");
  });

  it.each([
    ["at once", 0, undefined],
    ["at once what is past due", -60_000, undefined],
    ["rounded up, never early", 1, 1],
    ["up to a quarter of an hour", 900_000, 900],
  ])("takes a later turn %s", async (_, delayMs, delaySeconds) => {
    const { queue, sqs, scheduler } = setUp();
    await queue.enqueueLater(turn, clock.now() + delayMs);
    expect(messagesOf(sqs)).toEqual([
      {
        QueueUrl: urlOf("retries"),
        MessageBody: JSON.stringify(turn),
        MessageGroupId: "acme",
        ...(delaySeconds && { DelaySeconds: delaySeconds }),
      },
    ]);
    expect(scheduler).toEqual([]);
  });

  it("schedules a turn that is due later than that, into the same queue", async () => {
    const { queue, sqs, scheduler } = setUp();
    await queue.enqueueLater(turn, clock.now() + 3_600_000);
    expect(sqs).toEqual([]);
    expect(scheduler).toMatchObject([
      {
        body: {
          ScheduleExpression: "at(2026-03-02T16:00:01)",
          Target: {
            Arn: "arn:aws:sqs:us-east-1:123456789012:retries",
            Input: JSON.stringify(turn),
            DeadLetterConfig: { Arn: "arn:aws:sqs:us-east-1:123456789012:dead-letters" },
          },
        },
      },
    ]);
  });

  it("takes groups of events as they are, in words that SQS takes", async () => {
    const { queue, sqs } = setUp();
    await queue.enqueueGroups([group], 3);
    const [message] = messagesOf(sqs) as unknown as [{ MessageBody: string; DelaySeconds: number }];
    expect(message).toMatchObject({ QueueUrl: urlOf("deliveries"), DelaySeconds: 3 });
    expect(message.MessageBody).not.toMatch(/[\ufffe\uffff]/);
    expect(message.MessageBody.isWellFormed()).toBe(true);
    expect(JSON.parse(message.MessageBody)).toEqual(group);
  });

  it("takes no more in one request than SQS does", async () => {
    const { queue, sqs } = setUp();
    const large = { ...group, events: ["x".repeat(100_000)] };
    await queue.enqueueGroups(Array(5).fill(large));
    expect(sqs.map(({ body }) => bodiesOf(body.Entries).length)).toEqual([2, 2, 1]);
  });

  it("takes what many have at the same moment in one request, and fails those whose request fails", async () => {
    const { queue, sqs } = setUp();
    const turns = Array.from({ length: 7 }, (_, n) => ({ ...turn, subject: `trace-${n}` }));
    await Promise.all([
      ...turns.map((one) => queue.enqueue([one])),
      ...turns.map((one) => queue.enqueueLater(one, clock.now())),
    ]);
    expect(sqs.map(({ body }) => [body.QueueUrl, bodiesOf(body.Entries)])).toEqual([
      [urlOf("deliveries"), turns],
      [urlOf("retries"), turns],
    ]);
    const failing = setUp(() => ["0"]).queue;
    const results = await Promise.allSettled([failing.enqueue([turn]), failing.enqueue([turn])]);
    expect(results.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
  });

  it("takes a turn as late as SQS can wait where it cannot be scheduled, and says so", async () => {
    const { queue, sqs, scheduler, unscheduled } = setUp(undefined, throttled);
    await queue.enqueueLater(turn, clock.now() + 3_600_000);
    expect(scheduler.length).toBeGreaterThan(0);
    expect(unscheduled).toEqual([expect.any(Error)]);
    expect(messagesOf(sqs)).toMatchObject([
      { QueueUrl: urlOf("retries"), MessageBody: JSON.stringify(turn), DelaySeconds: 900 },
    ]);
  });

  it("names schedules by delivery, turn and time, of which there is one each", async () => {
    const { queue, scheduler } = setUp();
    const due = clock.now() + 3_600_000;
    await queue.enqueueLater(turn, due);
    await queue.enqueueLater(turn, due);
    const others = [
      { account: "acme-2" },
      { endpointId: "endpoint-2" },
      { subject: "trace-2" },
      { level: "delivered" as const },
      { turn: 4 },
    ];
    for (const other of others) await queue.enqueueLater({ ...turn, ...other }, due);
    await queue.enqueueLater(turn, due + 1_000);
    const [first, again, ...paths] = scheduler.map(({ path }) => path);
    expect(again).toBe(first);
    expect(new Set([first, ...paths]).size).toBe(others.length + 2);
  });

  it("takes jobs among what is later, and gives up with the reason", async () => {
    const { queue, sqs } = setUp();
    await queue.enqueueRelease(job, 2);
    await queue.enqueueRelease(job, 0);
    await queue.giveUp(turn, "HTTP 500");
    expect(messagesOf(sqs.slice(0, 2))).toEqual([
      {
        QueueUrl: urlOf("retries"),
        MessageBody: JSON.stringify(job),
        MessageGroupId: "acme",
        DelaySeconds: 2,
      },
      { QueueUrl: urlOf("retries"), MessageBody: JSON.stringify(job), MessageGroupId: "acme" },
    ]);
    expect(sqs.slice(2).map(({ body }) => body)).toEqual([
      {
        QueueUrl: urlOf("dead-letters"),
        MessageBody: JSON.stringify(turn),
        MessageAttributes: { cause: { DataType: "String", StringValue: "HTTP 500" } },
      },
    ]);
  });
});

describe("the ways on of who brings deliveries back", () => {
  const open = () => {
    const { client, sqs } = setUp();
    const env = {
      CALLBACK_DELIVERIES_QUEUE_URL: urlOf("deliveries"),
      CALLBACK_RETRY_QUEUE_URL: urlOf("retries"),
    };
    return { queue: openReplayQueue(env, { client, clock }), sqs };
  };

  it("are the same", async () => {
    const { queue, sqs } = open();
    await queue.enqueue([turn]);
    await queue.enqueueLater(turn, clock.now() + 5_000);
    await queue.enqueueRelease(job, 90);
    expect(messagesOf(sqs).map((message) => [message.QueueUrl, message.DelaySeconds])).toEqual([
      [urlOf("deliveries"), undefined],
      [urlOf("retries"), 5],
      [urlOf("retries"), 90],
    ]);
  });

  it("wait for nothing that SQS cannot wait for", async () => {
    const { queue, sqs } = open();
    await queue.enqueueLater(turn, clock.now() + 900_001);
    expect(messagesOf(sqs).map((message) => [message.QueueUrl, message.DelaySeconds])).toEqual([
      [urlOf("retries"), 900],
    ]);
  });
});
