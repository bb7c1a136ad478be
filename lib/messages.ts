import { Validations } from "aws-cdk-lib";
import { type ITable, StreamViewType, type Table } from "aws-cdk-lib/aws-dynamodb";
import { Construct } from "constructs";
import type { TakesEnvironment } from "./shared/torpedo-function.ts";
import { TorpedoTable } from "./shared/torpedo-table.ts";
import type { Stage } from "./stage.ts";

type UsesMessages = TakesEnvironment<"MESSAGES_TABLE">;

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

  /** Lets a function accept messages, undo what it could not put on its way, and look messages up. */
  grantAccept(fn: UsesMessages): void {
    this.#grant(fn, "dynamodb:PutItem", "dynamodb:DeleteItem", "dynamodb:GetItem");
  }

  /** Lets a function claim messages and move them along their lifecycle. */
  grantMove(fn: UsesMessages): void {
    this.#grant(fn, "dynamodb:UpdateItem");
  }

  /** Lets a function look messages up and move them along their lifecycle. */
  grantFindAndMove(fn: UsesMessages): void {
    this.#grant(fn, "dynamodb:GetItem", "dynamodb:UpdateItem");
  }

  #grant(fn: UsesMessages, ...actions: string[]): void {
    this.table.grant(fn, ...actions);
    fn.provide({ MESSAGES_TABLE: this.table.tableName });
  }
}
