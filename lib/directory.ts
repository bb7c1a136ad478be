import { AttributeType, type Table } from "aws-cdk-lib/aws-dynamodb";
import { PolicyStatement, type PolicyStatementProps } from "aws-cdk-lib/aws-iam";
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

  /** Lets a function find whom to write to about an account. */
  grantFindOwners(fn: UsesDirectory): void {
    this.#grantInPartitions("ACCOUNT#*", fn, "dynamodb:GetItem", "dynamodb:Query");
  }

  /** Lets a function find the account that a short code belongs to. */
  grantFindAccountOfShortCode(fn: UsesDirectory): void {
    this.#grantOn(this.#kindIndexArn, fn, "dynamodb:Query");
  }

  /** Lets a function find users by what they log in with. */
  grantFindUsers(fn: UsesDirectory): void {
    this.#grant(fn, "dynamodb:GetItem");
  }

  /** Lets a function find templates, flows and campaigns, and list them. */
  grantFindContents(fn: UsesDirectory): void {
    this.#grant(fn, "dynamodb:GetItem", "dynamodb:Query");
  }

  /** Lets a function find out which numbers are not to be sent to. */
  grantFindBlocked(fn: UsesDirectory): void {
    this.#grant(fn, "dynamodb:BatchGetItem");
  }

  /** Lets a function find carriers that report over HTTP, and nothing of an account. */
  grantFindCarriers(fn: UsesDirectory): void {
    this.#grantInPartitions("CARRIER#*", fn, "dynamodb:GetItem");
  }

  /** Lets a function count what is sent, and change nothing else of an account. */
  grantCountUsage(fn: UsesDirectory): void {
    this.#grantInPartitions("USAGE#*", fn, "dynamodb:GetItem", "dynamodb:UpdateItem");
  }

  /** Lets a function write down who opts out and in, and change nothing else of an account. */
  grantOptOut(fn: UsesDirectory): void {
    this.#grantInPartitions("NUMBER#*", fn, "dynamodb:GetItem", "dynamodb:PutItem");
  }

  /** Lets a function read and change everything there is of accounts, and nothing of carriers, which are the operator's. */
  grantAdminister(fn: UsesDirectory): void {
    // Of their partitions as of their kind in the index.
    const conditions = { "ForAllValues:StringNotLike": { "dynamodb:LeadingKeys": ["CARRIER*"] } };
    this.#allow(fn, {
      actions: [
        "dynamodb:GetItem",
        "dynamodb:Query",
        "dynamodb:PutItem",
        "dynamodb:UpdateItem",
        "dynamodb:DeleteItem",
      ],
      resources: [this.table.tableArn],
      conditions,
    });
    this.#allow(fn, { actions: ["dynamodb:Query"], resources: [this.#kindIndexArn], conditions });
  }

  get #kindIndexArn(): string {
    return `${this.table.tableArn}/index/${KIND_INDEX}`;
  }

  #grant(fn: UsesDirectory, ...actions: string[]): void {
    this.#grantOn(this.table.tableArn, fn, ...actions);
  }

  #grantOn(resource: string, fn: UsesDirectory, ...actions: string[]): void {
    this.#allow(fn, { actions, resources: [resource] });
  }

  #grantInPartitions(pattern: string, fn: UsesDirectory, ...actions: string[]): void {
    this.#allow(fn, {
      actions,
      resources: [this.table.tableArn],
      conditions: { "ForAllValues:StringLike": { "dynamodb:LeadingKeys": [pattern] } },
    });
  }

  #allow(fn: UsesDirectory, statement: PolicyStatementProps): void {
    fn.addToRolePolicy(new PolicyStatement(statement));
    fn.provide({ DIRECTORY_TABLE: this.table.tableName });
  }
}
