import type * as z from "zod";
import { createBatchStore } from "../../functions/adapters/dynamodb/batches.ts";
import { createBlockedNumbers } from "../../functions/adapters/dynamodb/blocked-numbers.ts";
import { createCarrierHealths } from "../../functions/adapters/dynamodb/carrier-healths.ts";
import { createDeliveries } from "../../functions/adapters/dynamodb/deliveries.ts";
import { createDirectory } from "../../functions/adapters/dynamodb/directory.ts";
import { createEndpointHealths } from "../../functions/adapters/dynamodb/endpoint-healths.ts";
import { createEndpointSlots } from "../../functions/adapters/dynamodb/endpoint-slots.ts";
import { changeOfRecord } from "../../functions/adapters/dynamodb/message-stream.ts";
import { createMessageStore } from "../../functions/adapters/dynamodb/messages.ts";
import { createMoParts } from "../../functions/adapters/dynamodb/mo-parts.ts";
import { createMoStore } from "../../functions/adapters/dynamodb/mos.ts";
import { createSubAccounts } from "../../functions/adapters/dynamodb/sub-accounts.ts";
import { createUsageCounters } from "../../functions/adapters/dynamodb/usage-counters.ts";
import { createEventBus } from "../../functions/adapters/eventbridge/event-bus.ts";
import { createSchedules } from "../../functions/adapters/scheduler/schedules.ts";
import { createBatchQueue } from "../../functions/adapters/sqs/batch-queue.ts";
import { createCallbackEvents } from "../../functions/adapters/sqs/callback-events.ts";
import { createCallbackQueue } from "../../functions/adapters/sqs/callback-queue.ts";
import { createCarrierEventsQueue } from "../../functions/adapters/sqs/carrier-events-queue.ts";
import { createDeadLetters, openPoison } from "../../functions/adapters/sqs/dead-letters.ts";
import { createDispatchQueue } from "../../functions/adapters/sqs/dispatch-queue.ts";
import type { dispatchQueueEnv } from "../../functions/adapters/sqs/env.ts";
import { env as bulkEnv } from "../../functions/bulk/env.ts";
import { createHandler as createBulk } from "../../functions/bulk/handler.ts";
import { env as callbackEnv } from "../../functions/callback/env.ts";
import { createHandler as createCallback } from "../../functions/callback/handler.ts";
import {
  callbackInputSchema,
  formatCallback,
  traceOf as traceOfCallback,
} from "../../functions/callback/schema.ts";
import { env as carrierEventsEnv } from "../../functions/carrier-events/env.ts";
import { createHandler as createCarrierEvents } from "../../functions/carrier-events/handler.ts";
import {
  carrierEventsInputSchema,
  traceOf as traceOfCarrierEvent,
} from "../../functions/carrier-events/schema.ts";
import { createAuthenticate } from "../../functions/core/authenticate.ts";
import { batchJobSchema } from "../../functions/core/batch.ts";
import type { Carrier } from "../../functions/core/carrier.ts";
import { createCarrierCounter } from "../../functions/core/carrier-counter.ts";
import { demotionPolicySchema } from "../../functions/core/carrier-health.ts";
import { createCarrierPool } from "../../functions/core/carrier-pool.ts";
import { UNLIMITED } from "../../functions/core/carrier-rate.ts";
import { createEndpointLanes } from "../../functions/core/endpoint-lanes.ts";
import { createCarrierListener } from "../../functions/core/hear-carriers.ts";
import type { Clock, Randomness, TimeLimit, WebhookClient } from "../../functions/core/ports.ts";
import { rememberDirectory } from "../../functions/core/remembered-directory.ts";
import { tellOfCarriers } from "../../functions/core/tell-of-carriers.ts";
import { env as dispatchEnv } from "../../functions/dispatch/env.ts";
import { createHandler as createDispatch } from "../../functions/dispatch/handler.ts";
import {
  dispatchInputSchema,
  traceOf as traceOfDispatch,
} from "../../functions/dispatch/schema.ts";
import { env as mesagoEnv } from "../../functions/mesago/env.ts";
import { createHandler as createMesago } from "../../functions/mesago/handler.ts";
import { createHttpFunction } from "../../functions/runtime/http.ts";
import { createQueueFunction } from "../../functions/runtime/queue.ts";
import { describeError, type Log, type Meter } from "../../functions/runtime/telemetry.ts";
import { env as statusEventsEnv } from "../../functions/status-events/env.ts";
import { createHandler as createStatusEvents } from "../../functions/status-events/handler.ts";
import type { AwsClients } from "./aws.ts";

/** What functions are wired with beside their environment. */
export interface Surroundings extends AwsClients {
  readonly clock: Clock;
  readonly randomness: Randomness;
  readonly timeLimit: TimeLimit;
  /** Each message may be handed to either; to the first, where both are well. */
  readonly carriers: readonly Carrier[];
  readonly webhook: WebhookClient;
  readonly log: Log;
  readonly meter: Meter;
  /** Hears that something was counted too much. */
  readonly onNotGivenBack: () => void;
}

type Environment = Readonly<Record<string, string>>;

/** What each capability's handler is made of; a broken variant changes some of it. */
const DEPENDENCIES = {
  mesago: (environment: Environment, around: Surroundings) => {
    const env = mesagoEnv.parse(environment);
    const { clock, randomness, dynamodb: client, sqs, scheduler } = around;
    const table = { client, tableName: env.MESSAGES_TABLE, clock };
    const directoryTable = { client, tableName: env.DIRECTORY_TABLE };
    return {
      authenticate: createAuthenticate({ directory: createDirectory(directoryTable), clock }),
      messages: createMessageStore(table),
      batches: createBatchStore(table),
      mos: createMoStore(table),
      blockedNumbers: createBlockedNumbers(directoryTable),
      usage: createUsageCounters(directoryTable),
      onNotGivenBack: around.onNotGivenBack,
      dispatchQueue: dispatchQueueOf(env, around),
      batchQueue: createBatchQueue({
        client: sqs,
        queueUrl: env.BATCH_QUEUE_URL,
        later: createSchedules({
          client: scheduler,
          groupName: env.SCHEDULE_GROUP,
          roleArn: env.SCHEDULE_ROLE_ARN,
          queueArn: env.BATCH_QUEUE_ARN,
          deadLetterQueueArn: env.BATCH_DEAD_LETTER_QUEUE_ARN,
        }),
      }),
      clock,
      randomness,
      retentionMs: env.STATUS_RETENTION_HOURS * 3_600_000,
    };
  },

  bulk: (environment: Environment, around: Surroundings) => {
    const env = bulkEnv.parse(environment);
    const { clock, dynamodb: client } = around;
    const table = { client, tableName: env.MESSAGES_TABLE, clock };
    return {
      messages: createMessageStore(table),
      batches: createBatchStore(table),
      dispatchQueue: dispatchQueueOf(env, around),
      clock,
    };
  },

  dispatch: (environment: Environment, around: Surroundings) => {
    const env = dispatchEnv.parse(environment);
    const { clock, randomness, timeLimit, dynamodb: client, log } = around;
    const bus = createEventBus({ client: around.eventbridge, busName: env.EVENT_BUS_NAME });
    return {
      messages: createMessageStore({ client, tableName: env.MESSAGES_TABLE, clock }),
      dispatchQueue: dispatchQueueOf(env, around),
      blockedNumbers: createBlockedNumbers({ client, tableName: env.DIRECTORY_TABLE }),
      carriers: createCarrierPool({
        carriers: around.carriers.map((carrier) => ({
          carrier,
          rate: UNLIMITED,
          demotion: demotionPolicySchema.parse({ minimum: 3 }),
        })),
        routes: around.carriers.map(({ name }) => ({ carrier: name })),
        lane: env.LANE,
        directory: rememberDirectory(
          createDirectory({ client, tableName: env.DIRECTORY_TABLE }),
          clock,
        ),
        operators: { find: async () => undefined },
        healths: createCarrierHealths({ client, tableName: env.CARRIERS_TABLE }),
        tell: tellOfCarriers({ bus, meter: around.meter }),
        clock,
        timeLimit,
        onFailure: (what, error) => log.error(what, describeError(error)),
      }),
      lane: env.LANE,
      timeLimit,
      claimTimeoutMs: env.CLAIM_TIMEOUT_SECONDS * 1_000,
      carrierTimeoutMs: env.CARRIER_TIMEOUT_SECONDS * 1_000,
      clock,
      randomness,
      backoff: {
        maxAttempts: env.MAX_ATTEMPTS,
        baseMs: env.BACKOFF_BASE_SECONDS * 1_000,
        capMs: env.BACKOFF_CAP_SECONDS * 1_000,
      },
      leaseMs: env.LEASE_SECONDS * 1_000,
      lastCallMs: env.LAST_CALL_SECONDS * 1_000,
      log,
    };
  },

  "carrier-events": (environment: Environment, around: Surroundings) => {
    const env = carrierEventsEnv.parse(environment);
    const { clock, randomness, dynamodb: client, sqs } = around;
    const table = { client, tableName: env.MESSAGES_TABLE, clock };
    const directoryTable = { client, tableName: env.DIRECTORY_TABLE };
    return {
      messages: createMessageStore(table),
      directory: createDirectory(directoryTable),
      subAccounts: createSubAccounts(directoryTable),
      blockedNumbers: createBlockedNumbers(directoryTable),
      dispatchQueue: dispatchQueueOf(env, around),
      mos: createMoStore(table),
      listener: createCarrierListener({
        counter: createCarrierCounter({
          healths: createCarrierHealths({ client, tableName: env.CARRIERS_TABLE }),
          clock,
          everyMs: 0,
          onFailure: () => {},
        }),
        receiptsAfterSeconds: env.RECEIPTS_AFTER_SECONDS,
        clock,
        timeLimit: around.timeLimit,
        onFailure: () => {},
      }),
      readSns: () => [],
      moParts: createMoParts(table),
      partsTimer: createCarrierEventsQueue({ client: sqs, queueUrl: env.MO_PARTS_QUEUE_URL }),
      deadLetters: createDeadLetters({ client: sqs, queueUrl: env.DEAD_LETTER_QUEUE_URL }),
      moRetentionMs: env.MO_RETENTION_HOURS * 3_600_000,
      statusRetentionMs: env.STATUS_RETENTION_HOURS * 3_600_000,
      clock,
      randomness,
    };
  },

  "status-events": (environment: Environment, around: Surroundings) => {
    const env = statusEventsEnv.parse(environment);
    return {
      changeOf: changeOfRecord,
      choice: env.EVENTS_ON_BUS,
      bus: createEventBus({ client: around.eventbridge, busName: env.EVENT_BUS_NAME }),
      callbacks: createCallbackEvents({
        client: around.sqs,
        queueUrl: env.CALLBACK_EVENTS_QUEUE_URL,
      }),
      deadLetters: createDeadLetters({ client: around.sqs, queueUrl: env.DEAD_LETTER_QUEUE_URL }),
      log: around.log,
      meter: around.meter,
    };
  },

  callback: (environment: Environment, around: Surroundings) => {
    const env = callbackEnv.parse(environment);
    const { clock, randomness, dynamodb: client, sqs, scheduler, eventbridge } = around;
    const table = { client, tableName: env.CALLBACKS_TABLE, clock };
    return {
      directory: createDirectory({ client, tableName: env.DIRECTORY_TABLE }),
      deliveries: createDeliveries(table),
      healths: createEndpointHealths(table),
      lanes: createEndpointLanes({
        slots: createEndpointSlots({ ...table, slots: env.CALLBACK_SLOTS }),
        clock,
      }),
      queue: createCallbackQueue({
        client: sqs,
        deliveriesQueueUrl: env.CALLBACK_DELIVERIES_QUEUE_URL,
        retryQueueUrl: env.CALLBACK_RETRY_QUEUE_URL,
        deadLetterQueueUrl: env.CALLBACK_DEAD_LETTER_QUEUE_URL,
        later: createSchedules({
          client: scheduler,
          groupName: env.SCHEDULE_GROUP,
          roleArn: env.SCHEDULE_ROLE_ARN,
          queueArn: env.CALLBACK_RETRY_QUEUE_ARN,
          deadLetterQueueArn: env.CALLBACK_DEAD_LETTER_QUEUE_ARN,
        }),
        clock,
      }),
      deadLetters: createDeadLetters({
        client: sqs,
        queueUrl: env.CALLBACK_DEAD_LETTER_QUEUE_URL,
      }),
      bus: createEventBus({ client: eventbridge, busName: env.EVENT_BUS_NAME }),
      webhook: around.webhook,
      format: formatCallback,
      retentionMs: env.CALLBACK_RETENTION_HOURS * 3_600_000,
      clock,
      randomness,
      meter: around.meter,
    };
  },
} as const;

function dispatchQueueOf(env: z.output<typeof dispatchQueueEnv>, around: Surroundings) {
  return createDispatchQueue({
    client: around.sqs,
    queueUrl: env.DISPATCH_QUEUE_URL,
    later: createSchedules({
      client: around.scheduler,
      groupName: env.SCHEDULE_GROUP,
      roleArn: env.SCHEDULE_ROLE_ARN,
      queueArn: env.DISPATCH_QUEUE_ARN,
      deadLetterQueueArn: env.DISPATCH_DEAD_LETTER_QUEUE_ARN,
    }),
    clock: around.clock,
  });
}

/** The capabilities that the fault tests run. */
export type Capability = keyof typeof DEPENDENCIES;
type DependenciesOf<C extends Capability> = ReturnType<(typeof DEPENDENCIES)[C]>;

/** A broken variant of the system: what it changes of some handlers' dependencies. */
export type Variant = {
  readonly [C in Capability]?: (deps: DependenciesOf<C>) => DependenciesOf<C>;
};

/** The code of one function as its `index.ts` wires it, in a process of its own. */
export function createFunction(
  capability: string,
  environment: Environment,
  around: Surroundings,
  variant: Variant,
): (event: never) => Promise<unknown> {
  const { log } = around;
  const depsOf = <C extends Capability>(name: C): DependenciesOf<C> => {
    const create = DEPENDENCIES[name] as (
      environment: Environment,
      around: Surroundings,
    ) => DependenciesOf<C>;
    const deps = create(environment, around);
    return variant[name]?.(deps) ?? deps;
  };
  const poisonOf = (env: Parameters<typeof openPoison>[0]) =>
    openPoison(env, { client: around.sqs });
  switch (capability) {
    case "mesago":
      return createHttpFunction(createMesago(depsOf("mesago")), log);
    case "bulk":
      return onQueue({
        schema: batchJobSchema,
        traceOf: ({ batchId }) => batchId,
        process: createBulk(depsOf("bulk")),
        poison: poisonOf(bulkEnv.parse(environment)),
        log,
      });
    case "dispatch": {
      const deps = depsOf("dispatch");
      return onQueue({
        schema: dispatchInputSchema,
        traceOf: traceOfDispatch,
        process: createDispatch(deps),
        poison: poisonOf(dispatchEnv.parse(environment)),
        log,
        afterBatch: () => deps.carriers.flush(),
      });
    }
    case "carrier-events":
      return onQueue({
        schema: carrierEventsInputSchema,
        traceOf: traceOfCarrierEvent,
        process: createCarrierEvents(depsOf("carrier-events")),
        poison: poisonOf(carrierEventsEnv.parse(environment)),
        log,
      });
    case "status-events":
      return createStatusEvents(depsOf("status-events"));
    case "callback":
      return onQueue({
        schema: callbackInputSchema,
        traceOf: traceOfCallback,
        process: createCallback(depsOf("callback")),
        poison: poisonOf(callbackEnv.parse(environment)),
        log,
      });
    default:
      throw new Error(`the fault tests do not run ${capability}`);
  }
}

function onQueue<T>(
  options: Parameters<typeof createQueueFunction<T>>[0],
): (event: never) => Promise<unknown> {
  const run = createQueueFunction(options);
  return (event) => run(event, {} as never);
}
