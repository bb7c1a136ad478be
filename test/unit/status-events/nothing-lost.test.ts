import type { DynamoDBRecord } from "aws-lambda";
import fc from "fast-check";
import { expect, it } from "vitest";
import { changeOfRecord } from "../../../functions/adapters/dynamodb/message-stream.ts";
import {
  messageReceived,
  messageStatusChanged,
  type TorpedoEvent,
} from "../../../functions/core/events.ts";
import { TRANSITIONS } from "../../../functions/core/lifecycle.ts";
import { CALLBACK_OPTIONS, type Message } from "../../../functions/core/message.ts";
import { isForBus, isForCallbacks } from "../../../functions/core/publish-changes.ts";
import { createHandler } from "../../../functions/status-events/handler.ts";
import { RecordingLog, RecordingMeter } from "../../support/recording-log.ts";
import { sampleMessage, sampleMo } from "../../support/samples.ts";
import { recordOf } from "./support.ts";

const now = Date.parse("2026-03-02T15:00:00Z");

/** How a taker behaves during one invocation. */
type Conduct =
  | { readonly kind: "takes" }
  /** Nothing is taken. */
  | { readonly kind: "away" }
  /** All is taken, and the answer is lost. */
  | { readonly kind: "mute" }
  /** Of every eight events, those whose bit is set. */
  | { readonly kind: "refuses"; readonly bits: number };

interface Invocation {
  readonly size: number;
  readonly bus: Conduct;
  readonly queue: Conduct;
  /** Whether records can be set aside. */
  readonly canSetAside: boolean;
  /** The function dies when all is done, and nobody hears its answer. */
  readonly dies: boolean;
}

const WELL: Conduct = { kind: "takes" };
const ALL_WELL: Invocation = { size: 7, bus: WELL, queue: WELL, canSetAside: true, dies: false };

const conduct = fc.oneof(
  fc.constant(WELL),
  fc.constant<Conduct>({ kind: "away" }),
  fc.constant<Conduct>({ kind: "mute" }),
  fc.integer({ min: 1, max: 255 }).map((bits): Conduct => ({ kind: "refuses", bits })),
);
const invocation = fc.record({
  size: fc.integer({ min: 1, max: 12 }),
  bus: conduct,
  queue: conduct,
  canSetAside: fc.boolean(),
  dies: fc.boolean(),
});

/** What lies in the stream, and what it gives rise to. */
interface Streamed {
  readonly record: DynamoDBRecord;
  readonly event?: TorpedoEvent;
  readonly isAccepted?: true;
  readonly isUnreadable?: true;
}

const CHANGES: Partial<Message>[] = [{ flash: true }, { claimableFrom: now + 1 }];

/** The writes to one message: along its lifecycle, with writes that change no state among them. */
const life = fc
  .record({
    choices: fc.array(fc.nat({ max: 9 }), { minLength: 1, maxLength: 9 }),
    isOverwrite: fc.boolean(),
    isScheduled: fc.boolean(),
    callbackOption: fc.constantFrom(undefined, ...CALLBACK_OPTIONS),
    account: fc.constantFrom("acme", "other"),
  })
  .map(({ choices, isOverwrite, isScheduled, callbackOption, account }) => (n: number) => {
    const key = { pk: `${account}#id-${n}`, sk: "MT" };
    let message = sampleMessage(now, {
      account,
      id: `id-${n}`,
      traceId: `trace-${n}`,
      state: isScheduled ? "SCHEDULED" : "QUEUED",
      ...(callbackOption && { callbackOption }),
    });
    const old = isOverwrite ? { ...message, traceId: `old-${n}`, attempts: 3 } : undefined;
    const writes: Omit<Streamed, "record">[] = [
      { event: messageStatusChanged(message), isAccepted: true },
    ];
    const images = [message];
    for (const [at, choice] of choices.entries()) {
      const next = TRANSITIONS[message.state];
      const state = next[choice % (next.length + 1)];
      const before = message;
      message = state
        ? {
            ...message,
            state,
            stateAt: now + at + 1,
            attempts: message.attempts + (state === "SENDING" ? 1 : 0),
          }
        : { ...message, ...CHANGES[choice % CHANGES.length] };
      images.push(message);
      writes.push(state ? { event: messageStatusChanged(message, before) } : {});
    }
    return writes.map((write, at) => (sequence: string): Streamed => {
      const before = at === 0 ? old : images[at - 1];
      return { ...write, record: recordOf(sequence, images[at], before, key) };
    });
  });

const other = fc.constantFrom("mo", "unreadable", "batch").map((kind) => (n: number) => {
  const mo = sampleMo(now, { id: n });
  const made: Record<string, (sequence: string) => Streamed> = {
    mo: (sequence) => ({
      record: recordOf(sequence, mo, undefined, { pk: "acme", sk: `MO#${n}` }),
      event: messageReceived(mo),
    }),
    unreadable: (sequence) => ({
      record: recordOf(sequence, { ...sampleMessage(now, { state: "SENT" }), version: 2 }),
      isUnreadable: true,
    }),
    batch: (sequence) => ({
      record: recordOf(sequence, { version: 1 }, undefined, { pk: "acme#b", sk: "BATCH#0000" }),
    }),
  };
  return [made[kind] as (sequence: string) => Streamed];
});

/** Writes of many items, those of each in their order. */
const stream = fc
  .tuple(
    fc.array(fc.oneof({ weight: 4, arbitrary: life }, other), { maxLength: 12 }),
    fc.infiniteStream(fc.nat({ max: 1_000 })),
  )
  .map(([items, chance]) => {
    const left = items.map((make, n) => make(n));
    const streamed: Streamed[] = [];
    while (left.some((writes) => writes.length > 0)) {
      const open = left.filter((writes) => writes.length > 0);
      const chosen = open[(chance.next().value ?? 0) % open.length];
      const write = chosen?.shift();
      if (write) streamed.push(write(String(streamed.length)));
    }
    return streamed;
  });

/** Somebody who takes events, not always. */
class MoodyTaker {
  readonly events: TorpedoEvent[] = [];
  conduct: Conduct = WELL;

  readonly take = async (events: readonly TorpedoEvent[]): Promise<number[]> => {
    const { conduct } = this;
    if (conduct.kind === "away") throw new Error("away");
    const bits = conduct.kind === "refuses" ? conduct.bits : 0;
    const refused = events.flatMap((_, index) => ((bits >> (index % 8)) & 1 ? [index] : []));
    this.events.push(...events.filter((_, index) => !refused.includes(index)));
    if (conduct.kind === "mute") throw new Error("no answer");
    return refused;
  };
}

it("has everybody told of everything that is for them, and of nothing else, whatever fails", async () => {
  await fc.assert(
    fc.asyncProperty(
      stream,
      fc.array(invocation, { maxLength: 12 }),
      fc.constantFrom("told", "final", "every"),
      async (streamed, invocations, choice) => {
        const bus = new MoodyTaker();
        const queue = new MoodyTaker();
        const setAside: unknown[] = [];
        let canSetAside = true;
        const meter = new RecordingMeter();
        const start = () =>
          createHandler({
            changeOf: changeOfRecord,
            choice,
            bus: { publish: (events) => bus.take(events as readonly TorpedoEvent[]) },
            callbacks: { put: queue.take },
            deadLetters: {
              put: async (what) => {
                if (!canSetAside) throw new Error("away");
                setAside.push(what);
              },
            },
            log: new RecordingLog(),
            meter,
          });
        const idsOf = (events: readonly TorpedoEvent[]) => events.map(({ eventId }) => eventId);
        const wanted = (part: readonly Streamed[]) => {
          const events = part.flatMap(({ event }) => (event ? [event] : []));
          return {
            bus: new Set(idsOf(events.filter((event) => isForBus(choice, event)))),
            queue: new Set(idsOf(events.filter(isForCallbacks))),
          };
        };

        let handle = start();
        let begin = 0;
        for (let n = 0; begin < streamed.length; n++) {
          expect(n).toBeLessThan(invocations.length + streamed.length + 1);
          const { size, dies, ...conducts } = invocations[n] ?? ALL_WELL;
          bus.conduct = conducts.bus;
          queue.conduct = conducts.queue;
          canSetAside = conducts.canSetAside;
          const part = streamed.slice(begin, begin + size);
          const { batchItemFailures } = await handle({ Records: part.map(({ record }) => record) });
          if (dies) {
            handle = start();
            continue;
          }
          expect(batchItemFailures.length).toBeLessThanOrEqual(1);
          const failed = batchItemFailures[0]?.itemIdentifier;
          const end = failed === undefined ? begin + part.length : Number(failed);
          expect(end).toBeGreaterThanOrEqual(begin);
          expect(end).toBeLessThan(begin + part.length + (failed === undefined ? 1 : 0));
          begin = end;
          const passed = wanted(streamed.slice(0, begin));
          expect([...passed.bus].filter((id) => !idsOf(bus.events).includes(id))).toEqual([]);
          expect([...passed.queue].filter((id) => !idsOf(queue.events).includes(id))).toEqual([]);
        }

        const all = wanted(streamed);
        expect(new Set(idsOf(bus.events))).toEqual(all.bus);
        expect(new Set(idsOf(queue.events))).toEqual(all.queue);
        const unreadable = streamed.filter(({ isUnreadable }) => isUnreadable);
        expect(new Set(setAside)).toEqual(new Set(unreadable.map(({ record }) => record)));

        // Without a death and a lost answer, each once.
        const isQuiet = invocations.every(
          (it) => !it.dies && it.bus.kind !== "mute" && it.queue.kind !== "mute",
        );
        if (!isQuiet) return;
        if (invocations.every((it) => it.canSetAside)) {
          expect(bus.events).toHaveLength(all.bus.size);
          expect(queue.events).toHaveLength(all.queue.size);
        }
        expect(setAside).toHaveLength(unreadable.length);
        const accepted = streamed.filter(({ isAccepted }) => isAccepted).length;
        expect(meter.counts.MessagesAccepted ?? 0).toBe(accepted);
      },
    ),
    { numRuns: 300 },
  );
});
