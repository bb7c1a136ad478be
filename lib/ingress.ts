import { Duration } from "aws-cdk-lib";
import { Construct } from "constructs";
import { env } from "../functions/ingress/env.ts";
import type { CarrierEvents } from "./carrier-events.ts";
import type { Directory } from "./directory.ts";
import type { HttpApi } from "./http-api.ts";
import { TorpedoFunction } from "./shared/torpedo-function.ts";
import type { Stage } from "./stage.ts";

/** The function refuses after four seconds what is not in the queue by then; the rest is for its cold start. */
const TIMEOUT = Duration.seconds(10);

/** What ingress needs of the rest. */
export interface IngressProps {
  readonly stage: Stage;
  readonly api: HttpApi;
  readonly directory: Directory;
  readonly carrierEvents: CarrierEvents;
}

/** Where carriers report receipts and MOs over HTTP. */
export class Ingress extends Construct {
  constructor(scope: Construct, id: string, props: IngressProps) {
    super(scope, id);
    const fn = new TorpedoFunction(this, "Function", {
      stage: props.stage,
      capability: "ingress",
      description: "Takes receipts and MOs from carriers that report over HTTP",
      env,
      timeout: TIMEOUT,
    });
    props.directory.grantFindCarriers(fn);
    fn.provide(props.carrierEvents.grantReport(fn));
    props.api.addReports(fn, "/carriers/{carrier}/dlr", "/carriers/{carrier}/mo");
  }
}
