import { parseSync } from "oxc-parser";

/** A node of a syntax tree (ESTree, with TypeScript's additions). */
export interface SyntaxNode {
  readonly type: string;
  /** Where it begins and ends in the source, in UTF-16 code units; the end is exclusive. */
  readonly start: number;
  readonly end: number;
  readonly [field: string]: unknown;
}

const isNode = (value: unknown): value is SyntaxNode =>
  typeof value === "object" && value !== null && "type" in value && typeof value.type === "string";

/**
 * The statements of a TypeScript module.
 * @throws Error where it cannot be parsed
 */
export function parseModule(path: string, source: string): readonly SyntaxNode[] {
  const { program, errors } = parseSync(path, source);
  if (errors.length > 0) throw new Error(`${path} cannot be parsed: ${errors[0]?.message}`);
  return program.body as unknown as readonly SyntaxNode[];
}

/** A field that holds a node, or undefined where it holds none. */
export function nodeIn(node: SyntaxNode, field: string): SyntaxNode | undefined {
  const value = node[field];
  return isNode(value) ? value : undefined;
}

/** A field that holds a list of nodes; the holes of a list are left out. */
export function nodesIn(node: SyntaxNode, field: string): readonly SyntaxNode[] {
  const value = node[field];
  return Array.isArray(value) ? value.filter(isNode) : [];
}

/** The name of an identifier, or undefined of anything else. */
export const identifierOf = (node: SyntaxNode | undefined): string | undefined =>
  node?.type === "Identifier" ? String(node.name) : undefined;

/** All nodes right below, types left out: what runs does not know them. */
export function childrenOf(node: SyntaxNode): readonly SyntaxNode[] {
  return Object.entries(node)
    .filter(([field]) => !TYPES.has(field))
    .flatMap(([, value]) => (Array.isArray(value) ? value : [value]))
    .filter((child) => isNode(child) && !isType(child));
}

const TYPES = new Set(["typeAnnotation", "typeParameters", "typeArguments", "returnType"]);

/** What stands around an expression, such as `as const`, is no type itself. */
const AROUND_EXPRESSIONS = new Set([
  "TSAsExpression",
  "TSNonNullExpression",
  "TSSatisfiesExpression",
]);

const isType = ({ type }: SyntaxNode) => type.startsWith("TS") && !AROUND_EXPRESSIONS.has(type);

/** Whether a node is a function, whose body runs later than what is around it. */
export const isFunction = ({ type }: SyntaxNode): boolean =>
  type === "FunctionDeclaration" ||
  type === "FunctionExpression" ||
  type === "ArrowFunctionExpression";
