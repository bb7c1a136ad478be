import { invalid } from "../aws-error.ts";
import type { Item } from "./attribute-value.ts";
import { type Condition, conditionOf } from "./conditions.ts";
import { type Evaluation, type Place, project } from "./document-path.ts";
import {
  checkPlaceholders,
  conditionFailed,
  evaluationOf,
  type Substitutions,
} from "./expressions.ts";
import type { Key } from "./partitions.ts";
import type { Entry } from "./secondary-index.ts";
import type { Returning } from "./statements.ts";
import type { Table, Weighed } from "./table.ts";
import type { Tables } from "./tables.ts";
import { placesOfActions, type UpdateAction, update, updateOf } from "./update-actions.ts";

/** What the requests have in common that write one item. */
interface WriteInput extends Substitutions {
  readonly TableName: string;
  readonly ConditionExpression?: string;
  readonly ReturnValues?: Returning;
  readonly ReturnValuesOnConditionCheckFailure?: "ALL_OLD" | "NONE";
}

export interface PutInput extends WriteInput {
  readonly Item: Item;
}

export interface DeleteInput extends WriteInput {
  readonly Key: Item;
}

export interface UpdateInput extends WriteInput {
  readonly Key: Item;
  readonly UpdateExpression?: string;
}

/** A write that has been thought through, and not been done. */
export interface PlannedWrite {
  readonly table: Table;
  readonly key: Key;
  readonly before: Entry | undefined;
  /** Whether its condition holds. */
  readonly isAllowed: boolean;
  /** What there is to be, if anything; unknown where the condition does not hold. */
  readonly after: Weighed | undefined;
  /** What an update has changed. */
  readonly places: readonly Place[];
  /** Checks, but does not write. */
  readonly isCheck?: boolean;
}

/** @throws AwsError for a request that cannot be carried out, whatever there is */
export function planPut(tables: Tables, input: PutInput): PlannedWrite {
  const table = tables.called(input.TableName);
  const condition = checkedCondition(input);
  const key = table.keyOf(input.Item);
  const before = table.find(key);
  const after = table.weigh(input.Item);
  const isAllowed = holds(condition, evaluationOf(input, before?.item));
  return { table, key, before, isAllowed, after, places: [] };
}

/** @throws AwsError for a request that cannot be carried out, whatever there is */
export function planDelete(tables: Tables, input: DeleteInput): PlannedWrite {
  const table = tables.called(input.TableName);
  const condition = checkedCondition(input);
  const key = table.keyOnlyOf(input.Key);
  const before = table.find(key);
  const isAllowed = holds(condition, evaluationOf(input, before?.item));
  return { table, key, before, isAllowed, after: undefined, places: [] };
}

/** The same for what a transaction only checks. */
export const planCheck = (tables: Tables, input: DeleteInput): PlannedWrite => ({
  ...planDelete(tables, input),
  isCheck: true,
});

/** @throws AwsError for a request that cannot be carried out */
export function planUpdate(tables: Tables, input: UpdateInput): PlannedWrite {
  const table = tables.called(input.TableName);
  const expression = input.UpdateExpression ? updateOf(input.UpdateExpression) : undefined;
  const condition = input.ConditionExpression ? conditionOf(input.ConditionExpression) : undefined;
  checkPlaceholders(input, [expression, condition]);
  const key = table.keyOnlyOf(input.Key);
  const before = table.find(key);
  const evaluation = evaluationOf(input, before?.item);
  const actions = expression?.actions ?? [];
  const places = changeablePlaces(table, actions, evaluation.names);
  if (!holds(condition, evaluation)) {
    return { table, key, before, isAllowed: false, after: undefined, places };
  }
  const item = update(actions, places, { ...evaluation, item: before?.item ?? input.Key });
  return { table, key, before, isAllowed: true, after: table.weigh(item), places };
}

/** The places that actions change. @throws AwsError where these must not be changed, or not together */
export function changeablePlaces(
  table: Table,
  actions: readonly UpdateAction[],
  names: Evaluation["names"],
): Place[] {
  const places = placesOfActions(actions, names);
  for (const [name] of places) {
    if (name !== table.keys.hash && name !== table.keys.sort) continue;
    throw invalid(
      `One or more parameter values were invalid: Cannot update attribute ${name}. This attribute is part of the key`,
    );
  }
  return places;
}

function checkedCondition(input: WriteInput) {
  const condition = input.ConditionExpression ? conditionOf(input.ConditionExpression) : undefined;
  checkPlaceholders(input, [condition]);
  return condition;
}

const holds = (condition: Condition | undefined, evaluation: Evaluation) =>
  !condition || condition.holds(evaluation);

/**
 * Does what is planned, and books it.
 * @returns the attributes that were asked for
 * @throws AwsError where the condition does not hold
 */
export function carryOut(
  { table, key, before, isAllowed, after, places }: PlannedWrite,
  {
    ReturnValues = "NONE",
    ReturnValuesOnConditionCheckFailure,
  }: Pick<WriteInput, "ReturnValues" | "ReturnValuesOnConditionCheckFailure">,
): Item | undefined {
  if (!isAllowed) {
    table.bookRefusal(before, after, 1);
    throw conditionFailed(
      ReturnValuesOnConditionCheckFailure === "ALL_OLD" ? before?.item : undefined,
    );
  }
  const oldItem = before?.item;
  table.write(key, before, after);
  return returned(ReturnValues, oldItem, after?.item, places);
}

function returned(
  returning: Returning,
  before: Item | undefined,
  after: Item | undefined,
  places: readonly Place[],
): Item | undefined {
  switch (returning) {
    case "NONE":
      return undefined;
    case "ALL_OLD":
      return before;
    case "ALL_NEW":
      return after;
    case "UPDATED_OLD":
      return before && orNothing(project(before, places));
    case "UPDATED_NEW":
      return after && orNothing(project(after, places));
  }
}

const orNothing = (item: Item) => (Object.keys(item).length > 0 ? item : undefined);
