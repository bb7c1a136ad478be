import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { createOpenApiDocument } from "../../bin/openapi.ts";
import {
  at,
  onlyResource,
  type Resource,
  referenceOf,
  resourcesOf,
  synthesise,
  type Template,
  withoutHash,
} from "./synth.ts";

const prod = synthesise("prod").torpedo;

function adminFunction(template: Template): Resource {
  const functions = resourcesOf(template, "AWS::Lambda::Function");
  const found = functions.find(([id]) => withoutHash(id) === "AdminFunction")?.[1];
  if (!found) throw new Error("there is no AdminFunction");
  return found;
}

const environmentOf = (template: Template) =>
  at(adminFunction(template).Properties, "Environment", "Variables");

test("the admin API and the document are served by one function, and nothing else is", () => {
  const integrations = resourcesOf(prod, "AWS::ApiGatewayV2::Integration").filter(
    ([, { Properties }]) =>
      withoutHash(referenceOf(Properties.IntegrationUri) ?? "") === "AdminFunction",
  );
  expect(integrations).toHaveLength(1);
  const routes = resourcesOf(prod, "AWS::ApiGatewayV2::Route").filter(([, { Properties }]) =>
    JSON.stringify(Properties.Target).includes(integrations[0]?.[0] ?? "none"),
  );
  expect(routes.map(([, { Properties }]) => Properties.RouteKey).sort()).toEqual([
    "ANY /admin",
    "ANY /admin/{proxy+}",
    "GET /openapi.json",
  ]);
  for (const [, { Properties }] of routes) expect(Properties.AuthorizationType).toBe("NONE");
});

test("it is told of the directory and of callbacks, and nothing of messages", () => {
  const told = Object.entries(environmentOf(prod) ?? {}).map(([name, value]) => [
    name,
    typeof value === "string" ? value : withoutHash(referenceOf(value) ?? ""),
  ]);
  expect(told.sort()).toEqual([
    ["ALLOW_LOOPBACK_ENDPOINTS", "false"],
    ["CALLBACKS_TABLE", "CallbacksTable"],
    ["CALLBACK_DELIVERIES_QUEUE_URL", "CallbackDeliveriesQueue"],
    ["CALLBACK_RETENTION_HOURS", "168"],
    ["CALLBACK_RETRY_QUEUE_URL", "CallbackRetriesQueue"],
    ["DIRECTORY_TABLE", "DirectoryTable"],
    ["ENDPOINT_PROTOCOLS", "https"],
  ]);
});

test.each([
  ["prod", "https", "false"],
  ["local", "https,http", "true"],
])("endpoints of stage %s speak %s, and are on this machine: %s", (stage, protocols, loopback) => {
  const { torpedo } = synthesise(stage);
  expect(at(environmentOf(torpedo), "ENDPOINT_PROTOCOLS")).toBe(protocols);
  // The same as the command line is told.
  expect(torpedo.Outputs?.EndpointProtocols?.Value).toBe(protocols);
  expect(at(environmentOf(torpedo), "ALLOW_LOOPBACK_ENDPOINTS")).toBe(loopback);
  expect(torpedo.Outputs?.EndpointLoopback?.Value).toBe(loopback);
});

test("the document lies beside the function, as its sources have it", () => {
  const built = JSON.parse(readFileSync("dist/admin/openapi.json", "utf8"));
  expect(built).toEqual(JSON.parse(JSON.stringify(createOpenApiDocument())));
  const packages = synthesise("prod").packages.filter((files) => files.includes("openapi.json"));
  expect(packages.map((files) => files.filter((file) => !file.endsWith(".mjs")))).toEqual([
    ["openapi.json"],
  ]);
});

test("there is one API", () => {
  expect(onlyResource(prod, "AWS::ApiGatewayV2::Api").Properties.Name).toBe("torpedo-prod");
});
