import { createBlockedNumbers } from "../adapters/dynamodb/blocked-numbers.ts";
import { createDocumentClient } from "../adapters/dynamodb/client.ts";
import { createContents } from "../adapters/dynamodb/contents.ts";
import { createDirectory } from "../adapters/dynamodb/directory.ts";
import { createSubAccounts } from "../adapters/dynamodb/sub-accounts.ts";
import { createUsageCounters } from "../adapters/dynamodb/usage-counters.ts";
import { createUsers } from "../adapters/dynamodb/users.ts";
import { createAuthenticateUser } from "../core/authenticate.ts";
import { jsonBesideBundle } from "../runtime/bundled-file.ts";
import { loadEnv } from "../runtime/env.ts";
import { createHttpFunction } from "../runtime/http.ts";
import { systemClock as clock, systemRandomness as randomness } from "../runtime/system.ts";
import { createLog } from "../runtime/telemetry.ts";
import { env as schema } from "./env.ts";
import { createHandler } from "./handler.ts";

const env = loadEnv(schema);
const table = { client: createDocumentClient(), tableName: env.DIRECTORY_TABLE };
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
    endpointProtocols: env.ENDPOINT_PROTOCOLS,
  }),
  createLog("admin"),
);
