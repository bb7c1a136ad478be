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
  const copy: Record<string, unknown> = { ...tree };
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
    expect(stageSchema.parse(STAGES[name])).toEqual(STAGES[name]);
    expect(resolveStage(name)).toEqual({ name, ...STAGES[name] });
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
      "throttle.rateLimit",
      "throttle.burstLimit",
      "rateLimits.requestsPerSecond",
      "rateLimits.statusQueriesPerSecond",
      "carrier.name",
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
    ["carrier", { name: "carrier-pigeon" }],
    ["alarms", { enabled: true, topicArn: "on-call" }],
  ])("beyond its limits: %s %j", (setting, value) => {
    expect(problemsOf(() => resolveStage("dev", { dev: { [setting]: value } }))).toContain(
      `stages.dev.${setting}`,
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
            name,
            ...STAGES[name],
            ...overlay,
          });
        },
      ),
    );
  });

  test("says nothing of stages that it does not name", () => {
    expect(resolveStage("prod", { dev: { statusRetentionHours: 1 }, staging: whole })).toEqual(
      resolveStage("prod"),
    );
  });

  test("adds a stage when it is given whole", () => {
    expect(resolveStage("staging", { staging: whole })).toEqual({ name: "staging", ...whole });
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
