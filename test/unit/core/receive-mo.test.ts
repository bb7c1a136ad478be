import fc from "fast-check";
import { beforeEach, describe, expect, it } from "vitest";
import { carrierEventSchema, type InboundMessage } from "../../../functions/core/carrier.ts";
import type { Message } from "../../../functions/core/message.ts";
import { moSchema } from "../../../functions/core/mo.ts";
import { type ReceiveDependencies, receiveMo } from "../../../functions/core/receive-mo.ts";
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
import { sampleAccount, sampleMessage } from "../../support/samples.ts";

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
const PHONE = "5519900001111";
const SHORT_CODE = "27182";
const UUID = /^[\da-f]{8}-[\da-f]{4}-8[\da-f]{3}-8[\da-f]{3}-[\da-f]{12}$/;

describe("receiveMo", () => {
  let clock: ManualClock;
  let messages: MemoryMessages;
  let directory: MemoryDirectory;
  let mos: MemoryMos;
  let deadLetters: MemoryDeadLetters;
  let deps: ReceiveDependencies;

  beforeEach(() => {
    clock = new ManualClock();
    messages = new MemoryMessages(clock);
    directory = new MemoryDirectory();
    for (const account of ["acme", "other", "third"]) {
      directory.accounts.set(account, sampleAccount({ account }));
    }
    mos = new MemoryMos(clock);
    deadLetters = new MemoryDeadLetters();
    deps = {
      messages,
      directory,
      mos,
      deadLetters,
      clock,
      moRetentionMs: 7 * DAY_MS,
      statusRetentionMs: DAY_MS,
      subAccounts: new MemorySubAccounts(),
      blockedNumbers: new MemoryBlockedNumbers(),
      dispatchQueue: new MemoryDispatchQueue(),
      randomness: new CountingRandomness(),
    };
  });

  const inbound = (overrides: Partial<InboundMessage> = {}): InboundMessage => ({
    type: "mo",
    carrier: "sandbox",
    carrierMessageId: "mo-1",
    from: PHONE,
    shortCode: SHORT_CODE,
    text: "Sim",
    at: clock.now(),
    operator: "Claro",
    ...overrides,
  });
  const receive = (overrides: Partial<InboundMessage> = {}, receives = 1) =>
    receiveMo(deps, inbound(overrides), receives);

  async function givenSent(id: string, minutesAgo: number, overrides: Partial<Message> = {}) {
    await messages.insert(
      sampleMessage(clock.now(), {
        id,
        traceId: `trace-${id}`,
        destination: PHONE,
        shortCode: SHORT_CODE,
        state: "DELIVERED",
        sentAt: clock.now() - minutesAgo * MINUTE_MS,
        ...overrides,
      }),
    );
  }
  const givenShortCodeOf = (account: string) =>
    directory.insertAccount(sampleAccount({ account, shortCodes: [SHORT_CODE] }));
  const received = (account = "acme") => mos.takeNew(account, 100);

  it("stores an MO with the account whose message it answers", async () => {
    await givenSent("a", 5);
    expect(await receive()).toEqual({ kind: "received", answers: true });
    const [mo] = await received();
    expect(mo).toEqual({
      version: 1,
      account: "acme",
      id: expect.any(Number),
      uuid: expect.stringMatching(UUID),
      from: PHONE,
      shortCode: SHORT_CODE,
      text: "Sim",
      receivedAt: clock.now(),
      operator: "Claro",
      carrier: "sandbox",
      dialect: "mesago",
      answers: { id: "a", traceId: "trace-a" },
      removeAt: (clock.now() + 7 * DAY_MS) / 1_000,
    });
    expect(moSchema.parse(mo)).toEqual(mo);
    expect(deadLetters.letters).toEqual([]);
  });

  it("takes the last message that the phone got from the short code, whoever's it was", async () => {
    await givenSent("older", 10);
    await givenSent("last", 5, { account: "other" });
    await givenSent("another-phone", 1, { destination: "5519900002222" });
    await givenSent("another-short-code", 1, { shortCode: "31415" });
    await givenSent("never-sent", 1, { sentAt: undefined });
    await givenShortCodeOf("owner");
    await receive();
    expect(await received("other")).toMatchObject([{ answers: { id: "last" } }]);
    expect(await received("acme")).toEqual([]);
    expect(await received("owner")).toEqual([]);
  });

  it("does not take one that was sent after the MO, but for what clocks may differ", async () => {
    await givenSent("answered", 5);
    await givenSent("later", -2, { account: "other" });
    await receive();
    expect(await received()).toMatchObject([{ answers: { id: "answered" } }]);
    await givenSent("just-sent", -1, { account: "third", destination: "5519900003333" });
    await receive({ from: "5519900003333", carrierMessageId: "mo-2" });
    expect(await received("third")).toMatchObject([{ answers: { id: "just-sent" } }]);
  });

  it("stays with the account that it answers when it comes again, whatever was sent in between", async () => {
    await givenSent("answered", 5);
    const mo = inbound();
    await receiveMo(deps, mo, 1);
    clock.advance(30_000);
    await givenSent("later", 0, { account: "other" });
    await receiveMo(deps, mo, 1);
    expect(await received("other")).toEqual([]);
    expect(await received()).toMatchObject([{ answers: { id: "answered" } }]);
  });

  it("is called back in the dialect of the message that it answers, else in its account's", async () => {
    await givenSent("a", 5, { dialect: "zenvia" });
    await receive();
    expect(await received()).toMatchObject([{ dialect: "zenvia" }]);
    await givenShortCodeOf("owner");
    await receive({ from: "5519900002222", carrierMessageId: "mo-2" });
    expect(await received("owner")).toMatchObject([{ dialect: "mesago" }]);
    const wavy = sampleAccount({ account: "wavy", shortCodes: ["31415"], moDialect: "wavy" });
    directory.accounts.set("wavy", wavy);
    await receive({ shortCode: "31415", carrierMessageId: "mo-3" });
    expect(await received("wavy")).toMatchObject([{ dialect: "wavy" }]);
  });

  it("gives an MO that answers nothing to the account of its short code", async () => {
    await givenShortCodeOf("owner");
    expect(await receive()).toEqual({ kind: "received", answers: false });
    const [mo] = await received("owner");
    expect(mo).toMatchObject({ account: "owner", text: "Sim" });
    expect(mo).not.toHaveProperty("answers");
  });

  it("sets aside what is nobody's", async () => {
    expect(await receive({ shortCode: "31415" }, 2)).toEqual({ kind: "set-aside" });
    expect(deadLetters.letters).toEqual([
      { what: inbound({ shortCode: "31415" }), cause: expect.stringMatching(/no account's/) },
    ]);
    expect(carrierEventSchema.parse(deadLetters.letters[0]?.what)).toEqual(
      inbound({ shortCode: "31415" }),
    );
  });

  it("looks again, later, at what is nobody's: what was sent is found a moment late", async () => {
    await expect(receive()).rejects.toThrow("nobody's yet");
    expect(deadLetters.letters).toEqual([]);
    await givenSent("a", 0);
    expect(await receive({}, 2)).toEqual({ kind: "received", answers: true });
    expect(await received()).toMatchObject([{ answers: { id: "a" } }]);
  });

  it("stores an MO once, however often it comes", async () => {
    await givenSent("a", 5);
    await receive();
    await receive();
    expect(await received()).toHaveLength(1);
    await receive();
    expect(await received()).toEqual([]);
  });

  it("leaves out an operator that is not told", async () => {
    await givenSent("a", 5);
    const { operator: _, ...unknown } = inbound();
    await receiveMo(deps, unknown, 1);
    expect((await received())[0]).not.toHaveProperty("operator");
  });

  it("tells of the message that it answers whose and what for it was", async () => {
    const campaign = { id: 7, alias: "Natal" };
    const sender = { username: "ana", email: "ana@acme.example" };
    await givenSent("a", 5, {
      dialect: "wavy",
      correlationId: "correlation",
      subAccount: "sales",
      campaign,
      sender,
    });
    await receive();
    const [mo] = await received();
    expect(mo).toMatchObject({
      dialect: "wavy",
      subAccount: "sales",
      campaign,
      answers: { id: "a", traceId: "trace-a", correlationId: "correlation", sender },
    });
    expect(moSchema.parse(mo)).toEqual(mo);
  });

  it("sets aside what answers a message of an account that is gone", async () => {
    await givenSent("a", 5, { account: "gone" });
    expect(await receive()).toEqual({ kind: "set-aside" });
    expect(deadLetters.letters).toHaveLength(1);
  });

  describe("that opts out", () => {
    const blocked = async (account: string, subAccount?: string) =>
      (await blockedNumbers.findBlocked(account, subAccount, [PHONE])).has(PHONE);
    let blockedNumbers: MemoryBlockedNumbers;
    let dispatchQueue: MemoryDispatchQueue;

    beforeEach(() => {
      blockedNumbers = new MemoryBlockedNumbers();
      dispatchQueue = new MemoryDispatchQueue();
      deps = { ...deps, blockedNumbers, dispatchQueue };
    });

    it("is received like any other, and says so", async () => {
      await givenSent("a", 5, { subAccount: "sales" });
      expect(await receive({ text: "Sair." })).toEqual({
        kind: "received",
        answers: true,
        optOut: "opted-out",
      });
      expect(await received()).toMatchObject([{ text: "Sair.", subAccount: "sales" }]);
      expect(await blocked("acme", "sales")).toBe(true);
      expect(await blocked("acme", "support")).toBe(false);
      expect(await blocked("acme")).toBe(false);
      clock.advance(1_000);
      expect(await receive({ text: "VOLTAR", carrierMessageId: "mo-2" })).toMatchObject({
        optOut: "opted-in",
      });
      expect(await blocked("acme", "sales")).toBe(false);
    });

    it("opts out of all of the account where it answers nothing", async () => {
      await givenShortCodeOf("owner");
      expect(await receive({ text: "sair" })).toEqual({
        kind: "received",
        answers: false,
        optOut: "opted-out",
      });
      expect(await blocked("owner")).toBe(true);
      expect(await blocked("owner", "sales")).toBe(true);
      expect(await blocked("acme")).toBe(false);
    });

    it("stays with whom it was stored with, though it would be another's when it comes again", async () => {
      await givenShortCodeOf("owner");
      const mo = inbound({ text: "SAIR" });
      await receiveMo(deps, mo, 1);
      // The other account's message comes after the answer, and within what clocks may differ.
      await directory.insertAccount(sampleAccount({ account: "other" }));
      await givenSent("b", -0.3, { account: "other", subAccount: "sales" });
      clock.advance(MINUTE_MS);
      await receiveMo(deps, mo, 1);
      expect(await received("other")).toEqual([]);
      expect(await blocked("other", "sales")).toBe(false);
      expect(await blocked("owner")).toBe(true);
      expect(new Set(dispatchQueue.entries.map(({ ref }) => ref.account))).toEqual(
        new Set(["owner"]),
      );
    });

    it("leads back by an answer to the confirmation, into where it led out of", async () => {
      await givenSent("a", 5, { subAccount: "sales" });
      await receive({ text: "SAIR" });
      const confirmation = await messages.find("acme", dispatchQueue.entries[0]?.ref.id ?? "");
      expect(confirmation).toMatchObject({ subAccount: "sales", callbackOption: "NONE" });
      if (confirmation) {
        const sentAt = clock.now() + 500;
        const sent = { state: "SENT", sentAt, shortCode: SHORT_CODE } as const;
        await messages.change(confirmation, sent);
      }
      clock.advance(5_000);
      const outcome = await receive({ text: "Voltar", carrierMessageId: "mo-2" });
      expect(outcome).toMatchObject({ optOut: "opted-in" });
      const mos = await received();
      expect(mos.map(({ answers }) => answers?.id)).toEqual(["a", confirmation?.id]);
      expect(await blocked("acme", "sales")).toBe(false);
    });

    it("does so once, and is stored once, however often it comes, and whatever failed before", async () => {
      await givenSent("a", 5, { subAccount: "sales" });
      const mo = inbound({ text: "SAIR" });
      dispatchQueue.refuses = true;
      await expect(receiveMo(deps, mo, 1)).rejects.toThrow("was not taken");
      dispatchQueue.refuses = false;
      for (let times = 0; times < 3; times++) await receiveMo(deps, mo, 1);
      expect(await received()).toHaveLength(1);
      expect(new Set(dispatchQueue.entries.map(({ ref }) => ref.traceId)).size).toBe(1);
      expect(await blocked("acme", "sales")).toBe(true);
    });
  });

  it("throws where it cannot be stored, be matched, or be set aside, so that it comes again", async () => {
    mos.insert = () => Promise.reject(new Error("throttled"));
    deadLetters.put = () => Promise.reject(new Error("the queue is away"));
    await expect(receive({}, 2)).rejects.toThrow("the queue is away");
    await givenSent("a", 5);
    await expect(receive()).rejects.toThrow("throttled");
    messages.findLastSent = () => Promise.reject(new Error("the index is away"));
    await expect(receive()).rejects.toThrow("the index is away");
  });

  it("gives the same MO the same id, and every other another, exact in JSON", async () => {
    await givenShortCodeOf("owner");
    const one = fc.record({
      carrier: fc.constantFrom("a", "b"),
      carrierMessageId: fc.oneof(fc.constantFrom("1", "2"), fc.string({ minLength: 1 })),
    });
    const idOf = async (it: { carrier: string; carrierMessageId: string }, text: string) => {
      mos = new MemoryMos(clock);
      await receiveMo({ ...deps, mos }, inbound({ ...it, text }), 1);
      return (await received("owner"))[0]?.id ?? -1;
    };
    await fc.assert(
      fc.asyncProperty(one, one, async (it, other) => {
        const id = await idOf(it, "Sim");
        expect(await idOf(it, "Sim")).toBe(id);
        expect(Number.isSafeInteger(id) && id >= 0).toBe(true);
        expect(JSON.parse(JSON.stringify(id))).toBe(id);
        const isSame =
          it.carrier === other.carrier && it.carrierMessageId === other.carrierMessageId;
        expect((await idOf(other, "Sim")) === id).toBe(isSame);
      }),
    );
  });
});
