import type { APIGatewayProxyEventV2 } from "aws-lambda";
import { type Route, routeOf } from "./stack.ts";

/** A request of a client's. */
export interface HttpRequest {
  readonly method: string;
  /** With its query, if any. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly body?: object;
}

/** The headers that API Gateway puts to those of the client. */
const GATEWAY_HEADERS = {
  accept: "*/*",
  "accept-encoding": "gzip",
  host: "a1b2c3d4e5.execute-api.us-east-1.amazonaws.com",
  "user-agent": "Apache-HttpClient/4.5.14 (Java/17.0.9)",
  "x-amzn-trace-id": "Root=1-67890abc-0123456789abcdef01234567",
  "x-forwarded-for": "203.0.113.7",
  "x-forwarded-port": "443",
  "x-forwarded-proto": "https",
};

/** A request as API Gateway's HTTP API hands it to a function (payload 2.0), and the function's id. */
export function httpEvent(
  routes: readonly Route[],
  { method, path, headers = {}, body }: HttpRequest,
  number: number,
): { readonly functionId: string; readonly event: APIGatewayProxyEventV2 } {
  const url = new URL(path, "https://gateway.example");
  const rawPath = decodeURIComponent(url.pathname);
  const { key, functionId, pathParameters } = routeOf(routes, method, rawPath);
  const text = body === undefined ? undefined : JSON.stringify(body);
  const query = Object.fromEntries(url.searchParams);
  const event: APIGatewayProxyEventV2 = {
    version: "2.0",
    routeKey: key,
    rawPath,
    rawQueryString: url.search.slice(1),
    headers: {
      ...GATEWAY_HEADERS,
      ...(text !== undefined && {
        "content-type": "application/json",
        "content-length": String(Buffer.byteLength(text)),
      }),
      ...headers,
    },
    ...(Object.keys(query).length > 0 && { queryStringParameters: query }),
    pathParameters,
    requestContext: {
      accountId: "000000000000",
      apiId: "a1b2c3d4e5",
      domainName: "a1b2c3d4e5.execute-api.us-east-1.amazonaws.com",
      domainPrefix: "a1b2c3d4e5",
      http: {
        method,
        path: rawPath,
        protocol: "HTTP/1.1",
        sourceIp: "203.0.113.7",
        userAgent: GATEWAY_HEADERS["user-agent"],
      },
      requestId: `Q${String(number).padStart(14, "0")}=`,
      routeKey: key,
      stage: "$default",
      time: "22/Nov/2026:11:31:00 +0000",
      timeEpoch: 1_795_347_060_000,
    },
    ...(text !== undefined && { body: text }),
    isBase64Encoded: false,
  };
  return { functionId, event };
}

/** What the placeholders of an access log's format stand for, each as long as it is on average. */
const ACCESS_LOG_VALUES: Readonly<Record<string, string>> = {
  "$context.requestId": "Q00000000000000=",
  "$context.requestTimeEpoch": "1795347060000",
  "$context.identity.sourceIp": "203.0.113.7",
  "$context.status": "200",
  "$context.responseLatency": "37",
  "$context.integrationErrorMessage": "-",
};

/** How long the line is that the HTTP API writes of a request, in bytes. */
export function accessLogBytes(format: string, routeKey: string): number {
  const line = format.replace(/\$context\.[\w.]+/g, (name) =>
    name === "$context.routeKey" ? routeKey : (ACCESS_LOG_VALUES[name] ?? "-"),
  );
  return Buffer.byteLength(line) + 1;
}
