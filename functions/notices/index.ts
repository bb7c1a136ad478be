import { SESv2Client } from "@aws-sdk/client-sesv2";
import { SQSClient } from "@aws-sdk/client-sqs";
import { awsClientConfig } from "../adapters/aws-client.ts";
import { createDocumentClient } from "../adapters/dynamodb/client.ts";
import { createDirectory } from "../adapters/dynamodb/directory.ts";
import { createUsers } from "../adapters/dynamodb/users.ts";
import { createMailer } from "../adapters/ses/mailer.ts";
import { openPoison } from "../adapters/sqs/dead-letters.ts";
import { endpointDisabledSchema } from "../core/events.ts";
import { loadEnv } from "../runtime/env.ts";
import { createQueueFunction } from "../runtime/queue.ts";
import { createLog } from "../runtime/telemetry.ts";
import { env as schema } from "./env.ts";
import { createHandler } from "./handler.ts";

const env = loadEnv(schema);
const table = { client: createDocumentClient(), tableName: env.DIRECTORY_TABLE };

export const handler = createQueueFunction({
  schema: endpointDisabledSchema,
  traceOf: () => undefined,
  process: createHandler({
    directory: createDirectory(table),
    users: createUsers(table),
    mailer: createMailer({ client: new SESv2Client(awsClientConfig), from: env.MAIL_FROM }),
  }),
  poison: openPoison(env, { client: new SQSClient(awsClientConfig) }),
  log: createLog("notices"),
});
