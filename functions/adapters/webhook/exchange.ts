import { type ClientRequest, request as httpRequest, type IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import { StringDecoder } from "node:string_decoder";
import type { WebhookRequest } from "../../core/ports.ts";
import type { TimeLimit } from "./time-limit.ts";

/** What the other side said. */
export interface Answer {
  readonly status: number;
  /** The first 1,024 bytes of the body, as far as they came. */
  readonly answer: string;
  /** As the header says it. */
  readonly retryAfter?: string;
}

/** How an exchange ended. */
export interface Exchange {
  readonly answer: Answer;
  /** Whether both sides have said all that they had to, and would say more on this connection. */
  readonly isFree: boolean;
  /** For how long the server says that it keeps the connection, in milliseconds; else infinite. */
  readonly serverKeepsMs: number;
}

const MAX_ANSWER_BYTES = 1_024;
/** Up to here a body is read and forgotten, which costs less than another connection would. */
const MAX_BODY_BYTES = 16_384;
/** What the body of an answer may take after its head, which is all that counts. */
const BODY_MS = 1_000;

/**
 * Headers that say where a request ends or what becomes of its connection. A request that brings
 * one is the last on its connection, so that nobody's next request is taken for a part of it.
 */
const FRAMING =
  /^(?:connection|content-length|transfer-encoding|te|trailer|upgrade|keep-alive|expect)$/i;

/**
 * One request and its answer. The caller closes the socket unless it is free afterwards.
 * @throws whatever Node has to say where no answer came
 */
export function exchange(
  socket: Socket,
  target: URL,
  { method, headers, body }: WebhookRequest,
  limit: TimeLimit,
): Promise<Exchange> {
  return new Promise((resolve, reject) => {
    let isAnswered = false;
    const request = httpRequest({
      createConnection: () => socket,
      method,
      path: `${target.pathname}${target.search}`,
      headers: {
        "user-agent": "Torpedo",
        "accept-encoding": "identity",
        ...headers,
        ...(body !== undefined && { "content-length": Buffer.byteLength(body) }),
        connection: Object.keys(headers).some((name) => FRAMING.test(name))
          ? "close"
          : "keep-alive",
        host: target.host,
      },
    });
    limit.gives(() => request.destroy());
    // From here on nothing else decides: what comes after the head changes nothing.
    request.on("response", (response) => {
      isAnswered = true;
      readAnswer(socket, request, response, resolve);
    });
    request.on("error", (error) => {
      if (!isAnswered) reject(error);
    });
    request.on("close", () => {
      // An answer such as 101 ends the connection with neither a response nor an error.
      if (!isAnswered) reject(new Error("the connection closed without an answer"));
    });
    // As a string it leaves together with the head, in one write.
    request.end(body);
  });
}

/** Finishes with an answer and the beginning of its body, as far as that comes soon. */
function readAnswer(
  socket: Socket,
  request: ClientRequest,
  response: IncomingMessage,
  finish: (exchange: Exchange) => void,
): void {
  const chunks: Buffer[] = [];
  let seen = 0;
  let isFinished = false;
  const end = (isFree: boolean) => {
    if (isFinished) return;
    isFinished = true;
    clearTimeout(timer);
    socket.removeListener("free", endFree);
    const { statusCode = 0, headers } = response;
    const answer = { status: statusCode, answer: textOf(chunks) };
    const retryAfter = headers["retry-after"];
    finish({
      answer: retryAfter === undefined ? answer : { ...answer, retryAfter },
      isFree,
      serverKeepsMs: keepsMs(headers["keep-alive"]),
    });
  };
  const endFree = () => end(true);
  const endUsed = () => end(false);
  const cut = () => {
    end(false);
    request.destroy();
  };
  const timer = setTimeout(cut, BODY_MS);
  response.on("data", (chunk: Buffer) => {
    if (seen < MAX_ANSWER_BYTES) chunks.push(chunk.subarray(0, MAX_ANSWER_BYTES - seen));
    seen += chunk.length;
    if (seen > MAX_BODY_BYTES) cut();
  });
  // Node says so before the answer closes, where the answer was read to its end, the request was
  // written to its end, and both sides want to go on.
  socket.once("free", endFree);
  response.on("error", endUsed);
  response.on("close", endUsed);
}

/** What `Keep-Alive: timeout=5, max=100` says, in milliseconds. */
function keepsMs(keepAlive: string | string[] | undefined): number {
  const seconds = keepAlive && /\btimeout=(\d+)/i.exec(String(keepAlive))?.[1];
  return seconds ? Number(seconds) * 1_000 : Number.POSITIVE_INFINITY;
}

/** Bytes as text; a character that is cut off at the end is left out. */
function textOf(chunks: readonly Buffer[]): string {
  if (chunks.length === 0) return "";
  return new StringDecoder("utf8").write(Buffer.concat(chunks));
}
