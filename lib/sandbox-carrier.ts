import { Validations } from "aws-cdk-lib";
import type { Table } from "aws-cdk-lib/aws-dynamodb";
import type { Function as LambdaFunction } from "aws-cdk-lib/aws-lambda";
import { Construct } from "constructs";
import type { CarrierEvents } from "./carrier-events.ts";
import type { Carrier } from "./shared/carrier.ts";
import { TorpedoTable } from "./shared/torpedo-table.ts";

/** The sandbox carriers of a stage: their outbox, and their way to report receipts. */
export class SandboxCarrier extends Construct implements Carrier {
  readonly provisions: Readonly<Record<string, string>>;
  readonly outbox: Table;
  readonly #carrierEvents: CarrierEvents;

  constructor(scope: Construct, id: string, { carrierEvents }: { carrierEvents: CarrierEvents }) {
    super(scope, id);
    this.#carrierEvents = carrierEvents;
    this.outbox = new TorpedoTable(this, "Outbox", {
      lifetime: "destroy",
      timeToLiveAttribute: "removeAt",
    });
    Validations.of(this.outbox).acknowledge({
      id: "AwsSolutions-DDB3",
      reason: "What a pretended carrier was handed is of no worth after a day.",
    });
    this.provisions = {
      outboxTable: this.outbox.tableName,
      carrierEventsQueueUrl: carrierEvents.worker.queue.queueUrl,
    };
  }

  /** Lets a function hand messages to the sandboxes, and say what becomes of them. */
  grantSend(fn: LambdaFunction): void {
    this.outbox.grant(fn, "dynamodb:PutItem", "dynamodb:UpdateItem");
    this.#carrierEvents.grantReport(fn);
  }
}
