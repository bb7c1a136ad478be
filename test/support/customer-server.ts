import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import {
  type AddressInfo,
  createServer as createTcpServer,
  type Socket,
  type Server as TcpServer,
} from "node:net";
import { onTestFinished } from "vitest";

interface Received {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

type Listener = (request: IncomingMessage, response: ServerResponse) => void;

/** A customer's server on loopback, until the test ends. */
export async function serve(
  respond: (response: ServerResponse) => void = (response) => response.writeHead(204).end(),
  create: (listener: Listener) => Server = (listener) => createServer(listener),
) {
  const received: Received[] = [];
  const connections: Socket[] = [];
  const server = create(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const { method, url, headers } = request;
    received.push({ method, url, headers, body: Buffer.concat(chunks).toString("utf8") });
    respond(response);
  });
  server.on("connection", (socket) => connections.push(socket));
  const port = await listen(server);
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { received, connections, port, url: `http://127.0.0.1:${port}/callback` };
}

/** A server on loopback that says what it likes, until the test ends. */
export async function serveRaw(talk: (socket: Socket) => void) {
  const connections: Socket[] = [];
  const server = createTcpServer((socket) => {
    connections.push(socket);
    socket.on("error", () => {});
    talk(socket);
  });
  const port = await listen(server);
  onTestFinished(() => {
    for (const socket of connections) socket.destroy();
    server.close();
  });
  return { connections, port, url: `http://127.0.0.1:${port}/callback` };
}

/** A port of loopback at which nobody listens. */
export async function closedPort(): Promise<number> {
  const server = createTcpServer();
  const port = await listen(server);
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function listen(server: TcpServer): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as AddressInfo).port;
}
