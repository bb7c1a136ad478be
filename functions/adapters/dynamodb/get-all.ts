import { BatchGetCommand, type DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";

/** Rounds for the keys that DynamoDB had no time for. */
const MAX_ROUNDS = 5;

/**
 * Reads up to a hundred items by their keys, strongly consistent; those that there are, in any order.
 * @throws Error where DynamoDB leaves some of them out again and again
 */
export async function getAll(
  client: DynamoDBDocumentClient,
  tableName: string,
  wanted: readonly Record<string, unknown>[],
): Promise<Record<string, unknown>[]> {
  const items: Record<string, unknown>[] = [];
  let keys = [...wanted];
  for (let round = 0; keys.length > 0; round++) {
    if (round === MAX_ROUNDS) throw new Error("DynamoDB has no time for all the keys of a batch");
    const { Responses, UnprocessedKeys } = await client.send(
      new BatchGetCommand({ RequestItems: { [tableName]: { Keys: keys, ConsistentRead: true } } }),
    );
    items.push(...(Responses?.[tableName] ?? []));
    keys = UnprocessedKeys?.[tableName]?.Keys ?? [];
  }
  return items;
}
