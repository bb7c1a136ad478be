import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import type { StackOutputs } from "../../bin/aws-target.ts";
import { deployStack } from "../../bin/local/deploy.ts";
import { startEmulator } from "../../bin/local/emulator.ts";
import { LOCAL_DIRECTORY } from "../../bin/local/project.ts";
import { bundleCommandLine } from "./support/bundled-command-line.ts";

/** What the integration tests are run against. */
export interface DeployedStack {
  readonly endpointUrl: string;
  readonly region: string;
  readonly stage: string;
  readonly apiUrl: string;
  readonly outputs: StackOutputs;
}

declare module "vitest" {
  export interface ProvidedContext {
    deployedStack: DeployedStack;
  }
}

/**
 * Deploys the stack, once for all integration tests, to the emulator that `AWS_ENDPOINT_URL`
 * names, or to one of their own where it names none.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const directory = await mkdtemp(join(tmpdir(), "torpedo-test-"));
  const named = process.env.AWS_ENDPOINT_URL;
  const emulator = named
    ? undefined
    : await startEmulator({
        localDirectory: LOCAL_DIRECTORY,
        logFile: join(directory, "emulator.log"),
      });
  const tearDown = async () => {
    await emulator?.stop();
    await rm(directory, { recursive: true, force: true });
  };
  try {
    await bundleCommandLine();
    const { stage, aws, apiUrl, outputs } = await deployStack({
      endpointUrl: named ?? emulator?.endpointUrl ?? "",
      stage: "local",
      workDirectory: directory,
      logFile: join(directory, "cdk.log"),
    });
    const deployed = { endpointUrl: aws.endpoint, region: aws.region, stage, apiUrl, outputs };
    project.provide("deployedStack", deployed);
    return tearDown;
  } catch (error) {
    await tearDown();
    throw error;
  }
}
