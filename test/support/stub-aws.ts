import { Readable } from "node:stream";

/** A request as the SDK put it on the wire: its operation, path and JSON body. */
export interface WireRequest {
  readonly target: string | undefined;
  readonly method: string;
  readonly path: string;
  readonly body: Record<string, unknown>;
}

/** What a stubbed service answers. */
export interface WireResponse {
  readonly status?: number;
  readonly headers?: Record<string, string>;
  readonly body?: unknown;
}

interface SdkRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Record<string, string>;
  readonly body?: string | Uint8Array;
}

/**
 * Configuration of an SDK client whose requests go nowhere but into `requests`, serialised as
 * they would go to AWS, and are answered by `respond`.
 */
export function stubbedAws(respond: (request: WireRequest) => WireResponse = () => ({})) {
  const requests: WireRequest[] = [];
  const config = {
    region: "us-east-1",
    credentials: { accessKeyId: "test", secretAccessKey: "test" },
    maxAttempts: 1,
    requestHandler: {
      handle: async ({ method, path, headers, body }: SdkRequest) => {
        const text = typeof body === "string" ? body : new TextDecoder().decode(body);
        const request = {
          target: headers["x-amz-target"],
          method,
          path,
          body: text ? JSON.parse(text) : {},
        };
        requests.push(request);
        const { status = 200, headers: answered = {}, body: answer = {} } = respond(request);
        const content = JSON.stringify(answer);
        return {
          response: {
            statusCode: status,
            headers: { "content-type": "application/x-amz-json-1.0", ...answered },
            body: Readable.from([Buffer.from(content)]),
          },
        };
      },
    },
  };
  // The SDK's handler type asks for far more than a client uses.
  return { requests, config: config as typeof config & { requestHandler: never } };
}
