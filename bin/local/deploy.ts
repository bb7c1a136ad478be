import { mkdir, readFile, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import {
  CloudFormationClient,
  CloudFormationServiceException,
  DescribeStacksCommand,
} from "@aws-sdk/client-cloudformation";
import {
  DescribeTableCommand,
  DynamoDBClient,
  ListTagsOfResourceCommand,
  TagResourceCommand,
} from "@aws-sdk/client-dynamodb";
import * as z from "zod";
import { readStackOutputs, type StackOutputs, stackOutputsSchema } from "../aws-target.ts";
import { enableTimeToLive, ministackApiUrl } from "../ministack-quirks.ts";
import { isMiniStack } from "./emulator.ts";
import { Fault, tail } from "./fault.ts";
import { fingerprintOf } from "./fingerprint.ts";
import { type AwsConnection, environmentFor, LOCAL_ACCOUNT_ID, localAws } from "./local-aws.ts";
import { CommandFailure, runCommand } from "./processes.ts";
import { PROJECT_DIRECTORY } from "./project.ts";

/** A deployed stack and where to reach it. */
export interface Deployment {
  readonly stage: string;
  readonly stackName: string;
  readonly aws: AwsConnection;
  /** Where clients send to, without a slash at its end. */
  readonly apiUrl: string;
  readonly outputs: StackOutputs;
}

export interface DeployOptions {
  /** The emulator's, such as `http://127.0.0.1:4566`. */
  readonly endpointUrl: string;
  readonly stage: string;
  /** For what the CDK leaves behind (its cloud assembly, the outputs). One per deployment at a time. */
  readonly workDirectory: string;
  /** Gets what the CDK CLI says, instead of what is in it. */
  readonly logFile: string;
  /** Whether to leave alone what was deployed from the very same sources before. */
  readonly skipUnchanged?: boolean;
  /** What the stage is besides what it is anyway, as in cdk.json. */
  readonly overlay?: Readonly<Record<string, unknown>>;
  readonly signal?: AbortSignal | undefined;
  /** Told how far it is. */
  readonly onProgress?: ((detail: string) => void) | undefined;
}

/**
 * Deploys the stack into an emulator with the CDK CLI, as it is deployed into AWS, and puts right
 * what MiniStack does differently.
 *
 * @throws Fault where the CDK CLI fails, with the last lines that it said
 * @throws the signal's reason where that aborts
 */
export async function deployStack(options: DeployOptions): Promise<Deployment> {
  const { endpointUrl, stage, workDirectory, logFile, signal, onProgress } = options;
  const aws = localAws(endpointUrl);
  const stackName = `torpedo-${stage}`;
  const outputsFile = join(workDirectory, "outputs.json");
  await mkdir(workDirectory, { recursive: true });
  await rm(outputsFile, { force: true });
  await mkdir(dirname(logFile), { recursive: true });
  await rm(logFile, { force: true });

  const overlay = JSON.stringify({ [stage]: options.overlay });
  const context = [`stage=${stage}`, ...(options.overlay ? [`stages=${overlay}`] : [])].flatMap(
    (value) => ["--context", value],
  );
  const cdk = async (command: string, ...args: string[]) => {
    const onLine = (line: string) => {
      const [, done, all] = / (\d+)\/(\d+) \|/.exec(line) ?? [];
      if (done && all && Number(done) <= Number(all)) onProgress?.(`${done} of ${all} resources`);
    };
    try {
      await runCommand(
        join(PROJECT_DIRECTORY, "node_modules", ".bin", "cdk"),
        [command, ...args, ...context, "--no-color", "--no-notices"],
        {
          directory: PROJECT_DIRECTORY,
          environment: {
            ...environmentFor(aws, process.env),
            CDK_DISABLE_CLI_TELEMETRY: "true",
            // On the standard output what is no error, and no question asked.
            CI: "true",
          },
          logFile,
          signal,
          onLine,
        },
      );
    } catch (error) {
      if (!(error instanceof CommandFailure)) throw error;
      throw new Fault(
        `The stack could not be deployed: \`cdk ${command}\` failed.`,
        `All that it said is in ${logFile}. If the kept state is to blame, start with an empty one: \`npm start -- --fresh\`.`,
        { cause: error, detail: tail(error.output, 12) },
      );
    }
  };

  const finish = async (outputs: StackOutputs): Promise<Deployment> => {
    const ministack = await isMiniStack(endpointUrl);
    if (ministack) await enableTimeToLive(aws, stackName);
    const apiUrl = ministack
      ? ministackApiUrl(endpointUrl, outputs.ApiId)
      : `${endpointUrl}/_aws/execute-api/${outputs.ApiId}/%24default`;
    return { stage, stackName, aws, apiUrl, outputs };
  };

  const fingerprint = await fingerprintOf(PROJECT_DIRECTORY);
  const deployed = await readDeployed(aws, stage);
  if (options.skipUnchanged && deployed?.fingerprint === fingerprint) {
    return finish(deployed.outputs);
  }
  // A deployment that breaks off leaves a stack that is of neither sources.
  if (deployed) await recordFingerprint("", aws, deployed.outputs);
  if (!(await isBootstrapped(aws))) {
    onProgress?.("preparing the account (cdk bootstrap)");
    await cdk("bootstrap", `aws://${LOCAL_ACCOUNT_ID}/${aws.region}`);
  }
  onProgress?.("building and synthesizing");
  await cdk(
    "deploy",
    "--all",
    "--require-approval=never",
    "--progress=events",
    `--output=${join(workDirectory, "cdk.out")}`,
    `--outputs-file=${outputsFile}`,
  );
  const deployment = await finish(await readOutputs(outputsFile, stackName));
  await recordFingerprint(fingerprint, aws, deployment.outputs);
  return deployment;
}

/** Kept with the emulator's own state, so that it can say of no other state than this one. */
const FINGERPRINT_TAG = "torpedo:fingerprint";

async function recordFingerprint(Value: string, aws: AwsConnection, outputs: StackOutputs) {
  const dynamodb = new DynamoDBClient(aws);
  const ResourceArn = await directoryArn(dynamodb, outputs);
  await dynamodb.send(
    new TagResourceCommand({ ResourceArn, Tags: [{ Key: FINGERPRINT_TAG, Value }] }),
  );
}

/** What is deployed, and the fingerprint of its sources; undefined where nothing is. */
async function readDeployed(
  aws: AwsConnection,
  stage: string,
): Promise<{ outputs: StackOutputs; fingerprint: string | undefined } | undefined> {
  try {
    const target = { stage, isLocalRun: true, clientConfig: { ...aws } };
    const outputs = await readStackOutputs(target);
    const dynamodb = new DynamoDBClient(aws);
    const ResourceArn = await directoryArn(dynamodb, outputs);
    const { Tags } = await dynamodb.send(new ListTagsOfResourceCommand({ ResourceArn }));
    return { outputs, fingerprint: Tags?.find(({ Key }) => Key === FINGERPRINT_TAG)?.Value };
  } catch {
    // Whatever it is, deploying finds out, and mends it or tells of it.
    return undefined;
  }
}

async function directoryArn(dynamodb: DynamoDBClient, { DirectoryTableName }: StackOutputs) {
  const { Table } = await dynamodb.send(
    new DescribeTableCommand({ TableName: DirectoryTableName }),
  );
  return Table?.TableArn;
}

async function readOutputs(file: string, stackName: string): Promise<StackOutputs> {
  const outputs: unknown = JSON.parse(await readFile(file, "utf8"));
  const parsed = z.object({ [stackName]: stackOutputsSchema }).safeParse(outputs);
  const ours = parsed.data?.[stackName];
  if (ours) return ours;
  throw new Fault(
    `The stack ${stackName} has been deployed, but its outputs are not the expected ones.`,
    "Compare the outputs in lib/ with `stackOutputsSchema` in bin/aws-target.ts.",
    { detail: parsed.error ? z.prettifyError(parsed.error) : "" },
  );
}

/** Whether `cdk bootstrap` has succeeded in this account. */
async function isBootstrapped(aws: AwsConnection): Promise<boolean> {
  try {
    const { Stacks } = await new CloudFormationClient(aws).send(
      new DescribeStacksCommand({ StackName: "CDKToolkit" }),
    );
    return Stacks?.some((it) => /^(CREATE|UPDATE)_COMPLETE$/.test(it.StackStatus ?? "")) ?? false;
  } catch (error) {
    // CloudFormation's way to say that there is no such stack.
    if (error instanceof CloudFormationServiceException && error.name === "ValidationError") {
      return false;
    }
    throw error;
  }
}
