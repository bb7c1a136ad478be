import { Duration } from "aws-cdk-lib";
import { Construct } from "constructs";
import { env } from "../functions/wavy/env.ts";
import type { Bulk } from "./bulk.ts";
import type { Directory } from "./directory.ts";
import type { Dispatch } from "./dispatch.ts";
import type { HttpApi } from "./http-api.ts";
import type { Messages } from "./messages.ts";
import type { RateLimits } from "./rate-limits.ts";
import { TorpedoFunction } from "./shared/torpedo-function.ts";
import type { Stage } from "./stage.ts";

/** What the Wavy API needs of the rest. */
export interface WavyProps {
  readonly stage: Stage;
  readonly api: HttpApi;
  readonly messages: Messages;
  readonly directory: Directory;
  readonly rateLimits: RateLimits;
  readonly dispatch: Dispatch;
  readonly bulk: Bulk;
}

/** The Wavy/Sinch API under `/v1`. */
export class Wavy extends Construct {
  constructor(scope: Construct, id: string, props: WavyProps) {
    super(scope, id);
    const fn = new TorpedoFunction(this, "Function", {
      stage: props.stage,
      capability: "wavy",
      description: "The Wavy/Sinch SMS API",
      env,
      environment: { STATUS_RETENTION_HOURS: String(props.stage.statusRetentionHours) },
      timeout: Duration.seconds(29),
    });
    props.messages.grantServe(fn);
    props.messages.grantFindCorrelated(fn);
    props.messages.grantTakeChanged(fn);
    props.directory.grantFindUsers(fn);
    props.directory.grantFindContents(fn);
    props.directory.grantFindBlocked(fn);
    props.directory.grantCountUsage(fn);
    props.rateLimits.grantCount(fn);
    props.dispatch.grantEnqueue(fn, "singles");
    props.bulk.grantHandOn(fn);
    props.api.addDialect(fn, "/v1");
  }
}
