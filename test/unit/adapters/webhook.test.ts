import { createServer as createHttpsServer } from "node:https";
import { connect, Socket } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { createWebhookClient } from "../../../functions/adapters/webhook/webhook-client.ts";
import type { WebhookRequest } from "../../../functions/core/ports.ts";
import { createCertificate } from "../../support/certificate.ts";
import { closedPort, serve, serveRaw } from "../../support/customer-server.ts";

const ONE_MINUTE_MS = 60_000;
const anything = { allowHttp: true, allowLoopback: true, timeoutMs: ONE_MINUTE_MS };

/** A DNS of which nobody is to ask anything. */
const noResolve = async () => {
  throw new Error("a name was resolved");
};
const local = createWebhookClient(anything, { resolve: noResolve, connect });

const post = (url: string): WebhookRequest => ({
  method: "POST",
  url,
  headers: { "content-type": "application/json" },
  body: '{"olá":1}',
});
const get = (url: string): WebhookRequest => ({ method: "GET", url, headers: { "x-test": "1" } });

describe("a request", () => {
  it("posts the body and answers the status", async () => {
    const { received, url, port } = await serve();
    expect(await local.send(post(url))).toMatchObject({
      kind: "answered",
      status: 204,
      answer: "",
      durationMs: expect.any(Number),
    });
    expect(received).toMatchObject([
      {
        method: "POST",
        url: "/callback",
        headers: {
          host: `127.0.0.1:${port}`,
          "content-type": "application/json",
          "content-length": "10",
        },
        body: '{"olá":1}',
      },
    ]);
  });

  it("gets without a body, and the query as it is written", async () => {
    const { received, url } = await serve();
    const answered = await local.send(get(`${url}?key=a%20b&text=Sim%2C+%C3%A0s+10`));
    expect(answered).toMatchObject({ kind: "answered", status: 204 });
    expect(received).toMatchObject([
      {
        method: "GET",
        url: "/callback?key=a%20b&text=Sim%2C+%C3%A0s+10",
        headers: { "x-test": "1" },
        body: "",
      },
    ]);
    expect(received[0]?.headers).not.toHaveProperty("content-length");
    expect(received[0]?.headers).not.toHaveProperty("transfer-encoding");
  });

  it("reaches the machine itself by its name, where the stage allows it", async () => {
    const { received, port } = await serve();
    const answered = await createWebhookClient(anything).send(post(`http://localhost:${port}/`));
    expect(answered).toMatchObject({ kind: "answered", status: 204 });
    expect(received).toMatchObject([{ headers: { host: `localhost:${port}` } }]);
  });

  it("asks for nothing compressed, unless the endpoint's own headers do", async () => {
    const { received, url } = await serve();
    await local.send(post(url));
    await local.send({ ...post(url), headers: { "Accept-Encoding": "br", "User-Agent": "acme" } });
    expect(
      received.map(({ headers }) => [headers["accept-encoding"], headers["user-agent"]]),
    ).toEqual([
      ["identity", "Torpedo"],
      ["br", "acme"],
    ]);
  });

  it("with headers that HTTP does not know fails, and throws nothing", async () => {
    const { url } = await serve();
    const result = await local.send({ ...post(url), headers: { "x-test": "a\nb" } });
    expect(result).toMatchObject({ kind: "failed", cause: "ERR_INVALID_CHAR" });
  });

  it.each(["HTTP_PROXY", "http_proxy", "ALL_PROXY", "NODE_USE_ENV_PROXY"])(
    "goes past the proxy that %s names",
    async (variable) => {
      const { received, url } = await serve();
      process.env[variable] = "http://127.0.0.1:1";
      onTestFinished(() => {
        delete process.env[variable];
      });
      await local.send(post(url));
      expect(received).toHaveLength(1);
    },
  );
});

describe("an answer", () => {
  it.each([
    ["posting", post],
    ["getting", get],
  ])("that redirects is not followed when %s", async (_, by) => {
    const { received, url } = await serve((response) =>
      response.writeHead(302, { location: "/elsewhere" }).end(),
    );
    expect(await local.send(by(url))).toMatchObject({ kind: "answered", status: 302 });
    expect(received).toHaveLength(1);
  });

  it("is kept with its Retry-After, as it is written", async () => {
    const { url } = await serve((response) =>
      response.writeHead(503, { "retry-after": " Fri, 31 Dec 2027 23:59:59 GMT" }).end("later"),
    );
    expect(await local.send(post(url))).toMatchObject({
      status: 503,
      answer: "later",
      retryAfter: "Fri, 31 Dec 2027 23:59:59 GMT",
    });
  });

  it("is kept up to 1,024 bytes, without a character that is cut in two", async () => {
    const { url } = await serve((response) => response.end(`${"a".repeat(1_023)}é and more`));
    expect(await local.send(post(url))).toMatchObject({ answer: "a".repeat(1_023) });
  });

  it("with a body without end is read no further than that", async () => {
    let sent = 0;
    const { url, connections } = await serveRaw((socket) => {
      socket.once("data", () => {
        socket.write("HTTP/1.1 200 OK\r\n\r\n");
        const more = () => {
          while (!socket.destroyed && socket.write("x".repeat(65_536))) sent += 65_536;
        };
        socket.on("drain", more);
        more();
      });
    });
    expect(await local.send(post(url))).toMatchObject({
      status: 200,
      answer: "x".repeat(1_024),
    });
    await expect.poll(() => connections.map(({ closed }) => closed)).toEqual([true]);
    expect(sent).toBeLessThan(64 * 1024 * 1024);
  });

  it("whose body drips counts by its status, and is not waited for", async () => {
    const { url } = await serve((response) => {
      response.writeHead(200);
      response.write("slowly");
    });
    expect(await local.send(post(url))).toMatchObject({
      kind: "answered",
      status: 200,
      answer: "slowly",
    });
  });

  it("counts by its status where the time ends within its body", async () => {
    const { url } = await serve((response) => {
      response.writeHead(200);
      response.write("slowly");
    });
    const hasty = createWebhookClient(
      { ...anything, timeoutMs: 300 },
      { resolve: noResolve, connect },
    );
    expect(await hasty.send(post(url))).toMatchObject({ kind: "answered", status: 200 });
  });

  it("counts by its status where the connection breaks within its body", async () => {
    const { url } = await serveRaw((socket) => {
      socket.once("data", () => {
        socket.write("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf", () => socket.destroy());
      });
    });
    expect(await local.send(post(url))).toMatchObject({ kind: "answered", status: 200 });
  });

  it.each([
    ["101", "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n"],
    ["nothing", ""],
    ["what is not HTTP", "hello\r\n"],
    ["a head that is too long", `HTTP/1.1 200 OK\r\nx-long: ${"x".repeat(100_000)}\r\n\r\n`],
  ])("that says %s is a failure", async (_, answer) => {
    const { url } = await serveRaw((socket) => {
      socket.once("data", () => socket.end(answer));
    });
    expect(await local.send(post(url))).toMatchObject({
      kind: "failed",
      cause: expect.stringMatching(/^(no-answer|[A-Z_]+)$/),
    });
  });

  it("that never comes is a failure: the connection is refused", async () => {
    const port = await closedPort();
    expect(await local.send(post(`http://127.0.0.1:${port}/`))).toMatchObject({
      kind: "failed",
      cause: "ECONNREFUSED",
    });
  });
});

describe("the time limit", () => {
  const hasty = (resolve: () => Promise<string[]> = noResolve) =>
    createWebhookClient({ ...anything, timeoutMs: 50 }, { resolve, connect });
  const timeout = { kind: "failed", cause: "timeout" };

  it("ends a DNS that never answers", async () => {
    expect(
      await hasty(() => new Promise(() => {})).send(post("http://example.org/")),
    ).toMatchObject(timeout);
  });

  it("ends a connection that never stands", async () => {
    const client = createWebhookClient(
      { ...anything, timeoutMs: 50 },
      { resolve: noResolve, connect: () => new Socket() },
    );
    expect(await client.send(post("http://127.0.0.1/"))).toMatchObject(timeout);
  });

  it("ends a server that says nothing", async () => {
    const { url } = await serve(() => {});
    for (const by of [post, get]) expect(await hasty().send(by(url))).toMatchObject(timeout);
  });

  it("ends a server that never comes to the end of its head", async () => {
    const { url } = await serveRaw((socket) => {
      socket.write("HTTP/1.1 200 OK\r\nx-drip: ");
    });
    expect(await hasty().send(post(url))).toMatchObject(timeout);
  });

  it("ends a server that has only provisional answers", async () => {
    const { url } = await serveRaw((socket) => {
      socket.once("data", () => socket.write("HTTP/1.1 102 Processing\r\n\r\n"));
    });
    expect(await hasty().send(post(url))).toMatchObject(timeout);
  });

  it("ends a handshake that is not answered", async () => {
    const { port } = await serveRaw(() => {});
    expect(await hasty().send(post(`https://127.0.0.1:${port}/`))).toMatchObject(timeout);
  });
});

describe("over TLS", () => {
  const certificate = createCertificate("callbacks.example.org");
  const serveTls = (respond?: Parameters<typeof serve>[0]) =>
    serve(respond, (listener) => createHttpsServer(certificate, listener));
  const client = (ca?: string) =>
    createWebhookClient(
      { allowHttp: false, allowLoopback: true, timeoutMs: ONE_MINUTE_MS },
      { resolve: async () => ["127.0.0.1"], connect, ...(ca !== undefined && { ca }) },
    );

  it("reaches a server whose certificate is good for the URL's name", async () => {
    const { received, port } = await serveTls();
    for (const name of ["callbacks.example.org", "callbacks.example.org."]) {
      expect(await client(certificate.cert).send(post(`https://${name}:${port}/a`))).toMatchObject({
        kind: "answered",
        status: 204,
      });
    }
    expect(received).toMatchObject([
      { url: "/a", headers: { host: `callbacks.example.org:${port}` } },
      { url: "/a", headers: { host: `callbacks.example.org.:${port}` } },
    ]);
  });

  it.each([
    ["nobody vouches for", "callbacks.example.org", undefined, "DEPTH_ZERO_SELF_SIGNED_CERT"],
    ["is another name's", "other.example.org", certificate.cert, "ERR_TLS_CERT_ALTNAME_INVALID"],
    ["does not name the address", "127.0.0.1", certificate.cert, "ERR_TLS_CERT_ALTNAME_INVALID"],
  ])("tells nothing to a server whose certificate %s", async (_, host, ca, cause) => {
    process.env.NODE_TLS_REJECT_UNAUTHORIZED = "0";
    onTestFinished(() => {
      delete process.env.NODE_TLS_REJECT_UNAUTHORIZED;
    });
    const { received, port } = await serveTls();
    expect(await client(ca).send(post(`https://${host}:${port}/`))).toMatchObject({
      kind: "failed",
      cause,
    });
    expect(received).toEqual([]);
  });

  it("fails where the server does not speak TLS", async () => {
    const { received, port } = await serve();
    expect(await client().send(post(`https://127.0.0.1:${port}/`))).toMatchObject({
      kind: "failed",
      cause: expect.stringMatching(/^[A-Z_]+$/),
    });
    expect(received).toEqual([]);
  });
});
