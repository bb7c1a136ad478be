import { EventBridgeClient } from "@aws-sdk/client-eventbridge";
import { SQSClient } from "@aws-sdk/client-sqs";
import { awsClientConfig } from "../adapters/aws-client.ts";
import { createDocumentClient } from "../adapters/dynamodb/client.ts";
import { createDeliveries } from "../adapters/dynamodb/deliveries.ts";
import { createDirectory } from "../adapters/dynamodb/directory.ts";
import { createEndpointHealths } from "../adapters/dynamodb/endpoint-healths.ts";
import { createEndpointSlots } from "../adapters/dynamodb/endpoint-slots.ts";
import { createEventBus } from "../adapters/eventbridge/event-bus.ts";
import { openCallbackQueue } from "../adapters/sqs/callback-queue.ts";
import { openPoison } from "../adapters/sqs/dead-letters.ts";
import { createWebhookClient } from "../adapters/webhook/webhook-client.ts";
import { createEndpointLanes } from "../core/endpoint-lanes.ts";
import { rememberDirectory } from "../core/remembered-directory.ts";
import { loadEnv } from "../runtime/env.ts";
import { createQueueFunction } from "../runtime/queue.ts";
import { systemClock as clock, systemRandomness as randomness } from "../runtime/system.ts";
import { createLog, createMeter, describeError } from "../runtime/telemetry.ts";
import { env as schema } from "./env.ts";
import { createHandler } from "./handler.ts";
import { callbackInputSchema, formatCallback, traceOf } from "./schema.ts";

const CALLBACK_TIMEOUT_MS = 10_000;

const env = loadEnv(schema);
const client = createDocumentClient();
const sqs = new SQSClient(awsClientConfig);
const log = createLog("callback");
const meter = createMeter("callback", env.STAGE);
const table = { client, tableName: env.CALLBACKS_TABLE, clock };

export const handler = createQueueFunction({
  schema: callbackInputSchema,
  traceOf,
  process: createHandler({
    directory: rememberDirectory(
      createDirectory({ client, tableName: env.DIRECTORY_TABLE }),
      clock,
    ),
    deliveries: createDeliveries(table),
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
    bus: createEventBus({
      client: new EventBridgeClient(awsClientConfig),
      busName: env.EVENT_BUS_NAME,
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
