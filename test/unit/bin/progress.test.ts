import { PassThrough } from "node:stream";
import { expect, it } from "vitest";
import { formatSeconds, Progress } from "../../../bin/local/progress.ts";

it.each([
  [0, "0.0 s"],
  [449, "0.4 s"],
  [9_940, "9.9 s"],
  [12_400, "12 s"],
  [59_900, "1 min 00 s"],
  [125_000, "2 min 05 s"],
])("shows %i ms as %s", (milliseconds, shown) => {
  expect(formatSeconds(milliseconds)).toBe(shown);
});

it("shows a step's beginning and its end, on what is no terminal without taking lines back", async () => {
  const out = new PassThrough();
  const progress = new Progress(out as unknown as NodeJS.WriteStream);
  expect(await progress.step("Deploying", async () => 42)).toBe(42);
  await expect(
    progress.step("Breaking", async (report) => {
      report("half way");
      throw new Error("broken");
    }),
  ).rejects.toThrow("broken");
  expect(String(out.read()).replaceAll(/\(.*\)/g, "(time)")).toBe(
    "… Deploying (time)\n✓ Deploying (time)\n… Breaking (time)\n✗ Breaking · half way (time)\n",
  );
});
