import { SendMessageCommand, type SQSClient } from "@aws-sdk/client-sqs";

/** Where what cannot be processed is set aside, with the reason. */
export interface DeadLetters {
  put(what: unknown, cause: string): Promise<void>;
}

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
