import * as z from "zod";
import { directoryEnv } from "../adapters/dynamodb/env.ts";
import { carrierEventsQueueEnv } from "../adapters/sqs/env.ts";

/** The environment of ingress. */
export const env = z.object({ ...directoryEnv.shape, ...carrierEventsQueueEnv.shape });
