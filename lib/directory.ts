import { AttributeType, type Table } from "aws-cdk-lib/aws-dynamodb";
import { PolicyStatement } from "aws-cdk-lib/aws-iam";
import { Construct } from "constructs";
import type { TakesEnvironment } from "./shared/torpedo-function.ts";
import { TorpedoTable } from "./shared/torpedo-table.ts";
import type { Stage } from "./stage.ts";

type UsesDirectory = TakesEnvironment<"DIRECTORY_TABLE">;

/** The items of one kind, such as all accounts. */
const KIND_INDEX = "kind";

/** The table of accounts and what belongs to them: small, backed up, kept when a lasting stage is deleted. */
export class Directory extends Construct {
  readonly table: Table;

  constructor(scope: Construct, id: string, { stage }: { stage: Stage }) {
    super(scope, id);
    this.table = new TorpedoTable(this, "Table", {
      lifetime: stage.removalPolicy,
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
    });
    this.table.addGlobalSecondaryIndex({
      indexName: KIND_INDEX,
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

  /** Lets a function find the account that a short code belongs to. */
  grantFindAccountOfShortCode(fn: UsesDirectory): void {
    fn.addToRolePolicy(
      new PolicyStatement({
        actions: ["dynamodb:Query"],
        resources: [`${this.table.tableArn}/index/${KIND_INDEX}`],
      }),
    );
    fn.provide({ DIRECTORY_TABLE: this.table.tableName });
  }

  #grant(fn: UsesDirectory, ...actions: string[]): void {
    fn.addToRolePolicy(new PolicyStatement({ actions, resources: [this.table.tableArn] }));
    fn.provide({ DIRECTORY_TABLE: this.table.tableName });
  }
}
