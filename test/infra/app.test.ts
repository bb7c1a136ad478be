import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { expect, test } from "vitest";
import { readAssembly, synthesise } from "./synth.ts";

/** Runs the CDK app by itself, as the CDK's command line would run it. */
async function runApp(context: Record<string, unknown>) {
  const outdir = mkdtempSync(join(tmpdir(), "torpedo-app-"));
  try {
    const { context: settings } = JSON.parse(readFileSync("cdk.json", "utf8"));
    const app = spawn(process.execPath, ["--import", "tsx", "bin/torpedo.ts"], {
      env: {
        ...process.env,
        CDK_OUTDIR: outdir,
        CDK_CONTEXT_JSON: JSON.stringify({ ...settings, ...context }),
        // Of the machine's own, these would make templates of one account and region.
        CDK_DEFAULT_ACCOUNT: "",
        CDK_DEFAULT_REGION: "",
      },
      stdio: ["ignore", "ignore", "pipe"],
    });
    const [said, [exitCode]] = await Promise.all([text(app.stderr), once(app, "close")]);
    return { exitCode, said, assembly: exitCode === 0 ? readAssembly(outdir) : undefined };
  } finally {
    rmSync(outdir, { recursive: true, force: true });
  }
}

test("the app synthesises what these tests look at", async () => {
  const overlays = { prod: { statusRetentionHours: 48 } };
  const { said, assembly } = await runApp({ stage: "prod", stages: overlays });
  expect(said).toBe("");
  expect(assembly?.templates).toEqual(synthesise("prod", overlays).templates);
  expect(assembly?.validationReports).toEqual([]);
});

test("the app says in a line what is wrong with a stage, and ends", async () => {
  const { exitCode, said } = await runApp({ stage: "prdo" });
  expect(said).toBe('stage: there is no stage "prdo"; there are dev, prod, local\n');
  expect(exitCode).toBe(1);
});
