import { randomUUID } from "node:crypto";
import { EventBridgeClient, PutRuleCommand, PutTargetsCommand } from "@aws-sdk/client-eventbridge";
import {
  CreateQueueCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";
import { clientConfig, stack } from "./stack.ts";

const sqs = new SQSClient(clientConfig);
const eventBridge = new EventBridgeClient(clientConfig);

/** An event as the bus hands it on; of changes that are told together, each. */
export interface BusEvent {
  readonly source: string;
  readonly detailType: string;
  readonly detail: unknown;
}

/** Watches what the bus tells of an account. @returns as `watchEvents` */
export const watchBus = (account: string) => watchEvents({ account: [account] });

/**
 * Hangs a rule on the bus, as a team does, and a queue behind it.
 * @param detail which events, by their details
 * @returns what waits for more events for a second, and knows all that have come
 */
export async function watchEvents(
  detail: Readonly<Record<string, readonly string[]>>,
): Promise<() => Promise<readonly BusEvent[]>> {
  const name = `test-${randomUUID()}`;
  const { QueueUrl } = await sqs.send(
    // Long enough for what was received not to come again.
    new CreateQueueCommand({ QueueName: name, Attributes: { VisibilityTimeout: "600" } }),
  );
  const { Attributes } = await sqs.send(
    new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ["QueueArn"] }),
  );
  const rule = { Name: name, EventBusName: stack.outputs.EventBusName };
  const pattern = { source: ["torpedo"], detail };
  await eventBridge.send(new PutRuleCommand({ ...rule, EventPattern: JSON.stringify(pattern) }));
  await eventBridge.send(
    new PutTargetsCommand({
      Rule: rule.Name,
      EventBusName: rule.EventBusName,
      Targets: [{ Id: "queue", Arn: Attributes?.QueueArn }],
    }),
  );
  const events: BusEvent[] = [];
  return async () => {
    const { Messages = [] } = await sqs.send(
      new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: 1 }),
    );
    for (const { Body } of Messages) {
      const { source, detail, "detail-type": detailType } = JSON.parse(Body ?? "");
      const { changes = [detail] } = detail as { changes?: unknown[] };
      events.push(...changes.map((change) => ({ source, detailType, detail: change })));
    }
    return events;
  };
}
