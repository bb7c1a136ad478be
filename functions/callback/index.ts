import { SQSClient } from "@aws-sdk/client-sqs";
import { awsClientConfig } from "../adapters/aws-client.ts";
import { createDocumentClient } from "../adapters/dynamodb/client.ts";
import { createDeliveries } from "../adapters/dynamodb/deliveries.ts";
import { createDirectory } from "../adapters/dynamodb/directory.ts";
import { createEndpointHealths } from "../adapters/dynamodb/endpoint-healths.ts";
import { createEndpointSlots } from "../adapters/dynamodb/endpoint-slots.ts";
import { createReads } from "../adapters/dynamodb/together.ts";
import { eventBusWhenNeeded } from "../adapters/eventbridge/event-bus-when-needed.ts";
import { openCallbackQueue } from "../adapters/sqs/callback-queue.ts";
import { createDeadLetters, openPoison } from "../adapters/sqs/dead-letters.ts";
import { createWebhookClient } from "../adapters/webhook/webhook-client.ts";
import { createEndpointLanes } from "../core/endpoint-lanes.ts";
import { rememberDirectory } from "../core/remembered-directory.ts";
import { shareDirectory } from "../core/shared-directory.ts";
import { loadEnv } from "../runtime/env.ts";
import { createQueueFunction } from "../runtime/queue.ts";
import { systemClock as clock, systemRandomness as randomness } from "../runtime/system.ts";
import { createLog, createMeter, describeError } from "../runtime/telemetry.ts";
import { env as schema } from "./env.ts";
import { createHandler } from "./handler.ts";
import { callbackInputSchema, formatCallback, traceOf } from "./schema.ts";

const CALLBACK_TIMEOUT_MS = 10_000;
/** Nobody waits for what is written down of callbacks, and what is written together is cheap. */
const LINGER_MS = 30;

const env = loadEnv(schema);
const client = createDocumentClient();
const sqs = new SQSClient(awsClientConfig);
const log = createLog("callback");
const meter = createMeter("callback", env.STAGE);
const table = {
  client,
  tableName: env.CALLBACKS_TABLE,
  clock,
  read: createReads(client),
};

export const handler = createQueueFunction({
  schema: callbackInputSchema,
  traceOf,
  process: createHandler({
    directory: rememberDirectory(
      shareDirectory(createDirectory({ client, tableName: env.DIRECTORY_TABLE })),
      clock,
    ),
    deliveries: createDeliveries({ ...table, lingerMs: LINGER_MS }),
    healths: createEndpointHealths(table),
    lanes: createEndpointLanes({
      slots: createEndpointSlots({ ...table, slots: env.CALLBACK_SLOTS }),
      clock,
    }),
    queue: openCallbackQueue(env, {
      client: sqs,
      clock,
      onNoSchedule: (error) => log.error("no schedule for a retry", describeError(error)),
    }),
    bus: eventBusWhenNeeded(env.EVENT_BUS_NAME),
    deadLetters: createDeadLetters({
      client: sqs,
      queueUrl: env.CALLBACK_DEAD_LETTER_QUEUE_URL,
    }),
    webhook: createWebhookClient({
      allowHttp: env.CALLBACK_ALLOW_HTTP,
      allowLoopback: env.CALLBACK_ALLOW_LOOPBACK,
      timeoutMs: CALLBACK_TIMEOUT_MS,
    }),
    format: formatCallback,
    retentionMs: env.CALLBACK_RETENTION_HOURS * 3_600_000,
    clock,
    randomness,
    meter,
  }),
  poison: openPoison(env, { client: sqs }),
  log,
  afterBatch: () => meter.flush(),
});
