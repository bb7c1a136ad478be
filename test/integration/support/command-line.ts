import { execa } from "execa";
import { environmentFor, localAws } from "../../../bin/local/local-aws.ts";
import { COMMAND_LINE } from "./bundled-command-line.ts";
import { stack } from "./stack.ts";

/** Runs a command against the stack that the tests share. */
export async function run(command: string, args: string[]) {
  const { stdout, stderr, exitCode } = await execa(command, args, {
    env: environmentFor(localAws(stack.endpointUrl), process.env),
    extendEnv: false,
    reject: false,
  });
  return { stdout, stderr, exitCode };
}

/** Runs the operator's command line as npm does for an operator, but for npm's and the compiler's share of the time. */
export const admin = (...args: string[]) => run(process.execPath, [COMMAND_LINE, ...args]);

/** What the operator's command line says to programs. */
export const adminJson = async (...args: string[]) =>
  JSON.parse((await admin(...args, "--json")).stdout);
