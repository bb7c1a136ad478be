import fc from "fast-check";
import { beforeEach, describe, expect, it } from "vitest";
import {
  type AssembleDependencies,
  type AssembleOutcome,
  assembleMo,
  PARTS_WAIT_MS,
  type PartsDue,
  receiveOverdue,
} from "../../../functions/core/assemble-mo.ts";
import type { InboundMessage } from "../../../functions/core/carrier.ts";
import type { Mo } from "../../../functions/core/mo.ts";
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
import { sampleAccount } from "../../support/samples.ts";
import { FAULTS, type Fault, FaultyPorts, interleaved } from "./support.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const PHONE = "5519900001111";
const SHORT_CODE = "27182";

type Part = Parameters<typeof assembleMo>[1];

let clock: ManualClock;
let mos: MemoryMos;
let moParts: MemoryMoParts;
let partsTimer: MemoryPartsTimer;
let blockedNumbers: MemoryBlockedNumbers;
let deadLetters: MemoryDeadLetters;
let deps: AssembleDependencies;

function start() {
  clock = new ManualClock();
  mos = new MemoryMos(clock);
  moParts = new MemoryMoParts(clock);
  partsTimer = new MemoryPartsTimer(clock);
  blockedNumbers = new MemoryBlockedNumbers();
  deadLetters = new MemoryDeadLetters();
  const directory = new MemoryDirectory();
  directory.accounts.set("acme", sampleAccount({ shortCodes: [SHORT_CODE] }));
  deps = {
    moParts,
    partsTimer,
    messages: new MemoryMessages(clock),
    directory,
    mos,
    deadLetters,
    clock,
    moRetentionMs: 7 * DAY_MS,
    statusRetentionMs: DAY_MS,
    subAccounts: new MemorySubAccounts(),
    blockedNumbers,
    dispatchQueue: new MemoryDispatchQueue(),
    randomness: new CountingRandomness(),
  };
}
beforeEach(start);

const partOf = (
  order: number,
  text: string,
  { total = 3, reference = 7, name = "mo", ...overrides }: PartOptions = {},
): Part => ({
  type: "mo",
  carrier: "kannel",
  carrierMessageId: `${name}-${order}`,
  from: PHONE,
  shortCode: SHORT_CODE,
  text,
  at: clock.now() + order,
  ...overrides,
  part: { reference, order, total },
});
type PartOptions = Partial<InboundMessage> & {
  readonly total?: number;
  readonly reference?: number;
  readonly name?: string;
};
const three = (options: PartOptions = {}) =>
  ["Quero ", "saber ", "mais"].map((text, n) => partOf(n + 1, text, options)) as [Part, Part, Part];
const receive = (part: Part) => assembleMo(deps, part, 1);
const stored = () => mos.search("acme", { from: 0, to: clock.now() + 30 * DAY_MS }, 1_000);
const texts = async () => (await stored()).map(({ text }) => text);

/** Delivers what waits, as its time comes. */
async function wakeAll() {
  for (let next = partsTimer.waiting.shift(); next; next = partsTimer.waiting.shift()) {
    clock.time = Math.max(clock.time, next.at);
    await deliver(deps, [next.due]);
  }
}

/** Delivers as a queue does: what fails comes again, behind the rest. */
async function deliver(to: AssembleDependencies, given: readonly (Part | PartsDue)[]) {
  const queue = given.map((body) => ({ body, receives: 0 }));
  for (let next = queue.shift(); next; next = queue.shift()) {
    const { body } = next;
    const receives = ++next.receives;
    if (receives > 50) throw new Error("it fails for ever");
    try {
      await (body.type === "mo"
        ? assembleMo(to, body, receives)
        : receiveOverdue(to, body, receives));
    } catch {
      queue.push(next);
    }
  }
}

describe("an MO in parts", () => {
  it.each([[[0, 1, 2]], [[2, 1, 0]], [[1, 2, 0]], [[0, 0, 2, 2, 1]]])(
    "is received as one when all are there: %j",
    async (order) => {
      const parts = three({ operator: "Claro" });
      const outcomes: AssembleOutcome[] = [];
      for (const index of order) outcomes.push(await receive(parts[index] as Part));
      expect(outcomes.at(-1)).toEqual({ kind: "received", answers: false, parts: 3, total: 3 });
      for (const outcome of outcomes.slice(0, -1)) expect(outcome.kind).toBe("kept");
      expect(await stored()).toMatchObject([
        {
          text: "Quero saber mais",
          from: PHONE,
          shortCode: SHORT_CODE,
          carrier: "kannel",
          operator: "Claro",
          receivedAt: clock.now() + 1,
        },
      ]);
    },
  );

  it("has the same ids, in whatever order its parts come", async () => {
    const ids = new Set<string | undefined>();
    for (const order of [
      [0, 1, 2],
      [2, 0, 1],
      [1, 2, 0],
    ]) {
      start();
      const parts = three();
      await deliver(
        deps,
        order.map((index) => parts[index] as Part),
      );
      const [mo] = await stored();
      ids.add(`${mo?.id} ${mo?.uuid}`);
    }
    expect(ids.size).toBe(1);
  });

  it("is received in time where its last part failed until it was set aside", async () => {
    const [first, second, third] = three();
    await deliver(deps, [first, second]);
    const ports = new FaultyPorts((method) => (method === "insert" ? "refused" : undefined));
    const faulty = { ...deps, mos: ports.wrap(mos) };
    await expect(assembleMo(faulty, third, 2)).rejects.toThrow("refused");
    await wakeAll();
    expect(await texts()).toEqual(["Quero saber mais"]);
    await receive(third);
    expect(await texts()).toEqual(["Quero saber mais"]);
  });

  it("leaves out a part that comes while it is received, which is then another", async () => {
    const [first, second] = three();
    await receive(first);
    const [waiting] = partsTimer.waiting.splice(0);
    const ports = new FaultyPorts((method) => (method === "insert" ? "answer lost" : undefined));
    const faulty = { ...deps, mos: ports.wrap(mos) };
    const due = waiting?.due as PartsDue;
    await expect(receiveOverdue(faulty, due, 1)).rejects.toThrow("lost");
    await receive(second);
    await receiveOverdue(deps, due, 2);
    await wakeAll();
    expect((await texts()).toSorted()).toEqual(["Quero ", "saber "]);
  });

  it("is known again, whatever comes again, and its texts are kept nowhere else", async () => {
    const parts = three();
    await deliver(deps, parts);
    const [mo] = await mos.takeNew("acme", 10);
    for (const part of parts) expect(await receive(part)).toEqual({ kind: "settled" });
    await wakeAll();
    expect(await stored()).toEqual([mo]);
    expect(await mos.takeNew("acme", 10)).toEqual([]);
    expect(moParts.all.flatMap((it) => it.parts.map(({ text }) => text))).toEqual(["", "", ""]);
  });

  it("is put together where characters were cut in two", async () => {
    const text = "a😀b";
    const [first, second] = [text.slice(0, 2), text.slice(2)];
    await deliver(deps, [partOf(2, second, { total: 2 }), partOf(1, first, { total: 2 })]);
    expect(await texts()).toEqual([text]);
  });

  it("opts out by all of it", async () => {
    await deliver(deps, [partOf(2, "IR", { total: 2 }), partOf(1, "SA", { total: 2 })]);
    expect(await blockedNumbers.listOptedOut("acme")).toMatchObject([{ number: PHONE }]);
  });

  it("does not opt out by a part of it", async () => {
    await deliver(deps, [partOf(1, "SAIR", { total: 2 }), partOf(2, " não quero", { total: 2 })]);
    expect(await texts()).toEqual(["SAIR não quero"]);
    expect(await blockedNumbers.listOptedOut("acme")).toEqual([]);
  });

  it("is set aside as one, where it is nobody's", async () => {
    await deliver(deps, three({ shortCode: "31415" }));
    expect(deadLetters.letters).toMatchObject([{ what: { text: "Quero saber mais" } }]);
    expect(deadLetters.letters[0]?.what).not.toHaveProperty("part");
  });

  it("waits for a quarter of an hour, and is then received with what there is", async () => {
    const [first, , third] = three();
    await deliver(deps, [third, first]);
    const [waiting] = partsTimer.waiting;
    expect(partsTimer.waiting).toEqual([
      {
        due: {
          type: "mo-parts-due",
          carrier: "kannel",
          from: PHONE,
          shortCode: SHORT_CODE,
          reference: 7,
          total: 3,
          id: "mo-3/3",
        },
        at: clock.now() + PARTS_WAIT_MS,
      },
    ]);
    if (!waiting) throw new Error("nothing waits");
    clock.time = waiting.at;
    expect(await stored()).toEqual([]);
    expect(await receiveOverdue(deps, waiting.due, 1)).toEqual({
      kind: "received",
      answers: false,
      parts: 2,
      total: 3,
    });
    expect(await receiveOverdue(deps, waiting.due, 2)).toEqual({ kind: "settled" });
    expect(await stored()).toMatchObject([{ text: "Quero mais", receivedAt: first.at }]);
  });

  it("has its late part received as an MO of its own", async () => {
    const [first, second, third] = three();
    await deliver(deps, [third, first]);
    await wakeAll();
    expect(await receive(second)).toMatchObject({ kind: "kept" });
    await wakeAll();
    await deliver(deps, [first, second, third]);
    await wakeAll();
    expect((await texts()).toSorted()).toEqual(["Quero mais", "saber "]);
  });

  it("loses half of a character only where the other half never came", async () => {
    await receive(partOf(1, "a\ud83d", { total: 2 }));
    await wakeAll();
    expect(await texts()).toEqual(["a\ufffd"]);
  });

  it("is received alone at once where it is no part of anything", async () => {
    const part = partOf(4, "?", { total: 3 });
    expect(await receive(part)).toMatchObject({ kind: "received", parts: 1, total: 3 });
    await receive(part);
    expect(await texts()).toEqual(["?"]);
    expect(partsTimer.waiting).toEqual([]);
  });

  it("is received alone where more is kept than can be", async () => {
    const long = Array.from({ length: 20 }, (_, n) =>
      partOf(1, `${n}-${"x".repeat(10_000)}`, { name: `n${n}` }),
    );
    await deliver(deps, long);
    expect((await stored()).length).toBeGreaterThan(0);
    await wakeAll();
    expect((await texts()).toSorted()).toEqual(long.map(({ text }) => text).toSorted());
  });

  it.each<[string, PartOptions]>([
    ["another phone", { from: "5519900002222" }],
    ["another short code", { shortCode: "27183" }],
    ["another carrier", { carrier: "other" }],
    ["another reference", { reference: 8 }],
    ["another number of parts", { total: 4 }],
  ])("takes no part of %s's", async (_, other) => {
    const [first, second, third] = three();
    const foreign = partOf(2, "foreign", { name: "foreign", ...other });
    await deliver(deps, [first, third]);
    expect(await receive(foreign)).toMatchObject({ kind: "kept", parts: 1 });
    await receive(second);
    expect(await texts()).toContain("Quero saber mais");
  });

  it("is another than one with the same reference that is complete", async () => {
    await deliver(deps, three());
    clock.advance(MINUTE_MS);
    await deliver(deps, three({ name: "next" }));
    expect(await texts()).toEqual(["Quero saber mais", "Quero saber mais"]);
  });

  it("is another than one with the same reference of hours before that came late", async () => {
    const before = three({ name: "before", text: "x" });
    const now = before.map((part) => ({
      ...part,
      carrierMessageId: `now-${part.part.order}`,
      text: "y",
      at: part.at + HOUR_MS + MINUTE_MS,
    })) as typeof before;
    await deliver(deps, [before[0], now[1], now[0], before[2], before[1], now[2]]);
    expect(await texts()).toEqual(["xxx", "yyy"]);
  });

  it("takes its own part, where two with the same reference lack one", async () => {
    const minutes = (n: number) => clock.now() + n * MINUTE_MS;
    const at = (order: number, name: string, n: number) =>
      partOf(order, `${name}${order}`, { name, at: minutes(n), total: 2 });
    await deliver(deps, [at(1, "a", 0), at(1, "b", 10), at(2, "b", 11), at(2, "a", 1)]);
    expect((await texts()).toSorted()).toEqual(["a1a2", "b1b2"]);
  });

  it("throws where others are faster again and again", async () => {
    moParts.replace = async () => false;
    await expect(receive(three()[0])).rejects.toThrow("too fast");
  });

  it("is woken before anything is stored that would have to be", async () => {
    const ports = new FaultyPorts((method) => (method === "replace" ? "answer lost" : undefined));
    const faulty = {
      ...deps,
      moParts: ports.wrap(moParts),
      partsTimer: ports.wrap(partsTimer as AssembleDependencies["partsTimer"]),
    };
    await expect(assembleMo(faulty, three()[0], 1)).rejects.toThrow("lost");
    expect(ports.calls).toEqual(["find", "wake", "replace"]);
    await wakeAll();
    expect(await texts()).toEqual(["Quero "]);
  });
});

describe("MOs in parts, whatever happens", () => {
  const fault = fc.option(fc.constantFrom<Fault>(...FAULTS), { freq: 2 });
  /** A text cut anywhere, also within a character. */
  const cutText = fc
    .tuple(
      fc.array(fc.constantFrom("a", "ç", "😀", "\n", "\u{10ffff}", "\u0000"), {
        minLength: 6,
        maxLength: 12,
      }),
      fc.integer({ min: 2, max: 5 }),
    )
    .chain(([characters, total]) => {
      const text = characters.join("");
      return fc
        .uniqueArray(fc.integer({ min: 1, max: text.length - 1 }), {
          minLength: total - 1,
          maxLength: total - 1,
        })
        .map((cuts) => {
          const ends = [0, ...cuts.toSorted((one, other) => one - other), text.length];
          return {
            text,
            pieces: ends.slice(1).map((end, index) => text.slice(ends[index], end)),
          };
        });
    });
  /** Every piece at least once, and some again, in any order. */
  const inAnyOrder = (count: number) =>
    fc.array(fc.nat(count - 1), { maxLength: 4 }).chain((again) =>
      fc.shuffledSubarray([...Array(count).keys(), ...again], {
        minLength: count + again.length,
      }),
    );
  const faultyDeps = (faults: readonly (Fault | null)[]): AssembleDependencies => {
    const ports = new FaultyPorts((_, call) => faults[call] ?? undefined);
    return {
      ...deps,
      moParts: ports.wrap<AssembleDependencies["moParts"]>(moParts),
      partsTimer: ports.wrap<AssembleDependencies["partsTimer"]>(partsTimer),
      mos: ports.wrap<AssembleDependencies["mos"]>(mos),
    };
  };
  const idsOf = (found: readonly Mo[]) => new Set(found.map(({ id }) => id));

  it("are one and whole: in any order, however often, and wherever it crashes", async () => {
    const scenario = cutText.chain(({ text, pieces }) =>
      fc.tuple(
        fc.constant({ text, pieces }),
        inAnyOrder(pieces.length),
        fc.array(fault, { maxLength: 30 }),
      ),
    );
    await fc.assert(
      fc.asyncProperty(scenario, async ([{ text, pieces }, order, faults]) => {
        start();
        const parts = pieces.map((piece, n) => partOf(n + 1, piece, { total: pieces.length }));
        await deliver(
          faultyDeps(faults),
          order.map((index) => parts[index] as Part),
        );
        const before = await stored();
        expect(before.map((mo) => mo.text)).toEqual([text]);
        expect(before[0]?.receivedAt).toBe(parts[0]?.at);
        await wakeAll();
        await deliver(deps, parts);
        await wakeAll();
        expect(await stored()).toEqual(before);
      }),
    );
  });

  it("are one and whole where all parts come at the same moment", async () => {
    const scenario = cutText.chain(({ text, pieces }) =>
      fc.tuple(fc.constant({ text, pieces }), inAnyOrder(pieces.length), fc.scheduler()),
    );
    await fc.assert(
      fc.asyncProperty(scenario, async ([{ text, pieces }, order, scheduler]) => {
        start();
        const parts = pieces.map((piece, n) => partOf(n + 1, piece, { total: pieces.length }));
        const together: AssembleDependencies = {
          ...deps,
          moParts: interleaved<AssembleDependencies["moParts"]>(scheduler, moParts),
          partsTimer: interleaved<AssembleDependencies["partsTimer"]>(scheduler, partsTimer),
          mos: interleaved<AssembleDependencies["mos"]>(scheduler, mos),
        };
        await scheduler.waitFor(
          Promise.all(order.map((index) => assembleMo(together, parts[index] as Part, 1))),
        );
        await wakeAll();
        expect(await texts()).toEqual([text]);
      }),
    );
  });

  it("lose no part that came, and tell none twice, where some come late or never", async () => {
    const count = 5;
    const scenario = fc.record({
      inTime: inAnyOrder(count).chain((all) => fc.subarray(all, { minLength: 1 })),
      late: fc.subarray([...Array(count).keys()]),
      faults: fc.array(fault, { maxLength: 30 }),
      lateFaults: fc.array(fault, { maxLength: 30 }),
    });
    await fc.assert(
      fc.asyncProperty(scenario, async ({ inTime, late, faults, lateFaults }) => {
        start();
        const parts = Array.from({ length: count }, (_, n) =>
          partOf(n + 1, `<${n}>`, { total: count }),
        );
        await deliver(
          faultyDeps(faults),
          inTime.map((index) => parts[index] as Part),
        );
        clock.advance(PARTS_WAIT_MS);
        const due = partsTimer.waiting.splice(0).map((waiting) => waiting.due);
        // The late ones come while what is due is received.
        await deliver(faultyDeps(lateFaults), [
          ...due,
          ...late.map((index) => parts[index] as Part),
          ...due,
        ]);
        await wakeAll();
        await deliver(
          deps,
          [...new Set([...inTime, ...late])].map((index) => parts[index] as Part),
        );
        await wakeAll();
        const told = (await texts()).join("").match(/<\d>/g) ?? [];
        const came = [...new Set([...inTime, ...late])].map((index) => `<${index}>`);
        expect(told.toSorted()).toEqual(came.toSorted());
        const found = await stored();
        expect(idsOf(found).size).toBe(found.length);
      }),
    );
  });

  it("are never mixed up with others of the same reference that are hours away", async () => {
    const scenario = fc.tuple(inAnyOrder(6), fc.array(fault, { maxLength: 20 }));
    await fc.assert(
      fc.asyncProperty(scenario, async ([order, faults]) => {
        start();
        const parts = [0, 1].flatMap((nth) =>
          [1, 2, 3].map((n) =>
            partOf(n, `${nth}${n}`, { name: `${nth}`, at: clock.now() + nth * 2 * HOUR_MS + n }),
          ),
        );
        await deliver(
          faultyDeps(faults),
          order.map((index) => parts[index] as Part),
        );
        expect(await texts()).toEqual(["010203", "111213"]);
      }),
    );
  });
});
