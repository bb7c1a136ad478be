import { SendMessageCommand, type SQSClient } from "@aws-sdk/client-sqs";
import type { DeadLetters } from "../../core/ports.ts";

/** A dead-letter queue that is written to by hand, for sources whose own would lose the content. */
export function createDeadLetters(deps: {
  readonly client: SQSClient;
  readonly queueUrl: string;
}): DeadLetters {
  return {
    async put(what, cause) {
      await deps.client.send(
        new SendMessageCommand({
          QueueUrl: deps.queueUrl,
          MessageBody: JSON.stringify(what),
          MessageAttributes: { cause: { DataType: "String", StringValue: cause } },
        }),
      );
    },
  };
}
