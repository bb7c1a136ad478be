import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  MAX_TEXT_LENGTH,
  type MessageMaking,
  makeMessage,
  readTimes,
  type SendRequest,
} from "../../../functions/core/accept-message.ts";
import type { Account } from "../../../functions/core/account.ts";
import { codesOf } from "../../../functions/core/codes.ts";
import { isFinal } from "../../../functions/core/lifecycle.ts";
import { type Message, messageSchema } from "../../../functions/core/message.ts";
import { textsOfParts } from "../../../functions/core/parts.ts";
import { ALWAYS, openingAt } from "../../../functions/core/time.ts";
import { CountingRandomness, ManualClock } from "../../support/memory.ts";
import { sampleAccount } from "../../support/samples.ts";
import { sampleRequest } from "./support.ts";

const SECOND_MS = 1_000;
const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

describe("makeMessage", () => {
  // 12:00 in São Paulo.
  const clock = new ManualClock(Date.parse("2026-03-02T15:00:00Z"));
  const now = clock.now();
  const making = (): MessageMaking => ({
    clock,
    randomness: new CountingRandomness(),
    retentionMs: DAY_MS,
  });
  const make = (request: Partial<SendRequest>, account: Partial<Account> = {}) =>
    makeMessage(making(), sampleAccount(account), sampleRequest(request));
  const refused = (refusal: string) => ({ accepted: false, refusal });

  function accepted(request: Partial<SendRequest>, account: Partial<Account> = {}): Message {
    const result = make(request, account);
    if (!result.accepted) throw new Error(`refused: ${result.refusal}`);
    return result.message;
  }

  it("makes a message out of all that the request says", () => {
    const request = sampleRequest({
      dialect: "zenvia",
      id: "chosen",
      destination: "(19) 99000-1111",
      flash: true,
      callbackOption: "FINAL",
      extraInfo: "campaign 7",
      expiresAt: now + HOUR_MS,
      window: { hours: [12], timeZone: "America/Sao_Paulo" },
    });
    expect(make(request)).toEqual({
      accepted: true,
      message: {
        version: 1,
        account: "acme",
        id: "chosen",
        traceId: "uuid-1",
        dialect: "zenvia",
        destination: "5519990001111",
        text: "Hello",
        flash: true,
        callbackOption: "FINAL",
        extraInfo: "campaign 7",
        window: { hours: [12], timeZone: "America/Sao_Paulo" },
        state: "QUEUED",
        stateAt: now,
        acceptedAt: now,
        claimableFrom: now,
        claimableUntil: now + HOUR_MS,
        expiresAt: now + HOUR_MS,
        attempts: 0,
        removeAt: (now + DAY_MS) / SECOND_MS,
      },
    });
  });

  it("gives a message without an id its trace for one", () => {
    expect(accepted({ id: undefined })).toMatchObject({ id: "uuid-1", traceId: "uuid-1" });
  });

  it("names the first thing that is wrong, in this order", () => {
    const wrong: Partial<SendRequest> = {
      destination: " ",
      text: " \n",
      scheduledAt: now - DAY_MS,
      expiresAt: now - 1,
    };
    const mends: [string, Partial<SendRequest>][] = [
      ["empty-destination", { destination: "551132654321" }],
      ["empty-text", { text: "x".repeat(161) }],
      ["text-too-long", { text: "x" }],
      ["invalid-destination", { destination: "5519900001111" }],
      ["schedule-in-past", { scheduledAt: now + 400 * DAY_MS }],
      ["schedule-too-far", { scheduledAt: now + HOUR_MS }],
      ["expired", { expiresAt: now + HOUR_MS }],
      ["expires-before-due", { expiresAt: now + HOUR_MS + 1 }],
    ];
    let request = wrong;
    for (const [refusal, mend] of mends) {
      expect(make(request)).toEqual(refused(refusal));
      request = { ...request, ...mend };
    }
    expect(make(request)).toMatchObject({ accepted: true });
  });

  describe("schedules", () => {
    it("takes a time that has passed by no more than a minute for now", () => {
      expect(accepted({ scheduledAt: now - MINUTE_MS })).toMatchObject({
        state: "QUEUED",
        claimableFrom: now,
        removeAt: (now + DAY_MS) / SECOND_MS,
      });
      expect(make({ scheduledAt: now - MINUTE_MS - 1 })).toEqual(refused("schedule-in-past"));
    });

    it("takes times up to a year ahead", () => {
      expect(make({ scheduledAt: now + 366 * DAY_MS })).toMatchObject({ accepted: true });
      expect(make({ scheduledAt: now + 366 * DAY_MS + 1 })).toEqual(refused("schedule-too-far"));
    });

    it("has a message wait from the first millisecond on, to the second, and keeps it from then", () => {
      expect(accepted({ scheduledAt: now })).toMatchObject({ state: "QUEUED" });
      expect(accepted({ scheduledAt: now + 1 })).toMatchObject({ state: "SCHEDULED" });
      const due = now + 30 * DAY_MS + 1;
      expect(accepted({ scheduledAt: due })).toMatchObject({
        state: "SCHEDULED",
        stateAt: now,
        acceptedAt: now,
        claimableFrom: due + 999,
        claimableUntil: ALWAYS,
        removeAt: (now + 31 * DAY_MS) / SECOND_MS + 1,
      });
    });

    const window = { hours: [12, 18, 19], timeZone: "America/Sao_Paulo" };
    const evening = Date.parse("2026-03-02T21:00:00Z");

    it("keeps to the due time inside the window", () => {
      const scheduledAt = evening + HOUR_MS + 5 * MINUTE_MS;
      expect(accepted({ window, scheduledAt })).toMatchObject({
        state: "SCHEDULED",
        claimableFrom: scheduledAt,
        claimableUntil: evening + 2 * HOUR_MS,
      });
    });

    it("waits after the due time for the window to open", () => {
      const expected = {
        state: "SCHEDULED",
        claimableFrom: evening,
        claimableUntil: evening + 2 * HOUR_MS,
        removeAt: (evening + DAY_MS) / SECOND_MS,
      };
      expect(accepted({ window, scheduledAt: evening - 2 * HOUR_MS })).toMatchObject(expected);
      expect(accepted({ window, scheduledAt: evening + 2 * HOUR_MS })).toMatchObject({
        claimableFrom: evening + 18 * HOUR_MS,
      });
      const closed = { ...window, hours: [18, 19] };
      expect(accepted({ window: closed })).toMatchObject(expected);
    });

    it("is due at once where the window is open and the schedule is now", () => {
      expect(accepted({ window, scheduledAt: now - 1 })).toMatchObject({
        state: "QUEUED",
        claimableFrom: now,
        claimableUntil: now + HOUR_MS,
      });
    });
  });

  describe("expiries", () => {
    it("are refused once they have come", () => {
      expect(make({ expiresAt: now })).toEqual(refused("expired"));
      expect(make({ expiresAt: now + 1 })).toMatchObject({ accepted: true });
    });

    it("are refused where the message is due no earlier", () => {
      const due = now + HOUR_MS;
      expect(make({ scheduledAt: due, expiresAt: due })).toEqual(refused("expires-before-due"));
      expect(make({ scheduledAt: due, expiresAt: due + 1 })).toMatchObject({ accepted: true });
    });

    it("are refused where the window opens no earlier", () => {
      const window = { hours: [13], timeZone: "America/Sao_Paulo" };
      const opening = now + HOUR_MS;
      expect(make({ window, expiresAt: opening })).toEqual(refused("expires-before-due"));
      expect(make({ window, expiresAt: opening + 1 })).toMatchObject({ accepted: true });
    });

    it("end the time to send together with the window, whichever is earlier", () => {
      const window = { hours: [12], timeZone: "America/Sao_Paulo" };
      const closing = now + HOUR_MS;
      const until = (request: Partial<SendRequest>) => accepted(request).claimableUntil;
      expect(until({ window, expiresAt: closing + 1 })).toBe(closing);
      expect(until({ window, expiresAt: closing - 1 })).toBe(closing - 1);
      expect(until({ expiresAt: closing + 1 })).toBe(closing + 1);
      expect(until({ window })).toBe(closing);
      expect(until({})).toBe(ALWAYS);
    });
  });

  it("accepts only what can be sent when it is due, and keeps it for its retention", () => {
    const offset = (max: number) => fc.option(fc.integer({ min: -2 * MINUTE_MS, max }), { nil: 0 });
    const window = fc.option(
      fc.record({
        hours: fc.uniqueArray(fc.integer({ min: 0, max: 23 }), { minLength: 1 }),
        timeZone: fc.constantFrom("UTC", "America/Sao_Paulo", "Asia/Kolkata"),
      }),
      { nil: undefined },
    );
    const dueAt = (at: number) => (at > now ? Math.ceil(at / SECOND_MS) * SECOND_MS : now);
    fc.assert(
      fc.property(
        offset(3 * DAY_MS),
        offset(5 * DAY_MS),
        window,
        (dueIn, expiresIn, timeWindow) => {
          const times = {
            scheduledAt: now + dueIn,
            expiresAt: expiresIn === 0 ? undefined : now + expiresIn,
            window: timeWindow,
          };
          const result = make(times);
          if (!result.accepted) return;
          const { claimableFrom, claimableUntil, state, removeAt } = result.message;
          expect(claimableFrom).toBe(openingAt(timeWindow, dueAt(now + dueIn)).from);
          expect(claimableUntil).toBeGreaterThan(claimableFrom);
          expect(claimableUntil).toBeLessThanOrEqual(times.expiresAt ?? ALWAYS);
          expect(state).toBe(claimableFrom > now ? "SCHEDULED" : "QUEUED");
          expect(removeAt * SECOND_MS - claimableFrom - DAY_MS).toBeGreaterThanOrEqual(0);
          expect(removeAt * SECOND_MS - claimableFrom - DAY_MS).toBeLessThan(SECOND_MS);
          expect(messageSchema.parse(result.message)).toEqual(result.message);
        },
      ),
      { numRuns: 300 },
    );
  });

  it("notes whom and what for a message is sent, and the client's own ids", () => {
    const request = {
      dialect: "wavy",
      correlationId: "many have it",
      subAccount: { subAccount: "sales", limits: { prepaid: true } },
      campaign: { id: 7, alias: "Natal" },
      sender: { username: "ana", email: "ana@acme.example" },
      invalidParams: true,
    } as const;
    const message = accepted(request);
    expect(message).toMatchObject({ ...request, subAccount: "sales", state: "QUEUED" });
    expect(messageSchema.parse(message)).toEqual(message);
    expect(accepted({}).subAccount).toBeUndefined();
  });

  it("refuses what its dialect could not read before anything else", () => {
    expect(make({ unreadable: true, destination: "", text: "" })).toEqual(refused("unreadable"));
  });

  describe("messages that cannot be sent, of a request that stores those", () => {
    it.each([
      ["unreadable", { unreadable: true }, "invalid-message", 207],
      ["no destination", { destination: " " }, "invalid-number", 202],
      ["a wrong destination", { destination: "551132654321" }, "invalid-number", 202],
      ["no text", { text: " \n" }, "invalid-message", 207],
      ["a text that is too long", { text: "x".repeat(1_521) }, "invalid-message", 207],
      ["more parts than the account may send", { text: "x".repeat(161) }, "invalid-message", 207],
    ] as const)("are blocked for good: %s", (_, request, reason, code) => {
      expect(make(request)).toMatchObject({ accepted: false });
      const message = accepted({ ...request, dialect: "wavy", storesRefused: true });
      expect(message).toMatchObject({
        state: "BLOCKED",
        reason,
        stateAt: now,
        acceptedAt: now,
        claimableFrom: now,
        claimableUntil: now,
        attempts: 0,
        removeAt: (now + DAY_MS) / SECOND_MS,
      });
      expect(message).not.toHaveProperty("parts");
      expect(isFinal(message.state, message.reason)).toBe(true);
      expect(codesOf(message.state, message.reason).wavy).toEqual({ sent: code });
      expect(messageSchema.parse(message)).toEqual(message);
    });

    it.each([
      ["schedule-in-past", { scheduledAt: now - 2 * MINUTE_MS }],
      ["schedule-too-far", { scheduledAt: now + 400 * DAY_MS }],
      ["expired", { expiresAt: now }],
      ["expires-before-due", { scheduledAt: now + HOUR_MS, expiresAt: now + HOUR_MS }],
    ])("are refused all the same where the request is wrong: %s", (refusal, times) => {
      expect(make({ ...times, storesRefused: true })).toEqual(refused(refusal));
    });

    it("are as they were written, up to a length, and the number as it would be dialled", () => {
      const store = (request: Partial<SendRequest>) =>
        accepted({ ...request, storesRefused: true });
      expect(store({ text: "", destination: "(19) 99000-1111" }).destination).toBe("5519990001111");
      expect(store({ destination: "not a number" }).destination).toBe("not a number");
      expect(store({ destination: "9".repeat(60) }).destination).toBe("9".repeat(50));
      expect(store({ text: "x".repeat(2_000) }).text).toBe("x".repeat(1_520));
      // Half a surrogate pair, whether it came so or was cut so, is nothing that can be stored.
      expect(store({ text: `${"x".repeat(1_519)}😀` }).text).toBe(`${"x".repeat(1_519)}\ufffd`);
      expect(store({ destination: `${"x".repeat(49)}😀` }).destination).toBe(
        `${"x".repeat(49)}\ufffd`,
      );
      expect(store({ destination: "\ud83d" }).destination).toBe("\ufffd");
    });

    it("keep all that is known of them, and their id", () => {
      const known = { id: "chosen", correlationId: "c", callbackOption: "NONE" } as const;
      const message = accepted({ ...known, destination: "", storesRefused: true });
      expect(message).toMatchObject(known);
      expect(accepted({ id: undefined, destination: "", storesRefused: true })).toMatchObject({
        id: "uuid-1",
        traceId: "uuid-1",
      });
    });
  });

  it("tells by the times alone when a message is sent first, as it would be made", () => {
    const time = fc.option(fc.integer({ min: -2 * MINUTE_MS, max: 2 * DAY_MS }), {
      nil: undefined,
    });
    const window = { hours: [12, 18], timeZone: "America/Sao_Paulo" };
    fc.assert(
      fc.property(time, time, fc.boolean(), (dueIn, expiresIn, hasWindow) => {
        const times = {
          scheduledAt: dueIn === undefined ? undefined : now + dueIn,
          expiresAt: expiresIn === undefined ? undefined : now + expiresIn,
          window: hasWindow ? window : undefined,
        };
        const read = readTimes(times, now);
        const made = make(times);
        if (typeof read === "string") expect(made).toEqual(refused(read));
        else expect(made).toMatchObject({ message: { claimableFrom: read.opening.from } });
      }),
    );
  });

  describe("texts", () => {
    it("stand behind the sender's label", () => {
      expect(accepted({ senderLabel: "Acme", text: "Hello" }).text).toBe("Acme: Hello");
    });

    it("count with the label and what is between: a label can make a text two parts", () => {
      const text = "x".repeat(154);
      expect(accepted({ senderLabel: "Acme", text }).parts).toBeUndefined();
      expect(make({ senderLabel: "Acme!", text })).toEqual(refused("text-too-long"));
    });

    it("are refused where the account sends no long messages and they need more than a part", () => {
      expect(accepted({ text: "x".repeat(160) }).parts).toBeUndefined();
      expect(make({ text: "x".repeat(161) })).toEqual(refused("text-too-long"));
    });

    it("become parts where the account sends long messages", () => {
      const words = `${"x".repeat(99)} `;
      const { text, parts } = accepted({ text: words.repeat(3) }, { longMessages: true });
      expect(text).toBe(words.repeat(3));
      expect(parts).toEqual([
        { length: 100, state: "QUEUED" },
        { length: 100, state: "QUEUED" },
        { length: 100, state: "QUEUED" },
      ]);
    });

    it("are no longer than the limit, label included, whatever the account may send", () => {
      const long = { longMessages: true };
      const text = "x".repeat(MAX_TEXT_LENGTH - 4);
      expect(MAX_TEXT_LENGTH).toBe(1_520);
      expect(make({ senderLabel: "Acme", text }, long)).toMatchObject({ accepted: true });
      expect(make({ senderLabel: "Acme!", text }, long)).toEqual(refused("text-too-long"));
      expect(make({ text: "x".repeat(1_520) }, long)).toMatchObject({ accepted: true });
      expect(make({ text: "x".repeat(1_521) }, long)).toEqual(refused("text-too-long"));
    });

    it("are cut by the account's segmentation", () => {
      const gsm = { longMessages: true, segmentation: "gsm" } as const;
      const cyrillic = "я".repeat(71);
      expect(accepted({ text: cyrillic }).parts).toBeUndefined();
      expect(accepted({ text: cyrillic }, gsm).parts?.map(({ length }) => length)).toEqual([67, 4]);
      expect(make({ text: cyrillic }, { segmentation: "gsm" })).toEqual(refused("text-too-long"));
      expect(accepted({ text: "é".repeat(160) }, gsm).parts).toBeUndefined();
    });

    it("are cut as the request says, and into as many parts as that takes, whatever the account has", () => {
      const cyrillic = "я".repeat(71);
      const parts = (request: Partial<SendRequest>, account: Partial<Account> = {}) =>
        accepted(request, account).parts?.map(({ length }) => length);
      expect(parts({ text: cyrillic, segmentation: "gsm" })).toEqual([67, 4]);
      expect(parts({ text: "x".repeat(161), segmentation: "gsm" })).toEqual([153, 8]);
      expect(
        parts({ text: cyrillic, segmentation: "mesago" }, { segmentation: "gsm" }),
      ).toBeUndefined();
      expect(make({ text: "x".repeat(1_521), segmentation: "gsm" })).toEqual(
        refused("text-too-long"),
      );
    });

    it("are transliterated first, where the account has it so", () => {
      const plain = { segmentation: "gsm", transliterate: true } as const;
      const text = "ção".repeat(50);
      expect(make({ text }, { segmentation: "gsm" })).toEqual(refused("text-too-long"));
      expect(accepted({ senderLabel: "Ação", text }, plain)).toMatchObject({
        text: `Acao: ${"cao".repeat(50)}`,
      });
    });

    it("are refused where transliteration leaves nothing of them", () => {
      expect(make({ text: "\u200b\u00ad" }, { transliterate: true })).toEqual(
        refused("empty-text"),
      );
    });

    it("are all there in the parts, in order", () => {
      const settings = fc.record({
        longMessages: fc.constant(true),
        segmentation: fc.constantFrom("mesago", "gsm" as const),
      });
      const character = fc.constantFrom("a", "b", " ", "\n", "é", "ç", "€", "😀");
      const text = fc
        .array(character, { minLength: 1, maxLength: 700 })
        .map((characters) => `x${characters.join("")}`);
      fc.assert(
        fc.property(text, settings, fc.option(fc.constant("Acme")), (it, account, label) => {
          const message = accepted({ text: it, senderLabel: label ?? undefined }, account);
          expect(message.text).toBe(label ? `Acme: ${it}` : it);
          expect(textsOfParts(message).join("")).toBe(message.text);
          expect(textsOfParts(message).every((part) => part.length > 0)).toBe(true);
          expect(messageSchema.parse(message)).toEqual(message);
        }),
      );
    });
  });
});
