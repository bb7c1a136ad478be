import type { AttributeValue } from "@aws-sdk/client-dynamodb";
import { marshall } from "@aws-sdk/util-dynamodb";
import type { DynamoDBRecord } from "aws-lambda";
import { beforeEach, describe, expect, it } from "vitest";
import { eventOfRecord } from "../../../functions/adapters/dynamodb/message-stream.ts";
import {
  isMessageReceived,
  messageReceived,
  type TorpedoEvent,
} from "../../../functions/core/events.ts";
import type { Message } from "../../../functions/core/message.ts";
import { createHandler } from "../../../functions/status-events/handler.ts";
import { MemoryBus } from "../../support/memory.ts";
import { RecordingLog, RecordingMeter } from "../../support/recording-log.ts";
import { sampleLongMessage, sampleMessage, sampleMo } from "../../support/samples.ts";

const now = Date.parse("2026-03-02T15:00:00Z");
const MT = { pk: "acme#id-1", sk: "MT" };

function recordOf(
  sequenceNumber: string,
  after?: object,
  before?: object,
  key: { readonly pk: string; readonly sk: string } = MT,
): DynamoDBRecord {
  const image = (item: object) => marshall({ ...key, ...item }) as Record<string, AttributeValue>;
  return {
    eventName: after ? (before ? "MODIFY" : "INSERT") : "REMOVE",
    dynamodb: {
      SequenceNumber: sequenceNumber,
      Keys: marshall(key),
      ...(after && { NewImage: image(after) }),
      ...(before && { OldImage: image(before) }),
    },
  } as DynamoDBRecord;
}

describe("status-events", () => {
  let bus: MemoryBus;
  let log: RecordingLog;
  let meter: RecordingMeter;
  let setAside: { what: unknown; cause: string }[];
  let handle: ReturnType<typeof createHandler>;

  beforeEach(() => {
    bus = new MemoryBus();
    log = new RecordingLog();
    meter = new RecordingMeter();
    setAside = [];
    const deadLetters = {
      put: async (what: unknown, cause: string) => {
        setAside.push({ what, cause });
      },
    };
    handle = createHandler({ eventOf: eventOfRecord, bus, deadLetters, log, meter });
  });

  const stateOf = (event: TorpedoEvent) => (isMessageReceived(event) ? "RECEIVED" : event.state);
  const statesOnBus = () => bus.events.map(stateOf);

  const queued = sampleMessage(now);
  const later = (ms: number, overrides: Partial<Message>) =>
    sampleMessage(now, { stateAt: now + ms, attempts: 1, ...overrides });
  const sending = later(100, { state: "SENDING" });
  const sent = later(300, { state: "SENT", sentAt: now + 300 });
  const delivered = later(2_300, { state: "DELIVERED", sentAt: now + 300 });

  it("tells of every change of a message, in order, and measures it", async () => {
    const response = await handle({
      Records: [
        recordOf("1", queued),
        recordOf("2", sending, queued),
        recordOf("3", sent, sending),
        recordOf("4", delivered, sent),
        recordOf("5", undefined, delivered),
      ],
    });
    expect(response).toEqual({ batchItemFailures: [] });
    expect(statesOnBus()).toEqual(["QUEUED", "SENDING", "SENT", "DELIVERED"]);
    expect(meter.counts).toEqual({
      MessagesAccepted: 1,
      MessagesSent: 1,
      PartsSent: 1,
      MessagesDelivered: 1,
    });
    expect(meter.times).toEqual({ AcceptedToSent: [300], SentToDelivered: [2_000] });
    expect(meter.flushes).toBe(1);
  });

  it("has the stream come again from what the bus did not take, and counts only what it took", async () => {
    bus.refuses = (event) => stateOf(event) === "SENDING";
    const response = await handle({
      Records: [recordOf("1", queued), recordOf("2", sending, queued)],
    });
    expect(response).toEqual({ batchItemFailures: [{ itemIdentifier: "2" }] });
    expect(meter.counts).toEqual({ MessagesAccepted: 1 });
    // What was taken behind it comes again as well, and is counted then.
    await handle({
      Records: [
        recordOf("2", sending, queued),
        recordOf("3", sampleMessage(now, { traceId: "other" })),
      ],
    });
    expect(meter.counts).toEqual({ MessagesAccepted: 1 });
  });

  it("throws where the bus is away, so that the whole batch comes again", async () => {
    bus.publish = () => Promise.reject(new Error("away"));
    await expect(handle({ Records: [recordOf("1", queued)] })).rejects.toThrow("away");
  });

  it("sets aside, with the reason, a record that it cannot read, and goes on", async () => {
    const strange = recordOf("1", { ...queued, version: 2 });
    const response = await handle({ Records: [strange, recordOf("2", queued)] });
    expect(response).toEqual({ batchItemFailures: [] });
    expect(setAside).toEqual([
      { what: strange, cause: expect.stringContaining("cannot be read: version") },
    ]);
    expect(bus.events).toHaveLength(1);
  });

  it("logs neither numbers nor texts", async () => {
    await handle({ Records: [recordOf("1", queued), recordOf("2", { ...queued, version: 2 })] });
    expect(JSON.stringify([log.infos, log.errors])).not.toMatch(/5519900001111|Hello/);
  });

  it("counts how messages ended", async () => {
    const ends = ["NOT_DELIVERED", "FAILED", "BLOCKED", "EXPIRED", "CANCELED"] as const;
    await handle({
      Records: ends.map((state, n) =>
        recordOf(String(n), sampleMessage(now, { state }), sampleMessage(now)),
      ),
    });
    expect(meter.counts).toEqual({
      MessagesNotDelivered: 1,
      MessagesFailed: 1,
      MessagesBlocked: 1,
      MessagesExpired: 1,
      MessagesCanceled: 1,
    });
  });

  it("counts the parts of what was sent", async () => {
    const before = sampleLongMessage(now, { state: "SENDING" });
    const after = sampleLongMessage(now, { state: "SENT", sentAt: now });
    await handle({ Records: [recordOf("1", after, before)] });
    expect(meter.counts).toEqual({ MessagesSent: 1, PartsSent: 3 });
  });

  it("does not tell of parts that change while their message stays as it is", async () => {
    const long = sampleLongMessage(now, { state: "SENT", attempts: 1 });
    const parts = long.parts?.map((part) => ({ ...part, state: "DELIVERED" as const })) ?? [];
    const noted = { ...long, parts: [...parts.slice(0, 2), ...(long.parts ?? []).slice(2)] };
    await handle({ Records: [recordOf("1", noted, long)] });
    expect(bus.events).toEqual([]);
    await handle({ Records: [recordOf("2", { ...noted, state: "DELIVERED", parts }, noted)] });
    expect(bus.events).toMatchObject([{ state: "DELIVERED", parts: 3 }]);
  });

  describe("given MOs", () => {
    const mo = sampleMo(now, { text: "a reply" });
    const suffix = `${new Date(now).toISOString()}#${mo.id}`;
    const known = { pk: "acme", sk: `MO#${suffix}` };
    const fresh = { pk: "acme", sk: `NEW#${suffix}` };

    it("tells of a new one once, whatever becomes of it", async () => {
      const response = await handle({
        Records: [
          recordOf("1", mo, undefined, known),
          recordOf("2", mo, undefined, fresh),
          recordOf("3", undefined, mo, fresh),
          recordOf("4", mo, mo, known),
          recordOf("5", undefined, mo, known),
        ],
      });
      expect(response).toEqual({ batchItemFailures: [] });
      expect(bus.events).toEqual([messageReceived(mo)]);
      expect(meter.counts).toEqual({ MessagesReceived: 1 });
      expect(meter.times).toEqual({});
    });

    it("logs that they came, and neither number nor text", async () => {
      await handle({ Records: [recordOf("1", mo, undefined, known)] });
      expect(log.infos).toEqual([
        {
          message: "batch",
          events: [{ traceId: messageReceived(mo).eventId, state: "RECEIVED" }],
        },
      ]);
      expect(JSON.stringify(log.infos)).not.toMatch(/5519900001111|a reply/);
    });

    it("has the stream come again from one that the bus did not take", async () => {
      bus.refuses = isMessageReceived;
      const response = await handle({
        Records: [recordOf("1", queued), recordOf("2", mo, undefined, known)],
      });
      expect(response).toEqual({ batchItemFailures: [{ itemIdentifier: "2" }] });
      expect(statesOnBus()).toEqual(["QUEUED"]);
      expect(meter.counts).toEqual({ MessagesAccepted: 1 });
    });

    it("sets aside, without its text in the log, one that it cannot read", async () => {
      const strange = recordOf("1", { ...mo, version: 2 }, undefined, known);
      await handle({ Records: [strange, recordOf("2", queued)] });
      expect(setAside).toEqual([
        { what: strange, cause: expect.stringContaining("MO cannot be read: version") },
      ]);
      expect(statesOnBus()).toEqual(["QUEUED"]);
      expect(JSON.stringify([log.infos, log.errors])).not.toMatch(/5519900001111|a reply/);
    });
  });

  it("says nothing of what else lies in the table", async () => {
    const others = ["BATCH#0000", "CANCELED#1772463600000", "OPEN#batch-1"];
    const item = { version: 1, removeAt: 0 };
    const response = await handle({
      Records: others.flatMap((sk, n) => [
        recordOf(`${n}`, item, undefined, { pk: "acme#batch-1", sk }),
        recordOf(`${n}`, item, item, { pk: "acme#batch-1", sk }),
      ]),
    });
    expect(response).toEqual({ batchItemFailures: [] });
    expect([bus.events, setAside]).toEqual([[], []]);
  });
});
