import { Validator } from "@seriousme/openapi-schema-validator";
import { describe, expect, it } from "vitest";
import * as z from "zod";
import type { ZodOpenApiMediaTypeObject, ZodOpenApiOperationObject } from "zod-openapi";
import { createOpenApiDocument, DESCRIPTIONS } from "../../bin/openapi.ts";
import { BASE } from "../../functions/admin/route.ts";
import { ROUTES } from "../../functions/admin/routes.ts";
import type { ApiResponse } from "../../functions/runtime/http.ts";
import {
  LONG_SMS_EXAMPLE,
  SEND_SMS_EXAMPLES,
  SEND_SMS_MULTIPLE_EXAMPLES,
} from "../support/mesago-examples.ts";
import {
  SEARCH_EXAMPLE,
  SEND_BULK_EXAMPLES,
  SEND_SMS_BODIES,
  SEND_SMS_QUERY,
} from "../support/wavy-examples.ts";
import * as mesago from "./mesago/support.ts";
import * as wavy from "./wavy/support.ts";

const document = createOpenApiDocument();

/** Each operation as its capability describes it, with its schemas. */
const OPERATIONS = DESCRIPTIONS.flatMap(({ paths = {} }) =>
  Object.entries(paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => ({
      method: method.toUpperCase(),
      path,
      operation: operation as ZodOpenApiOperationObject,
    })),
  ),
);
const NAMES = OPERATIONS.map(({ method, path }) => `${method} ${path}`);

/** The operation that a request is described by. */
const operationAt = (method: string, path: string) =>
  OPERATIONS.find(
    (it) =>
      it.method === method && new RegExp(`^${it.path.replaceAll(/\{\w+\}/g, "[^/]+")}$`).test(path),
  )?.operation;

interface Body {
  readonly where: string;
  readonly content: ZodOpenApiMediaTypeObject;
}

/** What an operation is asked and answers, as JSON. */
function bodiesOf({ requestBody, responses = {} }: ZodOpenApiOperationObject): Body[] {
  const bodies = Object.entries({ request: requestBody, ...responses });
  return bodies.flatMap(([where, body]) => {
    const content = (body as { content?: Record<string, ZodOpenApiMediaTypeObject> } | undefined)
      ?.content?.["application/json"];
    return content ? [{ where, content }] : [];
  });
}

const schemaOf = ({ schema }: ZodOpenApiMediaTypeObject) => schema as unknown as z.ZodType;

describe("the document", () => {
  it("is valid OpenAPI 3.1", async () => {
    const validator = new Validator();
    expect(await validator.validate(JSON.parse(JSON.stringify(document)))).toEqual({ valid: true });
    expect(validator.version).toBe("3.1");
    expect(() => validator.resolveRefs()).not.toThrow();
  });

  it("is the same whenever it is made, so that nothing is deployed for nothing", () => {
    expect(JSON.stringify(createOpenApiDocument())).toBe(JSON.stringify(document));
  });

  it("has no path twice, and no name of an operation", () => {
    expect(new Set(NAMES).size).toBe(NAMES.length);
    const ids = OPERATIONS.map(({ operation }) => operation.operationId);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids).not.toContain(undefined);
  });

  it("says of every operation what it is for, and whose credentials it takes", () => {
    const schemes = Object.keys(document.components?.securitySchemes ?? {});
    const tags = document.tags?.map(({ name }) => name);
    for (const { operation } of OPERATIONS) {
      expect(operation.summary).toMatch(/^[A-Z]/);
      expect(tags).toEqual(expect.arrayContaining(operation.tags ?? ["none"]));
      const named = (operation.security ?? [{ none: [] }]).flatMap((it) => Object.keys(it));
      expect(schemes).toEqual(expect.arrayContaining(named));
    }
    const open = OPERATIONS.filter(({ operation }) => operation.security?.length === 0);
    expect(open.map(({ path }) => path)).toEqual(["/api/soap", "/openapi.json"]);
  });

  it("gives Mesago's and Zenvia's fields their types", () => {
    const { schemas = {} } = document.components ?? {};
    const number = [
      { type: "string", maxLength: 100 },
      { type: "integer", minimum: 0 },
    ];
    expect(schemas).toMatchObject({
      MesagoSms: {
        required: ["destination", "messageText"],
        properties: {
          destination: { anyOf: number },
          timeWindow: { type: "array", items: { type: "integer", maximum: 23 } },
        },
      },
      ZenviaSms: {
        required: ["to", "msg"],
        properties: { to: { anyOf: number }, schedule: { type: ["string", "null"] } },
      },
      ZenviaSmsList: { required: ["sendSmsRequestList"] },
    });
  });

  it("has no pattern that validators of other languages cannot read, and says it in words", () => {
    const patterns: string[] = [];
    const descriptions: string[] = [];
    const visit = (value: unknown) => {
      if (typeof value !== "object" || value === null) return;
      const { pattern, description } = value as Record<string, unknown>;
      if (typeof pattern === "string") patterns.push(pattern);
      if (typeof description === "string") descriptions.push(description);
      Object.values(value).forEach(visit);
    };
    visit(document);
    expect(patterns.length).toBeGreaterThan(0);
    expect(patterns.filter((pattern) => /\\[pP]\{|\(\?</.test(pattern))).toEqual([]);
    for (const words of [
      /^The sub-account to send for; administrators only\. A sub-account's reference has 1 to 64 letters/,
      /^The alias of a campaign\. An alias has 1 to 64 characters, none of them '#' or a control character\.$/,
      /^An alias has 1 to 64 characters/,
      /^A sub-account's reference has 1 to 64/,
    ]) {
      expect(descriptions).toContainEqual(expect.stringMatching(words));
    }
  });

  it("says that every GET of Wavy's takes its credentials in the query, too", () => {
    for (const { method, path, operation } of OPERATIONS) {
      if (!path.startsWith("/v1/")) continue;
      const names = (operation.security ?? []).map((it) => Object.keys(it).join());
      const byQuery = method === "GET" ? ["usernameInQuery,authenticationTokenInQuery"] : [];
      expect([path, names]).toEqual([path, ["username,authenticationToken", ...byQuery]]);
    }
  });

  it("says of everything that lists or finds for Wavy's clients that it can be a sub-account's", () => {
    for (const { path, operation } of OPERATIONS) {
      if (!path.startsWith("/v1/sms")) continue;
      const query = operation.requestParams?.query as z.ZodObject | undefined;
      expect([path, Object.keys(query?.shape ?? {})]).toEqual([
        path,
        expect.arrayContaining(["subAccount"]),
      ]);
      expect(operation.responses).toHaveProperty("403");
    }
  });

  it("shows nothing that its reader cannot know the type of", () => {
    const untyped: string[] = [];
    const visit = (value: unknown, path: string) => {
      if (typeof value !== "object" || value === null) return;
      if (
        /\/properties\/\w+$/.test(path) &&
        !/"(type|anyOf|\$ref|enum|const)":/.test(JSON.stringify(value))
      ) {
        untyped.push(path);
      }
      for (const [key, inner] of Object.entries(value)) visit(inner, `${path}/${key}`);
    };
    visit(document.components?.schemas, "");
    expect(untyped).toEqual([]);
  });
});

describe("every route", () => {
  it("of the admin API is described", () => {
    const paths = ROUTES.map(({ method, path }) => `${method} ${BASE}${path}`);
    expect(NAMES).toEqual(expect.arrayContaining(paths));
    expect(NAMES.filter((name) => name.includes("/admin/"))).toHaveLength(paths.length);
  });

  const SOAP = [
    ["GET", "/api/soap"],
    ["POST", "/api/soap"],
  ] as const;

  it.each(
    [...mesago.OPERATIONS, ...wavy.OPERATIONS, ...SOAP].map(([method, path]) => [method, path]),
  )("%s %s is described", (method, path) => {
    expect(operationAt(method, path)).toBeDefined();
  });

  it.each(OPERATIONS.filter(({ path }) => !/^\/(admin|openapi)/.test(path)))(
    "$method $path is served",
    async ({ method, path }) => {
      const request = { method, path: path.replaceAll(/\{\w+\}/g, "x"), query: { wsdl: "" } };
      const { status } = path.startsWith("/v1")
        ? await new wavy.TestWavyApi().call(request)
        : await new mesago.TestApi().call(request);
      expect([404, 405]).not.toContain(status);
    },
  );

  it.each(["GET", "POST", "PUT", "PATCH", "DELETE"])("has no other methods: %s", async (method) => {
    for (const path of new Set(OPERATIONS.map((it) => it.path))) {
      if (/^\/(admin|openapi)/.test(path) || operationAt(method, path)) continue;
      const request = { method, path: path.replaceAll(/\{\w+\}/g, "x") };
      const { status } = path.startsWith("/v1")
        ? await new wavy.TestWavyApi().call(request)
        : await new mesago.TestApi().call(request);
      expect([path, status]).toEqual([path, 405]);
    }
  });
});

describe("the examples", () => {
  const bodies = OPERATIONS.flatMap(({ method, path, operation }) =>
    bodiesOf(operation).map((body) => ({ ...body, operation: `${method} ${path}` })),
  );

  it.each(bodies.filter(({ operation }) => operation !== "GET /openapi.json"))(
    "of $operation ($where) are read by its schema",
    ({ where, content }) => {
      const examples = Object.values(content.examples ?? {}) as { value: unknown }[];
      expect(examples.length).toBeGreaterThan(0);
      for (const { value } of examples) {
        const parsed = schemaOf(content).safeParse(value);
        expect(parsed.error).toBeUndefined();
        // Answers hold nothing that is not described.
        if (where !== "request") expect(parsed.data).toEqual(value);
      }
    },
  );

  it.each([
    ...Object.values(SEND_SMS_EXAMPLES).map((it) => ["/api/send-sms", it] as const),
    ["/api/send-sms", LONG_SMS_EXAMPLE] as const,
    ...Object.values(SEND_SMS_MULTIPLE_EXAMPLES).map(
      (it) => ["/api/send-sms-multiple", it] as const,
    ),
    ...SEND_SMS_BODIES.map((it) => ["/v1/send-sms", JSON.parse(it)] as const),
    ...Object.values(SEND_BULK_EXAMPLES).map((it) => ["/v1/send-bulk-sms", it] as const),
    ["/v1/sms/status/search", SEARCH_EXAMPLE] as const,
  ])("of the vendors' documents are read by the schema of %s (%#)", (path, example) => {
    const operation = operationAt("POST", path);
    const request = operation && bodiesOf(operation).find(({ where }) => where === "request");
    expect(request && schemaOf(request.content).safeParse(example)).toMatchObject({
      success: true,
    });
    expect(unknownFields(document.paths?.[path]?.post?.requestBody, example)).toEqual([]);
  });

  it("of a message in a query is read", () => {
    const query = operationAt("GET", "/v1/send-sms")?.requestParams?.query as z.ZodObject;
    expect(query.safeParse(SEND_SMS_QUERY).error).toBeUndefined();
  });
});

interface JsonSchema {
  readonly $ref?: string;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly additionalProperties?: unknown;
  readonly items?: JsonSchema;
}

/** The fields of a value that the document does not tell of. */
function unknownFields(requestBody: unknown, value: unknown): string[] {
  const { schemas = {} } = document.components ?? {};
  const visit = (schema: JsonSchema, inner: unknown, path: string): string[] => {
    const referred = schemas[schema.$ref?.split("/").at(-1) ?? ""];
    const { properties, items, additionalProperties } = (referred ?? schema) as JsonSchema;
    if (Array.isArray(inner)) return inner.flatMap((it) => visit(items ?? {}, it, `${path}[]`));
    if (typeof inner !== "object" || inner === null || additionalProperties) return [];
    return Object.entries(inner).flatMap(([name, field]) => {
      const known = properties?.[name];
      return known ? visit(known, field, `${path}.${name}`) : [`${path}.${name}`];
    });
  };
  const { content } = requestBody as { content: Record<string, { schema: JsonSchema }> };
  return visit(content["application/json"]?.schema ?? {}, value, "");
}

describe("what the handlers answer", () => {
  function expectDescribed(method: string, path: string, { status, body }: ApiResponse) {
    const operation = operationAt(method, path);
    const described =
      operation && bodiesOf(operation).find(({ where }) => where === String(status));
    expect([status, described?.where]).toEqual([status, String(status)]);
    if (described) expect(z.parse(schemaOf(described.content), body)).toEqual(body);
  }

  const BAD_BODIES: readonly [string, Buffer, string][] = [
    ["empty", Buffer.from(""), "application/json"],
    ["malformed", Buffer.from("{"), "application/json"],
    ["of another type", Buffer.from("{}"), "text/plain"],
    ["too large", Buffer.alloc(5 * 1024 * 1024, 32), "application/json"],
  ];

  describe.each([...mesago.OPERATIONS])("to %s %s is described", (method, path) => {
    const request = mesago.goodRequest(method, path);

    it("where it is done", async () => {
      const api = new mesago.TestApi();
      await api.sendSms({ correlationId: "id-1" });
      const response = await api.call(request);
      expect(response.status).toBeLessThan(300);
      expectDescribed(method, path, response);
      expectDescribed(method, path, await api.call(request));
      const unknown = { method, path: path.replace("id-1", "none") };
      expectDescribed(method, unknown.path, await api.call({ ...request, ...unknown }));
    });

    it("where it is refused", async () => {
      const api = new mesago.TestApi();
      const authorization = mesago.basic("nobody");
      expectDescribed(method, path, await api.call({ ...request, headers: { authorization } }));
      expectDescribed(method, path, await api.call({ ...request, query: { version: "2.0" } }));
      expectDescribed(method, path, await mesago.apiWithout("directory").call(request));
      expectDescribed(method, path, await mesago.apiWithout("stores", "queues").call(request));
    });

    it.each(method === "POST" && /send-sms/.test(path) ? BAD_BODIES : [])(
      "where its body is %s",
      async (_, body, type) => {
        const headers = { "content-type": type };
        const response = await new mesago.TestApi().call({ ...request, body, headers });
        expectDescribed(method, path, response);
      },
    );
  });

  describe.each([...wavy.OPERATIONS])("to %s %s is described", (method, path) => {
    const request = wavy.goodRequest(method, path);

    it("where it is done", async () => {
      const api = new wavy.TestWavyApi();
      const response = await api.call(request);
      if (path === "/v1/sms-status") expect(response.status).toBe(404);
      else expect(response.status).toBe(200);
      expectDescribed(method, path, response);
    });

    it("where it is refused", async () => {
      const api = new wavy.TestWavyApi();
      const headers = { username: "nobody" };
      expectDescribed(method, path, await api.call({ ...request, headers }));
      const limited = new wavy.TestWavyApi({
        rateLimits: { requestsPerSecond: 1, statusQueriesPerSecond: 1 },
      });
      await limited.call(request);
      const refused = await limited.call(request);
      expect(refused.status).toBe(429);
      expectDescribed(method, path, refused);
    });

    it.each(method === "POST" ? BAD_BODIES : [])("where its body is %s", async (_, body, type) => {
      const headers = { "content-type": type };
      const response = await new wavy.TestWavyApi().call({ ...request, body, headers });
      expectDescribed(method, path, response);
    });
  });
});
