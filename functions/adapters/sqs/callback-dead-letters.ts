import {
  DeleteMessageCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  type SQSClient,
} from "@aws-sdk/client-sqs";
import type { CallbackDeadLetters } from "../../core/callback-ports.ts";

/** For how long nobody else gets what somebody looks at. */
const UNSEEN_SECONDS = 60;
/** Has SQS ask all of its servers, each of which knows but some of the messages. */
const WAIT_SECONDS = 1;

/** Why a message lies there: as we say it, and as EventBridge does of what it could not deliver. */
const CAUSES = ["cause", "ERROR_MESSAGE"] as const;

/** The dead letters of callbacks, in SQS. */
export function createCallbackDeadLetters(deps: {
  readonly client: SQSClient;
  readonly deadLetterQueueUrl: string;
  /** Of the queue in which events wait to be told. */
  readonly eventsQueueUrl: string;
}): CallbackDeadLetters {
  const { client, deadLetterQueueUrl: QueueUrl } = deps;
  return {
    async receive() {
      const { Messages = [] } = await client.send(
        new ReceiveMessageCommand({
          QueueUrl,
          MaxNumberOfMessages: 10,
          VisibilityTimeout: UNSEEN_SECONDS,
          WaitTimeSeconds: WAIT_SECONDS,
          MessageAttributeNames: [...CAUSES],
        }),
      );
      return Messages.map(({ Body = "", ReceiptHandle = "", MessageAttributes }) => ({
        body: Body,
        cause: CAUSES.map((name) => MessageAttributes?.[name]?.StringValue).find(Boolean),
        handle: ReceiptHandle,
      }));
    },

    async remove({ handle }) {
      await client.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: handle }));
    },

    async resendEvent(body) {
      await client.send(
        new SendMessageCommand({ QueueUrl: deps.eventsQueueUrl, MessageBody: body }),
      );
    },
  };
}
