import { stripVTControlCharacters } from "node:util";

/**
 * A failure that the person at the terminal can do something about: one sentence that says what is
 * wrong, one that says what to do, and where it helps the last lines of what a program said.
 */
export class Fault extends Error {
  override readonly name = "Fault";
  readonly remedy: string;
  readonly detail: string | undefined;

  constructor(problem: string, remedy: string, options: ErrorOptions & { detail?: string } = {}) {
    super(problem, options);
    this.remedy = remedy;
    this.detail = options.detail;
  }
}

/** The run was asked to end by a signal; not a failure, and answered with the exit code 128 + n. */
export class Interrupted extends Error {
  override readonly name = "Interrupted";
  readonly signal: NodeJS.Signals;

  constructor(signal: NodeJS.Signals) {
    super(`interrupted by ${signal}`);
    this.signal = signal;
  }
}

/**
 * What is printed of a failure: what is wrong, the detail, what to do. A stack trace only where
 * `debug` asks for it.
 */
export function describeFailure(error: unknown, debug: boolean): string {
  if (!(error instanceof Fault)) {
    const reason = error instanceof Error ? error.message || error.name : String(error);
    const trace = debug && error instanceof Error ? error.stack : undefined;
    return (
      trace ?? `Unexpected failure: ${reason}\nSet TORPEDO_DEBUG=1 to see where it comes from.`
    );
  }
  const parts = [error.message];
  if (error.detail) parts.push(indent(error.detail));
  parts.push(error.remedy);
  if (debug && error.stack) parts.push(error.stack);
  if (debug && error.cause instanceof Error && error.cause.stack) parts.push(error.cause.stack);
  return parts.join("\n");
}

const indent = (text: string) => text.replaceAll(/^/gm, "  ");

/**
 * The last `count` lines of a program's output that tell a reader something: without colours,
 * blank lines and stack frames.
 */
export function tail(output: string, count: number): string {
  return stripVTControlCharacters(output)
    .split("\n")
    .map((line) => line.trimEnd())
    .filter((line) => line.trim() !== "" && !/^\s+at /.test(line))
    .slice(-count)
    .join("\n");
}
