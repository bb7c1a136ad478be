import { SchedulerClient } from "@aws-sdk/client-scheduler";
import {
  SendMessageBatchCommand,
  type SendMessageBatchRequestEntry,
  SendMessageCommand,
  type SQSClient,
} from "@aws-sdk/client-sqs";
import type * as z from "zod";
import { LONGEST_QUEUE_DELAY_MS } from "../../core/batch.ts";
import type { MessageRef } from "../../core/message.ts";
import type { Clock, DispatchQueue } from "../../core/ports.ts";
import { slicesOf } from "../../core/slices.ts";
import { awsClientConfig } from "../aws-client.ts";
import { createSchedules, type Schedules } from "../scheduler/schedules.ts";
import type { dispatchQueueEnv } from "./env.ts";

/** Gives whatever kept the record from being written a moment to pass. */
const RECORD_DELAY_SECONDS = 5;
/** SMS behind the references in one message of the queue: handed over side by side, and all delivered again when one fails. */
const GROUP_SMS = 20;
/** The most messages of a SendMessageBatch. */
const MAX_ENTRIES = 10;
/** Tries at the entries of a SendMessageBatch that SQS did not take. */
const MAX_ROUNDS = 5;

/**
 * The dispatch queue of a lane. What is due within the quarter of an hour waits in SQS, to the
 * second; what is due later waits in a schedule.
 */
export function createDispatchQueue(deps: {
  readonly client: SQSClient;
  readonly queueUrl: string;
  readonly later: Schedules;
  readonly clock: Clock;
}): DispatchQueue {
  const { client, queueUrl: QueueUrl, later, clock } = deps;

  async function send(body: unknown, delaySeconds: number): Promise<void> {
    await client.send(
      new SendMessageCommand({
        QueueUrl,
        MessageBody: JSON.stringify(body),
        ...(delaySeconds > 0 && { DelaySeconds: delaySeconds }),
      }),
    );
  }

  async function enqueue(ref: MessageRef, notBefore: number): Promise<void> {
    const delayMs = notBefore - clock.now();
    if (delayMs > LONGEST_QUEUE_DELAY_MS) return later.create(ref.traceId, notBefore, ref);
    await send(ref, inSeconds(delayMs));
  }

  async function sendTogether(entries: readonly SendMessageBatchRequestEntry[]): Promise<void> {
    let left = entries;
    for (let round = 0; left.length > 0; round++) {
      if (round === MAX_ROUNDS) throw new Error("SQS does not take all the messages of a batch");
      const { Failed = [] } = await client.send(
        new SendMessageBatchCommand({ QueueUrl, Entries: [...left] }),
      );
      const failed = new Set(Failed.map(({ Id }) => Id));
      left = left.filter(({ Id }) => failed.has(Id));
    }
  }

  return {
    enqueue,

    async enqueueMany(messages) {
      const now = clock.now();
      /** By delay, the group that still has room. */
      const open = new Map<number, Group>();
      const groups: Group[] = [];
      for (const { ref, notBefore, parts } of messages) {
        if (notBefore - now > LONGEST_QUEUE_DELAY_MS) {
          await enqueue(ref, notBefore);
          continue;
        }
        const delay = inSeconds(notBefore - now);
        const last = open.get(delay);
        if (last && last.sms + parts <= GROUP_SMS) {
          last.group.push(ref);
          last.sms += parts;
          continue;
        }
        const next = { delay, group: [ref], sms: parts };
        open.set(delay, next);
        groups.push(next);
      }
      const entries = groups.map(({ delay, group }, index) => ({
        Id: String(index),
        MessageBody: JSON.stringify({ group }),
        ...(delay > 0 && { DelaySeconds: delay }),
      }));
      await Promise.all(slicesOf(entries, MAX_ENTRIES).map(sendTogether));
    },

    unschedule: ({ traceId }, notBefore) => later.remove(traceId, notBefore),

    enqueueRecord: (record) => send(record, RECORD_DELAY_SECONDS),
  };
}

/** References that travel together. */
interface Group {
  readonly delay: number;
  readonly group: MessageRef[];
  sms: number;
}

const inSeconds = (delayMs: number) => Math.max(0, Math.ceil(delayMs / 1_000));

/** The dispatch queue that the environment names, with the schedules that feed it later. */
export function openDispatchQueue(
  env: z.output<typeof dispatchQueueEnv>,
  { client, clock }: { readonly client: SQSClient; readonly clock: Clock },
): DispatchQueue {
  return createDispatchQueue({
    client,
    queueUrl: env.DISPATCH_QUEUE_URL,
    later: createSchedules({
      client: new SchedulerClient(awsClientConfig),
      groupName: env.SCHEDULE_GROUP,
      roleArn: env.SCHEDULE_ROLE_ARN,
      queueArn: env.DISPATCH_QUEUE_ARN,
      deadLetterQueueArn: env.DISPATCH_DEAD_LETTER_QUEUE_ARN,
    }),
    clock,
  });
}
