import fc from "fast-check";
import { beforeEach, describe, expect, it } from "vitest";
import {
  makeMessage,
  type SendRequest,
  type SendResult,
} from "../../../functions/core/accept-message.ts";
import type { Account } from "../../../functions/core/account.ts";
import { type AdmissionDependencies, admit } from "../../../functions/core/admit.ts";
import { codesOf } from "../../../functions/core/codes.ts";
import { UnavailableError } from "../../../functions/core/errors.ts";
import { expandBatch } from "../../../functions/core/expand-batch.ts";
import { isFinal } from "../../../functions/core/lifecycle.ts";
import type { Limits, UsageOwner } from "../../../functions/core/limits.ts";
import { type Message, messageSchema } from "../../../functions/core/message.ts";
import { partCount } from "../../../functions/core/parts.ts";
import { sendBatch } from "../../../functions/core/send-batch.ts";
import { type SendDependencies, sendMessage } from "../../../functions/core/send-message.ts";
import {
  CountingRandomness,
  ManualClock,
  MemoryBatches,
  MemoryBatchQueue,
  MemoryDispatchQueue,
  MemoryMessages,
} from "../../support/memory.ts";
import { MemoryBlockedNumbers, MemoryUsageCounters } from "../../support/memory-customers.ts";
import { sampleAccount } from "../../support/samples.ts";
import { TestApi } from "../mesago/support.ts";
import {
  FAULTS,
  type Fault,
  FaultyPorts,
  interleaved,
  sampleRequest,
  sampleSubAccount,
  textOfParts,
} from "./support.ts";

const FINE = "5519900001111";
const BLOCKED = "5519900002222";
const OPTED_OUT = "5519900003333";
const BOTH = "5519900004444";
const NUMBERS = [FINE, BLOCKED, OPTED_OUT, BOTH] as const;

/** Noon in São Paulo. */
const NOON = Date.parse("2026-03-02T15:00:00Z");
const TODAY = { day: "2026-03-02", month: "2026-03" };

const partsOf = (messages: readonly Message[]) =>
  messages.reduce((parts, message) => parts + partCount(message), 0);

/** The messages of these results that will be sent. */
const toBeSent = (results: readonly SendResult[]) =>
  results.flatMap((result) =>
    result.accepted && !isFinal(result.message.state) ? [result.message] : [],
  );

const outcomeOf = (result: SendResult) =>
  result.accepted ? (result.message.reason ?? "let through") : result.refusal;

/** An account and a sub-account of it, with limits. */
class World {
  readonly clock = new ManualClock(NOON);
  readonly usage = new MemoryUsageCounters();
  readonly blockedNumbers = new MemoryBlockedNumbers();
  readonly randomness = new CountingRandomness();
  readonly account: Account;
  readonly subAccount: SendRequest["subAccount"];
  #tokens = 0;

  constructor(limits: Partial<Limits> = {}, limitsOfSubAccount?: Partial<Limits>) {
    this.account = sampleAccount({ longMessages: true, limits: { prepaid: false, ...limits } });
    this.subAccount =
      limitsOfSubAccount && sampleSubAccount({ limits: { prepaid: false, ...limitsOfSubAccount } });
  }

  async givenBlocked() {
    const origin = { at: NOON, origin: "test" };
    for (const number of [BLOCKED, BOTH]) {
      await this.blockedNumbers.block({ version: 1, account: "acme", number, createdAt: NOON });
    }
    for (const number of [OPTED_OUT, BOTH]) {
      await this.blockedNumbers.optOut({ account: "acme", number, ...origin });
    }
  }

  async givenUsed(owner: UsageOwner, parts: number, when = TODAY) {
    const limits = { perDay: 1_000_000, prepaid: false };
    await this.usage.take({ owner, limits, ...when, parts, token: `given-${this.#tokens++}` });
  }
  async givenCredit(owner: UsageOwner, parts: number) {
    await this.usage.addCredit(owner, parts, `given-${this.#tokens++}`);
  }

  async used(owner: UsageOwner = ACCOUNT) {
    const usage = await this.usage.read(owner);
    return [usage?.usedToday ?? 0, usage?.usedThisMonth ?? 0, usage?.credit ?? 0];
  }

  /** How many parts the limits leave now. */
  async room() {
    const owners = [
      { owner: ACCOUNT, limits: this.account.limits },
      ...(this.subAccount ? [{ owner: SUB_ACCOUNT, limits: this.subAccount.limits }] : []),
    ];
    const rooms = owners.map(async ({ owner, limits: { perDay, perMonth, prepaid } }) => {
      const [today = 0, thisMonth = 0, credit = 0] = await this.used(owner);
      return Math.min(
        (perDay ?? Number.POSITIVE_INFINITY) - today,
        (perMonth ?? Number.POSITIVE_INFINITY) - thisMonth,
        prepaid ? credit : Number.POSITIVE_INFINITY,
      );
    });
    return Math.max(0, Math.min(...(await Promise.all(rooms))));
  }

  admit(
    requests: readonly Partial<SendRequest>[],
    usage: AdmissionDependencies["usage"] = this.usage,
  ) {
    const { clock, randomness, blockedNumbers } = this;
    const deps = { clock, randomness, blockedNumbers, usage, retentionMs: 86_400_000 };
    const asked = requests.map((request, index) =>
      sampleRequest({ id: `id-${index}`, subAccount: this.subAccount, ...request }),
    );
    const made = asked.map((request) => makeMessage(deps, this.account, request));
    return admit(deps, this.account, asked, made);
  }
}

const ACCOUNT: UsageOwner = { account: "acme" };
const SUB_ACCOUNT: UsageOwner = { account: "acme", subAccount: "sales" };

const limit = fc.option(fc.integer({ min: 0, max: 20 }), { nil: undefined });
const limits: fc.Arbitrary<Partial<Limits>> = fc
  .record({ perDay: limit, perMonth: limit, prepaid: fc.boolean() })
  .map(({ perDay, perMonth, prepaid }) => ({
    prepaid,
    ...(perDay !== undefined && { perDay }),
    ...(perMonth !== undefined && { perMonth }),
  }));
const used = fc.record({
  parts: fc.integer({ min: 0, max: 10 }),
  credit: fc.integer({ min: -5, max: 20 }),
});
const asked = fc.record({
  destination: fc.constantFrom(...NUMBERS, FINE, FINE, "551132654321"),
  text: fc.integer({ min: 1, max: 6 }).map(textOfParts),
  storesRefused: fc.boolean(),
});

describe("admit", () => {
  it("asks no counters of an account without limits, and no block-list where nothing is to be sent", async () => {
    const world = new World({}, {});
    const none = () => Promise.reject(new Error("not to be asked"));
    const usage: AdmissionDependencies["usage"] = { take: none, giveBack: none };
    const { results, giveBack } = await world.admit([{}, {}], usage);
    expect(results.map(outcomeOf)).toEqual(["let through", "let through"]);
    await giveBack(toBeSent(results));
    world.blockedNumbers.findBlocked = none;
    const bad = await world.admit([{ text: "" }, { text: "", storesRefused: true }], usage);
    expect(bad.results.map(outcomeOf)).toEqual(["empty-text", "invalid-message"]);
    await expect(world.admit([{}])).rejects.toThrow("not to be asked");
  });

  it("leaves what was made, and what was not, as it is where nothing is in the way", async () => {
    const world = new World({ perDay: 10 });
    const { results } = await world.admit([{ id: "a" }, { text: "" }, { id: "c" }]);
    expect(results).toMatchObject([
      { accepted: true, message: { id: "a", state: "QUEUED" } },
      { accepted: false, refusal: "empty-text" },
      { accepted: true, message: { id: "c", state: "QUEUED" } },
    ]);
    expect(await world.used()).toEqual([2, 2, 0]);
  });

  it.each([
    ["a blocked number", "block-list", { destination: BLOCKED }, 203],
    ["a number that opted out", "opt-out", { destination: OPTED_OUT }, 204],
    ["a blocked number that opted out", "block-list", { destination: BOTH }, 203],
    ["more than the limit", "account-limit", { text: textOfParts(3) }, 201],
  ] as const)("refuses %s, or stores it as blocked", async (_, why, request, code) => {
    const world = new World({ perDay: 2 });
    await world.givenBlocked();
    const refused = await world.admit([request]);
    expect(refused.results).toEqual([{ accepted: false, refusal: why }]);
    const { results } = await world.admit([{ id: undefined, ...request, storesRefused: true }]);
    const [stored] = results.flatMap((result) => (result.accepted ? [result.message] : []));
    expect(stored).toMatchObject({ state: "BLOCKED", reason: why, stateAt: NOON, attempts: 0 });
    expect(messageSchema.parse(stored)).toEqual(stored);
    expect(codesOf("BLOCKED", stored?.reason).wavy).toEqual({ sent: code });
    expect(await world.used()).toEqual([0, 0, 0]);
  });

  it("blocks those of a sub-account who opted out of it or of the whole account, and no others", async () => {
    const word = { at: NOON, origin: "test" };
    const optOuts = [
      { number: OPTED_OUT, subAccount: "sales" },
      { number: BLOCKED, subAccount: "support" },
      { number: BOTH },
    ];
    const outcomes = async (world: World) => {
      for (const optOut of optOuts) {
        await world.blockedNumbers.optOut({ account: "acme", ...optOut, ...word });
      }
      const { results } = await world.admit(NUMBERS.map((destination) => ({ destination })));
      return results.map(outcomeOf);
    };
    expect(await outcomes(new World({}, {}))).toEqual([
      "let through",
      "let through",
      "opt-out",
      "opt-out",
    ]);
    // Who opted out of a sub-account gets what is sent for none.
    expect(await outcomes(new World())).toEqual([
      "let through",
      "let through",
      "let through",
      "opt-out",
    ]);
  });

  it("asks the block-list for each number once, and not for those that are not sent to", async () => {
    const world = new World();
    const askedFor: unknown[] = [];
    world.blockedNumbers.findBlocked = async (...args) => {
      askedFor.push(args);
      return new Map();
    };
    await world.admit([
      { destination: FINE },
      { destination: "(19) 90000-1111" },
      { destination: BOTH, text: "" },
      { destination: OPTED_OUT },
    ]);
    expect(askedFor).toEqual([["acme", undefined, [FINE, OPTED_OUT]]]);
  });

  it("counts by the days and months of the account's own time zone", async () => {
    const world = new World({ perDay: 1, perMonth: 3 });
    const at = async (time: string) => {
      world.clock.time = Date.parse(time);
      return (await world.admit([{}, {}])).results.map(outcomeOf);
    };
    const one = ["let through", "account-limit"];
    const none = ["account-limit", "account-limit"];
    // The day ends at three o'clock in UTC.
    expect(await at("2026-03-30T02:59:59Z")).toEqual(one);
    expect(await at("2026-03-30T02:59:59.999Z")).toEqual(none);
    expect(await at("2026-03-30T03:00:00Z")).toEqual(one);
    expect(await at("2026-03-31T03:00:00Z")).toEqual(one);
    expect(await at("2026-04-01T02:59:59Z")).toEqual(none);
    expect(await at("2026-04-01T03:00:00Z")).toEqual(one);
  });

  it("lets a message through that fits all limits, though one before it fits only some", async () => {
    const world = new World({ perDay: 2 }, { perDay: 3 });
    const { results } = await world.admit([{ text: textOfParts(3) }, { text: textOfParts(1) }]);
    expect(results.map(outcomeOf)).toEqual(["account-limit", "let through"]);
    expect(await world.used(ACCOUNT)).toEqual([1, 1, 0]);
    expect(await world.used(SUB_ACCOUNT)).toEqual([1, 1, 0]);
  });

  it("lets through what fits and is not blocked, the first ones first, counts that, and gives back what it is told", async () => {
    const scenario = fc.record({
      ofAccount: limits,
      ofSubAccount: fc.option(limits, { nil: undefined }),
      usedByAccount: used,
      usedBySubAccount: used,
      requests: fc.array(asked, { maxLength: 8 }),
      notSent: fc.infiniteStream(fc.boolean()),
    });
    await fc.assert(
      fc.asyncProperty(scenario, async (given) => {
        const world = new World(given.ofAccount, given.ofSubAccount);
        await world.givenBlocked();
        await world.givenUsed(ACCOUNT, given.usedByAccount.parts);
        await world.givenCredit(ACCOUNT, given.usedByAccount.credit);
        await world.givenUsed(SUB_ACCOUNT, given.usedBySubAccount.parts);
        await world.givenCredit(SUB_ACCOUNT, given.usedBySubAccount.credit);
        const [before, ofSubAccountBefore] = [await world.used(), await world.used(SUB_ACCOUNT)];
        let room = await world.room();

        const { results, giveBack } = await world.admit(given.requests);

        const expected = given.requests.map(({ destination, text, storesRefused }) => {
          if (destination === "551132654321") {
            return storesRefused ? "invalid-number" : "invalid-destination";
          }
          if (destination === BLOCKED || destination === BOTH) return "block-list";
          if (destination === OPTED_OUT) return "opt-out";
          const parts = text.length === 1 ? 1 : Math.ceil(text.length / 152);
          if (parts > room) return "account-limit";
          room -= parts;
          return "let through";
        });
        expect(results.map(outcomeOf)).toEqual(expected);
        const stored = given.requests.map(
          ({ storesRefused }, index) => storesRefused || expected[index] === "let through",
        );
        expect(results.map(({ accepted }) => accepted)).toEqual(stored);

        const counted = async (parts: number) => {
          const { prepaid, perDay, perMonth } = world.account.limits;
          const isCounted = prepaid || perDay !== undefined || perMonth !== undefined;
          expect(await world.used()).toEqual(isCounted ? plus(before, parts, prepaid) : before);
          const limitsOfSubAccount = world.subAccount?.limits;
          if (!limitsOfSubAccount) {
            expect(await world.used(SUB_ACCOUNT)).toEqual(ofSubAccountBefore);
          }
        };
        const sent = toBeSent(results);
        await counted(partsOf(sent));
        const notSent = sent.filter(() => given.notSent.next().value);
        await giveBack(notSent);
        await counted(partsOf(sent) - partsOf(notSent));
        // Neither what is final nor what is another's was counted here.
        const blocked = results.flatMap((result) =>
          result.accepted && isFinal(result.message.state) ? [result.message] : [],
        );
        await giveBack([...blocked, ...blocked.map((it) => ({ ...it, traceId: "another's" }))]);
        await counted(partsOf(sent) - partsOf(notSent));
      }),
      { numRuns: 300 },
    );
  });

  const plus = ([today = 0, month = 0, credit = 0]: number[], parts: number, prepaid: boolean) => [
    today + parts,
    month + parts,
    prepaid ? credit - parts : credit,
  ];

  it("lets no more through than the limits leave, whoever else asks at the same time", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.scheduler(),
        fc.array(fc.array(asked, { minLength: 1, maxLength: 4 }), { minLength: 2, maxLength: 4 }),
        fc.integer({ min: 0, max: 15 }),
        fc.integer({ min: 0, max: 15 }),
        async (scheduler, callers, perDay, credit) => {
          const world = new World({ perDay }, { prepaid: true });
          await world.givenCredit(SUB_ACCOUNT, credit);
          const usage = interleaved<AdmissionDependencies["usage"]>(scheduler, world.usage);
          const admissions = await scheduler.waitFor(
            Promise.all(callers.map((requests) => world.admit(requests, usage))),
          );
          const sent = partsOf(admissions.flatMap(({ results }) => toBeSent(results)));
          expect(sent).toBeLessThanOrEqual(Math.min(perDay, credit));
          expect(await world.used()).toEqual([sent, sent, 0]);
          expect(await world.used(SUB_ACCOUNT)).toEqual([sent, sent, credit - sent]);
        },
      ),
    );
  });

  it("refuses, rather than go on for ever, where others use up every room that it is told of", async () => {
    let takes = 0;
    const usage: AdmissionDependencies["usage"] = {
      take: async ({ parts }) => {
        takes++;
        return { taken: false, left: parts - 1 };
      },
      giveBack: () => Promise.reject(new Error("nothing was taken")),
    };
    const world = new World({ perDay: 100 });
    const { results } = await world.admit(
      Array.from({ length: 20 }, () => ({})),
      usage,
    );
    expect(new Set(results.map(outcomeOf))).toEqual(new Set(["account-limit"]));
    expect(takes).toBeLessThan(20);
  });

  it("holds counters that fail for full rather than for empty, and throws", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(asked, { minLength: 1, maxLength: 4 }), { maxLength: 6 }),
        fc.uniqueArray(fc.tuple(fc.nat(20), fc.constantFrom(...FAULTS)), {
          selector: ([call]) => call,
        }),
        async (calls, faulty) => {
          const world = new World({ perDay: 12 }, { perMonth: 10 });
          const faults = new Map<number, Fault>(faulty);
          const failed: string[] = [];
          const ports = new FaultyPorts((method, call) => {
            const fault = faults.get(call);
            if (fault) failed.push(`${method} ${fault}`);
            return fault;
          });
          const usage = ports.wrap<AdmissionDependencies["usage"]>(world.usage);
          let sent = 0;
          for (const requests of calls) {
            const failures = failed.length;
            try {
              const { results } = await world.admit(requests, usage);
              sent += partsOf(toBeSent(results));
            } catch {
              expect(failed.length).toBeGreaterThan(failures);
            }
          }
          for (const owner of [ACCOUNT, SUB_ACCOUNT]) {
            const [today = 0, month] = await world.used(owner);
            expect(month).toBe(today);
            expect(today).toBeGreaterThanOrEqual(sent);
            const isExact = failed.every((fault) => fault === "take refused");
            if (isExact) expect(today).toBe(sent);
          }
        },
      ),
    );
  });
});

describe("sending within limits", () => {
  const PER_DAY = 12;
  let world: World;
  let messages: MemoryMessages;
  let batches: MemoryBatches;
  let batchQueue: MemoryBatchQueue;
  let dispatchQueue: MemoryDispatchQueue;
  let deps: SendDependencies & Parameters<typeof sendBatch>[0];

  function startOver() {
    world = new World({ perDay: PER_DAY }, { prepaid: true });
    messages = new MemoryMessages(world.clock);
    batches = new MemoryBatches(world.clock);
    batchQueue = new MemoryBatchQueue();
    dispatchQueue = new MemoryDispatchQueue();
    const { clock, randomness, blockedNumbers, usage } = world;
    const stores = { messages, batches, batchQueue, dispatchQueue };
    deps = { ...stores, clock, randomness, blockedNumbers, usage, retentionMs: 86_400_000 };
  }
  beforeEach(async () => {
    startOver();
    await world.givenCredit(SUB_ACCOUNT, 100);
  });

  const over = (ports: FaultyPorts): typeof deps => ({
    ...deps,
    messages: ports.wrap(messages),
    batches: ports.wrap(batches),
    batchQueue: ports.wrap(batchQueue),
    dispatchQueue: ports.wrap(dispatchQueue),
  });
  const request = (overrides: Partial<SendRequest> = {}) =>
    sampleRequest({ subAccount: world.subAccount, ...overrides });
  const counted = async () => {
    const [today] = await world.used(ACCOUNT);
    expect(await world.used(SUB_ACCOUNT)).toEqual([today, today, 100 - (today ?? 0)]);
    return today;
  };

  it("gives back what was counted for a duplicate", async () => {
    expect(await sendMessage(deps, world.account, request())).toMatchObject({ accepted: true });
    expect(await counted()).toBe(1);
    expect(await sendMessage(deps, world.account, request())).toMatchObject({ accepted: false });
    expect(await counted()).toBe(1);
    const again = [request(), request({ id: "b" }), request({ id: "b" })];
    const { results } = await sendBatch(deps, world.account, again);
    expect(results.map(outcomeOf)).toEqual(["duplicate-id", "let through", "duplicate-id"]);
    expect(await counted()).toBe(2);
  });

  it.each([
    ["a message", "insert"],
    ["a message", "enqueue"],
    ["a batch", "keep"],
    ["a batch", "schedule"],
    ["a batch", "open"],
    ["a batch", "enqueue"],
  ])("gives back what was counted for %s that could not be taken: %s", async (what, failing) => {
    const ports = new FaultyPorts((method) => (method === failing ? "refused" : undefined));
    const scheduledAt = NOON + 3_600_000;
    const requests = [request({ text: textOfParts(3), scheduledAt }), request({ id: "b" })];
    const sent =
      what === "a batch"
        ? sendBatch(over(ports), world.account, requests)
        : sendMessage(over(ports), world.account, request({ text: textOfParts(3) }));
    await expect(sent).rejects.toThrow(UnavailableError);
    expect(ports.calls).toContain(failing);
    expect(await counted()).toBe(0);
  });

  it("is unavailable, and stores nothing, where counters or block-list do not answer", async () => {
    for (const name of ["usage", "blockedNumbers"] as const) {
      const ports = new FaultyPorts((method) => (method === "giveBack" ? undefined : "refused"));
      const faulty = { ...deps, [name]: ports.wrap<object>(deps[name]) };
      await expect(sendMessage(faulty, world.account, request())).rejects.toThrow(UnavailableError);
      await expect(sendBatch(faulty, world.account, [request()])).rejects.toThrow(UnavailableError);
    }
    expect(await messages.find("acme", "id-1")).toBeUndefined();
    expect([...dispatchQueue.entries, ...batchQueue.jobs]).toEqual([]);
    expect(await counted()).toBe(0);
  });

  it("tells the retry of what was accepted so, whatever has been blocked or used up since", async () => {
    const requests = ["a", "b"].map((id) => request({ id, text: textOfParts(3) }));
    for (const one of requests) await sendMessage(deps, world.account, one);
    await world.givenUsed(ACCOUNT, PER_DAY - 6);
    await world.givenUsed(SUB_ACCOUNT, PER_DAY - 6);
    await world.blockedNumbers.block({
      version: 1,
      account: "acme",
      number: FINE,
      createdAt: NOON,
    });
    dispatchQueue.entries.length = 0;
    const again = await Promise.all(
      [...requests, request({ id: "new" })].map((one) => sendMessage(deps, world.account, one)),
    );
    expect(again.map(outcomeOf)).toEqual(["duplicate-id", "duplicate-id", "block-list"]);
    // Their first try may have died between its two writes.
    expect(dispatchQueue.entries.map(({ ref }) => ref.id)).toEqual(["a", "b"]);
    const together = await sendBatch(deps, world.account, requests);
    expect(together.results.map(outcomeOf)).toEqual(["duplicate-id", "duplicate-id"]);
    expect(await world.used()).toEqual([PER_DAY, PER_DAY, 0]);
  });

  it("keeps a message counted that a retry puts on its way, though the first try was told it failed", async () => {
    const dying = new FaultyPorts((method) =>
      method === "enqueue" || method === "withdraw" ? "refused" : undefined,
    );
    await expect(sendMessage(over(dying), world.account, request())).rejects.toThrow();
    expect(await sendMessage(deps, world.account, request())).toEqual({
      accepted: false,
      refusal: "duplicate-id",
    });
    expect(dispatchQueue.entries).toHaveLength(1);
    expect(await counted()).toBe(1);
  });

  it("keeps a batch counted that a retry puts on its way, though the first try was told it failed", async () => {
    const dying = new FaultyPorts((method) =>
      method === "enqueue" || method === "withdraw" ? "refused" : undefined,
    );
    const requests = [request({ id: "a" }), request({ id: "b" })];
    await expect(sendBatch(over(dying), world.account, requests)).rejects.toThrow();
    const { results } = await sendBatch(deps, world.account, requests);
    expect(results.map(outcomeOf)).toEqual(["duplicate-id", "duplicate-id"]);
    expect(batchQueue.jobs).toHaveLength(1);
    expect(await counted()).toBe(2);
  });

  const one = fc.record({
    id: fc.constantFrom("a", "b", "c", "d", undefined),
    text: fc.integer({ min: 1, max: 4 }).map(textOfParts),
    destination: fc.constantFrom(FINE, FINE, FINE, BLOCKED, OPTED_OUT),
    storesRefused: fc.boolean(),
  });
  const call = fc.oneof(
    fc.record({ kind: fc.constant("single" as const), requests: fc.tuple(one) }),
    fc.record({ kind: fc.constant("batch" as const), requests: fc.array(one, { maxLength: 4 }) }),
  );
  const calls = fc.array(call, { maxLength: 8 });

  /** What was counted, accepted, and put on its way by a number of calls of which certain ports fail. */
  async function send(
    all: (typeof call extends fc.Arbitrary<infer C> ? C : never)[],
    ports: FaultyPorts,
  ) {
    startOver();
    await world.givenBlocked();
    await world.givenCredit(SUB_ACCOUNT, 100);
    const answered: SendResult[] = [];
    let failed = 0;
    for (const { kind, requests } of all) {
      const asked = requests.map((it) => request(it));
      try {
        const results =
          kind === "single"
            ? [await sendMessage(over(ports), world.account, asked[0] ?? request())]
            : (await sendBatch(over(ports), world.account, asked)).results;
        answered.push(...results);
      } catch (error) {
        expect(error).toBeInstanceOf(UnavailableError);
        failed += 4 * requests.length;
      }
    }
    for (const job of batchQueue.jobs) {
      if (job.kind === "expand") {
        await expandBatch({ messages, batches, dispatchQueue, clock: world.clock }, job);
      }
    }
    const traces = new Set(dispatchQueue.entries.map(({ ref }) => ref.traceId));
    const stored = await Promise.all(
      dispatchQueue.entries.map(({ ref }) => messages.find(ref.account, ref.id)),
    );
    const underway = new Map(
      stored.flatMap((it) => (it && traces.has(it.traceId) ? [[it.traceId, it] as const] : [])),
    );
    return {
      counted: (await counted()) ?? 0,
      accepted: partsOf(toBeSent(answered)),
      underway: partsOf([...underway.values()]),
      mayBeSent: failed,
    };
  }

  it("counts what was accepted and is to be sent, however much was not", async () => {
    const failing = fc.uniqueArray(fc.nat(40));
    await fc.assert(
      fc.asyncProperty(calls, failing, async (all, refusedCalls) => {
        // Where it cannot be told whether it was undone, it stays counted.
        const ports = new FaultyPorts((method, index) =>
          refusedCalls.includes(index) && method !== "withdraw" && method !== "findMany"
            ? "refused"
            : undefined,
        );
        const { counted: inCounters, accepted, underway } = await send(all, ports);
        expect(inCounters).toBe(accepted);
        expect(underway).toBe(accepted);
        expect(inCounters).toBeLessThanOrEqual(PER_DAY);
      }),
      { numRuns: 300 },
    );
  });

  it("never sends what it does not count, whatever fails wherever", async () => {
    const faulty = fc.uniqueArray(fc.tuple(fc.nat(40), fc.constantFrom(...FAULTS)), {
      selector: ([index]) => index,
    });
    await fc.assert(
      fc.asyncProperty(calls, faulty, async (all, those) => {
        const faults = new Map<number, Fault>(those);
        const sent = await send(all, new FaultyPorts((_, index) => faults.get(index)));
        expect(sent.counted).toBeGreaterThanOrEqual(sent.accepted);
        expect(sent.counted).toBeGreaterThanOrEqual(sent.underway);
        expect(sent.counted).toBeLessThanOrEqual(sent.accepted + sent.mayBeSent);
        expect(sent.counted).toBeLessThanOrEqual(PER_DAY);
      }),
      { numRuns: 300 },
    );
  });

  it("answers Mesago's and Zenvia's clients in the request", async () => {
    const api = new TestApi({ account: { limits: { perDay: 1, prepaid: false } } });
    const number = BLOCKED;
    await api.blockedNumbers.block({ version: 1, account: "acme", number, createdAt: NOON });
    await api.blockedNumbers.optOut({ account: "acme", number: OPTED_OUT, at: 0, origin: "test" });
    const answers = async (dialect: "mesago" | "zenvia") => [
      codesIn(await api.sendSms({ destination: BLOCKED, correlationId: "1" }, dialect)),
      codesIn(await api.sendSms({ destination: OPTED_OUT, correlationId: "2" }, dialect)),
      codesIn(await api.sendSms({ correlationId: dialect }, dialect)),
    ];
    expect(await answers("mesago")).toEqual(["06/130", "06/130", "00/000"]);
    expect(await answers("zenvia")).toEqual(["06/130", "06/130", "09/990"]);
    expect(await api.stored("1")).toBeUndefined();
    expect(api.dispatchQueue.entries).toHaveLength(1);
  });

  const codesIn = ({ body }: { body: unknown }) => {
    const { sendSmsResponse } = body as {
      sendSmsResponse: { statusCode: string; detailCode: string };
    };
    return `${sendSmsResponse.statusCode}/${sendSmsResponse.detailCode}`;
  };
});
