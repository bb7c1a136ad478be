import { createDocumentClient } from "../adapters/dynamodb/client.ts";
import { createMessageStore } from "../adapters/dynamodb/messages.ts";
import { carrierEventSchema } from "../core/carrier.ts";
import { loadEnv } from "../runtime/env.ts";
import { createQueueFunction } from "../runtime/queue.ts";
import { systemClock as clock } from "../runtime/system.ts";
import { createLog } from "../runtime/telemetry.ts";
import { env as schema } from "./env.ts";
import { createHandler } from "./handler.ts";

const env = loadEnv(schema);

export const handler = createQueueFunction({
  schema: carrierEventSchema,
  traceOf: ({ ref }) => ref.traceId,
  process: createHandler({
    messages: createMessageStore({
      client: createDocumentClient(),
      tableName: env.MESSAGES_TABLE,
      clock,
    }),
    clock,
  }),
  log: createLog("carrier-events"),
});
