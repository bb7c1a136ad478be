import { SQSClient } from "@aws-sdk/client-sqs";
import { awsClientConfig } from "../adapters/aws-client.ts";
import { createDocumentClient } from "../adapters/dynamodb/client.ts";
import { createDirectory } from "../adapters/dynamodb/directory.ts";
import { createCallbackRetryQueue } from "../adapters/sqs/callback-retry-queue.ts";
import { createWebhookClient } from "../adapters/webhook/webhook-client.ts";
import { loadEnv } from "../runtime/env.ts";
import { createQueueFunction } from "../runtime/queue.ts";
import { systemClock as clock } from "../runtime/system.ts";
import { createLog, createMeter } from "../runtime/telemetry.ts";
import { env as schema } from "./env.ts";
import { createHandler } from "./handler.ts";
import { callbackInputSchema, formatCallback, traceOf } from "./schema.ts";

const CALLBACK_TIMEOUT_MS = 10_000;

const env = loadEnv(schema);
const meter = createMeter("callback", env.STAGE);

export const handler = createQueueFunction({
  schema: callbackInputSchema,
  traceOf,
  process: createHandler({
    directory: createDirectory({
      client: createDocumentClient(),
      tableName: env.DIRECTORY_TABLE,
    }),
    webhook: createWebhookClient({
      allowHttp: env.CALLBACK_ALLOW_HTTP,
      allowLoopback: env.CALLBACK_ALLOW_LOOPBACK,
      timeoutMs: CALLBACK_TIMEOUT_MS,
    }),
    retryQueue: createCallbackRetryQueue({
      client: new SQSClient(awsClientConfig),
      retryQueueUrl: env.CALLBACK_RETRY_QUEUE_URL,
      deadLetterQueueUrl: env.CALLBACK_DEAD_LETTER_QUEUE_URL,
    }),
    format: formatCallback,
    clock,
    meter,
  }),
  log: createLog("callback"),
  afterBatch: () => meter.flush(),
});
