import type { DynamoDBBatchResponse, DynamoDBRecord, DynamoDBStreamEvent } from "aws-lambda";
import type { StreamedChange } from "../adapters/dynamodb/message-stream.ts";
import { createEventTakers, type TakeEvents, type Telling } from "../core/event-takers.ts";
import { isMessageReceived, type TorpedoEvent, traceOfEvent } from "../core/events.ts";
import type { State } from "../core/lifecycle.ts";
import type { DeadLetters, EventBus } from "../core/ports.ts";
import {
  type EventChoice,
  isForBus,
  isForCallbacks,
  isOfInterest,
} from "../core/publish-changes.ts";
import { describeError, type Log, logFailure, type Meter } from "../runtime/telemetry.ts";

/** What status-events needs. */
export interface StatusEventsDependencies {
  /** What a record of the stream changes, if anybody could want to know. */
  readonly changeOf: (record: DynamoDBRecord) => StreamedChange | undefined;
  /** Which events go on the bus. */
  readonly choice: EventChoice;
  readonly bus: EventBus;
  /** The queue of events of which customers are told. */
  readonly callbacks: { readonly put: TakeEvents };
  /** For records that cannot be read: the stream's own failure queue would hold only their position. */
  readonly deadLetters: DeadLetters;
  readonly log: Log;
  readonly meter: Meter;
}

/** What a record of the stream gives rise to. */
interface Reading {
  readonly record: DynamoDBRecord;
  /** Whether it is a message that was accepted just now. */
  readonly isAccepted?: boolean;
  readonly event?: TorpedoEvent | undefined;
  /** Why it cannot be read. */
  readonly failure?: unknown;
}

/**
 * Turns a batch of the stream into events, on the bus and for callbacks, each change at least once.
 * The stream comes again from the first change that one of them did not take.
 *
 * What a batch told is in its metrics, which lie in the log; a line of its own has only what did not
 * go right.
 */
export function createHandler(deps: StatusEventsDependencies) {
  const { choice, bus, callbacks, log, meter } = deps;
  const takeEvents = createEventTakers({
    takers: {
      bus: (events) => bus.publish(events),
      callbacks: (events) => callbacks.put(events),
    },
    onFailure: logFailure(log),
  });

  return async ({ Records }: DynamoDBStreamEvent): Promise<DynamoDBBatchResponse> => {
    const readings = Records.map((record) => read(deps, record));
    const told = readings.flatMap((reading, index) => {
      const { event } = reading;
      return event ? [{ index, telling: tellingOf(choice, event) }] : [];
    });
    const tellings = told.map(({ telling }) => telling);
    const taken = await takeEvents(tellings);
    const firstUntaken = told[taken]?.index ?? Records.length;
    const done = await setAsideUnreadable(deps, readings.slice(0, firstUntaken));

    const gone = readings.slice(0, done);
    measure(meter, gone);
    meter.flush();
    const failed = gone.flatMap(({ event }) =>
      event && stateOf(event) === "FAILED" ? [event] : [],
    );
    if (failed.length > 0) {
      log.info("messages failed", { state: "FAILED", traceIds: failed.map(traceOfEvent) });
    }
    if (done === Records.length) return { batchItemFailures: [] };
    const again = tellings.slice(taken).map(({ event }) => traceOfEvent(event));
    log.error("changes come again", { traceIds: again });
    return {
      batchItemFailures: [{ itemIdentifier: Records[done]?.dynamodb?.SequenceNumber ?? "" }],
    };
  };
}

const stateOf = (event: TorpedoEvent): State | "RECEIVED" =>
  isMessageReceived(event) ? "RECEIVED" : event.state;

function tellingOf(choice: EventChoice, event: TorpedoEvent): Telling {
  return {
    event,
    takers: [
      ...(isForBus(choice, event) ? (["bus"] as const) : []),
      ...(isForCallbacks(event) ? (["callbacks"] as const) : []),
    ],
  };
}

function read({ changeOf, choice }: StatusEventsDependencies, record: DynamoDBRecord): Reading {
  try {
    const change = changeOf(record);
    if (!change) return { record };
    const { isNew: isAccepted, state } = change;
    const isTold = state === "RECEIVED" || isOfInterest(choice, state);
    return isTold ? { record, isAccepted, event: change.toEvent() } : { record, isAccepted };
  } catch (failure) {
    return { record, failure };
  }
}

/** @returns how many of the readings, from the first on, are done with */
async function setAsideUnreadable(
  { deadLetters, log }: StatusEventsDependencies,
  readings: readonly Reading[],
): Promise<number> {
  for (const [index, { record, failure }] of readings.entries()) {
    if (failure === undefined) continue;
    log.error("stream record set aside", {
      sequenceNumber: record.dynamodb?.SequenceNumber,
      ...describeError(failure),
    });
    try {
      await deadLetters.put(record, String(failure));
    } catch (error) {
      log.error("stream record not set aside", describeError(error));
      return index;
    }
  }
  return readings.length;
}

const METRIC_OF_STATE: Readonly<Partial<Record<State | "RECEIVED", string>>> = {
  SENT: "MessagesSent",
  DELIVERED: "MessagesDelivered",
  NOT_DELIVERED: "MessagesNotDelivered",
  FAILED: "MessagesFailed",
  BLOCKED: "MessagesBlocked",
  EXPIRED: "MessagesExpired",
  CANCELED: "MessagesCanceled",
  RECEIVED: "MessagesReceived",
};

/** Counts are added up before they are given: each is written to the log as a number of its own. */
function measure(meter: Meter, readings: readonly Reading[]): void {
  const counts = new Map<string, number>();
  const count = (name: string, value = 1) => counts.set(name, (counts.get(name) ?? 0) + value);
  for (const { isAccepted, event } of readings) {
    if (isAccepted) count("MessagesAccepted");
    if (!event) continue;
    const metric = METRIC_OF_STATE[stateOf(event)];
    if (metric) count(metric);
    if (isMessageReceived(event)) continue;
    const at = Date.parse(event.at);
    if (event.state === "SENT") {
      count("PartsSent", event.parts);
      meter.time("AcceptedToSent", at - Date.parse(event.acceptedAt));
    }
    if (event.state === "DELIVERED" && event.sentAt) {
      meter.time("SentToDelivered", Math.max(0, at - Date.parse(event.sentAt)));
    }
  }
  for (const [name, value] of counts) meter.count(name, value);
}
