import { AwsError, invalid } from "../aws-error.ts";
import type { AttributeValue, Item } from "./attribute-value.ts";
import type { Condition } from "./conditions.ts";
import { type Evaluation, nameOf, placeOf, project } from "./document-path.ts";
import type { Key } from "./partitions.ts";
import { assertDifferent } from "./reads.ts";
import { readUnitsOf, sizeOfItem } from "./sizes.ts";
import { type Statement, statementErrorOf, statementOf } from "./statements.ts";
import type { Table } from "./table.ts";
import type { Tables } from "./tables.ts";
import { update } from "./update-actions.ts";
import { carryOut, changeablePlaces, type PlannedWrite } from "./writes.ts";

const MAX_STATEMENTS = 25;

export interface StatementInput {
  readonly Statement: string;
  readonly Parameters?: readonly AttributeValue[];
  readonly ConsistentRead?: boolean;
  readonly ReturnValuesOnConditionCheckFailure?: "ALL_OLD" | "NONE";
}

/** A statement with what its question marks stand for, and the item that it is about, if it is about one. */
interface Prepared {
  readonly input: StatementInput;
  readonly statement: Statement;
  readonly table: Table;
  readonly evaluation: Evaluation;
  readonly key: Item | undefined;
}

/** @throws AwsError for a statement that makes no sense */
function prepare(tables: Tables, input: StatementInput): Prepared {
  const statement = statementOf(input.Statement);
  const parameters = input.Parameters ?? [];
  if (parameters.length < statement.countOfParameters) {
    throw invalid("Number of parameters in request and statement don't match.");
  }
  const table = tables.called(statement.table);
  const evaluation: Evaluation = { item: undefined, names: {}, values: {}, parameters };
  const about = { input, statement, table, evaluation };
  if (statement.kind === "insert") {
    const { item } = table.weigh(statement.item(evaluation));
    return { ...about, key: table.keyAttributesOf(item) };
  }
  if (statement.kind === "update") changeablePlaces(table, statement.actions, {});
  return { ...about, key: keyIn(statement.where, table, evaluation) };
}

/** The key that a condition demands, if it demands a whole one. */
function keyIn(where: Condition, table: Table, evaluation: Evaluation): Item | undefined {
  const key: Record<string, AttributeValue> = {};
  for (const { path, read } of where.equalities) {
    const name = nameOf(path, {});
    const value = read(evaluation);
    const isPart = name === table.keys.hash || name === table.keys.sort;
    if (name !== undefined && isPart && value) key[name] = value;
  }
  const { hash, sort } = table.keys;
  return key[hash] && (sort === undefined || key[sort]) ? key : undefined;
}

/** @throws AwsError for a statement that cannot be carried out */
export function executeStatement(tables: Tables, input: StatementInput): object {
  const prepared = prepare(tables, input);
  if (prepared.statement.kind === "select") return { Items: select(prepared) };
  const item = write(prepared);
  return { Items: item ? [item] : [] };
}

/** @throws AwsError for a request no statement of which is carried out; what goes wrong with one is in its answer */
export function batchExecuteStatement(
  tables: Tables,
  { Statements }: { readonly Statements: readonly StatementInput[] },
  onError: (code: string) => void,
): object {
  if (Statements.length === 0 || Statements.length > MAX_STATEMENTS) {
    throw invalid(
      `1 validation error detected: Value at 'statements' failed to satisfy constraint: Member must have length less than or equal to ${MAX_STATEMENTS}`,
    );
  }
  const all = Statements.map((input) => attempt(() => prepare(tables, input)));
  const prepared = all.filter((it): it is Prepared => !(it instanceof AwsError));
  assertAlike(prepared);
  assertDifferent(prepared.flatMap(identityOf));
  const Responses = all.map((it) => {
    const result = it instanceof AwsError ? it : attempt(() => executeOne(it));
    const table = it instanceof AwsError ? {} : { TableName: it.table.name };
    if (!(result instanceof AwsError)) return { ...result, ...table };
    const Code = statementErrorOf(result);
    onError(Code);
    return { Error: { Code, Message: result.message, ...result.members }, ...table };
  });
  return { Responses };
}

function assertAlike(prepared: readonly Prepared[]): void {
  const reads = prepared.filter(({ statement }) => statement.kind === "select").length;
  if (reads > 0 && reads < prepared.length) {
    throw invalid("Read and write requests together in the same batch is not supported.");
  }
}

function identityOf({ table, key }: Prepared): string[] {
  if (!key) return [];
  const { hash, sort } = table.keyOf(key);
  return [`${table.name}\n${hash}\n${sort}`];
}

function attempt<T>(work: () => T): T | AwsError {
  try {
    return work();
  } catch (error) {
    if (error instanceof AwsError) return error;
    throw error;
  }
}

function executeOne(prepared: Prepared): { readonly Item?: Item } {
  if (prepared.statement.kind === "select" && !prepared.key) {
    throw invalid("Only single item select is supported");
  }
  const item = prepared.statement.kind === "select" ? select(prepared)[0] : write(prepared);
  return item ? { Item: item } : {};
}

function write(prepared: Prepared): Item | undefined {
  const { input, statement, key: keyAttributes, table } = prepared;
  if (statement.kind === "select") throw new Error("this writes nothing");
  if (!keyAttributes) {
    throw invalid("Where clause does not contain a mandatory equality on all key attributes");
  }
  const planned = plan(prepared, table.keyOf(keyAttributes));
  if (statement.kind === "insert") {
    if (planned.isAllowed) return carryOut(planned, {});
    table.bookRefusal(planned.before, planned.after, 1);
    throw new AwsError("DuplicateItemException", "Duplicate primary key exists in table");
  }
  return carryOut(planned, {
    ReturnValues: statement.returning,
    ReturnValuesOnConditionCheckFailure: input.ReturnValuesOnConditionCheckFailure ?? "NONE",
  });
}

/** What a statement would do; one that would delete what is not there is content. */
function plan({ statement, table, evaluation: blank }: Prepared, key: Key): PlannedWrite {
  const before = table.find(key);
  const nothing = { table, key, before, after: undefined, places: [] };
  if (statement.kind === "insert") {
    const after = table.weigh(statement.item(blank));
    return { ...nothing, after, isAllowed: !before };
  }
  if (statement.kind === "select") throw new Error("this writes nothing");
  const evaluation = { ...blank, item: before?.item };
  const isAllowed = before !== undefined && statement.where.holds(evaluation);
  if (statement.kind === "delete") return { ...nothing, isAllowed: isAllowed || !before };
  const places = changeablePlaces(table, statement.actions, {});
  if (!isAllowed) return { ...nothing, isAllowed };
  const item = update(statement.actions, places, evaluation);
  return { ...nothing, isAllowed, after: table.weigh(item), places };
}

function select({ input, statement, table, evaluation, key }: Prepared): Item[] {
  if (statement.kind !== "select") throw new Error("this reads nothing");
  const index = statement.index === undefined ? undefined : table.indexCalled(statement.index);
  const candidates = index
    ? partitionOf(statement.where, index.keys.hash, evaluation, (hash) =>
        index.partitions.in(hash).map(({ entry }) => index.imageOf(entry.item)),
      )
    : key
      ? [table.find(table.keyOf(key))?.item].filter((item) => item !== undefined)
      : partitionOf(statement.where, table.keys.hash, evaluation, (hash) =>
          table.partition(hash).map(({ entry }) => entry.item),
        );
  const bytes = candidates.reduce((sum, item) => sum + sizeOfItem(item), 0);
  table.bookRead(readUnitsOf(bytes, input.ConsistentRead === true));
  const places = statement.paths?.map((path) => placeOf(path, {}));
  return candidates
    .filter((item) => statement.where.holds({ ...evaluation, item }))
    .map((item) => (places ? project(item, places) : item));
}

/** @throws AwsError where the condition leaves open which partition it is about: that would be a scan */
function partitionOf(
  where: Condition,
  hashName: string,
  evaluation: Evaluation,
  read: (hash: string) => Item[],
): Item[] {
  const equality = where.equalities.find(({ path }) => nameOf(path, {}) === hashName);
  const value = equality?.read(evaluation);
  const hash = value?.S ?? value?.N;
  if (hash === undefined) throw invalid("nobody wants to scan a table");
  return read(hash);
}
