import { randomUUID } from "node:crypto";
import { DeleteCommand, type DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import type { EndpointHealths } from "../../core/callback-ports.ts";
import { type EndpointKey, endpointHealthSchema, goodHealth } from "../../core/endpoint-health.ts";
import { CALLBACK_SORT_KEY, endpointPartition } from "./callback-keys.ts";
import { IS_NEW, putIf } from "./directory-items.ts";
import { parseItem } from "./items.ts";
import { createReads, type ReadItem } from "./together.ts";

const IS_AS_READ = "revision = :read";

const keyOf = (endpoint: EndpointKey) => ({
  pk: endpointPartition(endpoint),
  sk: CALLBACK_SORT_KEY.health,
});

/** How endpoints fare, in DynamoDB. */
export function createEndpointHealths(deps: {
  readonly client: DynamoDBDocumentClient;
  readonly tableName: string;
  /** Shared with those who read other things at the same time, where there are such. */
  readonly read?: ReadItem;
}): EndpointHealths {
  const { client, tableName: TableName, read = createReads(client) } = deps;
  return {
    async find(endpoint) {
      const item = await read(TableName, keyOf(endpoint));
      return item
        ? parseItem(endpointHealthSchema, item, "endpoint's health")
        : goodHealth(endpoint);
    },

    update: (read, changed) =>
      putIf(
        deps,
        // Of two that change the same to the same, one must be refused.
        { ...keyOf(read), ...changed, changedBy: randomUUID() },
        read.revision === 0 ? `${IS_NEW} OR ${IS_AS_READ}` : IS_AS_READ,
        { ":read": read.revision },
      ),

    async remove(endpoint) {
      await client.send(new DeleteCommand({ TableName, Key: keyOf(endpoint) }));
    },
  };
}
