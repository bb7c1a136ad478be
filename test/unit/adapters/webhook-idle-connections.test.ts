import { once } from "node:events";
import { connect } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import type { Connection } from "../../../functions/adapters/webhook/connection.ts";
import { createIdleConnections } from "../../../functions/adapters/webhook/idle-connections.ts";
import { serveRaw } from "../../support/customer-server.ts";

const ORIGIN = "https://example.org";
const FOR_EVER = Number.POSITIVE_INFINITY;

/** Idle connections, with clocks that go when they are told. */
function setUp(mayUse: (connection: Connection) => boolean = () => true) {
  const clocks = { elapsed: 7_000, wall: Date.now() };
  const idle = createIdleConnections(mayUse, {
    elapsed: () => clocks.elapsed,
    wall: () => clocks.wall,
  });
  const open = async (origin = ORIGIN): Promise<Connection> => {
    const { port } = await server;
    const socket = connect(port, "127.0.0.1");
    onTestFinished(() => {
      socket.destroy();
    });
    socket.on("error", () => {});
    await once(socket, "connect");
    return { origin, socket, openedAt: clocks.elapsed };
  };
  const server = serveRaw(() => {});
  return { clocks, idle, open, server };
}

describe("idle connections", () => {
  it("are taken once, the last one first, and by their origin", async () => {
    const { idle, open } = setUp();
    const [first, other, last] = [await open(), await open("http://example.org"), await open()];
    for (const it of [first, other, last]) idle.keep(it, FOR_EVER);
    expect(idle.take(ORIGIN)).toBe(last);
    expect(idle.take(ORIGIN)).toBe(first);
    expect(idle.take(ORIGIN)).toBeUndefined();
    expect(idle.take("http://example.org")).toBe(other);
  });

  it.each([
    ["a second later", { elapsed: 1_000, wall: 1_000 }, true],
    ["five seconds later", { elapsed: 5_000, wall: 5_000 }, false],
    ["when the one clock stood still", { elapsed: 10, wall: 5_000 }, false],
    ["when the other was set", { elapsed: 5_000, wall: 10 }, false],
    ["when time went backwards", { elapsed: 10, wall: -60_000 }, false],
  ])("%s: %j", async (_, passed, isTaken) => {
    const { clocks, idle, open } = setUp();
    const connection = await open();
    idle.keep(connection, FOR_EVER);
    clocks.elapsed += passed.elapsed;
    clocks.wall += passed.wall;
    expect(idle.take(ORIGIN) === connection).toBe(isTaken);
    expect(connection.socket.destroyed).toBe(!isTaken);
  });

  it("are kept no longer than the server says, less a second", async () => {
    const { clocks, idle, open } = setUp();
    const [briefly, notAtAll] = [await open(), await open()];
    idle.keep(briefly, 3_000);
    idle.keep(notAtAll, 1_000);
    expect(notAtAll.socket.destroyed).toBe(true);
    clocks.elapsed += 2_000;
    expect(idle.take(ORIGIN)).toBeUndefined();
    expect(briefly.socket.destroyed).toBe(true);
  });

  it("are given up when they are a minute old, however busy", async () => {
    const { clocks, idle, open } = setUp();
    const connection = await open();
    for (let second = 0; second < 60; second += 1) {
      idle.keep(connection, FOR_EVER);
      expect(idle.take(ORIGIN)).toBe(connection);
      clocks.elapsed += 1_000;
    }
    idle.keep(connection, FOR_EVER);
    expect(connection.socket.destroyed).toBe(true);
    expect(idle.take(ORIGIN)).toBeUndefined();
  });

  it("are judged each time, and closed where they lead elsewhere", async () => {
    let isAllowed = true;
    const { idle, open } = setUp(() => isAllowed);
    const connection = await open();
    idle.keep(connection, FOR_EVER);
    expect(idle.take(ORIGIN)).toBe(connection);
    idle.keep(connection, FOR_EVER);
    isAllowed = false;
    expect(idle.take(ORIGIN)).toBeUndefined();
    expect(connection.socket.destroyed).toBe(true);
  });

  it.each([
    ["closes it", "end"],
    ["says something", "write"],
  ] as const)("are closed where the server %s", async (_, what) => {
    const { idle, open, server } = setUp();
    const connection = await open();
    idle.keep(connection, FOR_EVER);
    const { connections } = await server;
    await expect.poll(() => connections.length).toBe(1);
    connections[0]?.[what]("HTTP/1.1 408 Request Timeout\r\n\r\n");
    await once(connection.socket, "close");
    expect(idle.take(ORIGIN)).toBeUndefined();
  });

  it("are closed where there is something to read, though nobody has read it yet", async () => {
    const { idle, open, server } = setUp();
    const { socket, ...rest } = await open();
    idle.keep({ socket, ...rest }, FOR_EVER);
    socket.pause();
    const { connections } = await server;
    await expect.poll(() => connections.length).toBe(1);
    connections[0]?.write("HTTP/1.1 200 OK\r\n\r\n");
    await expect.poll(() => socket.readableLength).toBeGreaterThan(0);
    expect(idle.take(ORIGIN)).toBeUndefined();
    expect(socket.destroyed).toBe(true);
  });

  it("are ten of an origin and a hundred in all, those that were used last", async () => {
    const { idle, open } = setUp();
    const ofOne = await Promise.all(Array.from({ length: 11 }, () => open()));
    for (const it of ofOne) idle.keep(it, FOR_EVER);
    expect(ofOne.map(({ socket }) => socket.destroyed)).toEqual([true, ...Array(10).fill(false)]);
    const others = await Promise.all(
      Array.from({ length: 95 }, (_, index) => open(`https://${index}.example.org`)),
    );
    for (const it of others) idle.keep(it, FOR_EVER);
    const all = [...ofOne.slice(1), ...others];
    expect(all.map(({ socket }) => socket.destroyed)).toEqual([
      ...Array(5).fill(true),
      ...Array(100).fill(false),
    ]);
  });
});
