import { existsSync, readFileSync } from "node:fs";
import { CloudFormationClient, DescribeStacksCommand } from "@aws-sdk/client-cloudformation";
import * as z from "zod";
import { offersSchema } from "../functions/core/carrier-offers.ts";

// Node 20 is supported here for as long as the SDK supports it; its reminder would garble what commands print.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= "true";

/** Where `npm start` writes down what it runs. */
const LOCAL_ENVIRONMENT_FILE = ".local/environment.json";

/** What any emulator takes for credentials. */
export const EMULATOR_CREDENTIALS = {
  accessKeyId: "test",
  secretAccessKey: "test",
};

/** The outputs of the deployed stack. */
export const stackOutputsSchema = z.object({
  ApiUrl: z.string(),
  ApiId: z.string(),
  DirectoryTableName: z.string(),
  MessagesTableName: z.string(),
  EventBusName: z.string(),
  DispatchQueueUrl: z.string(),
  BulkDispatchQueueUrl: z.string(),
  BatchQueueUrl: z.string(),
  CarrierEventsQueueUrl: z.string(),
  CallbackQueueUrl: z.string(),
  CallbackDeadLetterQueueUrl: z.string(),
  CallbackDeliveriesQueueUrl: z.string(),
  CallbackRetryQueueUrl: z.string(),
  CallbacksTableName: z.string(),
  /** For how long it is known what endpoints were told. */
  CallbackRetentionHours: z.coerce.number().positive(),
  /** What the URLs of endpoints may begin with, separated by commas. */
  EndpointProtocols: z.string().transform((list) => list.split(",")),
  /** Whether they may be on this machine. */
  EndpointLoopback: z.enum(["true", "false"]).transform((value) => value === "true"),
  /** How the carriers fare, and the operators of phones. */
  CarriersTableName: z.string().optional(),
  /** The stage's carriers, and from whom each lets messages come. */
  CarrierOffers: offersSchema.optional(),
  /** Where the stage hands over to the sandbox carrier. */
  SandboxOutboxTableName: z.string().optional(),
});
export type StackOutputs = z.output<typeof stackOutputsSchema>;

const localEnvironmentSchema = z.object({
  endpointUrl: z.url(),
  region: z.string(),
  stage: z.string(),
});

/** Which AWS or emulator to talk to, as the SDK's clients take it, and which stage in it. */
export interface AwsTarget {
  readonly stage: string;
  /** Given to every client; empty where the SDK finds out by itself. */
  readonly clientConfig: {
    readonly endpoint?: string;
    readonly region?: string;
    readonly credentials?: typeof EMULATOR_CREDENTIALS;
  };
  /** Whether this is the local run and not what the environment named. */
  readonly isLocalRun: boolean;
}

/** Nothing to talk to, or nothing deployed there; the message says what to do. */
export class NoTargetError extends Error {
  override readonly name = "NoTargetError";
}

const AWS_VARIABLES = ["AWS_ENDPOINT_URL", "AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_ROLE_ARN"];

/**
 * What the environment points at: an emulator by `AWS_ENDPOINT_URL`, or AWS by a profile or
 * credentials; where it names neither, and no other stage was asked for, the local run.
 *
 * @param stage the stage asked for, if any; else `TORPEDO_STAGE`, else `local` for the local run
 *   and `dev` for anything else
 */
export function resolveTarget(
  stage: string | undefined,
  environment: NodeJS.ProcessEnv = process.env,
): AwsTarget {
  const asked = stage ?? environment.TORPEDO_STAGE;
  const pointed = AWS_VARIABLES.some((name) => environment[name]);
  if (!pointed && (asked ?? "local") === "local" && existsSync(LOCAL_ENVIRONMENT_FILE)) {
    const local = localEnvironmentSchema.parse(
      JSON.parse(readFileSync(LOCAL_ENVIRONMENT_FILE, "utf8")),
    );
    return {
      stage: local.stage,
      isLocalRun: true,
      clientConfig: {
        endpoint: local.endpointUrl,
        region: local.region,
        credentials: EMULATOR_CREDENTIALS,
      },
    };
  }
  const onEmulator = environment.AWS_ENDPOINT_URL !== undefined;
  return {
    stage: asked ?? (onEmulator ? "local" : "dev"),
    isLocalRun: false,
    clientConfig: {
      ...(onEmulator && !environment.AWS_REGION && !environment.AWS_DEFAULT_REGION
        ? { region: "us-east-1" }
        : {}),
      ...(onEmulator && !environment.AWS_ACCESS_KEY_ID && !environment.AWS_PROFILE
        ? { credentials: EMULATOR_CREDENTIALS }
        : {}),
    },
  };
}

/**
 * The outputs of the stage's stack.
 * @throws NoTargetError where nothing answers or the stage is not deployed there
 */
export async function readStackOutputs(target: AwsTarget): Promise<StackOutputs> {
  const stackName = `torpedo-${target.stage}`;
  try {
    const { Stacks } = await new CloudFormationClient(target.clientConfig).send(
      new DescribeStacksCommand({ StackName: stackName }),
    );
    const outputs = Stacks?.[0]?.Outputs ?? [];
    return stackOutputsSchema.parse(
      Object.fromEntries(outputs.map(({ OutputKey, OutputValue }) => [OutputKey, OutputValue])),
    );
  } catch (error) {
    const cause = error instanceof Error ? error.message || error.name : String(error);
    const advice = target.isLocalRun
      ? "Is the local run up? `npm start` starts it."
      : "Point AWS_PROFILE or AWS_ENDPOINT_URL at where it is deployed, or name another --stage.";
    throw new NoTargetError(`The stack ${stackName} cannot be read (${cause}). ${advice}`);
  }
}
