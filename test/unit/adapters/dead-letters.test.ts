import { SQSClient } from "@aws-sdk/client-sqs";
import { describe, expect, it } from "vitest";
import { createDeadLetters, openPoison } from "../../../functions/adapters/sqs/dead-letters.ts";
import { stubbedAws } from "../../support/stub-aws.ts";

const queueUrl = "https://sqs.us-east-1.amazonaws.com/123456789012/dead-letters";

function setUp() {
  const { requests, config } = stubbedAws(() => ({ body: { MessageId: "m" } }));
  const client = new SQSClient({ ...config, md5: false });
  return { requests, client, deadLetters: createDeadLetters({ client, queueUrl }) };
}

const letter = (body: string, cause: string) => ({
  QueueUrl: queueUrl,
  MessageBody: body,
  MessageAttributes: { cause: { DataType: "String", StringValue: cause } },
});

describe("dead letters", () => {
  it("are what it was in JSON, or the very body, with the cause beside it", async () => {
    const { requests, deadLetters } = setUp();
    await deadLetters.put({ n: 1 }, "nobody's");
    await deadLetters.putBody('{"n": 1', "no JSON");
    expect(requests.map(({ body }) => body)).toEqual([
      letter('{"n":1}', "nobody's"),
      letter('{"n": 1', "no JSON"),
    ]);
  });

  it.each([
    ["", "unknown"],
    ["x".repeat(2_000), "x".repeat(1_000)],
    ["a\u0000b\uffff", "a b "],
    [`${"x".repeat(999)}\u{1f600}`, `${"x".repeat(999)}\ufffd`],
  ])("have a cause as SQS takes it: %#", async (cause, stored) => {
    const { requests, deadLetters } = setUp();
    await deadLetters.putBody("{}", cause);
    expect(requests.map(({ body }) => body)).toEqual([letter("{}", stored)]);
  });

  it("are those of the queue that the environment names", async () => {
    const { requests, client } = setUp();
    const poison = openPoison({ DEAD_LETTER_QUEUE_URL: queueUrl, MAX_RECEIVES: 10 }, { client });
    expect(poison.maxReceives).toBe(10);
    await poison.setAside("{", "no JSON");
    expect(requests.map(({ body }) => body)).toEqual([letter("{", "no JSON")]);
  });
});
