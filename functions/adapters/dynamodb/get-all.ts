import {
  BatchGetCommand,
  type BatchGetCommandOutput,
  type DynamoDBDocumentClient,
} from "@aws-sdk/lib-dynamodb";

/** Rounds for the keys that DynamoDB had no time for. */
const MAX_ROUNDS = 5;

type Item = Record<string, unknown>;

/** An item of a table, by its key. */
interface Wanted {
  readonly tableName: string;
  readonly key: Item;
}

/**
 * Reads up to a hundred items by their keys, strongly consistent; those that there are, in any order.
 * @throws Error where DynamoDB leaves some of them out again and again
 */
export async function getAll(
  client: DynamoDBDocumentClient,
  tableName: string,
  wanted: readonly Item[],
): Promise<Item[]> {
  const found = await getAllOf(
    client,
    wanted.map((key) => ({ tableName, key })),
  );
  return found.map(({ item }) => item);
}

/** The same for items of several tables. */
export async function getAllOf(
  client: DynamoDBDocumentClient,
  wanted: readonly Wanted[],
): Promise<{ tableName: string; item: Item }[]> {
  const found: { tableName: string; item: Item }[] = [];
  let left: readonly Wanted[] = wanted;
  for (let round = 0; left.length > 0; round++) {
    if (round === MAX_ROUNDS) throw new Error("DynamoDB has no time for all the keys of a batch");
    const { Responses = {}, UnprocessedKeys = {} }: BatchGetCommandOutput = await client.send(
      new BatchGetCommand({ RequestItems: requestOf(left) }),
    );
    for (const [tableName, items] of Object.entries(Responses)) {
      for (const item of items) found.push({ tableName, item });
    }
    left = Object.entries(UnprocessedKeys).flatMap(([tableName, { Keys = [] }]) =>
      Keys.map((key) => ({ tableName, key })),
    );
  }
  return found;
}

function requestOf(wanted: readonly Wanted[]) {
  const request: Record<string, { Keys: Item[]; ConsistentRead: true }> = {};
  for (const { tableName, key } of wanted) {
    const ofTable = request[tableName] ?? { Keys: [], ConsistentRead: true };
    request[tableName] = ofTable;
    ofTable.Keys.push(key);
  }
  return request;
}
