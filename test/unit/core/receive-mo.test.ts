import fc from "fast-check";
import { beforeEach, describe, expect, it } from "vitest";
import { carrierEventSchema, type InboundMessage } from "../../../functions/core/carrier.ts";
import type { Message } from "../../../functions/core/message.ts";
import { moSchema } from "../../../functions/core/mo.ts";
import { type ReceiveDependencies, receiveMo } from "../../../functions/core/receive-mo.ts";
import {
  ManualClock,
  MemoryDeadLetters,
  MemoryDirectory,
  MemoryMessages,
  MemoryMos,
} from "../../support/memory.ts";
import { sampleAccount, sampleMessage } from "../../support/samples.ts";

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
const PHONE = "5519900001111";
const SHORT_CODE = "27182";

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
    mos = new MemoryMos(clock);
    deadLetters = new MemoryDeadLetters();
    deps = { messages, directory, mos, deadLetters, clock, retentionMs: 7 * DAY_MS };
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
  const receive = (overrides: Partial<InboundMessage> = {}) => receiveMo(deps, inbound(overrides));

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
    await receiveMo(deps, mo);
    clock.advance(30_000);
    await givenSent("later", 0, { account: "other" });
    await receiveMo(deps, mo);
    expect(await received("other")).toEqual([]);
    expect(await received()).toMatchObject([{ answers: { id: "answered" } }]);
  });

  it("is called back in the dialect of the message that it answers, else in Mesago's", async () => {
    await givenSent("a", 5, { dialect: "zenvia" });
    await receive();
    expect(await received()).toMatchObject([{ dialect: "zenvia" }]);
    await givenShortCodeOf("owner");
    await receive({ from: "5519900002222", carrierMessageId: "mo-2" });
    expect(await received("owner")).toMatchObject([{ dialect: "mesago" }]);
  });

  it("gives an MO that answers nothing to the account of its short code", async () => {
    await givenShortCodeOf("owner");
    expect(await receive()).toEqual({ kind: "received", answers: false });
    const [mo] = await received("owner");
    expect(mo).toMatchObject({ account: "owner", text: "Sim" });
    expect(mo).not.toHaveProperty("answers");
  });

  it("sets aside what is nobody's", async () => {
    expect(await receive({ shortCode: "31415" })).toEqual({ kind: "set-aside" });
    expect(deadLetters.letters).toEqual([
      { what: inbound({ shortCode: "31415" }), cause: expect.stringMatching(/no account's/) },
    ]);
    expect(carrierEventSchema.parse(deadLetters.letters[0]?.what)).toEqual(
      inbound({ shortCode: "31415" }),
    );
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
    await receiveMo(deps, unknown);
    expect((await received())[0]).not.toHaveProperty("operator");
  });

  it("throws where it cannot be stored, be matched, or be set aside, so that it comes again", async () => {
    mos.insert = () => Promise.reject(new Error("throttled"));
    deadLetters.put = () => Promise.reject(new Error("the queue is away"));
    await expect(receive()).rejects.toThrow("the queue is away");
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
      await receiveMo({ ...deps, mos }, inbound({ ...it, text }));
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
