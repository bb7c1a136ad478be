import { SchedulerClient } from "@aws-sdk/client-scheduler";
import { SendMessageCommand, type SQSClient } from "@aws-sdk/client-sqs";
import type * as z from "zod";
import { LONGEST_QUEUE_DELAY_MS } from "../../core/batch.ts";
import { type DeliveryTurn, deliveryIdOf, type ReleaseJob } from "../../core/callback-delivery.ts";
import type { CallbackQueue } from "../../core/callback-ports.ts";
import type { Clock } from "../../core/ports.ts";
import { awsClientConfig } from "../aws-client.ts";
import { createSchedules, type Schedules } from "../scheduler/schedules.ts";
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

function createWaysOn(deps: WaysOnDependencies): WaysOn {
  const { client, deliveriesQueueUrl, retryQueueUrl: QueueUrl, later, clock } = deps;

  async function retry(body: DeliveryTurn | ReleaseJob, delaySeconds: number): Promise<void> {
    await client.send(
      new SendMessageCommand({
        QueueUrl,
        MessageBody: JSON.stringify(body),
        // One account's campaign does not stand before another's (docs/decisions/0017).
        MessageGroupId: body.account,
        ...(delaySeconds > 0 && { DelaySeconds: delaySeconds }),
      }),
    );
  }

  return {
    enqueue: (turns, delaySeconds = 0) =>
      sendTogether(
        client,
        deliveriesQueueUrl,
        turns.map((turn) => ({
          MessageBody: JSON.stringify(turn),
          MessageGroupId: turn.account,
          ...(delaySeconds > 0 && { DelaySeconds: delaySeconds }),
        })),
      ),

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
    later: createSchedules({
      client: new SchedulerClient(awsClientConfig),
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
