import { randomInt, randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Carrier, OutboundMessage } from "../../functions/core/carrier.ts";
import { segmentsOf } from "../../functions/core/segments.ts";
import { whyNoKannel } from "./kannel.ts";
import { carrierOf, eventually, messageOf, type Rig, secretOf, startRig } from "./rig.ts";

const why = whyNoKannel();

/** A number that no other test sends to. @param lastFour what the operator does with it */
const phoneOfOurOwn = (lastFour = "1111") => `5511${randomInt(90_000, 99_999)}${lastFour}`;

const ucs2 = (text: string) => Buffer.from(text, "utf16le").swap16();

/** All of GSM 03.38 as it goes over the air: each character's own byte, those of the extension behind an escape. */
const BASIC = [
  "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\u001bÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?",
  "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà",
].join("");
const EXTENSION: Readonly<Record<string, number>> = {
  "\f": 0x0a,
  "^": 0x14,
  "{": 0x28,
  "}": 0x29,
  "\\": 0x2f,
  "[": 0x3c,
  "~": 0x3d,
  "]": 0x3e,
  "|": 0x40,
  "€": 0x65,
};
const gsmBytes = (text: string) =>
  Buffer.from(
    [...text].flatMap((it) => (it in EXTENSION ? [0x1b, EXTENSION[it] ?? 0] : BASIC.indexOf(it))),
  );

describe.skipIf(why)(`a Kannel${why ? ` (skipped: ${why})` : ""}`, () => {
  let rig: Rig;
  let carrier: Carrier;

  beforeAll(async () => {
    rig = await startRig({ more: { smsc: 'denied-prefix = "+1"' } });
    carrier = carrierOf(rig);
  });
  afterAll(() => rig?.stop());

  /** Hands a message over that Kannel takes. */
  async function sent(to: string, text?: string, more: Partial<OutboundMessage> = {}) {
    const id = more.ref?.id ?? randomUUID();
    const outcome = await carrier.send(messageOf(id, to, text, more));
    expect(outcome).toMatchObject({ kind: "accepted" });
    return id;
  }

  /** What came of it in the end. */
  const receiptOf = (id: string) =>
    eventually(() => {
      const receipts = rig.ingress.receiptsOf(id);
      expect(receipts).toHaveLength(1);
      return receipts[0];
    });

  const takenBy = (to: string, count = 1) =>
    eventually(() => {
      const taken = rig.operator.takenBy(to);
      expect(taken).toHaveLength(count);
      return taken;
    });

  describe("hands MTs on, and reports", () => {
    it("that one was delivered", async () => {
      const start = Date.now();
      const to = phoneOfOurOwn();
      const id = await sent(to);
      expect(await receiptOf(id)).toEqual({
        type: "receipt",
        ref: { account: "acme", id, traceId: `trace-${id}` },
        carrier: "kannel",
        at: expect.any(Number),
        shortCode: "27182",
        outcome: "delivered",
      });
      expect((await receiptOf(id))?.at).toBeGreaterThan(start - 2_000);
      expect(await takenBy(to)).toMatchObject([
        { from: "27182", toType: 1, wantsReceipt: true, header: "", dataCoding: 0 },
      ]);
    });

    it.each([
      ["0002", "undeliverable"],
      ["0006", "operator-expired"],
      ["0007", "undeliverable"],
      ["0008", "undeliverable"],
      ["0010", "undeliverable"],
      ["0011", "undeliverable"],
    ])("that one to %s was not: %s", async (lastFour, reason) => {
      const id = await sent(phoneOfOurOwn(lastFour));
      expect(await receiptOf(id)).toMatchObject({ outcome: "not-delivered", reason });
    });

    it("nothing of one that is on its way, until it is there", async () => {
      const id = await sent(phoneOfOurOwn("0003"));
      const onlyAccepted = await sent(phoneOfOurOwn("0004"));
      expect(await receiptOf(id)).toMatchObject({ outcome: "delivered" });
      expect(rig.ingress.receiptsOf(onlyAccepted)).toEqual([]);
    });

    it("once what the operator says twice", async () => {
      const id = await sent(phoneOfOurOwn("0013"));
      const sentLater = await sent(phoneOfOurOwn("0003"));
      await receiptOf(sentLater);
      expect(rig.ingress.receiptsOf(id)).toHaveLength(1);
    });

    it.each(["0005", "0012"])(
      "that one was delivered in the end which the operator put off, to %s",
      async (lastFour) => {
        const to = phoneOfOurOwn(lastFour);
        const id = await sent(to);
        expect(await receiptOf(id)).toMatchObject({ outcome: "delivered" });
        const submits = rig.operator.submits.filter((submit) => submit.to === to);
        expect(submits.map(({ status }) => status === 0)).toEqual([false, true]);
      },
    );

    it("that one was not which the operator puts off for too long", async () => {
      const to = phoneOfOurOwn("0014");
      const id = await sent(to);
      expect(await receiptOf(id)).toMatchObject({
        outcome: "not-delivered",
        reason: "undeliverable",
      });
      expect(rig.operator.submits.filter((submit) => submit.to === to).length).toBeGreaterThan(2);
    });

    it("with an id that Kannel could take for its own escapes, or that is no ASCII", async () => {
      const ids = [
        `100%d %%A %C3%A7&ref=x#?${randomUUID()}`,
        `ção 😀 ${randomUUID()}`,
        `${randomUUID()}${"%p".repeat(100)}`,
      ];
      for (const id of ids) {
        await sent(phoneOfOurOwn(), "Hello", { ref: { account: "acmé", id, traceId: "trace" } });
      }
      for (const id of ids) {
        expect((await receiptOf(id))?.ref).toEqual({ account: "acmé", id, traceId: "trace" });
      }
    });

    it("of each part by itself", async () => {
      const text = "Olá 😀 ".repeat(30);
      const to = phoneOfOurOwn();
      const parts = [text.slice(0, 140), text.slice(140)];
      const segments = segmentsOf(parts);
      const id = randomUUID();
      for (const [index, part] of parts.entries()) {
        await sent(to, part, {
          ref: { account: "acme", id, traceId: "trace" },
          part: { order: index + 1, total: 2 },
          segments: segments[index] as OutboundMessage["segments"],
        });
      }
      await eventually(() => {
        const numbers = rig.ingress.receiptsOf(id).map(({ part }) => part);
        expect(numbers.sort()).toEqual([1, 2]);
      });
      const total = segments[0]?.total ?? 0;
      const submits = await takenBy(to, total);
      const read = submits.map(({ header, bytes }) => ({
        order: Number.parseInt(header.slice(10), 16),
        common: header.slice(0, 10),
        bytes,
      }));
      read.sort((one, other) => one.order - other.order);
      expect(read.map(({ order }) => order)).toEqual(submits.map((_, index) => index + 1));
      expect(new Set(read.map(({ common }) => common)).size).toBe(1);
      expect(read[0]?.common).toMatch(new RegExp(`^050003..0${total}$`));
      for (const { bytes } of read) {
        expect(bytes.length).toBeLessThanOrEqual(134);
        expect(Buffer.from(bytes).swap16().toString("utf16le").isWellFormed()).toBe(true);
      }
      expect(Buffer.concat(read.map(({ bytes }) => bytes))).toEqual(ucs2(text));
    });
  });

  describe("says over the air", () => {
    it.each([
      ["the basic alphabet", BASIC.replace("\u001b", "")],
      ["its extension", Object.keys(EXTENSION).join("")],
      ["a text as long as can be", "a".repeat(160)],
      ["a long one, its escapes counted twice", "€".repeat(80)],
      ["spaces and line breaks at its ends", " \n\r Hello \r\n "],
      ["what means something in URLs", "a+b%20c&d=e%d?#/"],
    ])("%s as it is", async (_, text) => {
      const to = phoneOfOurOwn();
      await sent(to, text);
      expect(await takenBy(to)).toMatchObject([{ dataCoding: 0, bytes: gsmBytes(text) }]);
    });

    it.each([
      ["accents", "São João à ção"],
      ["emoji", "👩‍👩‍👧‍👦 😀"],
      ["other scripts", "Привет, 世界"],
      ["a text as long as can be", "ç".repeat(70)],
    ])("%s in UCS-2", async (_, text) => {
      const to = phoneOfOurOwn();
      await sent(to, text);
      expect(await takenBy(to)).toMatchObject([{ dataCoding: 8, bytes: ucs2(text) }]);
    });

    it.each([
      ["GSM", "Hello", 0xf0],
      ["UCS-2", "Olá", 0x18],
    ])("that a phone is to show it at once, in %s", async (_, text, dataCoding) => {
      const to = phoneOfOurOwn();
      await sent(to, text, { flash: true });
      expect(await takenBy(to)).toMatchObject([{ dataCoding }]);
    });

    it("until when the operator is to try, and what goes first", async () => {
      const to = phoneOfOurOwn();
      const expiresAt = Date.now() + 10.5 * 60_000;
      await sent(to, "Hello", { expiresAt, lane: "bulk" });
      await sent(to, "Hello", { lane: "singles" });
      const [bulk, single] = await takenBy(to, 2);
      const minutes = ((bulk?.validUntil?.getTime() ?? 0) - Date.now()) / 60_000;
      expect(minutes).toBeGreaterThan(9.5);
      expect(minutes).toBeLessThan(10.1);
      expect([bulk?.priority, single?.priority]).toEqual([0, 1]);
      expect(single?.validUntil).toBeUndefined();
    });

    it("a number as the stage wants it, and a name as the sender", async () => {
      const to = phoneOfOurOwn();
      const digits = carrierOf(rig, { numbers: "digits" });
      await digits.send(messageOf(randomUUID(), to, "Hello", { sender: "ACME" }));
      expect(await takenBy(to)).toMatchObject([{ toType: 2, from: "ACME", fromType: 5 }]);
    });
  });

  describe("refuses", () => {
    it("what it has no way for", async () => {
      const outcome = await carrier.send(messageOf(randomUUID(), "14155550100"));
      expect(outcome).toEqual({ kind: "blocked", reason: "no-coverage" });
    });

    it("what comes from nobody, where it has no sender of its own", async () => {
      const { sender: _, ...message } = messageOf(randomUUID(), phoneOfOurOwn());
      expect(await carrier.send(message)).toMatchObject({
        kind: "rejected",
        reason: "operator-rejected",
      });
    });

    it("who does not know its password, until that is known", async () => {
      const values = { ...secretOf(rig), password: "outdated" };
      const message = messageOf(randomUUID(), phoneOfOurOwn());
      expect(await carrierOf(rig, {}, { values }).send(message)).toMatchObject({
        kind: "unreachable",
        detail: "Kannel does not know our username and password",
      });
      const rotated = carrierOf(rig, {}, { values, changed: secretOf(rig) });
      expect(await rotated.send(message)).toMatchObject({ kind: "accepted" });
    });
  });

  describe("reports MOs", () => {
    const { operatorOf, ...codings } = {
      operatorOf: "SMPP",
      gsm: { bytes: gsmBytes("Sim, é {€}"), dataCoding: 0, text: "Sim, é {€}" },
      ascii: { bytes: Buffer.from("Sim"), dataCoding: 1, text: "Sim" },
      "latin-1": { bytes: Buffer.from("Olá, ção", "latin1"), dataCoding: 3, text: "Olá, ção" },
      "latin-1 that is said to be ASCII": {
        bytes: Buffer.from("Olá, ção", "latin1"),
        dataCoding: 1,
        text: "Olá, ção",
      },
      "ucs-2": { bytes: ucs2("Olá 😀"), dataCoding: 8, text: "Olá 😀" },
      bytes: { bytes: Buffer.from("00ff80", "hex"), dataCoding: 4, text: "\0\xff\x80" },
      nothing: { bytes: Buffer.alloc(0), dataCoding: 0, text: "" },
      "what means something in URLs": {
        bytes: Buffer.from("a  b+c%20&d=%d"),
        dataCoding: 0,
        text: "a  b+c%20&d=%d",
      },
    };

    it.each(Object.entries(codings))("in %s", async (_, { text, ...sms }) => {
      const from = phoneOfOurOwn();
      expect(await rig.operator.deliver({ from, to: "27182", ...sms })).toBe(0);
      const mos = await eventually(() => {
        expect(rig.ingress.mosOf(from)).toHaveLength(1);
        return rig.ingress.mosOf(from);
      });
      expect(mos).toEqual([
        {
          type: "mo",
          carrier: "kannel",
          carrierMessageId: expect.stringMatching(/^[\da-f-]{36}$/),
          from,
          shortCode: "27182",
          text,
          at: expect.any(Number),
          operator: operatorOf,
        },
      ]);
    });

    it("as one that came in three parts, in another order", async () => {
      const from = phoneOfOurOwn();
      const parts = ["Olá 😀", " tudo", " bem?"].map(ucs2);
      for (const order of [3, 1, 2]) {
        const bytes = parts[order - 1] ?? Buffer.alloc(0);
        const header = `0500032a030${order}`;
        await rig.operator.deliver({ from, to: "27182", bytes, dataCoding: 8, header });
      }
      await eventually(() =>
        expect(rig.ingress.mosOf(from)).toMatchObject([{ text: "Olá 😀 tudo bem?" }]),
      );
      expect(rig.ingress.mosOf(from)[0]).not.toHaveProperty("part");
    });

    it("again, by the same id, until they are taken, and answers no phone", async () => {
      const from = phoneOfOurOwn();
      rig.ingress.reports.awayFor = 2;
      const before = rig.ingress.calls.length;
      await rig.operator.deliver({ from, to: "27182", bytes: Buffer.from("Sim") });
      await eventually(() => expect(rig.ingress.mosOf(from)).toHaveLength(1));
      const calls = rig.ingress.calls.slice(before);
      expect(calls.map(({ status }) => status)).toEqual([503, 503, 200]);
      expect(new Set(calls.map(({ url }) => url)).size).toBe(1);
      // What is sent now would come behind an answer.
      const last = await sent(phoneOfOurOwn());
      await receiptOf(last);
      expect(rig.operator.submits.filter(({ to }) => to === from)).toEqual([]);
    });
  });

  it("is not believed a receipt without the secret, and brings it again", async () => {
    const values = { ...secretOf(rig), dlrUrl: rig.ingress.dlrUrl("wrong") };
    const id = randomUUID();
    const before = rig.ingress.calls.length;
    await carrierOf(rig, {}, { values }).send(messageOf(id, phoneOfOurOwn()));
    await eventually(() => {
      const statuses = rig.ingress.calls.slice(before).map(({ status }) => status);
      expect(statuses.filter((status) => status === 401).length).toBeGreaterThanOrEqual(2);
    });
    expect(rig.ingress.receiptsOf(id)).toEqual([]);
  });
});

describe.skipIf(why)("a Kannel that does not put MOs together", () => {
  let rig: Rig;

  beforeAll(async () => {
    rig = await startRig({ more: { core: "sms-combine-concatenated-mo = false" } });
  });
  afterAll(() => rig?.stop());

  it.each([
    ["8 bits", "050003aa03", 0xaa],
    ["16 bits", "06080401aa03", 0x01aa],
  ])("says which part of which each is, by a reference of %s", async (_, header, reference) => {
    const from = phoneOfOurOwn();
    const whole = ucs2("Olá 😀!");
    const parts = [whole.subarray(0, 10), whole.subarray(10, 12), whole.subarray(12)];
    for (const order of [3, 1, 2]) {
      const bytes = parts[order - 1] ?? Buffer.alloc(0);
      await rig.operator.deliver({
        from,
        to: "27182",
        bytes,
        dataCoding: 8,
        header: `${header}0${order}`,
      });
    }
    const mos = await eventually(() => {
      expect(rig.ingress.mosOf(from)).toHaveLength(3);
      return rig.ingress.mosOf(from);
    });
    const inOrder = mos.toSorted((one, other) => (one.part?.order ?? 0) - (other.part?.order ?? 0));
    expect(inOrder.map(({ part }) => part)).toEqual(
      [1, 2, 3].map((order) => ({ reference, order, total: 3 })),
    );
    expect(inOrder.map(({ text }) => text).join("")).toBe("Olá 😀!");
    expect(inOrder[0]?.text).toBe("Olá \ud83d");
  });
});

describe.skipIf(why)("a Kannel that calls an URL for MOs, and recodes them", () => {
  let rig: Rig;

  beforeAll(async () => {
    rig = await startRig({ moBy: "get-url", more: { smsbox: "mo-recode = true" } });
  });
  afterAll(() => rig?.stop());

  it.each([
    ["GSM", gsmBytes("Sim, é {€}"), 0, "Sim, é {€}"],
    ["UCS-2", ucs2("Olá 😀"), 8, "Olá 😀"],
    ["Latin-1", Buffer.from("ção", "latin1"), 3, "ção"],
    ["nothing", Buffer.alloc(0), 0, ""],
  ])("brings the text all the same, in %s", async (_, bytes, dataCoding, text) => {
    const from = phoneOfOurOwn();
    await rig.operator.deliver({ from, to: "27182", bytes, dataCoding });
    await eventually(() => expect(rig.ingress.mosOf(from)).toMatchObject([{ text }]));
    expect(rig.ingress.calls.at(-1)?.method).toBe("GET");
  });
});
