import type { DynamoDBBatchResponse, DynamoDBRecord, DynamoDBStreamEvent } from "aws-lambda";
import type { DeadLetters } from "../adapters/sqs/dead-letters.ts";
import type { MessageStatusChanged } from "../core/events.ts";
import type { EventBus } from "../core/ports.ts";
import { eventOf, type MessageWrite, publishEvents } from "../core/publish-changes.ts";
import { describeError, type Log, type Meter } from "../runtime/telemetry.ts";
import { messageWriteOf } from "./schema.ts";

/** What status-events needs. */
export interface StatusEventsDependencies {
  readonly bus: EventBus;
  /** For records that cannot be read: the stream's own failure queue would hold only their position. */
  readonly deadLetters: DeadLetters;
  readonly log: Log;
  readonly meter: Meter;
}

interface Publication {
  readonly sequenceNumber: string;
  readonly event: MessageStatusChanged;
}

/**
 * Turns a batch of the stream into events on the bus. From the first record whose event the bus
 * does not take, the stream is delivered again, so a change is told at least once and in order.
 */
export function createHandler(deps: StatusEventsDependencies) {
  return async ({ Records }: DynamoDBStreamEvent): Promise<DynamoDBBatchResponse> => {
    const publications: Publication[] = [];
    for (const record of Records) {
      const event = await readEvent(deps, record);
      if (event) {
        publications.push({ sequenceNumber: record.dynamodb?.SequenceNumber ?? "", event });
      }
    }
    const untaken = await publishEvents(
      deps.bus,
      publications.map(({ event }) => event),
    );
    const taken = publications.filter((_, index) => !untaken.includes(index));
    for (const { event } of taken) measure(deps.meter, event);
    deps.meter.flush();
    deps.log.info("batch", {
      events: taken.map(({ event }) => ({ traceId: event.traceId, state: event.state })),
      ...(untaken.length > 0 && { untaken: untaken.length }),
    });
    return {
      batchItemFailures: untaken.flatMap((index) => {
        const failed = publications[index];
        return failed ? [{ itemIdentifier: failed.sequenceNumber }] : [];
      }),
    };
  };
}

async function readEvent(
  { deadLetters, log }: StatusEventsDependencies,
  record: DynamoDBRecord,
): Promise<MessageStatusChanged | undefined> {
  let write: MessageWrite | undefined;
  try {
    write = messageWriteOf(record);
  } catch (error) {
    log.error("stream record set aside", {
      sequenceNumber: record.dynamodb?.SequenceNumber,
      ...describeError(error),
    });
    await deadLetters.put(record, String(error));
    return undefined;
  }
  return write && eventOf(write);
}

const METRIC_OF_STATE: Partial<Record<MessageStatusChanged["state"], string>> = {
  SENT: "MessagesSent",
  DELIVERED: "MessagesDelivered",
  NOT_DELIVERED: "MessagesNotDelivered",
  FAILED: "MessagesFailed",
  BLOCKED: "MessagesBlocked",
  EXPIRED: "MessagesExpired",
  CANCELED: "MessagesCanceled",
};

function measure(meter: Meter, event: MessageStatusChanged): void {
  if (!event.previousState) meter.count("MessagesAccepted");
  const metric = METRIC_OF_STATE[event.state];
  if (metric) meter.count(metric);
  const at = Date.parse(event.at);
  if (event.state === "SENT") meter.time("AcceptedToSent", at - Date.parse(event.acceptedAt));
  if (event.state === "DELIVERED" && event.sentAt) {
    meter.time("SentToDelivered", Math.max(0, at - Date.parse(event.sentAt)));
  }
}
