import { Validations } from "aws-cdk-lib";
import type { Table } from "aws-cdk-lib/aws-dynamodb";
import { Construct } from "constructs";
import type { CarrierEvents } from "./carrier-events.ts";
import type { Carrier, UsesCarrier } from "./shared/carrier.ts";
import { TorpedoTable } from "./shared/torpedo-table.ts";

/** The sandbox carrier: its outbox, and its way to report receipts. */
export class SandboxCarrier extends Construct implements Carrier {
  readonly outputs: Readonly<Record<string, string>>;
  readonly #outbox: Table;
  readonly #carrierEvents: CarrierEvents;

  constructor(scope: Construct, id: string, { carrierEvents }: { carrierEvents: CarrierEvents }) {
    super(scope, id);
    this.#carrierEvents = carrierEvents;
    this.#outbox = new TorpedoTable(this, "Outbox", {
      lifetime: "destroy",
      timeToLiveAttribute: "removeAt",
    });
    Validations.of(this.#outbox).acknowledge({
      id: "AwsSolutions-DDB3",
      reason: "What a pretended carrier was handed is of no worth after a day.",
    });
    this.outputs = { SandboxOutboxTableName: this.#outbox.tableName };
  }

  /** Lets a function hand messages to the sandbox carrier. */
  grantSend(fn: UsesCarrier): void {
    this.#outbox.grant(fn, "dynamodb:PutItem", "dynamodb:UpdateItem");
    fn.provide({
      CARRIER: "sandbox",
      SANDBOX_OUTBOX_TABLE: this.#outbox.tableName,
      ...this.#carrierEvents.grantReport(fn),
    });
  }
}
