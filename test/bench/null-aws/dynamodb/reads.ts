import { invalid } from "../aws-error.ts";
import { type AttributeValue, bytesOf, type Item } from "./attribute-value.ts";
import { conditionOf } from "./conditions.ts";
import { project } from "./document-path.ts";
import {
  checkPlaceholders,
  evaluationOf,
  placesOf,
  projectionOf,
  type Substitutions,
} from "./expressions.ts";
import { type KeyRange, keyConditionOf, rangesOf } from "./key-condition.ts";
import { compareKeys, compareSortKeys, partitionPoint, type SortKey } from "./partitions.ts";
import type { Placed, SecondaryIndex } from "./secondary-index.ts";
import { readUnitsOf, sizeOfItem } from "./sizes.ts";
import type { Table } from "./table.ts";
import type { Tables } from "./tables.ts";

const MAX_KEYS = 100;
const MAX_PAGE_BYTES = 1_048_576;
const MAX_BATCH_BYTES = 16 * 1_048_576;

interface ReadInput extends Substitutions {
  readonly ProjectionExpression?: string;
  readonly ConsistentRead?: boolean;
}

interface GetInput extends ReadInput {
  readonly TableName: string;
  readonly Key: Item;
}

interface KeysInput extends ReadInput {
  readonly Keys: readonly Item[];
}

interface BatchGetInput {
  readonly RequestItems: Readonly<Record<string, KeysInput>>;
}

export interface QueryInput extends ReadInput {
  readonly TableName: string;
  readonly IndexName?: string;
  readonly KeyConditionExpression?: string;
  readonly FilterExpression?: string;
  readonly Limit?: number;
  readonly ScanIndexForward?: boolean;
  readonly ExclusiveStartKey?: Item;
  readonly Select?: string;
}

/** @throws AwsError for a request that makes no sense */
export function getItem(tables: Tables, input: GetInput): object {
  checkProjection(input);
  const table = tables.called(input.TableName);
  const entry = table.find(table.keyOnlyOf(input.Key));
  table.bookRead(readUnitsOf(entry?.size ?? 0, input.ConsistentRead === true));
  return entry ? { Item: projected(entry.item, input) } : {};
}

function checkProjection(input: ReadInput): void {
  checkPlaceholders(input, [
    input.ProjectionExpression === undefined ? undefined : projectionOf(input.ProjectionExpression),
  ]);
}

function projected(item: Item, input: ReadInput): Item {
  const places = placesOf(input);
  return places ? project(item, places) : item;
}

/** @throws AwsError for a request that makes no sense */
export function batchGetItem(tables: Tables, { RequestItems }: BatchGetInput): object {
  const Responses: Record<string, Item[]> = {};
  const UnprocessedKeys: Record<string, KeysInput> = {};
  let bytes = 0;
  const wanted = Object.values(RequestItems).reduce((sum, { Keys }) => sum + Keys.length, 0);
  if (wanted === 0 || wanted > MAX_KEYS)
    throw invalid("Too many items requested for the BatchGetItem call");
  for (const [name, request] of Object.entries(RequestItems)) {
    checkProjection(request);
    const table = tables.called(name);
    const keys = request.Keys.map((key) => table.keyOnlyOf(key));
    assertDifferent(keys.map(({ hash, sort }) => `${hash}\n${sort}`));
    const items: Item[] = [];
    for (const [index, key] of keys.entries()) {
      if (bytes >= MAX_BATCH_BYTES) {
        UnprocessedKeys[name] = { ...request, Keys: request.Keys.slice(index) };
        break;
      }
      const entry = table.find(key);
      table.bookRead(readUnitsOf(entry?.size ?? 0, request.ConsistentRead === true));
      if (!entry) continue;
      bytes += entry.size;
      items.push(projected(entry.item, request));
    }
    Responses[name] = items;
  }
  return { Responses, UnprocessedKeys };
}

/** @throws AwsError where a request names the same item twice */
export function assertDifferent(keys: readonly string[]): void {
  if (new Set(keys).size < keys.length) {
    throw invalid("Provided list of item keys contains duplicates");
  }
}

/** @throws AwsError for a request that makes no sense */
export function query(tables: Tables, input: QueryInput): object {
  const table = tables.called(input.TableName);
  const index = input.IndexName === undefined ? undefined : table.indexCalled(input.IndexName);
  if (index && input.ConsistentRead) {
    throw invalid("Consistent reads are not supported on global secondary indexes");
  }
  const keyCondition = keyConditionOf(input.KeyConditionExpression ?? "");
  const filter =
    input.FilterExpression === undefined ? undefined : conditionOf(input.FilterExpression);
  checkPlaceholders(input, [
    keyCondition,
    filter,
    input.ProjectionExpression === undefined ? undefined : projectionOf(input.ProjectionExpression),
  ]);
  const ranges = rangesOf(keyCondition.terms, evaluationOf(input, undefined));
  const page = readPage(table, index, ranges, input);
  table.bookRead(readUnitsOf(page.bytes, input.ConsistentRead === true));
  const found = page.items.filter((item) => !filter || filter.holds(evaluationOf(input, item)));
  return {
    Count: found.length,
    ScannedCount: page.items.length,
    ...(input.Select !== "COUNT" && { Items: found.map((item) => projected(item, input)) }),
    ...(page.last && { LastEvaluatedKey: page.last }),
  };
}

interface Page {
  readonly items: readonly Item[];
  readonly bytes: number;
  /** The key of the last one, where there may be more. */
  readonly last: Item | undefined;
}

function readPage(
  table: Table,
  index: SecondaryIndex | undefined,
  ranges: readonly KeyRange[],
  input: QueryInput,
): Page {
  const keys = (index ?? table).keys;
  const hash = ranges.find(({ name, comparison }) => name === keys.hash && comparison === "=");
  const sort = ranges.find(({ name }) => name === keys.sort);
  if (!hash?.values[0] || ranges.length !== (sort ? 2 : 1)) {
    throw invalid("Query condition missed key schema element");
  }
  const partition = index
    ? index.partitions.in(textOf(hash.values[0]))
    : table.partition(textOf(hash.values[0]));
  const isForward = input.ScanIndexForward !== false;
  const bounds = boundsOf(partition, sort, startOf(table, index, input), isForward);
  const limit = input.Limit ?? Number.POSITIVE_INFINITY;
  const items: Item[] = [];
  let bytes = 0;
  for (let count = 0; count < bounds.end - bounds.begin; count++) {
    const placed = partition[isForward ? bounds.begin + count : bounds.end - 1 - count];
    if (!placed) break;
    const item = index ? index.imageOf(placed.entry.item) : placed.entry.item;
    items.push(item);
    bytes += index?.attributes ? sizeOfItem(item) : placed.entry.size;
    if (items.length >= limit || bytes >= MAX_PAGE_BYTES) {
      return { items, bytes, last: keyIn(table, index, item) };
    }
  }
  return { items, bytes, last: undefined };
}

const textOf = (value: AttributeValue) =>
  value.N !== undefined ? String(Number(value.N)) : sortKeyOf(value).toString();

const sortKeyOf = (value: AttributeValue): SortKey =>
  value.N !== undefined ? Number(value.N) : (value.S ?? bytesOf(value.B ?? ""));

function keyIn(table: Table, index: SecondaryIndex | undefined, item: Item): Item {
  const { hash, sort } = (index ?? table).keys;
  const key: Record<string, AttributeValue> = { ...table.keyAttributesOf(item) };
  for (const name of [hash, sort]) {
    const value = name === undefined ? undefined : item[name];
    if (name !== undefined && value) key[name] = value;
  }
  return key;
}

/** Where a query goes on, as the order of the partition has it. */
function startOf(
  table: Table,
  index: SecondaryIndex | undefined,
  { ExclusiveStartKey }: QueryInput,
): ((placed: Placed) => number) | undefined {
  if (!ExclusiveStartKey) return undefined;
  const key = table.keyOf(ExclusiveStartKey);
  if (!index) return ({ sort }) => compareSortKeys(sort, key.sort);
  const sort = index.keyOf(ExclusiveStartKey)?.sort;
  if (sort === undefined) throw invalid("The provided starting key is invalid");
  return (placed) => compareSortKeys(placed.sort, sort) || compareKeys(placed.entry, key);
}

function boundsOf(
  partition: readonly Placed[],
  sort: KeyRange | undefined,
  compareToStart: ((placed: Placed) => number) | undefined,
  isForward: boolean,
): { readonly begin: number; readonly end: number } {
  const [isBelow, isNotAbove] = sort ? limitsOf(sort) : [() => false, () => true];
  let begin = partitionPoint(partition, ({ sort: key }) => isBelow(key));
  let end = partitionPoint(partition, ({ sort: key }) => isNotAbove(key));
  if (compareToStart && isForward) {
    begin = Math.max(
      begin,
      partitionPoint(partition, (it) => compareToStart(it) <= 0),
    );
  } else if (compareToStart) {
    end = Math.min(
      end,
      partitionPoint(partition, (it) => compareToStart(it) < 0),
    );
  }
  return { begin, end };
}

type IsSo = (key: SortKey) => boolean;

/** Of a range: what lies below it, and what does not lie above it. */
function limitsOf({ comparison, values }: KeyRange): [isBelow: IsSo, isNotAbove: IsSo] {
  const [low, high] = values.map(sortKeyOf);
  if (low === undefined) throw invalid("Invalid KeyConditionExpression");
  switch (comparison) {
    case "=":
      return [(key) => key < low, (key) => key <= low];
    case "<":
      return [() => false, (key) => key < low];
    case "<=":
      return [() => false, (key) => key <= low];
    case ">":
      return [(key) => key <= low, () => true];
    case ">=":
      return [(key) => key < low, () => true];
    case "between":
      return [(key) => key < low, (key) => key <= (high ?? low)];
    case "begins_with": {
      const prefix = String(low);
      return [(key) => key < low, (key) => key < low || String(key).startsWith(prefix)];
    }
  }
}
