import { SQSClient } from "@aws-sdk/client-sqs";
import { expect, it } from "vitest";
import { createCallbackDeadLetters } from "../../../functions/adapters/sqs/callback-dead-letters.ts";
import { stubbedAws, type WireResponse } from "../../support/stub-aws.ts";

const urlOf = (name: string) => `https://sqs.us-east-1.amazonaws.com/123456789012/${name}`;

function lettersAnswering(answer: WireResponse = {}) {
  const { requests, config } = stubbedAws(() => answer);
  const letters = createCallbackDeadLetters({
    client: new SQSClient({ ...config, md5: false }),
    deadLetterQueueUrl: urlOf("dead-letters"),
    eventsQueueUrl: urlOf("events"),
  });
  return { letters, requests };
}

it("receives ten with their reason, ours or EventBridge's, and hides them for a minute", async () => {
  const text = (StringValue: string) => ({ DataType: "String", StringValue });
  const { letters, requests } = lettersAnswering({
    body: {
      Messages: [
        { Body: "a", ReceiptHandle: "1", MessageAttributes: { cause: text("HTTP 500") } },
        { Body: "b", ReceiptHandle: "2", MessageAttributes: { ERROR_MESSAGE: text("no queue") } },
        { Body: "c", ReceiptHandle: "3" },
      ],
    },
  });
  expect(await letters.receive()).toEqual([
    { body: "a", cause: "HTTP 500", handle: "1" },
    { body: "b", cause: "no queue", handle: "2" },
    { body: "c", cause: undefined, handle: "3" },
  ]);
  expect(requests.map(({ body }) => body)).toEqual([
    {
      QueueUrl: urlOf("dead-letters"),
      MaxNumberOfMessages: 10,
      VisibilityTimeout: 60,
      // Without a wait SQS asks but some of its servers, and finds nothing where there is something.
      WaitTimeSeconds: 1,
      MessageAttributeNames: ["cause", "ERROR_MESSAGE"],
    },
  ]);
});

it("receives nothing where there is nothing", async () => {
  expect(await lettersAnswering().letters.receive()).toEqual([]);
});

it("removes one, and has an event told anew", async () => {
  const { letters, requests } = lettersAnswering();
  await letters.remove({ body: "{}", cause: undefined, handle: "handle-1" });
  await letters.resendEvent('{"a":1}');
  const [QueueUrl, ReceiptHandle] = [urlOf("dead-letters"), "handle-1"];
  expect(requests.map(({ target, body }) => [target, body])).toEqual([
    ["AmazonSQS.DeleteMessage", { QueueUrl, ReceiptHandle }],
    ["AmazonSQS.SendMessage", { QueueUrl: urlOf("events"), MessageBody: '{"a":1}' }],
  ]);
});
