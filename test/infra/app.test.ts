import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { expect, test } from "vitest";
import { CARRIERS, SECRETS } from "./every-carrier.ts";
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

test("the app takes what the context says of stages as JSON, too, as it is on the command line", async () => {
  const overlays = {
    prod: {
      // A secret may have an equals sign in its name.
      carriers: {
        vivo: { ...CARRIERS.vivo, secret: `${SECRETS.vivo.slice(0, -7)}=sp-AbCdEf` },
      },
      routes: [{ carrier: "vivo" }],
    },
  };
  const { said, assembly } = await runApp({ stage: "prod", stages: JSON.stringify(overlays) });
  expect(said).toBe("");
  expect(assembly?.templates).toEqual(synthesise("prod", overlays).templates);
});

test.each([
  ['{"prod":', "stages: expected JSON\n"],
  ["prod", "stages: expected JSON\n"],
  ["7", "stages: expected an object of settings by stage name\n"],
  ['{"prod":{"colour":"red"}}', 'stages.prod: Unrecognized key: "colour"\n'],
])("the app says in a line what is wrong with %s", async (stages, line) => {
  const { exitCode, said } = await runApp({ stage: "prod", stages });
  expect(said).toBe(line);
  expect(exitCode).toBe(1);
});

test("the app says in a line what is wrong with a stage, and ends", async () => {
  const { exitCode, said } = await runApp({ stage: "prdo" });
  expect(said).toBe('stage: there is no stage "prdo"; there are dev, prod, local\n');
  expect(exitCode).toBe(1);
});
