import { App, Tags, Validations } from "aws-cdk-lib";
import { AwsSolutionsChecks } from "cdk-nag";
import { ObservabilityStack } from "../lib/observability-stack.ts";
import { resolveStage, type Stage, StageConfigurationError } from "../lib/stage.ts";
import { TorpedoStack } from "../lib/torpedo-stack.ts";

const app = new App();
const stage = stageOfContext();
const env = {
  ...(process.env.CDK_DEFAULT_ACCOUNT && { account: process.env.CDK_DEFAULT_ACCOUNT }),
  ...(process.env.CDK_DEFAULT_REGION && { region: process.env.CDK_DEFAULT_REGION }),
};

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
Validations.of(app).addPlugins(new AwsSolutionsChecks(app));

function stageOfContext(): Stage {
  try {
    return resolveStage(app.node.tryGetContext("stage") ?? "dev", app.node.tryGetContext("stages"));
  } catch (error) {
    if (!(error instanceof StageConfigurationError)) throw error;
    console.error(error.message);
    process.exit(1);
  }
}
