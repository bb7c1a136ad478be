import { expect, test } from "vitest";
import {
  CARRIER_DEMOTED,
  CARRIER_RESTORED,
  ENDPOINT_DISABLED,
  MESSAGE_RECEIVED,
  MESSAGE_STATUS_CHANGED,
  MESSAGE_STATUSES_CHANGED,
} from "../../functions/core/events.ts";
import { describeResource, type Permissions, permissionsOf } from "./role-permissions.ts";
import { at, listAt, referenceOf, resourcesOf, synthesise, withoutHash } from "./synth.ts";

const { torpedo } = synthesise("prod");
const ROLE = "AWS::IAM::Role";

/** Lambda needs these of every queue that feeds a function. */
const works = (...queues: string[]): Permissions => ({
  "sqs:ReceiveMessage": queues,
  "sqs:DeleteMessage": queues,
  "sqs:ChangeMessageVisibility": queues,
  "sqs:GetQueueAttributes": queues,
  "sqs:GetQueueUrl": queues,
});

const writesLog = (log: string): Permissions => ({
  "logs:CreateLogStream": [log],
  "logs:PutLogEvents": [log],
});

const SCHEDULES_OF_OURS =
  "arn:{AWS::Partition}:scheduler:{AWS::Region}:{AWS::AccountId}:schedule/torpedo-prod/*";
const SCHEDULE_ROLE = 'DispatchScheduleRole if {"iam:PassedToService":"scheduler.amazonaws.com"}';

const publishes = (...detailTypes: string[]): Permissions => ({
  "events:PutEvents": [`EventBus if ${JSON.stringify({ "events:detail-type": detailTypes })}`],
});

/** What a lane's function may do: the same as that of the other lane, on queues of its own. */
const dispatchesFrom = (queue: string, deadLetters: string, log: string): Permissions => ({
  ...writesLog(log),
  ...works(queue),
  // Messages, and the routes of their accounts.
  "dynamodb:GetItem": ["DirectoryTable", "MessagesTable"],
  // Numbers that were blocked since a message was scheduled; the messages of a group.
  "dynamodb:BatchGetItem": ["DirectoryTable", "MessagesTable"],
  // How carriers fare.
  "dynamodb:Query": ["CarriersTable"],
  "dynamodb:PutItem": ["CarriersSandboxOutbox", "CarriersTable"],
  // Messages, many at a time.
  "dynamodb:PartiQLUpdate": ["MessagesTable"],
  // What carriers were handed, to know how they fare and to keep to their rates.
  "dynamodb:UpdateItem": ["CarriersSandboxOutbox", "CarriersTable", "RateLimitsCounts"],
  ...publishes(CARRIER_DEMOTED, CARRIER_RESTORED),
  "sqs:SendMessage": ["CarrierEventsReportsQueue", deadLetters, queue],
  "scheduler:CreateSchedule": [SCHEDULES_OF_OURS],
  "iam:PassRole": [SCHEDULE_ROLE],
});

/** In the directory a function may write nothing but what it is about. */
const inPartitions = (pattern: string) =>
  `DirectoryTable if {"dynamodb:LeadingKeys":["${pattern}"]}`;
const USAGE_COUNTERS = inPartitions("USAGE#*");
const OPT_OUTS = inPartitions("NUMBER#*");
const CARRIERS = inPartitions("CARRIER#*");

/** Administrators' function has to do with all of the directory but carriers, and the index that has them by kind. */
const notOfCarriers = (resource: string) =>
  `${resource} if not {"dynamodb:LeadingKeys":["CARRIER*"]}`;
const WHAT_IS_OF_ACCOUNTS = notOfCarriers("DirectoryTable");

/** Each role may do what is written here, and nothing else. */
const PERMISSIONS: Record<string, Permissions> = {
  MesagoFunctionRole: {
    ...writesLog("MesagoFunctionLogs"),
    // A message, the pieces of a batch, that a batch is open.
    "dynamodb:PutItem": ["MessagesTable"],
    // What could not be put on its way; an MO that is listed, which is not new any more.
    "dynamodb:DeleteItem": ["MessagesTable"],
    // That a batch has begun, which elements of it are canceled.
    "dynamodb:UpdateItem": [USAGE_COUNTERS, "MessagesTable"],
    // Cancellations, and what is kept for a retry.
    "dynamodb:PartiQLUpdate": ["MessagesTable"],
    "dynamodb:GetItem": ["DirectoryTable", USAGE_COUNTERS, "MessagesTable"],
    // Numbers that are blocked; messages by their ids.
    "dynamodb:BatchGetItem": ["DirectoryTable", "MessagesTable"],
    // Open batches and MOs: partitions of the table, none of its indexes.
    "dynamodb:Query": ["MessagesTable"],
    "sqs:SendMessage": ["BulkBatchesQueue", "DispatchSinglesQueue"],
    "scheduler:CreateSchedule": [SCHEDULES_OF_OURS],
    "scheduler:DeleteSchedule": [SCHEDULES_OF_OURS],
    "iam:PassRole": [SCHEDULE_ROLE],
  },
  WavyFunctionRole: {
    ...writesLog("WavyFunctionLogs"),
    // A message, the pieces of a batch, that a batch is open.
    "dynamodb:PutItem": ["MessagesTable"],
    // What could not be put on its way; an MO that is listed, which is not new any more.
    "dynamodb:DeleteItem": ["MessagesTable"],
    // That a batch has begun; requests and parts that are counted.
    "dynamodb:UpdateItem": [USAGE_COUNTERS, "MessagesTable", "RateLimitsCounts"],
    // What is kept for a retry, statuses that are listed.
    "dynamodb:PartiQLUpdate": ["MessagesTable"],
    "dynamodb:GetItem": ["DirectoryTable", USAGE_COUNTERS, "MessagesTable"],
    "dynamodb:BatchGetItem": ["DirectoryTable", "MessagesTable"],
    // Templates by their name; open batches and MOs; messages by correlation id, and those that have changed.
    "dynamodb:Query": [
      "DirectoryTable",
      "MessagesTable",
      "{MessagesTable}/index/changes",
      "{MessagesTable}/index/correlation",
    ],
    "sqs:SendMessage": ["BulkBatchesQueue", "DispatchSinglesQueue"],
    "scheduler:CreateSchedule": [SCHEDULES_OF_OURS],
    "iam:PassRole": [SCHEDULE_ROLE],
  },
  AdminFunctionRole: {
    ...writesLog("AdminFunctionLogs"),
    // The directory; deliveries and how endpoints fare.
    "dynamodb:GetItem": ["CallbacksTable", WHAT_IS_OF_ACCOUNTS],
    "dynamodb:BatchGetItem": ["CallbacksTable"],
    "dynamodb:Query": [
      "CallbacksTable",
      WHAT_IS_OF_ACCOUNTS,
      "{CallbacksTable}/index/created",
      notOfCarriers("{DirectoryTable}/index/kind"),
    ],
    // Deliveries of tests among them.
    "dynamodb:PutItem": ["CallbacksTable", WHAT_IS_OF_ACCOUNTS],
    "dynamodb:UpdateItem": ["CallbacksTable", WHAT_IS_OF_ACCOUNTS],
    "dynamodb:DeleteItem": ["CallbacksTable", WHAT_IS_OF_ACCOUNTS],
    // Deliveries of tests, and those that are told again.
    "sqs:SendMessage": ["CallbackDeliveriesQueue", "CallbackRetriesQueue"],
  },
  BulkFunctionRole: {
    ...writesLog("BulkFunctionLogs"),
    ...works("BulkBatchesQueue"),
    // The pieces of a batch.
    "dynamodb:Query": ["MessagesTable"],
    // Its messages: many at a time, then what is under the ids of those that were refused, then one by one.
    "dynamodb:PartiQLInsert": ["MessagesTable"],
    "dynamodb:BatchGetItem": ["MessagesTable"],
    "dynamodb:PutItem": ["MessagesTable"],
    // That it is begun, and that it is open no more.
    "dynamodb:UpdateItem": ["MessagesTable"],
    "dynamodb:DeleteItem": ["MessagesTable"],
    "sqs:SendMessage": ["BulkBatchesDeadLetters", "DispatchBulkQueue"],
    "scheduler:CreateSchedule": [SCHEDULES_OF_OURS],
    "iam:PassRole": [SCHEDULE_ROLE],
  },
  DispatchFunctionRole: dispatchesFrom(
    "DispatchSinglesQueue",
    "DispatchSinglesDeadLetters",
    "DispatchFunctionLogs",
  ),
  DispatchBulkFunctionRole: dispatchesFrom(
    "DispatchBulkQueue",
    "DispatchBulkDeadLetters",
    "DispatchBulkFunctionLogs",
  ),
  DispatchScheduleRole: {
    "sqs:SendMessage": [
      "BulkBatchesDeadLetters",
      "BulkBatchesQueue",
      "CallbackEventsDeadLetters",
      "CallbackRetriesQueue",
      "DispatchBulkDeadLetters",
      "DispatchBulkQueue",
      "DispatchSinglesDeadLetters",
      "DispatchSinglesQueue",
    ],
  },
  IngressFunctionRole: {
    ...writesLog("IngressFunctionLogs"),
    "dynamodb:GetItem": [CARRIERS],
    "sqs:SendMessage": ["CarrierEventsReportsQueue"],
  },
  CarrierEventsFunctionRole: {
    ...writesLog("CarrierEventsFunctionLogs"),
    ...works("CarrierEventsMoPartsQueue", "CarrierEventsReportsQueue"),
    // Messages; accounts and sub-accounts, and what their people have said about opting out.
    "dynamodb:GetItem": ["DirectoryTable", OPT_OUTS, "MessagesTable"],
    // Messages, those of many receipts together.
    "dynamodb:BatchGetItem": ["MessagesTable"],
    "dynamodb:PartiQLUpdate": ["MessagesTable"],
    // How many receipts came in time.
    "dynamodb:UpdateItem": ["CarriersTable"],
    // MOs: whose they are, and the two items of each, which a transaction puts; confirmations.
    "dynamodb:Query": ["{DirectoryTable}/index/kind", "{MessagesTable}/index/sent-to"],
    "dynamodb:PutItem": [OPT_OUTS, "MessagesTable"],
    // A confirmation that could not be put on its way.
    "dynamodb:DeleteItem": ["MessagesTable"],
    "sqs:SendMessage": [
      "CarrierEventsMoPartsQueue",
      "CarrierEventsReportsDeadLetters",
      "DispatchSinglesQueue",
    ],
    "scheduler:CreateSchedule": [SCHEDULES_OF_OURS],
    "iam:PassRole": [SCHEDULE_ROLE],
  },
  StatusEventsFunctionRole: {
    ...writesLog("StatusEventsFunctionLogs"),
    "dynamodb:ListStreams": ["*"],
    "dynamodb:DescribeStream": ["MessagesTable.StreamArn"],
    "dynamodb:GetRecords": ["MessagesTable.StreamArn"],
    "dynamodb:GetShardIterator": ["MessagesTable.StreamArn"],
    ...publishes(MESSAGE_STATUS_CHANGED, MESSAGE_STATUSES_CHANGED, MESSAGE_RECEIVED),
    // Events of which customers are told, and records that cannot be read.
    "sqs:SendMessage": ["CallbackEventsQueue", "StatusEventsDeadLetters"],
    // CDK's, for the queue of what the stream could not deliver.
    "sqs:GetQueueAttributes": ["StatusEventsDeadLetters"],
    "sqs:GetQueueUrl": ["StatusEventsDeadLetters"],
  },
  CallbackFunctionRole: {
    ...writesLog("CallbackFunctionLogs"),
    ...works("CallbackDeliveriesQueue", "CallbackEventsQueue", "CallbackRetriesQueue"),
    "dynamodb:GetItem": ["CallbacksTable", "DirectoryTable"],
    // Which slots of an endpoint are taken; its endpoints; deliveries that are let go on, whose keys an index has.
    "dynamodb:Query": ["CallbacksTable", "DirectoryTable", "{CallbacksTable}/index/parked"],
    "dynamodb:BatchGetItem": ["CallbacksTable"],
    "dynamodb:PutItem": ["CallbacksTable"],
    // What was told together.
    "dynamodb:PartiQLInsert": ["CallbacksTable"],
    "dynamodb:UpdateItem": ["CallbacksTable"],
    // Slots that are given back.
    "dynamodb:DeleteItem": ["CallbacksTable"],
    "sqs:SendMessage": [
      "CallbackDeliveriesQueue",
      "CallbackEventsDeadLetters",
      "CallbackRetriesQueue",
    ],
    "scheduler:CreateSchedule": [SCHEDULES_OF_OURS],
    "iam:PassRole": [SCHEDULE_ROLE],
    ...publishes(ENDPOINT_DISABLED),
  },
};

const functions = resourcesOf(torpedo, "AWS::Lambda::Function");

const roles = resourcesOf(torpedo, ROLE).map(([id, role]) => ({
  id,
  role,
  name: withoutHash(id),
  permissions: permissionsOf(torpedo, id),
}));

test.each(roles)("$name may do what it does, and nothing else", ({ name, permissions }) => {
  expect(permissions).toEqual(PERMISSIONS[name]);
});

test("the table knows every role there is, and no other", () => {
  expect(roles.map(({ name }) => name).sort()).toEqual(Object.keys(PERMISSIONS).sort());
});

test("roles have no managed policies, whose content AWS decides", () => {
  for (const { role } of roles) expect(role.Properties).not.toHaveProperty("ManagedPolicyArns");
});

test("each function has a role of its own, and nobody but Lambda can take it", () => {
  const taken = functions.map(([, { Properties }]) => referenceOf(Properties.Role) ?? "");
  expect(new Set(taken).size).toBe(functions.length);
  for (const { id, role } of roles) {
    const trusted = listAt(role.Properties, "AssumeRolePolicyDocument", "Statement").map(
      (statement) => at(statement, "Principal", "Service"),
    );
    expect(trusted).toEqual([
      taken.includes(id) ? "lambda.amazonaws.com" : "scheduler.amazonaws.com",
    ]);
  }
});

test("the schedules' role can be taken only on behalf of this account", () => {
  const role = roles.find(({ name }) => name === "DispatchScheduleRole")?.role;
  expect(at(role?.Properties, "AssumeRolePolicyDocument", "Statement", 0, "Condition")).toEqual({
    StringEquals: { "aws:SourceAccount": { Ref: "AWS::AccountId" } },
  });
});

test("schedules may feed the queues for which functions create them, and no others", () => {
  const targets = functions.flatMap(([, { Properties }]) =>
    Object.entries(at(Properties, "Environment", "Variables") ?? {}).flatMap(([name, value]) =>
      name.endsWith("_QUEUE_ARN") ? [describeResource(value)] : [],
    ),
  );
  expect(new Set(targets)).toEqual(new Set(PERMISSIONS.DispatchScheduleRole?.["sqs:SendMessage"]));
});

test("there are two wildcards: streams can only be listed all, and schedules are named by message", () => {
  const wildcards = roles.flatMap(({ permissions }) =>
    Object.entries(permissions).flatMap(([action, resources]) =>
      resources
        // What a condition narrows is no wildcard.
        .filter((it) => !it.includes(" if "))
        .filter((it) => `${action}${it}`.includes("*"))
        .map((it) => `${action} on ${it}`),
    ),
  );
  expect([...new Set(wildcards)].sort()).toEqual([
    "dynamodb:ListStreams on *",
    `scheduler:CreateSchedule on ${SCHEDULES_OF_OURS}`,
    `scheduler:DeleteSchedule on ${SCHEDULES_OF_OURS}`,
  ]);
});

test("functions can be called by the API alone, each by its own routes", () => {
  const calls = resourcesOf(torpedo, "AWS::Lambda::Permission").map(([, { Properties }]) => [
    Properties.Principal,
    withoutHash(referenceOf(Properties.FunctionName) ?? ""),
    describeResource(Properties.SourceArn).replace(/^.*\{HttpApi\}/, ""),
  ]);
  expect(calls.sort()).toEqual([
    ["apigateway.amazonaws.com", "AdminFunction", "/*/*/admin"],
    ["apigateway.amazonaws.com", "AdminFunction", "/*/*/admin/{proxy+}"],
    ["apigateway.amazonaws.com", "AdminFunction", "/*/*/openapi.json"],
    // Of a GET and a POST each.
    ["apigateway.amazonaws.com", "IngressFunction", "/*/*/carriers/{carrier}/dlr"],
    ["apigateway.amazonaws.com", "IngressFunction", "/*/*/carriers/{carrier}/dlr"],
    ["apigateway.amazonaws.com", "IngressFunction", "/*/*/carriers/{carrier}/mo"],
    ["apigateway.amazonaws.com", "IngressFunction", "/*/*/carriers/{carrier}/mo"],
    ["apigateway.amazonaws.com", "MesagoFunction", "/*/*/api"],
    ["apigateway.amazonaws.com", "MesagoFunction", "/*/*/api/{proxy+}"],
    ["apigateway.amazonaws.com", "MesagoFunction", "/*/*/services"],
    ["apigateway.amazonaws.com", "MesagoFunction", "/*/*/services/{proxy+}"],
    ["apigateway.amazonaws.com", "WavyFunction", "/*/*/v1"],
    ["apigateway.amazonaws.com", "WavyFunction", "/*/*/v1/{proxy+}"],
  ]);
});
