import { SQSClient } from "@aws-sdk/client-sqs";
import { impatientClientConfig } from "../adapters/aws-client.ts";
import { loadProtocol } from "../adapters/carriers/protocols.ts";
import { createCarrierAccounts } from "../adapters/dynamodb/carrier-accounts.ts";
import { createDocumentClient } from "../adapters/dynamodb/client.ts";
import { createCarrierEventsQueue } from "../adapters/sqs/carrier-events-queue.ts";
import { createAuthenticateCarrier } from "../core/carrier-account.ts";
import { loadEnv } from "../runtime/env.ts";
import { createHttpFunction } from "../runtime/http.ts";
import { systemClock as clock, systemTimeLimit } from "../runtime/system.ts";
import { createLog } from "../runtime/telemetry.ts";
import { env as schema } from "./env.ts";
import { createHandler } from "./handler.ts";

/** Carriers wait for seconds, and come again. */
const TIMEOUT_MS = 4_000;

const env = loadEnv(schema);

export const handler = createHttpFunction(
  createHandler({
    authenticate: createAuthenticateCarrier({
      carrierAccounts: createCarrierAccounts({
        client: createDocumentClient(impatientClientConfig),
        tableName: env.DIRECTORY_TABLE,
      }),
      clock,
    }),
    loadProtocol,
    reports: createCarrierEventsQueue({
      client: new SQSClient(impatientClientConfig),
      queueUrl: env.CARRIER_EVENTS_QUEUE_URL,
    }),
    timeLimit: systemTimeLimit,
    timeoutMs: TIMEOUT_MS,
    clock,
  }),
  createLog("ingress"),
);
