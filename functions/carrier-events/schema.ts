import * as z from "zod";
import { partsDueSchema } from "../core/assemble-mo.ts";
import { carrierEventSchema } from "../core/carrier.ts";

/** What SNS publishes, for its adapter to read. */
const publicationSchema = z.looseObject({ Type: z.string(), TopicArn: z.string() });
export type Publication = z.output<typeof publicationSchema>;

/**
 * What the carrier-events queue holds: what carriers report, also as SNS publishes it, and that an MO
 * has waited for its parts for long enough.
 */
export const carrierEventsInputSchema = z.union([
  carrierEventSchema,
  partsDueSchema,
  publicationSchema,
]);
export type CarrierEventsInput = z.output<typeof carrierEventsInputSchema>;

/** The trace of the message that a report is about, where we say so and not SNS; an MO has none yet. */
export function traceOf(input: CarrierEventsInput): string | undefined {
  return !isPublication(input) && input.type === "receipt" ? input.ref.traceId : undefined;
}

/** Whether an input is what SNS publishes. */
export function isPublication(input: CarrierEventsInput): input is Publication {
  return "Type" in input;
}
