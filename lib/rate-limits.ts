import { Validations } from "aws-cdk-lib";
import type { Table } from "aws-cdk-lib/aws-dynamodb";
import { PolicyStatement } from "aws-cdk-lib/aws-iam";
import type { Function as LambdaFunction } from "aws-cdk-lib/aws-lambda";
import { Construct } from "constructs";
import type { TakesEnvironment } from "./shared/torpedo-function.ts";
import { TorpedoTable } from "./shared/torpedo-table.ts";
import type { Stage } from "./stage.ts";

/** The limits on requests of one caller, and the table in which functions count them together. */
export class RateLimits extends Construct {
  readonly #limits: Stage["rateLimits"];
  readonly #counts: Table;

  constructor(scope: Construct, id: string, { stage }: { stage: Stage }) {
    super(scope, id);
    this.#limits = stage.rateLimits;
    this.#counts = new TorpedoTable(this, "Counts", {
      lifetime: "destroy",
      timeToLiveAttribute: "removeAt",
    });
    Validations.of(this.#counts).acknowledge({
      id: "AwsSolutions-DDB3",
      reason: "How many requests there were in a second is of no worth after that second.",
    });
  }

  /** Lets a function count what carriers are handed. */
  grantCountCarriers(fn: TakesEnvironment<"RATE_LIMITS_TABLE">): void {
    this.#grantCount(fn);
    fn.provide({ RATE_LIMITS_TABLE: this.#counts.tableName });
  }

  /** Lets a function count requests, and tells it the limits. */
  grantCount(
    fn: TakesEnvironment<"RATE_LIMITS_TABLE" | "REQUESTS_PER_SECOND" | "STATUS_QUERIES_PER_SECOND">,
  ): void {
    this.#grantCount(fn);
    fn.provide({
      RATE_LIMITS_TABLE: this.#counts.tableName,
      REQUESTS_PER_SECOND: String(this.#limits.requestsPerSecond),
      STATUS_QUERIES_PER_SECOND: String(this.#limits.statusQueriesPerSecond),
    });
  }

  #grantCount(fn: LambdaFunction): void {
    fn.addToRolePolicy(
      new PolicyStatement({
        actions: ["dynamodb:UpdateItem"],
        resources: [this.#counts.tableArn],
      }),
    );
  }
}
