import { posix } from "node:path";
import { parseSync } from "oxc-parser";

/** The folders of `functions/` that are no capability. */
const SHARED_FOLDERS = ["core", "adapters", "runtime"];
const CAPABILITY = "functions/(?!(?:core|adapters|runtime)(?:/|$))[^/]+";

/** One import of a file, static or dynamic, or one re-export. */
interface Import {
  /** A path from the top of the project, or the name of a package. */
  readonly from: string;
  readonly ours: boolean;
  /** `*` where everything is imported, or nothing by name. */
  readonly names: readonly string[];
  readonly typeOnly: boolean;
}

type Allowance = (it: Import) => boolean;

/** A rule on what files may import. What no allowance covers is a violation. */
interface ImportRule {
  readonly files: RegExp;
  readonly because: string;
  readonly allowed: readonly Allowance[];
}

/** A rule on what files may not use: names such as `Date.now`, or kinds of syntax. */
interface UseRule {
  readonly files: RegExp;
  readonly because: string;
  readonly forbidden: readonly string[];
}

const ours =
  (...paths: string[]): Allowance =>
  (it) =>
    it.ours && paths.some((path) => new RegExp(`^${path}`).test(it.from));

const packages =
  (...names: string[]): Allowance =>
  (it) =>
    !it.ours && names.some((name) => it.from === name || it.from.startsWith(`${name}/`));

const anyPackage: Allowance = (it) => !it.ours;
const node: Allowance = (it) => it.from.startsWith("node:");

const typesOf =
  (allowance: Allowance): Allowance =>
  (it) =>
    it.typeOnly && allowance(it);

const only =
  (allowance: Allowance, names: RegExp): Allowance =>
  (it) =>
    allowance(it) && it.names.every((name) => names.test(name));

/** For each file the first rule that names it holds. */
const IMPORT_RULES: readonly ImportRule[] = [
  {
    files: /^functions\/core\//,
    because: "the core is pure: itself, zod, and libraries that know neither world nor time",
    allowed: [
      ours("functions/core/"),
      packages("zod", "libphonenumber-js", "temporal-polyfill", "lru-cache", "ipaddr.js"),
      only(packages("node:crypto"), /^(createHash|timingSafeEqual)$/),
      only(packages("node:util"), /^isDeepStrictEqual$/),
    ],
  },
  {
    files: /^functions\/adapters\//,
    because: "adapters know the core and the thing they adapt, not who uses them",
    allowed: [
      ours("functions/core/", "functions/adapters/"),
      (it) => anyPackage(it) && !packages("@middy")(it),
    ],
  },
  {
    files: /^functions\/runtime\//,
    because: "the runtime is Lambda's plumbing: it knows the core, not what functions do with it",
    allowed: [
      ours("functions/core/", "functions/runtime/"),
      (it) => anyPackage(it) && !packages("@aws-sdk")(it),
    ],
  },
  {
    files: new RegExp(`^${CAPABILITY}/index\\.ts$`),
    because: "index.ts joins adapters and core for its own handler",
    allowed: [
      ours("OWN/", "functions/core/", "functions/adapters/", "functions/runtime/"),
      packages("@aws-sdk"),
    ],
  },
  {
    files: new RegExp(`^${CAPABILITY}/env\\.ts$`),
    because:
      "env.ts says what variables there are: lib imports it, so it brings nothing else along",
    allowed: [
      packages("zod"),
      ours("functions/adapters/[^/]+/env\\.ts$", "functions/adapters/variables\\.ts$"),
    ],
  },
  {
    files: new RegExp(`^${CAPABILITY}/schema\\.ts$`),
    because: "schema.ts is a wire contract: of the adapters it knows only shapes",
    allowed: [
      ours("OWN/(?!index|env)", "functions/core/"),
      packages("zod"),
      typesOf(ours("functions/adapters/")),
      typesOf(packages("aws-lambda", "@aws-sdk")),
    ],
  },
  {
    files: new RegExp(`^${CAPABILITY}/soap\\.ts$`),
    because: "soap.ts is a wire contract, in XML",
    allowed: [
      ours("OWN/(?!index|env)", "functions/core/", "functions/runtime/(?!env|system)"),
      packages("@rgrove/parse-xml"),
    ],
  },
  {
    files: new RegExp(`^${CAPABILITY}/signature\\.ts$`),
    because: "signature.ts is a wire contract: how a request proves whose it is",
    allowed: [ours("functions/core/"), packages("standardwebhooks")],
  },
  {
    files: new RegExp(`^${CAPABILITY}/openapi\\.ts$`),
    because: "openapi.ts describes a wire contract by its schemas",
    allowed: [
      ours("OWN/(?!index|env)", "functions/core/", "functions/runtime/(?!env|system)"),
      packages("zod"),
      typesOf(packages("zod-openapi")),
    ],
  },
  {
    files: new RegExp(`^${CAPABILITY}/`),
    because: "only index.ts joins core and adapters; capabilities do not know each other",
    allowed: [
      ours("OWN/(?!index|env)", "functions/core/", "functions/runtime/(?!env|system)"),
      typesOf(ours("functions/adapters/")),
      typesOf(packages("aws-lambda")),
    ],
  },
  {
    files: /^lib\/torpedo-stack\.ts$/,
    because: "the stack hands constructs to constructs: no resources of its own",
    allowed: [
      ours("lib/"),
      packages("constructs"),
      only((it) => it.from === "aws-cdk-lib", /^(CfnOutput|Stack|StackProps)$/),
    ],
  },
  {
    files: /^lib\//,
    because: "lib knows of functions what they read from their environment, and nothing else",
    allowed: [
      ours("lib/", `${CAPABILITY}/env\\.ts$`, "functions/adapters/carriers/env\\.ts$"),
      packages("aws-cdk-lib", "constructs", "zod"),
      node,
    ],
  },
  {
    files: /^bin\//,
    because: "nothing but tests imports tests",
    allowed: [ours("bin/", "lib/", "functions/"), anyPackage],
  },
];

const CLOCK_AND_CHANCE = ["Date.now", "new Date()", "Date()", "Math.random", "Temporal.Now"];
const WORLD = ["process", "globalThis", "performance", "crypto", "fetch"];
const TIMERS = ["setTimeout", "setInterval", "setImmediate"];

const BRANCHES = [
  "IfStatement",
  "SwitchStatement",
  "ConditionalExpression",
  "LogicalExpression",
  "ChainExpression",
  "TryStatement",
  "ForStatement",
  "ForInStatement",
  "ForOfStatement",
  "WhileStatement",
  "DoWhileStatement",
];

/** All the rules that name a file hold. */
const USE_RULES: readonly UseRule[] = [
  {
    files: /^functions\/core\//,
    because: "time, chance and the world outside come into the core through ports",
    forbidden: [...CLOCK_AND_CHANCE, ...WORLD, ...TIMERS],
  },
  {
    files: /^functions\/(?!runtime\/env\.ts$)/,
    because: "a function's environment is read once, by runtime/env.ts",
    forbidden: ["process.env", 'import "node:process"'],
  },
  {
    files: new RegExp(`^${CAPABILITY}/index\\.ts$`),
    because: "index.ts only wires, so that there is nothing in it to test",
    forbidden: BRANCHES,
  },
  {
    files: /^(?!bin\/torpedo\.ts$)/,
    because: "only bin/torpedo.ts reads the CDK's context",
    forbidden: [".tryGetContext", ".getContext"],
  },
];

/** What of the rules a file breaks, in words. */
export function violationsOf(path: string, source: string): string[] {
  const { imports, uses } = read(path, source);
  const own = posix.dirname(path);
  const importRule = IMPORT_RULES.find(({ files }) => files.test(path));
  const wrongImports = imports
    .filter((it) => importRule && !importRule.allowed.some((allows) => allows(relativeTo(own, it))))
    .map(
      (it) =>
        `${path} imports ${it.typeOnly ? "types " : ""}${it.names.join(", ")} from ${it.from}: ${importRule?.because}`,
    );
  const wrongUses = USE_RULES.filter(({ files }) => files.test(path)).flatMap(
    ({ forbidden, because }) =>
      forbidden.filter((use) => uses.has(use)).map((use) => `${path} uses ${use}: ${because}`),
  );
  return [...wrongImports, ...wrongUses];
}

/** Rules write `OWN` for the folder of the file that imports. */
const relativeTo = (own: string, it: Import): Import =>
  it.ours && it.from.startsWith(`${own}/`) && new RegExp(`^${CAPABILITY}$`).test(own)
    ? { ...it, from: it.from.replace(own, "OWN") }
    : it;

interface SyntaxNode {
  readonly type: string;
  readonly [field: string]: unknown;
}

const isNode = (value: unknown): value is SyntaxNode =>
  typeof value === "object" && value !== null && "type" in value && typeof value.type === "string";

function read(path: string, source: string): { imports: Import[]; uses: Set<string> } {
  const { program, module, errors } = parseSync(path, source);
  if (errors.length > 0) throw new Error(`${path} cannot be parsed: ${errors[0]?.message}`);
  const imports: Import[] = [];
  const uses = new Set<string>();

  const add = (from: string, names: readonly string[], typeOnly: boolean) => {
    const isOurs = from.startsWith(".");
    imports.push({
      from: isOurs ? posix.join(posix.dirname(path), from) : from,
      ours: isOurs,
      names: names.length > 0 ? names : ["*"],
      typeOnly,
    });
    uses.add(`import "${from}"`);
  };
  for (const { moduleRequest, entries } of module.staticImports) {
    add(
      moduleRequest.value,
      entries.map(({ importName }) => importName.name ?? "*"),
      entries.length > 0 && entries.every(({ isType }) => isType),
    );
  }
  for (const { moduleRequest, importName, isType } of module.staticExports.flatMap(
    ({ entries }) => entries,
  )) {
    if (moduleRequest) add(moduleRequest.value, [importName.name ?? "*"], isType);
  }
  visit(program as unknown as SyntaxNode, (node) => {
    uses.add(node.type);
    for (const use of usesOf(node)) uses.add(use);
    const requested = requestOf(node);
    if (requested) add(requested, [], node.type === "TSImportType");
  });
  return { imports, uses };
}

/** The module that `import(…)`, `require(…)` or an `import("…")` in a type names. */
function requestOf(node: SyntaxNode): string | undefined {
  const source =
    node.type === "CallExpression" && nameOf(node.callee) === "require"
      ? (node.arguments as unknown[])[0]
      : node.source;
  if (!["ImportExpression", "TSImportType", "CallExpression"].includes(node.type)) return undefined;
  return isNode(source) && typeof source.value === "string" ? source.value : undefined;
}

/** The dotted name of an expression, such as `process.env`, or undefined where it is no name. */
function nameOf(node: unknown): string | undefined {
  if (!isNode(node)) return undefined;
  if (node.type === "Identifier") return String(node.name);
  if (node.type !== "MemberExpression") return undefined;
  const object = nameOf(node.object);
  const property = propertyOf(node);
  return object && property ? `${object}.${property}` : undefined;
}

function propertyOf({ property, computed }: SyntaxNode): string | undefined {
  if (!isNode(property)) return undefined;
  const name = computed ? property.value : property.name;
  return typeof name === "string" ? name : undefined;
}

function usesOf(node: SyntaxNode): string[] {
  switch (node.type) {
    case "Identifier":
      return [String(node.name)];
    case "MemberExpression":
      return [nameOf(node), `.${propertyOf(node)}`].filter((use) => use !== undefined);
    case "NewExpression":
    case "CallExpression": {
      const isBare = (node.arguments as unknown[]).length === 0;
      const prefix = node.type === "NewExpression" ? "new " : "";
      return isBare ? [`${prefix}${nameOf(node.callee)}()`] : [];
    }
    case "VariableDeclarator":
      return destructured(node);
    default:
      return [];
  }
}

/** `const { env } = process` uses `process.env`. */
function destructured({ id, init }: SyntaxNode): string[] {
  const from = nameOf(init);
  if (!from || !isNode(id) || id.type !== "ObjectPattern") return [];
  return (id.properties as SyntaxNode[]).map(({ key }) => `${from}.${nameOf(key)}`);
}

/** Calls `see` with each node but the names of properties, which refer to nothing. */
function visit(node: SyntaxNode, see: (node: SyntaxNode) => void): void {
  see(node);
  for (const [field, value] of Object.entries(node)) {
    const isName = (field === "property" || field === "key") && !node.computed;
    if (isName && !node.shorthand) continue;
    for (const child of Array.isArray(value) ? value : [value]) {
      if (isNode(child)) visit(child, see);
    }
  }
}

/** What is missing of the files that each capability consists of. */
export function pairingProblems(files: readonly string[]): string[] {
  const capabilities = new Set(
    files.flatMap((file) => /^functions\/([^/]+)\/./.exec(file)?.[1] ?? []),
  );
  return [...capabilities]
    .filter((name) => !SHARED_FOLDERS.includes(name))
    .flatMap((name) => [
      `lib/${name}.ts`,
      ...["index.ts", "handler.ts", "env.ts"].map((file) => `functions/${name}/${file}`),
    ])
    .filter((file) => !files.includes(file))
    .map((file) => `there is no ${file}`);
}

const TOP_LEVEL = [
  "bin",
  "lib",
  "functions",
  "test",
  "docs",
  "package.json",
  "package-lock.json",
  "tsconfig.json",
  "cdk.json",
  "README.md",
  "LICENSE",
];

/** What lies at the top of the project and does not belong there; dot-files do. */
export function topLevelProblems(files: readonly string[]): string[] {
  const entries = new Set(files.map((file) => file.split("/")[0] ?? file));
  return [...entries].filter((entry) => !entry.startsWith(".") && !TOP_LEVEL.includes(entry));
}
