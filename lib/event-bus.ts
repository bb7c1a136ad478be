import { EventBus as Bus } from "aws-cdk-lib/aws-events";
import { PolicyStatement } from "aws-cdk-lib/aws-iam";
import { Construct } from "constructs";
import type { TakesEnvironment } from "./shared/torpedo-function.ts";
import type { Stage } from "./stage.ts";

/** What events are called (docs/events.md). */
type DetailType =
  | "Message Status Changed"
  | "Message Statuses Changed"
  | "Message Received"
  | "Endpoint Disabled"
  | "Carrier Demoted"
  | "Carrier Restored";

/** The bus on which teams are told what happens: for what they hang on it; callbacks do without. */
export class EventBus extends Construct {
  readonly bus: Bus;

  constructor(scope: Construct, id: string, { stage }: { stage: Stage }) {
    super(scope, id);
    this.bus = new Bus(this, "Bus", {
      eventBusName: `torpedo-${stage.name}`,
      description: "Changes of state of messages (docs/events.md)",
    });
  }

  /** Lets a function put such events on the bus, and no others. */
  grantPublish(fn: TakesEnvironment<"EVENT_BUS_NAME">, ...detailTypes: DetailType[]): void {
    fn.addToRolePolicy(
      new PolicyStatement({
        actions: ["events:PutEvents"],
        resources: [this.bus.eventBusArn],
        conditions: { StringEquals: { "events:detail-type": detailTypes } },
      }),
    );
    fn.provide({ EVENT_BUS_NAME: this.bus.eventBusName });
  }
}
