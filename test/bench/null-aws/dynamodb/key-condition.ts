import { invalid } from "../aws-error.ts";
import { memoise } from "../memoise.ts";
import type { AttributeValue } from "./attribute-value.ts";
import { type Placeholders, placeholdersOf } from "./conditions.ts";
import { type Evaluation, type Path, parsePath } from "./document-path.ts";
import { Tokens } from "./tokens.ts";

export type KeyComparison = "=" | "<" | "<=" | ">" | ">=" | "begins_with" | "between";

interface KeyTerm {
  readonly path: Path;
  readonly comparison: KeyComparison;
  /** The placeholders of one value, or of two. */
  readonly values: readonly string[];
}

/** What a query wants of a sort key. */
export interface KeyRange {
  readonly name: string;
  readonly comparison: KeyComparison;
  readonly values: readonly AttributeValue[];
}

/** Reads a KeyConditionExpression. @throws AwsError where it is none */
export const keyConditionOf = memoise(
  (text: string): { readonly terms: readonly KeyTerm[] } & Placeholders => {
    const tokens = Tokens.ofExpression(text, "KeyConditionExpression");
    const terms = parseTerms(tokens);
    tokens.expectEnd();
    return { terms, ...placeholdersOf(tokens) };
  },
);

/** What a query wants of each part of a key. */
export function rangesOf(
  terms: readonly KeyTerm[],
  { names, values }: Pick<Evaluation, "names" | "values">,
): KeyRange[] {
  return terms.map((term) => {
    const [step] = term.path;
    if (!step || step.kind === "index" || term.path.length > 1) {
      throw invalid("Invalid KeyConditionExpression: a key is not in anything");
    }
    return {
      name: step.kind === "name" ? step.name : (names[step.alias] ?? ""),
      comparison: term.comparison,
      values: term.values.map((placeholder) => values[placeholder] ?? { NULL: true }),
    };
  });
}

function parseTerms(tokens: Tokens): KeyTerm[] {
  const terms = parseTerm(tokens);
  while (tokens.accept("AND")) terms.push(...parseTerm(tokens));
  return terms;
}

function parseTerm(tokens: Tokens): KeyTerm[] {
  if (tokens.accept("(")) {
    const terms = parseTerms(tokens);
    tokens.expect(")");
    return terms;
  }
  if (tokens.peek().text === "begins_with" && tokens.isNext("(", 1)) {
    tokens.take();
    tokens.expect("(");
    const path = parsePath(tokens);
    tokens.expect(",");
    const values = [parseValue(tokens)];
    tokens.expect(")");
    return [{ path, comparison: "begins_with", values }];
  }
  const path = parsePath(tokens);
  if (tokens.accept("BETWEEN")) {
    const low = parseValue(tokens);
    tokens.expect("AND");
    return [{ path, comparison: "between", values: [low, parseValue(tokens)] }];
  }
  const comparison = (["=", "<=", ">=", "<", ">"] as const).find((it) => tokens.accept(it));
  if (!comparison) throw tokens.problem();
  return [{ path, comparison, values: [parseValue(tokens)] }];
}

function parseValue(tokens: Tokens): string {
  if (tokens.peek().kind !== "value") throw tokens.problem();
  return tokens.take().text;
}
