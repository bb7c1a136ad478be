import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { resolveStage, STAGES, StageConfigurationError, stageSchema } from "../../lib/stage.ts";

const BUILT_IN = Object.keys(STAGES);

/** Every setting there is, by path; `alarms.topicArn` is the one that may be missing. */
const whole = {
  ...STAGES.dev,
  alarms: { enabled: true, topicArn: "arn:aws:sns:sa-east-1:111122223333:on-call" },
};

type Path = readonly string[];

function leavesOf(tree: object, above: Path = []): Path[] {
  return Object.entries(tree).flatMap(([name, value]) =>
    typeof value === "object" ? leavesOf(value, [...above, name]) : [[...above, name]],
  );
}

/** A copy of a tree with something else at a path; undefined removes what is there. */
function withAt(tree: object, [name = "", ...below]: Path, value: unknown): object {
  const copy = (Array.isArray(tree) ? [...tree] : { ...tree }) as Record<string, unknown>;
  if (below.length > 0) copy[name] = withAt(copy[name] as object, below, value);
  else if (value === undefined) delete copy[name];
  else copy[name] = value;
  return copy;
}

function problemsOf(resolve: () => unknown): string {
  try {
    resolve();
  } catch (error) {
    if (error instanceof StageConfigurationError) return error.message;
    throw error;
  }
  return "no problem";
}

describe("the stages that come with Torpedo", () => {
  test.each(BUILT_IN)("%s is whole and valid", (name) => {
    const read = stageSchema.parse(STAGES[name]);
    // Carriers are the only ones that leave anything to defaults.
    expect(read).toEqual({ ...STAGES[name], carriers: read.carriers });
    expect(read.carriers).toMatchObject(STAGES[name]?.carriers ?? {});
    expect(resolveStage(name)).toEqual({ name, ...read });
  });

  test("what a stage does not say of a sandbox", () => {
    expect(resolveStage("dev").carriers).toEqual({
      sandbox: {
        kind: "sandbox",
        down: false,
        demotion: {
          failuresPercent: 50,
          receiptsAfterSeconds: 600,
          slowReceiptsPercent: 90,
          minimum: 20,
        },
      },
    });
  });

  test("there are dev, prod and local", () => {
    expect(BUILT_IN.sort()).toEqual(["dev", "local", "prod"]);
  });

  test("callbacks may leave https and the public internet in local runs only", () => {
    const relaxed = BUILT_IN.filter((name) =>
      Object.values(resolveStage(name).callbacks).includes(true),
    );
    expect(relaxed).toEqual(["local"]);
  });
});

describe("a setting that is wrong, missing or unknown names itself", () => {
  const leaves = leavesOf(whole);

  test("the paths below are all the settings there are", () => {
    expect(leaves.map((path) => path.join("."))).toEqual([
      "removalPolicy",
      "logRetentionDays",
      "alarms.enabled",
      "alarms.topicArn",
      "observability",
      "statusRetentionHours",
      "moRetentionHours",
      "concurrency.dispatch",
      "concurrency.bulkDispatch",
      "concurrency.bulk",
      "concurrency.carrierEvents",
      "concurrency.callback",
      "dispatch.maxAttempts",
      "dispatch.backoffBaseSeconds",
      "dispatch.backoffCapSeconds",
      "callbacks.allowHttp",
      "callbacks.allowLoopback",
      "callbacks.concurrencyPerEndpoint",
      "callbacks.retentionHours",
      "events",
      "throttle.rateLimit",
      "throttle.burstLimit",
      "rateLimits.requestsPerSecond",
      "rateLimits.statusQueriesPerSecond",
      "carriers.sandbox.kind",
      "routes.0.carrier",
      "operatorMemoryDays",
    ]);
  });

  test.each(leaves.map((path) => path.join(".")))("wrong: %s", (setting) => {
    for (const wrong of [null, "", -1, [], {}]) {
      const settings = withAt(whole, setting.split("."), wrong);
      expect(problemsOf(() => resolveStage("dev", { dev: settings }))).toMatch(
        new RegExp(`^stages\\.dev\\.${setting}: .+$`),
      );
    }
  });

  test.each(
    leaves.map((path) => path.join(".")).filter((setting) => setting !== "alarms.topicArn"),
  )("missing: %s", (setting) => {
    const settings = withAt(whole, setting.split("."), undefined);
    expect(problemsOf(() => resolveStage("staging", { staging: settings }))).toMatch(
      new RegExp(`^stages\\.staging\\.${setting}: .+$`),
    );
  });

  test("unknown, at any depth", () => {
    const parents = [[], ...leaves.map((path) => path.slice(0, -1))];
    fc.assert(
      fc.property(
        fc.constantFrom(...parents),
        fc.stringMatching(/^[a-z][A-Za-z]{2,12}$/),
        (parent, name) => {
          const path = [...parent, name];
          fc.pre(!leaves.some((leaf) => path.every((step, i) => leaf[i] === step)));
          const problem = problemsOf(() => resolveStage("dev", { dev: withAt(whole, path, 1) }));
          expect(problem).toContain(["stages.dev", ...parent].join("."));
          expect(problem).toContain(name);
        },
      ),
    );
  });

  test("all of them at once, a line each", () => {
    const settings = { logRetentionDays: 8, removalPolicy: "keep", colour: "red" };
    const problem = problemsOf(() => resolveStage("prod", { prod: settings }));
    expect(problem.split("\n")).toHaveLength(3);
  });

  test.each([
    ["logRetentionDays", 8],
    ["concurrency", { ...STAGES.dev?.concurrency, callback: 1 }],
    ["concurrency", { ...STAGES.dev?.concurrency, callback: 2.5 }],
    ["concurrency", { ...STAGES.dev?.concurrency, bulkDispatch: 1_001 }],
    ["concurrency", { ...STAGES.dev?.concurrency, bulk: 1 }],
    ["rateLimits", { requestsPerSecond: 700, statusQueriesPerSecond: 0.5 }],
    ["statusRetentionHours", 24 * 31 + 1],
    ["moRetentionHours", 24 * 366 + 1],
    ["callbacks", { ...STAGES.dev?.callbacks, concurrencyPerEndpoint: 51 }],
    ["callbacks", { ...STAGES.dev?.callbacks, concurrencyPerEndpoint: 0 }],
    // Retries go on for a day.
    ["callbacks", { ...STAGES.dev?.callbacks, retentionHours: 47 }],
    ["callbacks", { ...STAGES.dev?.callbacks, retentionHours: 24 * 31 + 1 }],
    ["dispatch", { ...STAGES.dev?.dispatch, backoffCapSeconds: 901 }],
    ["operatorMemoryDays", 367],
    ["alarms", { enabled: true, topicArn: "on-call" }],
  ])("beyond its limits: %s %j", (setting, value) => {
    expect(problemsOf(() => resolveStage("dev", { dev: { [setting]: value } }))).toContain(
      `stages.dev.${setting}`,
    );
  });
});

const SECRET = "arn:aws:secretsmanager:sa-east-1:111122223333:secret:torpedo/kannel-AbCdEf";
const KANNEL = { kind: "kannel", url: "http://10.0.1.7:13013/cgi-bin/sendsms", secret: SECRET };

describe("a carrier that is wrong names what is wrong with it", () => {
  /** What is said of a stage with this carrier beside the one that routes lead to. */
  const problemsWith = (name: string, settings: unknown) =>
    problemsOf(() =>
      resolveStage("dev", { dev: { carriers: { ...STAGES.dev?.carriers, [name]: settings } } }),
    );

  test.each(["sandbox-2", "0", "vivo.sp_1", "a".repeat(32)])("but not its name: %s", (name) => {
    expect(problemsWith(name, { kind: "sandbox" })).toBe("no problem");
  });

  test.each(["", "Vivo", "-vivo", ".vivo", "vivo sp", "vivo/sp", "são", "a".repeat(33)])(
    "its name: %j",
    (name) => {
      expect(problemsWith(name, { kind: "sandbox" })).toBe(
        `stages.dev.carriers.${name}: a carrier's name has 1 to 32 lower-case letters, digits, '.', '_' or '-', and begins with a letter or digit`,
      );
    },
  );

  test.each([
    ["kind", { kind: "pigeon" }],
    ["kind", { kind: "constructor" }],
    ["kind", {}],
    ["maxPerSecond", { kind: "sandbox", maxPerSecond: 0 }],
    ["maxPerSecond", { kind: "sandbox", maxPerSecond: 1.5 }],
    ["maxPerSecond", { kind: "sandbox", maxPerSecond: 10_001 }],
    ["senders", { kind: "sandbox", senders: [] }],
    ["senders.1", { kind: "sandbox", senders: ["27182", "a name of more than eleven"] }],
    ["demotion.failuresPercent", { kind: "sandbox", demotion: { failuresPercent: 101 } }],
    ["demotion.receiptsAfterSeconds", { kind: "sandbox", demotion: { receiptsAfterSeconds: 9 } }],
    ["demotion.slowReceiptsPercent", { kind: "sandbox", demotion: { slowReceiptsPercent: 0 } }],
    ["demotion.minimum", { kind: "sandbox", demotion: { minimum: 0 } }],
    ["url", { ...KANNEL, url: "kannel" }],
    ["url", { ...KANNEL, url: "http://user:word@10.0.1.7/cgi-bin/sendsms" }],
    ["secret", { ...KANNEL, secret: "s3cret" }],
    ["secret", { ...KANNEL, secret: undefined }],
    ["maxPrice", { kind: "aws-sms", maxPrice: "ten cents" }],
    ["twoWay.0", { kind: "aws-sms", twoWay: ["+5511955550100"] }],
    ["elsewhere.topicArn", { kind: "aws-sms", elsewhere: { region: "us-east-1" } }],
  ])("its setting %s: %j", (setting, settings) => {
    expect(problemsWith("vivo", settings)).toMatch(
      new RegExp(`^stages\\.dev\\.carriers\\.vivo\\.${setting}: .+$`, "m"),
    );
  });

  test.each([
    ["url", { kind: "sandbox", url: KANNEL.url }],
    ["down", { ...KANNEL, down: true }],
    ["maxPrice", { ...KANNEL, maxPrice: "0.10" }],
    ["secret", { kind: "aws-sms", secret: SECRET }],
  ])("a setting of another kind: %s, %j", (setting, settings) => {
    expect(problemsWith("vivo", settings)).toBe(
      `stages.dev.carriers.vivo: Unrecognized key: "${setting}"`,
    );
  });

  test("there is one at least", () => {
    expect(problemsOf(() => resolveStage("dev", { dev: { carriers: {} } }))).toBe(
      "stages.dev.carriers: a stage has at least one carrier",
    );
  });
});

describe("a route that is wrong names what is wrong with it", () => {
  const problemsWith = (routes: unknown) =>
    problemsOf(() => resolveStage("dev", { dev: { routes } }));
  const carrier = "sandbox";

  test.each([
    ["country", { country: "br", carrier }],
    ["country.1", { country: ["BR", "Chile"], carrier }],
    ["country", { country: [], carrier }],
    ["operator", { operator: "", carrier }],
    ["subAccount", { subAccount: 7, carrier }],
    ["lane", { lane: "express", carrier }],
    ["share", { share: 0, carrier }],
    ["share", { share: 101, carrier }],
    ["carrier", { country: "BR" }],
  ])("its setting %s: %j", (setting, route) => {
    expect(problemsWith([{ carrier }, route])).toMatch(
      new RegExp(`^stages\\.dev\\.routes\\.1\\.${setting}: .+$`),
    );
  });

  test("in words, where it may be one thing or a list of them", () => {
    expect(problemsWith([{ country: "br", carrier }])).toContain("two capital letters");
  });

  test("of which there are one to fifty", () => {
    expect(problemsWith([])).toMatch(/^stages\.dev\.routes: /);
    expect(problemsWith(Array(50).fill({ carrier }))).toBe("no problem");
    expect(problemsWith(Array(51).fill({ carrier }))).toMatch(/^stages\.dev\.routes: /);
  });

  // A word that every JavaScript object answers to is not a carrier for that.
  test("each that leads to a carrier that the stage does not have", () => {
    expect(problemsWith([{ carrier: "constructor" }, { carrier }, { carrier: "vivo" }])).toBe(
      [
        'stages.dev.routes.0.carrier: there is no carrier "constructor"',
        'stages.dev.routes.2.carrier: there is no carrier "vivo"',
      ].join("\n"),
    );
  });
});

describe("the context's `stages`", () => {
  test("changes the settings that it names and no others", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...BUILT_IN),
        fc.record(
          {
            removalPolicy: fc.constantFrom("retain", "destroy"),
            logRetentionDays: fc.constantFrom(1, 30, 365),
            observability: fc.boolean(),
            statusRetentionHours: fc.integer({ min: 1, max: 24 * 31 }),
            moRetentionHours: fc.integer({ min: 1, max: 24 * 366 }),
          },
          { requiredKeys: [] },
        ),
        (name, overlay) => {
          expect(resolveStage(name, { [name]: overlay })).toEqual({
            ...resolveStage(name),
            ...overlay,
          });
        },
      ),
    );
  });

  test("replaces a stage's carriers as a whole", () => {
    const carriers = { "sandbox-slow": { kind: "sandbox" }, vivo: KANNEL };
    const routes = [{ carrier: "vivo" }, { carrier: "sandbox-slow" }];
    const local = resolveStage("local", { local: { carriers, routes } });
    expect(Object.keys(local.carriers)).toEqual(["sandbox-slow", "vivo"]);
    // That of the stage as it comes has one.
    expect(resolveStage("local").carriers["sandbox-slow"]?.maxPerSecond).toBe(20);
    expect(local.carriers["sandbox-slow"]?.maxPerSecond).toBeUndefined();
    expect(local.routes).toEqual(routes);
  });

  test("cannot take away the carrier that a stage's routes lead to", () => {
    expect(problemsOf(() => resolveStage("prod", { prod: { carriers: { vivo: KANNEL } } }))).toBe(
      'stages.prod.routes.0.carrier: there is no carrier "sandbox"',
    );
  });

  test("says nothing of stages that it does not name", () => {
    expect(resolveStage("prod", { dev: { statusRetentionHours: 1 }, staging: whole })).toEqual(
      resolveStage("prod"),
    );
  });

  test("adds a stage when it is given whole", () => {
    expect(resolveStage("staging", { staging: whole })).toEqual({
      ...resolveStage("dev"),
      ...whole,
      carriers: resolveStage("dev").carriers,
      name: "staging",
    });
  });

  test.each(["a string", 7, null, ["dev"], { dev: "small" }, { dev: null }])(
    "is an object of settings by stage: %j",
    (overlays) => {
      expect(problemsOf(() => resolveStage("dev", overlays))).toMatch(/^stages: /);
    },
  );
});

describe("the context's `stage`", () => {
  // A word that every JavaScript object answers to is not a stage for that.
  test.each(["staging", "production", "constructor"])("%s is no stage", (name) => {
    expect(problemsOf(() => resolveStage(name, { blue: whole }))).toBe(
      `stage: there is no stage "${name}"; there are dev, prod, local, blue`,
    );
  });

  test.each(["", "Prod", "1st", "a b", "prod/../dev", "a".repeat(21), 7, null, true, {}])(
    "%j is not the name of a stage",
    (name) => {
      expect(problemsOf(() => resolveStage(name))).toMatch(/^stage: .* is not a stage's name/);
    },
  );

  test("is taken or refused with a reason, whatever it is", () => {
    const wordsAndOthers = fc.oneof(
      fc.stringMatching(/^[a-z0-9-]{1,25}$/),
      fc.string(),
      fc.constantFrom(...BUILT_IN, undefined),
      fc.array(fc.integer()),
    );
    fc.assert(
      fc.property(wordsAndOthers, (name) => {
        expect(problemsOf(() => resolveStage(name))).toMatch(/^stage: |^no problem$/);
      }),
    );
  });
});
