import { SQSClient } from "@aws-sdk/client-sqs";
import { awsClientConfig } from "../adapters/aws-client.ts";
import { createDocumentClient } from "../adapters/dynamodb/client.ts";
import { createDirectory } from "../adapters/dynamodb/directory.ts";
import { createMessageStore } from "../adapters/dynamodb/messages.ts";
import { createMoStore } from "../adapters/dynamodb/mos.ts";
import { createDeadLetters } from "../adapters/sqs/dead-letters.ts";
import { carrierEventSchema } from "../core/carrier.ts";
import { loadEnv } from "../runtime/env.ts";
import { createQueueFunction } from "../runtime/queue.ts";
import { systemClock as clock } from "../runtime/system.ts";
import { createLog } from "../runtime/telemetry.ts";
import { env as schema } from "./env.ts";
import { createHandler } from "./handler.ts";
import { traceOf } from "./schema.ts";

const env = loadEnv(schema);
const client = createDocumentClient();
const table = { client, tableName: env.MESSAGES_TABLE, clock };

export const handler = createQueueFunction({
  schema: carrierEventSchema,
  traceOf,
  process: createHandler({
    messages: createMessageStore(table),
    directory: createDirectory({ client, tableName: env.DIRECTORY_TABLE }),
    mos: createMoStore(table),
    deadLetters: createDeadLetters({
      client: new SQSClient(awsClientConfig),
      queueUrl: env.DEAD_LETTER_QUEUE_URL,
    }),
    retentionMs: env.MO_RETENTION_HOURS * 3_600_000,
    clock,
  }),
  log: createLog("carrier-events"),
});
