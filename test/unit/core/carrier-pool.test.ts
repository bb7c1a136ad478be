import { beforeEach, describe, expect, it } from "vitest";
import type { Carrier, Lane } from "../../../functions/core/carrier.ts";
import { demotionPolicySchema, sliceOf } from "../../../functions/core/carrier-health.ts";
import {
  type CarrierPool,
  type CarrierPoolDependencies,
  createCarrierPool,
  type HandOverResult,
  NoSuchCarrierError,
  type PooledCarrier,
} from "../../../functions/core/carrier-pool.ts";
import { type CarrierRate, UNLIMITED } from "../../../functions/core/carrier-rate.ts";
import type { CarrierChange } from "../../../functions/core/events.ts";
import type { Message } from "../../../functions/core/message.ts";
import { type Route, routesSchema, type WrittenRoute } from "../../../functions/core/routing.ts";
import { ManualClock, ManualTimeLimit, MemoryDirectory } from "../../support/memory.ts";
import { MemoryCarrierHealths } from "../../support/memory-carrier-healths.ts";
import { sampleAccount, sampleLongMessage, sampleMessage } from "../../support/samples.ts";
import { seeded, VirtualTime } from "./virtual-time.ts";

const SECOND = 1_000;
const POLICY = demotionPolicySchema.parse({ receiptsAfterSeconds: 120, slowReceiptsPercent: 80 });
const accepted = (receipts = true): HandOverResult => ({
  kind: "accepted",
  carrierMessageId: "c-1",
  receipts,
});
const unreachable: HandOverResult = { kind: "unreachable", detail: "no route" };
const unclear: HandOverResult = { kind: "unclear" };
const aboutMessage: HandOverResult = {
  kind: "unreachable",
  detail: "its time is too short",
  about: "message",
};
const rejected: HandOverResult = { kind: "rejected", reason: "operator-rejected" };
const many = (count: number, result: HandOverResult) => Array<HandOverResult>(count).fill(result);

const routes = (...list: WrittenRoute[]): Route[] => routesSchema.parse(list);
const carrierOf = (name: string, takes: Carrier["takes"] = "parts"): Carrier => ({
  name,
  takes,
  send: async () => ({ kind: "accepted", carrierMessageId: "c-1", receipts: true }),
});
const pooled = (name: string, more: Partial<PooledCarrier> = {}): PooledCarrier => ({
  carrier: carrierOf(name),
  rate: UNLIMITED,
  demotion: POLICY,
  ...more,
});

let clock: ManualClock;
let healths: MemoryCarrierHealths;
let directory: MemoryDirectory;
let told: CarrierChange[];
let failures: string[];
let operators: Map<string, string>;

beforeEach(() => {
  clock = new ManualClock();
  healths = new MemoryCarrierHealths();
  directory = new MemoryDirectory();
  told = [];
  failures = [];
  operators = new Map();
});

/** A function's pool of two carriers, of which `one` is to be tried first. */
const createPool = (overrides: Partial<CarrierPoolDependencies> = {}): CarrierPool =>
  createCarrierPool({
    carriers: [pooled("one"), pooled("two")],
    routes: routes({ carrier: "one" }, { carrier: "two" }),
    lane: "bulk",
    directory,
    operators: { find: async (phone) => operators.get(phone) },
    healths,
    tell: async (change) => void told.push(change),
    clock,
    timeLimit: new ManualTimeLimit(),
    onFailure: (what) => failures.push(what),
    ...overrides,
  });

const message = (overrides: Partial<Message> = {}) => sampleMessage(clock.now(), overrides);
const namesFor = async (pool: CarrierPool, it: Message = message()) =>
  (await pool.candidatesFor(it)).map(({ carrier }) => carrier.name);
/** Counts, and has it written down, which everybody hears of two seconds later. */
async function note(pool: CarrierPool, carrier: string, results: readonly HandOverResult[]) {
  pool.note(carrier, results, clock.now());
  clock.advance(5 * SECOND);
  await pool.flush();
}
/** A function's turn with one message, and what it does when no message waits any more. */
async function invoke(pool: CarrierPool) {
  const names = await namesFor(pool);
  await pool.flush();
  return names;
}
/** What a function makes of all that it can hear of by now. */
async function namesOnceJudged(pool: CarrierPool) {
  await invoke(pool);
  return namesFor(pool);
}
const sendersFor = async (pool: CarrierPool, it: Message = message()) =>
  (await pool.candidatesFor(it)).map(({ sender }) => sender);

describe("the carriers for a message", () => {
  it("are those of the stage's routes, unless its account has its own", async () => {
    const pool = createPool();
    expect(await namesFor(pool)).toEqual(["one", "two"]);
    await directory.insertAccount(sampleAccount({ routes: routes({ carrier: "two" }) }));
    expect(await namesFor(pool)).toEqual(["two"]);
    expect(await namesFor(pool, message({ account: "other" }))).toEqual(["one", "two"]);
  });

  it("are none where no route is for it", async () => {
    const pool = createPool({ routes: routes({ country: "PT", carrier: "one" }) });
    expect(await namesFor(pool)).toEqual([]);
  });

  it("go by country, lane, sub-account and operator", async () => {
    const list = routes(
      { country: "PT", carrier: "one" },
      { lane: "bulk", carrier: "one" },
      { subAccount: "sales", carrier: "one" },
      { operator: "vivo", carrier: "one" },
      { carrier: "two" },
    );
    const isFirst = async (overrides: Partial<Message>, lane: Lane = "singles") =>
      (await namesFor(createPool({ routes: list, lane }), message(overrides)))[0] === "one";
    expect(await isFirst({})).toBe(false);
    expect(await isFirst({ destination: "351912345678" })).toBe(true);
    expect(await isFirst({}, "bulk")).toBe(true);
    expect(await isFirst({ subAccount: "sales" })).toBe(true);
    expect(await isFirst({ operator: "Vivo" })).toBe(true);
    operators.set(message().destination, "Vivo");
    expect(await isFirst({})).toBe(true);
    // What is known of the message itself is the better source.
    expect(await isFirst({ operator: "Claro" })).toBe(false);
  });

  it("are found without asking for operators where no route is by operator", async () => {
    const find = () => Promise.reject(new Error("nobody should ask"));
    expect(await namesFor(createPool({ operators: { find } }))).toEqual(["one", "two"]);
  });

  it("leave out what a stage does not have any more", async () => {
    await directory.insertAccount(
      sampleAccount({ routes: routes({ carrier: "gone" }, { carrier: "two" }) }),
    );
    expect(await namesFor(createPool())).toEqual(["two"]);
  });

  it("come with the sender that account, carrier and country allow", async () => {
    const carriers = [pooled("one", { senders: ["27182", "28000"] }), pooled("two")];
    const pool = createPool({ carriers });
    expect(await sendersFor(pool)).toEqual(["27182", undefined]);
    await directory.insertAccount(sampleAccount({ senders: ["Loja", "28000"] }));
    expect(await sendersFor(pool)).toEqual(["28000", "28000"]);
    expect(await sendersFor(pool, message({ destination: "351912345678" }))).toEqual([
      "28000",
      "Loja",
    ]);
  });

  it("are one alone for parts of which it has others, and for a message that it may have", async () => {
    const pool = createPool();
    const long = sampleLongMessage(clock.now(), { carrier: "two" });
    expect(await namesFor(pool, long)).toEqual(["one", "two"]);
    const [first, ...rest] = long.parts ?? [];
    const parts = [{ ...first, state: "SENT" }, ...rest] as Message["parts"];
    expect(await namesFor(pool, { ...long, parts })).toEqual(["two"]);
    expect(await namesFor(pool, { ...long, parts, carrier: "gone" })).toEqual(["one", "two"]);
    expect(await namesFor(pool, message({ carrier: "two" }))).toEqual(["one", "two"]);
    expect(await namesFor(pool, message({ carrier: "two", state: "SENDING" }))).toEqual(["two"]);
  });
});

describe("leave to hand over", () => {
  /** A rate that has room for so many. */
  function rateWith(room: number) {
    const asked: unknown[] = [];
    const rate: CarrierRate = {
      async take(sms, waitMs) {
        asked.push({ sms, waitMs });
        return Math.min(sms, room);
      },
      owe: async (sms) => void asked.push({ owed: sms }),
    };
    return { asked, rate };
  }

  it("is what the carrier's rate has room for", async () => {
    const { asked, rate } = rateWith(2);
    const pool = createPool({ carriers: [pooled("one", { rate }), pooled("two")] });
    expect(await pool.take("one", 3, 500)).toBe(2);
    expect(await pool.take("two", 3, 500)).toBe(3);
    expect(asked).toEqual([{ sms: 3, waitMs: 500 }]);
  });

  it.each([
    [0, 0, []],
    [2, 3, [{ owed: 1 }]],
    [3, 3, []],
  ])(
    "is for all or none where messages go as a whole: room for %i of 3",
    async (room, leave, owed) => {
      const { asked, rate } = rateWith(room);
      const carriers = [pooled("one", { carrier: carrierOf("one", "whole"), rate })];
      expect(await createPool({ carriers }).take("one", 3, 0)).toBe(leave);
      expect(asked.slice(1)).toEqual(owed);
    },
  );
});

describe("what carriers are handed is counted", () => {
  it("by what became of it, in the slice in which it was handed over", async () => {
    const pool = createPool();
    const at = clock.now() - 20 * SECOND;
    pool.note("one", [accepted(), accepted(false), rejected, unreachable, unclear], at);
    clock.advance(5 * SECOND);
    await pool.flush();
    expect((await healths.load(0)).slices).toEqual([
      {
        carrier: "one",
        start: sliceOf(at),
        counts: { handedOver: 5, failed: 2, awaited: 1, prompt: 0 },
      },
    ]);
  });
});

describe("what speaks of the message and not of its carrier", () => {
  it("is not counted, so that nobody is demoted for it", async () => {
    const pool = createPool();
    await note(pool, "one", [...many(30, aboutMessage), accepted()]);
    expect(await namesOnceJudged(pool)).toEqual(["one", "two"]);
    expect(healths.sumOf("one")).toMatchObject({ handedOver: 1, failed: 0 });
    await note(pool, "two", many(30, aboutMessage));
    expect(healths.sumOf("two")).toMatchObject({ handedOver: 0 });
  });
});

describe("a carrier is demoted", () => {
  const DUE = 2 * SECOND;

  it("where too much fails, by whoever hears of it first, and the event is told once", async () => {
    const [pool, other] = [createPool(), createPool()];
    expect(await invoke(other)).toEqual(["one", "two"]);
    await note(pool, "one", [
      ...many(10, unreachable),
      ...many(5, unclear),
      ...many(5, accepted()),
    ]);
    // The message that brings the news does not wait for what is made of it.
    expect(await namesFor(pool)).toEqual(["one", "two"]);
    expect(told).toEqual([]);
    await pool.flush();
    for (const it of [pool, other]) expect(await invoke(it)).toEqual(["two", "one"]);
    clock.advance(DUE);
    for (const it of [pool, other]) expect(await invoke(it)).toEqual(["two", "one"]);
    expect(told).toEqual([
      {
        carrier: "one",
        change: "demoted",
        reason: "failures",
        percent: 75,
        at: clock.now() - DUE,
        until: clock.now() - DUE + 30 * SECOND,
      },
    ]);
    expect(healths.of("one")).toMatchObject({ state: "demoted", told: true });
  });

  it.each([
    ["too few to tell", many(19, unreachable)],
    ["refusals, which are no failures", many(40, rejected)],
    ["fewer failures than the limit", [...many(9, unreachable), ...many(11, accepted())]],
  ])("but not for %s", async (_, results) => {
    const pool = createPool();
    await note(pool, "one", results);
    expect(await namesOnceJudged(pool)).toEqual(["one", "two"]);
    expect(told).toEqual([]);
  });

  it("nor for failures of longer ago than a minute", async () => {
    const pool = createPool();
    pool.note("one", many(40, unreachable), clock.now() - 70 * SECOND);
    clock.advance(5 * SECOND);
    await pool.flush();
    expect(await namesOnceJudged(pool)).toEqual(["one", "two"]);
  });

  it("where receipts do not come, when they should have", async () => {
    const pool = createPool();
    await note(pool, "one", many(30, accepted()));
    clock.advance(100 * SECOND);
    expect(await namesOnceJudged(pool)).toEqual(["one", "two"]);
    clock.advance(30 * SECOND);
    expect(await namesOnceJudged(pool)).toEqual(["two", "one"]);
    expect(told).toMatchObject([{ carrier: "one", reason: "slow-receipts", percent: 100 }]);
  });

  it("but not where they came, or where none were to come", async () => {
    const pool = createPool();
    const start = sliceOf(clock.now());
    await note(pool, "one", many(30, accepted()));
    await healths.count("one", start, { handedOver: 0, failed: 0, awaited: 0, prompt: 25 });
    await note(pool, "two", many(30, accepted(false)));
    clock.advance(130 * SECOND);
    expect(await namesOnceJudged(pool)).toEqual(["one", "two"]);
    expect(told).toEqual([]);
  });

  it("and is still the last resort, also where it is the only one", async () => {
    const pool = createPool({ routes: routes({ carrier: "one" }) });
    await note(pool, "one", many(20, unreachable));
    expect(await namesOnceJudged(pool)).toEqual(["one"]);
    const both = createPool();
    await note(both, "two", many(20, unreachable));
    expect(await namesOnceJudged(both)).toEqual(["one", "two"]);
    expect(told.map(({ carrier }) => carrier)).toEqual(["one", "two"]);
  });

  it("and the world is told again and again, until it was told; other carriers do not wait for that", async () => {
    let isAway = true;
    const tell = async (change: CarrierChange) => {
      if (isAway) throw new Error("the bus is away");
      told.push(change);
    };
    const pool = createPool({ tell });
    pool.note("two", many(20, unreachable), clock.now());
    await note(pool, "one", many(20, unreachable));
    expect(await namesOnceJudged(pool)).toEqual(["one", "two"]);
    expect(healths.of("one")).toMatchObject({ state: "demoted", told: false });
    expect(healths.of("two")).toMatchObject({ state: "demoted", told: false });
    // It is not asked for the other one, too.
    expect(failures).toHaveLength(1);
    isAway = false;
    clock.advance(DUE);
    // Somebody else, as the function that demoted it may have died before it could tell.
    await invoke(createPool({ tell }));
    expect(told.map(({ carrier, change }) => [carrier, change])).toEqual([
      ["one", "demoted"],
      ["two", "demoted"],
    ]);
  });

  it("and a bus that refuses an event is left alone for half a minute", async () => {
    let asked = 0;
    const tell = async () => {
      asked += 1;
      throw new Error("the bus is away");
    };
    const pool = createPool({ tell });
    await note(pool, "one", many(20, unreachable));
    await invoke(pool);
    for (let second = 0; second < 29; second += 1) {
      clock.advance(SECOND);
      await pool.flush();
    }
    expect(asked).toBe(1);
    clock.advance(SECOND);
    await pool.flush();
    expect(asked).toBe(2);
  });

  it("is known for two seconds without asking again", async () => {
    const pool = createPool();
    for (let n = 0; n < 20; n += 1) {
      await namesFor(pool);
      clock.advance(100);
    }
    expect(healths.calls).toEqual(["load"]);
    await Promise.all([namesFor(pool), namesFor(pool)]);
    expect(healths.calls).toEqual(["load", "load"]);
  });
});

describe("where nobody can say how carriers fare", () => {
  it("all are taken for well, no message is stopped, and the store is left alone for two seconds", async () => {
    const pool = createPool();
    healths.error = new Error("throttled");
    for (let n = 0; n < 5; n += 1) expect(await namesFor(pool)).toEqual(["one", "two"]);
    await note(pool, "one", many(20, unreachable));
    expect(healths.calls.filter((it) => it === "load")).toHaveLength(1);
    expect(failures).toHaveLength(2);
  });

  it("what is known already is kept to", async () => {
    const pool = createPool();
    await note(pool, "one", many(20, unreachable));
    expect(await namesOnceJudged(pool)).toEqual(["two", "one"]);
    healths.error = new Error("throttled");
    clock.advance(40 * SECOND);
    expect(await invoke(pool)).toEqual(["two", "one"]);
    expect(failures.length).toBeGreaterThan(0);
  });

  it("a trial that could not be ended is somebody's again half a minute later", async () => {
    const pool = createPool();
    await note(pool, "one", many(20, unreachable));
    await invoke(pool);
    clock.advance(30 * SECOND);
    expect(await namesFor(pool)).toEqual(["one", "two"]);
    healths.error = new Error("throttled");
    pool.note("one", [accepted()], clock.now());
    await pool.flush();
    healths.error = undefined;
    clock.advance(29 * SECOND);
    expect(await namesFor(pool)).toEqual(["two", "one"]);
    clock.advance(SECOND + 2 * SECOND);
    expect(await namesFor(pool)).toEqual(["one", "two"]);
  });
});

describe("a carrier that was demoted", () => {
  /** Functions that have all heard that `one` is demoted. */
  async function demotedIn(functions: number): Promise<CarrierPool[]> {
    const pools = Array.from({ length: functions }, () => createPool());
    await note(pools[0] as CarrierPool, "one", many(20, unreachable));
    for (const pool of pools) await invoke(pool);
    expect(healths.of("one")).toMatchObject({ state: "demoted" });
    return pools;
  }

  it("is tried with exactly one message, of all messages of all functions", async () => {
    const pools = await demotedIn(3);
    clock.advance(30 * SECOND);
    const writes = healths.calls.filter((it) => it === "change").length;
    const chosen = await Promise.all(
      pools.flatMap((pool) => Array.from({ length: 40 }, () => namesFor(pool))),
    );
    const tried = chosen.filter(([first]) => first === "one");
    expect(tried).toEqual([["one", "two"]]);
    expect(chosen.filter(([first]) => first === "two")).toHaveLength(119);
    // Each function asks for it once, not each message.
    expect(healths.calls.filter((it) => it === "change").length - writes).toBeLessThanOrEqual(3);
    clock.advance(3 * SECOND);
    for (const pool of pools) expect(await namesFor(pool)).toEqual(["two", "one"]);
  });

  it("comes back where that message is taken, for all functions, which is told once", async () => {
    const [pool, other] = (await demotedIn(2)) as [CarrierPool, CarrierPool];
    told.length = 0;
    clock.advance(30 * SECOND);
    expect(await namesFor(pool)).toEqual(["one", "two"]);
    pool.note("one", [accepted()], clock.now());
    await pool.flush();
    expect(await namesFor(pool)).toEqual(["one", "two"]);
    clock.advance(2 * SECOND);
    expect(await invoke(other)).toEqual(["one", "two"]);
    await pool.flush();
    expect(told).toEqual([{ carrier: "one", change: "restored", at: clock.now() - 2 * SECOND }]);
    expect(healths.of("one")).toMatchObject({ state: "good", told: true });
  });

  it("waits for twice as long where it is not, and nobody is told anew", async () => {
    const [pool] = (await demotedIn(1)) as [CarrierPool];
    told.length = 0;
    clock.advance(30 * SECOND);
    expect(await namesFor(pool)).toEqual(["one", "two"]);
    pool.note("one", [unclear], clock.now());
    await pool.flush();
    clock.advance(60 * SECOND - 1);
    expect(await invoke(pool)).toEqual(["two", "one"]);
    clock.advance(2 * SECOND);
    expect(await invoke(pool)).toEqual(["one", "two"]);
    expect(told).toEqual([]);
  });

  it("is tried by somebody else where nothing came of the message", async () => {
    const [pool, other] = (await demotedIn(2)) as [CarrierPool, CarrierPool];
    clock.advance(30 * SECOND);
    expect(await namesFor(pool)).toEqual(["one", "two"]);
    clock.advance(29 * SECOND);
    expect(await namesFor(other)).toEqual(["two", "one"]);
    clock.advance(3 * SECOND);
    expect(await namesFor(other)).toEqual(["one", "two"]);
  });

  it("is not condemned again by what failed before it came back, though that was just before", async () => {
    const [pool] = (await demotedIn(1)) as [CarrierPool];
    clock.advance(30 * SECOND);
    await namesFor(pool);
    pool.note("one", many(40, unreachable), clock.now() - SECOND);
    await pool.flush();
    // That has ended the trial; the next one goes well.
    clock.advance(62 * SECOND);
    expect(await namesFor(pool)).toEqual(["one", "two"]);
    pool.note("one", [accepted()], clock.now());
    pool.note("one", many(40, unreachable), sliceOf(clock.now()));
    clock.advance(5 * SECOND);
    await pool.flush();
    expect(await namesOnceJudged(pool)).toEqual(["one", "two"]);
    expect(healths.of("one")).toMatchObject({ state: "good" });
  });

  it("waits for longer where it is demoted again soon after it came back", async () => {
    const [pool] = (await demotedIn(1)) as [CarrierPool];
    clock.advance(30 * SECOND);
    await namesFor(pool);
    pool.note("one", [accepted()], clock.now());
    await pool.flush();
    clock.advance(60 * SECOND);
    await note(pool, "one", many(20, unreachable));
    expect(await namesOnceJudged(pool)).toEqual(["two", "one"]);
    expect(told.map(({ change }) => change)).toEqual(["demoted", "restored", "demoted"]);
    expect(healths.of("one")).toMatchObject({ demotions: 2, until: clock.now() + 60 * SECOND });
  });
});

describe("a trial", () => {
  /** One carrier is demoted, and may be tried by now. */
  async function dueForTrial(lane: Lane): Promise<CarrierPool> {
    const pool = createPool({ lane });
    await note(pool, "one", many(20, unreachable));
    await invoke(pool);
    clock.advance(30 * SECOND);
    return pool;
  }

  it("is for a message of bulk, unless none comes for ten seconds", async () => {
    const pool = await dueForTrial("singles");
    clock.advance(10 * SECOND - 1);
    expect(await namesFor(pool)).toEqual(["two", "one"]);
    clock.advance(2 * SECOND);
    expect(await namesFor(pool)).toEqual(["one", "two"]);
  });

  it("is told to whoever hands its message over, and to no other", async () => {
    const pool = await dueForTrial("bulk");
    const trials = async () =>
      (await pool.candidatesFor(message())).map(({ isTrial }) => isTrial === true);
    expect(await trials()).toEqual([true, false]);
    expect(await trials()).toEqual([false, false]);
  });

  it("is not ended by an answer that says nothing of the carrier", async () => {
    const pool = await dueForTrial("bulk");
    await namesFor(pool);
    pool.note("one", [aboutMessage], clock.now());
    await pool.flush();
    expect(healths.of("one")).toMatchObject({ state: "trial" });
    pool.note("one", [accepted()], clock.now());
    await pool.flush();
    expect(healths.of("one")).toMatchObject({ state: "good" });
  });

  it("is ended once, by what came first", async () => {
    const pool = await dueForTrial("bulk");
    await namesFor(pool);
    pool.note("one", [unclear], clock.now());
    pool.note("one", [accepted()], clock.now());
    await pool.flush();
    expect(healths.of("one")).toMatchObject({ state: "demoted", demotions: 2 });
  });
});

describe("a carrier that has failed a message", () => {
  const failedBy = (...carriersTried: string[]) => message({ carriersTried });

  it("comes after those that have not, and all are tried anew once all have", async () => {
    const pool = createPool();
    expect(await namesFor(pool, failedBy("one"))).toEqual(["two", "one"]);
    expect(await namesFor(pool, failedBy("one", "two"))).toEqual(["one", "two"]);
    expect(await namesFor(pool, failedBy("gone"))).toEqual(["one", "two"]);
  });

  it("comes even after one that is demoted", async () => {
    const pool = createPool();
    await note(pool, "one", many(20, unreachable));
    expect(await namesOnceJudged(pool)).toEqual(["two", "one"]);
    expect(await namesFor(pool, failedBy("two"))).toEqual(["one", "two"]);
  });
});

describe("where somebody who is asked is away", () => {
  const toOne = () => sampleAccount({ routes: routes({ carrier: "two" }), senders: ["27182"] });

  it("an account that is known is routed as before, and is known anew afterwards", async () => {
    await directory.insertAccount(toOne());
    const pool = createPool();
    const before = await pool.candidatesFor(message());
    const find = directory.findAccount.bind(directory);
    directory.findAccount = () => Promise.reject(new Error("throttled"));
    expect(await pool.candidatesFor(message())).toEqual(before);
    expect(before).toMatchObject([{ carrier: { name: "two" }, sender: "27182" }]);
    expect(failures).toEqual(["an account's routes are not known anew"]);
    directory.findAccount = find;
    directory.accounts.set("acme", { ...toOne(), routes: routes({ carrier: "one" }) });
    expect(await namesFor(pool)).toEqual(["one"]);
  });

  it("an account that is not known is not routed by guess", async () => {
    const pool = createPool();
    directory.findAccount = () => Promise.reject(new Error("throttled"));
    await expect(pool.candidatesFor(message())).rejects.toThrow("throttled");
  });

  it("no operator is as good as one that nobody knows", async () => {
    const list = routes({ operator: "vivo", carrier: "one" }, { carrier: "two" });
    const find = () => Promise.reject(new Error("throttled"));
    expect(await namesFor(createPool({ routes: list, operators: { find } }))).toEqual(["two"]);
    expect(failures).toEqual(["a phone's operator is not known"]);
  });

  it("nobody waits for longer than a second for any of them", async () => {
    const time = new VirtualTime(clock.now());
    await directory.insertAccount(toOne());
    const hang = () => new Promise<never>(() => {});
    const list = routes({ operator: "vivo", carrier: "one" }, { carrier: "two" });
    const ports = { clock: time, timeLimit: time, routes: list };
    const pool = createPool({ ...ports, operators: { find: hang } });
    await namesFor(pool);
    directory.findAccount = hang;
    const ofKnown = namesFor(pool);
    await time.pass(SECOND);
    expect(await ofKnown).toEqual(["two"]);
    const other = new MemoryDirectory();
    const ofOperator = namesFor(
      createPool({ ...ports, directory: other, operators: { find: hang } }),
    );
    await time.pass(SECOND);
    expect(await ofOperator).toEqual(["two"]);
  });
});

describe("where routes lead nowhere", () => {
  it("that is an error, and no end of the message", async () => {
    await directory.insertAccount(
      sampleAccount({ routes: routes({ carrier: "gone" }, { country: "PT", carrier: "one" }) }),
    );
    const pool = createPool();
    await expect(pool.candidatesFor(message())).rejects.toThrow(NoSuchCarrierError);
    await expect(pool.candidatesFor(message())).rejects.toThrow("gone");
    expect(await namesFor(pool, message({ destination: "351912345678" }))).toEqual(["one"]);
  });

  it("that is one, too, for parts of which others are out, where only whole messages go on", async () => {
    const long = sampleLongMessage(clock.now(), { carrier: "two" });
    const [first, ...rest] = long.parts ?? [];
    const parts = [{ ...first, state: "SENT" }, ...rest] as Message["parts"];
    const whole = (name: string) => pooled(name, { carrier: carrierOf(name, "whole") });
    const pool = createPool({ carriers: [pooled("one"), whole("two"), whole("three")] });
    // The carrier of that name was another once; of the whole text a part would come twice.
    await expect(pool.candidatesFor({ ...long, parts })).rejects.toThrow(NoSuchCarrierError);
    expect(await namesFor(pool, long)).toEqual(["one", "two"]);
    // Their carrier is gone: of those that there are, one takes parts.
    const list = routes({ carrier: "three" }, { carrier: "one" });
    const other = createPool({ carriers: [pooled("one"), whole("three")], routes: list });
    expect(await namesFor(other, { ...long, parts })).toEqual(["one"]);
    expect(await namesFor(other, long)).toEqual(["three", "one"]);
  });
});

describe("what is done when no message waits", () => {
  const hang = () => new Promise<never>(() => {});
  let time: VirtualTime;

  beforeEach(() => {
    time = new VirtualTime(clock.now());
  });

  const poolInTime = (overrides: Partial<CarrierPoolDependencies> = {}) =>
    createPool({ clock: time, timeLimit: time, ...overrides });
  async function flushTakes(pool: CarrierPool): Promise<number> {
    const start = time.now();
    let end: number | undefined;
    void pool.flush().then(() => {
      end = time.now();
    });
    while (end === undefined) await time.pass(100);
    return end - start;
  }
  async function fail(pool: CarrierPool, carrier: string) {
    pool.note(carrier, many(20, unreachable), time.now());
    await time.pass(5 * SECOND);
    await pool.flush();
    await namesFor(pool);
  }

  it("takes three seconds where the bus hangs, which is then left alone for half a minute", async () => {
    let asked = 0;
    const pool = poolInTime({
      tell: () => {
        asked += 1;
        return hang();
      },
    });
    await fail(pool, "one");
    expect(await flushTakes(pool)).toBe(3 * SECOND);
    await fail(pool, "two");
    // And it keeps nobody from seeing what the other carrier is like.
    expect(await flushTakes(pool)).toBe(0);
    expect(healths.of("two")).toMatchObject({ state: "demoted", told: false });
    expect(asked).toBe(1);
    await time.pass(30 * SECOND);
    await flushTakes(pool);
    expect(asked).toBe(2);
  });

  it("takes three seconds where the counts hang, or the states", async () => {
    const pool = poolInTime();
    await fail(pool, "one");
    healths.change = hang;
    expect(await flushTakes(pool)).toBe(3 * SECOND);
    healths.count = hang;
    pool.note("one", [accepted()], time.now());
    await time.pass(5 * SECOND);
    expect(await flushTakes(pool)).toBe(3 * SECOND);
    expect(failures).toEqual([
      "what concerns the carriers' health could not be written down",
      "what carriers were handed is still being counted",
    ]);
  });
});

/** How a carrier's two bad minutes went. */
interface Outage {
  /** Messages by who took them, in the outage and after it. */
  readonly taken: Record<"during" | "after", Record<string, number>>;
  /** Hand-overs to the failing carrier that were in vain. */
  readonly inVain: number;
  readonly events: readonly { readonly change: string; readonly second: number }[];
  readonly calls: MemoryCarrierHealths["calls"];
}

/** Three functions of ten messages a second each; the first carrier takes nothing for two minutes. */
async function playOutage(): Promise<Outage> {
  const time = new VirtualTime();
  const random = seeded(7);
  const start = time.now();
  const since = () => time.now() - start;
  const isOut = () => since() >= 60 * SECOND && since() < 180 * SECOND;
  const events: { change: string; second: number }[] = [];
  const taken = { during: {} as Record<string, number>, after: {} as Record<string, number> };
  let inVain = 0;
  const pools = Array.from({ length: 3 }, () =>
    createPool({
      clock: time,
      tell: async ({ change }) => void events.push({ change, second: since() / SECOND }),
    }),
  );

  async function handOver(pool: CarrierPool) {
    const candidates = await pool.candidatesFor(sampleMessage(time.now()));
    for (const { carrier } of candidates) {
      const at = time.now();
      await time.sleep(20 + 60 * random());
      const isLost = carrier.name === "one" && isOut();
      pool.note(carrier.name, [isLost ? unreachable : accepted(false)], at);
      if (!isLost) {
        const when = isOut() ? taken.during : since() > 180 * SECOND ? taken.after : {};
        when[carrier.name] = (when[carrier.name] ?? 0) + 1;
        break;
      }
      inVain += 1;
    }
    await pool.flush();
  }

  for (let n = 0; n < 300 * 10; n += 1) {
    for (const pool of pools) void handOver(pool);
    await time.pass(100);
  }
  await time.pass(SECOND);
  return { taken, inVain, events, calls: healths.calls };
}

it("three functions come round a carrier that fails for two minutes, and come back to it", async () => {
  const { taken, inVain, events, calls } = await playOutage();
  const ofCalls = (call: string) => calls.filter((it) => it === call).length;
  console.info(
    [
      `a carrier failed from second 60 to 180, ${inVain} of 3,600 hand-overs to it were in vain`,
      ...events.map(({ change, second }) => `it was ${change} in second ${second.toFixed(1)}`),
      `meanwhile taken: ${JSON.stringify(taken.during)}, in the two minutes after: ${JSON.stringify(taken.after)}`,
      `requests to the store in 300 s: ${ofCalls("load")} reads, ${ofCalls("count")} counts, ${ofCalls("change")} changes`,
    ].join("\n"),
  );
  expect(events.map(({ change }) => change)).toEqual(["demoted", "restored"]);
  const [demoted, restored] = events.map(({ second }) => second) as [number, number];
  // A share of the last minute must have failed before anything is concluded.
  expect(demoted).toBeGreaterThan(60);
  expect(demoted).toBeLessThan(100);
  // Trials come after 30, 60 and 120 seconds.
  expect(restored).toBeGreaterThan(180);
  expect(restored).toBeLessThan(demoted + 30 + 60 + 120 + 15);
  // No message was lost, and after the demotion only trials were in vain.
  expect(Object.values(taken.during).reduce((sum, it) => sum + it, 0)).toBeGreaterThan(3_590);
  expect(inVain).toBeLessThan((demoted - 60) * 30 + 60);
  expect(taken.after.one).toBeGreaterThan(0);
});
