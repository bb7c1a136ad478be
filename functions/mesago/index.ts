import { SQSClient } from "@aws-sdk/client-sqs";
import { awsClientConfig } from "../adapters/aws-client.ts";
import { createBatchStore } from "../adapters/dynamodb/batches.ts";
import { createBlockedNumbers } from "../adapters/dynamodb/blocked-numbers.ts";
import { createDocumentClient } from "../adapters/dynamodb/client.ts";
import { createDirectory } from "../adapters/dynamodb/directory.ts";
import { createMessageStore } from "../adapters/dynamodb/messages.ts";
import { createMoStore } from "../adapters/dynamodb/mos.ts";
import { createReads } from "../adapters/dynamodb/together.ts";
import { createUsageCounters } from "../adapters/dynamodb/usage-counters.ts";
import { openBatchQueue } from "../adapters/sqs/batch-queue.ts";
import { openDispatchQueue } from "../adapters/sqs/dispatch-queue.ts";
import { createAuthenticate } from "../core/authenticate.ts";
import { loadEnv } from "../runtime/env.ts";
import { createHttpFunction } from "../runtime/http.ts";
import { systemClock as clock, systemRandomness as randomness } from "../runtime/system.ts";
import { createLog, describeError } from "../runtime/telemetry.ts";
import { env as schema } from "./env.ts";
import { createHandler } from "./handler.ts";

const env = loadEnv(schema);
const log = createLog("mesago");
const client = createDocumentClient();
const sqs = new SQSClient(awsClientConfig);
const read = createReads(client);
const table = { client, tableName: env.MESSAGES_TABLE, clock };
const directoryTable = { client, tableName: env.DIRECTORY_TABLE };

export const handler = createHttpFunction(
  createHandler({
    authenticate: createAuthenticate({
      directory: createDirectory(directoryTable),
      clock,
    }),
    messages: createMessageStore(table),
    batches: createBatchStore({ ...table, read }),
    mos: createMoStore(table),
    blockedNumbers: createBlockedNumbers({ ...directoryTable, read }),
    usage: createUsageCounters(directoryTable),
    onNotGivenBack: (error) => log.error("parts are counted too many", describeError(error)),
    dispatchQueue: openDispatchQueue(env, { client: sqs, clock }),
    batchQueue: openBatchQueue(env, { client: sqs }),
    clock,
    randomness,
    retentionMs: env.STATUS_RETENTION_HOURS * 3_600_000,
  }),
  log,
);
