import type { Socket } from "node:net";
import { performance } from "node:perf_hooks";
import type { Connection } from "./connection.ts";

/** Connections that have done an exchange and wait for the next to the same origin. */
export interface IdleConnections {
  /** Takes out the connection to an origin that was used last, if one can be used again. */
  take(origin: string): Connection | undefined;
  /**
   * Keeps a connection, or closes it where it may not be kept.
   * @param serverKeepsMs for how long the server says that it keeps it, or infinite
   */
  keep(connection: Connection, serverKeepsMs: number): void;
}

/**
 * Two ways to read milliseconds. Both are asked, for a function that sleeps is frozen with its
 * timers: when it wakes up, one clock may have stood still with it, and the other been set.
 */
interface Clocks {
  readonly elapsed: () => number;
  readonly wall: () => number;
}

/** Servers close idle connections after five seconds and more (Node's do after five). */
const IDLE_MS = 4_000;
/** How much earlier than the server we stop using a connection: a request is on its way that long. */
const HEAD_START_MS = 1_000;
/** Then an origin's name is resolved again, so that customers' servers can move. */
const LIFE_MS = 60_000;
const MAX_IDLE_PER_ORIGIN = 10;
const MAX_IDLE = 100;

interface Idle {
  readonly connection: Connection;
  readonly elapsedSince: number;
  readonly wallSince: number;
  readonly forMs: number;
}

/** @param mayUse judges the other end of a connection each time that it is to be used again */
export function createIdleConnections(
  mayUse: (connection: Connection) => boolean,
  clocks: Clocks = { elapsed: () => performance.now(), wall: Date.now },
): IdleConnections {
  /** The one that has waited longest comes first. There are few, so they are searched in turn. */
  const waiting: Idle[] = [];
  const watched = new WeakSet<Socket>();

  function closeIfIdle(socket: Socket): void {
    const index = waiting.findIndex(({ connection }) => connection.socket === socket);
    if (index < 0) return;
    waiting.splice(index, 1);
    socket.destroy();
  }

  /** Listens once for the life of a connection, since adding listeners costs more than calling them. */
  function watch(socket: Socket): void {
    if (watched.has(socket)) return;
    watched.add(socket);
    // Who is not asked anything has nothing to say, so that data answers nobody's request.
    for (const event of ["data", "timeout", "close"]) socket.on(event, () => closeIfIdle(socket));
  }

  function isGood({ connection, elapsedSince, wallSince, forMs }: Idle): boolean {
    const { socket } = connection;
    const wallMs = clocks.wall() - wallSince;
    return (
      socket.readyState === "open" &&
      socket.readableLength === 0 &&
      clocks.elapsed() - elapsedSince < forMs &&
      wallMs >= 0 &&
      wallMs < forMs &&
      mayUse(connection)
    );
  }

  function makeRoomFor(origin: string): void {
    let longest: Idle | undefined;
    let ofOrigin = 0;
    for (const idle of waiting) {
      if (idle.connection.origin !== origin) continue;
      longest ??= idle;
      ofOrigin += 1;
    }
    if (longest && ofOrigin >= MAX_IDLE_PER_ORIGIN) closeIfIdle(longest.connection.socket);
    if (waiting.length >= MAX_IDLE && waiting[0]) closeIfIdle(waiting[0].connection.socket);
  }

  return {
    take(origin) {
      for (let index = waiting.length - 1; index >= 0; index -= 1) {
        const idle = waiting[index];
        if (idle?.connection.origin !== origin) continue;
        waiting.splice(index, 1);
        if (isGood(idle)) {
          idle.connection.socket.ref();
          return idle.connection;
        }
        idle.connection.socket.destroy();
      }
      return undefined;
    },

    keep(connection, serverKeepsMs) {
      const { origin, socket, openedAt } = connection;
      const forMs = Math.min(IDLE_MS, serverKeepsMs - HEAD_START_MS);
      const elapsedSince = clocks.elapsed();
      if (forMs <= 0 || elapsedSince - openedAt >= LIFE_MS || socket.readyState !== "open") {
        socket.destroy();
        return;
      }
      makeRoomFor(origin);
      watch(socket);
      waiting.push({ connection, elapsedSince, wallSince: clocks.wall(), forMs });
      if (socket.timeout !== forMs) socket.setTimeout(forMs);
      // No process stays alive for it.
      socket.unref();
    },
  };
}
