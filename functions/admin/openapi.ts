import * as z from "zod";
import type {
  ZodOpenApiObject,
  ZodOpenApiOperationObject,
  ZodOpenApiResponseObject,
} from "zod-openapi";
import { type ErrorCode, STATUS_OF_ERROR } from "./errors.ts";
import { EXAMPLES } from "./examples.ts";
import { DOCUMENT_PATH } from "./handler.ts";
import { BASE, type Route } from "./route.ts";
import { ROUTES } from "./routes.ts";
import { errorAnswer, PATH_PARAMETERS, type PathParameter } from "./schema.ts";

const TAG = "Administration";
/** Both of the first, or the second. */
const SECURITY = [{ username: [], authenticationToken: [] }, { basicUser: [] }];

const json = (schema: z.ZodType, example?: unknown) => ({
  "application/json": {
    schema,
    ...(example !== undefined && { examples: { example: { value: example } } }),
  },
});

const WORDS: Readonly<Record<ErrorCode, string>> = {
  INVALID_REQUEST: "What is asked for is not possible; the message says why.",
  UNAUTHORIZED: "Nobody's credentials.",
  FORBIDDEN: "Not those of an administrator, or only the operator may do this.",
  NOT_FOUND: "There is no such thing in the account.",
  METHOD_NOT_ALLOWED: "Not with this method.",
  CONFLICT:
    "There is one already, something belongs to it, it is the last active administrator, the endpoint is disabled, or somebody else is changing it.",
  PAYLOAD_TOO_LARGE: "The body is larger than 1 MiB.",
  UNSUPPORTED_MEDIA_TYPE: "The body is not JSON.",
  INTERNAL_ERROR: "An error of ours.",
  SERVICE_UNAVAILABLE: "Not possible right now; to be tried again.",
};

/** Each refusal, by its code. */
const REFUSALS = new Map(
  Object.entries(WORDS).map(([code, words]): [string, ZodOpenApiResponseObject] => [
    code,
    {
      id: `AdminError${STATUS_OF_ERROR[code as ErrorCode]}`,
      description: words,
      content: json(errorAnswer, { errorCode: code, errorMessage: words }),
    },
  ]),
);

/** With which errors a route can answer. */
function errorsOf({ method, path, body }: Route): ErrorCode[] {
  const onOne = path.includes("{");
  return [
    "INVALID_REQUEST",
    "UNAUTHORIZED",
    "FORBIDDEN",
    // Bodies and queries name sub-accounts, too.
    "NOT_FOUND",
    ...(method !== "GET" && (body || onOne) ? (["CONFLICT"] as const) : []),
    ...(body ? (["PAYLOAD_TOO_LARGE", "UNSUPPORTED_MEDIA_TYPE"] as const) : []),
    "INTERNAL_ERROR",
    "SERVICE_UNAVAILABLE",
  ];
}

const SUCCESS: Readonly<Record<Route["status"], string>> = {
  200: "As it is now.",
  201: "Created.",
  202: "On its way.",
  204: "Done.",
};

function success({ status, answer, name, located }: Route): [string, ZodOpenApiResponseObject] {
  return [
    String(status),
    {
      description: SUCCESS[status],
      ...(answer && { content: json(answer, EXAMPLES[name]?.answer) }),
      ...(located && {
        headers: z.object({ location: z.string().meta({ description: "Where it is." }) }),
      }),
    },
  ];
}

function operationOf(route: Route): ZodOpenApiOperationObject {
  const { name, summary, path, query, body, bodyOptional } = route;
  const parameters = [...path.matchAll(/\{(\w+)\}/g)].map(([, parameter]) => parameter);
  return {
    operationId: `admin${name.charAt(0).toUpperCase()}${name.slice(1)}`,
    summary,
    tags: [TAG],
    security: SECURITY,
    requestParams: {
      ...(parameters.length > 0 && {
        path: z.object(
          Object.fromEntries(parameters.map((it) => [it, PATH_PARAMETERS[it as PathParameter]])),
        ),
      }),
      ...(query && { query }),
    },
    ...(body && {
      requestBody: { required: !bodyOptional, content: json(body, EXAMPLES[name]?.body) },
    }),
    responses: Object.fromEntries([
      success(route),
      ...errorsOf(route).map((code) => [STATUS_OF_ERROR[code], REFUSALS.get(code)]),
    ]),
  };
}

const documentOperation: ZodOpenApiOperationObject = {
  operationId: "getOpenApiDocument",
  summary: "Shows this document",
  tags: [TAG],
  security: [],
  responses: {
    "200": {
      description: "OpenAPI 3.1, of all APIs.",
      content: json(z.looseObject({ openapi: z.string() })),
    },
  },
};

/** The admin API, for the OpenAPI document. */
export const description = {
  tags: [
    {
      name: TAG,
      description:
        "What administrators of an account manage themselves. Everything is within their own account.",
    },
  ],
  components: {
    securitySchemes: {
      username: {
        type: "apiKey",
        in: "header",
        name: "username",
        description: "A user's name or e-mail address.",
      },
      authenticationToken: {
        type: "apiKey",
        in: "header",
        name: "authenticationtoken",
        description: "The user's token.",
      },
      basicUser: {
        type: "http",
        scheme: "basic",
        description: "A user's name and authentication token.",
      },
    },
  },
  paths: {
    ...Object.fromEntries(
      [...new Set(ROUTES.map(({ path }) => path))].map((path) => [
        `${BASE}${path}`,
        Object.fromEntries(
          ROUTES.filter((route) => route.path === path).map((route) => [
            route.method.toLowerCase(),
            operationOf(route),
          ]),
        ),
      ]),
    ),
    [DOCUMENT_PATH]: { get: documentOperation },
  },
} satisfies Partial<ZodOpenApiObject>;
