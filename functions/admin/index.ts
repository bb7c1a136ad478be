import { SQSClient } from "@aws-sdk/client-sqs";
import { awsClientConfig } from "../adapters/aws-client.ts";
import { createBlockedNumbers } from "../adapters/dynamodb/blocked-numbers.ts";
import { createDocumentClient } from "../adapters/dynamodb/client.ts";
import { createContents } from "../adapters/dynamodb/contents.ts";
import { createDeliveries } from "../adapters/dynamodb/deliveries.ts";
import { createDirectory } from "../adapters/dynamodb/directory.ts";
import { createEndpointHealths } from "../adapters/dynamodb/endpoint-healths.ts";
import { createSubAccounts } from "../adapters/dynamodb/sub-accounts.ts";
import { createUsageCounters } from "../adapters/dynamodb/usage-counters.ts";
import { createUsers } from "../adapters/dynamodb/users.ts";
import { openReplayQueue } from "../adapters/sqs/callback-queue.ts";
import { createAuthenticateUser } from "../core/authenticate.ts";
import { jsonBesideBundle } from "../runtime/bundled-file.ts";
import { loadEnv } from "../runtime/env.ts";
import { createHttpFunction } from "../runtime/http.ts";
import { systemClock as clock, systemRandomness as randomness } from "../runtime/system.ts";
import { createLog } from "../runtime/telemetry.ts";
import { env as schema } from "./env.ts";
import { createHandler } from "./handler.ts";

const env = loadEnv(schema);
const client = createDocumentClient();
const table = { client, tableName: env.DIRECTORY_TABLE };
const callbacks = { client, tableName: env.CALLBACKS_TABLE };
const directory = createDirectory(table);
const users = createUsers(table);
const subAccounts = createSubAccounts(table);

export const handler = createHttpFunction(
  createHandler({
    authenticateUser: createAuthenticateUser({ directory, users, subAccounts, clock }),
    openApiDocument: jsonBesideBundle("openapi.json"),
    directory,
    users,
    subAccounts,
    contents: createContents(table),
    blockedNumbers: createBlockedNumbers(table),
    usage: createUsageCounters(table),
    clock,
    randomness,
    endpointHealths: createEndpointHealths(callbacks),
    deliveries: createDeliveries({ ...callbacks, clock }),
    callbackQueue: openReplayQueue(env, { client: new SQSClient(awsClientConfig), clock }),
    callbackRetentionMs: env.CALLBACK_RETENTION_HOURS * 3_600_000,
    endpointPolicy: {
      protocols: env.ENDPOINT_PROTOCOLS,
      allowLoopback: env.ALLOW_LOOPBACK_ENDPOINTS,
    },
  }),
  createLog("admin"),
);
