import {
  type AttributeValue,
  ConditionalCheckFailedException,
  DuplicateItemException,
} from "@aws-sdk/client-dynamodb";
import {
  BatchExecuteStatementCommand,
  type DynamoDBDocumentClient,
  ExecuteStatementCommand,
  GetCommand,
} from "@aws-sdk/lib-dynamodb";
import { unmarshall } from "@aws-sdk/util-dynamodb";
import DataLoader from "dataloader";
import { slicesOf } from "../../core/slices.ts";
import { getAllOf } from "./get-all.ts";

/** The most statements of a BatchExecuteStatement, and the most keys of a BatchGetItem. */
const MAX_STATEMENTS = 25;
const MAX_KEYS = 100;

type Item = Record<string, unknown>;

/** The key of an item in our tables. */
export type ItemKey = { readonly pk: string; readonly sk: string };

/** A write to one item, in PartiQL. */
export interface Statement {
  /** The item that it is about: no two of a request may be about the same. */
  readonly key: ItemKey;
  readonly text: string;
  /** The values of its question marks, in order. */
  readonly parameters: readonly unknown[];
}

/** How a statement ended, unless it failed. */
export type Executed =
  /** `item`: what it returns, where it says `RETURNING`. */
  | { readonly kind: "done"; readonly item?: Item }
  /** Its condition did not hold, or its key is taken. `item`: what is stored, where DynamoDB says it. */
  | { readonly kind: "refused"; readonly item?: Item };

/**
 * Writes to DynamoDB, each for itself, where those that are asked for at the same time share
 * requests: what a request costs us hardly grows with what is in it.
 *
 * @param lingerMs how long a write waits for others, in milliseconds; where it is not said, until all
 *   that can run without waiting for anything has run
 * @returns what executes a statement; it throws what DynamoDB throws, but for conditions that do not hold
 */
export function createStatements(
  client: DynamoDBDocumentClient,
  lingerMs?: number,
): (statement: Statement) => Promise<Executed> {
  /** @throws whatever DynamoDB throws, after the SDK's own tries */
  async function executeAlone({ text, parameters }: Statement): Promise<Executed> {
    try {
      const { Items } = await client.send(
        new ExecuteStatementCommand({
          Statement: text,
          Parameters: [...parameters],
          ReturnValuesOnConditionCheckFailure: "ALL_OLD",
        }),
      );
      return done(Items?.[0]);
    } catch (error) {
      if (isDuplicate(error)) return { kind: "refused" };
      if (error instanceof ConditionalCheckFailedException) return refused(stored(error.Item));
      throw error;
    }
  }

  async function executeSlice(statements: readonly Statement[]): Promise<(Executed | Error)[]> {
    const [first] = statements;
    if (first && statements.length === 1) return [await orError(executeAlone(first))];
    const { Responses = [] } = await client.send(
      new BatchExecuteStatementCommand({
        Statements: statements.map(({ text, parameters }) => ({
          Statement: text,
          Parameters: [...parameters],
          ReturnValuesOnConditionCheckFailure: "ALL_OLD",
        })),
      }),
    );
    return Promise.all(
      statements.map(async (statement, index) => {
        const response = Responses[index];
        if (response && !response.Error) return done(response.Item);
        const code = response?.Error?.Code;
        if (code === "ConditionalCheckFailed") return refused(response?.Error?.Item);
        if (code === "DuplicateItem") return { kind: "refused" as const };
        // Throttled, as a rule: of a batch, the SDK does not try such again.
        return orError(executeAlone(statement));
      }),
    );
  }

  async function executeAll(statements: readonly Statement[]): Promise<(Executed | Error)[]> {
    const results = new Map<Statement, Executed | Error>();
    for (const turn of turnsOf(statements)) {
      await Promise.all(
        slicesOf(turn, MAX_STATEMENTS).map(async (slice) => {
          const executed = await executeSlice(slice).catch((error) => slice.map(() => error));
          slice.forEach((statement, index) => {
            results.set(statement, executed[index] as Executed | Error);
          });
        }),
      );
    }
    return statements.map((statement) => results.get(statement) as Executed | Error);
  }

  const loader = new DataLoader<Statement, Executed>(executeAll, {
    cache: false,
    ...(lingerMs !== undefined && {
      batchScheduleFn: (execute) => void setTimeout(execute, lingerMs),
    }),
  });
  return (statement) => loader.load(statement);
}

/** Reads an item by its key, strongly consistent; undefined where there is none. */
export type ReadItem = (tableName: string, key: ItemKey) => Promise<Item | undefined>;

/** Reads of single items, where those that are asked for at the same time share requests, of whichever tables they are. */
export function createReads(client: DynamoDBDocumentClient): ReadItem {
  async function read(wanted: readonly Wanted[]): Promise<(Item | undefined)[]> {
    const [first] = wanted;
    if (first && wanted.length === 1) {
      const { tableName: TableName, key: Key } = first;
      const { Item } = await client.send(new GetCommand({ TableName, Key, ConsistentRead: true }));
      return [Item];
    }
    const different = new Map(wanted.map((one) => [nameOfWanted(one), one]));
    const pages = await Promise.all(
      slicesOf([...different.values()], MAX_KEYS).map((slice) => getAllOf(client, slice)),
    );
    const items = new Map(
      pages
        .flat()
        .map(({ tableName, item }) => [nameOfWanted({ tableName, key: item as ItemKey }), item]),
    );
    return wanted.map((one) => items.get(nameOfWanted(one)));
  }

  const loader = new DataLoader<Wanted, Item | undefined>(read, { cache: false });
  return (tableName, key) => loader.load({ tableName, key });
}

interface Wanted {
  readonly tableName: string;
  readonly key: ItemKey;
}

const nameOfWanted = ({ tableName, key: { pk, sk } }: Wanted) =>
  JSON.stringify([tableName, pk, sk]);
const nameOf = ({ pk, sk }: ItemKey) => JSON.stringify([pk, sk]);

/** The statements in turns, of which none has two that are about the same item. */
function turnsOf(statements: readonly Statement[]): Statement[][] {
  const turns: Statement[][] = [];
  const seen = new Map<string, number>();
  for (const statement of statements) {
    const name = nameOf(statement.key);
    const turn = seen.get(name) ?? 0;
    seen.set(name, turn + 1);
    const statementsOfTurn = turns[turn] ?? [];
    turns[turn] = statementsOfTurn;
    statementsOfTurn.push(statement);
  }
  return turns;
}

/** DynamoDB Local calls it by a shorter name, for which the SDK has no class. */
const isDuplicate = (error: unknown) =>
  error instanceof DuplicateItemException ||
  (error instanceof Error && error.name === "DuplicateItem");

const done = (item: Item | undefined): Executed => ({ kind: "done", ...(item && { item }) });
const refused = (item: Item | undefined): Executed => ({ kind: "refused", ...(item && { item }) });

const stored = (item: Record<string, AttributeValue> | undefined) => item && unmarshall(item);

const orError = async <T>(work: Promise<T>): Promise<T | Error> =>
  work.catch((error) => (error instanceof Error ? error : new Error(String(error))));
