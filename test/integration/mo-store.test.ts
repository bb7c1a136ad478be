import { createDocumentClient } from "../../functions/adapters/dynamodb/client.ts";
import { createMoStore } from "../../functions/adapters/dynamodb/mos.ts";
import { describeMoStore } from "../support/mo-store-contract.ts";
import { clientConfig, stack } from "./support/stack.ts";

const client = createDocumentClient(clientConfig);
const tableName = stack.outputs.MessagesTableName;

describeMoStore("MOs in DynamoDB", (clock) => createMoStore({ client, tableName, clock }));
