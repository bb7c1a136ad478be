import { cpSync } from "node:fs";
import { join } from "node:path";
import {
  type FunctionSettings,
  type MappingSettings,
  type RuleSettings,
  readTopology,
} from "../faults/topology.ts";
import { at, capabilityOf, synthesise, type Template, textOf } from "../infra/synth.ts";
import type { NullAws } from "./null-aws-client.ts";

/** The secret of the carrier, which the stage only names. */
export const CARRIER_SECRET_ARN =
  "arn:aws:secretsmanager:us-east-1:000000000000:secret:kannel-AbCdEf";
/** What the stage calls its carrier. */
export const CARRIER = "kannel";
/** From whom its messages come. */
export const SHORT_CODE = "27000";

/** A function of the stack, and where its bundle lies. */
export interface StackFunction extends FunctionSettings {
  /** Its folder; with the lane, where two functions share one. */
  readonly name: string;
  readonly bundle: string;
}

/** A way into a function over HTTP: `POST /a/{proxy+}`. */
export interface Route {
  readonly key: string;
  readonly functionId: string;
}

/** What is deployed, as far as messages find their way through it. */
export interface Stack {
  readonly functions: readonly StackFunction[];
  readonly mappings: readonly MappingSettings[];
  readonly routes: readonly Route[];
  readonly rules: readonly RuleSettings[];
  readonly queues: readonly { readonly id: string; readonly url: string; readonly arn: string }[];
  readonly tables: readonly { readonly name: string; readonly definition: object }[];
  /** What Lambda runs functions with: `nodejs24.x`. */
  readonly lambdaRuntime: string;
  /** The format of the lines that the HTTP API writes. */
  readonly accessLogFormat: string;
}

/** The stage that is measured: `prod`, with a Kannel for a carrier and endpoints on this machine. */
const overlay = (url: string) => ({
  prod: {
    carriers: {
      [CARRIER]: {
        kind: "kannel",
        url: `${url}/carrier/cgi-bin/sendsms`,
        secret: CARRIER_SECRET_ARN,
        senders: [SHORT_CODE],
      },
    },
    routes: [{ carrier: CARRIER }],
    callbacks: { allowHttp: true, allowLoopback: true },
    // Several searches in one second, which the stage would refuse.
    rateLimits: { statusQueriesPerSecond: 1_000 },
  },
});

const AWS_QUEUES = "https://sqs.us-east-1.amazonaws.com/";

/**
 * Reads the stack out of the template that would be deployed, and lays its bundles aside, where no
 * other build changes them.
 * @param directory where they go
 */
export function readStack(nullAws: Pick<NullAws, "url">, directory: string): Stack {
  const { torpedo } = synthesise("prod", overlay(nullAws.url));
  const topology = readTopology(torpedo, capabilityOf);
  const urlOf = (id: string) => `${nullAws.url}/000000000000/${id}`;
  cpSync("dist", join(directory, "dist"), { recursive: true });
  return {
    ...topology,
    functions: topology.functions.map((settings) => ({
      ...settings,
      name: nameOf(settings),
      bundle: join(directory, "dist", settings.capability, "index.mjs"),
      environment: Object.fromEntries(
        Object.entries({ ...settings.environment, AWS_ENDPOINT_URL: nullAws.url }).map(
          ([name, value]) => [name, value.replaceAll(AWS_QUEUES, `${nullAws.url}/`)],
        ),
      ),
    })),
    routes: routesOf(torpedo),
    queues: topology.queues.map(({ id }) => ({
      id,
      url: urlOf(id),
      arn: `arn:aws:played:us-east-1:000000000000:${id}`,
    })),
    tables: topology.tables.map(({ id, definition }) => ({ name: id, definition })),
    lambdaRuntime: lambdaRuntimeOf(torpedo),
    accessLogFormat: accessLogFormatOf(torpedo),
  };
}

const nameOf = ({ capability, environment }: FunctionSettings) =>
  environment.LANE === "bulk" ? `${capability}-bulk` : capability;

const resources = (template: Template, type: string) =>
  Object.values(template.Resources).filter(({ Type }) => Type === type);

function routesOf(template: Template): Route[] {
  return resources(template, "AWS::ApiGatewayV2::Route").map(({ Properties }) => {
    const integration = textOf(Properties.Target).replace("integrations/", "");
    const uri = at(template.Resources[integration], "Properties", "IntegrationUri");
    return { key: String(Properties.RouteKey), functionId: textOf(uri) };
  });
}

function lambdaRuntimeOf(template: Template): string {
  const [first] = resources(template, "AWS::Lambda::Function");
  return String(first?.Properties.Runtime);
}

function accessLogFormatOf(template: Template): string {
  const [stage] = resources(template, "AWS::ApiGatewayV2::Stage");
  return String(at(stage?.Properties, "AccessLogSettings", "Format") ?? "");
}

/**
 * The route that a request takes: the more of its path is written out, the sooner.
 * @throws Error where there is none
 */
export function routeOf(
  routes: readonly Route[],
  method: string,
  path: string,
): Route & { readonly pathParameters: Readonly<Record<string, string>> } {
  const byLength = [...routes].sort((one, other) => literal(other.key) - literal(one.key));
  for (const route of byLength) {
    const [wanted = "", pattern = ""] = route.key.split(" ");
    if (wanted !== "ANY" && wanted !== method) continue;
    const found = new RegExp(`^${patternOf(pattern)}$`).exec(path);
    if (found) return { ...route, pathParameters: { ...found.groups } };
  }
  throw new Error(`nothing takes ${method} ${path}`);
}

const literal = (key: string) => key.replace(/\{.*?\}/g, "").length;

const patternOf = (path: string) =>
  path.replace(/\{(?<name>\w+)(?<rest>\+?)\}/g, (_, name, rest) =>
    rest === "+" ? `(?<${name}>.+)` : `(?<${name}>[^/]+)`,
  );

/** The function with this name. @throws Error where there is none */
export function functionNamed(stack: Stack, name: string): StackFunction {
  const found = stack.functions.find((it) => it.name === name);
  if (!found) throw new Error(`there is no function ${name}`);
  return found;
}

/** What a function of the stack knows by this variable. @throws Error where none knows it */
export function variableOf(stack: Stack, variable: string): string {
  for (const { environment } of stack.functions) {
    const value = environment[variable];
    if (value !== undefined) return value;
  }
  throw new Error(`no function knows ${variable}`);
}
