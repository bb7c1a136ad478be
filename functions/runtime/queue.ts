import middy from "@middy/core";
import sqsPartialBatchFailure from "@middy/sqs-partial-batch-failure";
import type { SQSBatchResponse, SQSEvent, SQSRecord } from "aws-lambda";
import type * as z from "zod";
import { describeError, type Log } from "./telemetry.ts";

/**
 * Wraps the processing of one message body as a Lambda function behind an SQS queue. Messages of
 * a batch are processed side by side; those that fail, and only those, are delivered again. One
 * line in the log per batch, with what `process` returned for each message.
 */
export function createQueueFunction<T>(options: {
  readonly schema: z.ZodType<T>;
  /** @returns what the log says of the message: no numbers, no texts */
  readonly process: (body: T) => Promise<Readonly<Record<string, unknown>>>;
  readonly log: Log;
  /** Called at the end of each invocation. */
  readonly afterBatch?: () => void;
}) {
  const { schema, process, log, afterBatch } = options;

  const processRecord = async (record: SQSRecord) => process(schema.parse(JSON.parse(record.body)));

  return middy<SQSEvent, SQSBatchResponse>()
    .use(
      sqsPartialBatchFailure({
        logger: (reason: unknown, record: SQSRecord) =>
          log.error("message failed", {
            sqsMessageId: record.messageId,
            receives: record.attributes.ApproximateReceiveCount,
            ...describeError(reason),
          }),
      }),
    )
    .handler(async ({ Records }) => {
      const results = await Promise.allSettled(Records.map(processRecord));
      log.info("batch", {
        messages: results.map((result) =>
          result.status === "fulfilled" ? result.value : { failed: true },
        ),
      });
      afterBatch?.();
      return results as unknown as SQSBatchResponse;
    });
}
