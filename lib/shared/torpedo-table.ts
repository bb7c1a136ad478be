import { RemovalPolicy } from "aws-cdk-lib";
import { AttributeType, BillingMode, Table, type TableOptions } from "aws-cdk-lib/aws-dynamodb";
import type { Construct } from "constructs";

/** What distinguishes one table from another. */
export interface TorpedoTableProps extends Omit<TableOptions, "partitionKey" | "sortKey"> {
  /** What becomes of it with the stack; one that is retained cannot be deleted by mistake either. */
  readonly lifetime: "retain" | "destroy";
}

/** A table with the defaults of all of ours: keys `pk` and `sk`, paid by request. */
export class TorpedoTable extends Table {
  constructor(scope: Construct, id: string, { lifetime, ...options }: TorpedoTableProps) {
    super(scope, id, {
      ...options,
      partitionKey: { name: "pk", type: AttributeType.STRING },
      sortKey: { name: "sk", type: AttributeType.STRING },
      billingMode: BillingMode.PAY_PER_REQUEST,
      removalPolicy: lifetime === "retain" ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
      deletionProtection: lifetime === "retain",
    });
  }
}
