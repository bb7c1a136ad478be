import { invalid } from "../aws-error.ts";
import { memoise } from "../memoise.ts";
import { type AttributeValue, type Item, isMember, membersOf, typeOf } from "./attribute-value.ts";
import {
  type Operand,
  type Placeholders,
  parseExpressionOperand,
  placeholdersOf,
  type Reader,
} from "./conditions.ts";
import { add, subtract } from "./decimal.ts";
import {
  type Draft,
  type Evaluation,
  type Path,
  type Place,
  parsePath,
  placeOf,
  removeAt,
  setAt,
  valueAt,
} from "./document-path.ts";
import { Tokens } from "./tokens.ts";

/** One of the things that an update does. */
export interface UpdateAction {
  readonly kind: "set" | "remove" | "add" | "delete";
  readonly path: Path;
  /** What is set, added or deleted. */
  readonly read?: Reader;
}

const MISSING = "The provided expression refers to an attribute that does not exist in the item";
const WRONG_TYPE = "An operand in the update expression has an incorrect data type";

/** @throws AwsError where there is no value */
function must(value: AttributeValue | undefined): AttributeValue {
  if (!value) throw invalid(MISSING);
  return value;
}

/** What `one + other`, or `one - other`, comes to. */
export const arithmetic =
  (operator: string, one: Operand, other: Operand): Reader =>
  (evaluation) => {
    const [a, b] = [must(one.read(evaluation)).N, must(other.read(evaluation)).N];
    if (a === undefined || b === undefined) throw invalid(WRONG_TYPE);
    return { N: operator === "+" ? add(a, b) : subtract(a, b) };
  };

/** What `if_not_exists(path, operand)` comes to. */
export const firstOf =
  (one: Operand, other: Operand): Reader =>
  (evaluation) =>
    one.read(evaluation) ?? other.read(evaluation);

/** What `list_append(list, list)` comes to. */
export const appended =
  (one: Operand, other: Operand): Reader =>
  (evaluation) => {
    const [a, b] = [must(one.read(evaluation)).L, must(other.read(evaluation)).L];
    if (!a || !b) throw invalid(WRONG_TYPE);
    return { L: [...a, ...b] };
  };

/** A number or set with another number added, or the members of another set. @throws AwsError for anything else */
function added(value: AttributeValue | undefined, more: AttributeValue): AttributeValue {
  if (more.N !== undefined) {
    if (!value) return more;
    if (value.N === undefined) throw invalid(WRONG_TYPE);
    return { N: add(value.N, more.N) };
  }
  const members = membersOf(more);
  if (!members || (value && typeOf(value) !== typeOf(more))) throw invalid(WRONG_TYPE);
  if (!value) return more;
  const fresh = members.filter((member) => !isMember(member, value));
  return { [typeOf(value)]: [...(membersOf(value) ?? []), ...fresh] };
}

/** A set without the members of another; nothing where none are left. @throws AwsError for anything else */
function deleted(
  value: AttributeValue | undefined,
  members: AttributeValue,
): AttributeValue | undefined {
  if (!membersOf(members)) throw invalid(WRONG_TYPE);
  if (!value) return undefined;
  if (typeOf(value) !== typeOf(members)) throw invalid(WRONG_TYPE);
  const left = (membersOf(value) ?? []).filter((member) => !isMember(member, members));
  return left.length === 0 ? undefined : { [typeOf(value)]: left };
}

/** The places that actions change, in their order. @throws AwsError where two of them overlap */
export function placesOfActions(
  actions: readonly UpdateAction[],
  names: Evaluation["names"],
): Place[] {
  const places = actions.map(({ path }) => placeOf(path, names));
  assertApart(places);
  return places;
}

/**
 * Carries actions out, each upon the item as it was before all of them.
 * @param places of the actions, in their order
 * @throws AwsError where one cannot be
 */
export function update(
  actions: readonly UpdateAction[],
  places: readonly Place[],
  evaluation: Evaluation,
): Item {
  const before = evaluation.item ?? {};
  const draft: Draft = { ...before };
  const works = places.flatMap((place, index) => {
    const action = actions[index];
    if (!action) return [];
    return [{ place, value: valueFor(action.kind, place, before, action.read?.(evaluation)) }];
  });
  const values = works.filter(({ value }) => value !== undefined).sort(byIndex);
  for (const { place, value } of values) if (value) setAt(draft, place, value);
  // From the end of a list to its beginning, so that what is left keeps its place until it is its turn.
  const removals = works.filter(({ value }) => value === undefined).sort(byIndex);
  for (const { place } of removals.reverse()) removeAt(draft, place);
  return draft;
}

function valueFor(
  kind: UpdateAction["kind"],
  place: Place,
  before: Item,
  value: AttributeValue | undefined,
): AttributeValue | undefined {
  if (kind === "remove") return undefined;
  if (kind === "set") return must(value);
  const present = valueAt(before, place);
  return kind === "add" ? added(present, must(value)) : deleted(present, must(value));
}

const lastIndexOf = (place: Place) => {
  const last = place.at(-1);
  return typeof last === "number" ? last : -1;
};

const byIndex = (one: { readonly place: Place }, other: { readonly place: Place }) =>
  lastIndexOf(one.place) - lastIndexOf(other.place);

/** @throws AwsError where one place lies within another, or is the same */
function assertApart(places: readonly Place[]): void {
  const names = new Set(places.map(([name]) => name));
  if (names.size === places.length) return;
  for (const [index, one] of places.entries()) {
    for (const other of places.slice(index + 1)) {
      const common = Math.min(one.length, other.length);
      if (one.slice(0, common).every((step, depth) => step === other[depth])) {
        throw invalid(
          `Invalid UpdateExpression: Two document paths overlap with each other; path one: [${one.join(", ")}], path two: [${other.join(", ")}]`,
        );
      }
    }
  }
}

const CLAUSES = ["SET", "REMOVE", "ADD", "DELETE"] as const;

/** Reads an UpdateExpression. @throws AwsError where it is none */
export const updateOf = memoise(
  (text: string): { readonly actions: readonly UpdateAction[] } & Placeholders => {
    const tokens = Tokens.ofExpression(text, "UpdateExpression");
    const actions: UpdateAction[] = [];
    const seen = new Set<string>();
    do {
      const clause = CLAUSES.find((it) => tokens.accept(it));
      if (!clause) throw tokens.problem();
      if (seen.has(clause)) {
        throw invalid(
          `Invalid UpdateExpression: The "${clause}" section can only be used once in an update expression;`,
        );
      }
      seen.add(clause);
      actions.push(...tokens.list(() => parseAction(tokens, clause)));
    } while (tokens.peek().kind !== "end");
    return { actions, ...placeholdersOf(tokens) };
  },
);

function parseAction(tokens: Tokens, clause: (typeof CLAUSES)[number]): UpdateAction {
  const path = parsePath(tokens);
  switch (clause) {
    case "SET":
      tokens.expect("=");
      return { kind: "set", path, read: parseSum(tokens).read };
    case "REMOVE":
      return { kind: "remove", path };
    case "ADD":
      return { kind: "add", path, read: parseExpressionOperand(tokens).read };
    case "DELETE":
      return { kind: "delete", path, read: parseExpressionOperand(tokens).read };
  }
}

function parseSum(tokens: Tokens): Operand {
  const left = parseSetOperand(tokens);
  const operator = ["+", "-"].find((it) => tokens.accept(it));
  return operator ? { read: arithmetic(operator, left, parseSetOperand(tokens)) } : left;
}

const FUNCTIONS: Readonly<Record<string, (one: Operand, other: Operand) => Reader>> = {
  if_not_exists: firstOf,
  list_append: appended,
};

function parseSetOperand(tokens: Tokens): Operand {
  if (tokens.accept("(")) {
    const inner = parseSum(tokens);
    tokens.expect(")");
    return inner;
  }
  const call = tokens.isNext("(", 1) ? FUNCTIONS[tokens.peek().text] : undefined;
  if (!call) return parseExpressionOperand(tokens);
  tokens.take();
  tokens.expect("(");
  const one = parseSetOperand(tokens);
  tokens.expect(",");
  const other = parseSetOperand(tokens);
  tokens.expect(")");
  return { read: call(one, other) };
}
