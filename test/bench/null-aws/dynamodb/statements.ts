import { isDeepStrictEqual } from "node:util";
import { type AwsError, invalid } from "../aws-error.ts";
import { memoise } from "../memoise.ts";
import type { AttributeValue, Item } from "./attribute-value.ts";
import {
  type Condition,
  type ConditionLanguage,
  type Operand,
  parseCondition,
} from "./conditions.ts";
import { type Evaluation, type Path, parsePath, reader } from "./document-path.ts";
import { Tokens } from "./tokens.ts";
import { appended, arithmetic, firstOf, type UpdateAction } from "./update-actions.ts";

/** Which attributes a statement answers with, as ReturnValues calls them. */
export type Returning = "NONE" | "ALL_OLD" | "ALL_NEW" | "UPDATED_OLD" | "UPDATED_NEW";

/** A statement of PartiQL. */
export type Statement = { readonly table: string; readonly countOfParameters: number } & (
  | { readonly kind: "insert"; item(evaluation: Evaluation): Item }
  | {
      readonly kind: "update";
      readonly actions: readonly UpdateAction[];
      readonly where: Condition;
      readonly returning: Returning;
    }
  | { readonly kind: "delete"; readonly where: Condition; readonly returning: Returning }
  | {
      readonly kind: "select";
      readonly index: string | undefined;
      /** Of everything, where it is undefined. */
      readonly paths: readonly Path[] | undefined;
      readonly where: Condition;
    }
);

/** The members of a union, each without some of its properties. */
type Without<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;

/** Reads a statement. @throws AwsError where it is none */
export const statementOf = memoise((text: string): Statement => {
  const tokens = Tokens.ofStatement(text);
  const statement = parse(tokens);
  tokens.expectEnd();
  const countOfParameters = tokens.all.filter(({ kind }) => kind === "parameter").length;
  return { ...statement, countOfParameters };
});

function parse(tokens: Tokens): Without<Statement, "countOfParameters"> {
  const counter = { parameters: 0 };
  const language: ConditionLanguage = {
    operand: (it) => parseOperand(it, counter),
    isSql: true,
  };
  const parseWhere = () => {
    tokens.expect("WHERE");
    return parseCondition(tokens, language);
  };
  if (tokens.accept("INSERT")) {
    tokens.expect("INTO");
    const table = parseTable(tokens);
    tokens.expect("VALUE");
    return { kind: "insert", table, item: parseItem(tokens, counter) };
  }
  if (tokens.accept("UPDATE")) {
    const table = parseTable(tokens);
    const actions = parseActions(tokens, counter);
    return {
      kind: "update",
      table,
      actions,
      where: parseWhere(),
      returning: parseReturning(tokens),
    };
  }
  if (tokens.accept("DELETE")) {
    tokens.expect("FROM");
    const table = parseTable(tokens);
    const where = parseWhere();
    const returning = parseReturning(tokens);
    if (returning !== "NONE" && returning !== "ALL_OLD") {
      throw invalid("of what is removed there is nothing new or modified");
    }
    return { kind: "delete", table, where, returning };
  }
  tokens.expect("SELECT");
  const paths = tokens.accept("*") ? undefined : tokens.list(() => parsePath(tokens));
  tokens.expect("FROM");
  const table = parseTable(tokens);
  const index = tokens.accept(".") ? parseTable(tokens) : undefined;
  return { kind: "select", table, index, paths, where: parseWhere() };
}

/** How many question marks have been read. */
interface Counter {
  parameters: number;
}

function parseTable(tokens: Tokens): string {
  const { kind, text } = tokens.peek();
  if (kind !== "name" && kind !== "quoted") throw tokens.problem();
  tokens.take();
  return text;
}

const RETURNING: Readonly<Record<string, Returning>> = {
  "ALL OLD": "ALL_OLD",
  "ALL NEW": "ALL_NEW",
  "MODIFIED OLD": "UPDATED_OLD",
  "MODIFIED NEW": "UPDATED_NEW",
};

function parseReturning(tokens: Tokens): Returning {
  if (!tokens.accept("RETURNING")) return "NONE";
  const words = `${tokens.take().text} ${tokens.take().text}`.toUpperCase();
  tokens.expect("*");
  const returning = RETURNING[words];
  if (!returning) throw invalid(`Unexpected RETURNING: ${words}`);
  return returning;
}

function parseActions(tokens: Tokens, counter: Counter): UpdateAction[] {
  const actions: UpdateAction[] = [];
  for (;;) {
    if (tokens.accept("SET")) actions.push(...tokens.list(() => parseSet(tokens, counter)));
    // Several are several clauses: there is no list of them.
    else if (tokens.accept("REMOVE")) actions.push({ kind: "remove", path: parsePath(tokens) });
    else if (actions.length > 0) return actions;
    else throw tokens.problem();
  }
}

function parseSet(tokens: Tokens, counter: Counter): UpdateAction {
  const path = parsePath(tokens);
  tokens.expect("=");
  const kind = SET_FUNCTIONS[tokens.peek().text.toLowerCase()];
  if (kind && tokens.isNext("(", 1)) return parseSetFunction(tokens, counter, kind, path);
  const left = parseSetOperand(tokens, counter);
  const operator = ["+", "-"].find((it) => tokens.accept(it));
  const read = operator ? arithmetic(operator, left, parseSetOperand(tokens, counter)) : left.read;
  return { kind: "set", path, read };
}

const SET_FUNCTIONS: Readonly<Record<string, "add" | "delete">> = {
  set_add: "add",
  set_delete: "delete",
};

/** Reads `set_add(path, set)`, or `set_delete`, of the very path that it is assigned to. */
function parseSetFunction(
  tokens: Tokens,
  counter: Counter,
  kind: "add" | "delete",
  path: Path,
): UpdateAction {
  tokens.take();
  tokens.expect("(");
  const of = parsePath(tokens);
  tokens.expect(",");
  const { read } = parseOperand(tokens, counter);
  tokens.expect(")");
  if (!isDeepStrictEqual(of, path)) {
    throw invalid("The first argument to SET_ADD or SET_DELETE must equal the assignment value");
  }
  return { kind, path, read };
}

const FUNCTIONS: Readonly<Record<string, (one: Operand, other: Operand) => Operand["read"]>> = {
  if_not_exists: firstOf,
  list_append: appended,
};

function parseSetOperand(tokens: Tokens, counter: Counter): Operand {
  const { kind, text } = tokens.peek();
  const isCall = kind === "name" && tokens.isNext("(", 1);
  const call = isCall ? FUNCTIONS[text.toLowerCase()] : undefined;
  if (!call) return parseOperand(tokens, counter);
  tokens.take();
  tokens.expect("(");
  const one = parseSetOperand(tokens, counter);
  tokens.expect(",");
  const other = parseSetOperand(tokens, counter);
  tokens.expect(")");
  return { read: call(one, other) };
}

/** Reads a question mark, a literal or a path. */
function parseOperand(tokens: Tokens, counter: Counter): Operand {
  if (tokens.peek().kind === "parameter") {
    tokens.take();
    const index = counter.parameters;
    counter.parameters += 1;
    return { read: ({ parameters }) => parameters[index] };
  }
  const literal = parseLiteral(tokens);
  if (literal) return { read: () => literal };
  const path = parsePath(tokens);
  return { path, read: reader(path) };
}

const WORDS: Readonly<Record<string, AttributeValue>> = {
  TRUE: { BOOL: true },
  FALSE: { BOOL: false },
  NULL: { NULL: true },
};

function parseLiteral(tokens: Tokens): AttributeValue | undefined {
  const { kind, text } = tokens.peek();
  if (kind === "text") return { S: tokens.take().text };
  if (kind === "number") return { N: tokens.take().text };
  const word = kind === "name" ? WORDS[text.toUpperCase()] : undefined;
  if (word) {
    tokens.take();
    return word;
  }
  if (tokens.isNext("-") && tokens.peek(1).kind === "number") {
    tokens.take();
    return { N: `-${tokens.take().text}` };
  }
  if (tokens.accept("[")) return { L: parseMany(tokens, "]", mustBeLiteral) };
  if (tokens.accept("<<")) return setOf(parseMany(tokens, ">>", mustBeLiteral));
  if (!tokens.accept("{")) return undefined;
  return {
    M: Object.fromEntries(parseMany(tokens, "}", () => parseMember(tokens, mustBeLiteral))),
  };
}

function parseMany<T>(tokens: Tokens, close: string, read: (tokens: Tokens) => T): T[] {
  if (tokens.accept(close)) return [];
  const things = tokens.list(() => read(tokens));
  tokens.expect(close);
  return things;
}

/** Within a literal there is nothing else; a question mark above all. */
function mustBeLiteral(tokens: Tokens): AttributeValue {
  const literal = parseLiteral(tokens);
  if (literal) return literal;
  if (tokens.peek().kind !== "parameter") throw tokens.problem();
  throw invalid("Unsupported data type: Parameter within a literal");
}

function parseMember<T>(tokens: Tokens, read: (tokens: Tokens) => T): [string, T] {
  const { kind, text } = tokens.take();
  if (kind !== "text") throw tokens.problem();
  tokens.expect(":");
  return [text, read(tokens)];
}

function setOf(values: readonly AttributeValue[]): AttributeValue {
  const [first] = values;
  if (first?.N !== undefined) return { NS: values.map(({ N = "" }) => N) };
  if (first?.S !== undefined) return { SS: values.map(({ S = "" }) => S) };
  throw invalid("a set is of strings or of numbers");
}

function parseItem(tokens: Tokens, counter: Counter): (evaluation: Evaluation) => Item {
  tokens.expect("{");
  const members = parseMany(tokens, "}", () =>
    parseMember(tokens, (it) => parseOperand(it, counter)),
  );
  if (members.some(([, { path }]) => path)) throw invalid("an item is made of values");
  return (evaluation) => {
    const item: Record<string, AttributeValue> = {};
    for (const [name, { read }] of members) {
      const value = read(evaluation);
      if (value) item[name] = value;
    }
    return item;
  };
}

/** What PartiQL says of an error, where a request with one statement says it by its class. */
export function statementErrorOf(error: AwsError): string {
  const { code } = error;
  if (code === "ValidationException") return "ValidationError";
  return code.replace(/Exception$/, "");
}
