import { createHash } from "node:crypto";
import { AwsError } from "./aws-error.ts";
import { billedFor, type Queue, type Queues } from "./queues.ts";

const MAX_ENTRIES = 10;
/** Of a message, and of all messages of a request together. */
const MAX_BYTES = 1_048_576;
const MAX_DELAY_SECONDS = 900;

interface Entry {
  readonly Id?: string;
  readonly MessageBody: string;
  readonly DelaySeconds?: number;
  readonly MessageGroupId?: string;
  readonly MessageAttributes?: Readonly<
    Record<string, { readonly DataType?: string; readonly StringValue?: string }>
  >;
}

interface SqsInput {
  readonly QueueUrl?: string;
  readonly QueueName?: string;
  readonly Entries?: readonly (Entry & { readonly ReceiptHandle?: string })[];
  readonly ReceiptHandle?: string;
  readonly VisibilityTimeout?: number;
  readonly MaxNumberOfMessages?: number;
}

/** What is answered, and for how many requests it is billed. */
export interface SqsAnswer {
  readonly body: object;
  readonly billed: number;
}

/** Answers a request to SQS. @throws AwsError as SQS would */
export function answerSqs(queues: Queues, operation: string, given: unknown): SqsAnswer {
  const input = given as SqsInput & Entry;
  const queue = queues.find(input.QueueUrl ?? input.QueueName ?? "");
  if (!queue) {
    throw new AwsError(
      "QueueDoesNotExist",
      `The specified queue does not exist: ${input.QueueUrl ?? input.QueueName}`,
    );
  }
  switch (operation) {
    case "SendMessage":
      return { body: put(queues, queue, input), billed: billedFor(weigh([input])) };
    case "SendMessageBatch": {
      const entries = checked(input.Entries);
      const billed = billedFor(weigh(entries));
      const Successful = entries.map((it) => ({ Id: it.Id, ...put(queues, queue, it) }));
      return { body: { Successful, Failed: [] }, billed };
    }
    case "ReceiveMessage":
      return receive(queue, input.MaxNumberOfMessages ?? 1);
    case "DeleteMessage":
    case "ChangeMessageVisibility":
      settle(operation, queue, [input]);
      return { body: {}, billed: 1 };
    case "DeleteMessageBatch":
    case "ChangeMessageVisibilityBatch": {
      const entries = checked(input.Entries);
      settle(operation, queue, entries);
      return { body: { Successful: entries.map(({ Id }) => ({ Id })), Failed: [] }, billed: 1 };
    }
    case "GetQueueUrl":
      return { body: { QueueUrl: queue.url }, billed: 1 };
    case "GetQueueAttributes": {
      const Attributes = {
        QueueArn: queue.arn,
        ApproximateNumberOfMessages: String(queue.messages.length),
      };
      return { body: { Attributes }, billed: 1 };
    }
    default:
      throw new AwsError("UnknownOperationException", `the null AWS does not know ${operation}`);
  }
}

function checked(entries: SqsInput["Entries"] = []): NonNullable<SqsInput["Entries"]> {
  if (entries.length === 0) throw new AwsError("EmptyBatchRequest", "There are no entries");
  if (entries.length > MAX_ENTRIES) {
    throw new AwsError("TooManyEntriesInBatchRequest", `The most entries are ${MAX_ENTRIES}`);
  }
  if (new Set(entries.map(({ Id }) => Id)).size < entries.length) {
    throw new AwsError("BatchEntryIdsNotDistinct", "Two entries have the same id");
  }
  return entries;
}

/** The payload of messages, in bytes. @throws AwsError where SQS would not take them */
function weigh(entries: readonly Entry[]): number {
  let total = 0;
  for (const { MessageBody, MessageAttributes = {}, DelaySeconds = 0 } of entries) {
    if (!MessageBody) throw new AwsError("MissingParameter", "A message has no body");
    if (DelaySeconds < 0 || DelaySeconds > MAX_DELAY_SECONDS) {
      throw new AwsError("InvalidParameterValue", `DelaySeconds: ${DelaySeconds}`);
    }
    total += Buffer.byteLength(MessageBody);
    for (const [name, { DataType = "", StringValue = "" }] of Object.entries(MessageAttributes)) {
      total += Buffer.byteLength(name + DataType + StringValue);
    }
  }
  if (total > MAX_BYTES) {
    throw new AwsError("BatchRequestTooLong", `${total} bytes are more than ${MAX_BYTES}`);
  }
  return total;
}

function put(queues: Queues, queue: Queue, entry: Entry) {
  const { MessageBody, DelaySeconds = 0, MessageGroupId, MessageAttributes } = entry;
  const MessageId = queues.put(queue, {
    body: MessageBody,
    delaySeconds: DelaySeconds,
    ...(MessageGroupId !== undefined && { groupId: MessageGroupId }),
    ...(MessageAttributes !== undefined && { messageAttributes: MessageAttributes }),
  });
  return { MessageId, MD5OfMessageBody: createHash("md5").update(MessageBody).digest("hex") };
}

function receive(queue: Queue, max: number): SqsAnswer {
  const taken = queue.messages.take(max);
  const Messages = taken.map((message) => {
    queue.received.set(message.messageId, message);
    return {
      MessageId: message.messageId,
      ReceiptHandle: message.messageId,
      Body: message.body,
      MD5OfBody: createHash("md5").update(message.body).digest("hex"),
      Attributes: {
        ApproximateReceiveCount: "1",
        ...(message.groupId !== undefined && { MessageGroupId: message.groupId }),
      },
      ...(message.messageAttributes !== undefined && {
        MessageAttributes: message.messageAttributes,
      }),
    };
  });
  const bytes = taken.reduce((sum, { body }) => sum + Buffer.byteLength(body), 0);
  return { body: Messages.length > 0 ? { Messages } : {}, billed: billedFor(bytes) };
}

/** Messages that are made visible again at once can be received again; others stay away for good. */
function settle(
  operation: string,
  queue: Queue,
  entries: readonly { readonly ReceiptHandle?: string; readonly VisibilityTimeout?: number }[],
): void {
  for (const { ReceiptHandle = "", VisibilityTimeout } of entries) {
    const message = queue.received.get(ReceiptHandle);
    if (!message) continue;
    const isDelete = operation.startsWith("Delete");
    if (!isDelete && VisibilityTimeout !== 0) continue;
    queue.received.delete(ReceiptHandle);
    if (!isDelete) queue.messages.push(message);
  }
}
