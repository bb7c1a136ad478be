import { SQSClient } from "@aws-sdk/client-sqs";
import { awsClientConfig } from "../adapters/aws-client.ts";
import { createCarriers } from "../adapters/carriers/pool.ts";
import { createBlockedNumbers } from "../adapters/dynamodb/blocked-numbers.ts";
import { createCarrierHealths } from "../adapters/dynamodb/carrier-healths.ts";
import { createDocumentClient } from "../adapters/dynamodb/client.ts";
import { createDirectory } from "../adapters/dynamodb/directory.ts";
import { createMessageStore } from "../adapters/dynamodb/messages.ts";
import { openOperators } from "../adapters/dynamodb/phone-operators.ts";
import { createCounterClient, createRateCounter } from "../adapters/dynamodb/rate-counter.ts";
import { eventBusWhenNeeded } from "../adapters/eventbridge/event-bus-when-needed.ts";
import { openSecretWhenNeeded } from "../adapters/secrets/secrets-when-needed.ts";
import { openPoison } from "../adapters/sqs/dead-letters.ts";
import { openDispatchQueue } from "../adapters/sqs/dispatch-queue.ts";
import type { Lane } from "../core/carrier.ts";
import { createCarrierPool } from "../core/carrier-pool.ts";
import { rememberDirectory } from "../core/remembered-directory.ts";
import { tellOfCarriers } from "../core/tell-of-carriers.ts";
import { jsonBesideBundle } from "../runtime/bundled-file.ts";
import { loadEnv } from "../runtime/env.ts";
import { createQueueFunction } from "../runtime/queue.ts";
import {
  systemClock as clock,
  systemRandomness as randomness,
  systemTimeLimit as timeLimit,
} from "../runtime/system.ts";
import { createLog, createMeter, logFailure } from "../runtime/telemetry.ts";
import { env as schema } from "./env.ts";
import { createHandler } from "./handler.ts";
import { dispatchInputSchema, traceOf } from "./schema.ts";

/**
 * How long what became of hand-overs waits to be written down together, in milliseconds: carriers
 * answer the messages of an invocation one soon after the other.
 */
const LINGER_MS: Readonly<Record<Lane, number>> = { singles: 10, bulk: 20 };

const env = loadEnv(schema);
const dynamodb = createDocumentClient();
const sqs = new SQSClient(awsClientConfig);
const log = createLog("dispatch");
const meter = createMeter("dispatch", env.STAGE);
const onFailure = logFailure(log);
const carriersTable = { client: dynamodb, tableName: env.CARRIERS_TABLE };
const directoryTable = { client: dynamodb, tableName: env.DIRECTORY_TABLE };
const bus = eventBusWhenNeeded(env.EVENT_BUS_NAME);

const carriers = createCarrierPool({
  carriers: createCarriers(env.CARRIERS, {
    dynamodb,
    sqs,
    clock,
    openSecret: openSecretWhenNeeded(),
    lane: env.LANE,
    functions: env.CONCURRENCY,
    counter: createRateCounter({
      client: createCounterClient(dynamodb),
      tableName: env.RATE_LIMITS_TABLE,
    }),
    timeLimit,
    randomness,
    onFailure,
  }),
  routes: env.ROUTES,
  lane: env.LANE,
  directory: rememberDirectory(createDirectory(directoryTable), clock),
  operators: openOperators({
    ...carriersTable,
    memoryDays: env.OPERATOR_MEMORY_DAYS,
    clock,
    ranges: jsonBesideBundle("operators.json"),
    onFailure,
  }),
  healths: createCarrierHealths(carriersTable),
  tell: tellOfCarriers({ bus, meter }),
  clock,
  timeLimit,
  onFailure,
});

export const handler = createQueueFunction({
  schema: dispatchInputSchema,
  traceOf,
  process: createHandler({
    messages: createMessageStore({
      client: dynamodb,
      tableName: env.MESSAGES_TABLE,
      clock,
      lingerMs: LINGER_MS[env.LANE],
    }),
    dispatchQueue: openDispatchQueue(env, { client: sqs, clock }),
    blockedNumbers: createBlockedNumbers(directoryTable),
    carriers,
    lane: env.LANE,
    timeLimit,
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
  afterBatch: async () => {
    await carriers.flush();
    meter.flush();
  },
});
