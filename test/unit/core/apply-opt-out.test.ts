import fc from "fast-check";
import { beforeEach, describe, expect, it } from "vitest";
import type { Account } from "../../../functions/core/account.ts";
import {
  applyOptOut,
  type OptOutDependencies,
  wishOf,
} from "../../../functions/core/apply-opt-out.ts";
import { messageStatusChanged } from "../../../functions/core/events.ts";
import { messageSchema } from "../../../functions/core/message.ts";
import type { Mo } from "../../../functions/core/mo.ts";
import { optOutSchema } from "../../../functions/core/opt-out.ts";
import { type SendDependencies, sendMessage } from "../../../functions/core/send-message.ts";
import { hasListedChanges } from "../../../functions/core/status-list.ts";
import {
  CountingRandomness,
  ManualClock,
  MemoryBatches,
  MemoryBatchQueue,
  MemoryDispatchQueue,
  MemoryMessages,
} from "../../support/memory.ts";
import {
  MemoryBlockedNumbers,
  MemorySubAccounts,
  MemoryUsageCounters,
} from "../../support/memory-customers.ts";
import { sampleAccount, sampleMo } from "../../support/samples.ts";
import { FaultyPorts, interleaved, sampleRequest, sampleSubAccount } from "./support.ts";

const PHONE = "5519900001111";
const DAY_MS = 86_400_000;

const standard = optOutSchema.parse({});

describe("wishOf", () => {
  it.each([
    ["SAIR", "opted-out"],
    ["PARAR", "opted-out"],
    ["STOP", "opted-out"],
    ["CANCELAR", "opted-out"],
    ["VOLTAR", "opted-in"],
    ["START", "opted-in"],
    ["sair", "opted-out"],
    ["Sáïr", "opted-out"],
    ["sai\u0301r", "opted-out"],
    ["  Parar. ", "opted-out"],
    ["\n«STOP»!!! 😀\r\n", "opted-out"],
    ["*voltar*", "opted-in"],
    ["Ｓtart", undefined],
    ["", undefined],
    ["?!", undefined],
    ["quero sair", undefined],
    ["sair agora", undefined],
    ["SAIR VOLTAR", undefined],
    ["SA IR", undefined],
    ["S.A.I.R", undefined],
    ["SAIRA", undefined],
    ["Sim", undefined],
  ] as const)("reads %j as %s", (text, wish) => {
    expect(wishOf(text, standard)).toBe(wish);
  });

  it("reads a keyword however it is written, and whatever is around it", () => {
    const { keywords, backKeywords } = standard;
    const mark = fc.constantFrom("", "", "\u0301", "\u0303", "\u0327");
    const around = fc
      .array(fc.constantFrom(" ", "\n", "\t", ".", "!", "…", "“", "-", "😀", "\u200b", "\u00a0"))
      .map((characters) => characters.join(""));
    const written = fc
      .tuple(
        fc.constantFrom(...keywords, ...backKeywords),
        fc.infiniteStream(fc.tuple(fc.boolean(), mark)),
        around,
        around,
      )
      .map(([keyword, styles, before, behind]) => {
        const styled = Array.from(keyword, (letter) => {
          const [isSmall, accent] = styles.next().value as [boolean, string];
          return (isSmall ? letter.toLowerCase() : letter) + accent;
        });
        return { keyword, text: before + styled.join("").normalize("NFC") + behind };
      });
    fc.assert(
      fc.property(written, ({ keyword, text }) => {
        expect(wishOf(text, standard)).toBe(keywords.includes(keyword) ? "opted-out" : "opted-in");
        expect(wishOf(text, { ...standard, enabled: false })).toBeUndefined();
        expect(wishOf(`${text} x`, standard)).toBeUndefined();
        expect(wishOf(`1${text}`, standard)).toBeUndefined();
      }),
      { numRuns: 300 },
    );
  });

  it("reads keywords that have accents, small letters and several words themselves", () => {
    const own = optOutSchema.parse({
      keywords: ["não quero", "Fim!", "停止"],
      backKeywords: ["sí"],
    });
    for (const text of ["NAO QUERO", "Não Quero.", "fim", "停止", "「停止」"]) {
      expect(wishOf(text, own)).toBe("opted-out");
    }
    expect(wishOf("SI", own)).toBe("opted-in");
    for (const text of ["SAIR", "VOLTAR", "não", "nãoquero"])
      expect(wishOf(text, own)).toBeUndefined();
  });

  it("takes a word that is both for the way out, and a keyword of punctuation alone for none", () => {
    const both = optOutSchema.parse({ keywords: ["OK", "?"], backKeywords: ["ok"] });
    expect(wishOf("ok", both)).toBe("opted-out");
    expect(wishOf("?", both)).toBeUndefined();
    expect(wishOf("!!", both)).toBeUndefined();
  });
});

describe("applyOptOut", () => {
  let clock: ManualClock;
  let messages: MemoryMessages;
  let dispatchQueue: MemoryDispatchQueue;
  let subAccounts: MemorySubAccounts;
  let blockedNumbers: MemoryBlockedNumbers;
  let deps: OptOutDependencies;
  let account: Account;

  async function startOver() {
    clock = new ManualClock();
    messages = new MemoryMessages(clock);
    dispatchQueue = new MemoryDispatchQueue();
    subAccounts = new MemorySubAccounts();
    blockedNumbers = new MemoryBlockedNumbers();
    account = sampleAccount();
    for (const subAccount of ["sales", "support"]) {
      await subAccounts.insertSubAccount(sampleSubAccount({ subAccount }));
    }
    deps = {
      messages,
      dispatchQueue,
      subAccounts,
      blockedNumbers,
      clock,
      randomness: new CountingRandomness(),
      statusRetentionMs: DAY_MS,
    };
  }
  beforeEach(startOver);

  let nth = 0;
  /** An answer to a message of a sub-account, unless told otherwise; each call another. */
  const answer = (text: string, overrides: Partial<Mo> = {}): Mo =>
    sampleMo(clock.now(), {
      id: ++nth,
      uuid: `mo-${nth}`,
      text,
      subAccount: "sales",
      dialect: "wavy",
      ...overrides,
    });
  const answersNothing = { answers: undefined, subAccount: undefined } as unknown as Partial<Mo>;
  const apply = (mo: Mo) => applyOptOut(deps, account, mo);
  const isBlocked = async (subAccount: string | undefined) =>
    (await blockedNumbers.findBlocked("acme", subAccount, [PHONE])).get(PHONE);
  /** Whether the person is out of this, of that, and of what is sent for no sub-account. */
  const outOf = async () => {
    const all = ["sales", "support", undefined] as const;
    const blocked = await Promise.all(all.map(isBlocked));
    return all.filter((_, index) => blocked[index] === "opt-out");
  };
  const confirmation = (mo: Mo) => messages.find("acme", `opt-out-${mo.uuid ?? mo.id}`);

  it("opts out of the sub-account whose message was answered, confirms it, and leads back", async () => {
    const out = answer("Sair");
    expect(await apply(out)).toBe("opted-out");
    expect(await outOf()).toEqual(["sales"]);
    expect(await confirmation(out)).toMatchObject({ text: standard.confirmation });
    clock.advance(1);
    const back = answer("voltar");
    expect(await apply(back)).toBe("opted-in");
    expect(await outOf()).toEqual([]);
    expect(await confirmation(back)).toMatchObject({ text: standard.backConfirmation });
    expect(dispatchQueue.entries.map(({ ref }) => ref.id)).toEqual([
      `opt-out-${out.uuid}`,
      `opt-out-${back.uuid}`,
    ]);
  });

  it("sends the confirmation as a message like others, of which nobody is told", async () => {
    const mo = answer("SAIR");
    await apply(mo);
    const sent = await confirmation(mo);
    expect(sent).toEqual({
      version: 1,
      account: "acme",
      id: `opt-out-${mo.uuid}`,
      traceId: expect.any(String),
      dialect: "wavy",
      destination: PHONE,
      text: standard.confirmation,
      subAccount: "sales",
      flash: false,
      callbackOption: "NONE",
      state: "QUEUED",
      stateAt: clock.now(),
      acceptedAt: clock.now(),
      claimableFrom: clock.now(),
      claimableUntil: expect.any(Number),
      attempts: 0,
      removeAt: (clock.now() + DAY_MS) / 1_000,
    });
    expect(sent && messageSchema.parse(sent)).toEqual(sent);
    expect(sent && hasListedChanges(sent)).toBe(false);
    expect(sent && messageStatusChanged(sent).callbackOption).toBe("NONE");
    expect(dispatchQueue.entries).toMatchObject([
      { ref: { id: sent?.id, traceId: sent?.traceId }, notBefore: clock.now() },
    ]);
  });

  it("confirms past the block-list, opt-outs and limits", async () => {
    account = sampleAccount({ limits: { perDay: 0, perMonth: 0, prepaid: true } });
    await blockedNumbers.block({ version: 1, account: "acme", number: PHONE, createdAt: 0 });
    const mo = answer("SAIR");
    expect(await apply(mo)).toBe("opted-out");
    expect(await isBlocked("sales")).toBe("block-list");
    expect(await confirmation(mo)).toMatchObject({ state: "QUEUED" });
    clock.advance(1);
    const back = answer("VOLTAR");
    await apply(back);
    // The way back is the person's; the block-list is the account's.
    expect(await isBlocked("sales")).toBe("block-list");
    expect(await confirmation(back)).toMatchObject({ state: "QUEUED" });
  });

  it("confirms in as many parts as it takes, whatever the account may send", async () => {
    const long = `${"Você não receberá mais nossas mensagens. ".repeat(3)}Até logo. 😀`;
    account = sampleAccount({ optOut: { ...standard, confirmation: long } });
    const mo = answer("SAIR");
    await apply(mo);
    expect(await confirmation(mo)).toMatchObject({ text: long });
    expect((await confirmation(mo))?.parts?.length).toBeGreaterThan(1);
  });

  it("opts out of the whole account where nothing was answered, or what was none's", async () => {
    for (const overrides of [answersNothing, { subAccount: undefined } as unknown as Partial<Mo>]) {
      await startOver();
      const mo = answer("SAIR", overrides);
      expect(await apply(mo)).toBe("opted-out");
      expect(await outOf()).toEqual(["sales", "support", undefined]);
      expect(await confirmation(mo)).toBeDefined();
      expect(await confirmation(mo)).not.toHaveProperty("subAccount", expect.anything());
      expect(await blockedNumbers.findBlocked("other", undefined, [PHONE])).toEqual(new Map());
      clock.advance(1);
      expect(await apply(answer("VOLTAR", overrides))).toBe("opted-in");
      expect(await outOf()).toEqual([]);
    }
  });

  it("leads back into a sub-account out of the whole account, and from all of them out of none", async () => {
    await apply(answer("SAIR", answersNothing));
    clock.advance(1);
    expect(await apply(answer("VOLTAR"))).toBe("opted-in");
    expect(await isBlocked("sales")).toBeUndefined();
    clock.advance(1);
    for (const subAccount of ["sales", "support"]) await apply(answer("SAIR", { subAccount }));
    expect(await outOf()).toEqual(expect.arrayContaining(["sales", "support"]));
    clock.advance(1);
    expect(await apply(answer("VOLTAR", answersNothing))).toBe("opted-in");
    expect(await outOf()).toEqual([]);
  });

  it("does nothing for an answer that is something else, or where answers mean nothing", async () => {
    expect(await apply(answer("Sim"))).toBeUndefined();
    expect(await apply(answer("não quero sair"))).toBeUndefined();
    account = sampleAccount({ optOut: { ...standard, enabled: false } });
    expect(await apply(answer("SAIR"))).toBeUndefined();
    expect(await outOf()).toEqual([]);
    expect(dispatchQueue.entries).toEqual([]);
  });

  it("goes by a sub-account's own words, and by the account's where it has none or is gone", async () => {
    account = sampleAccount({ optOut: { ...standard, keywords: ["FIM"], confirmation: "Fim." } });
    const own = optOutSchema.parse({ keywords: ["Basta"], confirmation: "Basta!" });
    await subAccounts.insertSubAccount(sampleSubAccount({ subAccount: "own", optOut: own }));
    const off = { ...own, enabled: false };
    await subAccounts.insertSubAccount(sampleSubAccount({ subAccount: "off", optOut: off }));
    const outcome = async (text: string, subAccount: string | undefined) => {
      const mo = answer(text, { subAccount } as Partial<Mo>);
      return [await apply(mo), (await confirmation(mo))?.text];
    };
    expect(await outcome("fim", "own")).toEqual([undefined, undefined]);
    expect(await outcome("basta", "own")).toEqual(["opted-out", "Basta!"]);
    expect(await outcome("basta", "off")).toEqual([undefined, undefined]);
    expect(await outcome("basta", "sales")).toEqual([undefined, undefined]);
    expect(await outcome("fim", "sales")).toEqual(["opted-out", "Fim."]);
    expect(await outcome("fim", "gone")).toEqual(["opted-out", "Fim."]);
    expect(await outcome("basta", undefined)).toEqual([undefined, undefined]);
    expect(await outcome("fim", undefined)).toEqual(["opted-out", "Fim."]);
  });

  it("says nothing where nothing is to be said", async () => {
    account = sampleAccount({ optOut: { ...standard, confirmation: "", backConfirmation: "" } });
    expect(await apply(answer("SAIR"))).toBe("opted-out");
    clock.advance(1);
    expect(await apply(answer("VOLTAR"))).toBe("opted-in");
    expect(dispatchQueue.entries).toEqual([]);
  });

  it("opts a number out that cannot be answered", async () => {
    expect(await apply(answer("SAIR", { from: "27182000" }))).toBe("opted-out");
    expect(dispatchQueue.entries).toEqual([]);
  });

  it("goes by a number where an MO has no other id", async () => {
    const mo = answer("SAIR", { uuid: undefined } as unknown as Partial<Mo>);
    await apply(mo);
    expect(await messages.find("acme", `opt-out-${mo.id}`)).toBeDefined();
  });

  it("confirms one of several equal words, and none that changes nothing", async () => {
    const first = answer("SAIR");
    await apply(first);
    clock.advance(1);
    expect(await apply(answer("STOP"))).toBeUndefined();
    expect(await apply(answer("sair"))).toBeUndefined();
    expect(dispatchQueue.entries.map(({ ref }) => ref.id)).toEqual([`opt-out-${first.uuid}`]);
    await startOver();
    expect(await apply(answer("VOLTAR"))).toBeUndefined();
    expect(dispatchQueue.entries).toEqual([]);
  });

  it.each([
    ["optOut", "refused"],
    ["optOut", "answer lost"],
    ["insert", "refused"],
    ["insert", "answer lost"],
    ["enqueue", "refused"],
    ["enqueue", "answer lost"],
    ["findSubAccount", "refused"],
  ] as const)("makes up for it when the MO comes again: %s, %s", async (failing, fault) => {
    const ports = new FaultyPorts((method) => (method === failing ? fault : undefined));
    const mo = answer("SAIR");
    const faulty: OptOutDependencies = {
      ...deps,
      messages: ports.wrap(messages),
      dispatchQueue: ports.wrap(dispatchQueue),
      blockedNumbers: ports.wrap(blockedNumbers),
      subAccounts: ports.wrap(subAccounts),
    };
    await expect(applyOptOut(faulty, account, mo)).rejects.toThrow();
    await apply(mo);
    expect(await outOf()).toEqual(["sales"]);
    const stored = await confirmation(mo);
    expect(stored).toMatchObject({ state: "QUEUED" });
    expect(dispatchQueue.entries.map(({ ref }) => ref.traceId)).toContain(stored?.traceId);
  });

  it("lets the last word count, and confirms none twice, whatever comes how often in whatever order", async () => {
    const word = fc.record({
      at: fc.nat(8),
      text: fc.constantFrom("SAIR", "stop", "VOLTAR", "Sim"),
      subAccount: fc.constantFrom("sales", "support", undefined),
    });
    const scenario = fc
      .uniqueArray(word, { minLength: 1, maxLength: 6, selector: ({ at }) => at })
      .chain((words) =>
        fc.record({
          words: fc.constant(words),
          // Each at least once, in any order.
          order: fc
            .tuple(
              fc.shuffledSubarray(
                words.map((_, index) => index),
                { minLength: words.length },
              ),
              fc.array(fc.nat(words.length - 1), { maxLength: 8 }),
            )
            .chain(([once, more]) =>
              fc.shuffledSubarray([...once, ...more], { minLength: once.length + more.length }),
            ),
        }),
      );
    await fc.assert(
      fc.asyncProperty(scenario, fc.scheduler(), async ({ words, order }, scheduler) => {
        await startOver();
        const mos = words.map(({ at, text, subAccount }) =>
          answer(text, { receivedAt: clock.now() + at, subAccount } as Partial<Mo>),
        );
        const interleavedDeps: OptOutDependencies = {
          ...deps,
          messages: interleaved(scheduler, messages),
          dispatchQueue: interleaved(scheduler, dispatchQueue),
          blockedNumbers: interleaved(scheduler, blockedNumbers),
        };
        const received = order.map((index) => mos[index] as Mo);
        // Half of them one by one, and half at the same time.
        const half = Math.ceil(received.length / 2);
        for (const mo of received.slice(0, half)) await apply(mo);
        await scheduler.waitFor(
          Promise.all(received.slice(half).map((mo) => applyOptOut(interleavedDeps, account, mo))),
        );

        /** By the plain meaning of the words, one after the other as they were said. */
        const out = new Set<string | undefined>();
        for (const { text, subAccount } of [...words].sort((one, other) => one.at - other.at)) {
          if (text === "VOLTAR") {
            if (subAccount === undefined) out.clear();
            else for (const whose of [subAccount, undefined]) out.delete(whose);
          } else if (text !== "Sim") out.add(subAccount);
        }
        const expected = (["sales", "support", undefined] as const).filter(
          (subAccount) => out.has(subAccount) || out.has(undefined),
        );
        expect(await outOf()).toEqual(expected);
        const wishes = new Set(
          mos.filter(({ text }) => text !== "Sim").map(({ uuid }) => `opt-out-${uuid}`),
        );
        const traces = new Map<string, Set<string>>();
        for (const { ref } of dispatchQueue.entries) {
          expect(wishes).toContain(ref.id);
          traces.set(ref.id, (traces.get(ref.id) ?? new Set()).add(ref.traceId));
        }
        // What holds was confirmed.
        for (const { origin } of await blockedNumbers.listOptedOut("acme")) {
          expect([...traces.keys()]).toContain(`opt-out-${origin}`);
        }
        // However often it is enqueued, it is one message.
        for (const ofOne of traces.values()) expect(ofOne.size).toBe(1);
      }),
      { numRuns: 300 },
    );
  });

  it("blocks what is sent afterwards, and lets through what is sent after the way back", async () => {
    const sending: SendDependencies = {
      messages,
      dispatchQueue,
      blockedNumbers,
      clock,
      batches: new MemoryBatches(clock),
      batchQueue: new MemoryBatchQueue(),
      usage: new MemoryUsageCounters(),
      randomness: new CountingRandomness(),
      retentionMs: DAY_MS,
    };
    const send = (id: string, subAccount: string) =>
      sendMessage(
        sending,
        account,
        sampleRequest({ id, destination: PHONE, subAccount: sampleSubAccount({ subAccount }) }),
      );
    const refused = { accepted: false, refusal: "opt-out" };
    await apply(answer("Sair!"));
    expect(await send("a", "sales")).toEqual(refused);
    expect(await send("b", "support")).toMatchObject({ accepted: true });
    clock.advance(1);
    await apply(answer("voltar"));
    expect(await send("a", "sales")).toMatchObject({ accepted: true });
  });
});
