import { SQSClient } from "@aws-sdk/client-sqs";
import { awsClientConfig } from "../functions/adapters/aws-client.ts";
import { createBlockedNumbers } from "../functions/adapters/dynamodb/blocked-numbers.ts";
import { createCarrierAccounts } from "../functions/adapters/dynamodb/carrier-accounts.ts";
import { createDocumentClient } from "../functions/adapters/dynamodb/client.ts";
import { createContents } from "../functions/adapters/dynamodb/contents.ts";
import { createDeliveries } from "../functions/adapters/dynamodb/deliveries.ts";
import { createDirectory } from "../functions/adapters/dynamodb/directory.ts";
import { createEndpointHealths } from "../functions/adapters/dynamodb/endpoint-healths.ts";
import { createSubAccounts } from "../functions/adapters/dynamodb/sub-accounts.ts";
import { createUsageCounters } from "../functions/adapters/dynamodb/usage-counters.ts";
import { createUsers } from "../functions/adapters/dynamodb/users.ts";
import { createCallbackDeadLetters } from "../functions/adapters/sqs/callback-dead-letters.ts";
import { openReplayQueue } from "../functions/adapters/sqs/callback-queue.ts";
import type { BlockedNumbers } from "../functions/core/blocked-number.ts";
import type {
  CallbackDeadLetters,
  CallbackQueue,
  Deliveries,
  EndpointHealths,
} from "../functions/core/callback-ports.ts";
import type { CarrierAccounts } from "../functions/core/carrier-account.ts";
import type { Contents, SubAccounts, Users } from "../functions/core/customer-ports.ts";
import type { EndpointPolicy } from "../functions/core/endpoints.ts";
import type { UsageCounters } from "../functions/core/limits.ts";
import type { Clock, Directory, Randomness } from "../functions/core/ports.ts";
import { systemClock, systemRandomness } from "../functions/runtime/system.ts";
import type { AwsTarget, StackOutputs } from "./aws-target.ts";

/** The directory of a deployed stack, with what its use cases take besides. */
export interface DirectoryAccess {
  readonly directory: Directory;
  readonly users: Users;
  readonly subAccounts: SubAccounts;
  readonly contents: Contents;
  readonly blockedNumbers: BlockedNumbers;
  readonly usage: UsageCounters;
  readonly carrierAccounts: CarrierAccounts;
  readonly clock: Clock;
  readonly randomness: Randomness;
}

/** Opens the directory of a deployed stack. */
export function openDirectory(
  { DirectoryTableName }: { readonly DirectoryTableName: string },
  clientConfig: AwsTarget["clientConfig"],
): DirectoryAccess {
  const table = { client: createDocumentClient(clientConfig), tableName: DirectoryTableName };
  return {
    directory: createDirectory(table),
    users: createUsers(table),
    subAccounts: createSubAccounts(table),
    contents: createContents(table),
    blockedNumbers: createBlockedNumbers(table),
    usage: createUsageCounters(table),
    carrierAccounts: createCarrierAccounts(table),
    clock: systemClock,
    randomness: systemRandomness,
  };
}

/** The callbacks of a deployed stack, and what endpoints may be in it. */
export interface CallbackAccess {
  readonly endpointHealths: EndpointHealths;
  readonly deliveries: Deliveries;
  readonly callbackQueue: Omit<CallbackQueue, "giveUp">;
  readonly callbackDeadLetters: CallbackDeadLetters;
  readonly callbackRetentionMs: number;
  readonly endpointPolicy: EndpointPolicy;
}

/** Opens the callbacks of a deployed stack. */
export function openCallbacks(
  outputs: StackOutputs,
  clientConfig: AwsTarget["clientConfig"],
): CallbackAccess {
  const clock = systemClock;
  const sqs = new SQSClient({ ...awsClientConfig, ...clientConfig });
  const table = {
    client: createDocumentClient(clientConfig),
    tableName: outputs.CallbacksTableName,
  };
  const queues = {
    CALLBACK_DELIVERIES_QUEUE_URL: outputs.CallbackDeliveriesQueueUrl,
    CALLBACK_RETRY_QUEUE_URL: outputs.CallbackRetryQueueUrl,
  };
  return {
    endpointHealths: createEndpointHealths(table),
    deliveries: createDeliveries({ ...table, clock }),
    callbackQueue: openReplayQueue(queues, { client: sqs, clock }),
    callbackDeadLetters: createCallbackDeadLetters({
      client: sqs,
      deadLetterQueueUrl: outputs.CallbackDeadLetterQueueUrl,
      eventsQueueUrl: outputs.CallbackQueueUrl,
    }),
    callbackRetentionMs: outputs.CallbackRetentionHours * 3_600_000,
    endpointPolicy: {
      protocols: outputs.EndpointProtocols,
      allowLoopback: outputs.EndpointLoopback,
    },
  };
}
