import { Validations } from "aws-cdk-lib";
import {
  AttributeType,
  type ITable,
  ProjectionType,
  StreamViewType,
  type Table,
} from "aws-cdk-lib/aws-dynamodb";
import { PolicyStatement } from "aws-cdk-lib/aws-iam";
import { Construct } from "constructs";
import type { TakesEnvironment } from "./shared/torpedo-function.ts";
import { TorpedoTable } from "./shared/torpedo-table.ts";
import type { Stage } from "./stage.ts";

type UsesMessages = TakesEnvironment<"MESSAGES_TABLE">;

/** By the phone and the time it was sent to: what an MO answers. Only messages that were sent are in it. */
const SENT_TO_INDEX = "sent-to";

/** The table of messages: high volume, removed after their retention, with a stream of every change. */
export class Messages extends Construct {
  readonly table: Table;

  constructor(scope: Construct, id: string, { stage }: { stage: Stage }) {
    super(scope, id);
    this.table = new TorpedoTable(this, "Table", {
      lifetime: stage.removalPolicy,
      timeToLiveAttribute: "removeAt",
      stream: StreamViewType.NEW_AND_OLD_IMAGES,
    });
    this.table.addGlobalSecondaryIndex({
      indexName: SENT_TO_INDEX,
      partitionKey: { name: "destination", type: AttributeType.STRING },
      sortKey: { name: "sentAt", type: AttributeType.NUMBER },
      projectionType: ProjectionType.INCLUDE,
      nonKeyAttributes: ["account", "id", "traceId", "dialect", "shortCode", "removeAt"],
    });
    Validations.of(this.table).acknowledge({
      id: "AwsSolutions-DDB3",
      reason:
        "Messages live for a day or so; restoring them to an earlier time would send them again.",
    });
  }

  /** The table as event sources want it: with a stream for certain. */
  get streamed(): ITable {
    return this.table as ITable;
  }

  /** Lets a function accept messages and batches, look them up, cancel them, and list MOs. */
  grantServe(fn: UsesMessages): void {
    this.#grant(
      fn,
      "dynamodb:PutItem",
      "dynamodb:DeleteItem",
      "dynamodb:UpdateItem",
      "dynamodb:GetItem",
      "dynamodb:BatchGetItem",
      "dynamodb:Query",
    );
  }

  /** Lets a function make the messages of batches items of their own. */
  grantExpand(fn: UsesMessages): void {
    this.#grant(
      fn,
      "dynamodb:Query",
      "dynamodb:BatchGetItem",
      "dynamodb:PartiQLInsert",
      "dynamodb:PutItem",
      "dynamodb:UpdateItem",
      "dynamodb:DeleteItem",
    );
  }

  /** Lets a function look messages up and move them along their lifecycle. */
  grantFindAndMove(fn: UsesMessages): void {
    this.#grant(fn, "dynamodb:GetItem", "dynamodb:UpdateItem");
  }

  /** Lets a function find the message that an MO answers, and store the MO. */
  grantReceive(fn: UsesMessages): void {
    this.#grant(fn, "dynamodb:PutItem");
    fn.addToRolePolicy(
      new PolicyStatement({
        actions: ["dynamodb:Query"],
        resources: [`${this.table.tableArn}/index/${SENT_TO_INDEX}`],
      }),
    );
  }

  #grant(fn: UsesMessages, ...actions: string[]): void {
    // Not the table's own grant, which would open its indexes as well.
    fn.addToRolePolicy(new PolicyStatement({ actions, resources: [this.table.tableArn] }));
    fn.provide({ MESSAGES_TABLE: this.table.tableName });
  }
}
