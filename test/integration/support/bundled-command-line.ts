import { build } from "esbuild";

/** The operator's command line in one file, which starts in a third of the time: tests run it a hundred times. */
export const COMMAND_LINE = "node_modules/.cache/torpedo-tests/admin.mjs";

/** Bundles it; once, before the tests. */
export async function bundleCommandLine(): Promise<void> {
  await build({
    entryPoints: ["bin/admin.ts"],
    outfile: COMMAND_LINE,
    bundle: true,
    platform: "node",
    format: "esm",
    packages: "external",
    logLevel: "warning",
  });
}
