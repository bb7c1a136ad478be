import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { performance } from "node:perf_hooks";
import type { WebhookClient, WebhookRequest } from "../../core/ports.ts";
import { assertAllowedHost, guardedLookup } from "./addresses.ts";

/** What a stage allows of callbacks. `timeoutMs` spans the whole exchange. */
export interface WebhookPolicy {
  readonly allowHttp: boolean;
  readonly allowLoopback: boolean;
  readonly timeoutMs: number;
}

/**
 * HTTP to customers' URLs: public addresses only, HTTPS unless the stage allows otherwise, no
 * redirects (a 3xx is an answer like any other), no answer read beyond its status.
 */
export function createWebhookClient(policy: WebhookPolicy): WebhookClient {
  const lookup = guardedLookup(policy.allowLoopback);

  function exchange({ method, url, headers, body }: WebhookRequest): Promise<number> {
    const target = new URL(url);
    if (target.protocol !== "https:" && !policy.allowHttp) {
      throw new Error("only https is allowed");
    }
    assertAllowedHost(target.hostname, policy.allowLoopback);
    const content = body === undefined ? undefined : Buffer.from(body);
    return new Promise((resolve, reject) => {
      const open = target.protocol === "https:" ? httpsRequest : httpRequest;
      const request = open(target, {
        method,
        headers: { ...headers, ...(content && { "content-length": content.length }) },
        lookup,
        signal: AbortSignal.timeout(policy.timeoutMs),
      });
      request.on("response", (response) => {
        resolve(response.statusCode ?? 0);
        response.destroy();
      });
      request.on("error", reject);
      // An answer such as 101 ends the connection with neither a response nor an error.
      request.on("close", () => reject(new Error("the connection closed without an answer")));
      request.end(content);
    });
  }

  return {
    async send(request) {
      const start = performance.now();
      const durationMs = () => Math.round(performance.now() - start);
      try {
        const status = await exchange(request);
        return { kind: "answered", status, durationMs: durationMs() };
      } catch (error) {
        return { kind: "failed", cause: causeOf(error), durationMs: durationMs() };
      }
    },
  };
}

function causeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === "TimeoutError" || error.name === "AbortError") return "timeout";
  return "code" in error ? String(error.code) : error.message;
}
