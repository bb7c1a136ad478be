import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { App, Duration, Stack } from "aws-cdk-lib";
import { afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import * as z from "zod";
import { TorpedoFunction } from "../../lib/shared/torpedo-function.ts";
import { resolveStage, STAGES } from "../../lib/stage.ts";
import {
  at,
  capabilityOf,
  listAt,
  type Resource,
  referenceOf,
  resourcesOf,
  synthesise,
  type Template,
  textOf,
  valuesIn,
  withoutHash,
} from "./synth.ts";

const FUNCTION = "AWS::Lambda::Function";

const CAPABILITIES = readdirSync("functions", { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name)
  .filter((name) => !["core", "adapters", "runtime"].includes(name));

const schemas = new Map<string, z.ZodObject>();

beforeAll(async () => {
  for (const capability of CAPABILITIES) {
    const { env } = await import(`../../functions/${capability}/env.ts`);
    schemas.set(capability, env);
  }
});

/** The function's environment; what is known only after deployment is the name of its resource. */
function environmentOf({ Properties }: Resource): Record<string, string> {
  const variables = at(Properties, "Environment", "Variables") as Record<string, unknown>;
  return Object.fromEntries(
    Object.entries(variables).map(([name, value]) => [name, textOf(value)]),
  );
}

const referencesIn = (tree: unknown) =>
  [...valuesIn(tree)].flatMap((value) => referenceOf(value) ?? []);

/** The resources that the policies of a role name. */
const grantedTo = (template: Template, role: string | undefined) =>
  resourcesOf(template, "AWS::IAM::Policy")
    .filter(([, { Properties }]) =>
      listAt(Properties, "Roles").some((attachedTo) => referenceOf(attachedTo) === role),
    )
    .flatMap(([, { Properties }]) => referencesIn(Properties.PolicyDocument));

/** What a stage can have and those that come with Torpedo have not. */
const EXTRAS = { notices: { from: "torpedo@example.org" } };

describe.each(Object.keys(STAGES))("in stage %s", (stage) => {
  const { torpedo } = synthesise(stage, { [stage]: EXTRAS });
  const functions = resourcesOf(torpedo, FUNCTION).map(([id, resource]) => ({
    name: withoutHash(id),
    resource,
    capability: capabilityOf(id),
  }));

  test("every folder in functions/ has its function, and no function is without folder", () => {
    expect(new Set(functions.map(({ capability }) => capability))).toEqual(new Set(CAPABILITIES));
  });

  test.each(functions)("$name can read its environment", ({ resource, capability }) => {
    const read = schemas.get(capability)?.safeParse(environmentOf(resource));
    expect(read?.error).toBeUndefined();
    expect(read?.success).toBe(true);
  });

  test.each(functions)("$name is told nothing it does not read", ({ resource, capability }) => {
    const readable = Object.keys(schemas.get(capability)?.shape ?? {});
    const told = Object.keys(environmentOf(resource));
    expect(readable).toEqual(expect.arrayContaining(told));
  });

  test.each(functions)(
    "$name, or a role that it hands on, may use what its environment names",
    ({ resource }) => {
      const named = referencesIn(at(resource.Properties, "Environment"));
      const own = grantedTo(torpedo, referenceOf(resource.Properties.Role));
      const handedOn = own.flatMap((id) => grantedTo(torpedo, id));
      expect(named.length).toBeGreaterThan(0);
      expect([...own, ...handedOn]).toEqual(expect.arrayContaining(named));
    },
  );
});

describe("TorpedoFunction", () => {
  const schema = z.object({
    NEEDED: z.string().min(1),
    OPTIONAL: z.string().optional(),
    WITH_DEFAULT: z.string().default("as ever"),
  });

  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "torpedo-function-"));
  });
  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  function createFunction(environment: { NEEDED?: string } = {}) {
    const app = new App({ outdir: join(directory, "cdk.out") });
    const fn = new TorpedoFunction(new Stack(app, "Stack"), "Function", {
      stage: resolveStage("dev"),
      capability: "mesago",
      description: "made up",
      env: schema,
      environment,
      timeout: Duration.seconds(3),
    });
    return { app, fn };
  }

  test("does not take a variable that its function does not read", () => {
    const { fn } = createFunction();
    const misspelt: Record<string, string> = { NEDED: "x" };
    expect(() => fn.provide(misspelt)).toThrow("Stack/Function does not read NEDED");
  });

  test("is not synthesised without a variable that its function needs", () => {
    const { app } = createFunction();
    expect(() => app.synth()).toThrow("[Stack/Function] nothing provides NEEDED");
  });

  test("is synthesised without those that its function can do without", () => {
    const { app, fn } = createFunction();
    fn.provide({ NEEDED: "x" });
    const { template } = app.synth().getStackByName("Stack");
    const [first] = resourcesOf(template, FUNCTION);
    expect(first && environmentOf(first[1])).toMatchObject({ NEEDED: "x" });
  });
});
