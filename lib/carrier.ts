import type { Construct } from "constructs";
import type { CarrierEvents } from "./carrier-events.ts";
import { SandboxCarrier } from "./sandbox-carrier.ts";
import type { TakesEnvironment } from "./shared/torpedo-function.ts";
import type { Stage } from "./stage.ts";

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

/** Creates what the stage's carrier needs in AWS. */
export function createCarrier(
  scope: Construct,
  { stage, carrierEvents }: { stage: Stage; carrierEvents: CarrierEvents },
): Carrier {
  switch (stage.carrier.name) {
    case "sandbox":
      return new SandboxCarrier(scope, "SandboxCarrier", { carrierEvents });
  }
}
