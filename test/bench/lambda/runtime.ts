import { openSync, readFileSync, writeFileSync, writeSync } from "node:fs";
import { pathToFileURL } from "node:url";
import type { FromLambda, Span, ToLambda } from "./protocol.ts";

/**
 * Stands in for Lambda's own runtime: loads the bundle that the command line names and hands it the
 * events that come from the parent process. Lambda's runtime parses an event and writes an answer,
 * and neither is the function's; so both lie outside of what is measured.
 */

/** What a bundle exports: a function's handler, or a floor's, which gets its event ready beforehand. */
interface Bundle {
  readonly handler: (event: unknown, context: object) => Promise<unknown>;
  readonly prepare?: (event: unknown) => unknown;
}

/** Lines are written to nowhere, so that writing them costs what it costs. */
const nowhere = openSync("/dev/null", "w");
const written = { bytes: 0, lines: 0 };

function write(chunk: string | Uint8Array, ...rest: unknown[]): boolean {
  const bytes = typeof chunk === "string" ? Buffer.from(chunk) : chunk;
  writeSync(nowhere, bytes);
  written.bytes += bytes.length;
  written.lines++;
  const callback = rest.find((argument) => typeof argument === "function");
  callback?.();
  return true;
}

process.stdout.write = write as typeof process.stdout.write;
process.stderr.write = write as typeof process.stderr.write;

const MachineDate = Date;
const machineNow = Date.now;

/** The machine's clock, so many milliseconds ahead. */
function clockAhead(ms: number): DateConstructor {
  const now = () => machineNow() + ms;
  return new Proxy(MachineDate, {
    construct: (target, given) => Reflect.construct(target, given.length > 0 ? given : [now()]),
    get: (target, name) => (name === "now" ? now : Reflect.get(target, name)),
  });
}

let bundle: Promise<Bundle> | undefined;
let invocations = 0;

async function invoke(eventText: string, aheadMs: number): Promise<FromLambda> {
  bundle ??= import(pathToFileURL(process.argv[2] ?? "").href) as Promise<Bundle>;
  const { handler, prepare } = await bundle;
  globalThis.Date = aheadMs === 0 ? MachineDate : clockAhead(aheadMs);
  const parsed: unknown = JSON.parse(eventText);
  const event = prepare ? prepare(parsed) : parsed;
  const context = contextOf(++invocations);
  const { bytes, lines } = written;
  const cpu = process.cpuUsage();
  const start = performance.now();
  const result = await handler(event, context);
  const wallMs = performance.now() - start;
  // What the handler has left for the next turn is its own, too.
  await new Promise((resolve) => setImmediate(resolve));
  const { user, system } = process.cpuUsage(cpu);
  const span: Span = {
    cpuMicroseconds: user + system,
    wallMs,
    logBytes: written.bytes - bytes,
    logLines: written.lines - lines,
  };
  return { kind: "answered", result: JSON.stringify(result) ?? "null", span };
}

function contextOf(invocation: number) {
  const timeoutAt = machineNow() + Number(process.env.BENCH_TIMEOUT_MS);
  const name = process.env.AWS_LAMBDA_FUNCTION_NAME ?? "";
  const number = String(invocation).padStart(12, "0");
  process.env._X_AMZN_TRACE_ID = `Root=1-67890abc-${number}${number};Parent=53995c3f42cd8ad8;Sampled=0;Lineage=1:a8f2c3d4:0`;
  return {
    awsRequestId: `8f5a1b6c-7d2e-4f3a-9b1c-${number}`,
    functionName: name,
    functionVersion: "$LATEST",
    invokedFunctionArn: `arn:aws:lambda:us-east-1:000000000000:function:${name}`,
    memoryLimitInMB: process.env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    logGroupName: `/aws/lambda/${name}`,
    logStreamName: "2026/01/01/[$LATEST]bench",
    callbackWaitsForEmptyEventLoop: true,
    getRemainingTimeInMillis: () => timeoutAt - machineNow(),
  };
}

function sumUp(anew: boolean): FromLambda {
  const { user, system } = process.cpuUsage();
  const peakMegabytes = peakMemory() / 1_024;
  if (anew) forgetPeak();
  return { kind: "summed-up", cpuMicroseconds: user + system, peakMegabytes };
}

/** The most memory that was resident, in kilobytes: since it was last forgotten where the system can do so, else ever. */
function peakMemory(): number {
  try {
    const status = readFileSync("/proc/self/status", "utf8");
    return Number(/^VmHWM:\s*(?<kilobytes>\d+) kB$/m.exec(status)?.groups?.kilobytes);
  } catch {
    return process.resourceUsage().maxRSS;
  }
}

function forgetPeak(): void {
  try {
    writeFileSync("/proc/self/clear_refs", "5");
  } catch {
    // Where there is no such thing, peaks are those since the beginning.
  }
}

const answer = (message: FromLambda) => process.send?.(message);

process.on("message", (message: ToLambda) => {
  if (message.kind === "sum-up") {
    answer(sumUp(message.anew));
    return;
  }
  invoke(message.event, message.aheadMs).then(answer, (error) =>
    answer({
      kind: "failed",
      error: error instanceof Error ? (error.stack ?? error.message) : String(error),
    }),
  );
});
process.on("disconnect", () => process.exit());
