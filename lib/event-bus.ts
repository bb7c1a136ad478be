import { EventBus as Bus } from "aws-cdk-lib/aws-events";
import { Construct } from "constructs";
import type { TakesEnvironment } from "./shared/torpedo-function.ts";
import type { Stage } from "./stage.ts";

/** The bus on which every change of a message's state is told. */
export class EventBus extends Construct {
  readonly bus: Bus;

  constructor(scope: Construct, id: string, { stage }: { stage: Stage }) {
    super(scope, id);
    this.bus = new Bus(this, "Bus", {
      eventBusName: `torpedo-${stage.name}`,
      description: "Changes of state of messages (docs/events.md)",
    });
  }

  /** Lets a function put events on the bus. */
  grantPublish(fn: TakesEnvironment<"EVENT_BUS_NAME">): void {
    this.bus.grantPutEventsTo(fn);
    fn.provide({ EVENT_BUS_NAME: this.bus.eventBusName });
  }
}
