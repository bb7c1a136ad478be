import { transform } from "esbuild";
import { describe, expect, it } from "vitest";
import { readingOnce, rewrite } from "../../../bin/build/deferred-constants.ts";

/** Modules by path, as they go into a bundle. */
function rewritten(modules: Readonly<Record<string, string>>): Record<string, string> {
  const read = readingOnce((path) => {
    const source = modules[path];
    if (source === undefined) throw new Error(`there is no ${path}`);
    return source;
  });
  return Object.fromEntries(
    Object.keys(modules).map((path) => [path, rewrite(read(path), (from) => read(from).deferred)]),
  );
}

const HEAD = 'import * as z from "zod"; ';

/** A module of schemas, rewritten; without its head. */
const alone = (source: string) =>
  rewritten({ "/f/a.ts": HEAD + source })
    ["/f/a.ts"]?.split(HEAD)
    .at(-1);

/** What a module exports that calls the `z` and the `deferred` that it is given. */
async function run(source: string, made: string[] = []): Promise<Record<string, unknown>> {
  const code = rewritten({ "/f/a.ts": HEAD + source })["/f/a.ts"] ?? "";
  const { code: plain } = await transform(code.replace(/import [^;]*;/g, ""), {
    loader: "ts",
    format: "cjs",
  });
  const z = {
    make: (name: string) => {
      made.push(name);
      return { name, shape: { inner: `${name}.inner` } };
    },
  };
  const deferred = (make: () => unknown) => {
    let value: unknown;
    return () => {
      value ??= make();
      return value;
    };
  };
  const module = { exports: {} as Record<string, unknown> };
  new Function("module", "z", "deferred$", plain)(module, z, deferred);
  return module.exports;
}

const called = (it: unknown) => (it as () => unknown)();

describe("a constant that is made of schemas", () => {
  it("is made when it is first used, and once", async () => {
    const made: string[] = [];
    const { first, use } = await run(
      'export const first = z.make("first"); export function use() { return [first, first]; }',
      made,
    );
    expect(made).toEqual([]);
    const [a, b] = called(use) as [unknown, unknown];
    expect(a).toBe(b);
    expect(called(first)).toBe(a);
    expect(made).toEqual(["first"]);
  });

  it("may be made of others, in objects, and out of their parts", async () => {
    const { all, inner } = await run(
      'const first = z.make("first"); const { shape } = first; const { inner: part } = shape;' +
        "export const all = { first, parts: [part], ...shape }; export const inner = () => part;",
    );
    expect(called(all)).toEqual({
      first: { name: "first", shape: { inner: "first.inner" } },
      parts: ["first.inner"],
      inner: "first.inner",
    });
    expect(called(inner)).toBe("first.inner");
  });

  it("is told from what has the same name elsewhere", async () => {
    const { results } = await run(`
      const schema = z.make("outer");
      const parameter = (schema: unknown) => schema;
      const pattern = ({ schema }: { schema: unknown }) => schema;
      const renamed = ({ other: schema = 1 }: { other?: unknown }) => ({ schema });
      function hoisted() { return (() => schema)(); var schema; }
      function block() { { const schema = "block"; if (schema) return { schema }; } return schema; }
      function loop() { for (const schema of ["loop"]) return schema; return schema; }
      function caught() { try { throw "caught"; } catch (schema) { return schema; } }
      const property = () => ({ schema: "property" }).schema;
      class Field { schema = "field"; read() { return this.schema; } }
      type Typed = typeof schema;
      export const results = () => [
        parameter("parameter"), pattern({ schema: "pattern" }), renamed({ other: "renamed" }),
        hoisted(), block(), loop(), caught(), property(), new Field().read(), { schema } as { schema: Typed },
      ];
    `);
    expect(called(results)).toEqual([
      "parameter",
      "pattern",
      { schema: "renamed" },
      undefined,
      { schema: "block" },
      "loop",
      "caught",
      "property",
      "field",
      { schema: { name: "outer", shape: { inner: "outer.inner" } } },
    ]);
  });

  it("is called by those who import it, under their name for it", () => {
    const modules = rewritten({
      "/f/a.ts": `${HEAD}export const schema = z.make("a");`,
      "/f/b.ts":
        'import { schema } from "./a.ts"; export { schema as again }; export { schema as other } from "./a.ts";',
      "/f/c.ts": 'import { again as schema, type Schema } from "./b.ts"; use(schema, { schema });',
      "/f/x/index.ts": 'import { other } from "../b.ts"; export const handler = create({ other });',
    });
    expect(modules["/f/b.ts"]).toBe(
      'import { schema } from "./a.ts"; export { schema as again }; export { schema as other } from "./a.ts";',
    );
    expect(modules["/f/c.ts"]).toBe(
      'import { again as schema, type Schema } from "./b.ts"; use(schema(), { schema: schema() });',
    );
    expect(modules["/f/x/index.ts"]).toBe(
      'import { other } from "../b.ts"; export const handler = create({ other: other() });',
    );
  });
});

describe("what is left as it is", () => {
  it.each([
    ["functions, though they use schemas", "export const parse = (it: unknown) => z.make(it);"],
    [
      "constants without schemas",
      "const LIST = new Set([1]); export const has = (n: number) => LIST.has(n);",
    ],
    ["types", "export type Name = z.infer<typeof z.make>;"],
  ])("%s", (_, source) => {
    expect(rewritten({ "/f/a.ts": HEAD + source })["/f/a.ts"]).toBe(HEAD + source);
  });

  it("does not include what schemas say for documentation alone", () => {
    expect(
      alone(
        'export const read = () => z.object({ a: z.string().describe("A text.") }).meta({ id: "A" });',
      ),
    ).toBe("export const read = () => z.object({ a: z.string() });");
    expect(alone('const known = z.string().meta({ id: "A" }).optional();')).toContain(
      "(z.string().optional())",
    );
  });
});

describe("what cannot be followed is refused", () => {
  const schemas = `${HEAD}export const schema = z.string();`;
  it.each([
    ["a module as a whole", 'import * as all from "./a.ts";'],
    ["all that a module exports", 'export * from "./a.ts";'],
    ["a module that is imported later", 'export const load = () => import("./a.ts");'],
  ])("%s", (_, source) => {
    expect(() => rewritten({ "/f/a.ts": schemas, "/f/b.ts": source })).toThrow("/f/b.ts: ");
  });

  it("modules that import each other, but for types", () => {
    const importing = (from: string) =>
      `import { it } from "${from}"; export const use = () => it;`;
    const circle = { "/f/a.ts": importing("./b.ts"), "/f/b.ts": importing("./a.ts") };
    expect(() => rewritten(circle)).toThrow("import each other");
    const types = 'import { type It } from "./a.ts"; export const b = 1;';
    expect(() => rewritten({ ...circle, "/f/b.ts": types })).not.toThrow();
  });
});
