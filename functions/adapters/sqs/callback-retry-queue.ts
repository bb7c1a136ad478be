import { SendMessageCommand, type SQSClient } from "@aws-sdk/client-sqs";
import type { CallbackRetryQueue } from "../../core/ports.ts";
import { createDeadLetters } from "./dead-letters.ts";

/** The retry queue of callbacks, and the dead-letter queue behind it. */
export function createCallbackRetryQueue(deps: {
  readonly client: SQSClient;
  readonly retryQueueUrl: string;
  readonly deadLetterQueueUrl: string;
}): CallbackRetryQueue {
  const { client, retryQueueUrl, deadLetterQueueUrl } = deps;
  const deadLetters = createDeadLetters({ client, queueUrl: deadLetterQueueUrl });
  return {
    async enqueue(delivery, delaySeconds) {
      await client.send(
        new SendMessageCommand({
          QueueUrl: retryQueueUrl,
          MessageBody: JSON.stringify(delivery),
          DelaySeconds: delaySeconds,
        }),
      );
    },
    giveUp: (delivery, cause) => deadLetters.put(delivery, cause),
  };
}
