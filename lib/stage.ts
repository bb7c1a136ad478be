import * as z from "zod";
import { carriersSchema, routesSchema } from "../functions/adapters/carriers/env.ts";
import { eventChoiceSchema } from "../functions/status-events/env.ts";

/** The retentions that CloudWatch Logs knows, in days. */
const LOG_RETENTION_DAYS = [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731] as const;

/** How many copies of a function may work on its queue at once; 2 is the least that Lambda takes. */
const concurrency = z.number().int().min(2).max(1_000);

/** Everything in which one stage differs from another. */
export const stageSchema = z.strictObject({
  /** What becomes of the tables when the stack is deleted. */
  removalPolicy: z.enum(["retain", "destroy"]),
  logRetentionDays: z.literal(LOG_RETENTION_DAYS),
  alarms: z.strictObject({
    enabled: z.boolean(),
    /** An SNS topic that alarms are sent to; without one they only show in CloudWatch. */
    topicArn: z
      .string()
      .regex(/^arn:[\w-]+:sns:[a-z0-9-]+:\d{12}:[\w.-]+$/, "expected the ARN of an SNS topic")
      .optional(),
  }),
  /** Whether to deploy the second stack: dashboard, saved queries, alarms over several metrics. */
  observability: z.boolean(),
  /** How long a message can be asked about after it was accepted or due. */
  statusRetentionHours: z
    .number()
    .min(1)
    .max(24 * 31),
  /** How long an MO can be listed and searched for after it came in. */
  moRetentionHours: z
    .number()
    .min(1)
    .max(24 * 366),
  concurrency: z.strictObject({
    /** The lane of single messages. */
    dispatch: concurrency,
    /** The lane of bulk requests. */
    bulkDispatch: concurrency,
    /** What makes messages out of bulk requests. */
    bulk: concurrency,
    carrierEvents: concurrency,
    callback: concurrency,
  }),
  /** Hand-overs that meet a transient failure. */
  dispatch: z.strictObject({
    maxAttempts: z.number().int().min(1).max(100),
    backoffBaseSeconds: z.number().min(0.1).max(900),
    backoffCapSeconds: z.number().min(1).max(900),
  }),
  callbacks: z.strictObject({
    /** What the URLs of endpoints may be, beyond public https. */
    allowHttp: z.boolean(),
    allowLoopback: z.boolean(),
    /** How many requests may be under way to one endpoint. */
    concurrencyPerEndpoint: z.number().int().min(1).max(50),
    /** How long it is known what endpoints were told; longer than retries go on. */
    retentionHours: z
      .number()
      .min(48)
      .max(24 * 31),
  }),
  /**
   * Which changes of messages go on the bus: `told`, those that customers can be told of; `final`,
   * last words only; `every`. MOs always do (docs/events.md).
   */
  events: eventChoiceSchema,
  /** Mail to the owners of endpoints that were disabled; a stage without it sends none. */
  notices: z
    .strictObject({
      /** The address that it comes from. SES has to know it, or its domain, in the stage's region. */
      from: z.email().max(254),
    })
    .optional(),
  /** Requests per second over the whole API, and how far bursts may exceed them. */
  throttle: z.strictObject({
    rateLimit: z.number().int().positive(),
    burstLimit: z.number().int().positive(),
  }),
  /** What one caller may do in a second. */
  rateLimits: z.strictObject({
    requestsPerSecond: z.number().int().positive(),
    statusQueriesPerSecond: z.number().int().positive(),
  }),
  /** What messages leave through, by the name that receipts and routes call it by (docs/carriers.md). */
  carriers: carriersSchema,
  /** Which carrier a message goes to, for accounts that have no routes of their own. */
  routes: routesSchema,
  /** For how many days the operators that carriers name are remembered of phones; 0 for not at all. */
  operatorMemoryDays: z.number().min(0).max(366),
});
type StageSettings = z.output<typeof stageSchema>;
type WrittenStage = z.input<typeof stageSchema>;

/** A stage: its name, and everything in which it differs from others. */
export interface Stage extends StageSettings {
  readonly name: string;
}

const dev: WrittenStage = {
  removalPolicy: "destroy",
  logRetentionDays: 7,
  alarms: { enabled: false },
  observability: false,
  statusRetentionHours: 24,
  moRetentionHours: 120,
  concurrency: { dispatch: 5, bulkDispatch: 5, bulk: 2, carrierEvents: 5, callback: 5 },
  dispatch: { maxAttempts: 12, backoffBaseSeconds: 5, backoffCapSeconds: 900 },
  callbacks: {
    allowHttp: false,
    allowLoopback: false,
    concurrencyPerEndpoint: 2,
    retentionHours: 24 * 7,
  },
  events: "told",
  throttle: { rateLimit: 1_000, burstLimit: 2_000 },
  rateLimits: { requestsPerSecond: 700, statusQueriesPerSecond: 1 },
  carriers: { sandbox: { kind: "sandbox" } },
  routes: [{ carrier: "sandbox" }],
  operatorMemoryDays: 0,
};

/** The stages that come with Torpedo; `stages` in the context of cdk.json changes them and adds others. */
export const STAGES: Readonly<Record<string, WrittenStage>> = {
  dev,
  prod: {
    ...dev,
    removalPolicy: "retain",
    logRetentionDays: 90,
    alarms: { enabled: true },
    observability: true,
    concurrency: { dispatch: 50, bulkDispatch: 50, bulk: 10, carrierEvents: 50, callback: 50 },
    callbacks: { ...dev.callbacks, concurrencyPerEndpoint: 20 },
    throttle: { rateLimit: 5_000, burstLimit: 5_000 },
  },
  local: {
    ...dev,
    logRetentionDays: 1,
    dispatch: { maxAttempts: 5, backoffBaseSeconds: 1, backoffCapSeconds: 10 },
    callbacks: {
      ...dev.callbacks,
      allowHttp: true,
      allowLoopback: true,
      concurrencyPerEndpoint: 3,
    },
    carriers: {
      sandbox: { kind: "sandbox" },
      /** For trying out routes: a second one that works, one that does not, and a slow one. */
      "sandbox-2": { kind: "sandbox" },
      "sandbox-down": { kind: "sandbox", down: true },
      "sandbox-slow": { kind: "sandbox", maxPerSecond: 20 },
    },
    operatorMemoryDays: 1,
  },
};

/** A stage that cannot be deployed as it is configured; the message names the setting. */
export class StageConfigurationError extends Error {
  override readonly name = "StageConfigurationError";
}

const STAGE_NAME = /^[a-z][a-z0-9-]{0,19}$/;

/**
 * The configuration of a stage: the one that comes with Torpedo, overlaid setting by setting with
 * what the context says of it. A stage that Torpedo does not know must be given whole.
 *
 * @param name the context's `stage`
 * @param overlays the context's `stages`: an object of partial settings by stage name
 * @throws StageConfigurationError that names each setting that is wrong, missing or unknown
 */
export function resolveStage(name: unknown, overlays: unknown = {}): Stage {
  const stageName = z.string().regex(STAGE_NAME).safeParse(name);
  if (!stageName.success) {
    throw new StageConfigurationError(
      `stage: ${JSON.stringify(name)} is not a stage's name: up to 20 lower-case letters, digits and dashes`,
    );
  }
  const byName = z.record(z.string(), z.record(z.string(), z.unknown())).safeParse(overlays);
  if (!byName.success) {
    throw new StageConfigurationError("stages: expected an object of settings by stage name");
  }
  const known = own(STAGES, stageName.data);
  const overlay = own(byName.data, stageName.data);
  if (!known && !overlay) {
    const names = [...new Set([...Object.keys(STAGES), ...Object.keys(byName.data)])];
    throw new StageConfigurationError(
      `stage: there is no stage "${stageName.data}"; there are ${names.join(", ")}`,
    );
  }
  const settings = stageSchema.safeParse(overlaid(known ?? {}, overlay ?? {}));
  if (!settings.success) {
    const problems = settings.error.issues.map(
      (issue) => `stages.${[stageName.data, ...issue.path].join(".")}: ${reasonOf(issue)}`,
    );
    throw new StageConfigurationError(problems.join("\n"));
  }
  assertRoutesLead(stageName.data, settings.data);
  return { name: stageName.data, ...settings.data };
}

/** What is wrong; with a name, or with what may be one thing or another, what the rules for it say. */
function reasonOf(issue: z.core.$ZodIssue): string {
  if (issue.code === "invalid_key") return issue.issues.map(reasonOf).join("; ");
  if (issue.code !== "invalid_union" || issue.errors.length === 0) return issue.message;
  return issue.errors.flat().map(reasonOf).join("; or ");
}

/** @throws StageConfigurationError for a route to a carrier that the stage does not have */
function assertRoutesLead(stage: string, { carriers, routes }: StageSettings): void {
  const problems = routes.flatMap(({ carrier }, index) =>
    Object.hasOwn(carriers, carrier)
      ? []
      : [`stages.${stage}.routes.${index}.carrier: there is no carrier "${carrier}"`],
  );
  if (problems.length > 0) throw new StageConfigurationError(problems.join("\n"));
}

const own = <T>(table: Readonly<Record<string, T>>, name: string): T | undefined =>
  Object.hasOwn(table, name) ? table[name] : undefined;

const isGroup = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Setting by setting, also within groups; the carriers are others as a whole. */
function overlaid(
  base: Readonly<Record<string, unknown>>,
  overlay: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const merged = Object.entries(overlay).map(([name, value]) => {
    const known = own(base, name);
    const merges = name !== "carriers" && isGroup(known) && isGroup(value);
    return [name, merges ? { ...known, ...value } : value];
  });
  return { ...base, ...Object.fromEntries(merged) };
}
