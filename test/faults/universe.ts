import { createAwsClients } from "./aws.ts";
import { DynamoDb, TableStream } from "./dynamodb.ts";
import { startDynamoDbLocal } from "./dynamodb-local.ts";
import { Invocation } from "./simulation.ts";
import type { Topology } from "./topology.ts";
import type { Universe } from "./world.ts";

/** What the worlds of one test file have in common: a DynamoDB, and clients whose callers know their world. */
export async function createUniverse(
  topology: Topology,
): Promise<Universe & { close: () => Promise<void> }> {
  const local = await startDynamoDbLocal();
  const dynamoDb = new DynamoDb(local.port);
  const prefix = `t${process.pid}x${Date.now()}`;
  const tableNames = new Map(topology.tables.map(({ id }) => [id, `${prefix}-${id}`]));
  let stream: string | undefined;
  for (const table of topology.tables) {
    stream = (await dynamoDb.createTable(tableNames.get(table.id) as string, table)) ?? stream;
  }
  if (!stream) throw new Error("no table has a stream");
  // Some adapters take any of several by chance: that of their world.
  const random = Math.random;
  Math.random = () => Invocation.current()?.world.chance.fraction() ?? random();
  const clients = createAwsClients(async (request) => {
    const caller = Invocation.current();
    if (caller) return caller.world.serve(request, caller);
    // The test's own, to prepare a world.
    return dynamoDb.send(`DynamoDB_20120810.${request.operation}`, request.body);
  });
  return {
    topology,
    dynamoDb,
    messagesStream: new TableStream(dynamoDb, stream),
    clients,
    tableNames,
    async close() {
      Math.random = random;
      dynamoDb.close();
      await local.stop();
    },
  };
}
