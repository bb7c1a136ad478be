import { type Duration, RemovalPolicy } from "aws-cdk-lib";
import { PolicyDocument, PolicyStatement, Role, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import {
  Architecture,
  Code,
  Function as LambdaFunction,
  LoggingFormat,
  RecursiveLoop,
  Runtime,
  SystemLogLevel,
} from "aws-cdk-lib/aws-lambda";
import { LogGroup, type RetentionDays } from "aws-cdk-lib/aws-logs";
import type { Construct } from "constructs";
import type * as z from "zod";
import type { Stage } from "../stage.ts";

/** Where the build leaves the bundle of each capability. */
const BUNDLES = "dist";

/** The environment of a function, as strings; the schema is the one that the function reads it with. */
type EnvironmentOf<S extends z.ZodObject> = { [Name in keyof z.input<S> & string]?: string };

/** A function of which a grant may set these variables. */
export interface TakesEnvironment<Name extends string> extends LambdaFunction {
  provide(environment: Record<Name, string>): void;
}

/** What distinguishes one function from another. */
export interface TorpedoFunctionProps<S extends z.ZodObject> {
  readonly stage: Stage;
  /** The folder in `functions/`. */
  readonly capability: string;
  /** The schema of its environment; synthesis fails where a variable it requires was not provided. */
  readonly env: S;
  readonly environment?: EnvironmentOf<S>;
  readonly timeout: Duration;
  readonly description: string;
  /**
   * Whether it puts messages on its own queue, to try again later. Lambda takes such for a loop by
   * mistake and cuts it off after some sixteen rounds unless told not to.
   */
  readonly feedsItself?: boolean;
}

/** A Lambda function with the defaults of all of ours. It may do nothing until a construct grants it. */
export class TorpedoFunction<S extends z.ZodObject> extends LambdaFunction {
  declare readonly timeout: Duration;
  readonly #schema: S;
  readonly #provided = new Set<string>();

  constructor(scope: Construct, id: string, props: TorpedoFunctionProps<S>) {
    const { stage, capability, timeout, description } = props;
    const logGroup = new LogGroup(scope, `${id}Logs`, {
      retention: stage.logRetentionDays as RetentionDays,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    super(scope, id, {
      description,
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      handler: "index.handler",
      code: Code.fromAsset(`${BUNDLES}/${capability}`, { exclude: ["*.map"] }),
      memorySize: 512,
      timeout,
      logGroup,
      loggingFormat: LoggingFormat.JSON,
      systemLogLevelV2: SystemLogLevel.WARN,
      role: new Role(scope, `${id}Role`, {
        assumedBy: new ServicePrincipal("lambda.amazonaws.com"),
        description: `What ${capability} may do`,
        inlinePolicies: {
          logs: new PolicyDocument({
            statements: [
              new PolicyStatement({
                actions: ["logs:CreateLogStream", "logs:PutLogEvents"],
                resources: [logGroup.logGroupArn],
              }),
            ],
          }),
        },
      }),
      ...(props.feedsItself && { recursiveLoop: RecursiveLoop.ALLOW }),
    });
    this.#schema = props.env;
    if (props.environment) this.provide(props.environment);
    this.node.addValidation({ validate: () => this.#missing() });
  }

  /**
   * Sets variables of the function's environment.
   * @throws Error for a variable that the function does not read
   */
  provide(environment: EnvironmentOf<S>): void {
    for (const [name, value] of Object.entries<string | undefined>(environment)) {
      if (!(name in this.#schema.shape)) throw new Error(`${this.node.path} does not read ${name}`);
      if (value === undefined) continue;
      this.addEnvironment(name, value);
      this.#provided.add(name);
    }
  }

  #missing(): string[] {
    return Object.entries(this.#schema.shape)
      .filter(
        ([name, variable]) => !this.#provided.has(name) && !variable.safeParse(undefined).success,
      )
      .map(([name]) => `nothing provides ${name}`);
  }
}
