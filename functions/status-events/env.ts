import * as z from "zod";
import { eventBusEnv } from "../adapters/eventbridge/env.ts";
import { callbackEventsEnv, deadLetterEnv } from "../adapters/sqs/env.ts";
import { filledText } from "../adapters/variables.ts";

/** Which changes of messages go on the bus: those that customers can be told of, last words only, or every one. */
export const eventChoiceSchema = z.enum(["told", "final", "every"]);

/** The environment of status-events. */
export const env = z.object({
  ...eventBusEnv.shape,
  ...callbackEventsEnv.shape,
  ...deadLetterEnv.shape,
  EVENTS_ON_BUS: eventChoiceSchema,
  STAGE: filledText,
});
