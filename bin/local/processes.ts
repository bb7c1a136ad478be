import { createWriteStream } from "node:fs";
import { mkdir, readFile } from "node:fs/promises";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { execa } from "execa";

/** How long a program may take to end when it is no longer wanted. */
const COMMAND_GRACE_MS = 2_000;

/** A program that ended with another exit code than 0; `output` is all that it said. */
export class CommandFailure extends Error {
  override readonly name = "CommandFailure";
  readonly output: string;

  constructor(command: string, output: string, options?: ErrorOptions) {
    super(`${command} failed`, options);
    this.output = output;
  }
}

export interface CommandOptions {
  /** The complete environment: nothing is added to it. */
  readonly environment: NodeJS.ProcessEnv;
  readonly directory?: string;
  /** Gets everything the program says, after what is in it already. */
  readonly logFile?: string;
  readonly signal?: AbortSignal | undefined;
  readonly onLine?: (line: string) => void;
}

/**
 * Runs a program to its end and returns what it said on both of its outputs.
 *
 * It runs in a process group of its own, which ends as a whole when `signal` aborts: so nothing
 * that it has started is left running, and a Ctrl-C at the terminal reaches it only through us.
 *
 * @throws CommandFailure where it cannot be started or ends with another exit code than 0
 * @throws the signal's reason where that aborts
 */
export async function runCommand(
  file: string,
  args: readonly string[],
  { environment, directory, logFile, signal, onLine }: CommandOptions,
): Promise<string> {
  signal?.throwIfAborted();
  if (logFile) await mkdir(dirname(logFile), { recursive: true });
  const log = logFile ? createWriteStream(logFile, { flags: "a" }) : undefined;
  const lines: string[] = [];
  const child = execa(file, args, {
    env: environment,
    extendEnv: false,
    stdin: "ignore",
    all: true,
    buffer: false,
    detached: true,
    reject: false,
    ...(directory && { cwd: directory }),
  });
  const { pid } = child;
  let ending: Promise<unknown> | undefined;
  const end = () => {
    if (pid) ending = endProcessGroup(pid, { gentle: "group", graceMs: COMMAND_GRACE_MS });
  };
  const killWithUs = () => {
    if (pid) killProcessGroup(pid);
  };
  signal?.addEventListener("abort", end, { once: true });
  process.once("exit", killWithUs);
  try {
    for await (const line of child.iterable({ from: "all" })) {
      lines.push(line);
      log?.write(`${line}\n`);
      onLine?.(line);
    }
  } catch {
    // The output of a program that fails ends with the failure that `child` tells of below.
  }
  const result = await child;
  signal?.removeEventListener("abort", end);
  log?.end();
  await ending;
  process.off("exit", killWithUs);
  signal?.throwIfAborted();
  const output = lines.join("\n");
  if (result.failed) {
    throw new CommandFailure(file, output, { cause: result });
  }
  return output;
}

/** Whether a process with this id exists and has not ended (a zombie has). */
export async function isRunning(pid: number): Promise<boolean> {
  return (await commandOf(pid)) !== undefined;
}

/** The command line of a running process; undefined where there is none with this id. */
export async function commandOf(pid: number): Promise<string | undefined> {
  if (process.platform === "linux") return linuxCommandOf(pid);
  const { stdout, failed } = await execa("ps", ["-o", "stat=,command=", "-p", String(pid)], {
    reject: false,
    stdin: "ignore",
  });
  const [, state, command] = /^\s*(\S+)\s+(.*)$/.exec(stdout) ?? [];
  return failed || state === undefined || state.startsWith("Z") ? undefined : command;
}

/** From /proc, because small images come without `ps`. */
async function linuxCommandOf(pid: number): Promise<string | undefined> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, "utf8");
    const state = stat.slice(stat.lastIndexOf(")") + 2).charAt(0);
    if (state === "Z") return undefined;
    return (await readFile(`/proc/${pid}/cmdline`, "utf8")).replaceAll("\0", " ").trim();
  } catch {
    return undefined;
  }
}

/** How long the kernel may take to remove a process that was killed. */
const KILL_GRACE_MS = 2_000;

/**
 * Ends a process and all of its group: asks with TERM, the leader alone (which then ends its own
 * children in good order) or everyone, and kills after `graceMs` whatever is left. Resolves when
 * the leader has gone.
 */
export async function endProcessGroup(
  leader: number,
  { gentle, graceMs }: { gentle: "leader" | "group"; graceMs: number },
): Promise<void> {
  if (graceMs > 0) {
    sendSignal(gentle === "leader" ? leader : -leader, "SIGTERM");
    await waitUntilEnded(leader, graceMs);
  }
  killProcessGroup(leader);
  await waitUntilEnded(leader, KILL_GRACE_MS);
}

/** @returns whether the process has ended within this time */
export async function waitUntilEnded(pid: number, timeoutMs: number): Promise<boolean> {
  const deadline = Date.now() + timeoutMs;
  while (await isRunning(pid)) {
    if (Date.now() > deadline) return false;
    await sleep(50);
  }
  return true;
}

/** Asks a process to end; does nothing where it has. */
export function askToEnd(pid: number): void {
  sendSignal(pid, "SIGTERM");
}

/** Kills a process, and it alone; does nothing where it has ended. */
export function killProcess(pid: number): void {
  sendSignal(pid, "SIGKILL");
}

/** Kills a process and all of its group at once; does nothing where they have ended. */
export function killProcessGroup(leader: number): void {
  sendSignal(-leader, "SIGKILL");
}

function sendSignal(target: number, signal: NodeJS.Signals): void {
  try {
    process.kill(target, signal);
  } catch (error) {
    // It has ended in the meantime, which is what was wanted (macOS says EPERM of a zombie).
    const { code } = error as NodeJS.ErrnoException;
    if (code !== "ESRCH" && code !== "EPERM") throw error;
  }
}
