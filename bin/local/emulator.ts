import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { rmSync } from "node:fs";
import { mkdir, mkdtemp, open, readFile, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { execa } from "execa";
import * as z from "zod";
import { cleanEnvironment, MINISTACK_PROGRAM, prepareState } from "../ministack-quirks.ts";
import { Fault, tail } from "./fault.ts";
import { installMiniStack, type MiniStackInstallation } from "./install-ministack.ts";
import { askToEnd, commandOf, endProcessGroup, killProcessGroup } from "./processes.ts";
import { LOCAL_DIRECTORY } from "./project.ts";

const HOST = "127.0.0.1";
/** MiniStack is up after a second; a container on a busy machine may take a while. */
const START_TIMEOUT_MS = 60_000;
/** How long it may take to store its state after a TERM. */
const STOP_GRACE_MS = 10_000;

/** All that it takes to stop an emulator, also from another process. */
export const emulatorHandleSchema = z.object({
  pid: z.number().int(),
  port: z.number().int(),
  /** Holds the code of the functions that have run; removed with the emulator. */
  temporaryDirectory: z.string(),
  container: z.string().optional(),
  keepsState: z.boolean(),
});
export type EmulatorHandle = z.infer<typeof emulatorHandleSchema>;

/** A running emulator that this process has started. */
export interface Emulator {
  /** Such as `http://127.0.0.1:4566`. */
  readonly endpointUrl: string;
  readonly handle: EmulatorHandle;
  /** Resolves with the reason when the emulator ends, asked or not. */
  readonly ended: Promise<string>;
  /** Ends it and everything it has started; a kept state is stored first. */
  stop(): Promise<void>;
  /** Lets it run on when this process ends. */
  release(): void;
}

export interface EmulatorOptions {
  /** Where the emulator is installed; `.local` of the project where not given. */
  readonly localDirectory?: string;
  /** A free one where not given. */
  readonly port?: number | undefined;
  /** Where the state is kept over runs; without it, nothing is kept and stopping is quick. */
  readonly stateDirectory?: string | undefined;
  /** Gets what the emulator says, instead of what is in it. */
  readonly logFile: string;
  readonly signal?: AbortSignal | undefined;
  /** Told what takes its time. */
  readonly onProgress?: ((detail: string) => void) | undefined;
}

/**
 * Installs MiniStack if need be, starts it on loopback and waits until it answers.
 *
 * It runs in a session of its own: a Ctrl-C at the terminal does not reach it, and everything it
 * starts ends with it. Should this process end without `stop` or `release`, it goes too.
 *
 * @throws Fault where the port is taken, it cannot be installed, or it does not come up
 * @throws the signal's reason where that aborts; nothing is left running then
 */
export async function startEmulator(options: EmulatorOptions): Promise<Emulator> {
  const { logFile, signal, onProgress } = options;
  const localDirectory = resolve(options.localDirectory ?? LOCAL_DIRECTORY);
  const stateDirectory = options.stateDirectory && resolve(options.stateDirectory);
  const port = options.port ?? (await freePort());
  await assertPortFree(port);
  const installation = await installMiniStack({ localDirectory, signal, onProgress });
  signal?.throwIfAborted();

  if (stateDirectory) await prepareState(stateDirectory, port);
  // Not below the project, whose package.json and node_modules the functions would find.
  const temporaryDirectory = await mkdtemp(join(tmpdir(), "torpedo-local-"));
  const [file, ...args] = commandLine(installation, { port, stateDirectory });
  const environment = {
    ...(installation.kind === "python" ? cleanEnvironment(process.env) : process.env),
    ...ministackOptions(port, stateDirectory),
    TMPDIR: temporaryDirectory,
  };
  await mkdir(dirname(logFile), { recursive: true });
  const log = await open(logFile, "w");
  const child = spawn(file, args, {
    cwd: temporaryDirectory,
    env: environment,
    detached: true,
    stdio: ["ignore", log.fd, log.fd],
  });
  const ended = endOf(child);
  await log.close();
  const { pid } = child;
  if (pid === undefined) {
    await rm(temporaryDirectory, { recursive: true, force: true });
    throw new Fault(`MiniStack does not start: ${await ended}.`, `Check ${file}.`);
  }

  const handle: EmulatorHandle = {
    pid,
    port,
    temporaryDirectory,
    keepsState: stateDirectory !== undefined,
    ...(installation.kind === "docker" && { container: containerName(port) }),
  };
  // The last resort, for a process that ends without having had the time to stop it.
  const endWithUs = () => {
    if (handle.keepsState) return askToEnd(pid);
    killProcessGroup(pid);
    rmSync(temporaryDirectory, { recursive: true, force: true });
  };
  process.once("exit", endWithUs);
  void ended.then(() => process.off("exit", endWithUs));
  const emulator: Emulator = {
    endpointUrl: endpointOf(port),
    handle,
    ended,
    stop: () => stopEmulator(handle),
    release: () => {
      process.off("exit", endWithUs);
      child.unref();
    },
  };
  try {
    await waitUntilHealthy(emulator, signal);
    return emulator;
  } catch (error) {
    await emulator.stop();
    if (!(error instanceof EndedEarly)) throw error;
    throw new Fault(
      `MiniStack did not come up on port ${port}: ${error.message}.`,
      `All that it said is in ${logFile}.`,
      { detail: tail(await readFile(logFile, "utf8"), 5) },
    );
  }
}

/**
 * Stops an emulator, also one that another process has started, with all that it has started.
 * Does nothing where it has ended already.
 */
export async function stopEmulator(handle: EmulatorHandle): Promise<void> {
  if (await runsStill(handle)) {
    // What keeps no state has nothing to do before it ends.
    const graceMs = handle.keepsState ? STOP_GRACE_MS : 0;
    await endProcessGroup(handle.pid, { gentle: "leader", graceMs });
    if (handle.container) {
      await execa("docker", ["rm", "--force", handle.container], { reject: false });
    }
  }
  await rm(handle.temporaryDirectory, { recursive: true, force: true, maxRetries: 3 });
}

/** Whether the emulator runs, and not another program that has got its process id since. */
export async function runsStill({ pid }: EmulatorHandle): Promise<boolean> {
  return (await commandOf(pid))?.includes("ministack") ?? false;
}

/** The URL that an emulator on this port answers at. */
export function endpointOf(port: number): string {
  return `http://${HOST}:${port}`;
}

/** Whether it is MiniStack that answers at this URL. */
export async function isMiniStack(endpointUrl: string): Promise<boolean> {
  try {
    const health = await fetch(`${endpointUrl}/_ministack/health`, {
      signal: AbortSignal.timeout(5_000),
    });
    return health.ok;
  } catch {
    return false;
  }
}

function commandLine(
  installation: MiniStackInstallation,
  { port, stateDirectory }: { port: number; stateDirectory: string | undefined },
): [string, ...string[]] {
  if (installation.kind === "python") {
    // -I: it is not to find modules in the directory that it is started from.
    return [installation.python, "-I", ...MINISTACK_PROGRAM];
  }
  const { uid, gid } = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
  const variables = { ...ministackOptions(port, stateDirectory && "/state"), BIND_HOST: "0.0.0.0" };
  return [
    "docker",
    "run",
    "--rm",
    `--name=${containerName(port)}`,
    `--publish=${HOST}:${port}:${port}`,
    "--add-host=host.docker.internal:host-gateway",
    // So that the state belongs to who has started it.
    `--user=${uid}:${gid}`,
    ...(stateDirectory ? [`--volume=${stateDirectory}:/state`] : []),
    ...Object.entries(variables).map(([name, value]) => `--env=${name}=${value}`),
    "--entrypoint=python",
    installation.image,
    ...MINISTACK_PROGRAM,
  ];
}

/** MiniStack's own options, the same for both ways of running it. */
function ministackOptions(port: number, stateDirectory: string | undefined) {
  return {
    GATEWAY_PORT: String(port),
    BIND_HOST: HOST,
    // The host in queue URLs; the SDK complains of one that is not that of the endpoint.
    MINISTACK_HOST: HOST,
    IOT_MTLS_ENABLED: "0",
    SFTP_ENABLED: "0",
    LOG_LEVEL: "INFO",
    // S3's own persistence stays off: it writes at once, all else when it is stopped, and after a
    // crash the one would not fit the other.
    ...(stateDirectory && { PERSIST_STATE: "1", STATE_DIR: stateDirectory }),
  };
}

const containerName = (port: number) => `torpedo-ministack-${port}`;

/** The emulator ended, or did not answer, before it was up. */
class EndedEarly extends Error {}

async function waitUntilHealthy(emulator: Emulator, signal: AbortSignal | undefined) {
  const deadline = Date.now() + START_TIMEOUT_MS;
  let reason: string | undefined;
  void emulator.ended.then((why) => {
    reason = why;
  });
  while (Date.now() < deadline) {
    signal?.throwIfAborted();
    if (reason) throw new EndedEarly(reason);
    if (await isMiniStack(emulator.endpointUrl)) return;
    await sleep(100);
  }
  throw new EndedEarly(`no answer within ${START_TIMEOUT_MS / 1000} s`);
}

function endOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    child.once("error", (error) => resolve(error.message));
    child.once("exit", (code, signal) =>
      resolve(signal ? `it was ended by ${signal}` : `it ended with exit code ${code}`),
    );
  });
}

/** @throws Fault where something listens on this port or we may not */
async function assertPortFree(port: number): Promise<void> {
  const server = createServer();
  server.listen({ host: HOST, port, exclusive: true });
  try {
    await once(server, "listening");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new Fault(
      code === "EADDRINUSE"
        ? `Port ${port} is taken by another program.`
        : `Port ${port} cannot be used (${code}).`,
      "Choose another one: `npm start -- --port 4567`, or `TORPEDO_PORT=4567 npm start`.",
    );
  }
  server.close();
  await once(server, "close");
}

async function freePort(): Promise<number> {
  const server = createServer();
  server.listen({ host: HOST, port: 0 });
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (typeof address !== "object" || address === null) throw new Error("no port");
  return address.port;
}
