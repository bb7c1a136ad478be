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

test("it is told of the directory, and nothing of messages and queues", () => {
  expect(Object.keys(environmentOf(prod) ?? {}).sort()).toEqual([
    "DIRECTORY_TABLE",
    "ENDPOINT_PROTOCOLS",
    "POWERTOOLS_LOG_LEVEL",
  ]);
  const table = at(environmentOf(prod), "DIRECTORY_TABLE");
  expect(withoutHash(referenceOf(table) ?? "")).toBe("DirectoryTable");
});

test.each([
  ["prod", "https"],
  ["local", "https,http"],
])("endpoints of stage %s speak %s", (stage, protocols) => {
  const { torpedo } = synthesise(stage);
  expect(at(environmentOf(torpedo), "ENDPOINT_PROTOCOLS")).toBe(protocols);
  // The same as the command line is told.
  expect(torpedo.Outputs?.EndpointProtocols?.Value).toBe(protocols);
});

test("the document lies beside the function, as its sources have it", () => {
  const built = JSON.parse(readFileSync("dist/admin/openapi.json", "utf8"));
  expect(built).toEqual(JSON.parse(JSON.stringify(createOpenApiDocument())));
  expect(synthesise("prod").packages).toContainEqual(["index.mjs", "openapi.json"]);
});

test("there is one API", () => {
  expect(onlyResource(prod, "AWS::ApiGatewayV2::Api").Properties.Name).toBe("torpedo-prod");
});
