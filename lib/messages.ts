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

/** By the client's own id, which many messages can share. Only messages with one are in it. */
const CORRELATION_INDEX = "correlation";
/** Messages whose status nobody has taken since it changed. */
const CHANGES_INDEX = "changes";

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
    this.table.addGlobalSecondaryIndex({
      indexName: CORRELATION_INDEX,
      partitionKey: { name: "correlation", type: AttributeType.STRING },
      sortKey: { name: "acceptedAt", type: AttributeType.NUMBER },
      projectionType: ProjectionType.KEYS_ONLY,
    });
    this.table.addGlobalSecondaryIndex({
      indexName: CHANGES_INDEX,
      partitionKey: { name: "changes", type: AttributeType.STRING },
      sortKey: { name: "changed", type: AttributeType.STRING },
      projectionType: ProjectionType.KEYS_ONLY,
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
      "dynamodb:PartiQLUpdate",
      "dynamodb:GetItem",
      "dynamodb:BatchGetItem",
      "dynamodb:Query",
    );
  }

  /** Lets a function find messages by their correlation ids. */
  grantFindCorrelated(fn: UsesMessages): void {
    this.#grantQuery(fn, CORRELATION_INDEX);
  }

  /** Lets a function find the messages whose status has changed. */
  grantTakeChanged(fn: UsesMessages): void {
    this.#grantQuery(fn, CHANGES_INDEX);
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
    this.#grant(fn, "dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:PartiQLUpdate");
  }

  /** Lets a function find the message that an MO answers, keep its parts, store the MO, and answer it with a message. */
  grantReceive(fn: UsesMessages): void {
    this.#grant(fn, "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:DeleteItem");
    this.#grantQuery(fn, SENT_TO_INDEX);
  }

  #grantQuery(fn: UsesMessages, index: string): void {
    fn.addToRolePolicy(
      new PolicyStatement({
        actions: ["dynamodb:Query"],
        resources: [`${this.table.tableArn}/index/${index}`],
      }),
    );
  }

  #grant(fn: UsesMessages, ...actions: string[]): void {
    // Not the table's own grant, which would open its indexes as well.
    fn.addToRolePolicy(new PolicyStatement({ actions, resources: [this.table.tableArn] }));
    fn.provide({ MESSAGES_TABLE: this.table.tableName });
  }
}
