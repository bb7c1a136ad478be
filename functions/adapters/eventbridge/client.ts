import { EventBridgeClient } from "@aws-sdk/client-eventbridge";
import type { EventBus } from "../../core/ports.ts";
import { awsClientConfig } from "../aws-client.ts";
import { createEventBus } from "./event-bus.ts";

/** A bus with a client of its own. */
export function openEventBus(busName: string): EventBus {
  return createEventBus({ busName, client: new EventBridgeClient(awsClientConfig) });
}
