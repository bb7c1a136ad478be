import { createHash } from "node:crypto";
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";

/** Everything that decides what is deployed. */
const SOURCES = [
  "bin/build",
  "bin/build.ts",
  "bin/openapi.ts",
  "bin/torpedo.ts",
  "cdk.json",
  "functions",
  "lib",
  "package-lock.json",
  "tsconfig.json",
];

/** A hash over all that decides what is deployed, by which one deployment is told from another. */
export async function fingerprintOf(appDirectory: string): Promise<string> {
  const hash = createHash("sha256");
  for (const source of SOURCES) {
    for (const file of await filesOf(join(appDirectory, source))) {
      hash.update(file).update("\0");
      hash.update(await readFile(file)).update("\0");
    }
  }
  return hash.digest("hex");
}

async function filesOf(path: string): Promise<string[]> {
  if (!(await stat(path)).isDirectory()) return [path];
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}
