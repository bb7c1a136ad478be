import { asList, at, listAt, referenceOf, statementsOf, type Template } from "../infra/synth.ts";

/** A queue, as the template has it. */
export interface QueueSettings {
  readonly id: string;
  readonly visibilitySeconds: number;
  readonly redrive: { readonly queueId: string; readonly maxReceives: number } | undefined;
}

/** What feeds a function. */
export interface MappingSettings {
  readonly functionId: string;
  readonly sourceId: string;
  readonly isStream: boolean;
  readonly batchSize: number;
  /** For how long it waits for a batch to be full. */
  readonly windowSeconds: number;
  readonly maxConcurrency: number;
  /** One of these has to match a record. */
  readonly patterns: readonly unknown[];
}

/** A function: its folder, its environment, its limits. */
export interface FunctionSettings {
  readonly id: string;
  readonly capability: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  readonly memoryMegabytes: number;
  /** What its role lets it do: an action and the logical id of a resource, or of one and its index. */
  readonly permissions: readonly string[];
}

/** What of a table DynamoDB needs to know. */
export interface TableSettings {
  readonly id: string;
  readonly definition: Readonly<Record<string, unknown>>;
}

/** A rule of the bus, and the queues that get the events' details. */
export interface RuleSettings {
  readonly pattern: unknown;
  readonly queueIds: readonly string[];
}

/** What the stack consists of, as far as the fault tests play it. Everything is called by its logical id. */
export interface Topology {
  readonly tables: readonly TableSettings[];
  readonly queues: readonly QueueSettings[];
  readonly functions: readonly FunctionSettings[];
  readonly mappings: readonly MappingSettings[];
  readonly rules: readonly RuleSettings[];
}

/** What lies behind the account and region in an ARN, and behind them in a queue's URL. */
export const idOf = (arnOrUrl: string) => arnOrUrl.slice(arnOrUrl.search(/[^:/]+$/));

/** Reads the stack out of its template. @param capabilityOf the folder of a function */
export function readTopology(
  template: Template,
  capabilityOf: (functionId: string) => string,
): Topology {
  const all = (type: string) =>
    Object.entries(template.Resources)
      .filter(([, { Type }]) => Type === type)
      .map(([id, { Properties }]) => ({ id, properties: Properties }));
  const text = (value: unknown) => textOf(template, value);
  return {
    tables: all("AWS::DynamoDB::Table").map(({ id, properties }) => ({
      id,
      definition: tableDefinition(properties),
    })),
    queues: all("AWS::SQS::Queue").map(({ id, properties }) => ({
      id,
      visibilitySeconds: Number(properties.VisibilityTimeout ?? 30),
      redrive: properties.RedrivePolicy
        ? {
            queueId: reference(at(properties, "RedrivePolicy", "deadLetterTargetArn")),
            maxReceives: Number(at(properties, "RedrivePolicy", "maxReceiveCount")),
          }
        : undefined,
    })),
    functions: all("AWS::Lambda::Function").map(({ id, properties }) => ({
      id,
      capability: capabilityOf(id),
      environment: Object.fromEntries(
        Object.entries(at(properties, "Environment", "Variables") ?? {}).map(([name, value]) => [
          name,
          text(value),
        ]),
      ),
      timeoutMs: Number(properties.Timeout) * 1_000,
      memoryMegabytes: Number(properties.MemorySize ?? 128),
      permissions: permissionsOf(template, reference(properties.Role)),
    })),
    mappings: all("AWS::Lambda::EventSourceMapping").map(({ properties }) => ({
      functionId: reference(properties.FunctionName),
      sourceId: reference(properties.EventSourceArn),
      isStream: at(properties, "EventSourceArn", "Fn::GetAtt", 1) === "StreamArn",
      batchSize: Number(properties.BatchSize),
      windowSeconds: Number(properties.MaximumBatchingWindowInSeconds ?? 0),
      maxConcurrency: Number(
        at(properties, "ScalingConfig", "MaximumConcurrency") ??
          properties.ParallelizationFactor ??
          1,
      ),
      patterns: properties.FilterCriteria
        ? listAt(properties, "FilterCriteria", "Filters").map((filter) =>
            JSON.parse(String(at(filter, "Pattern"))),
          )
        : [],
    })),
    rules: all("AWS::Events::Rule").map(({ properties }) => ({
      pattern: properties.EventPattern,
      queueIds: listAt(properties, "Targets").map((target) => reference(at(target, "Arn"))),
    })),
  };
}

/** Conditions are left out: a role that may do something in some cases may do it here in all. */
function permissionsOf(template: Template, roleId: string): string[] {
  return statementsOf(template, roleId).flatMap((statement) =>
    asList(at(statement, "Action")).flatMap((action) =>
      asList(at(statement, "Resource")).map((resource) => `${action} ${resourceOf(resource)}`),
    ),
  );
}

/** The logical id of what a policy is about, with what stands behind it in the ARN. */
function resourceOf(value: unknown): string {
  const parts = at(value, "Fn::Join", 1);
  if (!Array.isArray(parts)) return typeof value === "string" ? value : reference(value);
  return parts.map((part) => (typeof part === "string" ? part : referenceOf(part))).join("");
}

function tableDefinition(properties: Readonly<Record<string, unknown>>) {
  const { AttributeDefinitions, KeySchema, BillingMode, GlobalSecondaryIndexes } = properties;
  return {
    AttributeDefinitions,
    KeySchema,
    BillingMode,
    ...(GlobalSecondaryIndexes !== undefined && { GlobalSecondaryIndexes }),
    ...(properties.StreamSpecification !== undefined && {
      StreamSpecification: { StreamEnabled: true, ...Object(properties.StreamSpecification) },
    }),
  };
}

function reference(value: unknown): string {
  const id = referenceOf(value);
  if (id === undefined) throw new Error(`this refers to nothing: ${JSON.stringify(value)}`);
  return id;
}

/** A value of the template with references replaced by names that end in the logical id. */
function textOf(template: Template, value: unknown): string {
  if (typeof value === "string") return value;
  const joined = at(value, "Fn::Join", 1);
  if (Array.isArray(joined)) return joined.map((part) => textOf(template, part)).join("");
  const id = reference(value);
  if (at(value, "Fn::GetAtt") !== undefined) return `arn:aws:played:us-east-1:000000000000:${id}`;
  return template.Resources[id]?.Type === "AWS::SQS::Queue"
    ? `https://sqs.us-east-1.amazonaws.com/000000000000/${id}`
    : id;
}
