import { once } from "node:events";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { connect, isIP, type Socket, type TcpNetConnectOpts } from "node:net";
import { performance } from "node:perf_hooks";
import { connect as connectTls } from "node:tls";
import type { WebhookClient, WebhookRequest } from "../../core/ports.ts";
import { isPublicAddress, isPublicHost } from "../../core/public-address.ts";
import { createResolve, type Resolve } from "./resolver.ts";

/** What a stage allows of callbacks. `timeoutMs` spans the whole exchange. */
export interface WebhookPolicy {
  readonly allowHttp: boolean;
  readonly allowLoopback: boolean;
  readonly timeoutMs: number;
}

/** The way to the world. */
interface Network {
  readonly resolve: Resolve;
  readonly connect: (options: TcpNetConnectOpts) => Socket;
  /** Whom to trust, in PEM, instead of those that Node does. */
  readonly ca?: string;
}

const MAX_ANSWER_BYTES = 1_024;
/** What the body of an answer may take after its head, which is all that counts. */
const BODY_MS = 1_000;
/** Before the next address of a name is tried beside it; longer than a way around the world. */
const ADDRESS_MS = 1_000;

/** There is nobody that we may talk to at this URL; `message` is a word for a machine. */
class RefusedError extends Error {
  override readonly name = "RefusedError";
}

type Answer = { readonly status: number; readonly answer: string; readonly retryAfter?: string };

/**
 * HTTP to customers' URLs: public addresses only, HTTPS unless the stage allows otherwise, no
 * redirects (a 3xx is an answer like any other), no proxies, nothing decompressed.
 *
 * Each request has a connection of its own, made to an address that has been judged just before,
 * and judged again when it stands: a name that changes its mind in between gains nothing, and
 * nothing is written to who has not been judged (docs/decisions/0016).
 */
export function createWebhookClient(
  policy: WebhookPolicy,
  network: Network = { resolve: createResolve(), connect },
): WebhookClient {
  async function exchange(request: WebhookRequest, signal: AbortSignal): Promise<Answer> {
    const target = allowedUrl(request.url, policy);
    const hostname = target.hostname.replace(/^\[(.*)\]$/, "$1");
    const addresses = isIP(hostname)
      ? [hostname]
      : await unlessAborted(network.resolve(hostname, signal), signal);
    for (const address of addresses) assertAllowedAddress(address, policy);
    const socket = network.connect({
      host: hostname,
      port: Number(target.port) || (target.protocol === "https:" ? 443 : 80),
      lookup: (_, options, callback) => {
        const [first, ...others] = addresses.map((address) => ({ address, family: isIP(address) }));
        if (!first) return callback(new Error("the name has no address"), []);
        if (options.all) return callback(null, [first, ...others]);
        return callback(null, first.address, first.family);
      },
      autoSelectFamily: true,
      autoSelectFamilyAttemptTimeout: ADDRESS_MS,
    });
    return using(socket, async () => {
      await once(socket, "connect", { signal });
      assertAllowedAddress(socket.remoteAddress ?? "", policy);
      if (target.protocol === "http:") return converse(socket, target, request, signal);
      const secured = connectTls({
        socket,
        host: hostname,
        ...(!isIP(hostname) && { servername: hostname.replace(/\.$/, "") }),
        ALPNProtocols: ["http/1.1"],
        rejectUnauthorized: true,
        ...(network.ca && { ca: network.ca }),
      });
      return using(secured, async () => {
        await once(secured, "secureConnect", { signal });
        return converse(secured, target, request, signal);
      });
    });
  }

  return {
    async send(request) {
      const start = performance.now();
      const durationMs = () => Math.round(performance.now() - start);
      const limit = new AbortController();
      const timer = setTimeout(() => limit.abort(), policy.timeoutMs);
      try {
        const answer = await exchange(request, limit.signal);
        return { kind: "answered", ...answer, durationMs: durationMs() };
      } catch (error) {
        if (error instanceof RefusedError) {
          return { kind: "refused", cause: error.message, durationMs: durationMs() };
        }
        const cause = limit.signal.aborted ? "timeout" : causeOf(error);
        return { kind: "failed", cause, durationMs: durationMs() };
      } finally {
        clearTimeout(timer);
      }
    },
  };
}

/** @throws RefusedError where the URL itself is none that we may talk to */
function allowedUrl(url: string, policy: WebhookPolicy): URL {
  if (!URL.canParse(url)) throw new RefusedError("invalid-url");
  const target = new URL(url);
  const protocols = policy.allowHttp ? ["https:", "http:"] : ["https:"];
  if (!protocols.includes(target.protocol)) throw new RefusedError("forbidden-protocol");
  if (target.username || target.password) throw new RefusedError("forbidden-credentials");
  if (!isPublicHost(target.hostname, policy)) throw new RefusedError("forbidden-address");
  return target;
}

function assertAllowedAddress(address: string, policy: WebhookPolicy): void {
  if (!isPublicAddress(address, policy)) throw new RefusedError("forbidden-address");
}

/** Whatever `work` does and however late the socket fails, it is gone afterwards. */
async function using<T>(socket: Socket, work: () => Promise<T>): Promise<T> {
  socket.on("error", () => {});
  try {
    return await work();
  } finally {
    socket.destroy();
  }
}

async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const aborted = once(signal, "abort").then(() => signal.throwIfAborted());
  return (await Promise.race([work, aborted])) as T;
}

/** One request and its answer, over a connection that is closed afterwards. */
function converse(
  socket: Socket,
  target: URL,
  { method, headers, body }: WebhookRequest,
  signal: AbortSignal,
): Promise<Answer> {
  const content = body === undefined ? undefined : Buffer.from(body);
  return new Promise((resolve, reject) => {
    const request = httpRequest({
      createConnection: () => socket,
      method,
      path: `${target.pathname}${target.search}`,
      headers: {
        "user-agent": "Torpedo",
        "accept-encoding": "identity",
        ...headers,
        ...(content && { "content-length": content.length }),
        host: target.host,
      },
      signal,
    });
    // From here on nothing else decides: what comes after the head changes nothing.
    request.on("response", (response) => resolve(readAnswer(response)));
    request.on("error", reject);
    // An answer such as 101 ends the connection with neither a response nor an error.
    request.on("close", () => reject(new Error("the connection closed without an answer")));
    request.end(content);
  });
}

/** An answer with the beginning of its body, as far as that comes soon. */
function readAnswer(response: IncomingMessage): Promise<Answer> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let missing = MAX_ANSWER_BYTES;
    const finish = () => {
      clearTimeout(timer);
      const retryAfter = response.headers["retry-after"];
      resolve({
        status: response.statusCode ?? 0,
        answer: textOf(Buffer.concat(chunks)),
        ...(retryAfter !== undefined && { retryAfter }),
      });
    };
    const timer = setTimeout(finish, BODY_MS);
    response.on("data", (chunk: Buffer) => {
      chunks.push(chunk.subarray(0, missing));
      missing -= Math.min(missing, chunk.length);
      if (missing === 0) finish();
    });
    response.on("error", finish);
    response.on("close", finish);
  });
}

/** Bytes as text; a character that is cut off at the end is left out. */
const textOf = (bytes: Buffer) => new TextDecoder().decode(bytes, { stream: true });

/** A word for a machine, never anything that the other side has said. */
function causeOf(error: unknown): string {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  return /^[A-Z][A-Z0-9_]*$/.test(code) ? code : "no-answer";
}
