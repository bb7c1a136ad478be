import { createServer as createHttpsServer } from "node:https";
import { connect, type Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { describe, expect, it } from "vitest";
import { createWebhookClient } from "../../../functions/adapters/webhook/webhook-client.ts";
import type { WebhookRequest } from "../../../functions/core/ports.ts";
import { createCertificate } from "../../support/certificate.ts";
import { serve, serveRaw } from "../../support/customer-server.ts";

const loopback = async () => ["127.0.0.1"];
const createClient = (timeoutMs = 60_000, resolve: () => Promise<string[]> = loopback) =>
  createWebhookClient({ allowHttp: true, allowLoopback: true, timeoutMs }, { resolve, connect });

/** A client, and its ends of its connections. */
function createWatchedClient() {
  const sockets: Socket[] = [];
  const client = createWebhookClient(
    { allowHttp: true, allowLoopback: true, timeoutMs: 60_000 },
    {
      resolve: loopback,
      connect: (options) => {
        const socket = connect(options);
        sockets.push(socket);
        return socket;
      },
    },
  );
  return { client, sockets };
}

const post = (url: string): WebhookRequest => ({ method: "POST", url, headers: {}, body: "{}" });
const answered = { kind: "answered" };

const OK = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

/** A server that has one thing to say to each request, whichever connection it comes by. */
async function serveInTurn(...turns: ((socket: Socket) => void)[]) {
  const requests: number[] = [];
  const server = await serveRaw((socket) => {
    const number = server.connections.length;
    socket.on("data", () => {
      requests.push(number);
      turns.shift()?.(socket);
    });
  });
  return { ...server, requests };
}
const say = (text: string) => (socket: Socket) => socket.write(text);
const hangUp = (socket: Socket) => socket.destroy();
const areClosed = ({ connections }: { connections: readonly Socket[] }) =>
  connections.map(({ closed }) => closed);

describe("a connection", () => {
  it("is used again for the same origin, whatever the path and the method", async () => {
    const { received, connections, port } = await serve();
    const client = createClient();
    const url = `http://callbacks.example.org:${port}`;
    await client.send(post(`${url}/a`));
    await client.send({ method: "GET", url: `${url}/b?c=d`, headers: {} });
    for (let count = 1; count <= 20; count += 1) await client.send(post(`${url}/e`));
    expect(connections).toHaveLength(1);
    expect(received).toHaveLength(22);
    expect(new Set(received.map(({ headers }) => headers.connection))).toEqual(
      new Set(["keep-alive"]),
    );
  });

  it("is not used for another host name, though it has the same address", async () => {
    const { connections, port } = await serve();
    const client = createClient();
    for (const name of ["a.example.org", "b.example.org", "a.example.org.", "127.0.0.1"]) {
      await client.send(post(`http://${name}:${port}/`));
    }
    expect(connections).toHaveLength(4);
  });

  it("is not shared by requests at the same time, of which ten leave theirs", async () => {
    const server = await serve((response) => setTimeout(() => response.writeHead(204).end(), 50));
    const client = createClient();
    const some = () => Promise.all(Array.from({ length: 15 }, () => client.send(post(server.url))));
    expect(await some()).toEqual(Array(15).fill(expect.objectContaining(answered)));
    await expect.poll(() => areClosed(server).filter((it) => !it)).toHaveLength(10);
    await some();
    expect(server.connections).toHaveLength(20);
  });

  it("collects no listeners", async () => {
    const { url } = await serve();
    const { client, sockets } = createWatchedClient();
    const counts = () =>
      sockets.map((socket) => socket.eventNames().map((event) => socket.listenerCount(event)));
    await client.send(post(url));
    const before = counts();
    for (let count = 1; count <= 20; count += 1) await client.send(post(url));
    expect(counts()).toEqual(before);
  });

  it("is closed after a while", async () => {
    const server = await serve((response) =>
      response.writeHead(204, { "keep-alive": "timeout=2, max=5" }).end(),
    );
    await createClient().send(post(server.url));
    await expect.poll(() => areClosed(server), { timeout: 5_000 }).toEqual([true]);
  });

  it.each([
    ["Content-Length", "0"],
    ["transfer-encoding", "chunked"],
    ["TE", "trailers"],
    ["Upgrade", "h2c"],
    ["expect", "100-continue"],
    ["Connection", "keep-alive"],
  ])("is closed after a request that says itself where it ends, by %s", async (name, value) => {
    const server = await serveInTurn(say(OK), say(OK));
    const client = createClient();
    const request = { method: "GET", url: server.url, headers: { [name]: value } } as const;
    for (let count = 1; count <= 2; count += 1) {
      expect(await client.send(request)).toMatchObject(answered);
    }
    expect(server.requests).toEqual([1, 2]);
  });
});

describe("a connection is not used again", () => {
  const notAgain = async (first: (socket: Socket) => void) => {
    const server = await serveInTurn(first, say(OK));
    const client = createClient();
    expect(await client.send(post(server.url))).toMatchObject(answered);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(await client.send(post(server.url))).toMatchObject({ status: 200, answer: "ok" });
    expect(server.requests).toEqual([1, 2]);
    await expect.poll(() => areClosed(server)[0]).toBe(true);
  };

  it.each([
    ["says so", "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok"],
    ["speaks HTTP/1.0", "HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nok"],
    ["keeps it for a second", `HTTP/1.1 204 None\r\nkeep-alive: timeout=1\r\n\r\n`],
    ["has a large body", `HTTP/1.1 200 OK\r\ncontent-length: 90000\r\n\r\n${"x".repeat(90_000)}`],
    ["drips its body", "HTTP/1.1 200 OK\r\ncontent-length: 90000\r\n\r\nslowly"],
    ["ends by the connection", "HTTP/1.1 200 OK\r\n\r\nok"],
    ["is two answers", `${OK}${OK}`],
    ["is followed by what is none", `${OK}more`],
  ])("where the answer %s", (_, text) => notAgain(say(text)));

  it("where more follows later that nobody has asked for", () =>
    notAgain((socket) => {
      socket.write(OK);
      setTimeout(() => socket.write(OK), 10);
    }));

  it("where the server has closed it", () =>
    notAgain((socket) => {
      socket.end(OK);
    }));

  it("where the answer came before the request was written", async () => {
    const server = await serveRaw((socket) => {
      socket.once("data", () => {
        socket.pause();
        socket.write(OK);
      });
    });
    const { client, sockets } = createWatchedClient();
    const large = { ...post(server.url), body: "x".repeat(50_000_000) };
    expect(await client.send(large)).toMatchObject(answered);
    expect(sockets.map(({ destroyed }) => destroyed)).toEqual([true]);
    expect(await client.send(post(server.url))).toMatchObject(answered);
    expect(server.connections).toHaveLength(2);
  });

  it("but it is after a body that is longer than what is kept of it", async () => {
    const { connections, url } = await serve((response) => response.end("x".repeat(5_000)));
    const client = createClient();
    for (let count = 1; count <= 2; count += 1) {
      expect(await client.send(post(url))).toMatchObject({ answer: "x".repeat(1_024) });
    }
    expect(connections).toHaveLength(1);
  });
});

describe("a connection that breaks", () => {
  it("when it is used again makes way for another, once", async () => {
    const server = await serveInTurn(say(OK), hangUp, say(OK), hangUp, hangUp);
    const client = createClient();
    for (let count = 1; count <= 2; count += 1) {
      expect(await client.send(post(server.url))).toMatchObject({ status: 200, answer: "ok" });
    }
    expect(server.requests).toEqual([1, 1, 2]);
    expect(await client.send(post(server.url))).toMatchObject({ kind: "failed" });
    expect(server.requests).toEqual([1, 1, 2, 2, 3]);
  });

  it("when it is new is a failure", async () => {
    const server = await serveInTurn(hangUp, say(OK));
    expect(await createClient().send(post(server.url))).toMatchObject({
      kind: "failed",
      cause: "ECONNRESET",
    });
    expect(server.requests).toEqual([1]);
  });

  it("within an answer is a failure", async () => {
    const server = await serveInTurn(say(OK), (socket) => {
      socket.write("HTTP/1.1 2", () => socket.destroy());
    });
    const client = createClient();
    await client.send(post(server.url));
    expect(await client.send(post(server.url))).toMatchObject({ kind: "failed" });
    expect(server.requests).toEqual([1, 1]);
  });

  it("leads to where the name leads now, if that is allowed", async () => {
    const server = await serveInTurn(say(OK), hangUp, say(OK));
    const answers = ["127.0.0.1", "169.254.169.254"];
    const client = createClient(60_000, async () => [answers.shift() ?? ""]);
    const url = `http://example.org:${server.port}/`;
    expect(await client.send(post(url))).toMatchObject(answered);
    expect(await client.send(post(url))).toMatchObject({
      kind: "refused",
      cause: "forbidden-address",
    });
    expect(server.requests).toEqual([1, 1]);
  });
});

describe("the time limit of a request", () => {
  const timeout = { kind: "failed", cause: "timeout" };

  it("ends a server that says nothing on a connection that it answered on, and does not repeat", async () => {
    const server = await serveInTurn(say(OK), () => {}, say(OK));
    const client = createClient(1_000);
    expect(await client.send(post(server.url))).toMatchObject(answered);
    expect(await client.send(post(server.url))).toMatchObject(timeout);
    expect(server.requests).toEqual([1, 1]);
    await expect.poll(() => areClosed(server)).toEqual([true]);
  });

  it("spans both connections", async () => {
    const server = await serveInTurn(
      say(OK),
      (socket) => {
        setTimeout(() => socket.destroy(), 1_000);
      },
      () => {},
    );
    const client = createClient(1_500);
    await client.send(post(server.url));
    const result = await client.send(post(server.url));
    expect(result).toMatchObject(timeout);
    expect(result.durationMs).toBeLessThan(2_400);
    expect(server.requests).toEqual([1, 1, 2]);
  });
});

describe("over TLS", () => {
  const certificate = createCertificate("callbacks.example.org");
  const serveTls = (
    respond?: Parameters<typeof serve>[0],
    onSecure: (socket: TLSSocket) => void = () => {},
  ) =>
    serve(respond, (listener) => {
      const server = createHttpsServer(certificate, listener);
      server.on("secureConnection", onSecure);
      return server;
    });
  const createTlsClient = () =>
    createWebhookClient(
      { allowHttp: false, allowLoopback: true, timeoutMs: 60_000 },
      { resolve: loopback, connect, ca: certificate.cert },
    );
  const url = (port: number, name = "callbacks.example.org") => `https://${name}:${port}/`;

  it("a connection is used again", async () => {
    const { connections, received, port } = await serveTls();
    const client = createTlsClient();
    for (let count = 1; count <= 5; count += 1) {
      expect(await client.send(post(url(port)))).toMatchObject(answered);
    }
    expect(connections).toHaveLength(1);
    expect(received).toHaveLength(5);
  });

  it("a name that the certificate is not good for gets no connection of another's", async () => {
    const { received, port } = await serveTls();
    const client = createTlsClient();
    await client.send(post(url(port)));
    expect(await client.send(post(url(port, "other.example.org")))).toMatchObject({
      kind: "failed",
      cause: "ERR_TLS_CERT_ALTNAME_INVALID",
    });
    expect(received).toHaveLength(1);
  });

  it("a connection that breaks makes way for another, which resumes its session", async () => {
    const resumed: boolean[] = [];
    let requests = 0;
    const { connections, port } = await serveTls(
      (response) => {
        requests += 1;
        if (requests === 2) response.destroy();
        else response.writeHead(204).end();
      },
      (socket) => resumed.push(socket.isSessionReused()),
    );
    const client = createTlsClient();
    for (let count = 1; count <= 2; count += 1) {
      expect(await client.send(post(url(port)))).toMatchObject({ status: 204 });
    }
    expect(connections).toHaveLength(2);
    expect(resumed).toEqual([false, true]);
  });
});
