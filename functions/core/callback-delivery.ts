import * as z from "zod";
import { torpedoEventSchema } from "./events.ts";

/** One event on its way to one endpoint; what travels in the retry queue. */
export const callbackDeliverySchema = z.object({
  event: torpedoEventSchema,
  endpointId: z.string().min(1),
  /** Attempts made so far. */
  attempts: z.number().int().nonnegative(),
});
export type CallbackDelivery = z.infer<typeof callbackDeliverySchema>;
