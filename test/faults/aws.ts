import { EventBridgeClient } from "@aws-sdk/client-eventbridge";
import { SchedulerClient } from "@aws-sdk/client-scheduler";
import { SQSClient } from "@aws-sdk/client-sqs";
import type { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import { awsClientConfig } from "../../functions/adapters/aws-client.ts";
import { createDocumentClient } from "../../functions/adapters/dynamodb/client.ts";
import type { WireAnswer, WireRequest } from "./aws-wire.ts";

/** The clients of all functions of all worlds; whose request it is, is found out by who makes it. */
export interface AwsClients {
  readonly dynamodb: DynamoDBDocumentClient;
  readonly sqs: SQSClient;
  readonly eventbridge: EventBridgeClient;
  readonly scheduler: SchedulerClient;
}

interface SdkRequest {
  readonly hostname: string;
  readonly method: string;
  readonly path: string;
  readonly query?: Record<string, string>;
  readonly headers: Record<string, string>;
  readonly body?: string | Uint8Array;
}

/** The operations of services that have paths instead of names. */
const OPERATION_OF_METHOD: Readonly<Record<string, string>> = {
  POST: "CreateSchedule",
  DELETE: "DeleteSchedule",
};

/** The SDK's clients with everything of theirs but the network. */
export function createAwsClients(
  answer: (request: WireRequest) => Promise<WireAnswer>,
): AwsClients {
  const config = {
    region: "us-east-1",
    credentials: { accessKeyId: "test", secretAccessKey: "test" },
    // Nobody checks it, and it takes its time.
    signer: { sign: async (request: unknown) => request },
    retryStrategy: impatient(awsClientConfig.maxAttempts),
    requestHandler: {
      handle: async (request: SdkRequest) => {
        const { status, body } = await answer(wireRequestOf(request));
        return {
          response: {
            statusCode: status,
            headers: { "content-type": "application/x-amz-json-1.0" },
            // In one piece, so that nothing is waited for that time does not know of.
            body: new TextEncoder().encode(JSON.stringify(body)),
          },
        };
      },
    } as never,
  } as object;
  return {
    dynamodb: createDocumentClient(config),
    sqs: new SQSClient(config),
    eventbridge: new EventBridgeClient(config),
    scheduler: new SchedulerClient(config),
  };
}

function wireRequestOf({
  hostname,
  method,
  path,
  query = {},
  headers,
  body,
}: SdkRequest): WireRequest {
  const text = typeof body === "string" ? body : new TextDecoder().decode(body);
  return {
    service: hostname.split(".")[0] === "events" ? "eventbridge" : (hostname.split(".")[0] ?? ""),
    operation: headers["x-amz-target"]?.split(".").at(-1) ?? OPERATION_OF_METHOD[method] ?? method,
    method,
    path,
    query,
    body: text ? JSON.parse(text) : {},
  };
}

/** Tries again like the SDK, and as often, but without a pause. */
function impatient(maxAttempts: number) {
  const tokenAfter = (retries: number) => ({
    getRetryCount: () => retries,
    getRetryDelay: () => 0,
  });
  type Token = ReturnType<typeof tokenAfter>;
  return {
    acquireInitialRetryToken: async () => tokenAfter(0),
    refreshRetryTokenForRetry: async (token: Token, { errorType }: { errorType: string }) => {
      const retries = token.getRetryCount() + 1;
      const isWorthIt = errorType === "THROTTLING" || errorType === "TRANSIENT";
      if (!isWorthIt || retries >= maxAttempts) throw new Error("no more");
      return tokenAfter(retries);
    },
    recordSuccess: () => {},
  };
}
