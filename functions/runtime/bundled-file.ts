import { readFileSync } from "node:fs";

/** A JSON file that the build left beside the function's bundle; read when it is first asked for. */
export function jsonBesideBundle(name: string): () => object {
  let content: object | undefined;
  return () => {
    content ??= JSON.parse(readFileSync(new URL(name, import.meta.url), "utf8")) as object;
    return content;
  };
}
