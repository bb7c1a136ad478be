import {
  DeleteRuleCommand,
  EventBridgeClient,
  PutRuleCommand,
  PutTargetsCommand,
  RemoveTargetsCommand,
} from "@aws-sdk/client-eventbridge";
import {
  CreateQueueCommand,
  DeleteMessageBatchCommand,
  DeleteQueueCommand,
  GetQueueAttributesCommand,
  type Message,
  ReceiveMessageCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";
import { LRUCache } from "lru-cache";
import * as z from "zod";
import {
  EVENT_SOURCE,
  isMessageReceived,
  MESSAGE_RECEIVED,
  MESSAGE_STATUS_CHANGED,
  MESSAGE_STATUSES_CHANGED,
  messageStatusesChangedSchema,
  type TorpedoEvent,
  timeOfEvent,
  torpedoEventSchema,
} from "../../functions/core/events.ts";
import { maskNumber } from "../../functions/core/message.ts";
import { printable } from "../printable.ts";
import type { AwsConnection } from "./local-aws.ts";

/** Fixed, so that what a run that was killed has left behind is taken over and not added to. */
const NAME = "torpedo-follow";
const TARGET_ID = "follow";

const envelopeSchema = z.object({
  detail: z.union([
    messageStatusesChangedSchema.transform(({ changes }): TorpedoEvent[] => changes),
    torpedoEventSchema.transform((event) => [event]),
  ]),
});

/** Reads changes of state and MOs off a queue of our own. */
export interface Follower {
  /**
   * Calls `onEvent` for each event until the signal aborts; once each, mostly in order.
   * Without an event for one that is not what docs/events.md says.
   */
  run(onEvent: (event: TorpedoEvent | undefined) => void, signal: AbortSignal): Promise<void>;
  /** Removes the rule and the queue. */
  remove(): Promise<void>;
}

/**
 * Hangs a rule on the bus that copies everything to a queue, as teams hang theirs on it.
 */
export async function createFollower(aws: AwsConnection, busName: string): Promise<Follower> {
  const events = new EventBridgeClient(aws);
  const sqs = new SQSClient(aws);

  const { QueueUrl } = await sqs.send(
    new CreateQueueCommand({ QueueName: NAME, Attributes: { MessageRetentionPeriod: "300" } }),
  );
  if (!QueueUrl) throw new Error("SQS answered a new queue without its URL");
  const { Attributes } = await sqs.send(
    new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ["QueueArn"] }),
  );
  await events.send(
    new PutRuleCommand({
      Name: NAME,
      EventBusName: busName,
      Description: "Shows changes of state and MOs in the terminal",
      EventPattern: JSON.stringify({
        source: [EVENT_SOURCE],
        "detail-type": [MESSAGE_STATUS_CHANGED, MESSAGE_STATUSES_CHANGED, MESSAGE_RECEIVED],
      }),
    }),
  );
  await events.send(
    new PutTargetsCommand({
      Rule: NAME,
      EventBusName: busName,
      Targets: [{ Id: TARGET_ID, Arn: Attributes?.QueueArn }],
    }),
  );

  return {
    async run(onEvent, signal) {
      // An event is delivered at least once; who reads along wants to see it once.
      const told = new LRUCache<string, true>({ max: 1_000 });
      while (!signal.aborted) {
        const messages = await receive(sqs, QueueUrl, signal);
        const received = messages
          .flatMap(
            ({ Body }) =>
              envelopeSchema.safeParse(JSON.parse(Body ?? "null")).data?.detail ?? [undefined],
          )
          .sort((one, other) => timeOf(one).localeCompare(timeOf(other)));
        for (const event of received) {
          if (event && told.has(event.eventId)) continue;
          if (event) told.set(event.eventId, true);
          onEvent(event);
        }
        if (messages.length > 0) {
          await sqs.send(
            new DeleteMessageBatchCommand({
              QueueUrl,
              Entries: messages.map(({ ReceiptHandle }, index) => ({
                Id: String(index),
                ReceiptHandle,
              })),
            }),
          );
        }
      }
    },
    async remove() {
      const rule = { EventBusName: busName };
      await events.send(new RemoveTargetsCommand({ ...rule, Rule: NAME, Ids: [TARGET_ID] }));
      await events.send(new DeleteRuleCommand({ ...rule, Name: NAME }));
      await sqs.send(new DeleteQueueCommand({ QueueUrl }));
      // Connections left open would keep the emulator from ending at once.
      events.destroy();
      sqs.destroy();
    },
  };
}

async function receive(sqs: SQSClient, QueueUrl: string, signal: AbortSignal): Promise<Message[]> {
  try {
    const { Messages } = await sqs.send(
      new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: 10 }),
      { abortSignal: signal },
    );
    return Messages ?? [];
  } catch (error) {
    if (signal.aborted) return [];
    throw error;
  }
}

const timeOf = (event: TorpedoEvent | undefined) => (event ? timeOfEvent(event) : "");

/**
 * One event as one line: when, whose, which phone; of a change from what to what and why; which
 * message.
 *
 * @param timeZone of the clock times, an IANA name
 */
export function formatEvent(event: TorpedoEvent, timeZone: string): string {
  const [number, state, id, notes] = isMessageReceived(event)
    ? [event.from, "RECEIVED", String(event.moId), [event.answers && `answers ${event.answers.id}`]]
    : [
        event.destination,
        event.state,
        event.id,
        [
          event.reason,
          event.operator,
          event.attempts > 1 ? `attempt ${event.attempts}` : undefined,
          event.parts > 1 ? `${event.parts} parts` : undefined,
        ],
      ];
  const known = notes.filter((note) => note !== undefined);
  return [
    new Date(timeOfEvent(event)).toLocaleTimeString("en-GB", { timeZone }),
    printable(event.account),
    maskNumber(number),
    state.padEnd("NOT_DELIVERED".length),
    printable(id),
    known.length > 0 ? `(${printable(known.join(", "))})` : "",
  ]
    .join("  ")
    .trimEnd();
}
