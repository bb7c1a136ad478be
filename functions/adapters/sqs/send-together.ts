import {
  SendMessageBatchCommand,
  type SendMessageBatchRequestEntry,
  type SQSClient,
} from "@aws-sdk/client-sqs";
import { slicesWithin } from "../../core/slices.ts";

/** The most messages of a SendMessageBatch, and bytes; AWS takes four times as much, but not everything that speaks SQS does. */
const REQUEST = { count: 10, size: 250_000 };
/** Tries at the entries of a SendMessageBatch that SQS did not take. */
const MAX_ROUNDS = 5;

/**
 * Puts many messages on a queue, in as few requests as SQS allows.
 * @throws Error where SQS leaves some of them out again and again
 */
export async function sendTogether(
  client: SQSClient,
  QueueUrl: string,
  messages: readonly Omit<SendMessageBatchRequestEntry, "Id">[],
): Promise<void> {
  const entries = messages.map((message, index) => ({ Id: String(index), ...message }));
  await Promise.all(
    slicesWithin(entries, REQUEST, sizeOf).map((slice) => sendSlice(client, QueueUrl, slice)),
  );
}

const sizeOf = ({ MessageBody = "" }: SendMessageBatchRequestEntry) =>
  Buffer.byteLength(MessageBody);

async function sendSlice(
  client: SQSClient,
  QueueUrl: string,
  entries: readonly SendMessageBatchRequestEntry[],
): Promise<void> {
  let left = entries;
  for (let round = 0; left.length > 0; round++) {
    if (round === MAX_ROUNDS) throw new Error("SQS does not take all the messages of a batch");
    const { Failed = [] } = await client.send(
      new SendMessageBatchCommand({ QueueUrl, Entries: [...left] }),
    );
    const failed = new Set(Failed.map(({ Id }) => Id));
    left = left.filter(({ Id }) => failed.has(Id));
  }
}
