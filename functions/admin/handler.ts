import { ConflictError, InvalidRequestError } from "../core/accounts.ts";
import type { AuthenticateUser, Caller } from "../core/authenticate.ts";
import { UnavailableError } from "../core/errors.ts";
import {
  type ApiHandler,
  type ApiRequest,
  type ApiResponse,
  basicCredentials,
  readJson,
} from "../runtime/http.ts";
import { ApiError, type ErrorCode, STATUS_OF_ERROR } from "./errors.ts";
import { type AdministrationDependencies, BASE, type Route } from "./route.ts";
import { ROUTES } from "./routes.ts";

/** What the admin API needs. */
export interface AdminDependencies extends AdministrationDependencies {
  readonly authenticateUser: AuthenticateUser;
  /** The OpenAPI document of all APIs, as the build left it. */
  readonly openApiDocument: () => object;
}

/** Where the OpenAPI document is, for everybody. */
export const DOCUMENT_PATH = "/openapi.json";

/** What a parameter is in a path: all that is left where it may hold slashes. */
const PARAMETER_PATTERNS: Readonly<Record<string, string>> = { alias: "(?<alias>.+)" };

const SERVED = ROUTES.map((route) => {
  const pattern = route.path.replace(
    /\{(\w+)\}/g,
    (_, name: string) => PARAMETER_PATTERNS[name] ?? `(?<${name}>[^/]+)`,
  );
  return { route, pattern: new RegExp(`^${BASE}${pattern}/?$`, "s") };
});

/** What is wrong with a body, as HTTP says it, and in words for who writes the client. */
const ANSWER_TO_BODY = {
  "too-large": ["PAYLOAD_TOO_LARGE", "The body is larger than 1 MiB."],
  "not-json-type": [
    "UNSUPPORTED_MEDIA_TYPE",
    "The Content-Type must be application/json, in UTF-8.",
  ],
  empty: ["INVALID_REQUEST", "The body is empty."],
  malformed: ["INVALID_REQUEST", "The body is not JSON in UTF-8."],
} as const;

const CHALLENGE = { "www-authenticate": 'Basic realm="SMS administration", charset="UTF-8"' };

/** The admin API, and the OpenAPI document of all APIs. */
export function createHandler(deps: AdminDependencies): ApiHandler {
  return {
    async handle(request) {
      if (request.path === DOCUMENT_PATH) return serveDocument(deps, request);
      const here = SERVED.filter(({ pattern }) => pattern.test(request.path));
      const served = here.find(({ route }) => route.method === request.method);
      if (!served) return wrongRoute(here.map(({ route }) => route.method));
      const { route, pattern } = served;
      let log: Record<string, unknown> = { route: `${route.method} ${BASE}${route.path}` };
      try {
        const { account } = await authorised(deps, request);
        log = { ...log, account: account.account };
        const answer = await route.handle(deps, {
          account: account.account,
          params: { ...pattern.exec(request.path)?.groups },
          query: request.query,
          body: readBody(route, request),
        });
        return { ...answer, log };
      } catch (error) {
        const refusal = refusalOf(error);
        return { ...refusal, log: { ...log, ...refusal.log } };
      }
    },

    onError(_, error) {
      if (error instanceof UnavailableError) {
        return refused("SERVICE_UNAVAILABLE", "This is not possible right now; try again.");
      }
      return refused("INTERNAL_ERROR", "Something went wrong on our side.");
    },
  };
}

/** An active administrator of an active account. @throws ApiError for anybody else */
async function authorised(
  { authenticateUser }: AdminDependencies,
  request: ApiRequest,
): Promise<Caller> {
  const given = credentialsOf(request);
  const caller = given && (await authenticateUser(given.user, given.password));
  if (!caller) {
    throw new ApiError("UNAUTHORIZED", "These are nobody's user name and authentication token.");
  }
  if (caller.user.role === "admin") return caller;
  throw new ApiError("FORBIDDEN", "Only administrators may do this.");
}

/** As the Wavy API has them, or as Basic authentication. */
function credentialsOf({ headers }: ApiRequest) {
  const { username: user, authenticationtoken: password } = headers;
  if (user !== undefined && password !== undefined) return { user, password };
  return basicCredentials(headers.authorization);
}

function readBody({ body, bodyOptional }: Route, request: ApiRequest): unknown {
  const mayBeEmpty = bodyOptional || !body;
  // Whatever type clients say that nothing is of.
  if (mayBeEmpty && request.body.length === 0) return {};
  const json = readJson(request);
  if (json.ok) return json.value;
  if (mayBeEmpty && json.problem === "empty") return {};
  if (!body) throw new ApiError("INVALID_REQUEST", "No body is expected here.");
  const [code, message] = ANSWER_TO_BODY[json.problem];
  throw new ApiError(code, message);
}

/** @throws whatever this is no refusal of */
function refusalOf(error: unknown): ApiResponse {
  if (error instanceof ConflictError) return refused("CONFLICT", error.message);
  if (error instanceof InvalidRequestError) return refused("INVALID_REQUEST", error.message);
  if (!(error instanceof ApiError)) throw error;
  const refusal = refused(error.code, error.message);
  return error.code === "UNAUTHORIZED" ? { ...refusal, headers: CHALLENGE } : refusal;
}

function refused(errorCode: ErrorCode, errorMessage: string): ApiResponse {
  return {
    status: STATUS_OF_ERROR[errorCode],
    body: { errorCode, errorMessage },
    log: { errorCode },
  };
}

/** An unknown path, or a known one with a method it does not have. */
function wrongRoute(methods: readonly string[]): ApiResponse {
  if (methods.length === 0) return refused("NOT_FOUND", "There is nothing at this path.");
  const allow = methods.join(", ");
  return { ...refused("METHOD_NOT_ALLOWED", `Here there is ${allow}.`), headers: { allow } };
}

function serveDocument({ openApiDocument }: AdminDependencies, request: ApiRequest): ApiResponse {
  const log = { route: `GET ${DOCUMENT_PATH}` };
  if (request.method !== "GET") return { ...wrongRoute(["GET"]), log };
  return {
    status: 200,
    body: { ...openApiDocument(), servers: [{ url: originOf(request) }] },
    log,
  };
}

/** Where the client found us, which is where it should call. */
function originOf({ headers }: ApiRequest): string {
  return `${headers["x-forwarded-proto"] ?? "http"}://${headers.host ?? "localhost"}`;
}
