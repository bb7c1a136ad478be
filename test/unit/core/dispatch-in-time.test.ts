import { beforeEach, describe, expect, it } from "vitest";
import type { Carrier, SendOutcome } from "../../../functions/core/carrier.ts";
import {
  type CarrierHealth,
  demoted,
  demotionPolicySchema,
  goodCarrier,
} from "../../../functions/core/carrier-health.ts";
import { type CarrierPool, createCarrierPool } from "../../../functions/core/carrier-pool.ts";
import { type CarrierRate, UNLIMITED } from "../../../functions/core/carrier-rate.ts";
import {
  type DispatchDependencies,
  type DispatchOutcome,
  dispatchMessage,
} from "../../../functions/core/dispatch-message.ts";
import type { CarrierChange } from "../../../functions/core/events.ts";
import { type Message, refOf } from "../../../functions/core/message.ts";
import {
  ManualClock,
  MemoryDirectory,
  MemoryDispatchQueue,
  MemoryMessages,
} from "../../support/memory.ts";
import { MemoryCarrierHealths } from "../../support/memory-carrier-healths.ts";
import { sampleMessage } from "../../support/samples.ts";
import { SimplePool } from "../../support/simple-pool.ts";
import { dispatchDependencies } from "./support.ts";
import { VirtualTime } from "./virtual-time.ts";

const SECOND = 1_000;
const HOUR = 3_600 * SECOND;
const accepted: SendOutcome = { kind: "accepted", carrierMessageId: "c-1", receipts: true };
const unreachable: SendOutcome = { kind: "unreachable", detail: "no route" };
const hang = () => new Promise<never>(() => {});
/** What takes no time at all takes a millisecond here and there. */
const AT_ONCE_MS = 50;
const NO_ROOM: CarrierRate = { take: async () => 0, owe: async () => undefined };

const carrierOf = (name: string, send: Carrier["send"]): Carrier => ({
  name,
  takes: "parts",
  send,
});

describe("a message that finds no room for long", () => {
  const carrier = carrierOf("willing", async () => accepted);

  it.each([
    [24, 30],
    [24, 100],
    [1, 5],
  ])(
    "is kept, and sent at last: %i h after it was due it would be removed, and it waits for %i h",
    async (retention, hours) => {
      const clock = new ManualClock();
      const messages = new MemoryMessages(clock);
      const dispatchQueue = new MemoryDispatchQueue();
      const pool = new SimplePool(carrier);
      const ports = { messages, dispatchQueue, clock, carrier };
      const deps = { ...dispatchDependencies(ports), carriers: pool };
      const start = clock.now();
      const retentionMs = retention * HOUR;
      const message = sampleMessage(start, { removeAt: (start + retentionMs) / SECOND });
      await messages.insert(message);
      pool.room.set("willing", 0);
      while (clock.now() < start + hours * HOUR) {
        const outcome = await dispatchMessage(deps, refOf(message));
        if (outcome.kind !== "held") throw new Error(JSON.stringify(outcome));
        // Behind many others in its queue.
        clock.time = outcome.until + 300 * SECOND;
      }
      pool.room.set("willing", 1);
      expect(await dispatchMessage(deps, refOf(message))).toEqual({ kind: "moved", state: "SENT" });
      const after = await messages.find(message.account, message.id);
      expect(after).toMatchObject({ attempts: 1 });
      // It can be asked about for most of that time from now on, and not for longer.
      const left = (after?.removeAt ?? 0) * SECOND - clock.now();
      expect(left).toBeGreaterThan((retentionMs * 3) / 5);
      expect(left).toBeLessThanOrEqual(retentionMs);
    },
  );

  it("expires when it does, however long it is kept", async () => {
    const clock = new ManualClock();
    const messages = new MemoryMessages(clock);
    const pool = new SimplePool(carrier);
    const ports = { messages, dispatchQueue: new MemoryDispatchQueue(), clock, carrier };
    const deps = { ...dispatchDependencies(ports), carriers: pool };
    const expiresAt = clock.now() + 30 * HOUR;
    const message = sampleMessage(clock.now(), { expiresAt, claimableUntil: expiresAt });
    await messages.insert(message);
    pool.room.set("willing", 0);
    let outcome: DispatchOutcome;
    for (;;) {
      outcome = await dispatchMessage(deps, refOf(message));
      if (outcome.kind !== "held") break;
      clock.time = outcome.until + 300 * SECOND;
    }
    expect(outcome).toEqual({ kind: "moved", state: "EXPIRED" });
    expect(clock.now() - expiresAt).toBeLessThan(310 * SECOND);
  });
});

describe("with the carriers of a stage", () => {
  let time: VirtualTime;
  let messages: MemoryMessages;
  let dispatchQueue: MemoryDispatchQueue;
  let healths: MemoryCarrierHealths;
  let told: CarrierChange[];
  let sent: string[];
  let answers: Record<string, (now: number) => Promise<SendOutcome>>;
  let count: number;

  beforeEach(() => {
    time = new VirtualTime();
    messages = new MemoryMessages(time);
    dispatchQueue = new MemoryDispatchQueue();
    healths = new MemoryCarrierHealths();
    told = [];
    sent = [];
    answers = {};
    count = 0;
  });

  /** A function of two carriers, `one` before `two`, each of which accepts unless the test says otherwise. */
  function createFunction({
    tell = async (change: CarrierChange) => void told.push(change),
    rates = {} as Readonly<Record<string, CarrierRate>>,
    names = ["one", "two"],
  } = {}): { readonly deps: DispatchDependencies; readonly pool: CarrierPool } {
    const carriers = names.map((name) =>
      carrierOf(name, async () => {
        sent.push(name);
        return answers[name]?.(time.now()) ?? accepted;
      }),
    );
    const pool = createCarrierPool({
      carriers: carriers.map((carrier) => ({
        carrier,
        rate: rates[carrier.name] ?? UNLIMITED,
        demotion: demotionPolicySchema.parse({}),
      })),
      routes: names.map((carrier) => ({ carrier })),
      lane: "bulk",
      directory: new MemoryDirectory(),
      operators: { find: async () => undefined },
      healths,
      tell,
      clock: time,
      timeLimit: time,
      onFailure: () => {},
    });
    const ports = { messages, dispatchQueue, clock: time, carrier: carriers[0] as Carrier };
    const deps = { ...dispatchDependencies(ports), carriers: pool, timeLimit: time };
    return { deps, pool };
  }

  async function given(overrides: Partial<Message> = {}): Promise<Message> {
    count += 1;
    const names = { id: `id-${count}`, traceId: `trace-${count}` };
    const message = sampleMessage(time.now(), { ...names, ...overrides });
    await messages.insert(message);
    return message;
  }

  /** Lets time pass until this is done. @returns what came of it, and how many milliseconds it took */
  async function ended<T>(work: Promise<T>) {
    const start = time.now();
    let end: number | undefined;
    const done = work.finally(() => {
      end = time.now();
    });
    done.catch(() => undefined);
    while (end === undefined) await time.pass(10);
    return { value: await done, ms: end - start };
  }

  /** A carrier that was demoted a minute ago. */
  async function givenDemoted(carrier: string, isTold: boolean): Promise<CarrierHealth> {
    const complaint = { reason: "failures", percent: 100 } as const;
    const health = demoted(goodCarrier(carrier), complaint, time.now() - 60 * SECOND);
    await healths.change(goodCarrier(carrier), { ...health, told: isTold });
    return health;
  }

  it("a message whose first carrier is slow to be unreachable gets the second at its next attempt", async () => {
    answers.one = async () => {
      await time.sleep(3 * SECOND);
      return unreachable;
    };
    const { deps } = createFunction();
    const message = await given();
    expect(await ended(dispatchMessage(deps, refOf(message)))).toMatchObject({
      value: { kind: "moved", state: "QUEUED" },
    });
    const [again] = dispatchQueue.entries;
    await time.pass((again?.notBefore ?? 0) - time.now());
    expect(await ended(dispatchMessage(deps, refOf(message)))).toMatchObject({
      value: { kind: "moved", state: "SENT" },
    });
    expect(sent).toEqual(["one", "two"]);
    expect(await messages.find(message.account, message.id)).toMatchObject({
      carrier: "two",
      attempts: 2,
    });
  });

  describe("a bus that hangs delays no message", () => {
    it("when a carrier's demotion is yet to be told", async () => {
      await givenDemoted("one", false);
      const { deps, pool } = createFunction({ tell: hang });
      for (let n = 0; n < 3; n += 1) {
        const { value, ms } = await ended(dispatchMessage(deps, refOf(await given())));
        expect(value).toEqual({ kind: "moved", state: "SENT" });
        expect(ms).toBeLessThan(AT_ONCE_MS);
        await ended(pool.flush());
      }
    });

    it("when a carrier has just come back", async () => {
      await givenDemoted("one", true);
      const { deps, pool } = createFunction({ tell: hang });
      const { value, ms } = await ended(dispatchMessage(deps, refOf(await given())));
      expect(value).toEqual({ kind: "moved", state: "SENT" });
      expect(ms).toBeLessThan(AT_ONCE_MS);
      expect(sent).toEqual(["one"]);
      await ended(pool.flush());
      expect(healths.of("one")).toMatchObject({ state: "good", told: false });
    });
  });

  describe("a table of the carriers that hangs delays no message", () => {
    it("when a trial ends", async () => {
      await givenDemoted("one", true);
      const { deps, pool } = createFunction();
      answers.one = async () => {
        healths.change = hang;
        healths.count = hang;
        return accepted;
      };
      const { value, ms } = await ended(dispatchMessage(deps, refOf(await given())));
      expect(value).toEqual({ kind: "moved", state: "SENT" });
      expect(ms).toBeLessThan(AT_ONCE_MS);
      expect(sent).toEqual(["one"]);
      expect((await ended(pool.flush())).ms).toBeLessThanOrEqual(3 * SECOND);
    });

    it("for longer than a second when nothing can be heard, nor begun", async () => {
      await givenDemoted("one", true);
      const { deps } = createFunction();
      healths.change = hang;
      const begun = await ended(dispatchMessage(deps, refOf(await given())));
      expect(begun.value).toEqual({ kind: "moved", state: "SENT" });
      expect(begun.ms).toBeLessThan(SECOND + AT_ONCE_MS);
      healths.load = hang;
      await time.pass(2 * SECOND);
      const heard = await ended(dispatchMessage(deps, refOf(await given())));
      expect(heard.value).toEqual({ kind: "moved", state: "SENT" });
      expect(heard.ms).toBeLessThan(SECOND + AT_ONCE_MS);
      // Nor for each message anew.
      const next = await ended(dispatchMessage(deps, refOf(await given())));
      expect(next.ms).toBeLessThan(AT_ONCE_MS);
      expect(sent).toEqual(["two", "two", "two"]);
    });
  });

  it("messages that expire too soon for the carrier end EXPIRED, and do it no harm", async () => {
    answers.one = async () => ({ ...unreachable, about: "message" });
    const { deps, pool } = createFunction({ names: ["one"] });
    const states: unknown[] = [];
    for (let n = 0; n < 30; n += 1) {
      const expiresAt = time.now() + 4_900;
      const message = await given({ expiresAt, claimableUntil: expiresAt });
      await ended(dispatchMessage(deps, refOf(message)));
      await time.pass(1_100);
      await ended(pool.flush());
      if (n % 10 < 9) continue;
      await time.pass(5 * SECOND);
      for (const { ref } of dispatchQueue.entries.splice(0)) {
        await ended(dispatchMessage(deps, ref));
        states.push((await messages.find(ref.account, ref.id))?.state);
      }
    }
    expect(states).toEqual(Array(30).fill("EXPIRED"));
    expect(sent).toHaveLength(30);
    expect(told).toEqual([]);
    expect(healths.of("one")).toBeUndefined();
  });

  it("a trial for which there is no room is not waited for", async () => {
    await givenDemoted("two", true);
    const { deps } = createFunction({ rates: { two: NO_ROOM } });
    const message = await given();
    const { value, ms } = await ended(dispatchMessage(deps, refOf(message)));
    expect(value).toEqual({ kind: "moved", state: "SENT" });
    expect(ms).toBeLessThan(AT_ONCE_MS);
    expect(sent).toEqual(["one"]);
    expect(healths.of("two")).toMatchObject({ state: "trial" });
    expect(await messages.find(message.account, message.id)).toMatchObject({ carrier: "one" });
  });

  it("a trial of the only carrier for which there is no room holds its message", async () => {
    await givenDemoted("one", true);
    const { deps } = createFunction({ rates: { one: NO_ROOM }, names: ["one"] });
    const { value } = await ended(dispatchMessage(deps, refOf(await given())));
    expect(value).toMatchObject({ kind: "held" });
    expect(sent).toEqual([]);
  });
});
