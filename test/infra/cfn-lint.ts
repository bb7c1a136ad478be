import { execFileSync, type SpawnSyncReturns, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod";

export const CFN_LINT_VERSION = "1.58.0";
const OLDEST_PYTHON = [3, 10] as const;

/** What cfn-lint has to say about one place of one template. */
export interface Finding {
  readonly file: string;
  /** Such as W3005. */
  readonly rule: string;
  readonly message: string;
  readonly path: readonly (string | number)[];
}

/** The Python that can run cfn-lint, or why none can. */
export type Python =
  | { readonly kind: "usable"; readonly command: string }
  | { readonly kind: "unusable"; readonly why: string }
  | { readonly kind: "none" };

const COMMANDS = ["python3", "python3.14", "python3.13", "python3.12", "python3.11", "python3.10"];

export function findPython(): Python {
  let why: string | undefined;
  for (const command of COMMANDS) {
    const { status, stdout } = spawnSync(
      command,
      ["-I", "-c", "import sys; print('%d.%d' % sys.version_info[:2]); import venv, ensurepip"],
      { encoding: "utf8" },
    );
    const [major = 0, minor = 0] = (stdout ?? "").split(".").map(Number);
    if (!major) continue;
    const isTooOld =
      major === OLDEST_PYTHON[0] ? minor < OLDEST_PYTHON[1] : major < OLDEST_PYTHON[0];
    if (!isTooOld && status === 0) return { kind: "usable", command };
    why ??= isTooOld
      ? `${command} is Python ${major}.${minor}, and cfn-lint needs ${OLDEST_PYTHON.join(".")} or newer`
      : `${command} comes without venv (Debian, Ubuntu: \`apt install python3-venv\`)`;
  }
  return why ? { kind: "unusable", why } : { kind: "none" };
}

/**
 * Makes sure that cfn-lint is installed, in a virtual environment of its own. It gets its name
 * only when it is complete.
 * @returns the environment's Python
 */
export function installCfnLint(python: Python): string {
  if (python.kind === "none") throw new Error("there is no Python");
  if (python.kind === "unusable") throw new Error(`cfn-lint cannot be run: ${python.why}.`);
  const home = join(".local", `cfn-lint-${CFN_LINT_VERSION}`);
  const installed = join(home, "bin", "python");
  if (existsSync(installed)) return installed;
  const unfinished = `${home}.new-${process.pid}`;
  mkdirSync(".local", { recursive: true });
  try {
    execFileSync(python.command, ["-I", "-m", "venv", unfinished]);
    const pip = spawnSync(
      join(unfinished, "bin", "python"),
      ["-I", "-m", "pip", "install", "--quiet", `cfn-lint==${CFN_LINT_VERSION}`],
      // A user's `pip --user` default cannot be followed in a virtual environment.
      {
        encoding: "utf8",
        env: { ...process.env, PIP_USER: "0", PIP_DISABLE_PIP_VERSION_CHECK: "1" },
      },
    );
    if (pip.status !== 0) throw new Error(`cfn-lint could not be installed:\n${outputOf(pip)}`);
    rmSync(home, { recursive: true, force: true });
    renameSync(unfinished, home);
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
  }
  return installed;
}

const reportSchema = z.array(
  z.object({
    Filename: z.string(),
    Message: z.string(),
    Rule: z.object({ Id: z.string() }),
    Location: z.object({ Path: z.array(z.union([z.string(), z.number()])).nullish() }),
  }),
);

/** Its own script names the directory in which the environment was made, before it was renamed. */
const RUN_CFN_LINT = "import sys; from cfnlint.runner import main; sys.exit(main())";

/** Errors and warnings of cfn-lint about these templates, for each of the regions. */
export function lint(python: string, files: string[], regions: string[]): Finding[] {
  const run = spawnSync(
    python,
    ["-I", "-c", RUN_CFN_LINT, "--format", "json", "--regions", ...regions, "--", ...files],
    { encoding: "utf8", maxBuffer: 64 * 1024 * 1024 },
  );
  // Its exit code adds up what was found; what it did not get to say is no JSON.
  if (!run.stdout?.trimStart().startsWith("[")) {
    throw new Error(`cfn-lint failed:\n${outputOf(run)}`);
  }
  return reportSchema
    .parse(JSON.parse(run.stdout))
    .map(({ Filename, Message, Rule, Location }) => ({
      file: Filename,
      rule: Rule.Id,
      message: Message,
      path: Location.Path ?? [],
    }));
}

const outputOf = ({ error, stdout, stderr }: SpawnSyncReturns<string>) =>
  [error, stdout, stderr].filter(Boolean).join("\n");
