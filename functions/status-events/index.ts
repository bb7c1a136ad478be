import { EventBridgeClient } from "@aws-sdk/client-eventbridge";
import { SQSClient } from "@aws-sdk/client-sqs";
import { awsClientConfig } from "../adapters/aws-client.ts";
import { changeOfRecord } from "../adapters/dynamodb/message-stream.ts";
import { createEventBus } from "../adapters/eventbridge/event-bus.ts";
import { createCallbackEvents } from "../adapters/sqs/callback-events.ts";
import { createDeadLetters } from "../adapters/sqs/dead-letters.ts";
import { loadEnv } from "../runtime/env.ts";
import { createLog, createMeter } from "../runtime/telemetry.ts";
import { env as schema } from "./env.ts";
import { createHandler } from "./handler.ts";

const env = loadEnv(schema);
const sqs = new SQSClient(awsClientConfig);

export const handler = createHandler({
  changeOf: changeOfRecord,
  choice: env.EVENTS_ON_BUS,
  bus: createEventBus({
    client: new EventBridgeClient(awsClientConfig),
    busName: env.EVENT_BUS_NAME,
  }),
  callbacks: createCallbackEvents({ client: sqs, queueUrl: env.CALLBACK_EVENTS_QUEUE_URL }),
  deadLetters: createDeadLetters({ client: sqs, queueUrl: env.DEAD_LETTER_QUEUE_URL }),
  log: createLog("status-events"),
  meter: createMeter("status-events", env.STAGE),
});
