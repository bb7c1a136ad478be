import { createDocumentClient } from "../../functions/adapters/dynamodb/client.ts";
import { createDeliveries } from "../../functions/adapters/dynamodb/deliveries.ts";
import { createEndpointHealths } from "../../functions/adapters/dynamodb/endpoint-healths.ts";
import { createEndpointSlots } from "../../functions/adapters/dynamodb/endpoint-slots.ts";
import {
  describeDeliveries,
  describeEndpointHealths,
  describeEndpointSlots,
} from "../support/callback-stores-contract.ts";
import { createForgetfulClient } from "../support/losing-answers.ts";
import { clientConfig, stack } from "./support/stack.ts";

const tableName = stack.outputs.CallbacksTableName;
const few = { propertyRuns: 10 };

for (const [where, client] of [
  ["in DynamoDB", createDocumentClient(clientConfig)],
  ["in DynamoDB that loses answers", createForgetfulClient(clientConfig)],
] as const) {
  describeDeliveries(
    `deliveries ${where}`,
    (clock) => createDeliveries({ client, tableName, clock }),
    few,
  );
  describeEndpointHealths(`endpoints' health ${where}`, () =>
    createEndpointHealths({ client, tableName }),
  );
  describeEndpointSlots(
    `endpoints' slots ${where}`,
    (clock, slots) => createEndpointSlots({ client, tableName, clock, slots }),
    few,
  );
}
