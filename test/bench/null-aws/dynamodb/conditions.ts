import { invalid } from "../aws-error.ts";
import { memoise } from "../memoise.ts";
import {
  type AttributeValue,
  compare,
  isEqual,
  isMember,
  membersOf,
  typeOf,
} from "./attribute-value.ts";
import { type Evaluation, type Path, parsePath, reader } from "./document-path.ts";
import { Tokens } from "./tokens.ts";

export type Reader = (evaluation: Evaluation) => AttributeValue | undefined;

/** A value in an expression; what is in the item itself has a path. */
export interface Operand {
  readonly read: Reader;
  readonly path?: Path;
}

/** Something that has to hold, whatever else does: an attribute equals a value. */
export interface Equality {
  readonly path: Path;
  readonly read: Reader;
}

export interface Condition {
  holds(evaluation: Evaluation): boolean;
  readonly equalities: readonly Equality[];
}

/** What the two languages with conditions differ in. */
export interface ConditionLanguage {
  /** Reads an operand that is not a call of `size`. */
  operand(tokens: Tokens): Operand;
  /** Whether there are `!=`, `IS MISSING` and lists in brackets. */
  readonly isSql: boolean;
}

const COMPARISONS: Readonly<Record<string, (order: number) => boolean>> = {
  "<": (order) => order < 0,
  "<=": (order) => order <= 0,
  ">": (order) => order > 0,
  ">=": (order) => order >= 0,
};

const condition = (
  holds: Condition["holds"],
  equalities: Condition["equalities"] = [],
): Condition => ({ holds, equalities });

/** Reads a condition. @throws AwsError where there is none */
export function parseCondition(tokens: Tokens, language: ConditionLanguage): Condition {
  const terms = [parseConjunction(tokens, language)];
  while (tokens.accept("OR")) terms.push(parseConjunction(tokens, language));
  const [first] = terms;
  if (first && terms.length === 1) return first;
  return condition((evaluation) => terms.some((term) => term.holds(evaluation)));
}

function parseConjunction(tokens: Tokens, language: ConditionLanguage): Condition {
  const terms = [parseNegation(tokens, language)];
  while (tokens.accept("AND")) terms.push(parseNegation(tokens, language));
  const [first] = terms;
  if (first && terms.length === 1) return first;
  return condition(
    (evaluation) => terms.every((term) => term.holds(evaluation)),
    terms.flatMap(({ equalities }) => equalities),
  );
}

function parseNegation(tokens: Tokens, language: ConditionLanguage): Condition {
  if (!tokens.accept("NOT")) return parseTerm(tokens, language);
  const inner = parseNegation(tokens, language);
  return condition((evaluation) => !inner.holds(evaluation));
}

function parseTerm(tokens: Tokens, language: ConditionLanguage): Condition {
  if (tokens.accept("(")) {
    const inner = parseCondition(tokens, language);
    tokens.expect(")");
    return inner;
  }
  const isCall = tokens.peek().kind === "name" && tokens.isNext("(", 1);
  if (isCall && !isSize(tokens)) return parseCall(tokens, language);
  return parseComparison(tokens, language);
}

const isSize = (tokens: Tokens) => tokens.peek().text.toLowerCase() === "size";

function parseOperand(tokens: Tokens, language: ConditionLanguage): Operand {
  if (!isSize(tokens) || !tokens.isNext("(", 1)) return language.operand(tokens);
  tokens.take();
  tokens.expect("(");
  const read = reader(parsePath(tokens));
  tokens.expect(")");
  return {
    read: (evaluation) => {
      const value = read(evaluation);
      const size = value && countOf(value);
      return size === undefined ? undefined : { N: String(size) };
    },
  };
}

/** What `size` says. */
function countOf(value: AttributeValue): number | undefined {
  if (value.S !== undefined) return value.S.length;
  if (value.B !== undefined) return Buffer.from(value.B, "base64").length;
  if (value.M) return Object.keys(value.M).length;
  return (value.L ?? membersOf(value))?.length;
}

function parseCall(tokens: Tokens, language: ConditionLanguage): Condition {
  const name = tokens.take().text.toLowerCase();
  tokens.expect("(");
  const [first, second, third] = tokens.list(() => parseOperand(tokens, language));
  tokens.expect(")");
  const countOfArguments = name.startsWith("attribute_") && name !== "attribute_type" ? 1 : 2;
  if (!first || third || (second ? 2 : 1) !== countOfArguments) {
    throw invalid(`Incorrect number of operands for operator or function: ${name}`);
  }
  if (name === "attribute_exists") return condition((it) => first.read(it) !== undefined);
  if (name === "attribute_not_exists") return condition((it) => first.read(it) === undefined);
  const holds = RELATIONS[name];
  if (!holds || !second) throw invalid(`Invalid function name; function: ${name}`);
  return condition((evaluation) => {
    const [value, other] = [first.read(evaluation), second.read(evaluation)];
    return value !== undefined && other !== undefined && holds(value, other);
  });
}

const RELATIONS: Readonly<
  Record<string, (value: AttributeValue, other: AttributeValue) => boolean>
> = {
  begins_with: (value, prefix) => {
    if (value.S !== undefined && prefix.S !== undefined) return value.S.startsWith(prefix.S);
    if (value.B === undefined || prefix.B === undefined) return false;
    const wanted = Buffer.from(prefix.B, "base64");
    return Buffer.from(value.B, "base64").subarray(0, wanted.length).equals(wanted);
  },
  contains: (value, wanted) => {
    if (value.S !== undefined) return wanted.S !== undefined && value.S.includes(wanted.S);
    if (value.L) return value.L.some((it) => isEqual(it, wanted));
    if (value.SS) return wanted.S !== undefined && isMember(wanted.S, value);
    if (value.NS) return wanted.N !== undefined && isMember(wanted.N, value);
    return wanted.B !== undefined && isMember(wanted.B, value);
  },
  attribute_type: (value, type) => typeOf(value) === type.S,
};

function parseComparison(tokens: Tokens, language: ConditionLanguage): Condition {
  const left = parseOperand(tokens, language);
  if (language.isSql && tokens.accept("IS")) return parseIs(tokens, left);
  const isNegated = language.isSql && tokens.accept("NOT");
  const found = tokens.accept("BETWEEN")
    ? parseBetween(tokens, language, left)
    : tokens.accept("IN")
      ? parseIn(tokens, language, left)
      : undefined;
  if (found) return isNegated ? condition((it) => !found.holds(it)) : found;
  if (isNegated) throw tokens.problem();
  const { text } = tokens.take();
  const right = parseOperand(tokens, language);
  return comparison(text, left, right, tokens, language);
}

function comparison(
  operator: string,
  left: Operand,
  right: Operand,
  tokens: Tokens,
  { isSql }: ConditionLanguage,
): Condition {
  const areEqual = (evaluation: Evaluation) => {
    const [one, other] = [left.read(evaluation), right.read(evaluation)];
    return one !== undefined && other !== undefined && isEqual(one, other);
  };
  if (operator === "=") return condition(areEqual, equalitiesOf(left, right));
  if (operator === "<>" || (isSql && operator === "!=")) return condition((it) => !areEqual(it));
  const isInOrder = COMPARISONS[operator];
  if (!isInOrder) throw tokens.problem();
  return condition((evaluation) =>
    isInOrder(orderOf(left.read(evaluation), right.read(evaluation))),
  );
}

/** Not a number for what cannot be compared, so that no comparison holds. */
const orderOf = (one: AttributeValue | undefined, other: AttributeValue | undefined) =>
  one && other ? (compare(one, other) ?? Number.NaN) : Number.NaN;

function equalitiesOf(left: Operand, right: Operand): Equality[] {
  if (left.path && !right.path) return [{ path: left.path, read: right.read }];
  if (right.path && !left.path) return [{ path: right.path, read: left.read }];
  return [];
}

function parseIs(tokens: Tokens, { read }: Operand): Condition {
  const isNegated = tokens.accept("NOT");
  const what = tokens.take().text.toUpperCase();
  if (what !== "MISSING" && what !== "NULL") throw tokens.problem();
  return condition((evaluation) => {
    const value = read(evaluation);
    const holds = what === "MISSING" ? value === undefined : value?.NULL === true;
    return holds !== isNegated;
  });
}

function parseBetween(tokens: Tokens, language: ConditionLanguage, { read }: Operand): Condition {
  const low = parseOperand(tokens, language);
  tokens.expect("AND");
  const high = parseOperand(tokens, language);
  return condition((evaluation) => {
    const value = read(evaluation);
    return orderOf(value, low.read(evaluation)) >= 0 && orderOf(value, high.read(evaluation)) <= 0;
  });
}

function parseIn(tokens: Tokens, language: ConditionLanguage, { read }: Operand): Condition {
  const close = language.isSql && tokens.accept("[") ? "]" : ")";
  if (close === ")") tokens.expect("(");
  const operands = tokens.list(() => parseOperand(tokens, language));
  tokens.expect(close);
  return condition((evaluation) => {
    const value = read(evaluation);
    if (!value) return false;
    return operands.some((operand) => {
      const other = operand.read(evaluation);
      return other !== undefined && isEqual(value, other);
    });
  });
}

/** The placeholders of an expression, each of which has to have a meaning, and to be used. */
export interface Placeholders {
  readonly aliases: readonly string[];
  readonly values: readonly string[];
}

export function placeholdersOf(tokens: Tokens): Placeholders {
  const of = (kind: string) => [
    ...new Set(tokens.all.filter((token) => token.kind === kind).map(({ text }) => text)),
  ];
  return { aliases: of("alias"), values: of("value") };
}

/** Reads `:value` or a path. */
export function parseExpressionOperand(tokens: Tokens): Operand {
  const { kind, text } = tokens.peek();
  if (kind === "value") {
    tokens.take();
    return { read: ({ values }) => values[text] };
  }
  const path = parsePath(tokens);
  return { path, read: reader(path) };
}

const EXPRESSIONS: ConditionLanguage = { operand: parseExpressionOperand, isSql: false };

/** Reads a ConditionExpression, or a FilterExpression. @throws AwsError where it is none */
export const conditionOf = memoise((text: string): Condition & Placeholders => {
  const tokens = Tokens.ofExpression(text, "ConditionExpression");
  const { holds, equalities } = parseCondition(tokens, EXPRESSIONS);
  tokens.expectEnd();
  return { holds, equalities, ...placeholdersOf(tokens) };
});
