import { once } from "node:events";
import { isIP, type Socket, type TcpNetConnectOpts } from "node:net";
import { performance } from "node:perf_hooks";
import { connect as connectTls, createSecureContext, type SecureContext } from "node:tls";
import { LRUCache } from "lru-cache";
import { assertAllowedAddress, assertAllowedHost, type WebhookPolicy } from "./judgement.ts";
import type { Resolve } from "./resolver.ts";

/** The way to the world. */
export interface Network {
  readonly resolve: Resolve;
  readonly connect: (options: TcpNetConnectOpts) => Socket;
  /** Whom to trust, in PEM, instead of those that Node does. */
  readonly ca?: string;
}

/** A connection whose other end has been judged, and over TLS has shown a good certificate. */
export interface Connection {
  /** Protocol, host name and port, as `URL` writes them. It is used for no other. */
  readonly origin: string;
  readonly socket: Socket;
  /** When it was opened, by `performance.now()`. */
  readonly openedAt: number;
}

/**
 * Opens a connection for an URL whose protocol is allowed.
 * @throws RefusedError where it would lead where callbacks may not go
 */
export type OpenConnection = (target: URL, signal: AbortSignal) => Promise<Connection>;

/** Before the next address of a name is tried beside it; longer than a way around the world. */
const ADDRESS_MS = 1_000;

/** A certificate is looked at again after this time, however often its TLS session is resumed. */
const TLS_SESSION_MS = 600_000;
const MAX_TLS_SESSIONS = 100;

/**
 * Connections to the public internet. The name is resolved once and all of its addresses are
 * judged; the connection is made to these, and its other end judged again when it stands, before a
 * byte is written (docs/decisions/0016).
 */
export function createOpenConnection(policy: WebhookPolicy, network: Network): OpenConnection {
  // A resumed session is not asked for its certificate again, so each belongs to one origin, and
  // `noUpdateTTL` counts its time from the certificate on.
  const sessions = new LRUCache<string, Buffer>({
    max: MAX_TLS_SESSIONS,
    ttl: TLS_SESSION_MS,
    noUpdateTTL: true,
  });
  // Made once, at the first connection that needs it: it is the same for all.
  let trust: SecureContext | undefined;

  async function reach(hostname: string, target: URL, signal: AbortSignal): Promise<Socket> {
    const addresses = isIP(hostname)
      ? [hostname]
      : await unlessAborted(network.resolve(hostname, signal), signal);
    for (const address of addresses) assertAllowedAddress(address, policy);
    const socket = network.connect({
      host: hostname,
      port: Number(target.port) || (target.protocol === "https:" ? 443 : 80),
      noDelay: true,
      lookup: (_, options, callback) => {
        const [first, ...others] = addresses.map((address) => ({ address, family: isIP(address) }));
        if (!first) return callback(new Error("the name has no address"), []);
        if (options.all) return callback(null, [first, ...others]);
        return callback(null, first.address, first.family);
      },
      autoSelectFamily: true,
      autoSelectFamilyAttemptTimeout: ADDRESS_MS,
    });
    return orDestroyed(socket, async () => {
      await once(socket, "connect", { signal });
      assertAllowedAddress(socket.remoteAddress ?? "", policy);
    });
  }

  function secure(
    socket: Socket,
    hostname: string,
    origin: string,
    signal: AbortSignal,
  ): Promise<Socket> {
    trust ??= createSecureContext(network.ca ? { ca: network.ca } : {});
    const session = sessions.get(origin);
    const secured = connectTls({
      socket,
      host: hostname,
      ...(!isIP(hostname) && { servername: hostname.replace(/\.$/, "") }),
      ALPNProtocols: ["http/1.1"],
      rejectUnauthorized: true,
      secureContext: trust,
      ...(session && { session }),
    });
    secured.on("session", (fresh) => sessions.set(origin, fresh));
    secured.on("close", () => socket.destroy());
    return orDestroyed(secured, async () => {
      try {
        await once(secured, "secureConnect", { signal });
      } catch (error) {
        sessions.delete(origin);
        throw error;
      }
      if (!secured.isSessionReused()) sessions.delete(origin);
    });
  }

  return async (target, signal) => {
    const { origin } = target;
    assertAllowedHost(target.hostname, policy);
    const hostname = target.hostname.replace(/^\[(.*)\]$/, "$1");
    const reached = await reach(hostname, target, signal);
    const socket =
      target.protocol === "http:" ? reached : await secure(reached, hostname, origin, signal);
    return { origin, socket, openedAt: performance.now() };
  };
}

/** The socket, if `work` succeeds. However late it fails, nobody is thrown anything. */
async function orDestroyed(socket: Socket, work: () => Promise<void>): Promise<Socket> {
  socket.on("error", () => {});
  try {
    await work();
    return socket;
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const aborted = once(signal, "abort").then(() => signal.throwIfAborted());
  return (await Promise.race([work, aborted])) as T;
}
