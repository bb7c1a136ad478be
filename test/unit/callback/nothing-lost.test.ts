import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type CallbackDependencies, createHandler } from "../../../functions/callback/handler.ts";
import type { CallbackInput } from "../../../functions/callback/schema.ts";
import {
  type DeliveryKey,
  deliveryIdOf,
  type EndpointGroup,
  parseDeliveryId,
} from "../../../functions/core/callback-delivery.ts";
import type { CallbackQueue } from "../../../functions/core/callback-ports.ts";
import { createEndpointLanes } from "../../../functions/core/endpoint-lanes.ts";
import { setEndpointState } from "../../../functions/core/endpoints.ts";
import { messageStatusChanged } from "../../../functions/core/events.ts";
import type { WebhookResult } from "../../../functions/core/ports.ts";
import { slicesOf } from "../../../functions/core/slices.ts";
import { answered } from "../../support/memory.ts";
import { RecordingMeter } from "../../support/recording-log.ts";
import { sampleEndpoint, sampleMessage } from "../../support/samples.ts";
import { FAULTS, FaultyPorts, interleaved } from "../core/support.ts";
import { CallbackWorld, failed, HOUR, MINUTE, SECOND } from "./support.ts";

/** Until a message comes again whose function has died. */
const VISIBILITY_MS = 2 * MINUTE;

interface QueuedMessage {
  readonly input: CallbackInput;
  readonly due: number;
  readonly receives: number;
}

/** Queues that deliver what they have when it is due, and again what failed. */
class Queues implements CallbackQueue {
  readonly messages: QueuedMessage[] = [];
  readonly givenUp: string[] = [];

  constructor(private readonly world: CallbackWorld) {}

  put(input: CallbackInput, due = this.world.clock.now(), receives = 1) {
    this.messages.push({ input, due, receives });
  }
  async enqueue(turns: readonly Extract<CallbackInput, { turn: number }>[], delaySeconds = 0) {
    for (const turn of turns) this.put(turn, this.world.clock.now() + delaySeconds * SECOND);
  }
  async enqueueGroups(groups: readonly EndpointGroup[], delaySeconds = 0) {
    for (const group of groups) this.put(group, this.world.clock.now() + delaySeconds * SECOND);
  }
  async enqueueLater(turn: Extract<CallbackInput, { turn: number }>, notBefore: number) {
    this.put(turn, notBefore);
  }
  async enqueueRelease(job: Extract<CallbackInput, { kind: string }>, delaySeconds: number) {
    this.put(job, this.world.clock.now() + delaySeconds * SECOND);
  }
  async giveUp(turn: Extract<CallbackInput, { turn: number }>) {
    this.givenUp.push(`${turn.subject} ${turn.level}`);
  }

  /** Takes one of the messages that are due first. @param choice 0 for the oldest of them */
  take(choice: number): QueuedMessage | undefined {
    if (this.messages.length === 0) return undefined;
    const first = Math.min(...this.messages.map(({ due }) => due));
    this.world.clock.time = Math.max(this.world.clock.time, first);
    const due = this.messages.filter((message) => message.due <= this.world.clock.now());
    const taken = due[choice % due.length];
    if (taken) this.messages.splice(this.messages.indexOf(taken), 1);
    return taken;
  }
}

const RESULTS: Readonly<Record<string, WebhookResult>> = {
  ok: answered(200),
  error: answered(500),
  timeout: failed("timeout"),
  "not found": answered(404),
  "too many": answered(429, "30"),
};

const faults = fc.array(fc.tuple(fc.nat({ max: 25 }), fc.constantFrom(...FAULTS)), {
  maxLength: 6,
});

const schedules = fc.record({
  /** How the endpoint answers, one request after the other, and from then on. */
  answers: fc.array(fc.constantFrom(...Object.keys(RESULTS)), { maxLength: 8 }),
  afterwards: fc.constantFrom("ok", "ok", "ok", "error"),
  /** Which call to a port fails, and how; the later ones are counted from the one before. */
  faults,
  /** Which message of a queue comes next, and whether it comes a second time. */
  choices: fc.array(fc.tuple(fc.nat({ max: 5 }), fc.boolean()), { minLength: 1, maxLength: 30 }),
  order: fc.shuffledSubarray(["SENT 0", "DELIVERED 0", "SENT 1", "DELIVERED 1"], { minLength: 1 }),
  /** Which statuses the endpoint wants. */
  option: fc.constantFrom("ALL" as const, "ALL" as const, "FINAL" as const),
  /** How many events come together; none where each comes as events did before there were groups. */
  together: fc.constantFrom(0, 1, 2, 4),
  /** When the owner pauses and resumes, in messages taken. */
  pausedAt: fc.option(fc.nat({ max: 12 }), { nil: undefined }),
  pausedFor: fc.integer({ min: 1, max: 12 }),
  fractions: fc.array(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), {
    minLength: 1,
    maxLength: 10,
  }),
});
type Schedule = typeof schedules extends fc.Arbitrary<infer T> ? T : never;

/** Ports of which the calls fail that a schedule says. */
function portsWith(pauses: Schedule["faults"]): FaultyPorts {
  let last = -1;
  const faults = new Map(
    pauses.map(([pause, fault]) => {
      last += 1 + pause;
      return [last, fault];
    }),
  );
  return new FaultyPorts((_, call) => faults.get(call));
}

/** The callback function with all its ports, and what goes wrong with them. */
function setUp(schedule: Schedule) {
  const world = new CallbackWorld({ callbackOption: schedule.option });
  const queues = new Queues(world);
  const outOfOrder: string[] = [];
  const ports = portsWith(schedule.faults);
  let requests = 0;
  let timesTaken = 0;
  let chances = 0;
  const taken = new Set<string>();
  /** What was sent is to be taken before, or given up. */
  const isTooEarly = (told: DeliveryKey) =>
    told.level === "delivered" &&
    schedule.option === "ALL" &&
    !taken.has(deliveryIdOf({ ...told, level: "sent" })) &&
    !world.deliveries.wasSettled({ ...told, level: "sent" });
  const webhook = {
    send: async ({ headers }: { headers: Readonly<Record<string, string>> }) => {
      const told = parseDeliveryId("acme", String(headers["webhook-id"]));
      if (told && isTooEarly(told)) outOfOrder.push(told.subject);
      const answer = schedule.answers[requests++] ?? schedule.afterwards;
      if (answer === "ok") {
        timesTaken++;
        if (told) taken.add(deliveryIdOf(told));
      }
      return RESULTS[answer] as WebhookResult;
    },
  };
  const fraction = () => schedule.fractions[chances++ % schedule.fractions.length] as number;
  /** A function that has died leaves its lanes, and takes its slots with it. */
  const handle = (input: CallbackInput, receives: number) => {
    const deps: CallbackDependencies = {
      ...world.deps,
      directory: ports.wrap(world.directory),
      deliveries: ports.wrap(world.deliveries),
      healths: ports.wrap(world.healths),
      queue: ports.wrap(queues),
      bus: ports.wrap(world.bus),
      webhook: ports.wrap(webhook),
      lanes: createEndpointLanes({
        slots: ports.wrap(world.slots),
        clock: world.clock,
      }),
      randomness: { fraction },
      meter: new RecordingMeter(),
    };
    return createHandler(deps)(input, receives);
  };
  const setState = (state: "active" | "paused") =>
    setEndpointState(
      {
        directory: world.directory,
        endpointHealths: world.healths,
        callbackQueue: queues,
        clock: world.clock,
      },
      "acme",
      sampleEndpoint().endpointId,
      state,
    );
  return { world, queues, handle, setState, outOfOrder, taken: () => timesTaken };
}

const eventOf = (name: string, now: number) => {
  const [state, index] = name.split(" ");
  const isSent = state === "SENT";
  return messageStatusChanged(
    sampleMessage(now, {
      traceId: `trace-${index}`,
      state: isSent ? "SENT" : "DELIVERED",
      sentAt: now - SECOND,
      stateAt: isSent ? now - SECOND : now,
    }),
  );
};

/** Far more than any schedule has. */
const MOST_MESSAGES = 2_000;

async function run(schedule: Schedule) {
  const set = setUp(schedule);
  const { world, queues, handle, setState } = set;
  const startedAt = world.clock.now();
  const events = schedule.order.map((name) => eventOf(name, startedAt));
  if (schedule.together === 0) for (const event of events) queues.put(event);
  else for (const slice of slicesOf(events, schedule.together)) queues.put({ events: slice });
  const pausedAt = schedule.pausedAt ?? Number.NEGATIVE_INFINITY;
  let copies = 0;
  for (let taken = 0; taken < MOST_MESSAGES; taken++) {
    if (taken === pausedAt) await setState("paused");
    if (taken === pausedAt + schedule.pausedFor) await setState("active");
    const [choice, twice] = schedule.choices[taken] ?? [0, false];
    const message = queues.take(choice);
    if (!message) {
      if (pausedAt < 0 || taken > pausedAt + schedule.pausedFor) break;
      continue;
    }
    const { input, receives } = message;
    const next = world.clock.now() + VISIBILITY_MS;
    try {
      await handle(input, receives);
      if (!twice) continue;
      copies++;
      queues.put(input, world.clock.now(), receives + 1);
    } catch {
      queues.put(input, next, receives + 1);
    }
  }
  return { ...set, copies };
}

describe("whatever crashes, comes twice or comes in another order", () => {
  it("ends every delivery, and tells of no receipt before what was sent", async () => {
    await fc.assert(
      fc.asyncProperty(schedules, async (schedule) => {
        const { world, queues, copies, outOfOrder } = await run(schedule);
        expect(queues.messages).toEqual([]);
        expect(outOfOrder).toEqual([]);
        const deliveries = world.deliveries.all();
        const wanted = new Set(
          schedule.order.flatMap((name) => {
            const [state, index] = name.split(" ");
            return [
              ...(schedule.option === "ALL" ? [`${index} sent`] : []),
              ...(state === "DELIVERED" ? [`${index} delivered`] : []),
            ];
          }),
        );
        expect(
          new Set(deliveries.map(({ subject, level }) => `${subject.slice(6)} ${level}`)),
        ).toEqual(wanted);
        for (const delivery of deliveries) {
          expect(["delivered", "failed"]).toContain(delivery.state);
          expect(delivery.settledAt).toBeDefined();
          if (delivery.state === "failed") {
            expect(queues.givenUp).toContain(`${delivery.subject} ${delivery.level}`);
          }
        }
        expect(queues.givenUp.length).toBeLessThanOrEqual(
          deliveries.length + schedule.faults.length + copies,
        );
      }),
      { numRuns: 300 },
    );
  });

  it("has nothing taken by an endpoint twice, but what is told together once more for each crash and copy", async () => {
    await fc.assert(
      fc.asyncProperty(schedules, async (schedule) => {
        const { copies, world, taken } = await run({ ...schedule, pausedAt: undefined });
        const extra = (schedule.faults.length + copies) * Math.max(1, 2 * schedule.together);
        expect(taken()).toBeLessThanOrEqual(world.deliveries.all().length + extra);
      }),
    );
  });

  it("ends each delivery within a day of its beginning, and what crashes cost", async () => {
    await fc.assert(
      fc.asyncProperty(schedules, async (schedule) => {
        const { world } = await run({ ...schedule, pausedAt: undefined });
        const crashes = schedule.faults.length * VISIBILITY_MS;
        for (const { subject, level, createdAt, settledAt } of world.deliveries.all()) {
          const before = world.deliveries
            .all()
            .find((other) => other.subject === subject && other.level === "sent");
          // What waits for another has a day of its own after that.
          const waitedUntil = (level === "delivered" && before?.settledAt) || createdAt;
          const elapsed = (settledAt ?? Number.NaN) - Math.max(createdAt, waitedUntil);
          expect(elapsed).toBeLessThanOrEqual(24 * HOUR + crashes + MINUTE);
        }
      }),
    );
  });
});

describe("functions that run at the same time", () => {
  it("tell of no receipt before what was sent, and lose neither", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.scheduler(),
        fc.array(fc.constantFrom(...Object.keys(RESULTS)), { maxLength: 4 }),
        fc.integer({ min: 1, max: 2 }),
        fc.constantFrom("single", "each in a group", "together"),
        faults,
        async (scheduler, answers, copies, how, pauses) => {
          const ports = portsWith(pauses);
          const portOf = <Port extends object>(port: Port) =>
            interleaved(scheduler, ports.wrap(port));
          const world = new CallbackWorld();
          const queues = new Queues(world);
          const events = ["DELIVERED 0", "SENT 0"].map((name) => eventOf(name, world.clock.now()));
          let requests = 0;
          const outOfOrder: string[] = [];
          const taken = new Set<string>();
          const webhook = portOf({
            send: async ({ headers }: { headers: Readonly<Record<string, string>> }) => {
              const told = parseDeliveryId("acme", String(headers["webhook-id"]));
              const answer = answers[requests++] ?? "ok";
              const sent = told && deliveryIdOf({ ...told, level: "sent" });
              if (told?.level === "delivered" && sent !== undefined) {
                const isSettled = world.deliveries.wasSettled({ ...told, level: "sent" });
                if (!taken.has(sent) && !isSettled) outOfOrder.push(told.subject);
              }
              if (told && answer === "ok") taken.add(deliveryIdOf(told));
              return RESULTS[answer] as WebhookResult;
            },
          });
          const handle = (input: CallbackInput, receives: number) =>
            createHandler({
              ...world.deps,
              directory: portOf(world.directory),
              deliveries: portOf(world.deliveries),
              healths: portOf(world.healths),
              queue: portOf(queues),
              webhook,
              lanes: createEndpointLanes({ slots: world.slots, clock: world.clock }),
              meter: new RecordingMeter(),
            })(input, receives);
          for (let copy = 0; copy < copies; copy++) {
            if (how === "together") queues.put({ events });
            else
              for (const event of events)
                queues.put(how === "single" ? event : { events: [event] });
          }
          for (let round = 0; queues.messages.length > 0 && round < MOST_MESSAGES; round++) {
            const batch = [];
            for (let message = queues.take(0); message; ) {
              batch.push(message);
              message = queues.messages.some(({ due }) => due <= world.clock.now())
                ? queues.take(0)
                : undefined;
            }
            const ended = Promise.allSettled(
              batch.map(({ input, receives }) => handle(input, receives)),
            );
            await scheduler.waitFor(ended);
            for (const [index, { status }] of (await ended).entries()) {
              const { input, receives } = batch[index] as QueuedMessage;
              if (status === "rejected")
                queues.put(input, world.clock.now() + VISIBILITY_MS, receives + 1);
            }
          }
          expect(queues.messages).toEqual([]);
          expect(outOfOrder).toEqual([]);
          const states = world.deliveries.all().map(({ level, state }) => ({ level, state }));
          expect(states.map(({ level }) => level).sort()).toEqual(["delivered", "sent"]);
          for (const { state } of states) expect(["delivered", "failed"]).toContain(state);
        },
      ),
      { numRuns: 300 },
    );
  });
});
