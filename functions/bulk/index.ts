import { SQSClient } from "@aws-sdk/client-sqs";
import { awsClientConfig } from "../adapters/aws-client.ts";
import { createBatchStore } from "../adapters/dynamodb/batches.ts";
import { createDocumentClient } from "../adapters/dynamodb/client.ts";
import { createMessageStore } from "../adapters/dynamodb/messages.ts";
import { openPoison } from "../adapters/sqs/dead-letters.ts";
import { openDispatchQueue } from "../adapters/sqs/dispatch-queue.ts";
import { batchJobSchema } from "../core/batch.ts";
import { loadEnv } from "../runtime/env.ts";
import { createQueueFunction } from "../runtime/queue.ts";
import { systemClock as clock } from "../runtime/system.ts";
import { createLog } from "../runtime/telemetry.ts";
import { env as schema } from "./env.ts";
import { createHandler } from "./handler.ts";

const env = loadEnv(schema);
const sqs = new SQSClient(awsClientConfig);
const table = { client: createDocumentClient(), tableName: env.MESSAGES_TABLE, clock };

export const handler = createQueueFunction({
  schema: batchJobSchema,
  traceOf: ({ batchId }) => batchId,
  process: createHandler({
    messages: createMessageStore(table),
    batches: createBatchStore(table),
    dispatchQueue: openDispatchQueue(env, { client: sqs, clock }),
    clock,
  }),
  poison: openPoison(env, { client: sqs }),
  log: createLog("bulk"),
});
