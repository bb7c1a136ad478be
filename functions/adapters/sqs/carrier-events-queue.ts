import { SendMessageCommand, type SQSClient } from "@aws-sdk/client-sqs";
import type { CarrierEvent } from "../../core/carrier.ts";

/** The queue in which everything that carriers report waits to be applied. */
export interface CarrierEventsQueue {
  /** @param delaySeconds 0 to 900 */
  enqueue(event: CarrierEvent, delaySeconds?: number): Promise<void>;
}

/** The carrier-events queue, in SQS. */
export function createCarrierEventsQueue(deps: {
  readonly client: SQSClient;
  readonly queueUrl: string;
}): CarrierEventsQueue {
  return {
    async enqueue(event, delaySeconds = 0) {
      await deps.client.send(
        new SendMessageCommand({
          QueueUrl: deps.queueUrl,
          MessageBody: JSON.stringify(event),
          ...(delaySeconds > 0 && { DelaySeconds: delaySeconds }),
        }),
      );
    },
  };
}
