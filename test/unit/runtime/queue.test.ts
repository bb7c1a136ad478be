import type { Context, SQSEvent } from "aws-lambda";
import { expect, it } from "vitest";
import * as z from "zod";
import { createQueueFunction } from "../../../functions/runtime/queue.ts";
import { RecordingLog } from "../../support/recording-log.ts";

const eventOf = (bodies: string[]) =>
  ({
    Records: bodies.map((body, index) => ({
      messageId: `sqs-${index}`,
      body,
      attributes: { ApproximateReceiveCount: "1" },
    })),
  }) as unknown as SQSEvent;

async function run(bodies: string[]) {
  const log = new RecordingLog();
  const processed: number[] = [];
  let batches = 0;
  const lambda = createQueueFunction({
    schema: z.object({ n: z.number() }),
    traceOf: ({ n }) => `trace-${n}`,
    process: async ({ n }) => {
      if (n < 0) throw new Error("negative");
      processed.push(n);
      return { n };
    },
    log,
    afterBatch: () => {
      batches++;
    },
  });
  return { response: await lambda(eventOf(bodies), {} as Context), log, processed, batches };
}

it("processes every message of a batch", async () => {
  const { response, processed, log, batches } = await run(['{"n":1}', '{"n":2}']);
  expect(response).toEqual({ batchItemFailures: [] });
  expect(processed).toEqual([1, 2]);
  expect(log.infos).toEqual([
    {
      message: "batch",
      messages: [
        { traceId: "trace-1", n: 1 },
        { traceId: "trace-2", n: 2 },
      ],
      failed: 0,
    },
  ]);
  expect(batches).toBe(1);
});

it("has only those delivered again that failed: by throwing, by their shape, by not being JSON", async () => {
  const { response, processed } = await run(['{"n":1}', '{"n":-1}', '{"m":1}', "{", '{"n":2}']);
  expect(response).toEqual({
    batchItemFailures: [
      { itemIdentifier: "sqs-1" },
      { itemIdentifier: "sqs-2" },
      { itemIdentifier: "sqs-3" },
    ],
  });
  expect(processed).toEqual([1, 2]);
});

it("logs what failed under its trace, as far as it can be told", async () => {
  const { log } = await run(['{"n":-1}', "{"]);
  expect(
    log.errors.toSorted((a, b) => (String(a.sqsMessageId) < String(b.sqsMessageId) ? -1 : 1)),
  ).toMatchObject([
    { traceId: "trace--1", sqsMessageId: "sqs-0", detail: "negative" },
    { traceId: undefined, sqsMessageId: "sqs-1", error: "SyntaxError" },
  ]);
});

it.each([
  '{"n":-1,"destination":"5519900001111"}',
  '{"5519900001111"',
  "5519900001111 Hello",
  '{"n":"5519900001111"}',
  '"5519900001111"',
])("does not log the body of what failed: %s", async (body) => {
  const { log } = await run([body]);
  expect(log.errors).toHaveLength(1);
  expect(JSON.stringify(log.errors)).not.toContain("5519900001111");
});
