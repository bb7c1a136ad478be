import { Logger } from "@aws-lambda-powertools/logger";
import { Metrics } from "@aws-lambda-powertools/metrics";

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

/** The structured log of one function. */
export function createLog(capability: string): Log {
  const logger = new Logger({ serviceName: capability, logRecordOrder: ["message"] });
  return {
    info: (message, fields = {}) => logger.info(message, { ...fields }),
    error: (message, fields = {}) => logger.error(message, { ...fields }),
  };
}

/** Writes down what went wrong beside the work of a function. */
export const logFailure =
  (log: Log) =>
  (what: string, error: unknown): void =>
    log.error(what, describeError(error));

/** The metrics of one function, under the namespace `Torpedo` and the dimensions `stage` and `service`. */
export function createMeter(capability: string, stage: string): Meter {
  const metrics = new Metrics({
    namespace: "Torpedo",
    serviceName: capability,
    defaultDimensions: { stage },
  });
  return {
    count: (name, value = 1) => metrics.addMetric(name, "Count", value),
    time: (name, ms) => metrics.addMetric(name, "Milliseconds", ms),
    flush: () => {
      if (metrics.hasStoredMetrics()) metrics.publishStoredMetrics();
    },
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
