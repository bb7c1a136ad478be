import { SendMessageCommand, type SQSClient } from "@aws-sdk/client-sqs";
import type { MessageRef } from "../../core/message.ts";
import type { Clock, DispatchQueue } from "../../core/ports.ts";

/** The longest delay that SQS takes. */
const MAX_DELAY_MS = 15 * 60 * 1_000;

/** Wakes dispatch at a time that SQS cannot wait for. */
export interface DispatchAlarmClock {
  schedule(ref: MessageRef, at: number): Promise<void>;
}

/**
 * The dispatch queue. What is due within the quarter of an hour waits in SQS, to the second; what
 * is due later waits in a schedule.
 */
export function createDispatchQueue(deps: {
  readonly client: SQSClient;
  readonly queueUrl: string;
  readonly later: DispatchAlarmClock;
  readonly clock: Clock;
}): DispatchQueue {
  return {
    async enqueue(ref, notBefore) {
      const delayMs = Math.max(0, notBefore - deps.clock.now());
      if (delayMs > MAX_DELAY_MS) return deps.later.schedule(ref, notBefore);
      const delaySeconds = Math.ceil(delayMs / 1_000);
      await deps.client.send(
        new SendMessageCommand({
          QueueUrl: deps.queueUrl,
          MessageBody: JSON.stringify(ref),
          ...(delaySeconds > 0 && { DelaySeconds: delaySeconds }),
        }),
      );
    },
  };
}
