import type { Construct } from "constructs";
import type { CarrierEvents } from "./carrier-events.ts";
import { SandboxCarrier } from "./sandbox-carrier.ts";
import type { Carrier } from "./shared/carrier.ts";
import type { Stage } from "./stage.ts";

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
