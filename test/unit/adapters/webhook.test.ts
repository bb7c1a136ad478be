import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { type AddressInfo, createServer as createTcpServer } from "node:net";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { isAllowedAddress } from "../../../functions/adapters/webhook/addresses.ts";
import { createWebhookClient } from "../../../functions/adapters/webhook/webhook-client.ts";

describe("isAllowedAddress", () => {
  it.each([
    ["private", "10.0.0.1"],
    ["private", "172.16.0.1"],
    ["private", "192.168.1.1"],
    ["loopback", "127.0.0.1"],
    ["loopback", "127.9.9.9"],
    ["loopback", "::1"],
    ["metadata", "169.254.169.254"],
    ["IPv6 metadata", "fd00:ec2::254"],
    ["link-local", "fe80::1"],
    ["carrier-grade NAT", "100.64.0.1"],
    ["multicast", "224.0.0.1"],
    ["multicast", "ff02::1"],
    ["unspecified", "0.0.0.0"],
    ["unspecified", "::"],
    ["broadcast", "255.255.255.255"],
    ["IPv4-mapped private", "::ffff:10.0.0.1"],
    ["IPv4-mapped loopback", "::ffff:7f00:1"],
    ["IPv4-compatible loopback", "::7f00:1"],
    ["IPv6 given out for nothing", "100:0:0:1::1"],
    ["6to4 of a private address", "2002:a00:1::"],
    ["NAT64 of a private address", "64:ff9b::a00:1"],
    ["documentation", "192.0.2.1"],
  ])("refuses a %s address: %s", (_, address) => {
    expect(isAllowedAddress(address, false)).toBe(false);
  });

  it.each(["93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946", "::ffff:93.184.216.34"])(
    "allows a public address: %s",
    (address) => {
      expect(isAllowedAddress(address, false)).toBe(true);
    },
  );

  it("allows loopback, and nothing else that is private, where the stage does", () => {
    expect(isAllowedAddress("127.0.0.1", true)).toBe(true);
    expect(isAllowedAddress("::1", true)).toBe(true);
    expect(isAllowedAddress("10.0.0.1", true)).toBe(false);
    expect(isAllowedAddress("169.254.169.254", true)).toBe(false);
  });
});

describe("the webhook client", () => {
  let server: Server;
  let url: string;
  let received: {
    method: string;
    url: string;
    headers: IncomingMessage["headers"];
    body: string;
  }[];
  let respond: (response: ServerResponse) => void;

  beforeAll(async () => {
    server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on("data", (chunk) => chunks.push(chunk));
      request.on("end", () => {
        received.push({
          method: request.method ?? "",
          url: request.url ?? "",
          headers: request.headers,
          body: Buffer.concat(chunks).toString("utf8"),
        });
        respond(response);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/callback`;
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });
  beforeEach(() => {
    received = [];
    respond = (response) => response.writeHead(204).end();
  });

  const local = createWebhookClient({ allowHttp: true, allowLoopback: true, timeoutMs: 5_000 });
  const strict = createWebhookClient({ allowHttp: true, allowLoopback: false, timeoutMs: 5_000 });
  const request = (to: string) => ({
    method: "POST" as const,
    url: to,
    headers: { "content-type": "application/json" },
    body: '{"olá":1}',
  });

  it("posts the body and answers the status", async () => {
    expect(await local.send(request(url))).toMatchObject({ kind: "answered", status: 204 });
    expect(received).toMatchObject([
      {
        method: "POST",
        url: "/callback",
        headers: { "content-type": "application/json", "content-length": "10" },
        body: '{"olá":1}',
      },
    ]);
  });

  const query = (to: string) => ({ method: "GET" as const, url: to, headers: { "x-test": "1" } });

  it("gets without a body, and the query as it is written", async () => {
    const answered = await local.send(query(`${url}?key=a%20b&text=Sim%2C+%C3%A0s+10`));
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

  it.each([
    ["posting", request],
    ["getting", query],
  ])("does not follow redirects when %s", async (_, by) => {
    respond = (response) => response.writeHead(302, { location: url }).end();
    expect(await local.send(by(url))).toMatchObject({ kind: "answered", status: 302 });
    expect(received).toHaveLength(1);
  });

  it("does not wait for a body without end", async () => {
    respond = (response) => {
      response.writeHead(200);
      response.write("…");
    };
    expect(await local.send(request(url))).toMatchObject({ kind: "answered", status: 200 });
  });

  it.each([
    ["posting", request],
    ["getting", query],
  ])("gives up at the time limit when %s", async (_, by) => {
    respond = () => {};
    const hasty = createWebhookClient({ allowHttp: true, allowLoopback: true, timeoutMs: 50 });
    expect(await hasty.send(by(url))).toMatchObject({ kind: "failed", cause: "timeout" });
  });

  it.each([
    ["101", "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n"],
    ["nothing", ""],
    ["what is not HTTP", "hello\r\n"],
  ])("answers an endpoint that says %s as a failure", async (_, answer) => {
    const raw = createTcpServer((socket) => {
      socket.once("data", () => socket.end(answer));
    });
    await new Promise<void>((resolve) => raw.listen(0, "127.0.0.1", resolve));
    const { port } = raw.address() as AddressInfo;
    const result = await local.send(request(`http://127.0.0.1:${port}/`));
    raw.close();
    expect(result).toMatchObject({ kind: "failed" });
  });

  it("answers a connection refused as a failure", async () => {
    const closed = createServer();
    await new Promise<void>((resolve) => closed.listen(0, "127.0.0.1", resolve));
    const { port } = closed.address() as AddressInfo;
    await new Promise((resolve) => closed.close(resolve));
    expect(await local.send(request(`http://127.0.0.1:${port}/`))).toMatchObject({
      kind: "failed",
      cause: "ECONNREFUSED",
    });
  });

  it.each([
    ["a literal address", (to: string) => to],
    ["a name", (to: string) => to.replace("127.0.0.1", "localhost")],
    ["an address in other notation", (to: string) => to.replace("127.0.0.1", "0x7f000001")],
    ["an IPv4-mapped address", (to: string) => to.replace("127.0.0.1", "[::ffff:127.0.0.1]")],
  ])("does not reach loopback by %s", async (_, disguise) => {
    for (const by of [request, query]) {
      expect(await strict.send(by(disguise(url)))).toMatchObject({
        kind: "failed",
        cause: expect.stringMatching(/not (a )?public/),
      });
    }
    expect(received).toEqual([]);
  });

  it("does not speak plain HTTP where the stage does not allow it", async () => {
    const httpsOnly = createWebhookClient({
      allowHttp: false,
      allowLoopback: true,
      timeoutMs: 500,
    });
    for (const by of [request, query]) {
      expect(await httpsOnly.send(by(url))).toMatchObject({
        kind: "failed",
        cause: "only https is allowed",
      });
    }
    expect(received).toEqual([]);
  });

  it("answers an URL that is none as a failure", async () => {
    expect(await local.send(request("nonsense"))).toMatchObject({ kind: "failed" });
  });
});
