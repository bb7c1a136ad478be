import type { BuildOptions } from "esbuild";

/** How everything is bundled that runs in Lambda. */
export const bundleOptions = {
  bundle: true,
  platform: "node",
  target: "node20",
  mainFields: ["module", "main"],
  minify: true,
  treeShaking: true,
  // The same code, for engines of our time.
  alias: { "libphonenumber-js/mobile": "libphonenumber-js/mobile/es6" },
  // Beside the bundle for reading stack traces, but neither deployed nor loaded.
  sourcemap: "external",
  legalComments: "none",
  metafile: true,
  logLevel: "warning",
} as const satisfies BuildOptions;
