import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import {
  CommandFailure,
  commandOf,
  runCommand,
  waitUntilEnded,
} from "../../../bin/local/processes.ts";

const environment = { PATH: process.env.PATH };
const shell = (script: string, options: { signal?: AbortSignal; logFile?: string } = {}) =>
  runCommand("sh", ["-c", script], { environment, ...options });

it("returns what a program says on both outputs, and logs it", async () => {
  const directory = await mkdtemp(join(tmpdir(), "torpedo-unit-"));
  const logFile = join(directory, "log", "command.log");
  expect(await shell("echo out; echo err >&2", { logFile })).toBe("out\nerr");
  expect(await readFile(logFile, "utf8")).toBe("out\nerr\n");
  await rm(directory, { recursive: true });
});

it("gives a program the environment that it is told, and no other", async () => {
  expect(await shell("echo [$HOME]")).toBe("[]");
});

it("fails with what the program said", async () => {
  const failure = await shell("echo wrong; exit 3").catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(CommandFailure);
  expect((failure as CommandFailure).output).toBe("wrong");
  await expect(runCommand("/no/such/program", [], { environment })).rejects.toThrow(CommandFailure);
});

it("ends a program with all that it has started when it is aborted", async () => {
  const controller = new AbortController();
  let grandchild = 0;
  const running = runCommand("sh", ["-c", "trap '' TERM; sleep 60 & echo $!; wait; wait"], {
    environment,
    signal: controller.signal,
    onLine: (line) => {
      grandchild = Number(line);
      controller.abort(new Error("no longer wanted"));
    },
  });
  await expect(running).rejects.toThrow("no longer wanted");
  expect(grandchild).toBeGreaterThan(0);
  expect(await waitUntilEnded(grandchild, 5_000)).toBe(true);
});

it("does not start what is no longer wanted", async () => {
  await expect(shell("echo hi", { signal: AbortSignal.abort(new Error("late")) })).rejects.toThrow(
    "late",
  );
});

it("knows a running process by its command", async () => {
  expect(await commandOf(process.pid)).toContain("node");
  expect(await commandOf(2 ** 30)).toBeUndefined();
});
