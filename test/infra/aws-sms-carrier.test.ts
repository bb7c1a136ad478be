import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { App, Stack, Validations } from "aws-cdk-lib";
import { Role, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import { Code, Function as LambdaFunction, Runtime } from "aws-cdk-lib/aws-lambda";
import { Queue } from "aws-cdk-lib/aws-sqs";
import { AwsSolutionsChecks } from "cdk-nag";
import { describe, expect, test } from "vitest";
import { AwsSmsCarrier, type AwsSmsSettings } from "../../lib/aws-sms-carrier.ts";
import { StageConfigurationError } from "../../lib/stage.ts";
import {
  at,
  listAt,
  onlyResource,
  readAssembly,
  referenceOf,
  resourcesOf,
  type Template,
} from "./synth.ts";

const ELSEWHERE = {
  region: "us-east-1",
  configurationSet: "theirs",
  topicArn: "arn:aws:sns:us-east-1:111122223333:theirs",
};

const { context } = JSON.parse(readFileSync("cdk.json", "utf8"));

/** What a stack with these carriers has, called by their place, and what cdk-nag says of it. */
const synthesise = (...carriers: Partial<AwsSmsSettings>[]) =>
  synthesiseNamed(
    Object.fromEntries(carriers.map((settings, index) => [`aws.${index + 1}`, settings])),
  );

/** The same of carriers by name. */
function synthesiseNamed(carriers: Readonly<Record<string, Partial<AwsSmsSettings>>>) {
  const outdir = mkdtempSync(join(tmpdir(), "torpedo-aws-sms-"));
  const app = new App({ context, outdir });
  const stack = new Stack(app, "Torpedo");
  const deadLetterQueue = new Queue(stack, "DeadLetters", { enforceSSL: true });
  const queue = new Queue(stack, "Reports", {
    enforceSSL: true,
    deadLetterQueue: { queue: deadLetterQueue, maxReceiveCount: 10 },
  });
  const role = new Role(stack, "DispatchRole", {
    assumedBy: new ServicePrincipal("lambda.amazonaws.com"),
  });
  const fn = new LambdaFunction(stack, "Dispatch", {
    runtime: Runtime.NODEJS_24_X,
    handler: "index.handler",
    code: Code.fromInline("exports.handler = () => {}"),
    role,
  });
  const made = Object.entries(carriers).map(([name, settings]) => {
    const carrier = new AwsSmsCarrier(stack, name, {
      stage: { name: "prod", logRetentionDays: 90 },
      name,
      settings: { twoWay: [], ...settings },
      reports: { queue, deadLetterQueue },
    });
    carrier.grantSend(fn);
    return carrier;
  });
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
  try {
    app.synth();
    const { torpedo, validationReports } = readAssembly(outdir);
    return { template: torpedo, validationReports, carriers: made };
  } finally {
    rmSync(outdir, { recursive: true, force: true });
  }
}

const written = (value: unknown): string =>
  JSON.stringify(value)
    .replaceAll(/\{"Ref":"AWS::(\w+)"\}/g, '"<$1>"')
    .replaceAll(/\{"Fn::Join":\["",\[([^\]]*)\]\]\}/g, (_, parts: string) =>
      JSON.stringify((JSON.parse(`[${parts}]`) as string[]).join("")),
    );

/** What the function that hands over may do, as texts. */
function sendResources(template: Template): string[] {
  const policies = resourcesOf(template, "AWS::IAM::Policy").filter(([id]) =>
    id.startsWith("DispatchRole"),
  );
  const statements = policies.flatMap(([, { Properties }]) =>
    listAt(Properties, "PolicyDocument", "Statement"),
  );
  expect(statements.map((it) => [at(it, "Effect"), at(it, "Action")])).toEqual([
    ["Allow", "sms-voice:SendTextMessage"],
  ]);
  expect(at(statements[0], "Condition")).toBeUndefined();
  return JSON.parse(written(at(statements[0], "Resource"))).sort();
}

const OURS = "arn:<Partition>:sms-voice:<Region>:<AccountId>:";

describe("a carrier of AWS", () => {
  const { template, validationReports, carriers } = synthesise({ senders: ["27182"] });

  test("has a configuration set whose texts' events go to its topic", () => {
    const { Properties } = onlyResource(template, "AWS::SMSVOICE::ConfigurationSet");
    expect(at(Properties, "ConfigurationSetName")).toBe("torpedo-prod-aws-1");
    expect(carriers[0]?.provisions).toEqual({ configurationSet: "torpedo-prod-aws-1" });
    const destinations = listAt(Properties, "EventDestinations");
    expect(destinations).toMatchObject([{ Enabled: true, MatchingEventTypes: ["TEXT_ALL"] }]);
    const [[topicId] = []] = resourcesOf(template, "AWS::SNS::Topic");
    expect(referenceOf(at(destinations[0], "SnsDestination", "TopicArn"))).toBe(topicId);
  });

  test("lets nobody publish to its topic but AWS, for its configuration set", () => {
    const { Properties } = onlyResource(template, "AWS::SNS::TopicPolicy");
    const statements = listAt(Properties, "PolicyDocument", "Statement");
    expect(statements).toMatchObject([
      { Effect: "Deny", Condition: { Bool: { "aws:SecureTransport": "false" } } },
      { Effect: "Allow" },
    ]);
    expect(statements[1]).toMatchObject({
      Action: "sns:Publish",
      Principal: { Service: "sms-voice.amazonaws.com" },
    });
    expect(JSON.parse(written(at(statements[1], "Condition")))).toEqual({
      StringEquals: { "aws:SourceAccount": "<AccountId>" },
      ArnLike: { "aws:SourceArn": `${OURS}configuration-set/torpedo-prod-aws-1` },
    });
  });

  test("has its topic ready before AWS looks at it", () => {
    const [[, set] = []] = resourcesOf(template, "AWS::SMSVOICE::ConfigurationSet");
    const [[policy] = []] = resourcesOf(template, "AWS::SNS::TopicPolicy");
    expect(set?.DependsOn).toContain(policy);
  });

  test("reports to the queue, in envelopes, and loses nothing on the way", () => {
    const { Properties } = onlyResource(template, "AWS::SNS::Subscription");
    expect(Properties).toMatchObject({ Protocol: "sqs", RawMessageDelivery: false });
    expect(Properties).not.toHaveProperty("Region");
    expect(referenceOf(Properties.Endpoint)).toMatch(/^Reports/);
    expect(referenceOf(at(Properties, "RedrivePolicy", "deadLetterTargetArn"))).toMatch(
      /^DeadLetters/,
    );
  });

  test("lets only its topic, through SNS, on the queue", () => {
    const [[topicId] = []] = resourcesOf(template, "AWS::SNS::Topic");
    const allowed = resourcesOf(template, "AWS::SQS::QueuePolicy").flatMap(([, { Properties }]) =>
      listAt(Properties, "PolicyDocument", "Statement").filter(
        (it) => at(it, "Effect") === "Allow",
      ),
    );
    expect(allowed).toHaveLength(2);
    for (const statement of allowed) {
      expect(statement).toMatchObject({
        Action: "sqs:SendMessage",
        Principal: { Service: "sns.amazonaws.com" },
        Condition: { ArnEquals: { "aws:SourceArn": { Ref: topicId } } },
      });
    }
  });

  test("needs no custom resource where no number is two-way", () => {
    expect(resourcesOf(template, "Custom::TwoWaySms")).toEqual([]);
    expect(resourcesOf(template, "AWS::Lambda::Function")).toHaveLength(1);
  });

  test("is clean of cdk-nag's AwsSolutions findings", () => {
    expect(validationReports).toEqual([]);
  });
});

describe("a function may send", () => {
  const SET = `${OURS}configuration-set/torpedo-prod-aws-1`;
  const pool = "arn:aws:sms-voice:sa-east-1:999988887777:pool/pool-1";

  test.each<[string, Partial<AwsSmsSettings>, string[]]>([
    ["from a pool", { originationIdentity: "pool-1", senders: [] }, [SET, `${OURS}pool/pool-1`]],
    [
      "from a number, by its id",
      { originationIdentity: "phone-1", senders: [] },
      [SET, `${OURS}phone-number/phone-1`],
    ],
    ["from what is shared with us", { originationIdentity: pool, senders: [] }, [SET, pool]],
    [
      "from names and numbers",
      { senders: ["ACME", "27182", "5511955550100"] },
      [SET, `${OURS}sender-id/ACME/*`, `${OURS}phone-number/*`],
    ],
    [
      "with a protect configuration",
      { protectConfiguration: "protect-1", originationIdentity: "pool-1", senders: [] },
      [SET, `${OURS}protect-configuration/protect-1`, `${OURS}pool/pool-1`],
    ],
    [
      "from whatever its AWS account has, where the stage does not say",
      {},
      [SET, `${OURS}phone-number/*`, `${OURS}pool/*`, `${OURS}sender-id/*`],
    ],
    [
      "in another region",
      { elsewhere: ELSEWHERE, originationIdentity: "pool-1", senders: [] },
      [
        "arn:<Partition>:sms-voice:us-east-1:<AccountId>:configuration-set/theirs",
        "arn:<Partition>:sms-voice:us-east-1:<AccountId>:pool/pool-1",
      ],
    ],
  ])("%s", (_, settings, resources) => {
    const { template, validationReports } = synthesise(settings);
    expect(sendResources(template)).toEqual([...resources].sort());
    expect(validationReports).toEqual([]);
  });
});

describe("two-way numbers", () => {
  const arn = "arn:aws:sms-voice:sa-east-1:111122223333:phone-number/phone-2";
  const { template, validationReports } = synthesise(
    { twoWay: ["phone-1", "pool-1", arn] },
    { twoWay: ["phone-3"] },
  );
  const resources = resourcesOf(template, "Custom::TwoWaySms").map(([, it]) => it);
  const callsOf = (name: string) =>
    resources.map(({ Properties }) => JSON.parse(JSON.parse(written(Properties[name])) as string));

  /** The call with its references to other resources left out. */
  const readable = (value: unknown): string =>
    JSON.stringify(value).replaceAll(/\{"Ref":"(\w+?)[0-9A-F]{8}"\}/g, '"<$1>"');

  test("publish what phones send to the topic, and no more when the stack is gone", () => {
    const texts = resources.map(({ Properties }) =>
      ["Create", "Update", "Delete"].map((name) => readable(Properties[name])),
    );
    expect(texts).toHaveLength(4);
    for (const [create, update, remove] of texts) {
      expect(create).toMatch(/TwoWayEnabled\\*":true.*TwoWayChannelArn\\*":\\*".*<aws\dTopic>/);
      expect(update).toBe(create);
      expect(remove).toMatch(/TwoWayEnabled\\*":false/);
      expect(remove).not.toMatch(/TwoWayChannelArn/);
    }
    expect(callsOf("Delete")).toMatchObject([
      { action: "UpdatePhoneNumber", parameters: { PhoneNumberId: "phone-1" } },
      { action: "UpdatePool", parameters: { PoolId: "pool-1" } },
      { action: "UpdatePhoneNumber", parameters: { PhoneNumberId: arn } },
      { action: "UpdatePhoneNumber", parameters: { PhoneNumberId: "phone-3" } },
    ]);
    for (const call of callsOf("Delete")) {
      expect(call).toMatchObject({
        service: "@aws-sdk/client-pinpoint-sms-voice-v2",
        ignoreErrorCodesMatching: "ResourceNotFoundException",
      });
      expect(call).not.toHaveProperty("region");
    }
  });

  test("are changed by a function that may change these, and nothing else", () => {
    const statements = resourcesOf(template, "AWS::IAM::Policy")
      .filter(([id]) => !id.startsWith("DispatchRole"))
      .flatMap(([, { Properties }]) => listAt(Properties, "PolicyDocument", "Statement"));
    expect(JSON.parse(written(statements))).toEqual(
      [
        ["UpdatePhoneNumber", `${OURS}phone-number/phone-1`],
        ["UpdatePool", `${OURS}pool/pool-1`],
        ["UpdatePhoneNumber", arn],
        ["UpdatePhoneNumber", `${OURS}phone-number/phone-3`],
      ].map(([action, resource]) => ({
        Effect: "Allow",
        Action: `sms-voice:${action}`,
        Resource: resource,
      })),
    );
    const roles = resourcesOf(template, "AWS::IAM::Role").filter(([id]) =>
      id.startsWith("CustomCalls"),
    );
    expect(roles).toHaveLength(1);
    expect(roles[0]?.[1].Properties).not.toHaveProperty("ManagedPolicyArns");
  });

  test("let AWS publish for our account", () => {
    const policies = resourcesOf(template, "AWS::SNS::TopicPolicy");
    expect(policies).toHaveLength(2);
    for (const [, { Properties }] of policies) {
      const allowed = listAt(Properties, "PolicyDocument", "Statement").filter(
        (it) => at(it, "Effect") === "Allow",
      );
      expect(allowed.map((it) => JSON.parse(written(at(it, "Condition"))))).toEqual([
        {
          StringEquals: { "aws:SourceAccount": "<AccountId>" },
          ArnLike: { "aws:SourceArn": expect.stringContaining("configuration-set/") },
        },
        { StringEquals: { "aws:SourceAccount": "<AccountId>" } },
      ]);
    }
  });

  test("wait for their topic", () => {
    const policies = resourcesOf(template, "AWS::SNS::TopicPolicy").map(([id]) => id);
    for (const { DependsOn } of resources) {
      const ids = DependsOn as string[];
      expect(ids.filter((id) => policies.includes(id))).toHaveLength(1);
    }
  });

  test("are clean of cdk-nag's AwsSolutions findings", () => {
    expect(validationReports).toEqual([]);
  });
});

describe("a two-way number stays on", () => {
  const ARN = "arn:aws:sms-voice:sa-east-1:111122223333:phone-number/phone-1";

  /** In a call, which is JSON within JSON. */
  const PHYSICAL_ID = /physicalResourceId\W+id\W+(?<id>[^\\"]+)/;

  /** What CloudFormation knows it by: a change of either would end with the old one's deletion. */
  function idsOf(carriers: Readonly<Record<string, Partial<AwsSmsSettings>>>) {
    const { template, validationReports } = synthesiseNamed(carriers);
    expect(validationReports).toEqual([]);
    const resources = resourcesOf(template, "Custom::TwoWaySms");
    expect(resources).toHaveLength(1);
    return resources.map(([logical, { Properties }]) => ({
      logical,
      physical: ["Create", "Update", "Delete"].map(
        (name) => PHYSICAL_ID.exec(JSON.stringify(Properties[name]))?.groups?.id,
      ),
      create: JSON.stringify(Properties.Create),
    }))[0];
  }
  const before = idsOf({ aws: { twoWay: ["phone-1"] } });

  test("by its id, whatever else", () => {
    expect(before?.physical).toEqual(["phone-1", "phone-1", "phone-1"]);
  });

  test.each<[string, Readonly<Record<string, Partial<AwsSmsSettings>>>]>([
    ["its carrier is renamed", { texts: { twoWay: ["phone-1"] } }],
    ["it is written as an ARN", { aws: { twoWay: [ARN] } }],
    ["it moves to another carrier", { aws: {}, another: { twoWay: ["phone-1"] } }],
    ["it moves, and is written as an ARN", { another: { twoWay: [ARN] }, aws: {} }],
    ["its carrier takes another topic", { aws: { elsewhere: ELSEWHERE, twoWay: ["phone-1"] } }],
  ])("where %s", (_, carriers) => {
    const { logical, physical, create } = idsOf(carriers) ?? {};
    expect({ logical, physical }).toEqual({
      logical: before?.logical,
      physical: before?.physical,
    });
    expect(create).not.toBe(before?.create);
  });

  test("and another number is another", () => {
    const other = idsOf({ aws: { twoWay: ["phone-2"] } });
    expect(other?.logical).not.toBe(before?.logical);
    expect(other?.physical).not.toEqual(before?.physical);
  });
});

describe("a stage is refused", () => {
  const arn = "arn:aws:sms-voice:sa-east-1:111122223333:pool/pool-1";
  const topicArn = "arn:aws:sns:us-east-1:111122223333:another";

  test.each<[string, Readonly<Record<string, Partial<AwsSmsSettings>>>, string]>([
    [
      "whose carriers have the same number",
      { aws: { twoWay: ["phone-1"] }, texts: { twoWay: ["phone-2", "phone-1"] } },
      "stages.prod: carriers.texts has phone-1, which carriers.aws has already",
    ],
    [
      "whose carriers have the same pool, in other words",
      { aws: { twoWay: ["pool-1"] }, texts: { twoWay: [arn] } },
      "stages.prod: carriers.texts has pool-1, which carriers.aws has already",
    ],
    [
      "whose carrier has a pool twice",
      { aws: { twoWay: ["pool-1", arn] } },
      "stages.prod: carriers.aws has pool-1, which carriers.aws has already",
    ],
    [
      "whose carriers would have the same configuration set",
      { "aws.br": {}, "aws-br": {} },
      "stages.prod: carriers.aws-br has the configuration set torpedo-prod-aws-br, which carriers.aws.br has already",
    ],
    [
      "whose carriers have the same configuration set elsewhere",
      { aws: { elsewhere: ELSEWHERE }, texts: { elsewhere: { ...ELSEWHERE, topicArn } } },
      "stages.prod: carriers.texts has the configuration set theirs of us-east-1, which carriers.aws has already",
    ],
    [
      "whose carriers report to the same topic",
      {
        aws: { elsewhere: ELSEWHERE },
        texts: { elsewhere: { ...ELSEWHERE, configurationSet: "ours" } },
      },
      `stages.prod: carriers.texts has ${ELSEWHERE.topicArn}, which carriers.aws has already`,
    ],
  ])("%s", (_, carriers, message) => {
    expect(() => synthesiseNamed(carriers)).toThrow(new StageConfigurationError(message));
  });

  test("but not one whose carriers have sets of the same name in different regions", () => {
    const eu = { ...ELSEWHERE, region: "eu-west-1", topicArn };
    const { carriers } = synthesise({ elsewhere: ELSEWHERE }, { elsewhere: eu });
    expect(carriers.map(({ provisions }) => provisions.configurationSet)).toEqual([
      "theirs",
      "theirs",
    ]);
  });
});

describe("a carrier in another region", () => {
  const { template, validationReports, carriers } = synthesise({
    elsewhere: ELSEWHERE,
    twoWay: ["phone-1"],
  });

  test("takes what is there", () => {
    expect(carriers[0]?.provisions).toEqual({ configurationSet: "theirs" });
    expect(resourcesOf(template, "AWS::SMSVOICE::ConfigurationSet")).toEqual([]);
    expect(resourcesOf(template, "AWS::SNS::Topic")).toEqual([]);
  });

  test("is subscribed to there", () => {
    const { Properties } = onlyResource(template, "AWS::SNS::Subscription");
    expect(Properties).toMatchObject({ Region: "us-east-1", TopicArn: ELSEWHERE.topicArn });
    expect(Properties).not.toHaveProperty("RedrivePolicy");
  });

  test("has its numbers changed there", () => {
    const { Properties } = onlyResource(template, "Custom::TwoWaySms");
    const create = JSON.parse(JSON.parse(written(Properties.Create)) as string);
    expect(create).toMatchObject({
      region: "us-east-1",
      parameters: { PhoneNumberId: "phone-1", TwoWayChannelArn: ELSEWHERE.topicArn },
    });
  });

  test("is clean of cdk-nag's AwsSolutions findings", () => {
    expect(validationReports).toEqual([]);
  });
});
