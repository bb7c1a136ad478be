import { SchedulerClient } from "@aws-sdk/client-scheduler";
import { SQSClient } from "@aws-sdk/client-sqs";
import { describe, expect, it } from "vitest";
import { createSchedules } from "../../../functions/adapters/scheduler/schedules.ts";
import { createDispatchQueue } from "../../../functions/adapters/sqs/dispatch-queue.ts";
import type { HandOverRecord } from "../../../functions/core/hand-over-record.ts";
import { dispatchInputSchema, traceOf } from "../../../functions/dispatch/schema.ts";
import { ManualClock } from "../../support/memory.ts";
import { sampleMessage } from "../../support/samples.ts";
import { stubbedAws, type WireRequest, type WireResponse } from "../../support/stub-aws.ts";

const queueUrl = "https://sqs.us-east-1.amazonaws.com/123456789012/dispatch";
const ref = { account: "acme", id: "id-1", traceId: "trace-1" };
const clock = new ManualClock(Date.parse("2026-03-02T15:00:00.250Z"));

interface Entry {
  readonly Id: string;
  readonly MessageGroupId: string;
  readonly MessageBody: string;
  readonly DelaySeconds?: number;
}

const entriesOf = ({ body }: WireRequest) => body.Entries as Entry[];
const groupOf = ({ MessageBody }: Entry) => JSON.parse(MessageBody).group as (typeof ref)[];

function setUp(
  answers: {
    readonly scheduler?: WireResponse;
    /** The ids of the entries of a SendMessageBatch that SQS does not take. */
    readonly refused?: (request: WireRequest, round: number) => readonly string[];
  } = {},
) {
  let rounds = 0;
  const sqs = stubbedAws((request) => {
    const refused = request.body.Entries ? (answers.refused?.(request, ++rounds) ?? []) : [];
    const Failed = refused.map((Id) => ({ Id, Code: "InternalError", SenderFault: false }));
    return { body: { MessageId: "m", Failed } };
  });
  const scheduler = stubbedAws(() => answers.scheduler ?? { body: { ScheduleArn: "arn" } });
  const schedulerClient = new SchedulerClient(scheduler.config);
  const schedulerInputs: object[] = [];
  schedulerClient.middlewareStack.add((next) => (args) => {
    schedulerInputs.push(args.input);
    return next(args);
  });
  const queue = createDispatchQueue({
    client: new SQSClient({ ...sqs.config, md5: false }),
    queueUrl,
    later: createSchedules({
      client: schedulerClient,
      groupName: "torpedo-test",
      roleArn: "arn:aws:iam::123456789012:role/schedules",
      queueArn: "arn:aws:sqs:us-east-1:123456789012:dispatch",
      deadLetterQueueArn: "arn:aws:sqs:us-east-1:123456789012:dispatch-dead-letters",
    }),
    clock,
  });
  return { queue, sqs: sqs.requests, scheduler: scheduler.requests, schedulerInputs };
}

const throttled = {
  status: 429,
  headers: { "x-amzn-errortype": "ThrottlingException" },
  body: { Message: "Rate exceeded" },
};

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
        MessageGroupId: "acme",
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
    const { queue, scheduler } = setUp({ scheduler: conflict });
    await queue.enqueue(ref, clock.now() + 3_600_000);
    await queue.enqueue(ref, clock.now() + 3_600_000);
    await queue.enqueue({ ...ref, traceId: "trace-2" }, clock.now() + 3_600_000);
    await queue.enqueue(ref, clock.now() + 7_200_000);
    const [first, again, ...others] = scheduler.map(({ path }) => path);
    expect(again).toBe(first);
    expect(new Set([first, ...others]).size).toBe(3);
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
      {
        QueueUrl: queueUrl,
        MessageBody: JSON.stringify(record),
        MessageGroupId: "acme",
        DelaySeconds: 5,
      },
    ]);
    for (const [laterMs, delay] of [
      [60_000, 15],
      [600_000, 30],
    ] as const) {
      await queue.enqueueRecord({ ...record, at: clock.now() - laterMs });
      expect(sqs.at(-1)?.body).toMatchObject({ DelaySeconds: delay });
    }
    expect(dispatchInputSchema.parse(record)).toEqual(record);
    expect(dispatchInputSchema.parse(ref)).toEqual(ref);
    expect([traceOf(record), traceOf(ref)]).toEqual(["trace-1", "trace-1"]);
  });

  it("makes two schedules of two times within a second, and none that Scheduler would rewrite", async () => {
    const { queue, scheduler } = setUp();
    const due = Math.ceil(clock.now() / 1_000) * 1_000 + 3_600_000;
    const odd = { ...ref, id: "<aws.scheduler.attempt-number>" };
    await queue.enqueue(odd, due + 100);
    await queue.enqueue(odd, due + 900);
    expect(new Set(scheduler.map(({ path }) => path)).size).toBe(2);
    const inputs = scheduler.map(({ body }) => (body.Target as { Input: string }).Input);
    for (const input of inputs) {
      expect(input).not.toContain("<");
      expect(JSON.parse(input)).toEqual(odd);
    }
  });

  it("throws where the scheduler does not take it", async () => {
    const { queue } = setUp({ scheduler: throttled });
    await expect(queue.enqueue(ref, clock.now() + 3_600_000)).rejects.toThrow("Rate exceeded");
  });

  describe("given many messages", () => {
    const many = (count: number, notBefore = clock.now()) =>
      Array.from({ length: count }, (_, n) => ({
        ref: { account: "acme", id: `id-${n}`, traceId: `trace-${n}` },
        notBefore,
        parts: 1,
      }));
    const refsOf = (messages: ReturnType<typeof many>) => messages.map((message) => message.ref);

    it("puts twenty references into a message, and ten messages into a request", async () => {
      const { queue, sqs, scheduler } = setUp();
      const messages = many(450);
      await queue.enqueueMany(messages);
      expect(sqs.map(({ target, body }) => [target, body.QueueUrl])).toEqual(
        Array(3).fill(["AmazonSQS.SendMessageBatch", queueUrl]),
      );
      expect(sqs.map((request) => entriesOf(request).length)).toEqual([10, 10, 3]);
      for (const request of sqs) {
        expect(new Set(entriesOf(request).map(({ Id }) => Id)).size).toBe(
          entriesOf(request).length,
        );
      }
      const entries = sqs.flatMap(entriesOf);
      expect(entries.flatMap(groupOf)).toEqual(refsOf(messages));
      expect(entries.map((entry) => groupOf(entry).length)).toEqual([...Array(22).fill(20), 10]);
      expect(entries.filter((entry) => "DelaySeconds" in entry)).toEqual([]);
      expect(scheduler).toEqual([]);
    });

    it("puts no more than twenty SMS together, unless one message is more", async () => {
      const { queue, sqs } = setUp();
      const parts = [10, 10, 1, 18, 2, 23, 1, 19];
      await queue.enqueueMany(
        many(parts.length).map((message, index) => ({ ...message, parts: parts[index] as number })),
      );
      const groups = sqs.flatMap(entriesOf).map((entry) => groupOf(entry).map(({ id }) => id));
      expect(groups).toEqual([
        ["id-0", "id-1"],
        ["id-2", "id-3"],
        ["id-4"],
        ["id-5"],
        ["id-6", "id-7"],
      ]);
    });

    it("puts no two accounts' messages together, and tells SQS whose they are", async () => {
      const { queue, sqs } = setUp();
      const accounts = ["acme", "other", "acme", "other", "acme"];
      await queue.enqueueMany(
        accounts.map((account, n) => ({
          ref: { account, id: `id-${n}`, traceId: `trace-${n}` },
          notBefore: clock.now(),
          parts: 1,
        })),
      );
      const together = sqs
        .flatMap(entriesOf)
        .map((entry) => [entry.MessageGroupId, groupOf(entry).map(({ id }) => id)]);
      expect(together).toEqual([
        ["acme", ["id-0", "id-2", "id-4"]],
        ["other", ["id-1", "id-3"]],
      ]);
    });

    it("puts them as dispatch reads them", async () => {
      const { queue, sqs } = setUp();
      await queue.enqueueMany(many(2));
      const [body] = sqs.flatMap(entriesOf).map(({ MessageBody }) => JSON.parse(MessageBody));
      expect(dispatchInputSchema.parse(body)).toEqual({ group: refsOf(many(2)) });
      expect(traceOf(dispatchInputSchema.parse(body))).toBe("trace-0");
    });

    it("lets messages travel that are known, and cuts requests where these are long", async () => {
      const { queue, sqs } = setUp();
      const messages = many(400).map((it) => ({
        ...it,
        message: sampleMessage(clock.now(), { ...it.ref, text: "a".repeat(1_500) }),
      }));
      await queue.enqueueMany(messages);
      const bodies = sqs.flatMap(entriesOf).map(({ MessageBody }) => JSON.parse(MessageBody));
      const inputs = bodies.map((body) => dispatchInputSchema.parse(body));
      expect(inputs.map((input) => traceOf(input))).toEqual(
        messages.filter((_, n) => n % 20 === 0).map(({ ref: { traceId } }) => traceId),
      );
      expect(bodies.flatMap((body) => body.messages)).toEqual(messages.map((it) => it.message));
      const sizes = sqs.map((request) =>
        entriesOf(request).reduce((size, { MessageBody }) => size + MessageBody.length, 0),
      );
      expect(Math.max(...sizes)).toBeLessThan(256 * 1024);
      expect(Math.min(...sizes.slice(0, -1))).toBeGreaterThan(150_000);
    });

    it("sends nothing where there is nothing to send", async () => {
      const { queue, sqs, scheduler } = setUp();
      await queue.enqueueMany([]);
      expect([...sqs, ...scheduler]).toEqual([]);
    });

    it("puts together what is to wait for as many seconds, rounded up", async () => {
      const { queue, sqs } = setUp();
      const delays = [0, 1, -60_000, 1_000, 1_001, 900_000];
      const messages = many(delays.length).map(({ ref: itsRef }, index) => ({
        ref: itsRef,
        notBefore: clock.now() + (delays[index] as number),
        parts: 1,
      }));
      await queue.enqueueMany(messages);
      const together = sqs
        .flatMap(entriesOf)
        .map((entry) => [entry.DelaySeconds, groupOf(entry).map(({ id }) => id)]);
      expect(together).toEqual([
        [undefined, ["id-0", "id-2"]],
        [1, ["id-1", "id-3"]],
        [2, ["id-4"]],
        [900, ["id-5"]],
      ]);
    });

    it("schedules each that is due later than a quarter of an hour", async () => {
      const { queue, sqs, scheduler } = setUp();
      const later = many(3, clock.now() + 900_001);
      const soon = { ref: { ...ref, id: "soon" }, notBefore: clock.now(), parts: 1 };
      await queue.enqueueMany([...later, soon]);
      expect(sqs.flatMap(entriesOf).flatMap(groupOf)).toEqual([soon.ref]);
      const inputs = scheduler.map(({ body }) => (body.Target as { Input: string }).Input);
      expect(inputs.map((input) => JSON.parse(input))).toEqual(refsOf(later));
      expect(new Set(scheduler.map(({ path }) => path)).size).toBe(3);
    });

    it("sends again the messages that SQS did not take, and only those", async () => {
      const { queue, sqs } = setUp({
        refused: (_, round) => (round === 1 ? ["1", "4"] : round === 2 ? ["4"] : []),
      });
      await queue.enqueueMany(many(100));
      expect(sqs.map((request) => entriesOf(request).map(({ Id }) => Id))).toEqual([
        ["0", "1", "2", "3", "4"],
        ["1", "4"],
        ["4"],
      ]);
      const again = sqs.slice(1).flatMap(entriesOf);
      expect(again).toEqual([1, 4, 4].map((n) => entriesOf(sqs[0] as WireRequest)[n]));
    });

    it("gives up where SQS never takes one of them", async () => {
      const { queue, sqs } = setUp({
        refused: (request) => entriesOf(request).flatMap(({ Id }) => (Id === "12" ? [Id] : [])),
      });
      await expect(queue.enqueueMany(many(400))).rejects.toThrow("SQS does not take");
      const tries = sqs.flatMap(entriesOf).filter(({ Id }) => Id === "12");
      expect(tries).toHaveLength(5);
      expect(sqs.flatMap(entriesOf)).toHaveLength(20 + 4);
    });
  });

  describe("asked to unschedule", () => {
    it("deletes the schedule of that message and time", async () => {
      const { queue, scheduler, schedulerInputs } = setUp();
      await queue.enqueue(ref, clock.now() + 3_600_000);
      await queue.unschedule(ref, clock.now() + 3_600_000);
      const [created, deleted] = scheduler;
      expect(deleted).toMatchObject({ method: "DELETE", path: created?.path });
      expect(scheduler).toHaveLength(2);
      const { Name } = schedulerInputs[0] as { Name: string };
      expect(schedulerInputs[1]).toEqual({ GroupName: "torpedo-test", Name });
      await queue.unschedule(ref, clock.now() + 7_200_000);
      expect(scheduler[2]?.path).not.toBe(created?.path);
    });

    it("has nothing to do where there is none", async () => {
      const { queue, scheduler } = setUp({
        scheduler: {
          status: 404,
          headers: { "x-amzn-errortype": "ResourceNotFoundException" },
          body: { Message: "Schedule does not exist." },
        },
      });
      await queue.unschedule(ref, clock.now());
      expect(scheduler).toHaveLength(1);
    });

    it("throws where the scheduler does not answer", async () => {
      const { queue } = setUp({ scheduler: throttled });
      await expect(queue.unschedule(ref, clock.now())).rejects.toThrow("Rate exceeded");
    });
  });
});
