import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from "aws-lambda";
import { describeError, type Log } from "./telemetry.ts";

/** The largest request body that is read where nothing else is said, in bytes. */
export const MAX_BODY_BYTES = 1024 * 1024;

/** A request to a dialect. */
export interface ApiRequest {
  readonly method: string;
  /** Decoded once, with a slash in front. */
  readonly path: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly query: Readonly<Record<string, string | undefined>>;
  readonly body: Buffer;
  /** The address that the request came from. */
  readonly sourceIp: string;
}

/** A dialect's answer. A `body` that is a text is sent as it stands, anything else as JSON. `log` is what the invocation's line in the log says of it. */
export interface ApiResponse {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: unknown;
  readonly log?: Readonly<Record<string, unknown>>;
}

/** Answers requests of one dialect; whatever it throws is answered by `onError`. */
export interface ApiHandler {
  handle(request: ApiRequest): Promise<ApiResponse>;
  onError(request: ApiRequest, error: unknown): ApiResponse;
}

/**
 * Wraps a dialect as a Lambda function behind an HTTP API (payload 2.0): one line in the log per
 * request, JSON answers, and no error that leaves the function as anything but an answer.
 */
export function createHttpFunction(handler: ApiHandler, log: Log) {
  return async (event: APIGatewayProxyEventV2): Promise<APIGatewayProxyStructuredResultV2> => {
    const request = requestOf(event);
    const start = Date.now();
    const response = await handler.handle(request).catch((error) => {
      log.error("request failed", describeError(error));
      return handler.onError(request, error);
    });
    log.info("request", {
      method: request.method,
      status: response.status,
      ms: Date.now() - start,
      requestId: event.requestContext.requestId,
      ...response.log,
    });
    return {
      statusCode: response.status,
      headers: { "content-type": "application/json; charset=utf-8", ...response.headers },
      body: typeof response.body === "string" ? response.body : JSON.stringify(response.body),
    };
  };
}

function requestOf(event: APIGatewayProxyEventV2): ApiRequest {
  return {
    method: event.requestContext.http.method,
    path: pathOf(event),
    headers: Object.fromEntries(
      Object.entries(event.headers).map(([name, value]) => [name.toLowerCase(), value]),
    ),
    query: event.queryStringParameters ?? {},
    sourceIp: event.requestContext.http.sourceIp,
    body: Buffer.from(event.body ?? "", event.isBase64Encoded ? "base64" : "utf8"),
  };
}

/**
 * The path, from the route's `{proxy+}` where it has one. API Gateway decodes it before it gets
 * here, all but an encoded percent sign.
 */
function pathOf({ pathParameters, routeKey, rawPath }: APIGatewayProxyEventV2): string {
  const proxy = pathParameters?.proxy;
  const route = routeKey.split(" ").at(-1) ?? "";
  const path = proxy === undefined ? rawPath : route.replace("{proxy+}", () => proxy);
  return path.replaceAll("%25", "%");
}

/** A body that should have been JSON: its value, or what is wrong with it. */
export type JsonBody =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly problem: "too-large" | "not-json-type" | "empty" | "malformed" };

const JSON_TYPE = /^application\/(?:[\w.-]+\+)?json\s*(?:;|$)/i;
const CHARSET = /;\s*charset\s*=\s*"?(?<charset>[\w-]+)/i;

const UTF_8 = /^(?:utf-?8|us-ascii)$/i;

/** Whether a name of an encoding is that of UTF-8, or of ASCII, which is a part of it. */
export function isUtf8(encoding: string): boolean {
  return UTF_8.test(encoding);
}

/** Whether a content type leaves room for UTF-8. */
export function isUtf8Type(type: string): boolean {
  return isUtf8(CHARSET.exec(type)?.groups?.charset ?? "utf-8");
}

/** JSON is UTF-8 (RFC 8259). */
const isJsonType = (type: string) => JSON_TYPE.test(type) && isUtf8Type(type);

/** Reads a request's body as JSON. A missing content type is taken for JSON; a wrong one is not. */
export function readJson({ headers, body }: ApiRequest, maxBytes = MAX_BODY_BYTES): JsonBody {
  const type = headers["content-type"];
  if (body.length > maxBytes) return { ok: false, problem: "too-large" };
  if (type !== undefined && !isJsonType(type)) return { ok: false, problem: "not-json-type" };
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(body);
    if (text.trim() === "") return { ok: false, problem: "empty" };
    return { ok: true, value: JSON.parse(text) };
  } catch {
    return { ok: false, problem: "malformed" };
  }
}

/** The user and password of a Basic `Authorization` header, or undefined where it has none (RFC 7617). */
export function basicCredentials(
  header: string | undefined,
): { user: string; password: string } | undefined {
  const encoded = /^basic\s+(?<token>[A-Za-z0-9+/=_-]+)\s*$/i.exec(header ?? "")?.groups?.token;
  if (!encoded) return undefined;
  const decoded = Buffer.from(encoded, "base64").toString("utf8");
  const colon = decoded.indexOf(":");
  if (colon < 0) return undefined;
  return { user: decoded.slice(0, colon), password: decoded.slice(colon + 1) };
}

/** Of Lambda's 6 MB, what a list may take of an answer. */
const MAX_LIST_BYTES = 5 * 1024 * 1024;

/** The first of many things, as they are answered, as far as an answer of Lambda's can hold them: it is JSON within JSON. */
export function fitting<T, R>(things: readonly T[], describe: (thing: T) => R): R[] {
  const described: R[] = [];
  let room = MAX_LIST_BYTES;
  for (const thing of things) {
    const description = describe(thing);
    room -= Buffer.byteLength(JSON.stringify(JSON.stringify(description)));
    if (room < 0) break;
    described.push(description);
  }
  return described;
}
