import { createCarrierHealths } from "../../functions/adapters/dynamodb/carrier-healths.ts";
import { createDocumentClient } from "../../functions/adapters/dynamodb/client.ts";
import { describeCarrierHealths } from "../support/carrier-healths-contract.ts";
import { clientConfig, stack } from "./support/stack.ts";

const client = createDocumentClient(clientConfig);

describeCarrierHealths("carriers' health in DynamoDB", () =>
  createCarrierHealths({ client, tableName: stack.outputs.CarriersTableName ?? "" }),
);
