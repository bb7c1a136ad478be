import { Duration } from "aws-cdk-lib";
import { Construct } from "constructs";
import { env } from "../functions/admin/env.ts";
import type { Callback } from "./callback.ts";
import type { CallbacksTable } from "./callbacks-table.ts";
import type { Directory } from "./directory.ts";
import type { HttpApi } from "./http-api.ts";
import { TorpedoFunction } from "./shared/torpedo-function.ts";
import type { Stage } from "./stage.ts";

/** What the admin API needs of the rest. */
export interface AdminProps {
  readonly stage: Stage;
  readonly api: HttpApi;
  readonly directory: Directory;
  readonly callbacks: CallbacksTable;
  readonly callback: Callback;
}

/** The admin API under `/admin`, and the OpenAPI document of all APIs. */
export class Admin extends Construct {
  constructor(scope: Construct, id: string, props: AdminProps) {
    super(scope, id);
    const fn = new TorpedoFunction(this, "Function", {
      stage: props.stage,
      capability: "admin",
      description: "What administrators manage themselves, and the OpenAPI document",
      env,
      environment: {
        ENDPOINT_PROTOCOLS: props.stage.callbacks.allowHttp ? "https,http" : "https",
        ALLOW_LOOPBACK_ENDPOINTS: String(props.stage.callbacks.allowLoopback),
      },
      timeout: Duration.seconds(29),
    });
    props.directory.grantAdminister(fn);
    props.callbacks.grantAdminister(fn);
    props.callback.grantPutOnTheirWay(fn);
    props.api.addDialect(fn, "/admin");
    props.api.addPublicPage(fn, "/openapi.json");
  }
}
