import type { Context, SQSEvent } from "aws-lambda";
import { describe, expect, it } from "vitest";
import * as z from "zod";
import { UnreadableItemError } from "../../../functions/core/errors.ts";
import { createQueueFunction } from "../../../functions/runtime/queue.ts";
import { RecordingLog } from "../../support/recording-log.ts";

const MAX_RECEIVES = 3;

const eventOf = (bodies: string[], receives: number) =>
  ({
    Records: bodies.map((body, index) => ({
      messageId: `sqs-${index}`,
      body,
      attributes: { ApproximateReceiveCount: String(receives) },
    })),
  }) as unknown as SQSEvent;

const schema = z.union([
  z.object({ n: z.number(), ref: z.object({ id: z.string() }).optional() }),
  z.object({ kind: z.literal("other"), n: z.number() }),
]);

async function run(bodies: string[], { receives = 1, setsAside = true } = {}) {
  const log = new RecordingLog();
  const processed: number[] = [];
  const seen: number[] = [];
  const letters: { body: string; cause: string }[] = [];
  let batches = 0;
  const lambda = createQueueFunction({
    schema,
    traceOf: ({ n }) => `trace-${n}`,
    process: async ({ n }, received) => {
      seen.push(received);
      if (n === -7) throw new UnreadableItemError("a stored message cannot be read: version: 2");
      if (n === -8) throw "a text";
      if (n < 0) throw new Error("negative");
      processed.push(n);
      return { n };
    },
    poison: {
      maxReceives: MAX_RECEIVES,
      setAside: async (body, cause) => {
        if (!setsAside) throw new Error("the dead-letter queue is away");
        letters.push({ body, cause });
      },
    },
    log,
    afterBatch: () => {
      batches++;
    },
  });
  const response = await lambda(eventOf(bodies, receives), {} as Context);
  return { response, log, processed, seen, letters, batches };
}

const failing = (...indices: number[]) => ({
  batchItemFailures: indices.map((index) => ({ itemIdentifier: `sqs-${index}` })),
});

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
  expect(log.errors).toEqual([]);
  expect(batches).toBe(1);
});

it("has only those delivered again that failed, and says the how-manieth delivery it is", async () => {
  const { response, processed, seen, letters } = await run(['{"n":1}', '{"n":-1}', '{"n":2}'], {
    receives: 2,
  });
  expect(response).toEqual(failing(1));
  expect(processed).toEqual([1, 2]);
  expect(seen).toEqual([2, 2, 2]);
  expect(letters).toEqual([]);
});

it("logs what failed under its trace", async () => {
  const { log } = await run(['{"n":-1}']);
  expect(log.errors).toMatchObject([
    { traceId: "trace--1", sqsMessageId: "sqs-0", receives: 1, detail: "negative" },
  ]);
});

describe("what no further delivery would help", () => {
  it.each([
    ["is not JSON", "{", /^UnreadableBodyError: the message is not JSON$/],
    ["has no shape that is known", '{"m":1}', /: n: invalid_type or kind: invalid_value, n: /],
    ["is wrong deep inside", '{"n":1,"ref":{"id":5}}', /: ref\.id: invalid_type or kind: /],
    ["has stored data that is not known", '{"n":-7}', /^UnreadableItemError: .*version: 2$/],
  ])(
    "is set aside at its third delivery with the reason, as it came: what %s",
    async (_, body, cause) => {
      // A deployment's other version may be able to read it.
      expect(await run([body], { receives: 2 })).toMatchObject({
        response: failing(0),
        letters: [],
      });
      const { response, letters, log, processed } = await run(['{"n":1}', body], { receives: 3 });
      expect(response).toEqual(failing());
      expect(letters).toEqual([{ body, cause: expect.stringMatching(cause) }]);
      expect(processed).toEqual([1]);
      expect(log.errors.map(({ message }) => message)).toEqual([
        "message failed",
        "message set aside",
      ]);
      expect(log.infos).toMatchObject([{ messages: [{ n: 1 }, { setAside: letters[0]?.cause }] }]);
    },
  );

  it("is set aside at its last delivery with the last error, and not before", async () => {
    for (let receives = 1; receives < MAX_RECEIVES; receives++) {
      const { response, letters } = await run(['{"n":-1}'], { receives });
      expect({ response, letters }).toEqual({ response: failing(0), letters: [] });
    }
    for (const receives of [MAX_RECEIVES, MAX_RECEIVES + 1]) {
      const { response, letters } = await run(['{"n":-1}', '{"n":-8}'], { receives });
      expect(response).toEqual(failing());
      expect(letters).toEqual([
        { body: '{"n":-1}', cause: "Error: negative" },
        { body: '{"n":-8}', cause: "string" },
      ]);
    }
  });

  it("is left to SQS where it cannot be set aside", async () => {
    const { response, letters, log } = await run(["{", '{"n":-1}', '{"n":1}'], {
      receives: MAX_RECEIVES,
      setsAside: false,
    });
    expect(response).toEqual(failing(0, 1));
    expect(letters).toEqual([]);
    expect(log.errors.map(({ message }) => message).toSorted()).toEqual([
      "message failed",
      "message failed",
      "message not set aside",
      "message not set aside",
    ]);
  });
});

it.each([
  '{"n":-1,"destination":"5519900001111"}',
  '{"5519900001111"',
  "5519900001111 Hello",
  '{"n":"5519900001111"}',
  '"5519900001111"',
])("does not log the body of what failed: %s", async (body) => {
  const { log, letters } = await run([body], { receives: MAX_RECEIVES });
  expect(letters).toHaveLength(1);
  expect(log.errors).toHaveLength(2);
  expect(JSON.stringify([log, letters.map(({ cause }) => cause)])).not.toContain("5519900001111");
});
