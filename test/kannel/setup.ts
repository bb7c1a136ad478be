import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CreateSecretCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import type { TestProject } from "vitest/node";
import { deployStack } from "../../bin/local/deploy.ts";
import { startEmulator } from "../../bin/local/emulator.ts";
import { localAws } from "../../bin/local/local-aws.ts";
import { LOCAL_DIRECTORY } from "../../bin/local/project.ts";
import type {} from "../integration/setup.ts";
import { bundleCommandLine } from "../integration/support/bundled-command-line.ts";
import { freeKannelPorts, type KannelPorts, sendsmsUrl, whyNoKannel } from "./kannel.ts";

declare module "vitest" {
  export interface ProvidedContext {
    /** Where the stack's Kannel is to listen. */
    kannelPorts: KannelPorts;
    /** The ARN of the secret that the stack reads, whose value is yet to be told. */
    kannelSecret: string;
  }
}

/**
 * Deploys the stack, with a Kannel for its carrier, to an emulator of its own; the Kannel is the
 * tests' to start. Does nothing where there is none.
 */
export default async function setup(project: TestProject): Promise<(() => Promise<void>) | void> {
  const why = whyNoKannel();
  if (why) {
    console.warn(`The tests with Kannel are skipped: ${why}`);
    return;
  }
  const directory = await mkdtemp(join(tmpdir(), "torpedo-kannel-stack-"));
  const emulator = await startEmulator({
    localDirectory: LOCAL_DIRECTORY,
    logFile: join(directory, "emulator.log"),
  });
  const tearDown = async () => {
    await emulator.stop();
    await rm(directory, { recursive: true, force: true });
  };
  try {
    await bundleCommandLine();
    const { endpointUrl } = emulator;
    const secrets = new SecretsManagerClient(localAws(endpointUrl));
    const { ARN: secret = "" } = await secrets.send(
      new CreateSecretCommand({ Name: "kannel", SecretString: "{}" }),
    );
    const ports = await freeKannelPorts();
    const { stage, aws, apiUrl, outputs } = await deployStack({
      endpointUrl,
      stage: "local",
      workDirectory: directory,
      logFile: join(directory, "cdk.log"),
      overlay: {
        carriers: { kannel: { kind: "kannel", url: sendsmsUrl(ports), secret } },
        routes: [{ carrier: "kannel" }],
      },
    });
    const deployed = { endpointUrl: aws.endpoint, region: aws.region, stage, apiUrl, outputs };
    project.provide("deployedStack", deployed);
    project.provide("kannelPorts", ports);
    project.provide("kannelSecret", secret);
    return tearDown;
  } catch (error) {
    await tearDown();
    throw error;
  }
}
