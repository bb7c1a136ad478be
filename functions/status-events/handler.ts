import type { DynamoDBBatchResponse, DynamoDBRecord, DynamoDBStreamEvent } from "aws-lambda";
import {
  isMessageReceived,
  type MessageStatusChanged,
  type TorpedoEvent,
  traceOfEvent,
} from "../core/events.ts";
import type { DeadLetters, EventBus } from "../core/ports.ts";
import { publishEvents } from "../core/publish-changes.ts";
import { describeError, type Log, type Meter } from "../runtime/telemetry.ts";

/** What status-events needs. */
export interface StatusEventsDependencies {
  /** The event that a record of the stream gives rise to, if any. */
  readonly eventOf: (record: DynamoDBRecord) => TorpedoEvent | undefined;
  readonly bus: EventBus;
  /** For records that cannot be read: the stream's own failure queue would hold only their position. */
  readonly deadLetters: DeadLetters;
  readonly log: Log;
  readonly meter: Meter;
}

interface Publication {
  readonly sequenceNumber: string;
  readonly event: TorpedoEvent;
}

/**
 * Turns a batch of the stream into events on the bus, each change at least once. The stream comes
 * again from the first change that the bus did not take, with those behind it that it did.
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
    const firstUntaken = Math.min(publications.length, ...untaken);
    const done = publications.slice(0, firstUntaken).map(({ event }) => event);
    for (const event of done) measure(deps.meter, event);
    deps.meter.flush();
    deps.log.info("batch", {
      events: done.map((event) => ({
        traceId: traceOfEvent(event),
        state: isMessageReceived(event) ? "RECEIVED" : event.state,
      })),
      ...(untaken.length > 0 && { untaken: untaken.length }),
    });
    const again = publications[firstUntaken];
    return { batchItemFailures: again ? [{ itemIdentifier: again.sequenceNumber }] : [] };
  };
}

async function readEvent(
  { eventOf, deadLetters, log }: StatusEventsDependencies,
  record: DynamoDBRecord,
): Promise<TorpedoEvent | undefined> {
  try {
    return eventOf(record);
  } catch (error) {
    log.error("stream record set aside", {
      sequenceNumber: record.dynamodb?.SequenceNumber,
      ...describeError(error),
    });
    await deadLetters.put(record, String(error));
    return undefined;
  }
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

function measure(meter: Meter, event: TorpedoEvent): void {
  if (isMessageReceived(event)) meter.count("MessagesReceived");
  else measureStatus(meter, event);
}

function measureStatus(meter: Meter, event: MessageStatusChanged): void {
  if (!event.previousState) meter.count("MessagesAccepted");
  const metric = METRIC_OF_STATE[event.state];
  if (metric) meter.count(metric);
  const at = Date.parse(event.at);
  if (event.state === "SENT") {
    meter.count("PartsSent", event.parts);
    meter.time("AcceptedToSent", at - Date.parse(event.acceptedAt));
  }
  if (event.state === "DELIVERED" && event.sentAt) {
    meter.time("SentToDelivered", Math.max(0, at - Date.parse(event.sentAt)));
  }
}
