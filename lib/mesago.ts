import { Duration } from "aws-cdk-lib";
import { Construct } from "constructs";
import { env } from "../functions/mesago/env.ts";
import type { Bulk } from "./bulk.ts";
import type { Directory } from "./directory.ts";
import type { Dispatch } from "./dispatch.ts";
import type { HttpApi } from "./http-api.ts";
import type { Messages } from "./messages.ts";
import { TorpedoFunction } from "./shared/torpedo-function.ts";
import type { Stage } from "./stage.ts";

/** What the Mesago API needs of the rest. */
export interface MesagoProps {
  readonly stage: Stage;
  readonly api: HttpApi;
  readonly messages: Messages;
  readonly directory: Directory;
  readonly dispatch: Dispatch;
  readonly bulk: Bulk;
}

/** The Mesago API under `/api`, and the Zenvia-classic API that it descends from under `/services`. */
export class Mesago extends Construct {
  constructor(scope: Construct, id: string, props: MesagoProps) {
    super(scope, id);
    const fn = new TorpedoFunction(this, "Function", {
      stage: props.stage,
      capability: "mesago",
      description: "The Mesago SMS API and its Zenvia-classic ancestor",
      env,
      environment: { STATUS_RETENTION_HOURS: String(props.stage.statusRetentionHours) },
      timeout: Duration.seconds(29),
    });
    props.messages.grantServe(fn);
    props.directory.grantFindAccount(fn);
    props.directory.grantFindBlocked(fn);
    props.directory.grantCountUsage(fn);
    props.dispatch.grantEnqueue(fn, "singles");
    props.dispatch.grantUnschedule(fn);
    props.bulk.grantHandOn(fn);
    props.api.addDialect(fn, "/api", "/services");
  }
}
