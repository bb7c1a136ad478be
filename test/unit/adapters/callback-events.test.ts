import { SQSClient } from "@aws-sdk/client-sqs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createCallbackEvents } from "../../../functions/adapters/sqs/callback-events.ts";
import {
  messageReceived,
  messageStatusChanged,
  type TorpedoEvent,
} from "../../../functions/core/events.ts";
import { sampleMessage, sampleMo } from "../../support/samples.ts";
import { stubbedAws, type WireRequest } from "../../support/stub-aws.ts";

const now = Date.parse("2026-03-02T15:00:00Z");
const queueUrl = "https://sqs.us-east-1.amazonaws.com/123456789012/events";

interface Entry {
  readonly Id: string;
  readonly MessageBody: string;
  readonly MessageGroupId: string;
}
const entriesOf = ({ body }: WireRequest) => body.Entries as Entry[];
const eventsOf = ({ MessageBody }: Entry) =>
  (JSON.parse(MessageBody) as { events: TorpedoEvent[] }).events;

function setUp(isAway: (request: WireRequest) => boolean = () => false) {
  const { requests, config } = stubbedAws((request) =>
    isAway(request) ? { status: 500 } : { body: { Successful: [] } },
  );
  const client = new SQSClient({ ...config, md5: false });
  return { requests, queue: createCallbackEvents({ client, queueUrl }) };
}

const sent = (n: number, account = "acme", extraInfo?: string) =>
  messageStatusChanged(
    sampleMessage(now, {
      account,
      traceId: `trace-${n}`,
      state: "SENT",
      ...(extraInfo !== undefined && { extraInfo }),
    }),
  );
const manySent = (count: number) => Array.from({ length: count }, (_, n) => sent(n));

describe("the queue of events for callbacks", () => {
  it("takes fifty events of an account in a message, and all messages with one request", async () => {
    const { requests, queue } = setUp();
    const events = manySent(120);
    expect(await queue.put(events)).toEqual([]);
    expect(requests.map(({ target }) => target)).toEqual(["AmazonSQS.SendMessageBatch"]);
    const entries = requests.flatMap(entriesOf);
    expect(entries.map((entry) => eventsOf(entry).length)).toEqual([50, 50, 20]);
    expect(entries.flatMap(eventsOf)).toEqual(events);
  });

  it("holds the events of accounts apart, each account's in order and under its name", async () => {
    const { requests, queue } = setUp();
    const mo = messageReceived(sampleMo(now, { account: "other" }));
    await queue.put([sent(1), sent(2, "other"), sent(3), mo]);
    expect(
      requests.flatMap(entriesOf).map((entry) => [entry.MessageGroupId, eventsOf(entry)]),
    ).toEqual([
      ["acme", [sent(1), sent(3)]],
      ["other", [sent(2, "other"), mo]],
    ]);
  });

  it("asks nothing where there is nothing", async () => {
    const { requests, queue } = setUp();
    expect(await queue.put([])).toEqual([]);
    expect(requests).toEqual([]);
  });

  it("keeps to the sizes that SQS takes, whatever events are like", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.tuple(fc.constantFrom("acme", "other", "third"), fc.integer({ min: 0, max: 90_000 })),
          { maxLength: 40 },
        ),
        async (shapes) => {
          const { requests, queue } = setUp();
          const events = shapes.map(([account, size], n) => sent(n, account, "ã".repeat(size / 2)));
          expect(await queue.put(events)).toEqual([]);
          for (const request of requests) {
            const sizes = entriesOf(request).map((entry) => Buffer.byteLength(entry.MessageBody));
            expect(sizes.length).toBeLessThanOrEqual(10);
            expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(256 * 1_024);
            expect(Math.max(...sizes)).toBeLessThanOrEqual(201_000);
          }
          const told = requests.flatMap(entriesOf).flatMap(eventsOf);
          const byId = (one: TorpedoEvent, another: TorpedoEvent) =>
            one.eventId.localeCompare(another.eventId);
          expect(told.sort(byId)).toEqual([...events].sort(byId));
        },
      ),
      { numRuns: 40 },
    );
  });

  it("answers what was in requests that failed", async () => {
    const isOthers = (request: WireRequest) =>
      entriesOf(request).some(({ MessageGroupId }) => MessageGroupId === "other");
    const { queue } = setUp(isOthers);
    const large = "x".repeat(150_000);
    const events = [sent(1), sent(2, "other", large), sent(3), sent(4, "third", large)];
    // The request of the first account has room for the second's.
    expect(await queue.put(events)).toEqual([0, 2, 1]);
    expect(await queue.put([sent(1, "acme", large), sent(2, "other", large)])).toEqual([1]);
  });

  it("throws where every request failed", async () => {
    const { queue } = setUp(() => true);
    await expect(queue.put(manySent(3))).rejects.toThrow();
  });

  it("takes what phones write, also what SQS refuses", async () => {
    const { requests, queue } = setUp();
    const text = "a\ufffeb\uffffc\ud83d\ude00\u0000";
    const mo = messageReceived(sampleMo(now, { text }));
    await queue.put([mo]);
    const [entry] = requests.flatMap(entriesOf);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
    expect(entry?.MessageBody).not.toMatch(/[\u0000-\u001f\ufffe\uffff]/);
    expect(entry && eventsOf(entry)).toEqual([mo]);
  });
});
