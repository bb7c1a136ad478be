import { messagesEnv } from "../adapters/dynamodb/env.ts";

/** The environment of carrier-events. */
export const env = messagesEnv;
