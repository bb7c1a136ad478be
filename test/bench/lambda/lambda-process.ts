import { type ChildProcess, fork } from "node:child_process";
import type { FromLambda, Span, ToLambda } from "./protocol.ts";

/** What a Lambda process runs, and as whom. */
export interface LambdaSettings {
  readonly name: string;
  /** The runtime's own bundle (`runtime.ts`). */
  readonly runtime: string;
  /** The bundle of the function. */
  readonly bundle: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly memoryMegabytes: number;
  readonly timeoutMs: number;
}

/** What a process has taken since it began. */
export interface Sum {
  readonly cpuMs: number;
  readonly peakMegabytes: number;
}

/** Of the function's memory, what Node may fill with objects. */
const HEAP_SHARE = 0.9;

/** What Lambda sets, and what keeps the SDK from looking for more. */
const environmentOf = (settings: LambdaSettings) => ({
  TZ: ":UTC",
  AWS_REGION: "us-east-1",
  AWS_DEFAULT_REGION: "us-east-1",
  AWS_ACCESS_KEY_ID: "AKIDEXAMPLE",
  AWS_SECRET_ACCESS_KEY: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
  AWS_SESSION_TOKEN: "x".repeat(700),
  AWS_EXECUTION_ENV: "AWS_Lambda_nodejs24.x",
  AWS_LAMBDA_FUNCTION_NAME: `torpedo-${settings.name}`,
  AWS_LAMBDA_FUNCTION_VERSION: "$LATEST",
  AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(settings.memoryMegabytes),
  AWS_LAMBDA_INITIALIZATION_TYPE: "on-demand",
  AWS_LAMBDA_LOG_FORMAT: "JSON",
  _HANDLER: "index.handler",
  // Its reminder that Node 20 will not be supported for ever is none that Lambda would see.
  AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: "true",
  BENCH_TIMEOUT_MS: String(settings.timeoutMs),
  ...settings.environment,
});

/** Who waits for an answer. */
interface Waiting {
  readonly resolve: (answer: FromLambda) => void;
  readonly reject: (error: Error) => void;
}

/** A function as it stands ready to be invoked: a process of its own, which does one thing at a time. */
export class LambdaProcess {
  readonly #child: ChildProcess;
  readonly #name: string;
  #waiting: Waiting | undefined;
  #complaints = "";

  /** Begins the process; it loads the bundle with the first event. */
  constructor(settings: LambdaSettings) {
    this.#name = settings.name;
    this.#child = fork(settings.runtime, [settings.bundle], {
      env: environmentOf(settings),
      execArgv: [`--max-old-space-size=${Math.floor(settings.memoryMegabytes * HEAP_SHARE)}`],
      stdio: ["ignore", "ignore", "pipe", "ipc"],
    });
    this.#child.stderr?.on("data", (chunk) => {
      this.#complaints += String(chunk);
    });
    this.#child.on("message", (answer) => this.#settle((it) => it.resolve(answer as FromLambda)));
    this.#child.on("error", (error) => this.#settle((it) => it.reject(error)));
    this.#child.on("exit", (code, signal) => {
      const how = `${this.#name} ended with ${code ?? signal}: ${this.#complaints}`;
      this.#settle((it) => it.reject(new Error(how)));
    });
  }

  #settle(how: (waiting: Waiting) => void): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (waiting) how(waiting);
  }

  #ask(message: ToLambda): Promise<FromLambda> {
    if (this.#waiting) throw new Error(`${this.#name} is at work`);
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
      this.#child.send(message, (error) => error && this.#settle((it) => it.reject(error)));
    });
  }

  /**
   * Invokes the function.
   * @param event as JSON
   * @throws Error where the function does
   */
  async invoke(event: string, aheadMs = 0): Promise<{ result: unknown; span: Span }> {
    const answer = await this.#ask({ kind: "invoke", event, aheadMs });
    if (answer.kind === "failed") throw new Error(`${this.#name} failed: ${answer.error}`);
    if (answer.kind !== "answered") throw new Error(`${this.#name} answers something else`);
    return { result: JSON.parse(answer.result), span: answer.span };
  }

  /** What the process has taken in all. @param anew whether only later peaks of memory count from now on */
  async sumUp(anew = false): Promise<Sum> {
    const answer = await this.#ask({ kind: "sum-up", anew });
    if (answer.kind !== "summed-up") throw new Error(`${this.#name} answers something else`);
    return {
      cpuMs: answer.cpuMicroseconds / 1_000,
      peakMegabytes: answer.peakMegabytes,
    };
  }

  /** Ends the process. */
  async close(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = new Promise((resolve) => this.#child.once("exit", resolve));
    this.#child.disconnect();
    await ended;
  }
}
