import { readdirSync, readFileSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { bundleFunction } from "../../bin/build/function-bundle.ts";
import { LeavingOut } from "../../bin/build/left-out.ts";

/** How large a function's bundle is, in bytes. */
export interface BundleSize {
  /** All of its code. */
  readonly all: number;
  /** What is loaded with the function; the rest is loaded when it is needed. */
  readonly atStart: number;
}

const STATIC_IMPORT = /(?:from|import)\s*"\.\/(?<file>[^"]+\.mjs)"/g;

/** Measures a built bundle by its entry. */
export function sizeOfBundle(entry: string): BundleSize {
  const directory = dirname(entry);
  const code = readdirSync(directory).filter((name) => name.endsWith(".mjs"));
  const size = (name: string) => statSync(join(directory, name)).size;
  const loaded = new Set<string>();
  const load = (name: string) => {
    if (loaded.has(name)) return;
    loaded.add(name);
    const text = readFileSync(join(directory, name), "utf8");
    for (const { groups } of text.matchAll(STATIC_IMPORT)) load(groups?.file ?? "");
  };
  load(basename(entry));
  const sum = (names: Iterable<string>) =>
    [...names].reduce((bytes, name) => bytes + size(name), 0);
  return { all: sum(code), atStart: sum(loaded) };
}

const SDK_PACKAGE = /node_modules\/(?<name>@aws-sdk\/(?:client-[\w-]+|lib-dynamodb))\//;

/**
 * The clients of AWS whose code is loaded with a function, by package name.
 * @param outdir where the function may be bundled once more
 */
export async function clientsOf(capability: string, outdir: string): Promise<readonly string[]> {
  const { metafile } = await bundleFunction(capability, outdir, new LeavingOut());
  const { outputs } = metafile;
  const entry = Object.keys(outputs).find((output) => basename(output) === "index.mjs") ?? "";
  const packages = new Set<string>();
  const seen = new Set<string>();
  const look = (output: string) => {
    if (seen.has(output)) return;
    seen.add(output);
    for (const [input, { bytesInOutput }] of Object.entries(outputs[output]?.inputs ?? {})) {
      const name = SDK_PACKAGE.exec(input)?.groups?.name;
      if (name && bytesInOutput > 0) packages.add(name);
    }
    for (const { path, kind } of outputs[output]?.imports ?? []) {
      if (kind === "import-statement") look(path);
    }
  };
  look(entry);
  return [...packages].sort();
}
