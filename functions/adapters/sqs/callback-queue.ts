import type { SendMessageBatchRequestEntry, SQSClient } from "@aws-sdk/client-sqs";
import DataLoader from "dataloader";
import type * as z from "zod";
import { LONGEST_QUEUE_DELAY_MS } from "../../core/batch.ts";
import {
  type DeliveryTurn,
  deliveryIdOf,
  type EndpointGroup,
  type ReleaseJob,
} from "../../core/callback-delivery.ts";
import type { CallbackQueue } from "../../core/callback-ports.ts";
import type { Clock } from "../../core/ports.ts";
import { slicesWithin } from "../../core/slices.ts";
import type { Schedules } from "../scheduler/schedules.ts";
import { schedulesWhenNeeded } from "../scheduler/schedules-when-needed.ts";
import { createDeadLetters } from "./dead-letters.ts";
import type { callbackQueueEnv, callbackReplayEnv } from "./env.ts";
import { sendTogether } from "./send-together.ts";

/** The two ways of deliveries that go on. */
type WaysOn = Omit<CallbackQueue, "giveUp">;

interface WaysOnDependencies {
  readonly client: SQSClient;
  readonly deliveriesQueueUrl: string;
  readonly retryQueueUrl: string;
  /** Feeds the retry queue with what SQS cannot wait for. */
  readonly later: Pick<Schedules, "create">;
  /** Told where no schedule was to be had. */
  readonly onNoSchedule?: (error: unknown) => void;
  readonly clock: Clock;
}

/** What fits into one request; AWS takes four times as much, but not everything that speaks SQS does. */
const REQUEST = { count: 10, size: 250_000 };

type Message = Omit<SendMessageBatchRequestEntry, "Id"> & { readonly MessageBody: string };

/** A queue that takes what it is given at the same moment, by whomever, in few requests. */
function createMailbox(client: SQSClient, queueUrl: string): (message: Message) => Promise<void> {
  async function send(messages: readonly Message[]): Promise<(undefined | Error)[]> {
    const slices = slicesWithin(messages, REQUEST, ({ MessageBody }) =>
      Buffer.byteLength(MessageBody),
    );
    const sent = await Promise.all(
      slices.map(async (slice) => {
        const failure = await sendTogether(client, queueUrl, slice).then(
          () => undefined,
          (error) => (error instanceof Error ? error : new Error(String(error))),
        );
        return slice.map(() => failure);
      }),
    );
    return sent.flat();
  }
  const loader = new DataLoader<Message, undefined>(send, { cache: false });
  return (message) => loader.load(message);
}

function createWaysOn(deps: WaysOnDependencies): WaysOn {
  const { client, deliveriesQueueUrl, retryQueueUrl, later, clock } = deps;
  const deliveries = createMailbox(client, deliveriesQueueUrl);
  const retries = createMailbox(client, retryQueueUrl);

  const messageOf = (
    body: DeliveryTurn | ReleaseJob | EndpointGroup,
    delaySeconds: number,
  ): Message => ({
    MessageBody: textOf(body),
    // One account's campaign does not stand before another's (docs/decisions/0017).
    MessageGroupId: body.account,
    ...(delaySeconds > 0 && { DelaySeconds: delaySeconds }),
  });
  const first = async (bodies: readonly (DeliveryTurn | EndpointGroup)[], delaySeconds: number) => {
    await Promise.all(bodies.map((body) => deliveries(messageOf(body, delaySeconds))));
  };
  const retry = (body: DeliveryTurn | ReleaseJob, delaySeconds: number) =>
    retries(messageOf(body, delaySeconds));

  return {
    enqueue: (turns, delaySeconds = 0) => first(turns, delaySeconds),

    enqueueGroups: (groups, delaySeconds = 0) => first(groups, delaySeconds),

    async enqueueLater(turn, notBefore) {
      const delayMs = notBefore - clock.now();
      if (delayMs <= LONGEST_QUEUE_DELAY_MS) {
        return retry(turn, Math.max(0, Math.ceil(delayMs / 1_000)));
      }
      try {
        await later.create(nameOf(turn), notBefore, turn);
      } catch (error) {
        deps.onNoSchedule?.(error);
        // Too early is better than the same request once more for want of a schedule.
        await retry(turn, LONGEST_QUEUE_DELAY_MS / 1_000);
      }
    },

    enqueueRelease: retry,
  };
}

/** What phones send can hold characters that SQS refuses (SendMessage, "MessageBody"), of which JSON escapes all but two. */
const textOf = (body: object) =>
  JSON.stringify(body).replace(/[\ufffe\uffff]/g, (character) =>
    character === "\ufffe" ? "\\ufffe" : "\\uffff",
  );

/** What a turn's schedule is called; another account's delivery may have the same id. */
const nameOf = (turn: DeliveryTurn) => `${turn.account}#${deliveryIdOf(turn)}#${turn.turn}`;

/** The ways of deliveries: a queue for first turns, one for what comes later, and the one for what was given up. */
export function createCallbackQueue(
  deps: WaysOnDependencies & { readonly deadLetterQueueUrl: string },
): CallbackQueue {
  const deadLetters = createDeadLetters({ client: deps.client, queueUrl: deps.deadLetterQueueUrl });
  return { ...createWaysOn(deps), giveUp: (turn, cause) => deadLetters.put(turn, cause) };
}

/** The ways of deliveries that the environment names, with the schedules that feed them later. */
export function openCallbackQueue(
  env: z.output<typeof callbackQueueEnv>,
  {
    client,
    clock,
    onNoSchedule,
  }: { readonly client: SQSClient } & Required<Pick<WaysOnDependencies, "clock" | "onNoSchedule">>,
): CallbackQueue {
  return createCallbackQueue({
    client,
    onNoSchedule,
    deliveriesQueueUrl: env.CALLBACK_DELIVERIES_QUEUE_URL,
    retryQueueUrl: env.CALLBACK_RETRY_QUEUE_URL,
    deadLetterQueueUrl: env.CALLBACK_DEAD_LETTER_QUEUE_URL,
    later: schedulesWhenNeeded({
      groupName: env.SCHEDULE_GROUP,
      roleArn: env.SCHEDULE_ROLE_ARN,
      queueArn: env.CALLBACK_RETRY_QUEUE_ARN,
      deadLetterQueueArn: env.CALLBACK_DEAD_LETTER_QUEUE_ARN,
    }),
    clock,
  });
}

/** The ways on for who brings deliveries back, which is never for later than SQS can wait. */
export function openReplayQueue(
  env: z.output<typeof callbackReplayEnv>,
  { client, clock }: { readonly client: SQSClient; readonly clock: Clock },
): WaysOn {
  return createWaysOn({
    client,
    deliveriesQueueUrl: env.CALLBACK_DELIVERIES_QUEUE_URL,
    retryQueueUrl: env.CALLBACK_RETRY_QUEUE_URL,
    later: {
      create: async () => {
        throw new RangeError("a replay is not for later than a quarter of an hour");
      },
    },
    clock,
  });
}
