import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { bundle } from "../../bench/deployment.ts";
import { LambdaProcess } from "../../bench/lambda/lambda-process.ts";

const HANDLER = `
export const handler = async ({ kind }, { functionName }) => {
  if (kind === "fail") throw new Error("it fails");
  if (kind === "die") process.exit(3);
  if (kind === "log") console.log("ten bytes");
  if (kind === "work") for (const end = performance.now() + 100; performance.now() < end; );
  const wrote = new Date();
  return { functionName, region: process.env.AWS_REGION, now: Date.now(), wrote, at: new Date(0) };
};`;

describe("a Lambda process", () => {
  const directory = mkdtempSync(join(tmpdir(), "lambda-process-"));
  const file = join(directory, "handler.mjs");
  let runtime: string;
  const running: LambdaProcess[] = [];

  beforeAll(async () => {
    writeFileSync(file, HANDLER);
    runtime = await bundle("test/bench/lambda/runtime.ts", directory, "runtime");
  });
  afterAll(async () => {
    await Promise.all(running.map((process) => process.close()));
    rmSync(directory, { recursive: true });
  });

  function begin(): LambdaProcess {
    const process = new LambdaProcess({
      name: "a-function",
      runtime,
      bundle: file,
      environment: {},
      memoryMegabytes: 256,
      timeoutMs: 1_000,
    });
    running.push(process);
    return process;
  }
  const invoke = async (process: LambdaProcess, kind: string, aheadMs = 0) => {
    const { result, span } = await process.invoke(JSON.stringify({ kind }), aheadMs);
    return { result: result as Record<string, unknown>, span };
  };

  test("is a function of Lambda's to the code that it runs", async () => {
    const { result } = await invoke(begin(), "nothing");
    expect(result).toMatchObject({ functionName: "torpedo-a-function", region: "us-east-1" });
  });

  test("counts processor time, memory, and what is logged", async () => {
    const process = begin();
    const idle = await invoke(process, "nothing");
    const busy = await invoke(process, "work");
    const { span } = await invoke(process, "log");
    expect(span).toMatchObject({ logBytes: 10, logLines: 1 });
    expect(idle.span.logBytes).toBe(0);
    expect(busy.span.wallMs).toBeGreaterThan(99);
    expect(busy.span.cpuMicroseconds).toBeGreaterThan(5_000);
    const { cpuMs, peakMegabytes } = await process.sumUp();
    expect(cpuMs * 1_000).toBeGreaterThan(busy.span.cpuMicroseconds);
    expect(peakMegabytes).toBeGreaterThan(10);
  });

  test("believes itself ahead of time where it is to", async () => {
    const hour = 3_600_000;
    const process = begin();
    const { result } = await invoke(process, "nothing", hour);
    expect(Number(result.now) - Date.now()).toBeGreaterThan(hour - 60_000);
    expect(Date.parse(String(result.wrote)) - Date.now()).toBeGreaterThan(hour - 60_000);
    expect(result.at).toBe("1970-01-01T00:00:00.000Z");
    const later = await invoke(process, "nothing");
    expect(Number(later.result.now) - Date.now()).toBeLessThan(60_000);
  });

  test("tells of errors, and of its death", async () => {
    const process = begin();
    await expect(invoke(process, "fail")).rejects.toThrow("it fails");
    await expect(invoke(process, "nothing")).resolves.toBeDefined();
    await expect(invoke(process, "die")).rejects.toThrow("a-function ended with 3");
  });
});
