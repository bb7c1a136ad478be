import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { control } from "./control.ts";
import { type HttpAnswer, type HttpRequest, jsonAnswer } from "./http.ts";
import { NullAws } from "./null-aws.ts";

const CONTROL = "/control/";

/** A null AWS that listens. */
export interface RunningNullAws {
  readonly port: number;
  close(): Promise<void>;
}

/** Starts a null AWS on a port of its own, on loopback. */
export async function startNullAws(): Promise<RunningNullAws> {
  const aws = new NullAws();
  const server = createServer((request, response) => {
    readBody(request, (body) => {
      const { method = "GET", url = "/", headers } = request;
      handle(aws, { method, url, headers, body }, response);
    });
  });
  // Connections are kept for as long as clients want them, as nobody else is here.
  server.keepAliveTimeout = 0;
  server.headersTimeout = 0;
  server.requestTimeout = 0;
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    port,
    async close() {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

function readBody(request: IncomingMessage, onBody: (body: string) => void): void {
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.once("end", () => {
    const [first] = chunks;
    const whole = chunks.length === 1 && first ? first : Buffer.concat(chunks);
    onBody(whole.toString("utf8"));
  });
}

function handle(aws: NullAws, request: HttpRequest, response: ServerResponse): void {
  try {
    if (request.url.startsWith(CONTROL)) {
      const [name = ""] = request.url.slice(CONTROL.length).split("?");
      send(response, jsonAnswer(control(aws, name, request.body)));
      return;
    }
    const { answer, delayMs, onSent } = aws.answer(request);
    const finish = () => {
      send(response, answer);
      onSent?.();
    };
    if (delayMs > 0) setTimeout(finish, delayMs);
    else finish();
  } catch (error) {
    // A mistake of whoever asks, or of ours: nothing that AWS would say.
    const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
    send(response, jsonAnswer({ __type: "NullAwsError", message }, "application/json", 501));
  }
}

function send(response: ServerResponse, { status, headers, body }: HttpAnswer): void {
  response.sendDate = false;
  response.writeHead(status, { ...headers, "content-length": Buffer.byteLength(body) });
  response.end(body);
}
