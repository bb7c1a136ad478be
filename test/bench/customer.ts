import { SQSClient } from "@aws-sdk/client-sqs";
import type { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import { PROTOCOL_NAMES } from "../../functions/adapters/carriers/protocols.ts";
import { createCarrierAccounts } from "../../functions/adapters/dynamodb/carrier-accounts.ts";
import { createDocumentClient } from "../../functions/adapters/dynamodb/client.ts";
import { createDirectory } from "../../functions/adapters/dynamodb/directory.ts";
import { createMessageStore } from "../../functions/adapters/dynamodb/messages.ts";
import { createSubAccounts } from "../../functions/adapters/dynamodb/sub-accounts.ts";
import { createUsers } from "../../functions/adapters/dynamodb/users.ts";
import {
  type CarrierEventsQueue,
  createCarrierEventsQueue,
} from "../../functions/adapters/sqs/carrier-events-queue.ts";
import { createAccount } from "../../functions/core/accounts.ts";
import { addCarrierAccount } from "../../functions/core/carrier-account.ts";
import { addEndpoint } from "../../functions/core/endpoints.ts";
import type { MessageStore } from "../../functions/core/ports.ts";
import { createUser } from "../../functions/core/users.ts";
import {
  systemClock as clock,
  systemRandomness as randomness,
} from "../../functions/runtime/system.ts";
import type { NullAws } from "./null-aws-client.ts";
import { CARRIER, CARRIER_SECRET_ARN, type Stack, variableOf } from "./stack.ts";

/** The customer of all workloads. */
export const ACCOUNT = "acme";

/** Who sends, and is told; and who hands over for them. */
export interface Customer {
  /** What requests to the Mesago API are authenticated by. */
  readonly mesagoHeaders: Readonly<Record<string, string>>;
  /** What requests to the Wavy API are authenticated by. */
  readonly wavyHeaders: Readonly<Record<string, string>>;
  /** The path at which the carrier reports, with its secret. */
  readonly receiptPath: string;
  /** Reads the messages, as the functions do. */
  readonly messages: MessageStore;
  /** Where reports wait, for who puts them there without our ingress. */
  readonly reports: CarrierEventsQueue;
}

/** Creates an account, its endpoint and user, and the carrier's account, as the command line would. */
export async function createCustomer(nullAws: NullAws, stack: Stack): Promise<Customer> {
  const client = documentClient(nullAws);
  const directoryTable = { client, tableName: variableOf(stack, "DIRECTORY_TABLE") };
  const directory = createDirectory(directoryTable);
  const users = createUsers(directoryTable);
  const subAccounts = createSubAccounts(directoryTable);
  const carrierAccounts = createCarrierAccounts(directoryTable);
  const deps = { directory, users, subAccounts, carrierAccounts, clock, randomness };
  const { password } = await createAccount(deps, { account: ACCOUNT, country: "BR" });
  await addEndpoint(
    deps,
    { account: ACCOUNT, url: `${nullAws.url}/customer/status`, callbackOption: "FINAL" },
    { protocols: ["http"], allowLoopback: true },
  );
  const { user, token } = await createUser(deps, {
    account: ACCOUNT,
    username: "ana",
    role: "admin",
  });
  const { secret } = await addCarrierAccount(
    deps,
    { carrier: CARRIER, protocol: "kannel" },
    PROTOCOL_NAMES,
  );
  const receiptPath = `/carriers/${CARRIER}/dlr?secret=${secret}`;
  const carrierSecret = {
    username: "torpedo",
    password: "a-password",
    dlrUrl: `https://a1b2c3d4e5.execute-api.us-east-1.amazonaws.com${receiptPath}`,
  };
  await nullAws.control("secrets", {
    secrets: { [CARRIER_SECRET_ARN]: JSON.stringify(carrierSecret) },
  });
  const basic = Buffer.from(`${ACCOUNT}:${password}`).toString("base64");
  return {
    mesagoHeaders: { authorization: `Basic ${basic}` },
    wavyHeaders: { username: user.username, authenticationtoken: token },
    receiptPath,
    messages: createMessageStore({
      client,
      tableName: variableOf(stack, "MESSAGES_TABLE"),
      clock,
    }),
    reports: createCarrierEventsQueue({
      client: new SQSClient(connection(nullAws)),
      queueUrl: variableOf(stack, "CARRIER_EVENTS_QUEUE_URL"),
    }),
  };
}

const connection = ({ url }: NullAws) => ({
  endpoint: url,
  region: "us-east-1",
  credentials: { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "secret" },
});

const documentClient = (nullAws: NullAws): DynamoDBDocumentClient =>
  createDocumentClient(connection(nullAws));
