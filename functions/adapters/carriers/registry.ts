import { setTimeout as pause } from "node:timers/promises";
import type { SQSClient } from "@aws-sdk/client-sqs";
import type { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import type * as z from "zod";
import type { Carrier } from "../../core/carrier.ts";
import type { Clock } from "../../core/ports.ts";
import { createCarrierEventsQueue } from "../sqs/carrier-events-queue.ts";
import { type carrierEnv, sandboxEnv } from "./env.ts";
import { createSandboxCarrier } from "./sandbox.ts";
import { createSandboxOutbox } from "./sandbox-outbox.ts";

/** What carriers may be built from. */
export interface CarrierResources {
  readonly dynamodb: DynamoDBDocumentClient;
  readonly sqs: SQSClient;
  readonly clock: Clock;
}

type CarrierEnv = z.output<typeof carrierEnv>;
type CarrierFactory = (env: CarrierEnv, resources: CarrierResources) => Carrier;

/** Every carrier that a stage can name. */
const CARRIERS: Readonly<Record<CarrierEnv["CARRIER"], CarrierFactory>> = {
  sandbox: (env, { dynamodb, sqs, clock }) => {
    const { SANDBOX_OUTBOX_TABLE, CARRIER_EVENTS_QUEUE_URL } = sandboxEnv.parse(env);
    return createSandboxCarrier({
      outbox: createSandboxOutbox({ client: dynamodb, tableName: SANDBOX_OUTBOX_TABLE, clock }),
      carrierEvents: createCarrierEventsQueue({ client: sqs, queueUrl: CARRIER_EVENTS_QUEUE_URL }),
      clock,
      pause,
    });
  },
};

/**
 * The carrier that the environment names.
 * @throws ZodError where the environment lacks what that carrier needs to know
 */
export function createCarrier(env: CarrierEnv, resources: CarrierResources): Carrier {
  return CARRIERS[env.CARRIER](env, resources);
}
