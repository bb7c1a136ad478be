import { SendMessageCommand, type SQSClient } from "@aws-sdk/client-sqs";
import type * as z from "zod";
import { LONGEST_QUEUE_DELAY_MS } from "../../core/batch.ts";
import type { Message, MessageRef } from "../../core/message.ts";
import type { Clock, DispatchQueue } from "../../core/ports.ts";
import type { Schedules } from "../scheduler/schedules.ts";
import { schedulesWhenNeeded } from "../scheduler/schedules-when-needed.ts";
import type { dispatchQueueEnv } from "./env.ts";
import { sendTogether } from "./send-together.ts";

/** Gives whatever kept a record from being written a moment to pass: the longer, the longer it has. */
const RECORD_DELAY_SECONDS = { least: 5, most: 30, ofAge: 0.25 };
/** SMS in one message of the queue: handed over side by side, and all delivered again when one fails. */
const GROUP_SMS = 20;

/**
 * The dispatch queue of a lane. What is due within the quarter of an hour waits in SQS, to the
 * second; what is due later waits in a schedule. One account's messages do not stand before
 * another's (docs/decisions/0017).
 */
export function createDispatchQueue(deps: {
  readonly client: SQSClient;
  readonly queueUrl: string;
  readonly later: Schedules;
  readonly clock: Clock;
}): DispatchQueue {
  const { client, queueUrl: QueueUrl, later, clock } = deps;

  async function send(account: string, body: unknown, delaySeconds: number): Promise<void> {
    await client.send(
      new SendMessageCommand({
        QueueUrl,
        MessageBody: JSON.stringify(body),
        MessageGroupId: account,
        ...(delaySeconds > 0 && { DelaySeconds: delaySeconds }),
      }),
    );
  }

  async function enqueue(ref: MessageRef, notBefore: number): Promise<void> {
    const delayMs = notBefore - clock.now();
    if (delayMs > LONGEST_QUEUE_DELAY_MS) return later.create(ref.traceId, notBefore, ref);
    await send(ref.account, ref, inSeconds(delayMs));
  }

  return {
    enqueue,

    async enqueueMany(messages) {
      const now = clock.now();
      /** By account and delay, the group that still has room. */
      const open = new Map<string, Group>();
      const groups: Group[] = [];
      for (const { ref, notBefore, parts, message } of messages) {
        if (notBefore - now > LONGEST_QUEUE_DELAY_MS) {
          await enqueue(ref, notBefore);
          continue;
        }
        const { account } = ref;
        const delay = inSeconds(notBefore - now);
        const kind = `${account} ${delay} ${message !== undefined}`;
        const last = open.get(kind);
        if (last && last.sms + parts <= GROUP_SMS) {
          last.group.push(message ?? ref);
          last.sms += parts;
          continue;
        }
        const next = {
          account,
          delay,
          isKnown: message !== undefined,
          group: [message ?? ref],
          sms: parts,
        };
        open.set(kind, next);
        groups.push(next);
      }
      const entries = groups.map(({ account, delay, isKnown, group }) => ({
        MessageBody: JSON.stringify(isKnown ? { messages: group } : { group }),
        MessageGroupId: account,
        ...(delay > 0 && { DelaySeconds: delay }),
      }));
      await sendTogether(client, QueueUrl, entries);
    },

    unschedule: ({ traceId }, notBefore) => later.remove(traceId, notBefore),

    enqueueRecord(record) {
      const { least, most, ofAge } = RECORD_DELAY_SECONDS;
      const delay = ((clock.now() - record.at) / 1_000) * ofAge;
      return send(record.ref.account, record, Math.round(Math.min(Math.max(delay, least), most)));
    },
  };
}

/** Messages that travel together. */
interface Group {
  readonly account: string;
  readonly delay: number;
  /** Whether the messages themselves travel, and not references to them. */
  readonly isKnown: boolean;
  readonly group: (Message | MessageRef)[];
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
    later: schedulesWhenNeeded({
      groupName: env.SCHEDULE_GROUP,
      roleArn: env.SCHEDULE_ROLE_ARN,
      queueArn: env.DISPATCH_QUEUE_ARN,
      deadLetterQueueArn: env.DISPATCH_DEAD_LETTER_QUEUE_ARN,
    }),
    clock,
  });
}
