import type { Account } from "../core/account.ts";
import type { AuthenticateUser, Caller } from "../core/authenticate.ts";
import { UnavailableError } from "../core/errors.ts";
import type { RateDecision } from "../core/rate-limit.ts";
import {
  type ApiHandler,
  type ApiRequest,
  type ApiResponse,
  MAX_BODY_BYTES,
  readJson,
} from "../runtime/http.ts";
import { errorBody } from "./answers.ts";
import {
  type Answer,
  getStatus,
  listReceived,
  listStatus,
  type OperationDependencies,
  type Run,
  searchReceived,
  searchStatus,
  sendBulkSms,
  sendSms,
} from "./operations.ts";
import { credentialsOfQuery, fieldsOfQuery } from "./schema.ts";

/** The requests per second and source address of accounts that have no limits of their own. */
export interface RateLimits {
  readonly requestsPerSecond: number;
  readonly statusQueriesPerSecond: number;
}

/** What the Wavy API needs. */
export type WavyDependencies = OperationDependencies & {
  readonly authenticate: AuthenticateUser;
  readonly rateLimit: (key: string, perSecond: number) => Promise<RateDecision>;
  readonly rateLimits: RateLimits;
};

/** Where an operation is found over HTTP. */
interface Operation {
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly run: Run;
  /** Whether it counts as a status query, of which there are fewer a second. */
  readonly isStatusQuery?: true;
  readonly maxBodyBytes?: number;
}

/** A thousand long messages are more than what suffices for everything else. */
const MAX_BULK_BODY_BYTES = 4 * MAX_BODY_BYTES;

const OPERATIONS: readonly Operation[] = [
  { method: "POST", path: "/v1/send-sms", run: sendSms },
  { method: "GET", path: "/v1/send-sms", run: sendSms },
  {
    method: "POST",
    path: "/v1/send-bulk-sms",
    run: sendBulkSms,
    maxBodyBytes: MAX_BULK_BODY_BYTES,
  },
  { method: "POST", path: "/v1/sms/status/search", run: searchStatus, isStatusQuery: true },
  { method: "GET", path: "/v1/sms/status/list", run: listStatus, isStatusQuery: true },
  { method: "GET", path: "/v1/sms-status", run: getStatus, isStatusQuery: true },
  { method: "GET", path: "/v1/sms/receive/list", run: listReceived },
  { method: "GET", path: "/v1/sms/receive/search", run: searchReceived },
];

const STATUS_OF_ERROR = {
  INVALID_REQUEST: 400,
  UNAUTHORIZED: 401,
  FORBIDDEN: 403,
  NOT_FOUND: 404,
  METHOD_NOT_ALLOWED: 405,
  PAYLOAD_TOO_LARGE: 413,
  UNSUPPORTED_MEDIA_TYPE: 415,
  TOO_MANY_REQUESTS: 429,
  INTERNAL_ERROR: 500,
  SERVICE_UNAVAILABLE: 503,
} as const;
type ErrorCode = keyof typeof STATUS_OF_ERROR;

const failure = (
  errorCode: ErrorCode,
  errorMessage: string,
  headers: Readonly<Record<string, string>> = {},
): ApiResponse => ({
  status: STATUS_OF_ERROR[errorCode],
  headers,
  body: errorBody(errorCode, errorMessage),
  log: { errorCode },
});

/** The Wavy/Sinch API. */
export function createHandler(deps: WavyDependencies): ApiHandler {
  return {
    handle: (request) => handle(deps, request),

    onError(_, error) {
      return error instanceof UnavailableError
        ? {
            ...failure("SERVICE_UNAVAILABLE", "Nothing was accepted; please try again."),
            log: { errorCode: "SERVICE_UNAVAILABLE", traceId: error.traceId },
          }
        : failure("INTERNAL_ERROR", "Something went wrong on our side.");
    },
  };
}

async function handle(deps: WavyDependencies, request: ApiRequest): Promise<ApiResponse> {
  const path = request.path.replace(/\/+$/, "");
  const here = OPERATIONS.filter((operation) => operation.path === path);
  const operation = here.find(({ method }) => method === request.method);
  const caller = await authenticate(deps, request, operation);
  const limited = await limitRate(deps, request, caller?.account, operation);
  if (limited) return limited;
  if (!caller)
    return failure("UNAUTHORIZED", "The user name or the authentication token is wrong.");
  if (!operation) {
    if (here.length === 0) return failure("NOT_FOUND", "There is no such service.");
    const allow = here.map(({ method }) => method).join(", ");
    return failure("METHOD_NOT_ALLOWED", `This service takes ${allow}.`, { allow });
  }
  const input = inputOf(request, operation);
  if ("status" in input) return input;
  const answer = await operation.run(deps, { caller, query: request.query, ...input });
  return responseTo(answer, caller);
}

/** By headers, or where a message is sent by GET by the query (supplement, section 1). */
async function authenticate(
  deps: WavyDependencies,
  { headers, query }: ApiRequest,
  operation: Operation | undefined,
): Promise<Caller | undefined> {
  const ofQuery = operation?.method === "GET" ? credentialsOfQuery(query) : undefined;
  const username = headers.username ?? ofQuery?.username;
  const token = headers.authenticationtoken ?? ofQuery?.authenticationToken;
  return username && token ? deps.authenticate(username, token) : undefined;
}

/** @returns the answer to one request too many; undefined where there is room for it */
async function limitRate(
  { rateLimit, rateLimits }: WavyDependencies,
  { sourceIp }: ApiRequest,
  account: Account | undefined,
  operation: Operation | undefined,
): Promise<ApiResponse | undefined> {
  const kinds: (keyof RateLimits)[] = operation?.isStatusQuery
    ? ["requestsPerSecond", "statusQueriesPerSecond"]
    : ["requestsPerSecond"];
  for (const kind of kinds) {
    const own = account?.rateLimits[kind];
    // With a limit of its own an account has a count of its own.
    const key =
      own === undefined ? `${kind}#${sourceIp}` : `${kind}#${sourceIp}#${account?.account}`;
    const decision = await rateLimit(key, own ?? rateLimits[kind]);
    if (!decision.allowed) {
      return failure("TOO_MANY_REQUESTS", "There are too many requests from this address.", {
        "retry-after": String(decision.retryAfterSeconds),
      });
    }
  }
  return undefined;
}

/** What an operation is asked, or the answer to a body that cannot be read. */
function inputOf(
  request: ApiRequest,
  { method, maxBodyBytes }: Operation,
): { readonly input: unknown } | ApiResponse {
  if (method === "GET") return { input: fieldsOfQuery(request.query) };
  const json = readJson(request, maxBodyBytes);
  if (json.ok) return { input: json.value };
  switch (json.problem) {
    case "too-large":
      return failure("PAYLOAD_TOO_LARGE", "The body is too large.");
    case "not-json-type":
      return failure("UNSUPPORTED_MEDIA_TYPE", "The body must be JSON in UTF-8.");
    case "empty":
      return failure("INVALID_REQUEST", "There is no body.");
    case "malformed":
      return failure("INVALID_REQUEST", "The body is not JSON.");
  }
}

function responseTo(answer: Answer, { account }: Caller): ApiResponse {
  if (!answer.ok) {
    const response = failure(answer.error, answer.problem);
    return { ...response, log: { ...response.log, account: account.account } };
  }
  return { status: 200, body: answer.body, log: { account: account.account, ...answer.log } };
}
