import { EventBridgeClient } from "@aws-sdk/client-eventbridge";
import { expect, it } from "vitest";
import { createEventBus } from "../../../functions/adapters/eventbridge/event-bus.ts";
import {
  type EndpointDisabled,
  messageReceived,
  messageStatusChanged,
  messageStatusesChangedSchema,
} from "../../../functions/core/events.ts";
import { sampleMessage, sampleMo } from "../../support/samples.ts";
import { stubbedAws } from "../../support/stub-aws.ts";

const now = Date.parse("2026-03-02T15:00:00Z");
const events = (count: number) =>
  Array.from({ length: count }, (_, n) =>
    messageStatusChanged(sampleMessage(now, { traceId: `trace-${n}`, state: "DELIVERED" })),
  );
/** Changes after which more is to come. */
const passing = (count: number, overrides: Parameters<typeof sampleMessage>[1] = {}) =>
  Array.from({ length: count }, (_, n) =>
    messageStatusChanged(
      sampleMessage(now + n, { traceId: `passing-${n}`, state: "SENT", ...overrides }),
    ),
  );

it("puts changes of an account after which more is to come on the bus together, up to what is billed as one", async () => {
  const { requests, config } = stubbedAws(() => ({ body: { FailedEntryCount: 0, Entries: [] } }));
  const bus = createEventBus({ client: new EventBridgeClient(config), busName: "torpedo-test" });
  const others = passing(2, { account: "other" });
  const changes = passing(200);
  const noReceipts = passing(1, { reason: "no-receipts" });
  expect(
    await bus.publish([...changes.slice(0, 50), ...others, ...changes.slice(50), ...noReceipts]),
  ).toEqual([]);
  const entries = requests.flatMap(
    ({ body }) => body.Entries as { DetailType: string; Detail: string; Time: number }[],
  );
  const together = entries.filter(({ DetailType }) => DetailType === "Message Statuses Changed");
  expect(entries.length - together.length).toBe(1);
  const details = together.map(({ Detail }) =>
    messageStatusesChangedSchema.parse(JSON.parse(Detail)),
  );
  const told = details.filter(({ account }) => account === "acme");
  expect(told.flatMap((detail) => detail.changes)).toEqual(changes);
  expect(details.at(-1)).toEqual({ version: 1, account: "other", changes: others });
  expect(told.length).toBeLessThan(5);
  for (const { Detail } of together) expect(Detail.length).toBeLessThan(64 * 1_024);
});

it("answers all changes that were in an entry that was not taken", async () => {
  const { config } = stubbedAws(({ body }) => {
    const entries = (body.Entries as { Detail: string }[]).map(({ Detail }) =>
      Detail.includes('"account":"other"')
        ? { ErrorCode: "ThrottlingException" }
        : { EventId: "e" },
    );
    return { body: { FailedEntryCount: 1, Entries: entries } };
  });
  const bus = createEventBus({ client: new EventBridgeClient(config), busName: "torpedo-test" });
  const [first, second] = passing(2, { account: "other" });
  const mixed = [...events(1), first, ...passing(2), second, ...events(1)].filter(
    (event) => event !== undefined,
  );
  expect((await bus.publish(mixed)).sort()).toEqual([1, 4]);
});

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

it("answers what was in requests that failed, and goes on with the others", async () => {
  const { config } = stubbedAws(({ body }) =>
    JSON.stringify(body).includes("trace-13")
      ? { status: 500 }
      : { body: { FailedEntryCount: 0, Entries: [] } },
  );
  const bus = createEventBus({ client: new EventBridgeClient(config), busName: "torpedo-test" });
  expect(await bus.publish(events(23))).toEqual([10, 11, 12, 13, 14, 15, 16, 17, 18, 19]);
});

it("throws where every request failed", async () => {
  const { config } = stubbedAws(() => ({ status: 500 }));
  const bus = createEventBus({ client: new EventBridgeClient(config), busName: "torpedo-test" });
  await expect(bus.publish(events(23))).rejects.toThrow();
});

it("puts no more on the bus at a time than it takes", async () => {
  const { requests, config } = stubbedAws(() => ({ body: { FailedEntryCount: 0, Entries: [] } }));
  const bus = createEventBus({ client: new EventBridgeClient(config), busName: "torpedo-test" });
  const large = events(5).map((event) => ({ ...event, extraInfo: "x".repeat(100_000) }));
  expect(await bus.publish(large)).toEqual([]);
  expect(requests.map(({ body }) => (body.Entries as unknown[]).length)).toEqual([2, 2, 1]);
});
