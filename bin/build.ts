import { existsSync, readdirSync } from "node:fs";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { build } from "esbuild";
import { createOpenApiDocument } from "./openapi.ts";

const FUNCTIONS = "functions";
const OUTPUT = "dist";

/** CommonJS packages in an ES module bundle still call `require` for Node's own modules. */
const REQUIRE_SHIM =
  'import{createRequire as torpedoRequire}from"node:module";const require=torpedoRequire(import.meta.url);';

/** Bundles each function of `functions/` into `dist/<capability>/index.mjs` and prints its size. */
async function buildFunctions(): Promise<void> {
  const capabilities = readdirSync(FUNCTIONS).filter((name) =>
    existsSync(join(FUNCTIONS, name, "index.ts")),
  );
  const { metafile } = await build({
    entryPoints: Object.fromEntries(
      capabilities.map((name) => [`${name}/index`, join(FUNCTIONS, name, "index.ts")]),
    ),
    outdir: OUTPUT,
    outExtension: { ".js": ".mjs" },
    bundle: true,
    platform: "node",
    target: "node20",
    format: "esm",
    mainFields: ["module", "main"],
    minify: true,
    treeShaking: true,
    // Beside the bundle for reading stack traces, but neither deployed nor loaded.
    sourcemap: "external",
    legalComments: "none",
    banner: { js: REQUIRE_SHIM },
    metafile: true,
    logLevel: "warning",
  });
  await removeAllBut(capabilities);
  for (const [file, { bytes }] of Object.entries(metafile.outputs)) {
    // Not on the standard output, where `cdk synth` prints the template.
    if (file.endsWith(".mjs"))
      console.error(`${(bytes / 1_000).toFixed(1).padStart(8)} kB  ${file}`);
  }
}

/** Removes the bundles of functions that are no more; not all of them first, which others may be reading. */
async function removeAllBut(capabilities: readonly string[]): Promise<void> {
  const stale = readdirSync(OUTPUT).filter((name) => !capabilities.includes(name));
  await Promise.all(stale.map((name) => rm(join(OUTPUT, name), { recursive: true, force: true })));
}

/** Leaves the OpenAPI document beside the function that serves it. */
async function buildOpenApiDocument(): Promise<void> {
  await writeFile(join(OUTPUT, "admin", "openapi.json"), JSON.stringify(createOpenApiDocument()));
}

await buildFunctions();
await buildOpenApiDocument();
