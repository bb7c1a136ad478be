import { EventBridgeClient } from "@aws-sdk/client-eventbridge";
import { SQSClient } from "@aws-sdk/client-sqs";
import { awsClientConfig } from "../adapters/aws-client.ts";
import { eventOfRecord } from "../adapters/dynamodb/message-stream.ts";
import { createEventBus } from "../adapters/eventbridge/event-bus.ts";
import { createDeadLetters } from "../adapters/sqs/dead-letters.ts";
import { loadEnv } from "../runtime/env.ts";
import { createLog, createMeter } from "../runtime/telemetry.ts";
import { env as schema } from "./env.ts";
import { createHandler } from "./handler.ts";

const env = loadEnv(schema);

export const handler = createHandler({
  eventOf: eventOfRecord,
  bus: createEventBus({
    client: new EventBridgeClient(awsClientConfig),
    busName: env.EVENT_BUS_NAME,
  }),
  deadLetters: createDeadLetters({
    client: new SQSClient(awsClientConfig),
    queueUrl: env.DEAD_LETTER_QUEUE_URL,
  }),
  log: createLog("status-events"),
  meter: createMeter("status-events", env.STAGE),
});
