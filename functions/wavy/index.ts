import { SQSClient } from "@aws-sdk/client-sqs";
import { awsClientConfig } from "../adapters/aws-client.ts";
import { createBatchStore } from "../adapters/dynamodb/batches.ts";
import { createBlockedNumbers } from "../adapters/dynamodb/blocked-numbers.ts";
import { createDocumentClient } from "../adapters/dynamodb/client.ts";
import { createContents } from "../adapters/dynamodb/contents.ts";
import { createDirectory } from "../adapters/dynamodb/directory.ts";
import { createMessageStore } from "../adapters/dynamodb/messages.ts";
import { createMoStore } from "../adapters/dynamodb/mos.ts";
import { createCounterClient, createRateCounter } from "../adapters/dynamodb/rate-counter.ts";
import { createSubAccounts } from "../adapters/dynamodb/sub-accounts.ts";
import { createReads } from "../adapters/dynamodb/together.ts";
import { createUsageCounters } from "../adapters/dynamodb/usage-counters.ts";
import { createUsers } from "../adapters/dynamodb/users.ts";
import { openBatchQueue } from "../adapters/sqs/batch-queue.ts";
import { openDispatchQueue } from "../adapters/sqs/dispatch-queue.ts";
import { createAuthenticateUser } from "../core/authenticate.ts";
import { createRateLimit } from "../core/rate-limit.ts";
import { loadEnv } from "../runtime/env.ts";
import { createHttpFunction } from "../runtime/http.ts";
import {
  systemClock as clock,
  systemRandomness as randomness,
  systemTimeLimit,
} from "../runtime/system.ts";
import { createLog, describeError } from "../runtime/telemetry.ts";
import { env as schema } from "./env.ts";
import { createHandler } from "./handler.ts";

const env = loadEnv(schema);
const log = createLog("wavy");
const client = createDocumentClient();
const sqs = new SQSClient(awsClientConfig);
const read = createReads(client);
const table = { client, tableName: env.MESSAGES_TABLE, clock };
const directoryTable = { client, tableName: env.DIRECTORY_TABLE };
const subAccounts = createSubAccounts(directoryTable);

export const handler = createHttpFunction(
  createHandler({
    authenticate: createAuthenticateUser({
      directory: createDirectory(directoryTable),
      users: createUsers(directoryTable),
      subAccounts,
      clock,
    }),
    rateLimit: createRateLimit({
      counter: createRateCounter({
        client: createCounterClient(client),
        tableName: env.RATE_LIMITS_TABLE,
      }),
      clock,
      timeLimit: systemTimeLimit,
      onFailure: (error) => log.error("requests are not counted", describeError(error)),
    }),
    rateLimits: {
      requestsPerSecond: env.REQUESTS_PER_SECOND,
      statusQueriesPerSecond: env.STATUS_QUERIES_PER_SECOND,
    },
    subAccounts,
    contents: createContents(directoryTable),
    blockedNumbers: createBlockedNumbers({ ...directoryTable, read }),
    usage: createUsageCounters(directoryTable),
    onNotGivenBack: (error) => log.error("parts are counted too many", describeError(error)),
    messages: createMessageStore(table),
    batches: createBatchStore({ ...table, read }),
    mos: createMoStore(table),
    dispatchQueue: openDispatchQueue(env, { client: sqs, clock }),
    batchQueue: openBatchQueue(env, { client: sqs }),
    clock,
    randomness,
    retentionMs: env.STATUS_RETENTION_HOURS * 3_600_000,
  }),
  log,
);
