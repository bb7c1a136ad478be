import { connect } from "node:net";
import { performance } from "node:perf_hooks";
import type { WebhookClient, WebhookRequest } from "../../core/ports.ts";
import { isPublicAddress } from "../../core/public-address.ts";
import { type Connection, createOpenConnection, type Network } from "./connection.ts";
import { type Answer, exchange } from "./exchange.ts";
import { createIdleConnections } from "./idle-connections.ts";
import { allowedUrl, RefusedError, type WebhookPolicy } from "./judgement.ts";
import { createResolve } from "./resolver.ts";
import { createTimeLimit, type TimeLimit } from "./time-limit.ts";

/**
 * HTTP to customers' URLs: public addresses only, HTTPS unless the stage allows otherwise, no
 * redirects (a 3xx is an answer like any other), no proxies, nothing decompressed.
 *
 * A connection is made to an address that has been judged just before, and judged again when it
 * stands. It is kept for a few seconds for the next request to the same protocol, host name and
 * port, and its other end judged before each: a name that changes its mind gains nothing, and
 * nothing is written to who has not been judged (docs/decisions/0016).
 */
export function createWebhookClient(
  policy: WebhookPolicy,
  network: Network = { resolve: createResolve(), connect },
): WebhookClient {
  const open = createOpenConnection(policy, network);
  const idle = createIdleConnections(({ socket }) =>
    isPublicAddress(socket.remoteAddress ?? "", policy),
  );

  async function converse(
    connection: Connection,
    target: URL,
    request: WebhookRequest,
    limit: TimeLimit,
  ): Promise<Answer> {
    let isKept = false;
    try {
      const { answer, isFree, serverKeepsMs } = await exchange(
        connection.socket,
        target,
        request,
        limit,
      );
      if (isFree) idle.keep(connection, serverKeepsMs);
      isKept = isFree;
      return answer;
    } finally {
      if (!isKept) connection.socket.destroy();
    }
  }

  async function converseAnew(
    target: URL,
    request: WebhookRequest,
    limit: TimeLimit,
  ): Promise<Answer> {
    const opening = new AbortController();
    limit.gives(() => opening.abort());
    return converse(await open(target, opening.signal), target, request, limit);
  }

  async function answerTo(request: WebhookRequest, limit: TimeLimit): Promise<Answer> {
    const target = allowedUrl(request.url, policy);
    const kept = idle.take(target.origin);
    if (!kept) return converseAnew(target, request, limit);
    const heardBefore = kept.socket.bytesRead;
    try {
      return await converse(kept, target, request, limit);
    } catch (error) {
      // Most likely the server has closed it just now, as servers do with idle connections.
      if (limit.isOver || kept.socket.bytesRead > heardBefore) throw error;
      return converseAnew(target, request, limit);
    }
  }

  return {
    async send(request) {
      const start = performance.now();
      const durationMs = () => Math.round(performance.now() - start);
      const limit = createTimeLimit(policy.timeoutMs);
      try {
        const answer = await answerTo(request, limit);
        return { kind: "answered", ...answer, durationMs: durationMs() };
      } catch (error) {
        if (error instanceof RefusedError) {
          return { kind: "refused", cause: error.message, durationMs: durationMs() };
        }
        const cause = limit.isOver ? "timeout" : causeOf(error);
        return { kind: "failed", cause, durationMs: durationMs() };
      } finally {
        limit.clear();
      }
    },
  };
}

/** A word for a machine, never anything that the other side has said. */
function causeOf(error: unknown): string {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  return /^[A-Z][A-Z0-9_]*$/.test(code) ? code : "no-answer";
}
