import middy from "@middy/core";
import sqsPartialBatchFailure from "@middy/sqs-partial-batch-failure";
import type { SQSBatchResponse, SQSEvent, SQSRecord } from "aws-lambda";
import type * as z from "zod";
import { UnreadableItemError } from "../core/errors.ts";
import { describeError, type Log } from "./telemetry.ts";

/** How a message of a batch ended: with what the log says of it, or why it will come again. */
type Processed = Readonly<Record<string, unknown>>;

/** How messages leave their queue that no further delivery would help. */
export interface Poison {
  /** The number of deliveries after which a message that fails is set aside. */
  readonly maxReceives: number;
  /** @param body as it was received */
  readonly setAside: (body: string, cause: string) => Promise<void>;
}

/** During a deployment, what one version cannot read is delivered to the other in a while. */
const CHANCES_OF_THE_UNREADABLE = 3;

/** A message's body that this version of the code cannot read: never guessed at. */
class UnreadableBodyError extends Error {
  override readonly name = "UnreadableBodyError";
}

/**
 * Wraps the processing of one message body as a Lambda function behind an SQS queue. Messages of
 * a batch are processed side by side; those that fail, and only those, are delivered again. One
 * line in the log per batch, with what `process` returned for each message, and one for each
 * failure.
 *
 * What cannot be read, itself or what is stored of it, is set aside soon, and what keeps failing at
 * its last delivery: both with the reason, which SQS would not know. Where setting aside fails,
 * the message fails, and SQS sets it aside in the end.
 */
export function createQueueFunction<T>(options: {
  readonly schema: z.ZodType<T>;
  /** The trace of the MT that a body is about. */
  readonly traceOf: (body: T) => string | undefined;
  /**
   * @param receives the how-manieth delivery of the message it is, 1 for the first
   * @returns what the log says of the message: no numbers, no texts
   */
  readonly process: (body: T, receives: number) => Promise<Processed>;
  readonly poison: Poison;
  readonly log: Log;
  /** Called at the end of each invocation. */
  readonly afterBatch?: () => void | Promise<void>;
}) {
  const { schema, traceOf, process, poison, log, afterBatch } = options;

  async function processRecord(record: SQSRecord): Promise<Processed> {
    const receives = Number(record.attributes.ApproximateReceiveCount);
    let traceId: string | undefined;
    try {
      const body = readBody(schema, record.body);
      traceId = traceOf(body);
      return { traceId, ...(await process(body, receives)) };
    } catch (error) {
      const about = { traceId, sqsMessageId: record.messageId, receives };
      log.error("message failed", { ...about, ...describeError(error) });
      const chances = isUnreadable(error) ? CHANCES_OF_THE_UNREADABLE : poison.maxReceives;
      if (receives < chances) throw error;
      return setAside(record.body, causeOf(error), about);
    }
  }

  async function setAside(body: string, cause: string, about: Processed): Promise<Processed> {
    try {
      await poison.setAside(body, cause);
    } catch (error) {
      log.error("message not set aside", { ...about, ...describeError(error) });
      throw error;
    }
    log.error("message set aside", { ...about, cause });
    return { traceId: about.traceId, setAside: cause };
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
      await afterBatch?.();
      return results as unknown as SQSBatchResponse;
    });
}

const isUnreadable = (error: unknown) =>
  error instanceof UnreadableBodyError || error instanceof UnreadableItemError;

/** @throws UnreadableBodyError that says where and how it is wrong, and not what stands there */
function readBody<T>(schema: z.ZodType<T>, body: string): T {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    throw new UnreadableBodyError("the message is not JSON");
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new UnreadableBodyError(
    `the message is of no shape that is known: ${describeIssues(parsed.error.issues)}`,
  );
}

/** Of a union, each alternative says for itself why it does not fit. */
function describeIssues(issues: readonly z.core.$ZodIssue[]): string {
  const descriptions = issues.map((issue) => {
    const where = issue.path.join(".");
    const why =
      issue.code === "invalid_union" && issue.errors.length > 0
        ? issue.errors.map(describeIssues).join(" or ")
        : issue.code;
    return where === "" ? why : `${where}: ${why}`;
  });
  return descriptions.join(", ");
}

/** Why a message is set aside, for those who find it there. */
function causeOf(error: unknown): string {
  const { error: name, detail } = describeError(error);
  return detail === undefined ? String(name) : `${name}: ${detail}`;
}
