import { mkdir, readFile, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import {
  CloudFormationClient,
  CloudFormationServiceException,
  DescribeStacksCommand,
} from "@aws-sdk/client-cloudformation";
import * as z from "zod";
import { type StackOutputs, stackOutputsSchema } from "../aws-target.ts";
import { enableTimeToLive, ministackApiUrl } from "../ministack-quirks.ts";
import { isMiniStack } from "./emulator.ts";
import { Fault, tail } from "./fault.ts";
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
  /** Holds `cdk.json`; the project itself where not given. */
  readonly appDirectory?: string;
  readonly signal?: AbortSignal | undefined;
  /** Told how far it is. */
  readonly onProgress?: ((detail: string) => void) | undefined;
}

/**
 * Deploys the stack into an emulator with the CDK CLI, as it is deployed into AWS, and puts right
 * what MiniStack does differently. Deploying what is deployed already only costs the synthesis.
 *
 * @throws Fault where the CDK CLI fails, with the last lines that it said
 * @throws the signal's reason where that aborts
 */
export async function deployStack(options: DeployOptions): Promise<Deployment> {
  const { endpointUrl, stage, workDirectory, logFile, signal, onProgress } = options;
  const appDirectory = options.appDirectory ?? PROJECT_DIRECTORY;
  const aws = localAws(endpointUrl);
  const stackName = `torpedo-${stage}`;
  const outputsFile = join(workDirectory, "outputs.json");
  await mkdir(workDirectory, { recursive: true });
  await rm(outputsFile, { force: true });
  await mkdir(dirname(logFile), { recursive: true });
  await rm(logFile, { force: true });

  const cdk = async (command: string, ...args: string[]) => {
    const onLine = (line: string) => {
      const [, done, all] = / (\d+)\/(\d+) \|/.exec(line) ?? [];
      if (done && all && Number(done) <= Number(all)) onProgress?.(`${done} of ${all} resources`);
    };
    try {
      await runCommand(
        join(PROJECT_DIRECTORY, "node_modules", ".bin", "cdk"),
        [command, ...args, "--context", `stage=${stage}`, "--no-color", "--no-notices"],
        {
          directory: appDirectory,
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
  const outputs = await readOutputs(outputsFile, stackName);
  const ministack = await isMiniStack(endpointUrl);
  if (ministack) await enableTimeToLive(aws, stackName);
  const apiUrl = ministack
    ? ministackApiUrl(endpointUrl, outputs.ApiId)
    : `${endpointUrl}/_aws/execute-api/${outputs.ApiId}/%24default`;
  return { stage, stackName, aws, apiUrl, outputs };
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
