import { beforeEach, describe, expect, it } from "vitest";
import { changeOfRecord } from "../../../functions/adapters/dynamodb/message-stream.ts";
import {
  isMessageReceived,
  messageReceived,
  type TorpedoEvent,
} from "../../../functions/core/events.ts";
import type { Message } from "../../../functions/core/message.ts";
import type { EventChoice } from "../../../functions/core/publish-changes.ts";
import { createHandler } from "../../../functions/status-events/handler.ts";
import { MemoryBus } from "../../support/memory.ts";
import { RecordingLog, RecordingMeter } from "../../support/recording-log.ts";
import { sampleLongMessage, sampleMessage, sampleMo } from "../../support/samples.ts";
import { recordOf } from "./support.ts";

const now = Date.parse("2026-03-02T15:00:00Z");
describe("status-events", () => {
  let bus: MemoryBus;
  let queue: MemoryBus;
  let log: RecordingLog;
  let meter: RecordingMeter;
  let setAside: { what: unknown; cause: string }[];
  let handle: ReturnType<typeof createHandler>;

  beforeEach(() => {
    bus = new MemoryBus();
    queue = new MemoryBus();
    log = new RecordingLog();
    meter = new RecordingMeter();
    setAside = [];
    begin("told");
  });

  /** A new copy of the function, that remembers nothing. */
  function begin(choice: EventChoice): void {
    handle = createHandler({
      changeOf: changeOfRecord,
      choice,
      bus,
      callbacks: { put: (events) => queue.publish(events) },
      deadLetters: {
        put: async (what, cause) => {
          setAside.push({ what, cause });
        },
      },
      log,
      meter,
    });
  }

  const stateOf = (event: TorpedoEvent) => (isMessageReceived(event) ? "RECEIVED" : event.state);
  const statesOnBus = () => bus.events.map(stateOf);
  const statesInQueue = () => queue.events.map(stateOf);

  const queued = sampleMessage(now);
  const later = (ms: number, overrides: Partial<Message>) =>
    sampleMessage(now, { stateAt: now + ms, attempts: 1, ...overrides });
  const sending = later(100, { state: "SENDING" });
  const sent = later(300, { state: "SENT", sentAt: now + 300 });
  const delivered = later(2_300, { state: "DELIVERED", sentAt: now + 300 });

  const lifeOf = (overrides: Partial<Message> = {}) => {
    const changes = [queued, sending, sent, delivered].map((one) => ({ ...one, ...overrides }));
    return [
      ...changes.map((after, n) => recordOf(String(n + 1), after, changes[n - 1])),
      recordOf("5", undefined, changes.at(-1)),
    ];
  };

  it("tells of what customers can be told of, in order, and measures everything", async () => {
    expect(await handle({ Records: lifeOf() })).toEqual({ batchItemFailures: [] });
    expect(statesOnBus()).toEqual(["SENT", "DELIVERED"]);
    expect(queue.events).toEqual(bus.events);
    expect(meter.counts).toEqual({
      MessagesAccepted: 1,
      MessagesSent: 1,
      PartsSent: 1,
      MessagesDelivered: 1,
    });
    expect(meter.times).toEqual({ AcceptedToSent: [300], SentToDelivered: [2_000] });
    expect(meter.flushes).toBe(1);
  });

  it.each([
    ["told", ["SENT", "DELIVERED"]],
    ["final", ["DELIVERED"]],
    ["every", ["QUEUED", "SENDING", "SENT", "DELIVERED"]],
  ] as const)("tells the bus of as much as the stage says: %s", async (choice, states) => {
    begin(choice);
    await handle({ Records: lifeOf() });
    expect(statesOnBus()).toEqual(states);
    expect(statesInQueue()).toEqual(["SENT", "DELIVERED"]);
    expect(meter.counts).toMatchObject({ MessagesAccepted: 1, MessagesSent: 1 });
  });

  it.each([
    [undefined, ["SENT", "DELIVERED"]],
    ["ALL", ["SENT", "DELIVERED"]],
    ["FINAL", ["DELIVERED"]],
    ["NONE", []],
  ] as const)("leaves out callbacks that nobody can want: %s", async (callbackOption, states) => {
    await handle({ Records: lifeOf(callbackOption && { callbackOption }) });
    expect(statesInQueue()).toEqual(states);
    expect(statesOnBus()).toEqual(["SENT", "DELIVERED"]);
  });

  it("counts a message that took the place of an expired one as accepted", async () => {
    const old = sampleMessage(now - 100_000_000, { ...delivered, traceId: "old" });
    const blocked = sampleMessage(now, { state: "BLOCKED", reason: "opt-out" });
    await handle({ Records: [recordOf("1", queued, old), recordOf("2", blocked, old)] });
    expect(meter.counts).toEqual({ MessagesAccepted: 2, MessagesBlocked: 1 });
    expect(bus.events).toMatchObject([{ state: "BLOCKED", final: true }]);
    expect(bus.events[0]).not.toHaveProperty("previousState");
  });

  const accepted = recordOf("1", queued);
  const wasSent = recordOf("2", sent, sending);
  const wasDelivered = recordOf("3", delivered, sent);

  it("has the stream come again from what the bus did not take, and counts only what it took", async () => {
    bus.refuses = (event) => stateOf(event) === "SENT";
    const response = await handle({ Records: [accepted, wasSent, wasDelivered] });
    expect(response).toEqual({ batchItemFailures: [{ itemIdentifier: "2" }] });
    expect(meter.counts).toEqual({ MessagesAccepted: 1 });
    bus.refuses = () => false;
    expect(await handle({ Records: [wasSent, wasDelivered] })).toEqual({ batchItemFailures: [] });
    expect(meter.counts).toEqual({
      MessagesAccepted: 1,
      MessagesSent: 1,
      PartsSent: 1,
      MessagesDelivered: 1,
    });
    // What one of them had taken it was not given again.
    expect(statesOnBus()).toEqual(["DELIVERED", "SENT"]);
    expect(statesInQueue()).toEqual(["SENT", "DELIVERED"]);
  });

  it("has the whole batch come again where the bus is away, and says why", async () => {
    const publish = bus.publish;
    bus.publish = () => Promise.reject(new Error("away"));
    const Records = [wasSent, wasDelivered];
    for (let n = 0; n < 5; n++) {
      expect(await handle({ Records })).toEqual({ batchItemFailures: [{ itemIdentifier: "2" }] });
    }
    expect(log.errors).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ message: "events not taken: bus", detail: "away" }),
        { message: "changes come again", traceIds: ["trace-1", "trace-1"] },
      ]),
    );
    bus.publish = publish;
    await handle({ Records });
    expect(statesOnBus()).toEqual(["SENT", "DELIVERED"]);
    expect(statesInQueue()).toEqual(["SENT", "DELIVERED"]);
  });

  it("does not have the bus told again and again while the queue is away", async () => {
    queue.refuses = () => true;
    for (let n = 0; n < 5; n++) {
      const response = await handle({ Records: [wasSent] });
      expect(response).toEqual({ batchItemFailures: [{ itemIdentifier: "2" }] });
    }
    queue.refuses = () => false;
    expect(await handle({ Records: [wasSent] })).toEqual({ batchItemFailures: [] });
    expect([statesOnBus(), statesInQueue()]).toEqual([["SENT"], ["SENT"]]);
    // It is not remembered for longer than it may come again.
    await handle({ Records: [wasSent] });
    expect([statesOnBus(), statesInQueue()]).toEqual([
      ["SENT", "SENT"],
      ["SENT", "SENT"],
    ]);
  });

  it("sets aside, with the reason, a record that it cannot read, and goes on", async () => {
    const strange = recordOf("1", { ...queued, version: 2 });
    const response = await handle({ Records: [strange, wasSent] });
    expect(response).toEqual({ batchItemFailures: [] });
    expect(setAside).toEqual([
      { what: strange, cause: expect.stringContaining("cannot be read: version") },
    ]);
    expect(statesOnBus()).toEqual(["SENT"]);
  });

  it.each([
    ["version", { ...sent, version: 2 }],
    ["state", { ...sent, state: "LOST" }],
    ["traceId", { ...sent, traceId: undefined }],
    ["attempts", { ...sent, attempts: "many" }],
    ["parts", { ...sent, parts: "two" }],
  ])("sets aside what it cannot read the %s of", async (what, after) => {
    const item = JSON.parse(JSON.stringify(after));
    await handle({ Records: [recordOf("1", item, sending)] });
    expect(setAside).toMatchObject([{ cause: expect.stringContaining(`read: ${what}`) }]);
    expect([bus.events, queue.events]).toEqual([[], []]);
  });

  it("sets a record aside once, however often those before it come again", async () => {
    const strange = recordOf("3", { ...queued, version: 2 });
    bus.refuses = () => true;
    await handle({ Records: [wasSent, strange] });
    await handle({ Records: [wasSent, strange] });
    expect(setAside).toEqual([]);
    bus.refuses = () => false;
    await handle({ Records: [wasSent, strange] });
    expect(setAside).toHaveLength(1);
  });

  it("has the stream come again from a record that could not be set aside", async () => {
    const strange = recordOf("3", { ...queued, version: 2 });
    setAside.push = () => {
      throw new Error("away");
    };
    const response = await handle({ Records: [wasSent, strange, recordOf("4", queued)] });
    expect(response).toEqual({ batchItemFailures: [{ itemIdentifier: "3" }] });
    expect(meter.counts).toEqual({ MessagesSent: 1, PartsSent: 1 });
  });

  it("logs neither numbers nor texts", async () => {
    queue.refuses = () => true;
    await handle({ Records: [recordOf("1", { ...queued, version: 2 }), wasSent] });
    expect(log.errors).toHaveLength(2);
    expect(JSON.stringify([log.infos, log.errors])).not.toMatch(/5519900001111|Hello/);
  });

  it("says nothing beside its metrics of what went well, and names messages that failed", async () => {
    await handle({ Records: lifeOf() });
    expect([log.infos, log.errors]).toEqual([[], []]);
    const failed = (traceId: string) => sampleMessage(now, { state: "FAILED", traceId });
    await handle({ Records: [recordOf("1", failed("one")), recordOf("2", failed("two"))] });
    expect(log.infos).toEqual([
      { message: "messages failed", state: "FAILED", traceIds: ["one", "two"] },
    ]);
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

    it.each(["told", "final", "every"] as const)("whatever the stage says: %s", async (choice) => {
      begin(choice);
      await handle({ Records: [recordOf("1", mo, undefined, known)] });
      expect(statesOnBus()).toEqual(["RECEIVED"]);
      expect(queue.events).toEqual(bus.events);
    });

    it("has the stream come again from one that the bus did not take", async () => {
      bus.refuses = isMessageReceived;
      const response = await handle({
        Records: [wasSent, recordOf("3", mo, undefined, known)],
      });
      expect(response).toEqual({ batchItemFailures: [{ itemIdentifier: "3" }] });
      expect(statesOnBus()).toEqual(["SENT"]);
      expect(meter.counts).toEqual({ MessagesSent: 1, PartsSent: 1 });
      expect(JSON.stringify(log.errors)).not.toMatch(/5519900001111|a reply/);
    });

    it("sets aside, without its text in the log, one that it cannot read", async () => {
      const strange = recordOf("1", { ...mo, version: 2 }, undefined, known);
      await handle({ Records: [strange, wasSent] });
      expect(setAside).toEqual([
        { what: strange, cause: expect.stringContaining("MO cannot be read: version") },
      ]);
      expect(statesOnBus()).toEqual(["SENT"]);
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
