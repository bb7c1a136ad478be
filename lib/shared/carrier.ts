import type { TakesEnvironment } from "./torpedo-function.ts";

/** What the function that hands messages over may be given, by whichever carrier. */
export type UsesCarrier = TakesEnvironment<
  "CARRIER" | "SANDBOX_OUTBOX_TABLE" | "CARRIER_EVENTS_QUEUE_URL"
>;

/** A carrier, as far as the stack is concerned. */
export interface Carrier {
  /** Lets a function hand messages to the carrier. */
  grantSend(fn: UsesCarrier): void;
  /** What of it others need to know, as outputs of the stack. */
  readonly outputs: Readonly<Record<string, string>>;
}
