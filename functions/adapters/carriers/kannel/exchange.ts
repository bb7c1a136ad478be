import { type ClientRequest, Agent as HttpAgent, request as httpRequest } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import { urlToHttpOptions } from "node:url";

/** What became of a request: an answer, or the certainty that nothing of it has left. */
export type Exchange =
  | { readonly kind: "answered"; readonly status: number; readonly body: string }
  | { readonly kind: "not-sent"; readonly cause: string };

/**
 * A request that may have arrived, and has no answer that says what came of it. The message is a
 * word for a machine, never anything that the other side has said.
 */
export class UnclearAnswerError extends Error {
  override readonly name = "UnclearAnswerError";
}

/** A request to be posted; `timeoutMs` spans the whole exchange. */
export interface Post {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly timeoutMs: number;
}

/** @throws UnclearAnswerError where it may have arrived all the same */
export type Exchanges = (post: Post) => Promise<Exchange>;

/**
 * A Kannel that cannot be connected to in this time is away. Dispatch goes on with another carrier
 * within the first two seconds only.
 */
const CONNECT_MS = 1_500;
/** More than any answer of Kannel's. */
const MAX_ANSWER_BYTES = 4_096;

/**
 * HTTP to one URL. Each request has a connection of its own. One that has been used before can
 * have ended unnoticed, above all while a function was frozen, and then nobody could say whether a
 * request has arrived; nor could an answer that comes twice be told from that to the next request.
 */
export function createExchanges(url: string): Exchanges {
  // Once for all requests, each of which would make the same of the URL.
  const target = urlToHttpOptions(new URL(url));
  const open =
    target.protocol === "https:"
      ? { request: httpsRequest, agent: new HttpsAgent(), ready: "secureConnect" }
      : { request: httpRequest, agent: new HttpAgent(), ready: "connect" };

  return ({ headers, body, timeoutMs }) =>
    new Promise((resolve, reject) => {
      const request = open.request({
        ...target,
        agent: open.agent as HttpsAgent,
        method: "POST",
        headers: { ...headers, "content-length": Buffer.byteLength(body) },
      });
      let isConnected = false;
      let isOver = false;
      const connecting = giveUpAfter(request, Math.min(CONNECT_MS, timeoutMs));
      const whole = giveUpAfter(request, timeoutMs);
      const finish = () => {
        isOver = true;
        clearTimeout(connecting);
        clearTimeout(whole);
      };
      const fail = (error: Error) => {
        finish();
        const cause = causeOf(error);
        if (isConnected) reject(new UnclearAnswerError(cause));
        else resolve({ kind: "not-sent", cause });
      };
      request.on("socket", (socket) =>
        socket.once(open.ready, () => {
          isConnected = true;
          clearTimeout(connecting);
        }),
      );
      request.on("error", fail);
      request.on("response", (response) => {
        const chunks: Buffer[] = [];
        let missing = MAX_ANSWER_BYTES;
        response.on("data", (chunk: Buffer) => {
          chunks.push(chunk.subarray(0, missing));
          missing -= Math.min(missing, chunk.length);
          if (missing === 0) request.destroy(new TooLongError());
        });
        response.on("error", fail);
        response.on("end", () => {
          finish();
          const text = Buffer.concat(chunks).toString("utf8");
          resolve({ kind: "answered", status: response.statusCode ?? 0, body: text });
        });
      });
      // The last word, where there was no other: an answer that breaks off may end with no error.
      request.on("close", () => {
        if (!isOver) fail(new ClosedError());
      });
      request.end(body);
    });
}

class TimeoutError extends Error {
  override readonly name = "TimeoutError";
}

class TooLongError extends Error {
  override readonly name = "TooLongError";
}

class ClosedError extends Error {
  override readonly name = "ClosedError";
}

const giveUpAfter = (request: ClientRequest, ms: number) =>
  setTimeout(() => request.destroy(new TimeoutError()), ms);

/** Without the error's message, which may quote the other side. */
function causeOf(error: Error): string {
  const code = "code" in error ? error.code : undefined;
  return typeof code === "string" ? code : error.name;
}
