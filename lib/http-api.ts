import { RemovalPolicy, Validations } from "aws-cdk-lib";
import { AccessLogFormat } from "aws-cdk-lib/aws-apigateway";
import {
  HttpApi as Api,
  HttpMethod,
  HttpStage,
  LogGroupLogDestination,
} from "aws-cdk-lib/aws-apigatewayv2";
import { HttpLambdaIntegration } from "aws-cdk-lib/aws-apigatewayv2-integrations";
import type { Function as LambdaFunction } from "aws-cdk-lib/aws-lambda";
import { LogGroup, type RetentionDays } from "aws-cdk-lib/aws-logs";
import { Construct } from "constructs";
import type { Stage } from "./stage.ts";

/** The HTTP API that client applications call. */
export class HttpApi extends Construct {
  readonly api: Api;
  readonly #integrations = new Map<LambdaFunction, HttpLambdaIntegration>();

  constructor(scope: Construct, id: string, { stage }: { stage: Stage }) {
    super(scope, id);
    this.api = new Api(this, "Api", {
      apiName: `torpedo-${stage.name}`,
      description: "The SMS APIs that client applications speak",
      createDefaultStage: false,
    });
    const accessLogs = new LogGroup(this, "AccessLogs", {
      retention: stage.logRetentionDays as RetentionDays,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    new HttpStage(this, "Stage", {
      httpApi: this.api,
      stageName: "$default",
      autoDeploy: true,
      throttle: stage.throttle,
      accessLogSettings: {
        destination: new LogGroupLogDestination(accessLogs),
        // The route, not the path and its query: those can hold numbers and texts.
        format: AccessLogFormat.custom(
          JSON.stringify({
            requestId: "$context.requestId",
            at: "$context.requestTimeEpoch",
            sourceIp: "$context.identity.sourceIp",
            route: "$context.routeKey",
            status: "$context.status",
            ms: "$context.responseLatency",
            error: "$context.integrationErrorMessage",
          }),
        ),
      },
    });
  }

  /**
   * Sends everything under some paths, and the paths themselves, to the function of a dialect.
   * @param prefixes with a slash in front and none behind, such as `/api`
   */
  addDialect(fn: LambdaFunction, ...prefixes: string[]): void {
    this.#addRoutes(
      fn,
      [HttpMethod.ANY],
      prefixes.flatMap((prefix) => [prefix, `${prefix}/{proxy+}`]),
      "The function authenticates: each dialect words a refusal in its own envelope.",
    );
  }

  /** Has a function take what carriers report at some paths: in the query of a GET, or in a body. */
  addReports(fn: LambdaFunction, ...paths: string[]): void {
    this.#addRoutes(
      fn,
      [HttpMethod.GET, HttpMethod.POST],
      paths,
      "The function authenticates: each carrier has a secret of its own.",
    );
  }

  /** Has a function show something to everybody who gets a path. */
  addPublicPage(fn: LambdaFunction, path: string): void {
    this.#addRoutes(fn, [HttpMethod.GET], [path], "It is there to be read without credentials.");
  }

  #addRoutes(fn: LambdaFunction, methods: HttpMethod[], paths: string[], whyOpen: string): void {
    const integration =
      this.#integrations.get(fn) ?? new HttpLambdaIntegration(`${fn.node.id}Integration`, fn);
    this.#integrations.set(fn, integration);
    for (const path of paths) {
      for (const route of this.api.addRoutes({ path, methods, integration })) {
        Validations.of(route).acknowledge({ id: "AwsSolutions-APIG4", reason: whyOpen });
      }
    }
  }
}
