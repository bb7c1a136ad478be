import { invalid } from "../aws-error.ts";
import type { AttributeValue, Item } from "./attribute-value.ts";
import type { Tokens } from "./tokens.ts";

/** What an expression is evaluated with. */
export interface Evaluation {
  readonly item: Item | undefined;
  /** Names by their aliases. */
  readonly names: Readonly<Record<string, string>>;
  readonly values: Readonly<Record<string, AttributeValue>>;
  /** What a statement has question marks for. */
  readonly parameters: readonly AttributeValue[];
}

type Step =
  | { readonly kind: "name"; readonly name: string }
  | { readonly kind: "alias"; readonly alias: string }
  | { readonly kind: "index"; readonly index: number };

/** Where in an item something is, as an expression says it. */
export type Path = readonly Step[];

/** The same without aliases: names and places in lists. It begins with a name. */
export type Place = readonly [string, ...(string | number)[]];

/** Reads a path such as `a.#b[0]` or `"a"."b"`. @throws AwsError where there is none */
export function parsePath(tokens: Tokens): Path {
  const steps: Step[] = [parseName(tokens)];
  for (;;) {
    if (tokens.accept(".")) steps.push(parseName(tokens));
    else if (tokens.isNext("[") && tokens.peek(1).kind === "number") {
      tokens.expect("[");
      steps.push({ kind: "index", index: Number(tokens.take().text) });
      tokens.expect("]");
    } else return steps;
  }
}

function parseName(tokens: Tokens): Step {
  const { kind, text } = tokens.peek();
  if (kind !== "name" && kind !== "quoted" && kind !== "alias") throw tokens.problem();
  tokens.take();
  return kind === "alias" ? { kind, alias: text } : { kind: "name", name: text };
}

const resolveStep = (step: Step, names: Evaluation["names"]): string | number => {
  if (step.kind === "index") return step.index;
  return step.kind === "name" ? step.name : (names[step.alias] ?? "");
};

/** The path with the names that its aliases stand for. */
export function placeOf(path: Path, names: Evaluation["names"]): Place {
  const [first, ...rest] = path.map((step) => resolveStep(step, names));
  return [String(first), ...rest];
}

/** The name of a path that is nothing but a name. */
export function nameOf(path: Path, names: Evaluation["names"]): string | undefined {
  const [first, second] = path;
  return first && !second ? String(resolveStep(first, names)) : undefined;
}

/** What a path finds. */
export function reader(path: Path): (evaluation: Evaluation) => AttributeValue | undefined {
  const [first] = path;
  if (!first || path.length > 1) {
    return ({ item, names }) => item && valueAt(item, placeOf(path, names));
  }
  if (first.kind === "name") return ({ item }) => item?.[first.name];
  return ({ item, names }) => item?.[String(resolveStep(first, names))];
}

/** What is at a place of an item. */
export function valueAt(item: Item, place: Place): AttributeValue | undefined {
  let value: AttributeValue | undefined = item[place[0]];
  for (let depth = 1; depth < place.length && value; depth++) {
    const step = place[depth];
    value = typeof step === "number" ? value.L?.[step] : value.M?.[step ?? ""];
  }
  return value;
}

/** An item that may be changed, since it is nobody else's; what is in it may not. */
export type Draft = Record<string, AttributeValue>;

const NO_SUCH_PLACE = "The document path provided in the update expression is invalid for update";

/** Puts a value at a place, at the end of a list where its index lies behind. @throws AwsError where there is nothing to put it into */
export function setAt(draft: Draft, place: Place, value: AttributeValue): void {
  draft[place[0]] = withValue(draft[place[0]], place, 1, value);
}

function withValue(
  container: AttributeValue | undefined,
  place: Place,
  depth: number,
  value: AttributeValue,
): AttributeValue {
  const step = place[depth];
  if (step === undefined) return value;
  if (typeof step === "string") {
    if (!container?.M) throw invalid(NO_SUCH_PLACE);
    return { M: { ...container.M, [step]: withValue(container.M[step], place, depth + 1, value) } };
  }
  if (!container?.L) throw invalid(NO_SUCH_PLACE);
  const list = [...container.L];
  list[Math.min(step, list.length)] = withValue(list[step], place, depth + 1, value);
  return { L: list };
}

/** Removes what is at a place, if anything is. @throws AwsError where there is nothing to remove it from */
export function removeAt(draft: Draft, place: Place): void {
  const [name] = place;
  const container = draft[name];
  if (place.length === 1) delete draft[name];
  else if (!container) throw invalid(NO_SUCH_PLACE);
  else draft[name] = without(container, place, 1);
}

function without(container: AttributeValue, place: Place, depth: number): AttributeValue {
  const step = place[depth];
  const isLast = depth === place.length - 1;
  if (typeof step === "string" && container.M) {
    const { [step]: inner, ...rest } = container.M;
    if (isLast) return { M: rest };
    if (!inner) throw invalid(NO_SUCH_PLACE);
    return { M: { ...container.M, [step]: without(inner, place, depth + 1) } };
  }
  if (typeof step === "number" && container.L) {
    if (isLast) return { L: container.L.filter((_, index) => index !== step) };
    const inner = container.L[step];
    if (!inner) throw invalid(NO_SUCH_PLACE);
    return { L: container.L.with(step, without(inner, place, depth + 1)) };
  }
  throw invalid(NO_SUCH_PLACE);
}

/** The parts of an item that are at some places, within what they are in. */
export function project(item: Item, places: readonly Place[]): Item {
  const draft: Draft = {};
  for (const place of places) {
    const value = valueAt(item, place);
    if (value) draft[place[0]] = grafted(draft[place[0]], place, 1, value);
  }
  return draft;
}

function grafted(
  container: AttributeValue | undefined,
  place: Place,
  depth: number,
  value: AttributeValue,
): AttributeValue {
  const step = place[depth];
  if (step === undefined) return value;
  if (typeof step === "number") {
    return { L: [...(container?.L ?? []), grafted(undefined, place, depth + 1, value)] };
  }
  const inner = grafted(container?.M?.[step], place, depth + 1, value);
  return { M: { ...container?.M, [step]: inner } };
}
