import { mkdir, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { Fault, tail } from "./fault.ts";
import { CommandFailure, isRunning, runCommand } from "./processes.ts";

/** The newest that our stack has been seen to work on; another one is another directory. */
const MINISTACK_VERSION = "1.5.33";
const MINISTACK_IMAGE = `ministackorg/ministack:${MINISTACK_VERSION}`;

/** How MiniStack can be run: by a Python of its own, or as a container. */
export type MiniStackInstallation =
  | { readonly kind: "python"; readonly python: string }
  | { readonly kind: "docker"; readonly image: string };

interface InstallOptions {
  /** Where the virtual environment is kept, `.local` of the project. */
  readonly localDirectory: string;
  readonly signal?: AbortSignal | undefined;
  /** Told what takes its time. */
  readonly onProgress?: ((detail: string) => void) | undefined;
}

/** Python's own names, newest of the versioned ones first. */
const PYTHONS = [
  "python3",
  "python3.14",
  "python3.13",
  "python3.12",
  "python3.11",
  "python3.10",
  "python",
];

/**
 * Makes sure that MiniStack is installed: in a virtual environment of its own, made by Python or by
 * uv, or where there is neither as a Docker image.
 *
 * An environment gets its name only when it is complete, so one whose making was interrupted is
 * never taken for one; one that no longer works (its Python has been removed) is made again.
 *
 * @throws Fault where there is no Python, uv or Docker to run it, or the download fails
 */
export async function installMiniStack(options: InstallOptions): Promise<MiniStackInstallation> {
  if (process.platform === "win32") {
    throw new Fault(
      "Local runs do not work on Windows itself.",
      "Run this in the Windows Subsystem for Linux (`wsl --install`).",
    );
  }
  const { localDirectory, signal, onProgress } = options;
  const name = `ministack-${MINISTACK_VERSION}`;
  const home = join(localDirectory, name);
  const python = join(home, "bin", "python");
  if (await works(python)) return { kind: "python", python };

  await mkdir(localDirectory, { recursive: true });
  await rm(home, { recursive: true, force: true });
  await removeAbandoned(localDirectory, `${name}.new-`);
  const unfinished = join(localDirectory, `${name}.new-${process.pid}`);
  const log = join(localDirectory, "ministack-install.log");
  await rm(log, { force: true });

  const findings: string[] = [];
  const makeEnvironment = (await findPython(findings)) ?? (await findUv(findings));
  if (!makeEnvironment) {
    const docker = await findDocker(findings, { signal, onProgress, log });
    if (docker) return docker;
    throw new Fault(
      `The local AWS (MiniStack) needs Python 3.10 or newer, uv, or Docker: ${findings.join("; ")}.`,
      "Install one of them, for instance Python from https://www.python.org/downloads " +
        "(Debian, Ubuntu: `sudo apt install python3-venv`), and start again.",
    );
  }
  onProgress?.(`installing MiniStack ${MINISTACK_VERSION}`);
  try {
    for (const [file, ...args] of makeEnvironment(unfinished)) {
      await runCommand(file, args, {
        // A user's `pip --user` default cannot be followed in a virtual environment.
        environment: { ...process.env, PIP_USER: "0", PIP_DISABLE_PIP_VERSION_CHECK: "1" },
        logFile: log,
        signal,
      });
    }
    await rename(unfinished, home).catch(async (error: NodeJS.ErrnoException) => {
      // Another run has been quicker, and its environment is as good.
      if (error.code !== "ENOTEMPTY" && error.code !== "EEXIST") throw error;
    });
  } catch (error) {
    if (!(error instanceof CommandFailure)) throw error;
    throw new Fault(
      `MiniStack ${MINISTACK_VERSION} could not be installed.`,
      `Check that the Python package index can be reached from here (a proxy?); all of it is in ${log}.`,
      { cause: error, detail: tail(error.output, 5) },
    );
  } finally {
    await rm(unfinished, { recursive: true, force: true });
  }
  if (!(await works(python))) {
    throw new Fault(
      `MiniStack ${MINISTACK_VERSION} has been installed but does not start.`,
      `Remove ${home} and start again; what the installation said is in ${log}.`,
    );
  }
  return { kind: "python", python };
}

/** Whether this is the Python of a complete environment. `-I`: nothing of the user's own is seen. */
async function works(python: string): Promise<boolean> {
  const check = "import ministack.app, importlib.metadata as m; print(m.version('ministack'))";
  // The import of the application must not see (or set) anything of the developer's environment.
  const { stdout } = await execa(python, ["-I", "-c", check], {
    env: { PATH: process.env.PATH },
    extendEnv: false,
    stdin: "ignore",
    reject: false,
  });
  return stdout?.trim() === MINISTACK_VERSION;
}

/** Removes what runs that were killed have left unfinished. */
async function removeAbandoned(directory: string, prefix: string): Promise<void> {
  for (const name of await readdir(directory)) {
    if (!name.startsWith(prefix)) continue;
    if (await isRunning(Number(name.slice(prefix.length)))) continue;
    await rm(join(directory, name), { recursive: true, force: true });
  }
}

/** The commands that make an environment with MiniStack in this directory. */
type EnvironmentMaker = (directory: string) => [string, ...string[]][];

async function findPython(findings: string[]): Promise<EnvironmentMaker | undefined> {
  const check =
    "import sys; print('%d.%d' % sys.version_info[:2]); sys.exit(sys.version_info < (3, 10)); ";
  let shortcoming: string | undefined;
  for (const python of PYTHONS) {
    const version = await execa(python, ["-I", "-c", check], { reject: false, stdin: "ignore" });
    if (version.failed) {
      if (version.stdout) shortcoming ??= `${python} is ${version.stdout.trim()}`;
      continue;
    }
    const complete = await execa(python, ["-I", "-c", "import venv, ensurepip"], {
      reject: false,
      stdin: "ignore",
    });
    if (complete.failed) {
      shortcoming ??= `${python} comes without venv`;
      continue;
    }
    return (directory) => [
      [python, "-I", "-m", "venv", directory],
      [
        join(directory, "bin", "python"),
        "-I",
        "-m",
        "pip",
        "install",
        `ministack==${MINISTACK_VERSION}`,
      ],
    ];
  }
  findings.push(shortcoming ?? "no Python found");
  return undefined;
}

async function findUv(findings: string[]): Promise<EnvironmentMaker | undefined> {
  const { failed } = await execa("uv", ["--version"], { reject: false, stdin: "ignore" });
  if (failed) {
    findings.push("no uv found");
    return undefined;
  }
  // uv brings a Python where the machine has none that will do.
  return (directory) => [
    ["uv", "venv", "--python", ">=3.10", directory],
    [
      "uv",
      "pip",
      "install",
      "--python",
      join(directory, "bin", "python"),
      `ministack==${MINISTACK_VERSION}`,
    ],
  ];
}

async function findDocker(
  findings: string[],
  {
    signal,
    onProgress,
    log,
  }: Pick<InstallOptions, "signal" | "onProgress"> & { readonly log: string },
): Promise<MiniStackInstallation | undefined> {
  const info = await execa("docker", ["info"], {
    reject: false,
    stdin: "ignore",
    timeout: 20_000,
  });
  if (info.failed) {
    findings.push(info.code === "ENOENT" ? "no Docker found" : "Docker does not run");
    return undefined;
  }
  const installation = { kind: "docker", image: MINISTACK_IMAGE } as const;
  const present = await execa("docker", ["image", "inspect", MINISTACK_IMAGE], {
    reject: false,
    stdin: "ignore",
  });
  if (!present.failed) return installation;
  onProgress?.(`pulling ${MINISTACK_IMAGE}`);
  try {
    await runCommand("docker", ["pull", "--quiet", MINISTACK_IMAGE], {
      environment: process.env,
      logFile: log,
      signal,
    });
  } catch (error) {
    if (!(error instanceof CommandFailure)) throw error;
    throw new Fault(
      `The image ${MINISTACK_IMAGE} could not be pulled.`,
      "Check that Docker can reach its registry, or install Python 3.10 or newer, and start again.",
      { cause: error, detail: tail(error.output, 5) },
    );
  }
  return installation;
}
