import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { AwsError } from "../bench/null-aws/aws-error.ts";
import { answerDynamoDb } from "../bench/null-aws/dynamodb/dynamodb.ts";
import { Tables } from "../bench/null-aws/dynamodb/tables.ts";
import { type Operation, operations } from "../unit/bench/null-aws/operations.ts";
import { THINGS, THINGS_DEFINITION } from "../unit/bench/null-aws/things.ts";
import { DynamoDb } from "./dynamodb.ts";
import { type DynamoDbLocal, startDynamoDbLocal } from "./dynamodb-local.ts";

/** DynamoDB Local takes its time on a machine that does other things, too. */
const START_MS = 60_000;
/** More of them find more: `RUNS=3000` takes a minute. */
const RUNS = Number(process.env.RUNS ?? 25);

let local: DynamoDbLocal;
let dynamoDb: DynamoDb;

beforeAll(async () => {
  local = await startDynamoDbLocal();
  dynamoDb = new DynamoDb(local.port);
  const { StreamSpecification: _, ...definition } = THINGS_DEFINITION;
  await dynamoDb.createTable(THINGS, { id: THINGS, definition });
}, START_MS);

afterAll(async () => {
  dynamoDb.close();
  await local.stop();
});

/** The index whose key has two parts. */
const HALF_KEYED = "by-group";

/** Units of a request. */
interface Units {
  readonly table: number;
  readonly indexes: Readonly<Record<string, number>>;
}

interface Answer {
  /** The class of an error, without what stands before it. */
  readonly error: string | undefined;
  readonly body: unknown;
  /** Unknown where there is an error. */
  readonly units: Units | undefined;
}

const nameOfClass = (type: unknown) => String(type).split("#").at(-1);

async function askLocal({ name, input }: Operation): Promise<Answer> {
  const { status, body } = await dynamoDb.send(`DynamoDB_20120810.${name}`, {
    ...input,
    ...(!name.includes("Statement") && { ReturnConsumedCapacity: "INDEXES" }),
  });
  const { ConsumedCapacity, ...rest } = body as Record<string, unknown>;
  if (status !== 200) {
    return { error: nameOfClass(rest.__type), body: { Item: rest.Item }, units: undefined };
  }
  return {
    error: undefined,
    body: rest,
    units: ConsumedCapacity ? unitsIn(ConsumedCapacity) : undefined,
  };
}

interface Consumed {
  readonly CapacityUnits: number;
}

function unitsIn(consumed: unknown): Units {
  const { Table, GlobalSecondaryIndexes = {} } = consumed as {
    Table: Consumed;
    GlobalSecondaryIndexes?: Record<string, Consumed>;
  };
  return {
    table: Table.CapacityUnits,
    indexes: Object.fromEntries(
      Object.entries(GlobalSecondaryIndexes).map(([name, { CapacityUnits }]) => [
        name,
        CapacityUnits,
      ]),
    ),
  };
}

function askNull(tables: Tables, { name, input }: Operation): Answer {
  const table = tables.called(THINGS);
  table.resetUnits();
  try {
    const body = answerDynamoDb(tables, name, structuredClone(input), () => {});
    const { write, read, indexWrite } = table.units;
    return { error: undefined, body, units: { table: write + read, indexes: indexWrite } };
  } catch (error) {
    if (!(error instanceof AwsError)) throw error;
    return { error: error.code, body: { Item: error.members.Item }, units: undefined };
  }
}

/** Sets have no order, numbers many forms, and what an error says is nobody's business. */
function normal(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(normal);
  if (typeof value !== "object" || value === null) return value;
  if ("Error" in value && "TableName" in value) return normal({ Error: value.Error });
  const entries = Object.entries(value).filter(
    ([name, it]) => name !== "Message" && it !== undefined,
  );
  const [[type, content] = []] = entries;
  if (entries.length === 1 && (type === "SS" || type === "NS"))
    return { [type]: [...(content as string[])].sort() };
  if (entries.length === 1 && type === "N") return { N: Number(content) };
  return Object.fromEntries(entries.map(([name, it]) => [name, normal(it)]));
}

/** DynamoDB Local answers an update of a part of an attribute with all of it, ours with no more than was asked for. */
const isOfParts = ({ input }: Operation) =>
  String(input.ReturnValues).startsWith("UPDATED") && /[.[]/.test(String(input.UpdateExpression));

/** DynamoDB Local does not count a query that finds nothing. */
const isOfNothing = ({ name }: Operation, body: unknown) =>
  name === "Query" && (body as { Count: number }).Count === 0;

/**
 * DynamoDB Local counts writes to an index whose key has two parts, where an item has one of them,
 * and so is not in the index.
 */
function withoutHalfKeys(theirs: Units, ours: Units | undefined): Units {
  const { [HALF_KEYED]: _, ...indexes } = theirs.indexes;
  return ours?.indexes[HALF_KEYED] === undefined ? { ...theirs, indexes } : theirs;
}

const RUN_MS = 600_000;

test(
  "it answers as DynamoDB Local does, and counts the same units",
  async () => {
    let worlds = 0;
    await fc.assert(
      fc.asyncProperty(operations, async (draw) => {
        worlds += 1;
        const tables = new Tables();
        tables.create(THINGS, THINGS_DEFINITION);
        for (const operation of draw(`w${worlds}`)) {
          const theirs = await askLocal(operation);
          const ours = askNull(tables, operation);
          const shown = JSON.stringify(operation);
          expect(ours.error, shown).toEqual(theirs.error);
          if (!isOfParts(operation)) expect(normal(ours.body), shown).toEqual(normal(theirs.body));
          if (theirs.units && !isOfNothing(operation, ours.body)) {
            expect(ours.units, shown).toEqual(withoutHalfKeys(theirs.units, ours.units));
          }
        }
      }),
      { numRuns: RUNS },
    );
  },
  RUN_MS,
);
