import { EventBridgeClient } from "@aws-sdk/client-eventbridge";
import { expect, it } from "vitest";
import { createEventBus } from "../../../functions/adapters/eventbridge/event-bus.ts";
import {
  type EndpointDisabled,
  messageReceived,
  messageStatusChanged,
} from "../../../functions/core/events.ts";
import { sampleMessage, sampleMo } from "../../support/samples.ts";
import { stubbedAws } from "../../support/stub-aws.ts";

const now = Date.parse("2026-03-02T15:00:00Z");
const events = (count: number) =>
  Array.from({ length: count }, (_, n) =>
    messageStatusChanged(sampleMessage(now, { traceId: `trace-${n}` })),
  );

it("puts events on the bus in tens", async () => {
  const { requests, config } = stubbedAws(() => ({ body: { FailedEntryCount: 0, Entries: [] } }));
  const bus = createEventBus({ client: new EventBridgeClient(config), busName: "torpedo-test" });
  expect(await bus.publish(events(23))).toEqual([]);
  expect(requests.map(({ target }) => target)).toEqual(Array(3).fill("AWSEvents.PutEvents"));
  const entries = requests.flatMap(({ body }) => body.Entries as Record<string, unknown>[]);
  expect(entries).toHaveLength(23);
  expect(entries[0]).toEqual({
    EventBusName: "torpedo-test",
    Source: "torpedo",
    DetailType: "Message Status Changed",
    Time: now / 1_000,
    Detail: JSON.stringify(events(1)[0]),
  });
});

it("calls an MO what rules look for, at the time it came in", async () => {
  const { requests, config } = stubbedAws(() => ({ body: { FailedEntryCount: 0, Entries: [] } }));
  const bus = createEventBus({ client: new EventBridgeClient(config), busName: "torpedo-test" });
  const received = messageReceived(sampleMo(now + 7_000));
  expect(await bus.publish([...events(1), received])).toEqual([]);
  const entries = requests.flatMap(({ body }) => body.Entries as Record<string, unknown>[]);
  expect(entries.map(({ DetailType }) => DetailType)).toEqual([
    "Message Status Changed",
    "Message Received",
  ]);
  expect(entries[1]).toEqual({
    EventBusName: "torpedo-test",
    Source: "torpedo",
    DetailType: "Message Received",
    Time: now / 1_000 + 7,
    Detail: JSON.stringify(received),
  });
});

it("calls an endpoint that is disabled what rules look for, at the time it was", async () => {
  const { requests, config } = stubbedAws(() => ({ body: { FailedEntryCount: 0, Entries: [] } }));
  const bus = createEventBus({ client: new EventBridgeClient(config), busName: "torpedo-test" });
  const disabled: EndpointDisabled = {
    version: 1,
    eventId: "endpoint-1.disabled.1",
    account: "acme",
    endpointId: "endpoint-1",
    origin: "https://customer.example",
    reason: "failing",
    at: new Date(now + 9_000).toISOString(),
  };
  expect(await bus.publish([disabled])).toEqual([]);
  expect(requests[0]?.body.Entries).toEqual([
    {
      EventBusName: "torpedo-test",
      Source: "torpedo",
      DetailType: "Endpoint Disabled",
      Time: now / 1_000 + 9,
      Detail: JSON.stringify(disabled),
    },
  ]);
});

it("answers which events were not taken, by their place among all", async () => {
  const { config } = stubbedAws(({ body }) => {
    const entries = (body.Entries as { Detail: string }[]).map(({ Detail }) =>
      /trace-(3|12)"/.test(Detail) ? { ErrorCode: "ThrottlingException" } : { EventId: "e" },
    );
    return { body: { FailedEntryCount: 1, Entries: entries } };
  });
  const bus = createEventBus({ client: new EventBridgeClient(config), busName: "torpedo-test" });
  expect(await bus.publish(events(15))).toEqual([3, 12]);
});
