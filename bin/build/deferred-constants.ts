import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import type { Plugin } from "esbuild";
import { namesOfPattern, type Reference, referencesIn } from "./references.ts";
import {
  childrenOf,
  identifierOf,
  isFunction,
  nodeIn,
  nodesIn,
  parseModule,
  type SyntaxNode,
} from "./syntax.ts";

/**
 * Builds schemas when they are first used. A function's modules make a thousand schemas as they are
 * loaded, of which an invocation needs a few; each takes as long as parsing a message with it.
 *
 * A constant at the top level of a module of ours that is made of schemas becomes a function that
 * makes it once, and whoever uses the constant calls that. It relies on a rule of the house: our
 * modules do nothing but define when they are imported. What nobody uses can then be left out of a
 * bundle, too. What schemas say for documentation alone is taken away: the functions do not read it.
 */
export function deferConstants(modules: string): Plugin {
  const filter = new RegExp(`^${resolve(modules)}/.*\\.ts$`);
  return {
    name: "deferred-constants",
    setup({ onLoad, onResolve }) {
      const read = readingOnce();
      onResolve({ filter: new RegExp(`^${HELPER}$`) }, ({ path }) => ({ path, namespace: HELPER }));
      onLoad({ filter: /.*/, namespace: HELPER }, () => ({ contents: HELPER_SOURCE }));
      onLoad({ filter }, ({ path }) => ({
        contents: rewrite(read(path), (from) => read(from).deferred),
        loader: "ts",
      }));
    },
  };
}

const HELPER = "torpedo-deferred";
const HELPER_SOURCE =
  "export const deferred=(make)=>{let made;return()=>made===undefined?(made=make()):made};";
/** No module of ours has such a name. */
const DEFERRED = "deferred$";

/** The library whose values are worth making late. */
const SCHEMAS = "zod";

/** Methods of schemas that give them nothing but documentation. */
const DOCUMENTING = new Set(["meta", "describe"]);

/** A module, and which of the names that it exports are deferred. */
interface Module {
  readonly path: string;
  readonly source: string;
  readonly statements: readonly SyntaxNode[];
  /** Names at its top level, its own and imported ones. */
  readonly local: ReadonlySet<string>;
  /** Names as others import them. */
  readonly deferred: ReadonlySet<string>;
}

/**
 * Reads modules, each of them once.
 * @returns a function from path to module, which throws Error where modules import each other: it
 *   could not be told which of their constants are deferred
 */
export function readingOnce(
  readSource: (path: string) => string = (path) => readFileSync(path, "utf8"),
): (path: string) => Module {
  const modules = new Map<string, Module>();
  const begun = new Set<string>();
  const read = (path: string): Module => {
    const known = modules.get(path);
    if (known) return known;
    if (begun.has(path)) throw new Error(`${path}: modules must not import each other`);
    begun.add(path);
    const source = readSource(path);
    const statements = parseModule(path, source);
    const local = deferredNames(path, statements, (from) => read(from).deferred);
    const deferred = exportedAs(path, statements, local, (from) => read(from).deferred);
    const module = { path, source, statements, local, deferred };
    modules.set(path, module);
    return module;
  };
  return read;
}

type DeferredOf = (path: string) => ReadonlySet<string>;

const WIRES = /\/index\.ts$/;

/** What at the top level of a module is made of schemas, be it imported or its own. */
function deferredNames(
  path: string,
  statements: readonly SyntaxNode[],
  deferredOf: DeferredOf,
): ReadonlySet<string> {
  const made = new Set<string>();
  /** `z` itself is a module and stays as it is. */
  const libraries = new Set<string>();
  for (const statement of statements) {
    if (statement.type !== "ImportDeclaration" || statement.importKind === "type") continue;
    const specifiers = nodesIn(statement, "specifiers").filter((it) => it.importKind !== "type");
    if (specifiers.length === 0) continue;
    const from = sourceOf(statement);
    const names = from.startsWith(".") ? deferredOf(resolve(dirname(path), from)) : undefined;
    for (const specifier of specifiers) {
      const local = identifierOf(nodeIn(specifier, "local")) ?? "";
      const imported = identifierOf(nodeIn(specifier, "imported"));
      if (from === SCHEMAS) libraries.add(local);
      if (imported !== undefined && names?.has(imported)) made.add(local);
      if (imported === undefined && names && names.size > 0) {
        throw new Error(`${path}: import what ${from} exports by its names`);
      }
    }
  }
  // Index files put functions together when they are loaded, in the order in which they say so.
  if (WIRES.test(path)) return made;
  for (const { names, init } of constantsOf(statements)) {
    const isMade = referencesIn(init).some(
      ({ name, runsOnLoad }) => runsOnLoad && (libraries.has(name) || made.has(name)),
    );
    if (isMade) for (const name of names) made.add(name);
  }
  return made;
}

interface Constant {
  readonly declaration: SyntaxNode;
  readonly declarator: SyntaxNode;
  readonly pattern: SyntaxNode;
  readonly names: readonly string[];
  readonly init: SyntaxNode;
}

/** The constants at the top level; patterns only as far as each name is a property's. */
function constantsOf(statements: readonly SyntaxNode[]): readonly Constant[] {
  return statements
    .map((it) => (it.type === "ExportNamedDeclaration" ? nodeIn(it, "declaration") : it))
    .filter((it) => it?.type === "VariableDeclaration" && it.kind === "const")
    .flatMap((declaration) =>
      nodesIn(declaration as SyntaxNode, "declarations").flatMap((declarator) => {
        const pattern = nodeIn(declarator, "id");
        const init = nodeIn(declarator, "init");
        if (!pattern || !init || isFunction(init) || !isPlain(pattern)) return [];
        const names = namesOfPattern(pattern);
        return [{ declaration: declaration as SyntaxNode, declarator, pattern, names, init }];
      }),
    );
}

const isPlain = (pattern: SyntaxNode) =>
  pattern.type === "Identifier" ||
  (pattern.type === "ObjectPattern" &&
    nodesIn(pattern, "properties").every(
      (it) =>
        it.type === "Property" &&
        !it.computed &&
        identifierOf(nodeIn(it, "key")) !== undefined &&
        identifierOf(nodeIn(it, "value")) !== undefined,
    ));

/** The names by which others import what is deferred. */
function exportedAs(
  path: string,
  statements: readonly SyntaxNode[],
  local: ReadonlySet<string>,
  deferredOf: DeferredOf,
): ReadonlySet<string> {
  const exported = new Set<string>();
  for (const statement of statements) {
    if (statement.exportKind === "type") continue;
    if (statement.type === "ExportAllDeclaration") {
      throw new Error(`${path}: name what is exported from ${sourceOf(statement)}`);
    }
    if (statement.type !== "ExportNamedDeclaration") continue;
    const declaration = nodeIn(statement, "declaration");
    for (const declarator of declaration ? nodesIn(declaration, "declarations") : []) {
      for (const name of namesOfPattern(nodeIn(declarator, "id"))) {
        if (local.has(name)) exported.add(name);
      }
    }
    const from = statement.source ? sourceOf(statement) : undefined;
    const known = from?.startsWith(".") ? deferredOf(resolve(dirname(path), from)) : local;
    for (const specifier of nodesIn(statement, "specifiers")) {
      const name = identifierOf(nodeIn(specifier, "local"));
      const as = identifierOf(nodeIn(specifier, "exported"));
      if (name !== undefined && as !== undefined && known.has(name)) exported.add(as);
    }
  }
  return exported;
}

const sourceOf = (statement: SyntaxNode) => String(nodeIn(statement, "source")?.value);

interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/**
 * A module's source as it goes into a bundle.
 * @throws Error where a module is imported as a whole, so that it cannot be told what is used of it
 */
export function rewrite(module: Module, deferredOf: DeferredOf): string {
  const { path, source, statements, local } = module;
  const cuts = statements.flatMap(documentationIn);
  const isCut = ({ node }: Reference) =>
    cuts.some(({ start, end }) => start <= node.start && node.end <= end);
  const calls = statements
    .flatMap(referencesIn)
    .filter((reference) => local.has(reference.name) && !isCut(reference))
    .map(({ name, node, isShorthand }) => ({
      start: node.start,
      end: node.end,
      text: isShorthand ? `${name}: ${name}()` : `${name}()`,
    }));
  for (const imported of statements.flatMap(importedLater)) {
    const names = imported.startsWith(".") ? deferredOf(resolve(dirname(path), imported)) : [];
    for (const name of names) {
      throw new Error(`${path}: ${imported} must not export ${name} to those who import it later`);
    }
  }
  const inner = [...cuts, ...calls];
  const constants = WIRES.test(path)
    ? []
    : constantsOf(statements).filter(({ names }) => names.some((name) => local.has(name)));
  const declarations = constants.map(
    ({ declarator, pattern, init }): Edit => ({
      start: declarator.start,
      end: declarator.end,
      text: declare(pattern, edited(source, init.start, init.end, inner)),
    }),
  );
  const outer = inner.filter(
    ({ start, end }) => !declarations.some((it) => it.start <= start && end <= it.end),
  );
  const body = edited(source, 0, source.length, [...declarations, ...outer]);
  // On the same line, so that stack traces keep their lines.
  return declarations.length === 0
    ? body
    : `import { deferred as ${DEFERRED} } from "${HELPER}"; ${body}`;
}

function declare(pattern: SyntaxNode, init: string): string {
  const late = (name: string, value: string) =>
    `${name} = /* @__PURE__ */ ${DEFERRED}(() => (${value}))`;
  if (pattern.type === "Identifier") return late(String(pattern.name), init);
  return nodesIn(pattern, "properties")
    .map((it) => {
      const key = identifierOf(nodeIn(it, "key"));
      const name = identifierOf(nodeIn(it, "value")) ?? "";
      return late(name, `(${init}).${key}`);
    })
    .join(", ");
}

/** Applies the edits within a part of a source; an edit within another has no effect. */
function edited(source: string, from: number, to: number, edits: readonly Edit[]): string {
  const inside = edits
    .filter(({ start, end }) => from <= start && end <= to)
    .sort((a, b) => a.start - b.start || b.end - a.end);
  let text = "";
  let at = from;
  for (const edit of inside) {
    if (edit.start < at) continue;
    text += source.slice(at, edit.start) + edit.text;
    at = edit.end;
  }
  return text + source.slice(at, to);
}

/** The calls of methods that give a schema nothing but documentation. */
function documentationIn(node: SyntaxNode): readonly Edit[] {
  const inner = childrenOf(node).flatMap(documentationIn);
  const callee = node.type === "CallExpression" ? nodeIn(node, "callee") : undefined;
  const method = callee?.type === "MemberExpression" ? nodeIn(callee, "property") : undefined;
  const schema = callee ? nodeIn(callee, "object") : undefined;
  const isDocumenting =
    schema &&
    DOCUMENTING.has(identifierOf(method) ?? "") &&
    nodesIn(node, "arguments").length === 1;
  return isDocumenting ? [...inner, { start: schema.end, end: node.end, text: "" }] : inner;
}

/** What a module imports while it runs. */
function importedLater(node: SyntaxNode): readonly string[] {
  const inner = childrenOf(node).flatMap(importedLater);
  return node.type === "ImportExpression" ? [...inner, sourceOf(node)] : inner;
}
