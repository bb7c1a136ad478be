import { SQSClient } from "@aws-sdk/client-sqs";
import { awsClientConfig } from "../adapters/aws-client.ts";
import { createBlockedNumbers } from "../adapters/dynamodb/blocked-numbers.ts";
import { createDocumentClient } from "../adapters/dynamodb/client.ts";
import { createDirectory } from "../adapters/dynamodb/directory.ts";
import { createMessageStore } from "../adapters/dynamodb/messages.ts";
import { createMoStore } from "../adapters/dynamodb/mos.ts";
import { createSubAccounts } from "../adapters/dynamodb/sub-accounts.ts";
import { createDeadLetters, openPoison } from "../adapters/sqs/dead-letters.ts";
import { openDispatchQueue } from "../adapters/sqs/dispatch-queue.ts";
import { carrierEventSchema } from "../core/carrier.ts";
import { loadEnv } from "../runtime/env.ts";
import { createQueueFunction } from "../runtime/queue.ts";
import { systemClock as clock, systemRandomness as randomness } from "../runtime/system.ts";
import { createLog } from "../runtime/telemetry.ts";
import { env as schema } from "./env.ts";
import { createHandler } from "./handler.ts";
import { traceOf } from "./schema.ts";

const env = loadEnv(schema);
const client = createDocumentClient();
const sqs = new SQSClient(awsClientConfig);
const table = { client, tableName: env.MESSAGES_TABLE, clock };
const directoryTable = { client, tableName: env.DIRECTORY_TABLE };

export const handler = createQueueFunction({
  schema: carrierEventSchema,
  traceOf,
  process: createHandler({
    messages: createMessageStore(table),
    directory: createDirectory(directoryTable),
    subAccounts: createSubAccounts(directoryTable),
    blockedNumbers: createBlockedNumbers(directoryTable),
    dispatchQueue: openDispatchQueue(env, { client: sqs, clock }),
    mos: createMoStore(table),
    deadLetters: createDeadLetters({
      client: sqs,
      queueUrl: env.DEAD_LETTER_QUEUE_URL,
    }),
    moRetentionMs: env.MO_RETENTION_HOURS * 3_600_000,
    statusRetentionMs: env.STATUS_RETENTION_HOURS * 3_600_000,
    clock,
    randomness,
  }),
  poison: openPoison(env, { client: sqs }),
  log: createLog("carrier-events"),
});
