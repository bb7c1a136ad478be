import { App, Tags, Validations } from "aws-cdk-lib";
import { AwsSolutionsChecks } from "cdk-nag";
import { ObservabilityStack } from "../lib/observability-stack.ts";
import { resolveStage, type Stage, StageConfigurationError } from "../lib/stage.ts";
import { TorpedoStack } from "../lib/torpedo-stack.ts";

const app = new App();
const env = {
  ...(process.env.CDK_DEFAULT_ACCOUNT && { account: process.env.CDK_DEFAULT_ACCOUNT }),
  ...(process.env.CDK_DEFAULT_REGION && { region: process.env.CDK_DEFAULT_REGION }),
};

try {
  addStacks(resolveStage(app.node.tryGetContext("stage") ?? "dev", stagesOfContext()));
} catch (error) {
  if (!(error instanceof StageConfigurationError)) throw error;
  console.error(error.message);
  process.exit(1);
}
Validations.of(app).addPlugins(new AwsSolutionsChecks(app));

function addStacks(stage: Stage): void {
  new TorpedoStack(app, "Torpedo", {
    stackName: `torpedo-${stage.name}`,
    description: "Torpedo: an SMS gateway",
    env,
    stage,
  });
  if (stage.observability) {
    new ObservabilityStack(app, "TorpedoObservability", {
      stackName: `torpedo-${stage.name}-observability`,
      description: "Torpedo: dashboard, saved queries, alarms over several metrics",
      env,
      stage,
    });
  }
  Tags.of(app).add("torpedo:stage", stage.name);
}

/** An object in cdk.json; JSON where it is given on the command line. */
function stagesOfContext(): unknown {
  const stages: unknown = app.node.tryGetContext("stages");
  if (typeof stages !== "string") return stages;
  try {
    return JSON.parse(stages);
  } catch {
    throw new StageConfigurationError("stages: expected JSON");
  }
}
