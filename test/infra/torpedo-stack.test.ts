import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { marshall } from "@aws-sdk/util-dynamodb";
import { describe, expect, test } from "vitest";
import { CREATED_INDEX, PARKED_INDEX } from "../../functions/adapters/dynamodb/callback-keys.ts";
import {
  CHANGES_INDEX,
  CORRELATION_INDEX,
  SENT_TO_INDEX,
  SORT_KEY,
} from "../../functions/adapters/dynamodb/message-keys.ts";
import { PARTS_WAIT_MS } from "../../functions/core/assemble-mo.ts";
import { STATES } from "../../functions/core/lifecycle.ts";
import { type Message, messageSchema } from "../../functions/core/message.ts";
import { moSchema } from "../../functions/core/mo.ts";
import {
  type EventChoice,
  eventOf,
  isForBus,
  isForCallbacks,
  isNewMessage,
} from "../../functions/core/publish-changes.ts";
import { STAGES } from "../../lib/stage.ts";
import { sampleMessage } from "../support/samples.ts";
import { matchesPattern } from "./event-pattern.ts";
import {
  at,
  capabilityOf,
  listAt,
  onlyResource,
  type Resource,
  referenceOf,
  resourcesOf,
  synthesise,
  type Template,
  textOf,
  valuesIn,
  withoutHash,
} from "./synth.ts";

const TABLE = "AWS::DynamoDB::Table";
const QUEUE = "AWS::SQS::Queue";
const FUNCTION = "AWS::Lambda::Function";
const MAPPING = "AWS::Lambda::EventSourceMapping";
const ALARM = "AWS::CloudWatch::Alarm";
const LOG_GROUP = "AWS::Logs::LogGroup";
const RULE = "AWS::Events::Rule";

const BUILT_IN = Object.keys(STAGES);
const EVENT_CHOICES: readonly EventChoice[] = ["told", "final", "every"];
const FOURTEEN_DAYS_IN_SECONDS = 14 * 24 * 60 * 60;
const TOPIC = "arn:aws:sns:sa-east-1:111122223333:on-call";

const prod = synthesise("prod").torpedo;

/** A stage in which every setting has a value that no other has. */
const PECULIAR = {
  removalPolicy: "destroy",
  logRetentionDays: 545,
  alarms: { enabled: true, topicArn: TOPIC },
  observability: true,
  statusRetentionHours: 37,
  moRetentionHours: 73,
  concurrency: { dispatch: 11, bulkDispatch: 19, bulk: 20, carrierEvents: 12, callback: 13 },
  dispatch: { maxAttempts: 14, backoffBaseSeconds: 15, backoffCapSeconds: 160 },
  callbacks: {
    allowHttp: true,
    allowLoopback: false,
    concurrencyPerEndpoint: 22,
    retentionHours: 230,
  },
  events: "final",
  throttle: { rateLimit: 17, burstLimit: 18 },
  rateLimits: { requestsPerSecond: 701, statusQueriesPerSecond: 21 },
  carriers: {
    sandbox: {
      kind: "sandbox",
      maxPerSecond: 301,
      demotion: {
        failuresPercent: 51,
        receiptsAfterSeconds: 121,
        slowReceiptsPercent: 81,
        minimum: 24,
      },
    },
  },
  routes: [{ country: "BR", share: 35, carrier: "sandbox" }],
  operatorMemoryDays: 29,
};
const peculiar = synthesise("peculiar", { peculiar: PECULIAR });

test("no number of the peculiar stage is twice in it", () => {
  const numbers = [...valuesIn(PECULIAR)].filter((value) => typeof value === "number");
  expect(new Set(numbers).size).toBe(numbers.length);
});

const named = (template: Template, type: string) =>
  Object.fromEntries(resourcesOf(template, type).map(([id, it]) => [withoutHash(id), it]));

function resourceNamed(template: Template, type: string, name: string): Resource {
  const resource = named(template, type)[name];
  if (!resource) throw new Error(`there is no ${type} ${name}`);
  return resource;
}

const variablesOf = ({ Properties }: Resource) =>
  at(Properties, "Environment", "Variables") as Readonly<Record<string, unknown>>;

const environmentOf = (template: Template, name: string) =>
  variablesOf(resourceNamed(template, FUNCTION, name));

/** The name of the resource that a value refers to. */
const nameIn = (value: unknown) => withoutHash(referenceOf(value) ?? "nothing");

/** The queues that others set messages aside in. */
function deadLetterQueuesOf(template: Template): Set<string> {
  const ids = new Set<string>();
  for (const resource of Object.values(template.Resources)) {
    for (const value of valuesIn(resource.Properties)) {
      for (const target of [
        at(value, "deadLetterTargetArn"),
        at(value, "DeadLetterConfig", "Arn"),
        at(value, "OnFailure", "Destination"),
      ]) {
        const id = referenceOf(target);
        if (id) ids.add(id);
      }
    }
  }
  return ids;
}

const timeoutOf = (template: Template, functionId: string | undefined) =>
  Number(at(template.Resources[functionId ?? ""], "Properties", "Timeout"));

/** What no deployment decides: the hashes of the bundles, and what CDK adds for itself. */
function normalised(template: Template) {
  const withoutAssets = JSON.stringify(template.Resources).replace(
    /"S3Key":"[0-9a-f]{64}\.zip"/g,
    '"S3Key":"<bundle>.zip"',
  );
  const resources: Record<string, Record<string, unknown>> = JSON.parse(withoutAssets);
  for (const resource of Object.values(resources)) delete resource.Metadata;
  return { Resources: resources, Outputs: template.Outputs };
}

test("the production stage as a whole", () => {
  expect(normalised(prod)).toMatchSnapshot();
});

describe("tables and queues stay the ones they are", () => {
  // A logical id, a name or a key that changes makes CloudFormation replace the resource, and what
  // is in it is gone: change these lists only with a plan for what is in them.
  const KEYS = ["pk S HASH", "sk S RANGE"];

  function keysOf({ Properties }: Resource): string[] {
    const types = Object.fromEntries(
      listAt(Properties, "AttributeDefinitions").map((attribute) => [
        at(attribute, "AttributeName"),
        at(attribute, "AttributeType"),
      ]),
    );
    return listAt(Properties, "KeySchema").map((key) => {
      const name = String(at(key, "AttributeName"));
      return `${name} ${types[name]} ${at(key, "KeyType")}`;
    });
  }

  test.each(BUILT_IN)("tables of %s", (stage) => {
    const tables = resourcesOf(synthesise(stage).torpedo, TABLE);
    expect(tables.map(([id, table]) => [id, table.Properties.TableName, keysOf(table)])).toEqual([
      ["MessagesTable9E4E97A0", undefined, KEYS],
      ["DirectoryTableD64E6930", undefined, KEYS],
      ["RateLimitsCounts4E3390A6", undefined, KEYS],
      ["CarriersTable39BEB726", undefined, KEYS],
      ["CarriersSandboxOutbox5676C0CC", undefined, KEYS],
      ["CallbacksTable338901A9", undefined, KEYS],
    ]);
  });

  test.each(BUILT_IN)("queues of %s", (stage) => {
    const identities = resourcesOf(synthesise(stage).torpedo, QUEUE).map(([id, { Properties }]) => [
      id,
      Properties.QueueName,
      Properties.FifoQueue,
    ]);
    expect(identities.sort()).toEqual([
      ["BulkBatchesDeadLetters3E04462B", undefined, undefined],
      ["BulkBatchesQueueF36490F3", undefined, undefined],
      ["CallbackDeliveriesQueue3B851BBA", undefined, undefined],
      ["CallbackEventsDeadLetters5A3D513F", undefined, undefined],
      ["CallbackEventsQueueA0DAF309", undefined, undefined],
      ["CallbackRetriesQueueEECF676F", undefined, undefined],
      ["CarrierEventsMoPartsQueueCF4DAC12", undefined, undefined],
      ["CarrierEventsReportsDeadLettersF2381B69", undefined, undefined],
      ["CarrierEventsReportsQueueC02891A9", undefined, undefined],
      ["DispatchBulkDeadLetters3AD04C81", undefined, undefined],
      ["DispatchBulkQueue1EE04257", undefined, undefined],
      ["DispatchSinglesDeadLettersF2026F10", undefined, undefined],
      ["DispatchSinglesQueue3BE412FC", undefined, undefined],
      ["StatusEventsDeadLetters1EFF1BB6", undefined, undefined],
    ]);
  });
});

describe("tables", () => {
  test("a lasting stage keeps messages, deliveries and directory; what is soon of no worth goes with the stack", () => {
    const kept = { DeletionPolicy: "Retain", UpdateReplacePolicy: "Retain" };
    expect(named(prod, TABLE)).toMatchObject({
      MessagesTable: { ...kept, Properties: { DeletionProtectionEnabled: true } },
      CallbacksTable: { ...kept, Properties: { DeletionProtectionEnabled: true } },
      DirectoryTable: { ...kept, Properties: { DeletionProtectionEnabled: true } },
      CarriersTable: { DeletionPolicy: "Delete" },
      CarriersSandboxOutbox: { DeletionPolicy: "Delete" },
      RateLimitsCounts: { DeletionPolicy: "Delete" },
    });
  });

  test.each(["dev", "local"])("%s leaves nothing behind", (stage) => {
    for (const [, table] of resourcesOf(synthesise(stage).torpedo, TABLE)) {
      expect(table.DeletionPolicy).toBe("Delete");
      expect(table.Properties.DeletionProtectionEnabled ?? false).toBe(false);
    }
  });

  test("all forget but the directory", () => {
    const forgets = { AttributeName: "removeAt", Enabled: true };
    expect(
      resourcesOf(prod, TABLE).map(([id, { Properties }]) => [
        withoutHash(id),
        Properties.TimeToLiveSpecification,
      ]),
    ).toEqual([
      ["MessagesTable", forgets],
      ["DirectoryTable", undefined],
      ["RateLimitsCounts", forgets],
      ["CarriersTable", forgets],
      ["CarriersSandboxOutbox", forgets],
      ["CallbacksTable", forgets],
    ]);
  });

  test("only messages stream, with both images", () => {
    expect(
      resourcesOf(prod, TABLE).flatMap(([id, { Properties }]) =>
        Properties.StreamSpecification ? [[withoutHash(id), Properties.StreamSpecification]] : [],
      ),
    ).toEqual([["MessagesTable", { StreamViewType: "NEW_AND_OLD_IMAGES" }]]);
  });

  test("only the directory can be restored to an earlier time", () => {
    const restorable = resourcesOf(prod, TABLE).filter(
      ([, { Properties }]) =>
        at(Properties.PointInTimeRecoverySpecification, "PointInTimeRecoveryEnabled") === true,
    );
    expect(restorable.map(([id]) => withoutHash(id))).toEqual(["DirectoryTable"]);
  });

  test("can be looked into by these indexes, each of which holds what is asked of it", () => {
    const indexes = resourcesOf(prod, TABLE).flatMap(([id, { Properties }]) =>
      (Properties.GlobalSecondaryIndexes ? listAt(Properties, "GlobalSecondaryIndexes") : []).map(
        (index) => ({
          table: withoutHash(id),
          name: at(index, "IndexName"),
          key: listAt(index, "KeySchema").map((key) => at(key, "AttributeName")),
          holds:
            at(index, "Projection", "NonKeyAttributes") ??
            at(index, "Projection", "ProjectionType"),
        }),
      ),
    );
    expect(indexes).toEqual([
      {
        table: "MessagesTable",
        name: SENT_TO_INDEX,
        key: ["destination", "sentAt"],
        holds: ["account", "id", "traceId", "dialect", "shortCode", "removeAt"],
      },
      {
        table: "MessagesTable",
        name: CORRELATION_INDEX,
        key: ["correlation", "acceptedAt"],
        holds: "KEYS_ONLY",
      },
      {
        table: "MessagesTable",
        name: CHANGES_INDEX,
        key: ["changes", "changed"],
        holds: "KEYS_ONLY",
      },
      { table: "DirectoryTable", name: "kind", key: ["kind", "pk"], holds: "ALL" },
      {
        table: "CallbacksTable",
        name: CREATED_INDEX,
        key: ["createdIn", "createdAt"],
        holds: "KEYS_ONLY",
      },
      {
        table: "CallbacksTable",
        name: PARKED_INDEX,
        key: ["parkedIn", "settledAt"],
        holds: "KEYS_ONLY",
      },
    ]);
  });

  test("only messages, of all that lies in their table, are in the index by phone", () => {
    expect(Object.keys(messageSchema.shape)).toEqual(
      expect.arrayContaining(["destination", "sentAt"]),
    );
    expect(messageSchema.shape.sentAt.safeParse(undefined).success).toBe(true);
    expect(Object.keys(moSchema.shape)).not.toContain("destination");
  });

  test("are paid for by the request", () => {
    for (const [, { Properties }] of resourcesOf(prod, TABLE)) {
      expect(Properties.BillingMode).toBe("PAY_PER_REQUEST");
    }
  });
});

const queues = resourcesOf(prod, QUEUE).map(([id, { Properties, DeletionPolicy }]) => ({
  id,
  Properties,
  DeletionPolicy,
  isDeadLetterQueue: deadLetterQueuesOf(prod).has(id),
  mappings: resourcesOf(prod, MAPPING).filter(
    ([, mapping]) => referenceOf(mapping.Properties.EventSourceArn) === id,
  ),
}));

const alarmsOn = (queueId: string, metricName: string) =>
  resourcesOf(prod, ALARM)
    .map(([, { Properties }]) => Properties)
    .filter(
      (alarm) =>
        alarm.Namespace === "AWS/SQS" &&
        alarm.MetricName === metricName &&
        referenceOf(at(alarm.Dimensions, 0, "Value")) === queueId,
    );

describe.each(queues)("queue $id", ({ id, Properties, DeletionPolicy }) => {
  test("keeps messages for as long as SQS can", () => {
    expect(Properties.MessageRetentionPeriod).toBe(FOURTEEN_DAYS_IN_SECONDS);
  });

  test("goes with the stack", () => {
    expect(DeletionPolicy).toBe("Delete");
  });

  test("refuses what is not encrypted on its way", () => {
    const statements = resourcesOf(prod, "AWS::SQS::QueuePolicy")
      .filter(([, policy]) =>
        listAt(policy.Properties, "Queues").some((queue) => referenceOf(queue) === id),
      )
      .flatMap(([, policy]) => listAt(policy.Properties, "PolicyDocument", "Statement"));
    expect(statements).toContainEqual({
      Action: "sqs:*",
      Condition: { Bool: { "aws:SecureTransport": "false" } },
      Effect: "Deny",
      Principal: { AWS: "*" },
      Resource: { "Fn::GetAtt": [id, "Arn"] },
    });
  });
});

describe.each(queues.filter(({ isDeadLetterQueue }) => !isDeadLetterQueue))(
  "queue $id",
  ({ id, Properties, mappings }) => {
    test("sets aside what fails again and again", () => {
      const target = referenceOf(at(Properties, "RedrivePolicy", "deadLetterTargetArn")) ?? "";
      expect(prod.Resources[target]?.Type).toBe(QUEUE);
      expect(at(Properties, "RedrivePolicy", "maxReceiveCount")).toBe(10);
    });

    test("is worked on by one function, for which it hides messages longer than that can live", () => {
      const timeouts = mappings.map(([, mapping]) =>
        timeoutOf(prod, referenceOf(mapping.Properties.FunctionName)),
      );
      expect(timeouts).toEqual([expect.any(Number)]);
      expect(Properties.VisibilityTimeout).toBeGreaterThan(Math.max(...timeouts));
    });

    test("is rid of what its function fails at, with the reason, before SQS would set it aside", () => {
      const policy = at(Properties, "RedrivePolicy");
      for (const [, mapping] of mappings) {
        const fn = prod.Resources[referenceOf(mapping.Properties.FunctionName) ?? ""];
        expect(fn && variablesOf(fn)).toMatchObject({
          MAX_RECEIVES: String(at(policy, "maxReceiveCount")),
          DEAD_LETTER_QUEUE_URL: {
            Ref: referenceOf(at(policy, "deadLetterTargetArn")),
          },
        });
      }
    });

    test("raises an alarm when its messages grow old", () => {
      const alarms = alarmsOn(id, "ApproximateAgeOfOldestMessage");
      expect(alarms).toMatchObject([
        {
          Statistic: "Maximum",
          EvaluationPeriods: 3,
          ComparisonOperator: "GreaterThanOrEqualToThreshold",
          TreatMissingData: "notBreaching",
        },
      ]);
      // In the queue of MOs that wait for their parts, they grow older by design.
      const waits = withoutHash(id) === "CarrierEventsMoPartsQueue" ? PARTS_WAIT_MS / 1_000 : 0;
      expect(alarms[0]?.Threshold).toBeGreaterThan(waits);
      expect(alarms[0]?.Threshold).toBeLessThanOrEqual(waits + 15 * 60);
    });
  },
);

describe.each(queues.filter(({ isDeadLetterQueue }) => isDeadLetterQueue))(
  "dead-letter queue $id",
  ({ id, Properties, mappings }) => {
    test("is where messages wait for somebody to look", () => {
      expect(Properties).not.toHaveProperty("RedrivePolicy");
      expect(mappings).toEqual([]);
    });

    test("raises an alarm at its first message", () => {
      expect(alarmsOn(id, "ApproximateNumberOfMessagesVisible")).toMatchObject([
        {
          Statistic: "Maximum",
          Threshold: 1,
          EvaluationPeriods: 1,
          ComparisonOperator: "GreaterThanOrEqualToThreshold",
          TreatMissingData: "notBreaching",
        },
      ]);
    });
  },
);

test("there are queues of both kinds", () => {
  expect(new Set(queues.map(({ isDeadLetterQueue }) => isDeadLetterQueue)).size).toBe(2);
});

describe.each(resourcesOf(prod, FUNCTION))("function %s", (_id, { Properties }) => {
  test("runs the bundle on Node 24 and ARM", () => {
    expect(Properties).toMatchObject({
      Runtime: "nodejs24.x",
      Architectures: ["arm64"],
      Handler: "index.handler",
    });
  });

  test("logs JSON into a group of its own", () => {
    expect(Properties.LoggingConfig).toMatchObject({ LogFormat: "JSON" });
    const group = referenceOf(at(Properties, "LoggingConfig", "LogGroup")) ?? "";
    expect(prod.Resources[group]?.Type).toBe(LOG_GROUP);
    const sharing = resourcesOf(prod, FUNCTION).filter(
      ([, other]) => referenceOf(at(other.Properties, "LoggingConfig", "LogGroup")) === group,
    );
    expect(sharing).toHaveLength(1);
  });

  test("reserves no concurrency: a fresh AWS account has 10 in all, and none of it to reserve", () => {
    expect(Properties).not.toHaveProperty("ReservedConcurrentExecutions");
  });
});

test("functions are deployed without their source maps, and both lanes from one bundle", () => {
  const { packages } = synthesise("prod");
  const capabilities = new Set(resourcesOf(prod, FUNCTION).map(([id]) => capabilityOf(id)));
  const built = [...capabilities].map((name) =>
    readdirSync(join("dist", name)).filter((file) => !file.endsWith(".map")),
  );
  const sorted = (lists: readonly (readonly string[])[]) =>
    lists.map((files) => [...files].sort()).sort();
  expect(sorted(packages)).toEqual(sorted(built));
  for (const files of packages) expect(files).toContain("index.mjs");
  expect(sorted(packages).flatMap((files) => files.filter((it) => !it.endsWith(".mjs")))).toEqual(
    expect.toSatisfy((it: string[]) => it.sort().join() === "openapi.json,operators.json"),
  );
});

test("functions that feed their own queue are not taken for a loop, and no others are exempt", () => {
  const exempt = resourcesOf(prod, FUNCTION).filter(
    ([, { Properties }]) => Properties.RecursiveLoop === "Allow",
  );
  expect(exempt.map(([id]) => withoutHash(id)).sort()).toEqual([
    "CallbackFunction",
    "CarrierEventsFunction",
    "DispatchBulkFunction",
    "DispatchFunction",
  ]);
});

const LANES = ["DispatchFunction", "DispatchBulkFunction"] as const;
const queueOf = {
  DispatchFunction: "DispatchSinglesQueue",
  DispatchBulkFunction: "DispatchBulkQueue",
};

describe.each(LANES)("%s", (name) => {
  test("gives up on the carrier before its time is over, and holds its claim until after it", () => {
    const fn = resourceNamed(prod, FUNCTION, name);
    const seconds = (name: string) => Number(at(fn.Properties, "Environment", "Variables", name));
    const timeout = Number(fn.Properties.Timeout);
    expect(seconds("CARRIER_TIMEOUT_SECONDS")).toBeLessThanOrEqual(timeout / 2);
    expect(seconds("LEASE_SECONDS")).toBeGreaterThan(timeout);
    const queue = resourceNamed(prod, QUEUE, queueOf[name]);
    expect(seconds("LAST_CALL_SECONDS")).toBeGreaterThan(
      2 * Number(queue.Properties.VisibilityTimeout),
    );
  });

  test("tries again as the stage says", () => {
    expect(environmentOf(peculiar.torpedo, name)).toMatchObject({
      MAX_ATTEMPTS: "14",
      BACKOFF_BASE_SECONDS: "15",
      BACKOFF_CAP_SECONDS: "160",
    });
  });

  test("knows the carriers, where messages go, and how many hand over with it, as the stage says", () => {
    const told = environmentOf(peculiar.torpedo, name);
    expect(JSON.parse(textOf(told.CARRIERS, withoutHash))).toEqual({
      sandbox: {
        ...PECULIAR.carriers.sandbox,
        outboxTable: "CarriersSandboxOutbox",
        carrierEventsQueueUrl: "CarrierEventsReportsQueue",
      },
    });
    expect(JSON.parse(String(told.ROUTES))).toEqual([
      { country: ["BR"], share: 35, carrier: "sandbox" },
    ]);
    expect(told).toMatchObject({ OPERATOR_MEMORY_DAYS: "29", CONCURRENCY: String(11 + 19) });
  });
});

describe("the two lanes to the carrier", () => {
  const environments = LANES.map((name) => environmentOf(prod, name));

  test("differ in nothing but their queues, and know which they are", () => {
    const [singles = {}, bulk = {}] = environments;
    const ofQueues = {
      DISPATCH_QUEUE_URL: expect.anything(),
      DISPATCH_QUEUE_ARN: expect.anything(),
      DISPATCH_DEAD_LETTER_QUEUE_ARN: expect.anything(),
      DEAD_LETTER_QUEUE_URL: expect.anything(),
      LANE: "bulk",
    };
    expect(singles.LANE).toBe("singles");
    expect(bulk).toEqual({ ...singles, ...ofQueues });
    const [fnOfSingles, fnOfBulk] = LANES.map((name) => resourceNamed(prod, FUNCTION, name));
    for (const property of ["Code", "Handler", "MemorySize", "Timeout"]) {
      expect(fnOfBulk?.Properties[property]).toEqual(fnOfSingles?.Properties[property]);
    }
  });

  test("share no queue but that of what the carrier reports", () => {
    const queuesOfLanes = LANES.map((name) => {
      const worksOn = resourcesOf(prod, MAPPING).flatMap(([, { Properties }]) =>
        nameIn(Properties.FunctionName) === name ? [nameIn(Properties.EventSourceArn)] : [],
      );
      const isToldOf = [...valuesIn(environmentOf(prod, name))].flatMap((value) =>
        prod.Resources[referenceOf(value) ?? ""]?.Type === QUEUE ? [nameIn(value)] : [],
      );
      return [...new Set([...worksOn, ...isToldOf])].sort();
    });
    expect(queuesOfLanes).toEqual([
      ["CarrierEventsReportsQueue", "DispatchSinglesDeadLetters", "DispatchSinglesQueue"],
      ["CarrierEventsReportsQueue", "DispatchBulkDeadLetters", "DispatchBulkQueue"],
    ]);
  });

  test("are entered by single messages and by those of batches, and not left for the other", () => {
    const enqueues = resourcesOf(prod, FUNCTION).flatMap(([id, fn]) => {
      const { DISPATCH_QUEUE_URL, ...told } = variablesOf(fn);
      if (!DISPATCH_QUEUE_URL) return [];
      const deadLetters = nameIn(told.DISPATCH_DEAD_LETTER_QUEUE_ARN);
      return [
        [withoutHash(id), nameIn(DISPATCH_QUEUE_URL), nameIn(told.DISPATCH_QUEUE_ARN), deadLetters],
      ];
    });
    const singles = ["DispatchSinglesQueue", "DispatchSinglesQueue", "DispatchSinglesDeadLetters"];
    const bulk = ["DispatchBulkQueue", "DispatchBulkQueue", "DispatchBulkDeadLetters"];
    expect(enqueues.sort()).toEqual([
      ["BulkFunction", ...bulk],
      ["CarrierEventsFunction", ...singles],
      ["DispatchBulkFunction", ...bulk],
      ["DispatchFunction", ...singles],
      ["MesagoFunction", ...singles],
      ["WavyFunction", ...singles],
    ]);
  });
});

describe("schedules", () => {
  test("are a group of the stage's own, that goes with the stack", () => {
    // A group that stayed behind would be in the way of the next deployment: it has a fixed name.
    for (const stage of BUILT_IN) {
      expect(
        onlyResource(synthesise(stage).torpedo, "AWS::Scheduler::ScheduleGroup"),
      ).toMatchObject({ Properties: { Name: `torpedo-${stage}` }, DeletionPolicy: "Delete" });
    }
  });

  test("are created in that group, with the role that may feed the queues", () => {
    const creators = resourcesOf(prod, FUNCTION).flatMap(([id, fn]) => {
      const { SCHEDULE_GROUP, SCHEDULE_ROLE_ARN } = variablesOf(fn);
      return SCHEDULE_GROUP ? [[withoutHash(id), SCHEDULE_GROUP, nameIn(SCHEDULE_ROLE_ARN)]] : [];
    });
    expect(creators.sort()).toEqual([
      ["BulkFunction", "torpedo-prod", "DispatchScheduleRole"],
      ["CallbackFunction", "torpedo-prod", "DispatchScheduleRole"],
      ["CarrierEventsFunction", "torpedo-prod", "DispatchScheduleRole"],
      ["DispatchBulkFunction", "torpedo-prod", "DispatchScheduleRole"],
      ["DispatchFunction", "torpedo-prod", "DispatchScheduleRole"],
      ["MesagoFunction", "torpedo-prod", "DispatchScheduleRole"],
      ["WavyFunction", "torpedo-prod", "DispatchScheduleRole"],
    ]);
  });
});

test("bulk requests are handed on to the queue where messages are made of them", () => {
  const told = environmentOf(prod, "MesagoFunction");
  expect(nameIn(told.BATCH_QUEUE_URL)).toBe("BulkBatchesQueue");
  expect(nameIn(told.BATCH_QUEUE_ARN)).toBe("BulkBatchesQueue");
  expect(nameIn(told.BATCH_DEAD_LETTER_QUEUE_ARN)).toBe("BulkBatchesDeadLetters");
});

describe("carrier-events", () => {
  test("keeps MOs for as long as the stage says", () => {
    expect(environmentOf(peculiar.torpedo, "CarrierEventsFunction")).toMatchObject({
      MO_RETENTION_HOURS: "73",
    });
  });

  test("knows when receipts are late, and for how long to remember operators", () => {
    const told = environmentOf(peculiar.torpedo, "CarrierEventsFunction");
    expect(JSON.parse(String(told.RECEIPTS_AFTER_SECONDS))).toEqual({ sandbox: 121 });
    expect(told).toMatchObject({ OPERATOR_MEMORY_DAYS: "29", SNS_TOPICS: "{}" });
  });

  test("wakes itself for MOs whose parts do not come, through a queue that nothing else is in", () => {
    const users = resourcesOf(prod, FUNCTION).filter(([, fn]) =>
      [...valuesIn(variablesOf(fn))].some((value) => nameIn(value) === "CarrierEventsMoPartsQueue"),
    );
    expect(users.map(([id]) => withoutHash(id))).toEqual(["CarrierEventsFunction"]);
    expect(nameIn(environmentOf(prod, "CarrierEventsFunction").MO_PARTS_QUEUE_URL)).toBe(
      "CarrierEventsMoPartsQueue",
    );
    const { Properties } = resourceNamed(prod, QUEUE, "CarrierEventsMoPartsQueue");
    expect(nameIn(at(Properties, "RedrivePolicy", "deadLetterTargetArn"))).toBe(
      "CarrierEventsReportsDeadLetters",
    );
  });

  test("sets aside the MOs that are nobody's behind its own queue, from where they are redriven", () => {
    const { DEAD_LETTER_QUEUE_URL } = environmentOf(prod, "CarrierEventsFunction");
    const { Properties } = resourceNamed(prod, QUEUE, "CarrierEventsReportsQueue");
    expect(nameIn(DEAD_LETTER_QUEUE_URL)).toBe("CarrierEventsReportsDeadLetters");
    expect(nameIn(at(Properties, "RedrivePolicy", "deadLetterTargetArn"))).toBe(
      "CarrierEventsReportsDeadLetters",
    );
  });
});

describe("callback", () => {
  const told = () => environmentOf(prod, "CallbackFunction");

  test("puts what is told at once, later, and never in queues of their own", () => {
    expect(nameIn(told().CALLBACK_DELIVERIES_QUEUE_URL)).toBe("CallbackDeliveriesQueue");
    expect(nameIn(told().CALLBACK_RETRY_QUEUE_URL)).toBe("CallbackRetriesQueue");
    expect(nameIn(told().CALLBACK_RETRY_QUEUE_ARN)).toBe("CallbackRetriesQueue");
    const deadLetters = [
      told().CALLBACK_DEAD_LETTER_QUEUE_URL,
      told().CALLBACK_DEAD_LETTER_QUEUE_ARN,
      told().DEAD_LETTER_QUEUE_URL,
      ...["Events", "Deliveries", "Retries"].map((name) =>
        at(
          resourceNamed(prod, QUEUE, `Callback${name}Queue`).Properties,
          "RedrivePolicy",
          "deadLetterTargetArn",
        ),
      ),
    ];
    expect(deadLetters.map(nameIn)).toEqual(Array(6).fill("CallbackEventsDeadLetters"));
  });

  test("talks to an endpoint, and remembers it, as the stage says", () => {
    expect(environmentOf(peculiar.torpedo, "CallbackFunction")).toMatchObject({
      CALLBACK_SLOTS: "22",
      CALLBACK_RETENTION_HOURS: "230",
    });
    // The same as administrators are told.
    expect(environmentOf(peculiar.torpedo, "AdminFunction")).toMatchObject({
      CALLBACK_RETENTION_HOURS: "230",
    });
    expect(peculiar.torpedo.Outputs?.CallbackRetentionHours?.Value).toBe("230");
  });
});

describe("queues feed their functions", () => {
  const fromQueues = ({ torpedo }: { torpedo: Template }) =>
    resourcesOf(torpedo, MAPPING).flatMap(([, { Properties }]) => {
      const source = referenceOf(Properties.EventSourceArn) ?? "";
      return torpedo.Resources[source]?.Type === QUEUE
        ? [{ queue: withoutHash(source), ...Properties }]
        : [];
    });

  test("by batches of which single messages can fail", () => {
    const mappings = fromQueues({ torpedo: prod });
    expect(mappings.length).toBeGreaterThan(0);
    for (const mapping of mappings) {
      expect(mapping).toMatchObject({ FunctionResponseTypes: ["ReportBatchItemFailures"] });
      // Nothing waits for others but what operators have taken their time with.
      const waits = mapping.queue === "CarrierEventsReportsQueue" ? 1 : undefined;
      expect(at(mapping, "MaximumBatchingWindowInSeconds")).toBe(waits);
    }
  });

  test("each its own, with as much at a time as its function can do in its time", () => {
    const sizes = fromQueues({ torpedo: prod }).map(({ queue, ...mapping }) => [
      queue,
      nameIn(at(mapping, "FunctionName")),
      at(mapping, "BatchSize"),
    ]);
    expect(sizes.sort()).toEqual([
      // A thousand messages each.
      ["BulkBatchesQueue", "BulkFunction", 1],
      ["CallbackDeliveriesQueue", "CallbackFunction", 10],
      ["CallbackEventsQueue", "CallbackFunction", 10],
      ["CallbackRetriesQueue", "CallbackFunction", 10],
      ["CarrierEventsMoPartsQueue", "CarrierEventsFunction", 10],
      ["CarrierEventsReportsQueue", "CarrierEventsFunction", 50],
      // Twenty messages each.
      ["DispatchBulkQueue", "DispatchBulkFunction", 4],
      ["DispatchSinglesQueue", "DispatchFunction", 10],
    ]);
  });

  test("side by side as far as the stage says", () => {
    expect(
      Object.fromEntries(
        fromQueues(peculiar).map(({ queue, ...mapping }) => [
          queue,
          at(mapping, "ScalingConfig", "MaximumConcurrency"),
        ]),
      ),
    ).toEqual({
      DispatchSinglesQueue: 11,
      DispatchBulkQueue: 19,
      BulkBatchesQueue: 20,
      CarrierEventsReportsQueue: 12,
      // The least there is: a single MO in a thousand lacks a part.
      CarrierEventsMoPartsQueue: 2,
      CallbackEventsQueue: 13,
      CallbackDeliveriesQueue: 13,
      CallbackRetriesQueue: 13,
    });
  });
});

describe("the stream feeds status-events", () => {
  const mapping = (template = prod) => {
    const [found, ...others] = resourcesOf(template, MAPPING).filter(([, { Properties }]) =>
      at(Properties.EventSourceArn, "Fn::GetAtt", 0)?.toString().startsWith("MessagesTable"),
    );
    expect(others).toEqual([]);
    return found?.[1].Properties ?? {};
  };

  const filtersOf = (properties: Resource["Properties"]) =>
    listAt(properties.FilterCriteria, "Filters").map((filter): unknown =>
      JSON.parse(String(at(filter, "Pattern"))),
    );
  const every = synthesise("every", { every: { ...STAGES.dev, events: "every" } }).torpedo;
  const TEMPLATES = { told: prod, final: peculiar.torpedo, every };

  const passes = (record: object, choice: EventChoice = "told") =>
    filtersOf(mapping(TEMPLATES[choice])).some((filter) => matchesPattern(filter, record));

  test("from its beginning", () => {
    expect(mapping().StartingPosition).toBe("TRIM_HORIZON");
  });

  test("by patterns as Lambda reads them", () => {
    expect(filtersOf(mapping())).toEqual([
      {
        eventName: ["INSERT"],
        dynamodb: { Keys: { sk: { S: ["MT", { prefix: "MO#" }] } } },
      },
      {
        eventName: ["MODIFY"],
        dynamodb: {
          Keys: { sk: { S: ["MT"] } },
          NewImage: { state: { S: expect.arrayContaining(["SENT", "DELIVERED"]) } },
        },
      },
      {
        eventName: ["MODIFY"],
        dynamodb: {
          Keys: { sk: { S: ["MT"] } },
          NewImage: { state: { S: ["SCHEDULED", "QUEUED"] }, attempts: { N: ["0"] } },
        },
      },
    ]);
    // Lambda takes no more than five.
    for (const template of Object.values(TEMPLATES)) {
      expect(filtersOf(mapping(template)).length).toBeLessThanOrEqual(5);
    }
  });

  const KINDS: Record<keyof typeof SORT_KEY, { sk: string; told: string[] }> = {
    message: { sk: "MT", told: ["INSERT", "MODIFY"] },
    mo: { sk: "MO#2026-11-21T12:00:00.000Z#23190501", told: ["INSERT"] },
    newMo: { sk: "NEW#2026-11-21T12:00:00.000Z#23190501", told: [] },
    moOwner: { sk: "OWNER", told: [] },
    batch: { sk: "BATCH#0000", told: [] },
    batchIds: { sk: "IDS", told: [] },
    canceled: { sk: "CANCELED#1795000000000", told: [] },
    moParts: { sk: "PARTS", told: [] },
    mayBeOpen: { sk: "OPEN", told: [] },
    open: { sk: "OPEN#019aa6c0-0000-7000-8000-000000000000", told: [] },
  };

  test.each(Object.entries(KINDS))("of the kinds of items: %s %j", (kind, { sk, told }) => {
    expect(sk.startsWith(SORT_KEY[kind as keyof typeof SORT_KEY])).toBe(true);
    for (const choice of EVENT_CHOICES) {
      const names = ["INSERT", "MODIFY", "REMOVE"].filter((eventName) => {
        const dynamodb = {
          Keys: { pk: { S: "acme" }, sk: { S: sk } },
          NewImage: marshall({ state: "SENT", attempts: 1 }),
        };
        return passes({ eventName, dynamodb }, choice);
      });
      expect(names).toEqual(told);
    }
  });

  const writeOf = (after: Message, before?: Message) => ({
    eventName: before ? "MODIFY" : "INSERT",
    dynamodb: {
      Keys: marshall({ pk: "acme#id-1", sk: SORT_KEY.message }),
      NewImage: marshall(after),
      ...(before && { OldImage: marshall(before) }),
    },
  });

  test.each(EVENT_CHOICES)("with each write that is told or counted: %s", (choice) => {
    const images = STATES.flatMap((state) =>
      [0, 1].map((attempts) => sampleMessage(0, { state, attempts, stateAt: attempts })),
    );
    // No message begins with being handed over.
    const fresh = images.filter(({ state, attempts }) => attempts === 0 && state !== "SENDING");
    const writes = [
      ...fresh.map((after) => ({ after, before: undefined })),
      // One that took the place of an expired one with its id.
      ...fresh.flatMap((after) =>
        images.map((before) => ({ after, before: { ...before, traceId: "old" } })),
      ),
      ...images.flatMap((before) => images.map((after) => ({ after, before }))),
    ];
    for (const { after, before } of writes) {
      const event = eventOf({ before, after });
      const isTold = event && (isForBus(choice, event) || isForCallbacks(event));
      const isCounted = isNewMessage(before, after);
      if (!isTold && !isCounted) continue;
      expect([after, before, passes(writeOf(after, before), choice)]).toEqual([
        after,
        before,
        true,
      ]);
    }
  });

  test.each(["told", "final"] as const)(
    "and not with claims and returns to the queue, of which nobody is told: %s",
    (choice) => {
      const queued = sampleMessage(0);
      const sending = sampleMessage(0, { state: "SENDING", attempts: 1 });
      const queuedAgain = sampleMessage(0, { state: "QUEUED", attempts: 1 });
      expect(passes(writeOf(sending, queued), choice)).toBe(false);
      expect(passes(writeOf(queuedAgain, sending), choice)).toBe(false);
      expect(passes(writeOf(sending, queued), "every")).toBe(true);
    },
  );

  test("whose kinds are all that there are", () => {
    expect(Object.keys(KINDS).sort()).toEqual(Object.keys(SORT_KEY).sort());
  });

  test("again and again until it is taken, record by record", () => {
    expect(mapping()).toMatchObject({
      MaximumRetryAttempts: -1,
      BisectBatchOnFunctionError: true,
      FunctionResponseTypes: ["ReportBatchItemFailures"],
    });
    expect(mapping()).not.toHaveProperty("MaximumRecordAgeInSeconds");
  });

  test("and sets aside what left the stream before", () => {
    const target = referenceOf(at(mapping().DestinationConfig, "OnFailure", "Destination"));
    expect(withoutHash(target ?? "")).toBe("StatusEventsDeadLetters");
  });
});

describe("events reach callbacks", () => {
  test("by status-events, which puts them on their queue, and by no rule", () => {
    expect(nameIn(environmentOf(prod, "StatusEventsFunction").CALLBACK_EVENTS_QUEUE_URL)).toBe(
      "CallbackEventsQueue",
    );
    expect(Object.keys(named(prod, RULE))).toEqual([]);
  });

  test("while the bus is told of as much as the stage says", () => {
    const choiceOf = (template: Template) =>
      environmentOf(template, "StatusEventsFunction").EVENTS_ON_BUS;
    expect(choiceOf(prod)).toBe("told");
    expect(choiceOf(peculiar.torpedo)).toBe("final");
  });

  test("and no queue lets in anybody but functions and schedules, by their roles", () => {
    const admissions = resourcesOf(prod, "AWS::SQS::QueuePolicy").flatMap(([id, { Properties }]) =>
      listAt(Properties, "PolicyDocument", "Statement")
        .filter((statement) => at(statement, "Effect") === "Allow")
        .map((statement) => [withoutHash(id), at(statement, "Principal")]),
    );
    expect(admissions).toEqual([]);
  });

  test("where the stage lets callbacks go", () => {
    expect(environmentOf(peculiar.torpedo, "CallbackFunction")).toMatchObject({
      STAGE: "peculiar",
      CALLBACK_ALLOW_HTTP: "true",
      CALLBACK_ALLOW_LOOPBACK: "false",
    });
  });
});

describe("the HTTP API", () => {
  test("has the routes of each API, all to their function", () => {
    const routes = resourcesOf(prod, "AWS::ApiGatewayV2::Route").map(([, { Properties }]) => {
      const integration = [...valuesIn(Properties.Target)].map(referenceOf).find(Boolean) ?? "";
      const uri = at(prod.Resources[integration], "Properties", "IntegrationUri");
      return [Properties.RouteKey, nameIn(uri)];
    });
    expect(routes.sort()).toEqual([
      ["ANY /admin", "AdminFunction"],
      ["ANY /admin/{proxy+}", "AdminFunction"],
      ["ANY /api", "MesagoFunction"],
      ["ANY /api/{proxy+}", "MesagoFunction"],
      ["ANY /services", "MesagoFunction"],
      ["ANY /services/{proxy+}", "MesagoFunction"],
      ["ANY /v1", "WavyFunction"],
      ["ANY /v1/{proxy+}", "WavyFunction"],
      ["GET /carriers/{carrier}/dlr", "IngressFunction"],
      ["GET /carriers/{carrier}/mo", "IngressFunction"],
      ["GET /openapi.json", "AdminFunction"],
      ["POST /carriers/{carrier}/dlr", "IngressFunction"],
      ["POST /carriers/{carrier}/mo", "IngressFunction"],
    ]);
  });

  test("hands requests over in the format that functions read", () => {
    for (const [, { Properties }] of resourcesOf(prod, "AWS::ApiGatewayV2::Integration")) {
      expect(Properties).toMatchObject({
        IntegrationType: "AWS_PROXY",
        PayloadFormatVersion: "2.0",
      });
    }
  });

  test("answers without a stage's name in the path, throttled as the stage says", () => {
    expect(onlyResource(peculiar.torpedo, "AWS::ApiGatewayV2::Stage").Properties).toMatchObject({
      StageName: "$default",
      AutoDeploy: true,
      DefaultRouteSettings: { ThrottlingRateLimit: 17, ThrottlingBurstLimit: 18 },
    });
  });

  test("logs no path and no query: they can hold phone numbers and texts", () => {
    const { Properties } = onlyResource(prod, "AWS::ApiGatewayV2::Stage");
    const format = String(at(Properties, "AccessLogSettings", "Format"));
    expect(Object.values(JSON.parse(format)).sort()).toEqual([
      "$context.identity.sourceIp",
      "$context.integrationErrorMessage",
      "$context.requestId",
      "$context.requestTimeEpoch",
      "$context.responseLatency",
      "$context.routeKey",
      "$context.status",
    ]);
  });

  test("keeps messages for as long as the stage says", () => {
    expect(environmentOf(peculiar.torpedo, "MesagoFunction")).toMatchObject({
      STATUS_RETENTION_HOURS: "37",
    });
  });
});

test("logs are kept for as long as the stage says", () => {
  const retentions = (template: Template) =>
    new Set(resourcesOf(template, LOG_GROUP).map(([, it]) => it.Properties.RetentionInDays));
  expect(retentions(prod)).toEqual(new Set([90]));
  expect(retentions(synthesise("dev").torpedo)).toEqual(new Set([7]));
  expect(retentions(synthesise("local").torpedo)).toEqual(new Set([1]));
  expect(retentions(peculiar.torpedo)).toEqual(new Set([545]));
});

test("the outputs are those that the command line, local runs and tests look for", () => {
  expect(Object.keys(prod.Outputs ?? {}).sort()).toEqual([
    "ApiId",
    "ApiUrl",
    "BatchQueueUrl",
    "BulkDispatchQueueUrl",
    "CallbackDeadLetterQueueUrl",
    "CallbackDeliveriesQueueUrl",
    "CallbackQueueUrl",
    "CallbackRetentionHours",
    "CallbackRetryQueueUrl",
    "CallbacksTableName",
    "CarrierEventsQueueUrl",
    "CarrierOffers",
    "CarriersTableName",
    "DirectoryTableName",
    "DispatchQueueUrl",
    "EndpointLoopback",
    "EndpointProtocols",
    "EventBusName",
    "MessagesTableName",
    "SandboxOutboxTableName",
  ]);
});

test("the outputs of queues name the queues that they are called after", () => {
  const { Outputs = {} } = prod;
  const queuesByOutput = Object.entries(Outputs).flatMap(([name, { Value }]) =>
    name.endsWith("QueueUrl") ? [[name, nameIn(Value)]] : [],
  );
  expect(Object.fromEntries(queuesByOutput)).toEqual({
    BatchQueueUrl: "BulkBatchesQueue",
    BulkDispatchQueueUrl: "DispatchBulkQueue",
    CallbackDeadLetterQueueUrl: "CallbackEventsDeadLetters",
    CallbackDeliveriesQueueUrl: "CallbackDeliveriesQueue",
    CallbackQueueUrl: "CallbackEventsQueue",
    CallbackRetryQueueUrl: "CallbackRetriesQueue",
    CarrierEventsQueueUrl: "CarrierEventsReportsQueue",
    DispatchQueueUrl: "DispatchSinglesQueue",
  });
});

describe("alarms", () => {
  const alarmsOf = (stage: string, overlays?: object) =>
    Object.values(synthesise(stage, overlays).templates).flatMap((template) =>
      resourcesOf(template, ALARM),
    );
  /** Those of a stage that has everything that is there only where it is asked for. */
  const allAlarms = alarmsOf("prod", { prod: { notices: { from: "torpedo@sms.example.org" } } });
  const runbook = readFileSync("docs/runbook.md", "utf8");

  test("exist only in stages that have them", () => {
    const withAlarms = BUILT_IN.filter((stage) => alarmsOf(stage).length > 0);
    expect(withAlarms).toEqual(BUILT_IN.filter((stage) => STAGES[stage]?.alarms.enabled));
    expect(withAlarms).toContain("prod");
  });

  test("watch the stream as well as the queues", () => {
    const streams = resourcesOf(prod, ALARM).filter(
      ([, { Properties }]) => Properties.MetricName === "IteratorAge",
    );
    expect(
      streams.map(([, { Properties }]) => [
        nameIn(at(Properties, "Dimensions", 0, "Value")),
        Properties.Threshold,
      ]),
    ).toEqual([["StatusEventsFunction", 5 * 60 * 1_000]]);
  });

  test.each(allAlarms)("%s says what it means and what to do", (id, { Properties }) => {
    const sentence = String.raw`[A-Z][^.]{15,}\.`;
    expect(Properties.AlarmDescription).toMatch(
      new RegExp(`^${sentence} ${sentence} Runbook: docs/runbook\\.md$`),
    );
    expect(runbook).toContain(`\`${withoutHash(id)}\``);
  });

  test("are all that the runbook explains", () => {
    const explained = [...runbook.matchAll(/`(\w+Alarm)`/g)].map(([, name]) => name);
    expect([...new Set(explained)].sort()).toEqual(allAlarms.map(([id]) => withoutHash(id)).sort());
  });

  test("go to the stage's topic when they are raised and when they are over", () => {
    const overlaid = alarmsOf("prod", { prod: { alarms: { enabled: true, topicArn: TOPIC } } });
    expect(overlaid).toHaveLength(alarmsOf("prod").length);
    for (const [, { Properties }] of overlaid) {
      expect(Properties).toMatchObject({ AlarmActions: [TOPIC], OKActions: [TOPIC] });
    }
    for (const [, { Properties }] of alarmsOf("prod")) {
      expect(Properties).not.toHaveProperty("AlarmActions");
    }
  });
});

test("every resource carries the name of its stage", () => {
  const { torpedo } = synthesise("dev");
  const tagged = Object.values(torpedo.Resources).flatMap(({ Properties }) =>
    Properties.Tags ? [JSON.stringify(Properties.Tags)] : [],
  );
  expect(tagged.length).toBeGreaterThan(20);
  for (const tags of tagged) expect(tags).toMatch(/"torpedo:stage".*"dev"/);
});
