import { afterEach, expect, test, vi } from "vitest";
import { createLog, createMeter } from "../../../functions/runtime/telemetry.ts";

afterEach(() => {
  vi.restoreAllMocks();
});

/** What goes to an output while the test runs, line by line. */
function linesOf(output: "stdout" | "stderr"): unknown[] {
  const lines: unknown[] = [];
  vi.spyOn(process[output], "write").mockImplementation((text) => {
    lines.push(JSON.parse(String(text)));
    return true;
  });
  return lines;
}

test("a line of the log is JSON that says what, how bad, when, and of which function", () => {
  const lines = linesOf("stdout");
  createLog("bulk").info("batch", { failed: 0, missing: undefined });
  expect(lines).toEqual([
    {
      message: "batch",
      level: "INFO",
      timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      service: "bulk",
      failed: 0,
    },
  ]);
});

test("errors go to the standard error", () => {
  const lines = linesOf("stderr");
  createLog("bulk").error("message failed");
  expect(lines).toEqual([expect.objectContaining({ message: "message failed", level: "ERROR" })]);
});

test("metrics are one line in the embedded metric format, and told once", () => {
  const lines = linesOf("stdout");
  const meter = createMeter("callback", "prod");
  meter.count("Attempts");
  meter.count("Attempts", 2);
  meter.time("Duration", 5);
  meter.time("Duration", 7);
  meter.flush();
  meter.flush();
  expect(lines).toEqual([
    {
      _aws: {
        Timestamp: expect.any(Number),
        CloudWatchMetrics: [
          {
            Namespace: "Torpedo",
            Dimensions: [["service", "stage"]],
            Metrics: [
              { Name: "Attempts", Unit: "Count" },
              { Name: "Duration", Unit: "Milliseconds" },
            ],
          },
        ],
      },
      service: "callback",
      stage: "prod",
      Attempts: 3,
      Duration: [5, 7],
    },
  ]);
});

test("no line has more values of a metric than CloudWatch takes", () => {
  const lines = linesOf("stdout");
  const meter = createMeter("callback", "prod");
  for (let ms = 0; ms < 150; ms++) meter.time("Duration", ms);
  meter.flush();
  expect(lines.map((line) => (line as { Duration: unknown[] }).Duration.length)).toEqual([100, 50]);
});
