import { RemovalPolicy } from "aws-cdk-lib";
import { AttributeType, BillingMode, Table } from "aws-cdk-lib/aws-dynamodb";
import { PolicyStatement } from "aws-cdk-lib/aws-iam";
import { Construct } from "constructs";
import type { TakesEnvironment } from "./shared/torpedo-function.ts";
import type { Stage } from "./stage.ts";

type UsesDirectory = TakesEnvironment<"DIRECTORY_TABLE">;

/** The table of accounts and what belongs to them: small, backed up, kept when a lasting stage is deleted. */
export class Directory extends Construct {
  readonly table: Table;

  constructor(scope: Construct, id: string, { stage }: { stage: Stage }) {
    super(scope, id);
    this.table = new Table(this, "Table", {
      partitionKey: { name: "pk", type: AttributeType.STRING },
      sortKey: { name: "sk", type: AttributeType.STRING },
      billingMode: BillingMode.PAY_PER_REQUEST,
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      removalPolicy: RemovalPolicy[stage.removalPolicy === "retain" ? "RETAIN" : "DESTROY"],
      deletionProtection: stage.removalPolicy === "retain",
    });
    this.table.addGlobalSecondaryIndex({
      indexName: "kind",
      partitionKey: { name: "kind", type: AttributeType.STRING },
      sortKey: { name: "pk", type: AttributeType.STRING },
    });
  }

  /** Lets a function find accounts, which is what authentication takes. */
  grantFindAccount(fn: UsesDirectory): void {
    this.#grant(fn, "dynamodb:GetItem");
  }

  /** Lets a function find accounts and their endpoints. */
  grantFindEndpoints(fn: UsesDirectory): void {
    this.#grant(fn, "dynamodb:GetItem", "dynamodb:Query");
  }

  #grant(fn: UsesDirectory, ...actions: string[]): void {
    fn.addToRolePolicy(new PolicyStatement({ actions, resources: [this.table.tableArn] }));
    fn.provide({ DIRECTORY_TABLE: this.table.tableName });
  }
}
