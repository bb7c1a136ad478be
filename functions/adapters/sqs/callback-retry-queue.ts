import { SendMessageCommand, type SQSClient } from "@aws-sdk/client-sqs";
import type { CallbackRetryQueue } from "../../core/ports.ts";

/** The retry queue of callbacks, and the dead-letter queue behind it. */
export function createCallbackRetryQueue(deps: {
  readonly client: SQSClient;
  readonly retryQueueUrl: string;
  readonly deadLetterQueueUrl: string;
}): CallbackRetryQueue {
  return {
    async enqueue(delivery, delaySeconds) {
      await deps.client.send(
        new SendMessageCommand({
          QueueUrl: deps.retryQueueUrl,
          MessageBody: JSON.stringify(delivery),
          DelaySeconds: delaySeconds,
        }),
      );
    },
    async giveUp(delivery, cause) {
      await deps.client.send(
        new SendMessageCommand({
          QueueUrl: deps.deadLetterQueueUrl,
          MessageBody: JSON.stringify(delivery),
          MessageAttributes: { cause: { DataType: "String", StringValue: cause } },
        }),
      );
    },
  };
}
