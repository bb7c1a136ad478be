import type { Function as LambdaFunction } from "aws-cdk-lib/aws-lambda";

/** A carrier, as far as the stack is concerned. */
export interface Carrier {
  /** What its code needs to know beside its settings: the names of what was made for it. */
  readonly provisions: Readonly<Record<string, string>>;
  /** Lets a function hand messages to the carrier. */
  grantSend(fn: LambdaFunction): void;
}
