import type { DynamoDBClientConfig } from "@aws-sdk/client-dynamodb";
import type { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import { createDocumentClient } from "../../functions/adapters/dynamodb/client.ts";
import { impatient } from "./simulated-table.ts";

/**
 * A client that loses the first answer to each of its writes, whether it took effect or not: the
 * SDK then asks again by itself, and what took effect meets its own traces.
 */
export function createForgetfulClient(config: DynamoDBClientConfig): DynamoDBDocumentClient {
  const client = createDocumentClient({ ...config, retryStrategy: impatient });
  const lost = new WeakSet<object>();
  client.middlewareStack.add(
    (next, context) => async (args) => {
      const isWrite = /^(?:Put|Update|Delete)Item/.test(context.commandName ?? "");
      if (!isWrite || lost.has(context)) return next(args);
      lost.add(context);
      await next(args).catch(() => undefined);
      throw Object.assign(new Error("the answer is lost"), { $retryable: {} });
    },
    // Behind the middleware that tries again.
    { name: "loseFirstAnswer", step: "finalizeRequest", priority: "low" },
  );
  return client;
}
