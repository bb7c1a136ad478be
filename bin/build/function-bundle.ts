import { readdirSync } from "node:fs";
import { rm } from "node:fs/promises";
import { basename, join } from "node:path";
import { build, type Metafile } from "esbuild";
import { bundleOptions } from "./bundle-options.ts";
import { deferConstants } from "./deferred-constants.ts";
import type { LeavingOut } from "./left-out.ts";

const FUNCTIONS = "functions";

/** CommonJS packages in an ES module bundle still call `require` for Node's own modules. */
const REQUIRE_SHIM =
  'import{createRequire as torpedoRequire}from"node:module";const require=torpedoRequire(import.meta.url);';

/** What became of one function. */
export interface FunctionBundle {
  /** Bytes, all files together. */
  readonly bytes: number;
  readonly metafile: Metafile;
}

/**
 * Bundles one function into `outdir/index.mjs`. What it imports dynamically is a file of its own,
 * read when it is needed.
 */
export async function bundleFunction(
  capability: string,
  outdir: string,
  leavingOut: LeavingOut,
): Promise<FunctionBundle> {
  const { metafile } = await build({
    ...bundleOptions,
    entryPoints: { index: join(FUNCTIONS, capability, "index.ts") },
    outdir,
    outExtension: { ".js": ".mjs" },
    splitting: true,
    format: "esm",
    banner: { js: REQUIRE_SHIM },
    plugins: [leavingOut.plugin, deferConstants(FUNCTIONS)],
  });
  const built = Object.entries(metafile.outputs);
  await removeChunksBut(new Set(built.map(([file]) => basename(file))), outdir);
  const bytes = built.reduce(
    (sum, [file, output]) => (file.endsWith(".mjs") ? sum + output.bytes : sum),
    0,
  );
  return { bytes, metafile };
}

const CHUNK = /-[A-Z0-9]{8}\.mjs(?:\.map)?$/;

/** Removes the parts of a bundle that are no more; their names change with what is in them. */
async function removeChunksBut(built: ReadonlySet<string>, outdir: string): Promise<void> {
  const stale = readdirSync(outdir).filter((name) => CHUNK.test(name) && !built.has(name));
  await Promise.all(stale.map((name) => rm(join(outdir, name))));
}
