import { randomUUID } from "node:crypto";
import { DeleteCommand, type DynamoDBDocumentClient, GetCommand } from "@aws-sdk/lib-dynamodb";
import type { EndpointHealths } from "../../core/callback-ports.ts";
import { type EndpointKey, endpointHealthSchema, goodHealth } from "../../core/endpoint-health.ts";
import { CALLBACK_SORT_KEY, endpointPartition } from "./callback-keys.ts";
import { IS_NEW, putIf } from "./directory-items.ts";
import { parseItem } from "./items.ts";

const IS_AS_READ = "revision = :read";

const keyOf = (endpoint: EndpointKey) => ({
  pk: endpointPartition(endpoint),
  sk: CALLBACK_SORT_KEY.health,
});

/** How endpoints fare, in DynamoDB. */
export function createEndpointHealths(deps: {
  readonly client: DynamoDBDocumentClient;
  readonly tableName: string;
}): EndpointHealths {
  const { client, tableName: TableName } = deps;
  return {
    async find(endpoint) {
      const { Item } = await client.send(
        new GetCommand({ TableName, Key: keyOf(endpoint), ConsistentRead: true }),
      );
      return Item
        ? parseItem(endpointHealthSchema, Item, "endpoint's health")
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
