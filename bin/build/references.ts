import {
  childrenOf,
  identifierOf,
  isFunction,
  nodeIn,
  nodesIn,
  type SyntaxNode,
} from "./syntax.ts";

/** Where a name is used that a module declares or imports at its top level. */
export interface Reference {
  readonly name: string;
  readonly node: SyntaxNode;
  /** It is both the name of an object's property and its value: `{ name }`. */
  readonly isShorthand: boolean;
  /** It runs when the module is loaded, and not later in a function. */
  readonly runsOnLoad: boolean;
}

/**
 * Finds what an expression or statement refers to outside itself. Names that it declares itself,
 * names of properties and types are none.
 */
export function referencesIn(root: SyntaxNode): readonly Reference[] {
  const references: Reference[] = [];

  function see(node: SyntaxNode, hidden: ReadonlySet<string>, runsOnLoad: boolean): void {
    switch (node.type) {
      case "Identifier":
        refer(node, hidden, runsOnLoad);
        return;
      case "ImportDeclaration":
      case "ExportSpecifier":
      case "MetaProperty":
        return;
      case "Property":
      case "MethodDefinition":
      case "PropertyDefinition":
        seeProperty(node, hidden, runsOnLoad);
        return;
      case "MemberExpression":
        for (const child of childrenOf(node)) {
          if (child !== node.property || node.computed) see(child, hidden, runsOnLoad);
        }
        return;
      case "LabeledStatement":
      case "BreakStatement":
      case "ContinueStatement":
        for (const child of childrenOf(node)) {
          if (child !== node.label) see(child, hidden, runsOnLoad);
        }
        return;
      case "VariableDeclarator":
        seePattern(nodeIn(node, "id"), hidden, runsOnLoad);
        seeMaybe(nodeIn(node, "init"), hidden, runsOnLoad);
        return;
      case "CatchClause": {
        const inside = new Set([...hidden, ...namesOfPattern(nodeIn(node, "param"))]);
        seeMaybe(nodeIn(node, "body"), inside, runsOnLoad);
        return;
      }
      default:
        if (isFunction(node)) seeFunction(node, hidden);
        else seeChildren(node, new Set([...hidden, ...declaredIn(node)]), runsOnLoad);
    }
  }

  function refer(node: SyntaxNode, hidden: ReadonlySet<string>, runsOnLoad: boolean): void {
    const name = String(node.name);
    if (!hidden.has(name)) references.push({ name, node, isShorthand: false, runsOnLoad });
  }

  function seeProperty(node: SyntaxNode, hidden: ReadonlySet<string>, runsOnLoad: boolean): void {
    const key = nodeIn(node, "key");
    const value = nodeIn(node, "value");
    const name = identifierOf(value);
    if (node.shorthand && value && name !== undefined) {
      if (!hidden.has(name)) references.push({ name, node, isShorthand: true, runsOnLoad });
      return;
    }
    if (node.computed) seeMaybe(key, hidden, runsOnLoad);
    seeMaybe(value, hidden, runsOnLoad);
  }

  function seeFunction(node: SyntaxNode, hidden: ReadonlySet<string>): void {
    const params = nodesIn(node, "params");
    const own = identifierOf(nodeIn(node, "id"));
    const body = nodeIn(node, "body");
    const inside = new Set([
      ...hidden,
      ...(own === undefined ? [] : [own]),
      ...params.flatMap(namesOfPattern),
      ...(body ? variablesIn(body) : []),
    ]);
    for (const param of params) seePattern(param, inside, false);
    seeMaybe(body, inside, false);
  }

  /** Of what binds names, the parts that are expressions: defaults, and computed keys. */
  function seePattern(
    pattern: SyntaxNode | undefined,
    hidden: ReadonlySet<string>,
    runsOnLoad: boolean,
  ): void {
    if (!pattern || pattern.type === "Identifier") return;
    if (pattern.type === "AssignmentPattern") {
      seePattern(nodeIn(pattern, "left"), hidden, runsOnLoad);
      seeMaybe(nodeIn(pattern, "right"), hidden, runsOnLoad);
      return;
    }
    if (pattern.type === "Property") {
      if (pattern.computed) seeMaybe(nodeIn(pattern, "key"), hidden, runsOnLoad);
      seePattern(nodeIn(pattern, "value"), hidden, runsOnLoad);
      return;
    }
    for (const child of childrenOf(pattern)) seePattern(child, hidden, runsOnLoad);
  }

  function seeMaybe(
    node: SyntaxNode | undefined,
    hidden: ReadonlySet<string>,
    runsOnLoad: boolean,
  ): void {
    if (node) see(node, hidden, runsOnLoad);
  }

  function seeChildren(node: SyntaxNode, hidden: ReadonlySet<string>, runsOnLoad: boolean): void {
    for (const child of childrenOf(node)) see(child, hidden, runsOnLoad);
  }

  see(root, new Set(), true);
  return references;
}

/** The names that a declaration's left side, or a parameter, binds. */
export function namesOfPattern(pattern: SyntaxNode | undefined): readonly string[] {
  if (!pattern) return [];
  switch (pattern.type) {
    case "Identifier":
      return [String(pattern.name)];
    case "AssignmentPattern":
      return namesOfPattern(nodeIn(pattern, "left"));
    case "Property":
      return namesOfPattern(nodeIn(pattern, "value"));
    default:
      return childrenOf(pattern).flatMap(namesOfPattern);
  }
}

/** The names that a node declares for what is inside it. */
function declaredIn(node: SyntaxNode): readonly string[] {
  switch (node.type) {
    case "BlockStatement":
    case "StaticBlock":
      return nodesIn(node, "body").flatMap(namesOfDeclaration);
    case "SwitchStatement":
      return nodesIn(node, "cases")
        .flatMap((it) => nodesIn(it, "consequent"))
        .flatMap(namesOfDeclaration);
    case "ForStatement":
    case "ForInStatement":
    case "ForOfStatement":
      return [nodeIn(node, "init"), nodeIn(node, "left")].flatMap((it) =>
        it ? namesOfDeclaration(it) : [],
      );
    case "ClassExpression":
    case "ClassDeclaration":
      return namesOfPattern(nodeIn(node, "id"));
    default:
      return [];
  }
}

function namesOfDeclaration(statement: SyntaxNode): readonly string[] {
  if (statement.type === "VariableDeclaration") {
    return nodesIn(statement, "declarations").flatMap((it) => namesOfPattern(nodeIn(it, "id")));
  }
  const isNamed = statement.type === "FunctionDeclaration" || statement.type === "ClassDeclaration";
  return isNamed ? namesOfPattern(nodeIn(statement, "id")) : [];
}

/** `var` belongs to the whole function. */
function variablesIn(node: SyntaxNode): readonly string[] {
  const own =
    node.type === "VariableDeclaration" && node.kind === "var" ? namesOfDeclaration(node) : [];
  const inner = childrenOf(node).filter((child) => !isFunction(child));
  return [...own, ...inner.flatMap(variablesIn)];
}
