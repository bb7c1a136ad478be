import {
  BatchExecuteStatementCommand,
  ConditionalCheckFailedException,
  TransactionCanceledException,
} from "@aws-sdk/client-dynamodb";
import { EventBridgeClient, PutEventsCommand } from "@aws-sdk/client-eventbridge";
import {
  ConflictException,
  CreateScheduleCommand,
  DeleteScheduleCommand,
  ResourceNotFoundException,
  SchedulerClient,
} from "@aws-sdk/client-scheduler";
import { GetSecretValueCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { SESv2Client, SendEmailCommand } from "@aws-sdk/client-sesv2";
import {
  QueueDoesNotExist,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SendMessageCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";
import {
  BatchGetCommand,
  DeleteCommand,
  GetCommand,
  PutCommand,
  QueryCommand,
  TransactWriteCommand,
  UpdateCommand,
} from "@aws-sdk/lib-dynamodb";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { createDocumentClient } from "../../../../functions/adapters/dynamodb/client.ts";
import { type RunningNullAws, startNullAws } from "../../../bench/null-aws/server.ts";
import { THINGS, THINGS_DEFINITION } from "./things.ts";

let aws: RunningNullAws;
let config: object;
let queueUrl: string;

beforeAll(async () => {
  aws = await startNullAws();
  config = {
    endpoint: `http://127.0.0.1:${aws.port}`,
    region: "us-east-1",
    credentials: { accessKeyId: "test", secretAccessKey: "test" },
  };
  queueUrl = `http://127.0.0.1:${aws.port}/000000000000/work`;
  await ask("queues", { queues: [{ url: queueUrl, arn: QUEUE_ARN }] });
});

afterAll(() => aws.close());

beforeEach(async () => {
  await ask("tables", { tables: [{ name: THINGS, definition: THINGS_DEFINITION }] });
  await ask("receive", { queueUrl, max: 1_000 });
  await ask("counts", { reset: true });
});

const QUEUE_ARN = "arn:aws:sqs:us-east-1:000000000000:work";

async function ask<T = Record<string, unknown>>(name: string, input: object = {}): Promise<T> {
  const response = await fetch(`http://127.0.0.1:${aws.port}/control/${name}`, {
    method: "POST",
    body: JSON.stringify(input),
  });
  expect(response.status, `the control ${name}`).toBe(200);
  return (await response.json()) as T;
}

describe("the SDK's DynamoDB client", () => {
  const document = () => createDocumentClient(config);

  test("stores, finds, changes and removes items", async () => {
    const client = document();
    const Key = { pk: "a", sk: "1" };
    await client.send(new PutCommand({ TableName: THINGS, Item: { ...Key, n: 1.5, tags: ["x"] } }));
    const { Attributes } = await client.send(
      new UpdateCommand({
        TableName: THINGS,
        Key,
        UpdateExpression: "SET n = n + :one, tags = list_append(tags, :more) ADD names :names",
        ExpressionAttributeValues: { ":one": 1, ":more": ["y"], ":names": new Set(["z"]) },
        ReturnValues: "ALL_NEW",
      }),
    );
    const expected = { ...Key, n: 2.5, tags: ["x", "y"], names: new Set(["z"]) };
    expect(Attributes).toEqual(expected);
    expect((await client.send(new GetCommand({ TableName: THINGS, Key }))).Item).toEqual(expected);
    const found = await client.send(
      new BatchGetCommand({ RequestItems: { [THINGS]: { Keys: [Key, { pk: "b", sk: "1" }] } } }),
    );
    expect(found.Responses?.[THINGS]).toEqual([expected]);
    await client.send(new DeleteCommand({ TableName: THINGS, Key }));
    expect((await client.send(new GetCommand({ TableName: THINGS, Key }))).Item).toBeUndefined();
    expect(await ask("items", { table: THINGS })).toEqual({ count: 0, bytes: 0 });
  });

  test("has an exception of its class for a condition that does not hold, with the item", async () => {
    const client = document();
    const Item = { pk: "a", sk: "1", n: 1 };
    await client.send(new PutCommand({ TableName: THINGS, Item }));
    const refused = client.send(
      new PutCommand({
        TableName: THINGS,
        Item,
        ConditionExpression: "attribute_not_exists(pk)",
        ReturnValuesOnConditionCheckFailure: "ALL_OLD",
      }),
    );
    await expect(refused).rejects.toThrow(ConditionalCheckFailedException);
    await expect(refused).rejects.toMatchObject({
      Item: { pk: { S: "a" }, sk: { S: "1" }, n: { N: "1" } },
    });
    const { errors } = await ask("counts");
    expect(errors).toEqual({ dynamodb: { ConditionalCheckFailedException: 1 } });
  });

  test("gives a reason for each item of a transaction that fails, and does one with the same token once", async () => {
    const client = document();
    const put = (sk: string, condition?: string) => ({
      Put: {
        TableName: THINGS,
        Item: { pk: "a", sk },
        ...(condition && { ConditionExpression: condition }),
      },
    });
    const once = new TransactWriteCommand({
      ClientRequestToken: "token",
      TransactItems: [put("1", "attribute_not_exists(pk)"), put("2")],
    });
    await client.send(once);
    await client.send(once);
    const again = client.send(
      new TransactWriteCommand({ TransactItems: [put("1", "attribute_not_exists(pk)"), put("3")] }),
    );
    await expect(again).rejects.toThrow(TransactionCanceledException);
    await expect(again).rejects.toMatchObject({
      CancellationReasons: [{ Code: "ConditionalCheckFailed" }, { Code: "None" }],
    });
    expect(await ask("items", { table: THINGS })).toMatchObject({ count: 2 });
  });

  test("pages through a partition and an index, in both directions", async () => {
    const client = document();
    for (let index = 0; index < 5; index++) {
      const Item = { pk: "a", sk: `${index}`, group: "g", rank: 5 - index, extra: "e" };
      await client.send(new PutCommand({ TableName: THINGS, Item }));
    }
    async function pages(input: object) {
      const read: unknown[][] = [];
      let start: Record<string, unknown> | undefined;
      do {
        const { Items = [], LastEvaluatedKey } = await client.send(
          new QueryCommand({
            TableName: THINGS,
            KeyConditionExpression: "pk = :a AND sk > :from",
            ExpressionAttributeValues: { ":a": "a", ":from": "0" },
            Limit: 3,
            ...(start && { ExclusiveStartKey: start }),
            ...input,
          }),
        );
        read.push(Items.map(({ sk }) => sk));
        start = LastEvaluatedKey;
      } while (start);
      return read;
    }
    expect(await pages({})).toEqual([["1", "2", "3"], ["4"]]);
    expect(await pages({ ScanIndexForward: false })).toEqual([["4", "3", "2"], ["1"]]);
    const ofIndex = {
      IndexName: "by-group",
      KeyConditionExpression: "#group = :g AND #rank BETWEEN :low AND :high",
      ExpressionAttributeNames: { "#group": "group", "#rank": "rank" },
      ExpressionAttributeValues: { ":g": "g", ":low": 1, ":high": 4 },
    };
    expect(await pages(ofIndex)).toEqual([["4", "3", "2"], ["1"]]);
    expect(await pages({ ...ofIndex, ScanIndexForward: false })).toEqual([["1", "2", "3"], ["4"]]);
  });

  test("runs a batch of statements, each with its own answer", async () => {
    const client = document();
    const seeded = { pk: { S: "a" }, sk: { S: "1" }, n: { N: "1" } };
    await ask("put-items", { table: THINGS, items: [seeded] });
    const { Responses } = await client.send(
      new BatchExecuteStatementCommand({
        Statements: [
          {
            Statement: `INSERT INTO "${THINGS}" VALUE {'pk': ?, 'sk': ?}`,
            Parameters: [{ S: "a" }, { S: "2" }],
          },
          {
            Statement: `UPDATE "${THINGS}" SET n=n+? WHERE pk=? AND sk=? AND n=? RETURNING ALL NEW *`,
            Parameters: [{ N: "1" }, { S: "a" }, { S: "1" }, { N: "7" }],
            ReturnValuesOnConditionCheckFailure: "ALL_OLD",
          },
          { Statement: `DELETE FROM "${THINGS}" WHERE pk='a' AND sk='3'` },
          { Statement: `UPDATE "${THINGS}" SEX n=1` },
        ],
      }),
    );
    expect(Responses).toMatchObject([
      { TableName: THINGS },
      { Error: { Code: "ConditionalCheckFailed", Item: seeded } },
      { TableName: THINGS },
      { Error: { Code: "ValidationError" } },
    ]);
  });

  test("leaves records of what has changed in the stream", async () => {
    const client = document();
    const Key = { pk: "a", sk: "1" };
    const set = (n: number) =>
      client.send(
        new UpdateCommand({
          TableName: THINGS,
          Key,
          UpdateExpression: "SET n = :n",
          ExpressionAttributeValues: { ":n": n },
        }),
      );
    await set(1);
    await set(2);
    await set(2);
    await client.send(new DeleteCommand({ TableName: THINGS, Key }));
    const { records } = await ask<{ records: { eventName: string; dynamodb: object }[] }>(
      "stream",
      { table: THINGS, max: 10 },
    );
    expect(records.map(({ eventName }) => eventName)).toEqual(["INSERT", "MODIFY", "REMOVE"]);
    expect(records[1]?.dynamodb).toMatchObject({
      Keys: { pk: { S: "a" }, sk: { S: "1" } },
      OldImage: { n: { N: "1" } },
      NewImage: { n: { N: "2" } },
    });
  });
});

describe("the SDK's SQS client", () => {
  test("sends messages, whose digests are right, and they can be taken at once", async () => {
    const client = new SQSClient(config);
    await client.send(new SendMessageCommand({ QueueUrl: queueUrl, MessageBody: "olá ✓" }));
    await client.send(
      new SendMessageBatchCommand({
        QueueUrl: queueUrl,
        Entries: [
          { Id: "0", MessageBody: "x".repeat(70_000), DelaySeconds: 7, MessageGroupId: "g" },
          { Id: "1", MessageBody: "y" },
        ],
      }),
    );
    expect(await ask("receive", { queueUrl, max: 2 })).toEqual({
      messages: [
        { messageId: expect.any(String), body: "olá ✓", delaySeconds: 0 },
        expect.objectContaining({ delaySeconds: 7, groupId: "g" }),
      ],
    });
    expect(await ask("counts")).toMatchObject({
      calls: { sqs: { SendMessage: 1, SendMessageBatch: 1 } },
      sqsRequests: 3,
      sqsRequestsWithGroup: 2,
    });
    const { Messages } = await client.send(
      new ReceiveMessageCommand({ QueueUrl: queueUrl, MaxNumberOfMessages: 10 }),
    );
    expect(Messages?.map(({ Body }) => Body)).toEqual(["y"]);
  });

  test("has an exception for a queue that there is not", async () => {
    const client = new SQSClient(config);
    const QueueUrl = `http://127.0.0.1:${aws.port}/000000000000/nowhere`;
    await expect(
      client.send(new SendMessageCommand({ QueueUrl, MessageBody: "x" })),
    ).rejects.toThrow(QueueDoesNotExist);
  });
});

test("the SDK's EventBridge client puts events, which rules take to queues", async () => {
  const client = new EventBridgeClient(config);
  await ask("rules", {
    rules: [
      { bus: "bus", pattern: { source: ["us"], detail: { to: ["x"] } }, queueUrls: [queueUrl] },
    ],
  });
  const entry = (Detail: object) => ({
    EventBusName: "bus",
    Source: "us",
    DetailType: "Thing",
    Time: new Date(0),
    Detail: JSON.stringify(Detail),
  });
  const answer = await client.send(
    new PutEventsCommand({
      Entries: [entry({ to: "x" }), entry({ to: "y", text: "z".repeat(70_000) })],
    }),
  );
  expect(answer).toMatchObject({ FailedEntryCount: 0 });
  expect(answer.Entries).toHaveLength(2);
  expect(await ask("receive", { queueUrl, max: 9 })).toMatchObject({
    messages: [{ body: '{"to":"x"}' }],
  });
  expect(await ask("counts")).toMatchObject({
    events: 3,
    sqsRequests: 0,
    sqsRequestsFromEventBridge: 1,
    calls: { eventbridge: { PutEvents: 1 }, "eventbridge-to-sqs": { SendMessage: 1 } },
  });
});

test("the SDK's Scheduler client creates schedules, which fire when they are told to", async () => {
  const client = new SchedulerClient(config);
  const create = (Name: string) =>
    client.send(
      new CreateScheduleCommand({
        Name,
        GroupName: "group",
        ScheduleExpression: "at(2026-03-02T12:00:00)",
        FlexibleTimeWindow: { Mode: "OFF" },
        Target: { Arn: QUEUE_ARN, RoleArn: "arn:aws:iam::000000000000:role/r", Input: "{}" },
      }),
    );
  await create("one");
  await create("two");
  await expect(create("two")).rejects.toThrow(ConflictException);
  const remove = () => client.send(new DeleteScheduleCommand({ Name: "two", GroupName: "group" }));
  await remove();
  await expect(remove()).rejects.toThrow(ResourceNotFoundException);
  const at = Date.UTC(2026, 2, 2, 12);
  expect(await ask("schedules")).toEqual({
    schedules: [{ name: "one", at, queueUrl, input: "{}" }],
  });
  expect(await ask("fire", { now: at - 1 })).toEqual({ fired: 0 });
  expect(await ask("fire", { now: at })).toEqual({ fired: 1 });
  expect(await ask("receive", { queueUrl, max: 9 })).toMatchObject({ messages: [{ body: "{}" }] });
  expect(await ask("counts")).toMatchObject({ schedulerInvocations: 1 });
});

test("the SDK's other clients are answered", async () => {
  await ask("secrets", { secrets: { name: "value" } });
  const secrets = new SecretsManagerClient(config);
  expect(await secrets.send(new GetSecretValueCommand({ SecretId: "name" }))).toMatchObject({
    SecretString: "value",
  });
  const mail = await new SESv2Client(config).send(
    new SendEmailCommand({ Content: { Raw: { Data: Buffer.from("x") } } }),
  );
  expect(mail.MessageId).toEqual(expect.any(String));
});

test("the carrier takes everything, and so does the customer", async () => {
  const carrier = await fetch(`http://127.0.0.1:${aws.port}/carrier/cgi-bin/sendsms`, {
    method: "POST",
    body: "Hello",
  });
  expect([carrier.status, await carrier.text()]).toEqual([202, "0: Accepted for delivery"]);
  const customer = await fetch(`http://127.0.0.1:${aws.port}/customer/status?a=b`);
  expect([customer.status, await customer.json()]).toEqual([200, { ok: true }]);
  expect(await ask("counts")).toMatchObject({
    calls: { carrier: { sendsms: 1 }, customer: { GET: 1 } },
    requestBytes: { carrier: 5, customer: 0 },
  });
});

test("what is recorded can be replayed, and tells what was done side by side", async () => {
  const client = createDocumentClient(config);
  const insert = (sk: string) =>
    client.send(
      new PutCommand({
        TableName: THINGS,
        Item: { pk: "a", sk },
        ConditionExpression: "attribute_not_exists(pk)",
      }),
    );
  await ask("record", { on: true });
  await Promise.all([insert("1"), insert("2")]);
  await insert("3");
  await ask("record", { on: false });
  const { requests } = await ask<{ requests: { startedAfter: number; response: object }[] }>(
    "recorded",
  );
  expect(requests.map(({ startedAfter }) => startedAfter)).toEqual([0, 0, 2]);
  expect(requests[0]).toMatchObject({
    service: "dynamodb",
    operation: "PutItem",
    method: "POST",
    path: "/",
    response: { status: 200, body: "{}" },
  });
  await expect(insert("1")).rejects.toThrow(ConditionalCheckFailedException);
  await ask("replay", { on: true });
  await insert("1");
  await insert("1");
  await expect(insert("4")).resolves.toBeDefined();
  expect(await ask("replay", { on: false })).toEqual({ hits: 2, misses: 1 });
});
