import { randomUUID } from "node:crypto";
import { EventBridgeClient, PutRuleCommand, PutTargetsCommand } from "@aws-sdk/client-eventbridge";
import {
  CreateQueueCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";
import { beforeAll, describe, expect, it } from "vitest";
import {
  type MessageStatusChanged,
  messageStatusChangedSchema,
} from "../../functions/core/events.ts";
import { eventually } from "./support/eventually.ts";
import { clientConfig, stack, TestAccount } from "./support/stack.ts";

const sqs = new SQSClient(clientConfig);
const eventBridge = new EventBridgeClient(clientConfig);

describe("the bus, for a team that hangs a rule of its own on it", () => {
  let account: TestAccount;
  let queueUrl: string;
  const events: (MessageStatusChanged & { source: string; detailType: string })[] = [];

  beforeAll(async () => {
    account = await TestAccount.create();
    const name = `test-${randomUUID()}`;
    const { QueueUrl } = await sqs.send(
      // Long enough for what was received not to come again.
      new CreateQueueCommand({ QueueName: name, Attributes: { VisibilityTimeout: "600" } }),
    );
    queueUrl = QueueUrl ?? "";
    const { Attributes } = await sqs.send(
      new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ["QueueArn"] }),
    );
    const rule = { Name: name, EventBusName: stack.outputs.EventBusName };
    const pattern = { source: ["torpedo"], detail: { account: [account.name] } };
    await eventBridge.send(new PutRuleCommand({ ...rule, EventPattern: JSON.stringify(pattern) }));
    await eventBridge.send(
      new PutTargetsCommand({
        Rule: rule.Name,
        EventBusName: rule.EventBusName,
        Targets: [{ Id: "queue", Arn: Attributes?.QueueArn }],
      }),
    );
  });

  async function receive() {
    const { Messages = [] } = await sqs.send(
      new ReceiveMessageCommand({
        QueueUrl: queueUrl,
        MaxNumberOfMessages: 10,
        WaitTimeSeconds: 1,
      }),
    );
    for (const { Body } of Messages) {
      const event = JSON.parse(Body ?? "");
      const detail = messageStatusChangedSchema.parse(event.detail);
      events.push({ ...detail, source: event.source, detailType: event["detail-type"] });
    }
  }

  it("tells every change of a message once, with one trace", async () => {
    await account.sendSms({ correlationId: "told", extraInfo: "campaign-7" });
    await eventually(async () => {
      await receive();
      expect(events.map(({ state }) => state)).toContain("DELIVERED");
    });
    expect(events.map(({ state }) => state).sort()).toEqual([
      "DELIVERED",
      "QUEUED",
      "SENDING",
      "SENT",
    ]);
    expect(new Set(events.map(({ traceId }) => traceId)).size).toBe(1);
    expect(new Set(events.map(({ eventId }) => eventId)).size).toBe(4);
    expect(events.find(({ state }) => state === "DELIVERED")).toMatchObject({
      source: "torpedo",
      detailType: "Message Status Changed",
      account: account.name,
      id: "told",
      final: true,
      previousState: "SENT",
      carrier: "sandbox",
      extraInfo: "campaign-7",
      codes: { mesago: { statusCode: "03", detailCode: "120" }, wavy: { sent: 2, delivered: 4 } },
    });
  });
});
