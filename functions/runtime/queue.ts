import middy from "@middy/core";
import sqsPartialBatchFailure from "@middy/sqs-partial-batch-failure";
import type { SQSBatchResponse, SQSEvent, SQSRecord } from "aws-lambda";
import type * as z from "zod";
import { describeError, type Log } from "./telemetry.ts";

/** How a message of a batch ended: with what the log says of it, or why it will come again. */
type Processed = Readonly<Record<string, unknown>>;

/**
 * Wraps the processing of one message body as a Lambda function behind an SQS queue. Messages of
 * a batch are processed side by side; those that fail, and only those, are delivered again. One
 * line in the log per batch, with what `process` returned for each message, and one for each
 * failure.
 */
export function createQueueFunction<T>(options: {
  readonly schema: z.ZodType<T>;
  /** The trace of the MT that a body is about. */
  readonly traceOf: (body: T) => string | undefined;
  /** @returns what the log says of the message: no numbers, no texts */
  readonly process: (body: T) => Promise<Processed>;
  readonly log: Log;
  /** Called at the end of each invocation. */
  readonly afterBatch?: () => void;
}) {
  const { schema, traceOf, process, log, afterBatch } = options;

  async function processRecord(record: SQSRecord): Promise<Processed> {
    let traceId: string | undefined;
    try {
      const body = schema.parse(JSON.parse(record.body));
      traceId = traceOf(body);
      return { traceId, ...(await process(body)) };
    } catch (error) {
      log.error("message failed", {
        traceId,
        sqsMessageId: record.messageId,
        receives: record.attributes.ApproximateReceiveCount,
        ...describeError(error),
      });
      throw error;
    }
  }

  return middy<SQSEvent, SQSBatchResponse>()
    .use(sqsPartialBatchFailure({ logger: () => undefined }))
    .handler(async ({ Records }) => {
      const results = await Promise.allSettled(Records.map(processRecord));
      log.info("batch", {
        messages: results.flatMap((result) =>
          result.status === "fulfilled" ? [result.value] : [],
        ),
        failed: results.filter(({ status }) => status === "rejected").length,
      });
      afterBatch?.();
      return results as unknown as SQSBatchResponse;
    });
}
