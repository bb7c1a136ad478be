import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { App, Tags, Validations } from "aws-cdk-lib";
import { AwsSolutionsChecks } from "cdk-nag";
import { ObservabilityStack } from "../../lib/observability-stack.ts";
import { resolveStage, type Stage } from "../../lib/stage.ts";
import { TorpedoStack } from "../../lib/torpedo-stack.ts";

/** A resource of a template. */
export interface Resource {
  readonly Type: string;
  readonly Properties: Readonly<Record<string, unknown>>;
  readonly [attribute: string]: unknown;
}

/** A CloudFormation template, as far as tests look into it. */
export interface Template {
  readonly Resources: Readonly<Record<string, Resource>>;
  readonly Outputs?: Readonly<Record<string, { readonly Value: unknown }>>;
}

/** A stage as it would be deployed. */
export interface Synthesis {
  readonly stage: Stage;
  /** The gateway's template. */
  readonly torpedo: Template;
  /** By file name, as `cdk synth` would write them. */
  readonly templates: Readonly<Record<string, Template>>;
  /** What the validation plugins (cdk-nag, CloudFormation's own rules) have to say. */
  readonly validationReports: readonly unknown[];
  /** The files of each function's deployment package. */
  readonly packages: readonly (readonly string[])[];
}

const { context } = JSON.parse(readFileSync("cdk.json", "utf8")) as {
  context: Record<string, unknown>;
};

/**
 * The app of `bin/torpedo.ts` for a stage; `app.test.ts` holds the two together.
 * @throws StageConfigurationError
 */
export function createApp(stageName: string, overlays?: object) {
  assertBuilt();
  const stage = resolveStage(stageName, overlays);
  const outdir = mkdtempSync(join(tmpdir(), "torpedo-synth-"));
  try {
    return { outdir, stage, ...createStacks(stage, outdir) };
  } catch (error) {
    rmSync(outdir, { recursive: true, force: true });
    throw error;
  }
}

function createStacks(stage: Stage, outdir: string) {
  const app = new App({ context, outdir });
  const torpedo = new TorpedoStack(app, "Torpedo", {
    stackName: `torpedo-${stage.name}`,
    description: "Torpedo: an SMS gateway",
    stage,
  });
  if (stage.observability) {
    new ObservabilityStack(app, "TorpedoObservability", {
      stackName: `torpedo-${stage.name}-observability`,
      description: "Torpedo: dashboard, saved queries, alarms over several metrics",
      stage,
    });
  }
  Tags.of(app).add("torpedo:stage", stage.name);
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
  return { app, torpedo };
}

const synthesised = new Map<string, Synthesis>();

/**
 * Synthesises a stage, once however often it is asked for.
 * @param overlays what the context's `stages` would hold
 * @throws Error that holds the whole report where a validation plugin reports an error
 */
export function synthesise(stageName: string, overlays: object = {}): Synthesis {
  const key = JSON.stringify([stageName, overlays]);
  const known = synthesised.get(key);
  if (known) return known;
  const { app, outdir, stage } = createApp(stageName, overlays);
  try {
    app.synth();
    const synthesis = { stage, ...readAssembly(outdir) };
    synthesised.set(key, synthesis);
    return synthesis;
  } finally {
    rmSync(outdir, { recursive: true, force: true });
  }
}

/** Reads what synthesis has written. */
export function readAssembly(directory: string): Omit<Synthesis, "stage"> {
  const read = (file: string) => JSON.parse(readFileSync(join(directory, file), "utf8"));
  const files = readdirSync(directory);
  const templates: Record<string, Template> = Object.fromEntries(
    files.filter((file) => file.endsWith(".template.json")).map((file) => [file, read(file)]),
  );
  const torpedo = templates["Torpedo.template.json"];
  if (!torpedo) throw new Error(`there is no Torpedo.template.json among ${files.join(", ")}`);
  return {
    torpedo,
    templates,
    validationReports: read("validation-report.json").pluginReports,
    packages: files
      .filter((file) => file.startsWith("asset."))
      .map((file) => readdirSync(join(directory, file))),
  };
}

/** Constructs take the bundles from `dist`; without them CDK only says that some path is missing. */
function assertBuilt(): void {
  const unbuilt = readdirSync("functions").filter(
    (name) =>
      existsSync(join("functions", name, "index.ts")) &&
      !existsSync(join("dist", name, "index.mjs")),
  );
  if (unbuilt.length > 0) {
    throw new Error(`No bundle of ${unbuilt.join(", ")} in dist/: run \`npm run build\` first.`);
  }
}

/** The resources of one type, by logical id. */
export function resourcesOf(template: Template, type: string): [string, Resource][] {
  return Object.entries(template.Resources).filter(([, resource]) => resource.Type === type);
}

/** The one resource of its type. */
export function onlyResource(template: Template, type: string): Resource {
  const [first, ...others] = resourcesOf(template, type);
  if (!first || others.length > 0) throw new Error(`expected one ${type}`);
  return first[1];
}

/** What lies at a path inside a template's value, or undefined where the path ends early. */
export function at(value: unknown, ...path: readonly (string | number)[]): unknown {
  return path.reduce<unknown>(
    (inner, step) =>
      typeof inner === "object" && inner !== null
        ? (inner as Record<string | number, unknown>)[step]
        : undefined,
    value,
  );
}

/** The list at a path inside a template's value. */
export function listAt(value: unknown, ...path: readonly (string | number)[]): unknown[] {
  const list = at(value, ...path);
  if (!Array.isArray(list)) throw new Error(`there is no list at ${path.join(".")}`);
  return list;
}

/** The logical id that `Ref` or `Fn::GetAtt` names, or undefined for anything else. */
export function referenceOf(value: unknown): string | undefined {
  const id = at(value, "Ref") ?? at(value, "Fn::GetAtt", 0);
  return typeof id === "string" ? id : undefined;
}

/** What CloudFormation would put for the stack's account and region. */
const PSEUDO_PARAMETERS: Readonly<Record<string, string>> = {
  "AWS::AccountId": "111122223333",
  "AWS::Partition": "aws",
  "AWS::Region": "sa-east-1",
  "AWS::URLSuffix": "amazonaws.com",
};

/**
 * A value of a template as the text that it will be.
 * @param nameOf what stands for a resource that is referred to: its logical id, where not said
 * @throws Error for what is no text
 */
export function textOf(value: unknown, nameOf = (logicalId: string) => logicalId): string {
  if (typeof value === "string") return value;
  const id = referenceOf(value);
  if (id) return PSEUDO_PARAMETERS[id] ?? nameOf(id);
  const [separator, parts] = listAt(value, "Fn::Join") as [string, unknown[]];
  return parts.map((part) => textOf(part, nameOf)).join(separator);
}

/** Every value in a tree, the tree itself included. */
export function* valuesIn(tree: unknown): Generator<unknown> {
  yield tree;
  if (typeof tree !== "object" || tree === null) return;
  for (const value of Object.values(tree)) yield* valuesIn(value);
}

/** A logical id without the hash that CDK puts behind it. */
export function withoutHash(logicalId: string): string {
  return logicalId.replace(/[0-9A-F]{8}$/, "");
}

/** The folder in `functions/` that a function runs: constructs are named like it, whatever the lane. */
export function capabilityOf(functionId: string): string {
  return withoutHash(functionId)
    .replace(/^(.+?)(?:Bulk)?Function$/, "$1")
    .replace(/(?<=[a-z])(?=[A-Z])/g, "-")
    .toLowerCase();
}

/** What a policy says once or several times, as several. */
export const asList = (value: unknown): unknown[] => (Array.isArray(value) ? value : [value]);

/** The statements of a role's policies. */
export function statementsOf(template: Template, roleId: string): unknown[] {
  const inline = at(template.Resources[roleId], "Properties", "Policies") ?? [];
  const attached = resourcesOf(template, "AWS::IAM::Policy").filter(([, { Properties }]) =>
    listAt(Properties, "Roles").some((attachedTo) => referenceOf(attachedTo) === roleId),
  );
  return [...asList(inline), ...attached.map(([, { Properties }]) => Properties)].flatMap(
    (policy) => listAt(policy, "PolicyDocument", "Statement"),
  );
}
