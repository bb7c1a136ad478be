import type { Context, SQSEvent } from "aws-lambda";
import fc from "fast-check";
import { beforeEach, describe, expect, it } from "vitest";
import { parseSnsFromQueue } from "../../../functions/adapters/carriers/aws-sms/reports.ts";
import { createHandler } from "../../../functions/carrier-events/handler.ts";
import {
  type CarrierEventsInput,
  carrierEventsInputSchema,
  traceOf,
} from "../../../functions/carrier-events/schema.ts";
import type { CarrierEvent } from "../../../functions/core/carrier.ts";
import { UnreadableItemError } from "../../../functions/core/errors.ts";
import { refOf } from "../../../functions/core/message.ts";
import { createQueueFunction } from "../../../functions/runtime/queue.ts";
import {
  CountingRandomness,
  ManualClock,
  MemoryDeadLetters,
  MemoryDirectory,
  MemoryDispatchQueue,
  MemoryMessages,
  MemoryMos,
} from "../../support/memory.ts";
import { MemoryBlockedNumbers, MemorySubAccounts } from "../../support/memory-customers.ts";
import { MemoryMoParts, MemoryPartsTimer } from "../../support/memory-mo-parts.ts";
import { RecordingLog } from "../../support/recording-log.ts";
import { sampleAccount, sampleMessage } from "../../support/samples.ts";

const TOPIC = "arn:aws:sns:sa-east-1:123456789012:torpedo";
const BATCH_SIZE = 10;
const MAX_RECEIVES = 10;

/** A message in the queue. */
interface Queued {
  readonly body: string;
  readonly messageId: string;
  receives: number;
}

describe("carrier-events", () => {
  let clock: ManualClock;
  let messages: MemoryMessages;
  let directory: MemoryDirectory;
  let mos: MemoryMos;
  let partsTimer: MemoryPartsTimer;
  let setAside: { body: string; cause: string }[];
  let lambda: ReturnType<typeof createQueueFunction<CarrierEventsInput>>;

  function start() {
    clock = new ManualClock();
    messages = new MemoryMessages(clock);
    directory = new MemoryDirectory();
    directory.accounts.set("acme", sampleAccount({ shortCodes: ["27182"] }));
    mos = new MemoryMos(clock);
    partsTimer = new MemoryPartsTimer(clock);
    setAside = [];
    lambda = createQueueFunction({
      schema: carrierEventsInputSchema,
      traceOf,
      process: createHandler({
        messages,
        directory,
        mos,
        moParts: new MemoryMoParts(clock),
        partsTimer,
        readSns: (publication) => parseSnsFromQueue(publication, { aws: TOPIC }),
        listener: { receipt: () => {}, operator: async () => {} },
        subAccounts: new MemorySubAccounts(),
        blockedNumbers: new MemoryBlockedNumbers(),
        dispatchQueue: new MemoryDispatchQueue(),
        deadLetters: new MemoryDeadLetters(),
        clock,
        randomness: new CountingRandomness(),
        moRetentionMs: 3_600_000,
        statusRetentionMs: 3_600_000,
      }),
      poison: {
        maxReceives: MAX_RECEIVES,
        setAside: async (body, cause) => {
          setAside.push({ body, cause });
        },
      },
      log: new RecordingLog(),
    });
  }
  beforeEach(start);

  /** Works a queue off as SQS has it worked off: in batches, in any order, what fails again later. */
  async function workOff(bodies: readonly string[], next: () => number) {
    const queue: Queued[] = bodies.map((body, n) => ({ body, messageId: `sqs-${n}`, receives: 0 }));
    let deliveries = 0;
    while (queue.length > 0) {
      const batch = Array.from({ length: Math.min(BATCH_SIZE, queue.length) }, () => {
        const index = next() % queue.length;
        const last = queue.pop() as Queued;
        const chosen = queue[index] ?? last;
        if (chosen !== last) queue[index] = last;
        return chosen;
      });
      for (const queued of batch) queued.receives++;
      deliveries += batch.length;
      const event = {
        Records: batch.map(({ body, messageId, receives }) => ({
          body,
          messageId,
          attributes: { ApproximateReceiveCount: String(receives) },
        })),
      } as unknown as SQSEvent;
      const { batchItemFailures } = await lambda(event, {} as Context);
      const failed = new Set(batchItemFailures.map(({ itemIdentifier }) => itemIdentifier));
      queue.push(...batch.filter(({ messageId }) => failed.has(messageId)));
    }
    return deliveries;
  }

  /** A row of numbers that are anything but ordered, the same for the same seed. */
  function numbers(seed: number) {
    let state = seed;
    return () => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return state >>> 8;
    };
  }

  async function givenSent(count: number) {
    const sent = Array.from({ length: count }, (_, n) =>
      sampleMessage(clock.now(), {
        id: `id-${n}`,
        traceId: `trace-${n}`,
        state: "SENT",
        sentAt: clock.now(),
        carrier: "sandbox",
        attempts: 1,
      }),
    );
    await messages.insertMany(sent);
    return sent;
  }
  const receiptFor = (message: { account: string; id: string; traceId: string }): CarrierEvent => ({
    type: "receipt",
    outcome: "delivered",
    ref: refOf(message),
    carrier: "sandbox",
    at: clock.now(),
  });

  it("applies a burst of ten thousand receipts, while one write in five fails", {
    timeout: 30_000,
  }, async () => {
    const next = numbers(7);
    const sent = await givenSent(10_000);
    const change = messages.change.bind(messages);
    let failures = 0;
    messages.change = async (seen, it) => {
      const kind = next() % 10;
      if (kind > 1) return change(seen, it);
      failures++;
      // Of two failures one is told of a write that took effect.
      if (kind === 1) await change(seen, it);
      throw new Error("throttled");
    };
    const deliveries = await workOff(
      sent.map((message) => JSON.stringify(receiptFor(message))),
      next,
    );
    expect(failures).toBeGreaterThan(1_500);
    expect(deliveries).toBe(10_000 + failures);
    expect(setAside).toEqual([]);
    for (const { traceId } of sent) {
      expect(messages.history.get(traceId)).toEqual(["SENT", "DELIVERED"]);
    }
  });

  it("loses nothing of what comes in whatever order and number, and sets aside what is poison", async () => {
    const mo = (n: number): CarrierEvent => ({
      type: "mo",
      carrier: "sandbox",
      carrierMessageId: `mo-${n}`,
      from: "5519900001111",
      shortCode: "27182",
      text: "Sim",
      at: clock.now(),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.integer({ min: 0, max: 20 }), fc.integer({ min: 1, max: 3 })), {
          maxLength: 20,
        }),
        fc.array(fc.constantFrom("{", "5", '{"type":"mo"}', '{"type":"receipt","ref":{}}'), {
          maxLength: 5,
        }),
        fc.integer(),
        async (told, poison, seed) => {
          start();
          const sent = await givenSent(21);
          const events = told.flatMap(([n, times]) => [
            ...Array<CarrierEvent>(times).fill(receiptFor(sent[n] as (typeof sent)[0])),
            ...Array<CarrierEvent>(times).fill(mo(n)),
          ]);
          const bodies = events.map((event) => JSON.stringify(event));
          const deliveries = await workOff([...bodies, ...poison], numbers(seed));
          expect(deliveries).toBe(bodies.length + 3 * poison.length);
          expect(setAside.map(({ body }) => body).toSorted()).toEqual(poison.toSorted());
          for (const { cause } of setAside) expect(cause).toMatch(/^UnreadableBodyError: ./);
          const delivered = new Set(told.map(([n]) => n));
          for (const [n, { traceId }] of sent.entries()) {
            const expected = delivered.has(n) ? ["SENT", "DELIVERED"] : ["SENT"];
            expect(messages.history.get(traceId)).toEqual(expected);
          }
          expect(await mos.takeNew("acme", 100)).toHaveLength(delivered.size);
        },
      ),
    );
  });

  it("puts MOs together, and receives what there is when their time is up", async () => {
    const part = (name: string, order: number, text: string): CarrierEvent => ({
      type: "mo",
      carrier: "sandbox",
      carrierMessageId: `${name}-${order}`,
      from: "5519900001111",
      shortCode: "27182",
      text,
      part: { reference: name.length, order, total: 3 },
      at: clock.now(),
    });
    const parts = [
      part("all", 3, "\ude00!"),
      part("some", 3, "c"),
      part("all", 1, "Olá"),
      part("some", 1, "a"),
      part("all", 2, ", \ud83d"),
    ];
    await workOff(
      [...parts, ...parts].map((event) => JSON.stringify(event)),
      numbers(5),
    );
    expect((await mos.takeNew("acme", 10)).map(({ text }) => text)).toEqual(["Olá, 😀!"]);
    const due = partsTimer.waiting.map((waiting) => JSON.stringify(waiting.due));
    await workOff(due, numbers(6));
    expect((await mos.takeNew("acme", 10)).map(({ text }) => text)).toEqual(["ac"]);
    expect(setAside).toEqual([]);
  });

  it("sets a receipt aside soon whose message cannot be read, and one that keeps failing in the end", async () => {
    const [unreadable, failing] = await givenSent(2);
    if (!unreadable || !failing) throw new Error("there are no messages");
    messages.find = async (_, id) => {
      throw id === unreadable.id
        ? new UnreadableItemError("a stored message cannot be read: version: Invalid input")
        : new Error("throttled");
    };
    const bodies = [unreadable, failing].map((message) => JSON.stringify(receiptFor(message)));
    const deliveries = await workOff(bodies, numbers(1));
    expect(deliveries).toBe(3 + MAX_RECEIVES);
    expect(setAside).toEqual([
      { body: bodies[0], cause: expect.stringMatching(/^UnreadableItemError: a stored message/) },
      { body: bodies[1], cause: "Error: throttled" },
    ]);
  });
});
