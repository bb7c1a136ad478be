import { SQSClient } from "@aws-sdk/client-sqs";
import { awsClientConfig } from "../adapters/aws-client.ts";
import { parseSnsFromQueue } from "../adapters/carriers/aws-sms/reports.ts";
import { createBlockedNumbers } from "../adapters/dynamodb/blocked-numbers.ts";
import { createCarrierHealths } from "../adapters/dynamodb/carrier-healths.ts";
import { createDocumentClient } from "../adapters/dynamodb/client.ts";
import { createDirectory } from "../adapters/dynamodb/directory.ts";
import { createMessageStore } from "../adapters/dynamodb/messages.ts";
import { createMoParts } from "../adapters/dynamodb/mo-parts.ts";
import { createMoStore } from "../adapters/dynamodb/mos.ts";
import { openLearning } from "../adapters/dynamodb/phone-operators.ts";
import { createSubAccounts } from "../adapters/dynamodb/sub-accounts.ts";
import { createCarrierEventsQueue } from "../adapters/sqs/carrier-events-queue.ts";
import { createDeadLetters, openPoison } from "../adapters/sqs/dead-letters.ts";
import { openDispatchQueue } from "../adapters/sqs/dispatch-queue.ts";
import { createCarrierCounter } from "../core/carrier-counter.ts";
import { createCarrierListener } from "../core/hear-carriers.ts";
import { loadEnv } from "../runtime/env.ts";
import { createQueueFunction } from "../runtime/queue.ts";
import {
  systemClock as clock,
  systemRandomness as randomness,
  systemTimeLimit as timeLimit,
} from "../runtime/system.ts";
import { createLog, logFailure } from "../runtime/telemetry.ts";
import { env as envSchema } from "./env.ts";
import { createHandler } from "./handler.ts";
import { carrierEventsInputSchema as schema, traceOf } from "./schema.ts";

const env = loadEnv(envSchema);
const client = createDocumentClient();
const sqs = new SQSClient(awsClientConfig);
const table = { client, tableName: env.MESSAGES_TABLE, clock };
const directoryTable = { client, tableName: env.DIRECTORY_TABLE };

const log = createLog("carrier-events");
const onFailure = logFailure(log);
const carriersTable = { client, tableName: env.CARRIERS_TABLE };
const listener = createCarrierListener({
  counter: createCarrierCounter({
    healths: createCarrierHealths(carriersTable),
    clock,
    everyMs: 0,
    onFailure,
  }),
  receiptsAfterSeconds: env.RECEIPTS_AFTER_SECONDS,
  learn: openLearning({ ...carriersTable, memoryDays: env.OPERATOR_MEMORY_DAYS, clock }),
  clock,
  timeLimit,
  onFailure,
});

export const handler = createQueueFunction({
  schema,
  traceOf,
  process: createHandler({
    messages: createMessageStore(table),
    directory: createDirectory(directoryTable),
    subAccounts: createSubAccounts(directoryTable),
    blockedNumbers: createBlockedNumbers(directoryTable),
    dispatchQueue: openDispatchQueue(env, { client: sqs, clock }),
    mos: createMoStore(table),
    listener,
    readSns: (publication) => parseSnsFromQueue(publication, env.SNS_TOPICS),
    moParts: createMoParts(table),
    partsTimer: createCarrierEventsQueue({ client: sqs, queueUrl: env.MO_PARTS_QUEUE_URL }),
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
  log,
  afterBatch: () => listener.flush(),
});
