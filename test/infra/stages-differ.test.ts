import { describe, expect, test } from "vitest";
import { STAGES } from "../../lib/stage.ts";
import {
  listAt,
  referenceOf,
  resourcesOf,
  synthesise,
  type Template,
  withoutHash,
} from "./synth.ts";

const ALARM = "AWS::CloudWatch::Alarm";

/** Every leaf of a tree, by path. A text that is put together is one, and so is what a policy allows. */
function leavesOf(tree: unknown, path = ""): [string, unknown][] {
  if (typeof tree !== "object" || tree === null) return [[path, tree]];
  if ("Fn::Join" in tree) return [[path, JSON.stringify(tree)]];
  if ("Statement" in tree) return permissionsIn(tree).map((it) => [`${path} ${it}`, true]);
  return Object.entries(tree).flatMap(([name, value]) =>
    leavesOf(value, path === "" ? name : `${path}.${name}`),
  );
}

/** What a policy says, a line for each action on each resource. */
function permissionsIn(policy: object): string[] {
  const each = (value: unknown) => (Array.isArray(value) ? value : [value]);
  return listAt(policy, "Statement").flatMap((statement) => {
    const { Action, Resource, ...rest } = statement as Record<string, unknown>;
    const suffix = JSON.stringify(rest) === '{"Effect":"Allow"}' ? "" : ` ${JSON.stringify(rest)}`;
    return each(Action).flatMap((action) =>
      each(Resource).map((resource) => {
        const name = withoutHash(referenceOf(resource) ?? JSON.stringify(resource ?? "nothing"));
        return `${action} on ${name}${suffix}`;
      }),
    );
  });
}

/** The resources but alarms, under a name that does not say which stage they are of. */
function anonymous(stage: string): Template["Resources"] {
  const { Resources } = synthesise(stage).torpedo;
  const others = Object.entries(Resources).filter(([, { Type }]) => Type !== ALARM);
  return JSON.parse(
    JSON.stringify(Object.fromEntries(others))
      .replaceAll(`torpedo-${stage}`, "torpedo-STAGE")
      .replaceAll(`"torpedo:stage":"${stage}"`, '"torpedo:stage":"STAGE"')
      .replaceAll(`{"Key":"torpedo:stage","Value":"${stage}"}`, '"the stage\'s tag"')
      .replaceAll(`"STAGE":"${stage}"`, '"STAGE":"STAGE"'),
  );
}

/** In what the resources of two stages differ: type and path of what is not the same. */
function differences(one: Template["Resources"], other: Template["Resources"]): string[] {
  const found = new Set<string>();
  for (const id of new Set([...Object.keys(one), ...Object.keys(other)])) {
    const type = (one[id] ?? other[id])?.Type;
    const ofOne = new Map(leavesOf(one[id] ?? {}));
    const ofOther = new Map(leavesOf(other[id] ?? {}));
    for (const path of new Set([...ofOne.keys(), ...ofOther.keys()])) {
      if (ofOne.get(path) !== ofOther.get(path)) {
        found.add(`${type} ${path.replace("Properties.", "")}`);
      }
    }
  }
  return [...found].sort();
}

test.each(Object.keys(STAGES))("%s has the same resources as dev, alarms apart", (stage) => {
  const identities = (name: string) =>
    Object.entries(anonymous(name)).map(([id, { Type }]) => `${id} ${Type}`);
  expect(identities(stage)).toEqual(identities("dev"));
});

describe("what the configuration of a stage covers, and nothing else, is different", () => {
  test("between prod and dev", () => {
    expect(differences(anonymous("prod"), anonymous("dev"))).toEqual([
      "AWS::ApiGatewayV2::Stage DefaultRouteSettings.ThrottlingBurstLimit",
      "AWS::ApiGatewayV2::Stage DefaultRouteSettings.ThrottlingRateLimit",
      "AWS::DynamoDB::Table DeletionPolicy",
      "AWS::DynamoDB::Table DeletionProtectionEnabled",
      "AWS::DynamoDB::Table UpdateReplacePolicy",
      "AWS::Lambda::EventSourceMapping ScalingConfig.MaximumConcurrency",
      "AWS::Lambda::Function Environment.Variables.CALLBACK_SLOTS",
      "AWS::Lambda::Function Environment.Variables.CONCURRENCY",
      "AWS::Logs::LogGroup RetentionInDays",
    ]);
  });

  test("between local and dev", () => {
    expect(differences(anonymous("local"), anonymous("dev"))).toEqual([
      // It remembers the operators of phones.
      'AWS::IAM::Policy PolicyDocument dynamodb:GetItem on CarriersTable {"Condition":{"ForAllValues:StringLike":{"dynamodb:LeadingKeys":["PHONE#*"]}},"Effect":"Allow"}',
      'AWS::IAM::Policy PolicyDocument dynamodb:PutItem on CarriersTable {"Condition":{"ForAllValues:StringLike":{"dynamodb:LeadingKeys":["PHONE#*"]}},"Effect":"Allow"}',
      "AWS::Lambda::Function Environment.Variables.ALLOW_LOOPBACK_ENDPOINTS",
      "AWS::Lambda::Function Environment.Variables.BACKOFF_BASE_SECONDS",
      "AWS::Lambda::Function Environment.Variables.BACKOFF_CAP_SECONDS",
      "AWS::Lambda::Function Environment.Variables.CALLBACK_ALLOW_HTTP",
      "AWS::Lambda::Function Environment.Variables.CALLBACK_ALLOW_LOOPBACK",
      "AWS::Lambda::Function Environment.Variables.CALLBACK_SLOTS",
      "AWS::Lambda::Function Environment.Variables.CARRIERS",
      "AWS::Lambda::Function Environment.Variables.ENDPOINT_PROTOCOLS",
      "AWS::Lambda::Function Environment.Variables.MAX_ATTEMPTS",
      "AWS::Lambda::Function Environment.Variables.OPERATOR_MEMORY_DAYS",
      "AWS::Lambda::Function Environment.Variables.RECEIPTS_AFTER_SECONDS",
      "AWS::Logs::LogGroup RetentionInDays",
    ]);
  });

  test("a stage under another name is the same stage", () => {
    const twin = synthesise("twin", { twin: STAGES.dev }).torpedo;
    expect(Object.keys(twin.Resources)).toEqual(Object.keys(synthesise("dev").torpedo.Resources));
    expect(resourcesOf(twin, ALARM)).toEqual([]);
  });
});

test("only stages that ask for it have the observability stack", () => {
  const stacks = Object.fromEntries(
    Object.keys(STAGES).map((stage) => [stage, Object.keys(synthesise(stage).templates).sort()]),
  );
  const gateway = "Torpedo.template.json";
  expect(stacks).toEqual({
    dev: [gateway],
    local: [gateway],
    prod: [gateway, "TorpedoObservability.template.json"],
  });
});
