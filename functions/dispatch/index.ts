import { SQSClient } from "@aws-sdk/client-sqs";
import { awsClientConfig } from "../adapters/aws-client.ts";
import { createCarrier } from "../adapters/carriers/registry.ts";
import { createBlockedNumbers } from "../adapters/dynamodb/blocked-numbers.ts";
import { createDocumentClient } from "../adapters/dynamodb/client.ts";
import { createMessageStore } from "../adapters/dynamodb/messages.ts";
import { openPoison } from "../adapters/sqs/dead-letters.ts";
import { openDispatchQueue } from "../adapters/sqs/dispatch-queue.ts";
import { loadEnv } from "../runtime/env.ts";
import { createQueueFunction } from "../runtime/queue.ts";
import {
  systemClock as clock,
  systemRandomness as randomness,
  systemTimeLimit,
} from "../runtime/system.ts";
import { createLog } from "../runtime/telemetry.ts";
import { env as schema } from "./env.ts";
import { createHandler } from "./handler.ts";
import { dispatchInputSchema, traceOf } from "./schema.ts";

const env = loadEnv(schema);
const dynamodb = createDocumentClient();
const sqs = new SQSClient(awsClientConfig);
const log = createLog("dispatch");

export const handler = createQueueFunction({
  schema: dispatchInputSchema,
  traceOf,
  process: createHandler({
    messages: createMessageStore({ client: dynamodb, tableName: env.MESSAGES_TABLE, clock }),
    dispatchQueue: openDispatchQueue(env, { client: sqs, clock }),
    blockedNumbers: createBlockedNumbers({ client: dynamodb, tableName: env.DIRECTORY_TABLE }),
    carrier: createCarrier(env, { dynamodb, sqs, clock }),
    timeLimit: systemTimeLimit,
    claimTimeoutMs: env.CLAIM_TIMEOUT_SECONDS * 1_000,
    carrierTimeoutMs: env.CARRIER_TIMEOUT_SECONDS * 1_000,
    clock,
    randomness,
    backoff: {
      maxAttempts: env.MAX_ATTEMPTS,
      baseMs: env.BACKOFF_BASE_SECONDS * 1_000,
      capMs: env.BACKOFF_CAP_SECONDS * 1_000,
    },
    leaseMs: env.LEASE_SECONDS * 1_000,
    lastCallMs: env.LAST_CALL_SECONDS * 1_000,
    log,
  }),
  poison: openPoison(env, { client: sqs }),
  log,
});
