import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import * as z from "zod";

const RECORD = "test/unit/bundle-sizes.json";
/** How far a bundle may grow before somebody has to say that it should. */
const TOLERATED_GROWTH = 0.1;
/** What no bundle may be larger than, in bytes: what is loaded is waited for. */
const MAX_BYTES = 600_000;

/** Bytes by function. */
type Sizes = Readonly<Record<string, number>>;

/** What is wrong with the sizes of bundles, and how to accept them. */
function problemsWith(built: Sizes, recorded: Sizes): string[] {
  const record = (name: string) => `set "${name}" to ${built[name]} in ${RECORD}`;
  const problems: string[] = [];
  for (const [name, bytes] of Object.entries(built)) {
    const before = recorded[name];
    if (before === undefined) {
      problems.push(`${name} is new: ${record(name)}`);
    } else if (bytes > before * (1 + TOLERATED_GROWTH)) {
      const percent = Math.round((bytes / before - 1) * 100);
      problems.push(
        `${name} grew by ${percent} % to ${bytes} bytes; if it should: ${record(name)}`,
      );
    }
  }
  for (const name of Object.keys(recorded)) {
    if (!(name in built)) problems.push(`${name} is gone: remove it from ${RECORD}`);
  }
  return problems;
}

function builtSizes(): Sizes {
  const bundles = existsSync("dist")
    ? readdirSync("dist").filter((name) => existsSync(join("dist", name, "index.mjs")))
    : [];
  if (bundles.length === 0) throw new Error("No bundles in dist/: run `npm run build` first.");
  return Object.fromEntries(bundles.map((name) => [name, sizeOf(join("dist", name))]));
}

/** Of all files of a bundle: also of those that are only loaded when they are needed. */
const sizeOf = (bundle: string) =>
  readdirSync(bundle)
    .filter((file) => file.endsWith(".mjs"))
    .reduce((bytes, file) => bytes + statSync(join(bundle, file)).size, 0);

test("no bundle has grown by more than a tenth", () => {
  const recorded = z.record(z.string(), z.number()).parse(JSON.parse(readFileSync(RECORD, "utf8")));
  expect(problemsWith(builtSizes(), recorded)).toEqual([]);
});

test("no bundle is larger than 600 kB", () => {
  const tooLarge = Object.entries(builtSizes()).filter(([, bytes]) => bytes > MAX_BYTES);
  expect(tooLarge).toEqual([]);
});

test("a bundle may grow by a tenth, and shrink", () => {
  expect(problemsWith({ a: 1_100, b: 10 }, { a: 1_000, b: 1_000 })).toEqual([]);
});

test("growth beyond that, a new bundle and one that is gone are told, with what to do", () => {
  expect(problemsWith({ a: 1_101, b: 5 }, { a: 1_000, c: 7 })).toEqual([
    `a grew by 10 % to 1101 bytes; if it should: set "a" to 1101 in ${RECORD}`,
    `b is new: set "b" to 5 in ${RECORD}`,
    `c is gone: remove it from ${RECORD}`,
  ]);
});
