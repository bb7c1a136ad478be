import { SendMessageCommand, type SQSClient } from "@aws-sdk/client-sqs";
import type { PartsDue, PartsTimer } from "../../core/assemble-mo.ts";
import type { CarrierEvent, CarrierReports } from "../../core/carrier.ts";
import { sendTogether } from "./send-together.ts";

/** The queue in which everything that carriers report waits to be applied, and MOs for their parts. */
export interface CarrierEventsQueue extends CarrierReports, PartsTimer {
  /** @param delaySeconds 0 to 900 */
  enqueue(event: CarrierEvent, delaySeconds?: number): Promise<void>;
}

/** The carrier-events queue, in SQS. */
export function createCarrierEventsQueue(deps: {
  readonly client: SQSClient;
  readonly queueUrl: string;
}): CarrierEventsQueue {
  const { client, queueUrl } = deps;

  async function send(event: CarrierEvent | PartsDue, delaySeconds: number): Promise<void> {
    await client.send(
      new SendMessageCommand({
        QueueUrl: queueUrl,
        MessageBody: bodyOf(event),
        ...(delaySeconds > 0 && { DelaySeconds: delaySeconds }),
      }),
    );
  }

  return {
    enqueue: (event, delaySeconds = 0) => send(event, delaySeconds),
    wake: (due, afterMs) => send(due, Math.ceil(afterMs / 1_000)),

    enqueueMany: (events) =>
      sendTogether(
        client,
        queueUrl,
        events.map((event) => ({ MessageBody: bodyOf(event) })),
      ),
  };
}

/** What phones send can hold characters that SQS refuses (SendMessage, "MessageBody"), of which JSON escapes all but two. */
const bodyOf = (event: CarrierEvent | PartsDue) =>
  JSON.stringify(event).replace(/[\ufffe\uffff]/g, (character) =>
    character === "\ufffe" ? "\\ufffe" : "\\uffff",
  );
