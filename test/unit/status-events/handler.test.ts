import type { AttributeValue } from "@aws-sdk/client-dynamodb";
import { marshall } from "@aws-sdk/util-dynamodb";
import type { DynamoDBRecord } from "aws-lambda";
import { beforeEach, describe, expect, it } from "vitest";
import { messageWriteOf } from "../../../functions/adapters/dynamodb/message-stream.ts";
import type { Message } from "../../../functions/core/message.ts";
import { createHandler } from "../../../functions/status-events/handler.ts";
import { MemoryBus } from "../../support/memory.ts";
import { RecordingLog, RecordingMeter } from "../../support/recording-log.ts";
import { sampleMessage } from "../../support/samples.ts";

const now = Date.parse("2026-03-02T15:00:00Z");
const image = (item: object) =>
  marshall({ pk: "acme#id-1", sk: "MT", ...item }) as Record<string, AttributeValue>;

function recordOf(sequenceNumber: string, after?: object, before?: object): DynamoDBRecord {
  return {
    eventName: after ? (before ? "MODIFY" : "INSERT") : "REMOVE",
    dynamodb: {
      SequenceNumber: sequenceNumber,
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
    handle = createHandler({ readWrite: messageWriteOf, bus, deadLetters, log, meter });
  });

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
    expect(bus.events.map(({ state }) => state)).toEqual([
      "QUEUED",
      "SENDING",
      "SENT",
      "DELIVERED",
    ]);
    expect(meter.counts).toEqual({ MessagesAccepted: 1, MessagesSent: 1, MessagesDelivered: 1 });
    expect(meter.times).toEqual({ AcceptedToSent: [300], SentToDelivered: [2_000] });
    expect(meter.flushes).toBe(1);
  });

  it("has the stream come again from what the bus did not take, and counts only what it took", async () => {
    bus.refuses = ({ state }) => state === "SENDING";
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
});
