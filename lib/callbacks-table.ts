import { Validations } from "aws-cdk-lib";
import { AttributeType, ProjectionType, type Table } from "aws-cdk-lib/aws-dynamodb";
import { PolicyStatement } from "aws-cdk-lib/aws-iam";
import { Construct } from "constructs";
import type { TakesEnvironment } from "./shared/torpedo-function.ts";
import { TorpedoTable } from "./shared/torpedo-table.ts";
import type { Stage } from "./stage.ts";

type UsesCallbacks = TakesEnvironment<"CALLBACKS_TABLE" | "CALLBACK_RETENTION_HOURS">;

/** An endpoint's deliveries by the time they were created. */
const CREATED_INDEX = "created";
/** Deliveries that do not go on by themselves, by the time they stopped. Only such are in it. */
const PARKED_INDEX = "parked";

/** The table of what endpoints are told and how they fare: deliveries are removed after their retention. */
export class CallbacksTable extends Construct {
  readonly table: Table;
  readonly #retentionHours: number;

  constructor(scope: Construct, id: string, { stage }: { stage: Stage }) {
    super(scope, id);
    this.#retentionHours = stage.callbacks.retentionHours;
    this.table = new TorpedoTable(this, "Table", {
      lifetime: stage.removalPolicy,
      timeToLiveAttribute: "removeAt",
    });
    for (const [indexName, partition, time] of [
      [CREATED_INDEX, "createdIn", "createdAt"],
      [PARKED_INDEX, "parkedIn", "settledAt"],
    ] as const) {
      this.table.addGlobalSecondaryIndex({
        indexName,
        partitionKey: { name: partition, type: AttributeType.STRING },
        sortKey: { name: time, type: AttributeType.NUMBER },
        projectionType: ProjectionType.KEYS_ONLY,
      });
    }
    Validations.of(this.table).acknowledge({
      id: "AwsSolutions-DDB3",
      reason:
        "Deliveries live for a week or so; restoring them to an earlier time would tell them again.",
    });
  }

  /** Lets a function write down what becomes of deliveries and endpoints, and find those set aside. */
  grantDeliver(fn: UsesCallbacks): void {
    this.#grant(fn, PARKED_INDEX);
    fn.addToRolePolicy(
      new PolicyStatement({
        // What was told together; which of an endpoint's slots are taken.
        actions: ["dynamodb:PartiQLInsert", "dynamodb:Query"],
        resources: [this.table.tableArn],
      }),
    );
  }

  /** Lets a function show deliveries, have them made again, and say whether an endpoint gets any. */
  grantAdminister(fn: UsesCallbacks): void {
    this.#grant(fn, CREATED_INDEX);
    // What was told together is in no index.
    fn.addToRolePolicy(
      new PolicyStatement({ actions: ["dynamodb:Query"], resources: [this.table.tableArn] }),
    );
  }

  #grant(fn: UsesCallbacks, index: string): void {
    fn.addToRolePolicy(
      new PolicyStatement({
        actions: [
          "dynamodb:GetItem",
          "dynamodb:BatchGetItem",
          "dynamodb:PutItem",
          "dynamodb:UpdateItem",
          "dynamodb:DeleteItem",
        ],
        resources: [this.table.tableArn],
      }),
    );
    fn.addToRolePolicy(
      new PolicyStatement({
        actions: ["dynamodb:Query"],
        resources: [`${this.table.tableArn}/index/${index}`],
      }),
    );
    fn.provide({
      CALLBACKS_TABLE: this.table.tableName,
      CALLBACK_RETENTION_HOURS: String(this.#retentionHours),
    });
  }
}
