import { rmSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { createCarriers, type PoolResources } from "../../functions/adapters/carriers/pool.ts";
import { env as carrierEventsEnv } from "../../functions/carrier-events/env.ts";
import { env as dispatchEnv } from "../../functions/dispatch/env.ts";
import { STAGES, StageConfigurationError } from "../../lib/stage.ts";
import { CARRIERS, EVERY_CARRIER, SECRETS, TOPIC_ELSEWHERE } from "./every-carrier.ts";
import { permissionsOf } from "./role-permissions.ts";
import {
  at,
  createApp,
  listAt,
  referenceOf,
  resourcesOf,
  synthesise,
  type Template,
  textOf,
  withoutHash,
} from "./synth.ts";

const FUNCTION = "AWS::Lambda::Function";
const LANES = ["DispatchFunction", "DispatchBulkFunction"];

const { torpedo } = synthesise("prod", EVERY_CARRIER);

/** The environment of a function, as texts. */
function environmentOf(
  template: Template,
  name: string,
  nameOf?: (id: string) => string,
): Record<string, string> {
  const fn = resourcesOf(template, FUNCTION).find(([id]) => withoutHash(id) === name)?.[1];
  const variables = at(fn?.Properties, "Environment", "Variables") ?? {};
  return Object.fromEntries(
    Object.entries(variables).map(([variable, value]) => [variable, textOf(value, nameOf)]),
  );
}

/** What each role may do with a service: role, action and resources. */
function permissionsFor(service: string, template = torpedo) {
  return resourcesOf(template, "AWS::IAM::Role").flatMap(([id]) =>
    Object.entries(permissionsOf(template, id))
      .filter(([action]) => action.startsWith(`${service}:`))
      .map(([action, resources]) => [withoutHash(id), action, resources]),
  );
}

describe("carriers of every kind", () => {
  test.each(LANES)("%s can make them of what it is told", (name) => {
    const env = dispatchEnv.parse(environmentOf(torpedo, name, withoutHash));
    // None of them is used.
    const carriers = createCarriers(env.CARRIERS, {} as PoolResources);
    expect(carriers.map(({ carrier }) => [carrier.name, carrier.takes])).toEqual([
      ["sandbox", "parts"],
      ["sandbox-2", "parts"],
      ["vivo", "parts"],
      ["claro", "parts"],
      ["aws.br", "whole"],
      ["aws-any", "whole"],
      ["aws-us", "whole"],
    ]);
    expect(carriers.map(({ senders }) => senders)).toEqual(
      Object.values(CARRIERS).map((it) => ("senders" in it ? it.senders : undefined)),
    );
    expect(env.ROUTES.map(({ carrier }) => carrier)).toEqual([
      "vivo",
      "aws-us",
      "aws.br",
      "sandbox",
    ]);
  });

  test.each(LANES)(
    "%s knows what was made for each, and of its settings what is not assumed",
    (name) => {
      const sandbox = {
        kind: "sandbox",
        outboxTable: "CarriersSandboxOutbox",
        carrierEventsQueueUrl: "CarrierEventsReportsQueue",
      };
      expect(JSON.parse(environmentOf(torpedo, name, withoutHash).CARRIERS ?? "")).toEqual({
        ...CARRIERS,
        sandbox,
        "sandbox-2": { ...sandbox, down: true },
        "aws.br": { ...CARRIERS["aws.br"], configurationSet: "torpedo-prod-aws-br" },
        "aws-any": {
          kind: "aws-sms",
          demotion: expect.objectContaining({ receiptsAfterSeconds: 300 }),
          configurationSet: "torpedo-prod-aws-any",
        },
        "aws-us": { ...CARRIERS["aws-us"], configurationSet: "texts" },
      });
    },
  );

  test("have secrets that dispatch may read, each of them, and nobody else any", () => {
    const secrets = Object.values(SECRETS).sort();
    expect(permissionsFor("secretsmanager")).toEqual([
      ["DispatchFunctionRole", "secretsmanager:GetSecretValue", secrets],
      ["DispatchBulkFunctionRole", "secretsmanager:GetSecretValue", secrets],
    ]);
    expect(permissionsFor("secretsmanager", synthesise("prod").torpedo)).toEqual([]);
  });

  test("that are of AWS are handed messages by dispatch, and by nobody else", () => {
    const senders = permissionsFor("sms-voice")
      .filter(([, action]) => action === "sms-voice:SendTextMessage")
      .map(([role]) => role);
    expect(senders).toEqual(["DispatchFunctionRole", "DispatchBulkFunctionRole"]);
  });

  test("have topics, of which the functions that hand over know nothing", () => {
    for (const name of LANES) {
      const names = Object.values(environmentOf(torpedo, name, withoutHash)).join();
      expect(names).not.toMatch(/Topic\b/);
    }
  });

  test("share an outbox where they are sandboxes", () => {
    const tables = resourcesOf(torpedo, "AWS::DynamoDB::Table").map(([id]) => withoutHash(id));
    expect(tables.filter((it) => it.startsWith("Carriers"))).toEqual([
      "CarriersTable",
      "CarriersSandboxOutbox",
    ]);
  });

  test("are named by an output, with those whom they let messages come from", () => {
    expect(JSON.parse(String(torpedo.Outputs?.CarrierOffers?.Value))).toEqual({
      sandbox: {},
      "sandbox-2": {},
      vivo: { senders: ["27182", "28459"] },
      claro: {},
      "aws.br": { senders: ["27182", "ACME"] },
      "aws-any": {},
      "aws-us": {},
    });
  });

  test("leave no outbox where none is a sandbox", () => {
    const { claro } = CARRIERS;
    const only = { prod: { carriers: { claro }, routes: [{ carrier: "claro" }] } };
    const { Outputs, Resources } = synthesise("prod", only).torpedo;
    expect(Object.keys(Outputs ?? {})).not.toContain("SandboxOutboxTableName");
    expect(Object.keys(Resources).filter((id) => id.includes("Sandbox"))).toEqual([]);
  });
});

describe("what carriers report", () => {
  const told = carrierEventsEnv.parse(environmentOf(torpedo, "CarrierEventsFunction", withoutHash));

  test("tells by its topic which carrier it is from", () => {
    expect(told.SNS_TOPICS).toEqual({
      "aws.br": "CarriersAwsSmsawsbrTopic",
      "aws-any": "CarriersAwsSmsawsanyTopic",
      "aws-us": TOPIC_ELSEWHERE,
    });
  });

  test("is late when the stage says so", () => {
    expect(told.RECEIPTS_AFTER_SECONDS).toEqual({
      ...Object.fromEntries(Object.keys(CARRIERS).map((name) => [name, 600])),
      "aws-any": 300,
    });
  });

  /** Who may put messages on a queue by its own policy, from where. */
  const letIn = (queueName: string) =>
    resourcesOf(torpedo, "AWS::SQS::QueuePolicy")
      .filter(([, { Properties }]) =>
        listAt(Properties, "Queues").some(
          (queue) => withoutHash(referenceOf(queue) ?? "") === queueName,
        ),
      )
      .flatMap(([, { Properties }]) => listAt(Properties, "PolicyDocument", "Statement"))
      .filter((statement) => at(statement, "Effect") === "Allow")
      .map((statement) => ({
        action: at(statement, "Action"),
        who: at(statement, "Principal"),
        from: textOf(at(statement, "Condition", "ArnEquals", "aws:SourceArn"), withoutHash),
      }));

  const throughSns = (from: string) => ({
    action: "sqs:SendMessage",
    who: { Service: "sns.amazonaws.com" },
    from,
  });

  test("comes from these topics, and from no others", () => {
    expect(letIn("CarrierEventsReportsQueue")).toEqual(
      Object.values(told.SNS_TOPICS).map(throughSns),
    );
  });

  test("is set aside where the queue does not take it, but for that of another region", () => {
    expect(letIn("CarrierEventsReportsDeadLetters")).toEqual(
      Object.values(told.SNS_TOPICS)
        .filter((topic) => topic !== TOPIC_ELSEWHERE)
        .map(throughSns),
    );
  });

  test("comes from no topic where no carrier has one", () => {
    const plain = synthesise("prod").torpedo;
    expect(resourcesOf(plain, "AWS::SNS::Subscription")).toEqual([]);
    expect(environmentOf(plain, "CarrierEventsFunction").SNS_TOPICS).toBe("{}");
  });
});

describe("the operators of phones are remembered", () => {
  const onTable = (template: Template) =>
    permissionsFor("dynamodb", template).flatMap(([role, action, resources]) =>
      [resources ?? []]
        .flat()
        .filter((resource) => resource.startsWith("CarriersTable if"))
        .map((resource) => `${role} ${action} ${resource}`),
    );

  test("by functions that may write down theirs, or read them, and nothing else by that; and only then", () => {
    const phones = 'CarriersTable if {"dynamodb:LeadingKeys":["PHONE#*"]}';
    expect(onTable(synthesise("prod").torpedo)).toEqual([]);
    expect(onTable(torpedo)).toEqual([
      `CarrierEventsFunctionRole dynamodb:PutItem ${phones}`,
      `DispatchFunctionRole dynamodb:GetItem ${phones}`,
      `DispatchBulkFunctionRole dynamodb:GetItem ${phones}`,
    ]);
  });

  test("for as many days as the stage says", () => {
    for (const name of [...LANES, "CarrierEventsFunction"]) {
      expect(environmentOf(torpedo, name).OPERATOR_MEMORY_DAYS).toBe("30");
      expect(environmentOf(synthesise("prod").torpedo, name).OPERATOR_MEMORY_DAYS).toBe("0");
    }
  });
});

describe("carriers and routes fit into the environment of functions, or are refused", () => {
  /** Lambda's limit, on the environment as JSON. */
  const FOUR_KILOBYTES = 4_096;
  const REFUSAL =
    /^stages\.(\w+): carriers and routes take (\d+) bytes of a function's environment, which has room for (\d+)$/;
  /** The longest that there can be; it is part of many names. */
  const STAGE = "s".repeat(20);

  const alike = (count: number, carrier: object) =>
    Object.fromEntries(Array.from({ length: count }, (_, i) => [`carrier-${i}`, carrier]));

  const ROUTES = 20;
  const LONGEST_NAME = 60;

  /** The stage with routes whose operators' names have so many characters together. */
  function overlaysOf(carriers: object, character: string, characters: number) {
    const routes = Array.from({ length: ROUTES }, (_, i) => {
      const left = Math.max(0, characters - i * LONGEST_NAME);
      const operator = `o${character.repeat(Math.min(LONGEST_NAME, left))}`;
      return { operator, carrier: "carrier-0" };
    });
    return { [STAGE]: { ...STAGES.prod, carriers, routes } };
  }

  /** Why a stage is refused, before anything of it is synthesised; undefined where it is not. */
  function refusalOf(overlays: object): string | undefined {
    try {
      rmSync(createApp(STAGE, overlays).outdir, { recursive: true, force: true });
      return undefined;
    } catch (error) {
      if (error instanceof StageConfigurationError) return error.message;
      throw error;
    }
  }

  /** A name as long as the one that a deployment gives can be. */
  function longestName({ Resources }: Template, id: string): string {
    const generated = `torpedo-${STAGE}-${id}-ABCDEFGHIJKL`;
    switch (Resources[id]?.Type) {
      case "AWS::SQS::Queue":
        return `https://sqs.ap-southeast-1.amazonaws.com/111122223333/${generated.slice(0, 80)}`;
      case "AWS::DynamoDB::Table":
        return generated;
      default:
        return `arn:aws:service:ap-southeast-1:111122223333:${generated}`;
    }
  }

  const kannel = CARRIERS.claro;
  test.each([
    ["sandboxes", "o", alike(3, { kind: "sandbox" })],
    ["Kannels", "o", alike(3, kannel)],
    ["carriers of AWS", "o", alike(3, { kind: "aws-sms" })],
    ["characters of two bytes", "õ", alike(1, kannel)],
  ])("%s", (_, character, carriers) => {
    const tooMany = ROUTES * LONGEST_NAME;
    const refusal = refusalOf(overlaysOf(carriers, character, tooMany));
    expect(refusal).toMatch(REFUSAL);
    const [, , taken, room] = REFUSAL.exec(refusal ?? "") ?? [];
    const excess = (Number(taken) - Number(room)) / Buffer.byteLength(character);
    const most = tooMany - Math.ceil(excess);
    expect(refusalOf(overlaysOf(carriers, character, most + 1))).toMatch(REFUSAL);

    const fits = synthesise(STAGE, overlaysOf(carriers, character, most)).torpedo;
    for (const name of [...LANES, "CarrierEventsFunction"]) {
      const environment = environmentOf(fits, name, (id) => longestName(fits, id));
      const bytes = Buffer.byteLength(JSON.stringify(environment));
      expect(bytes).toBeLessThanOrEqual(FOUR_KILOBYTES);
    }
  });

  test("topics, which the function that applies receipts is told", () => {
    const least = { ...overlaysOf(alike(12, { kind: "aws-sms" }), "o", 0)[STAGE] };
    const routes = [{ carrier: "carrier-0" }];
    const fits = synthesise(STAGE, { [STAGE]: { ...least, routes } }).torpedo;
    const environment = environmentOf(fits, "CarrierEventsFunction", (id) => longestName(fits, id));
    expect(Buffer.byteLength(JSON.stringify(environment))).toBeLessThanOrEqual(FOUR_KILOBYTES);
    const carriers = alike(18, { kind: "aws-sms" });
    expect(refusalOf({ [STAGE]: { ...least, carriers, routes } })).toMatch(REFUSAL);
  });
});
