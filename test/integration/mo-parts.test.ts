import { createDocumentClient } from "../../functions/adapters/dynamodb/client.ts";
import { createMoParts } from "../../functions/adapters/dynamodb/mo-parts.ts";
import { describeMoParts } from "../support/mo-parts-contract.ts";
import { clientConfig, stack } from "./support/stack.ts";

const client = createDocumentClient(clientConfig);
const tableName = stack.outputs.MessagesTableName;

describeMoParts("MOs in parts in DynamoDB", (clock) => createMoParts({ client, tableName, clock }));
