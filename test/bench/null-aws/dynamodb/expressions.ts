import { AwsError, invalid } from "../aws-error.ts";
import { memoise } from "../memoise.ts";
import type { AttributeValue, Item } from "./attribute-value.ts";
import type { Placeholders } from "./conditions.ts";
import { placeholdersOf } from "./conditions.ts";
import { type Evaluation, type Place, parsePath, placeOf } from "./document-path.ts";
import { Tokens } from "./tokens.ts";

/** What gives the placeholders of a request's expressions their meaning. */
export interface Substitutions {
  readonly ExpressionAttributeNames?: Readonly<Record<string, string>>;
  readonly ExpressionAttributeValues?: Readonly<Record<string, AttributeValue>>;
}

/** What a request's expressions are evaluated with. */
export const evaluationOf = (
  { ExpressionAttributeNames = {}, ExpressionAttributeValues = {} }: Substitutions,
  item: Item | undefined,
): Evaluation => ({
  item,
  names: ExpressionAttributeNames,
  values: ExpressionAttributeValues,
  parameters: [],
});

/** @throws AwsError where a placeholder has no meaning, or a meaning no placeholder */
export function checkPlaceholders(
  input: Substitutions,
  expressions: readonly (Placeholders | undefined)[],
): void {
  const { ExpressionAttributeNames = {}, ExpressionAttributeValues = {} } = input;
  checkAll(
    "name",
    ExpressionAttributeNames,
    expressions.map((it) => it?.aliases ?? []),
  );
  checkAll(
    "value",
    ExpressionAttributeValues,
    expressions.map((it) => it?.values ?? []),
  );
}

function checkAll(
  what: "name" | "value",
  given: Readonly<Record<string, unknown>>,
  used: readonly (readonly string[])[],
): void {
  for (const placeholders of used) {
    for (const placeholder of placeholders) {
      if (given[placeholder] !== undefined) continue;
      throw invalid(
        `An expression attribute ${what} used in expression is not defined; attribute ${what}: ${placeholder}`,
      );
    }
  }
  for (const placeholder in given) {
    if (used.some((placeholders) => placeholders.includes(placeholder))) continue;
    const member = what === "name" ? "ExpressionAttributeNames" : "ExpressionAttributeValues";
    throw invalid(`Value provided in ${member} unused in expressions: keys: {${placeholder}}`);
  }
}

/** Reads a ProjectionExpression. @throws AwsError where it is none */
export const projectionOf = memoise((text: string) => {
  const tokens = Tokens.ofExpression(text, "ProjectionExpression");
  const paths = tokens.list(() => parsePath(tokens));
  tokens.expectEnd();
  return { paths, ...placeholdersOf(tokens) };
});

/** The places of what a request asks for, or undefined where it asks for everything. */
export function placesOf(
  input: Substitutions & { readonly ProjectionExpression?: string },
): Place[] | undefined {
  if (input.ProjectionExpression === undefined) return undefined;
  const { paths } = projectionOf(input.ProjectionExpression);
  return paths.map((path) => placeOf(path, input.ExpressionAttributeNames ?? {}));
}

/** What is answered where a condition does not hold. */
export const conditionFailed = (item: Item | undefined): AwsError =>
  new AwsError(
    "ConditionalCheckFailedException",
    "The conditional request failed",
    item && { Item: item },
  );
