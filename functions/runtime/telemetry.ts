/** What a handler needs of a log: lines with a few fields, never a number or a text of a message. */
export interface Log {
  info(message: string, fields?: Readonly<Record<string, unknown>>): void;
  error(message: string, fields?: Readonly<Record<string, unknown>>): void;
}

/** Counts and measures, written to the log in the embedded metric format. */
export interface Meter {
  count(name: string, value?: number): void;
  /** @param ms milliseconds */
  time(name: string, ms: number): void;
  /** Writes what was collected since the last time; once per invocation. */
  flush(): void;
}

/**
 * The structured log of one function: lines of JSON, written as they are. Lambda would wrap what goes
 * to the console in JSON of its own.
 */
export function createLog(capability: string): Log {
  const line = (level: string, message: string, fields: Readonly<Record<string, unknown>> = {}) =>
    `${JSON.stringify({
      message,
      level,
      timestamp: new Date().toISOString(),
      service: capability,
      ...fields,
    })}\n`;
  return {
    info: (message, fields) => void process.stdout.write(line("INFO", message, fields)),
    error: (message, fields) => void process.stderr.write(line("ERROR", message, fields)),
  };
}

/** Writes down what went wrong beside the work of a function. */
export const logFailure =
  (log: Log) =>
  (what: string, error: unknown): void =>
    log.error(what, describeError(error));

/** The most values of a metric that one line may hold (CloudWatch, "Embedded metric format specification"). */
const MAX_VALUES = 100;

/** The metrics of one function, under the namespace `Torpedo` and the dimensions `stage` and `service`. */
export function createMeter(capability: string, stage: string): Meter {
  const counts = new Map<string, number>();
  const times = new Map<string, number[]>();

  function flush(): void {
    if (counts.size + times.size === 0) return;
    const metrics = [
      ...[...counts.keys()].map((Name) => ({ Name, Unit: "Count" })),
      ...[...times.keys()].map((Name) => ({ Name, Unit: "Milliseconds" })),
    ];
    const line = {
      _aws: {
        Timestamp: Date.now(),
        CloudWatchMetrics: [
          { Namespace: "Torpedo", Dimensions: [["service", "stage"]], Metrics: metrics },
        ],
      },
      service: capability,
      stage,
      ...Object.fromEntries(counts),
      ...Object.fromEntries(times),
    };
    process.stdout.write(`${JSON.stringify(line)}\n`);
    counts.clear();
    times.clear();
  }

  return {
    count: (name, value = 1) => void counts.set(name, (counts.get(name) ?? 0) + value),
    time(name, ms) {
      const values = times.get(name) ?? [];
      times.set(name, values);
      values.push(ms);
      if (values.length === MAX_VALUES) flush();
    },
    flush,
  };
}

/**
 * An error as a log may show it. What a JSON parser says of a body quotes the body, so it is left
 * out.
 */
export function describeError(error: unknown): Readonly<Record<string, unknown>> {
  if (!(error instanceof Error)) return { error: typeof error };
  return {
    error: error.name,
    detail: error instanceof SyntaxError ? undefined : error.message,
    ...(error.cause instanceof Error && {
      cause: error.cause.name,
      causeDetail: error.cause.message,
    }),
    stack: error.stack
      ?.split("\n")
      .filter((line) => /^\s+at /.test(line))
      .slice(0, 3)
      .join(" ")
      .trim(),
  };
}
