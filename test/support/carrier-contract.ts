import { inspect } from "node:util";
import fc from "fast-check";
import { beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import * as z from "zod";
import type { CarrierKind, CarrierResources } from "../../functions/adapters/carriers/kind.ts";
import { loadProtocol } from "../../functions/adapters/carriers/protocols.ts";
import { CARRIER_KINDS } from "../../functions/adapters/carriers/registry.ts";
import {
  type Carrier,
  type CarrierEvent,
  carrierEventSchema,
  type InboundMessage,
  InvalidReportError,
  LANES,
  type Lane,
  type OutboundMessage,
  type ReportProtocol,
  type ReportRequest,
  type SendOutcome,
  settledOutcomeSchema,
} from "../../functions/core/carrier.ts";
import {
  addCarrierAccount,
  createAuthenticateCarrier,
} from "../../functions/core/carrier-account.ts";
import { type Segmentation, segmentsOf, splitText } from "../../functions/core/segments.ts";
import { createHandler } from "../../functions/ingress/handler.ts";
import { CountingRandomness, ManualClock, ManualTimeLimit } from "./memory.ts";
import { MemoryCarrierAccounts } from "./memory-carriers.ts";

/** How the other side may meet a message, and which answers of the carrier's are then right. */
const BEHAVIOURS = {
  accepts: ["accepted"],
  "refuses for good": ["rejected", "blocked"],
  'says "later"': ["unreachable"],
  "is away": ["unreachable"],
  "answers twice": ["accepted"],
  "answers garbage": ["thrown"],
  "answers with a page of HTML": ["thrown"],
  "answers with a proxy's 502": ["thrown"],
  "answers with nothing": ["thrown"],
  "speaks no HTTP": ["thrown"],
  "breaks the connection after the request": ["thrown"],
  "never answers": ["thrown"],
  "stops in the middle of its answer": ["thrown"],
} as const;
export type Behaviour = keyof typeof BEHAVIOURS;
const ALL_BEHAVIOURS = Object.keys(BEHAVIOURS) as Behaviour[];

/** An answer to a message, word for word. */
export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string;
}

/** What a carrier can tell of a message that it has taken. */
const NEWS = ["delivered", "not-delivered", "under-way"] as const;
export type News = (typeof NEWS)[number];

/** One SMS, or a message that is left to the carrier to cut, as it arrived at the other side. */
export interface TakenSms {
  /** E.164 without the plus sign, as `sender` where it is a number. */
  readonly destination: string;
  readonly text: string;
  readonly sender?: string | undefined;
  readonly flash?: boolean;
  readonly lane?: Lane | undefined;
  /** For how long it may be tried. */
  readonly validForMs?: number | undefined;
  /** Its place among others of the message; `order` is 1 for the first. */
  readonly numbering?:
    | { readonly reference: string; readonly order: number; readonly total: number }
    | undefined;
  /** What the other side calls it, where it says so. */
  readonly id?: string;
  /** How it reports what became of this at a time (milliseconds since the epoch); absent where it was not asked to. */
  readonly receipt?: ((news: News, at: number) => ReportRequest) | undefined;
}

/** An MO to be told, as it should come out. */
export type ToldMo = Pick<
  InboundMessage,
  "carrierMessageId" | "from" | "shortCode" | "text" | "at" | "part"
>;

/** What the other side of a carrier does when it is tested, be it a server or what stands for one. */
export interface Counterpart {
  /** As a stage says them. */
  readonly settings: object;
  /** As the stack adds them. */
  readonly provisions: object;
  readonly resources: Pick<CarrierResources, "dynamodb" | "sqs" | "openSecret">;
  /** What must not be told to anybody. */
  readonly secrets: readonly string[];
  /** All that it has now; also what it has without having said so. */
  readonly taken: readonly TakenSms[];
  /** How often it was asked to take something. */
  readonly asked: () => number;
  /** Resolves when it is asked the next time. */
  nextAsked(): Promise<unknown>;
  /** @returns a number for which it does so from now on, which it has not had before */
  behave(how: Behaviour | Answer): string;
  /** Of a carrier that knows us by a secret: what may happen to that. */
  readonly secret?: {
    /** At both ends. */
    change(): void;
    /** At the other end alone. */
    changeThere(): void;
    loseAccess(): void;
  };
  mo(mo: ToldMo): ReportRequest;
  /** The report with another value in one field, or without it (undefined). */
  change(report: ReportRequest, field: string, value: unknown): ReportRequest;
  /** The fields of reports: without some nothing can be applied, and an error then names this one. */
  readonly fields: Readonly<Record<What, Readonly<Record<string, string | undefined>>>>;
  /** The report as if somebody had changed it who cannot sign it. */
  forge?(report: ReportRequest): ReportRequest;
  /** The events that a report is that comes by a queue of the carrier's own. */
  fromQueue?(report: ReportRequest): readonly CarrierEvent[];
}

type What = "receipt" | "mo";

/** What not every carrier, or not every counterpart, can do. */
type Ability =
  | Behaviour
  | "any answer"
  | "flash"
  | "lane"
  | "expiry"
  | "secret"
  | "under-way"
  | "MO in parts"
  | "queue"
  | "signature";

/** A kind of carrier, and what it is tested against. */
export interface CarrierUnderTest {
  readonly kind: keyof typeof CARRIER_KINDS;
  /** Why it has no place for what is left out. */
  readonly lacks: Readonly<Partial<Record<Ability, string>>>;
  readonly open: () => Promise<Counterpart>;
}

/** What the stage calls the carrier, whatever its kind. */
export const CARRIER_NAME = "operators-2";

/** Many at a time, on a machine that has other things to do. */
const SLOW = { timeout: 30_000 };

const REPORTS = [
  ["a receipt", "receipt"],
  ["an MO", "mo"],
] as const;

/** Less than a function waits for a carrier. */
const LIMIT_MS = 10_000;
/** A little before the time that a clock of tests begins with. */
const REPORTED_AT = Date.parse("2026-03-02T14:59:55Z");

const GSM_ALPHABET =
  "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà\f^{}\\[~]|€";

const TEXTS: readonly (readonly [what: string, text: string])[] = [
  ["all of the GSM alphabet", GSM_ALPHABET],
  ["Portuguese", "Não há atrasos: ação às 15h, você é o 1º, “pão” — R$ 9,90"],
  ["emoji", "Oi 👋🏽 família 👨‍👩‍👧‍👦 do 🇧🇷"],
  ["lines", "one\ntwo\r\n\nfour\n"],
  ["what means something elsewhere", '100% a&b=c+d %20 #1 <b> "q" \\ \'s\' {"a":1} $x ?'],
  ["spaces at both ends", "  in the middle  "],
  ["a single character", "0"],
];

const LONG_TEXTS: readonly (readonly [what: string, text: string, cut: Segmentation])[] = [
  ["in the GSM alphabet", "The quick brown fox {jumps} over €10. ".repeat(12), "gsm"],
  ["with emoji at every cut", "a🐟".repeat(60), "gsm"],
  ["cut between words", "O código não é 🐟 nem açaí, e às vezes é. ".repeat(9), "mesago"],
];

/** What carriers, and what is between them and us, could take for something else. */
const IDS = [" id ", "%d%A", "100%25", "a&b=c+d", "é🐟", 'one\n"two"\\', "../id?x#y", "__proto__"];

const unreachableSchema = z.strictObject({
  kind: z.literal("unreachable"),
  detail: z.string().min(1),
  about: z.literal("message").optional(),
});
const outcomeSchema = z.union([settledOutcomeSchema, unreachableSchema]);

/** What came of a hand-over. */
type Settled = { readonly outcome: SendOutcome } | { readonly error: unknown };

const settle = (sent: Promise<SendOutcome>): Promise<Settled> =>
  sent.then(
    (outcome) => ({ outcome }),
    (error: unknown) => ({ error }),
  );

const kindOf = (settled: Settled) => ("error" in settled ? "thrown" : settled.outcome.kind);

/** Not taken, and no fault of the carrier's, which is known by such faults. */
const isAboutMessage = (settled: Settled) =>
  "outcome" in settled &&
  settled.outcome.kind === "unreachable" &&
  settled.outcome.about === "message";

const acceptedId = (settled: Settled) =>
  "outcome" in settled && settled.outcome.kind === "accepted"
    ? settled.outcome.carrierMessageId
    : undefined;

/** So that what is a word of any sentence is not looked for. */
const MIN_TELLING_LENGTH = 12;

/** Neither what is sent, nor to whom, nor what we are known by, is in anything that may be logged. */
function expectDiscreet(told: unknown, unspeakable: readonly string[]): void {
  const words = inspect(told, { depth: 20, maxStringLength: null });
  for (const it of unspeakable.filter(({ length }) => length >= MIN_TELLING_LENGTH)) {
    expect(words).not.toContain(it.slice(0, MIN_TELLING_LENGTH));
  }
}

/** A hand-over is answered truly: by what the carrier may be, and by what the other side has. */
function judge(counterpart: Counterpart, message: OutboundMessage, settled: Settled): void {
  const { destination, text } = message;
  expectDiscreet("error" in settled ? settled.error : settled.outcome, [
    destination,
    text,
    ...counterpart.secrets,
  ]);
  if ("error" in settled) {
    expect(settled.error).toBeInstanceOf(Error);
    return;
  }
  const { outcome } = settled;
  expect(outcomeSchema.parse(outcome)).toEqual(outcome);
  const isTaken = counterpart.taken.some((sms) => sms.destination === destination);
  expect({ isTaken, ...outcome }).toMatchObject({ isTaken: outcome.kind === "accepted" });
}

/** One message, as dispatch makes it for carriers that take it so. */
function outboundsOf(
  takes: Carrier["takes"],
  text: string,
  cut: Segmentation,
  more: Pick<OutboundMessage, "ref" | "destination"> & Partial<OutboundMessage>,
): OutboundMessage[] {
  const texts = takes === "parts" ? splitText(text, cut) : [text];
  return segmentsOf(texts).map((segments, index) => ({
    text: texts[index] as string,
    ...(texts.length > 1 && { part: { order: index + 1, total: texts.length } }),
    segments,
    lane: "singles",
    flash: false,
    ...more,
  }));
}

/**
 * What all carriers do, whatever is at their other end. A kind is made as functions make it. What a
 * carrier, or its counterpart, has no place for is skipped, and its test says why.
 */
export function describeCarrier({ kind, lacks, open }: CarrierUnderTest): void {
  describe(`carrier kind ${kind}`, () => {
    const carrierKind: CarrierKind = CARRIER_KINDS[kind];
    const { takes } = carrierKind;
    let clock: ManualClock;
    let messages: number;

    beforeEach(() => {
      clock = new ManualClock();
      messages = 0;
    });

    /** A test of what not all can do. */
    const where = (ability: Ability, name: string, test: () => Promise<void>) => {
      const why = lacks[ability];
      it.skipIf(why !== undefined)(why === undefined ? name : `${name} — not here: ${why}`, test);
    };

    async function setUp() {
      const counterpart = await open();
      const { settings, provisions, resources } = counterpart;
      const known = {
        ...carrierKind.settings.parse(settings),
        ...carrierKind.provisions.parse(provisions),
      };
      const create = await carrierKind.load();
      const carrier = create(known, { ...resources, name: CARRIER_NAME, clock });

      /** @param to a number; one that is accepted where absent */
      const handOver = async (more: Partial<OutboundMessage> = {}) => {
        const { text = "Your code is 271 828", destination = counterpart.behave("accepts") } = more;
        const [message] = outboundsOf("whole", text, "gsm", {
          ref: newRef(),
          destination,
          ...more,
        }) as [OutboundMessage];
        const settled = await settle(carrier.send(message));
        judge(counterpart, message, settled);
        return settled;
      };
      /** All of a long message, side by side. */
      const handOverLong = async (text: string, cut: Segmentation) => {
        const destination = counterpart.behave("accepts");
        const ref = newRef();
        const outbounds = outboundsOf(takes, text, cut, { ref, destination });
        const all = await Promise.all(outbounds.map((it) => settle(carrier.send(it))));
        return { all, ref, taken: takenFor(counterpart, destination), parts: outbounds.length };
      };
      return { counterpart, carrier, handOver, handOverLong };
    }

    const newRef = () => {
      messages++;
      return { account: "acme", id: `id-${messages}`, traceId: `trace-${messages}` };
    };
    const takenFor = (counterpart: Counterpart, number: string) =>
      counterpart.taken.filter(({ destination }) => destination === number);

    it(`has the name that the stage gives it, and takes long messages ${takes === "whole" ? "as a whole" : "in parts"}`, async () => {
      const { carrier } = await setUp();
      expect([carrier.name, carrier.takes]).toEqual([CARRIER_NAME, takes]);
    });

    describe("hands over", () => {
      it.each(TEXTS)("a text of %s, as it is", async (_, text) => {
        const { counterpart, handOver } = await setUp();
        expect(kindOf(await handOver({ text }))).toBe("accepted");
        expect(counterpart.taken.map((sms) => sms.text)).toEqual([text]);
      });

      it("any text, as it is or not at all", SLOW, async () => {
        const { counterpart, handOver } = await setUp();
        const texts = fc.string({ unit: "grapheme", maxLength: 20 });
        await fc.assert(
          fc.asyncProperty(texts, async (text) => {
            const destination = counterpart.behave("accepts");
            const answered = kindOf(await handOver({ text, destination }));
            const taken = takenFor(counterpart, destination).map((sms) => sms.text);
            expect(taken).toEqual(answered === "accepted" ? [text] : []);
            if (text.trim() !== "") expect(answered).toBe("accepted");
          }),
          { numRuns: 40 },
        );
      });

      it.each(LONG_TEXTS)(
        "a long text %s, so that a phone puts it together",
        async (_, text, cut) => {
          const { handOverLong } = await setUp();
          const one = await handOverLong(text, cut);
          const another = await handOverLong(text, cut);
          expect(one.all.map(kindOf)).toEqual(Array(one.parts).fill("accepted"));
          expect(putTogether(one.taken)).toBe(text);
          const references = [one, another].map(({ taken }) => taken[0]?.numbering?.reference);
          if (takes === "parts") expect(references[0]).not.toBe(references[1]);
        },
      );

      it.each([
        ["a short code", "27182"],
        ["a number", "5511955550100"],
        ["a name", "Acme"],
        ["the carrier's default", undefined],
      ])("from %s", async (_, sender) => {
        const { counterpart, handOver } = await setUp();
        await handOver(sender === undefined ? {} : { sender });
        expect(counterpart.taken.map((sms) => sms.sender)).toEqual([sender]);
      });

      where("flash", "flash messages as such, and no others", async () => {
        const { counterpart, handOver } = await setUp();
        for (const flash of [true, false]) await handOver({ flash });
        expect(counterpart.taken.map((sms) => sms.flash)).toEqual([true, false]);
      });

      where("lane", "singles otherwise than what comes in bulk", async () => {
        const { counterpart, handOver } = await setUp();
        for (const lane of LANES) await handOver({ lane });
        expect(counterpart.taken.map((sms) => sms.lane)).toEqual(LANES);
      });

      where("expiry", "until when to try, and no longer", async () => {
        const { counterpart, handOver } = await setUp();
        await handOver({ expiresAt: clock.now() + 600_000 });
        await handOver();
        const [limited, unlimited] = counterpart.taken.map((sms) => sms.validForMs);
        expect(limited).toBeLessThanOrEqual(600_000);
        expect(limited).toBeGreaterThan(540_000);
        expect(unlimited).toBeUndefined();
      });

      where("expiry", "nothing that has expired, which is about the message", async () => {
        const { counterpart, handOver } = await setUp();
        for (const expiresAt of [clock.now(), clock.now() - 60_000]) {
          expect(isAboutMessage(await handOver({ expiresAt }))).toBe(true);
        }
        expect(counterpart.asked()).toBe(0);
      });

      it("twenty messages at once, each as itself", async () => {
        const { counterpart, handOver } = await setUp();
        const texts = Array.from({ length: 20 }, (_, n) => `message ${n}, and no other`);
        const sent = texts.map((text) => ({ text, destination: counterpart.behave("accepts") }));
        const ids = (await Promise.all(sent.map(handOver))).map(acceptedId);
        const taken = sent.map(({ destination }) => takenFor(counterpart, destination));
        expect(taken.map((all) => all.map((sms) => sms.text))).toEqual(texts.map((it) => [it]));
        expect(new Set(ids).size).toBe(20);
        const [first] = taken.flat();
        if (first?.id) expect(taken.flat().map((sms) => sms.id)).toEqual(ids);
      });
    });

    describe("where its counterpart", () => {
      /** Of what is awaited here, some has no end but a limit of time. */
      const ENDLESS: readonly Behaviour[] = ["never answers", "stops in the middle of its answer"];

      for (const behaviour of ALL_BEHAVIOURS) {
        const kinds: readonly string[] = BEHAVIOURS[behaviour];
        if (ENDLESS.includes(behaviour)) continue;
        where(behaviour, `${behaviour}: ${kinds.join(" or ")}`, async () => {
          const { counterpart, handOver } = await setUp();
          const destination = counterpart.behave(behaviour);
          const settled = await handOver({ destination });
          expect(kinds).toContain(kindOf(settled));
          expect(isAboutMessage(settled)).toBe(false);
          // What was asked twice could be taken twice.
          expect(counterpart.asked()).toBe(behaviour === "is away" ? 0 : 1);
        });
      }

      for (const behaviour of ENDLESS) {
        where(behaviour, `${behaviour}: thrown, within ten seconds`, async () => {
          const { counterpart, handOver } = await setUp();
          const advance = fakeTimers();
          const asked = counterpart.nextAsked();
          const settled = handOver({ destination: counterpart.behave(behaviour) });
          await asked;
          await advance(LIMIT_MS - 1);
          expect(kindOf(await settled)).toBe("thrown");
          expect(counterpart.asked()).toBe(1);
        });
      }

      where("any answer", "answers in nobody's words: thrown, or true", async () => {
        const { counterpart, handOver } = await setUp();
        const text = "Nobody else may read this";
        await fc.assert(
          fc.asyncProperty(strangeAnswer(text), async (answer) => {
            const asked = counterpart.asked();
            await handOver({ text, destination: counterpart.behave(answer) });
            expect(counterpart.asked()).toBe(asked + 1);
          }),
          { numRuns: 60 },
        );
      });

      it("did any of this before: the next message has an answer of its own", async () => {
        const { counterpart, handOver } = await setUp();
        const possible = ALL_BEHAVIOURS.filter(
          (it) => it !== "is away" && !ENDLESS.includes(it) && lacks[it] === undefined,
        );
        for (const behaviour of possible) {
          await handOver({ destination: counterpart.behave(behaviour) });
          const destination = counterpart.behave("accepts");
          const id = acceptedId(await handOver({ destination }));
          const [sms] = takenFor(counterpart, destination);
          expect(id, behaviour).toBeDefined();
          if (sms?.id !== undefined) expect(id, behaviour).toBe(sms.id);
        }
      });

      where(
        "secret",
        "has another secret by now, as we do: the message goes with that one",
        async () => {
          const { counterpart, handOver } = await setUp();
          expect(kindOf(await handOver())).toBe("accepted");
          counterpart.secret?.change();
          expect(kindOf(await handOver())).toBe("accepted");
        },
      );

      where("secret", "does not know our secret: unreachable", async () => {
        const { counterpart, handOver } = await setUp();
        counterpart.secret?.changeThere();
        const settled = await handOver();
        expect([kindOf(settled), isAboutMessage(settled)]).toEqual(["unreachable", false]);
      });

      where("secret", "could be asked, but our secret cannot be read: unreachable", async () => {
        const { counterpart, handOver } = await setUp();
        counterpart.secret?.loseAccess();
        const settled = await handOver();
        expect([kindOf(settled), isAboutMessage(settled)]).toEqual(["unreachable", false]);
        expect(counterpart.asked()).toBe(0);
      });
    });

    describe("reads", () => {
      let protocol: ReportProtocol;

      beforeEach(async () => {
        protocol = (await carrierKind.loadReports?.()) as ReportProtocol;
        expect(protocol, "a kind that reports by HTTP").toBeDefined();
      });

      /** @returns events that can be applied, or the error that says why there are none */
      async function read(what: What, request: ReportRequest) {
        const context = { carrier: CARRIER_NAME, now: clock.now() };
        try {
          const events: readonly CarrierEvent[] =
            what === "receipt"
              ? await protocol.parseReceipts(request, context)
              : await protocol.parseMos(request, context);
          for (const event of events) expect(carrierEventSchema.parse(event)).toEqual(event);
          expect(events.filter(({ type }) => type !== what)).toEqual([]);
          expect(protocol.accept(events).status).toBe(200);
          return events;
        } catch (error) {
          if (error instanceof InvalidReportError) return error;
          throw error;
        }
      }

      const told: ToldMo = {
        carrierMessageId: "mo-1",
        from: "5511987654321",
        shortCode: "27182",
        text: "Nobody else may read this",
        at: REPORTED_AT,
      };

      /** One report of each, which only what is handed over can be made from. */
      async function sampleReports() {
        const { counterpart, handOver } = await setUp();
        await handOver();
        const receipt = counterpart.taken[0]?.receipt?.("delivered", REPORTED_AT) as ReportRequest;
        return { counterpart, reports: { receipt, mo: counterpart.mo(told) } };
      }

      for (const news of NEWS) {
        const becomes = news === "under-way" ? "nothing to be done" : "its receipt";
        const name = `that a message is ${news.replace("-", " ")}: ${becomes}`;
        where(news === "under-way" ? news : "accepts", name, async () => {
          const { counterpart, handOver } = await setUp();
          const ref = newRef();
          await handOver({ ref });
          const events = await read(
            "receipt",
            counterpart.taken[0]?.receipt?.(news, REPORTED_AT) as ReportRequest,
          );
          const receipt = {
            type: "receipt",
            carrier: CARRIER_NAME,
            ref,
            at: REPORTED_AT,
            outcome: news,
          };
          expect(events).toMatchObject(news === "under-way" ? [] : [receipt]);
          expect(JSON.stringify(events)).not.toContain('"part"');
        });
      }

      it.each(LONG_TEXTS)(
        `that a long message %s is delivered: ${takes === "parts" ? "a receipt for each part" : "one receipt for all of it"}`,
        async (_, text, cut) => {
          const { handOverLong } = await setUp();
          const { taken, ref, parts } = await handOverLong(text, cut);
          const requests = taken.flatMap((sms) => sms.receipt?.("delivered", REPORTED_AT) ?? []);
          const events = (await Promise.all(requests.map((it) => read("receipt", it)))).flat();
          expect(events.map((it) => ("ref" in it ? it.ref : it))).toEqual(Array(parts).fill(ref));
          const orders = events.map((it) => ("ref" in it ? it.part : it)).sort();
          const expected = Array.from({ length: parts }, (_, index) => index + 1);
          expect(orders).toEqual(takes === "parts" ? expected : [undefined]);
        },
      );

      it("a receipt of a message with any id: for that very id", SLOW, async () => {
        const { counterpart, handOver } = await setUp();
        const id = fc.string({ unit: "binary", minLength: 1, maxLength: 64 });
        await fc.assert(
          fc.asyncProperty(id, async (any) => {
            const ref = { ...newRef(), id: any.toWellFormed() };
            const destination = counterpart.behave("accepts");
            expect(kindOf(await handOver({ ref, destination }))).toBe("accepted");
            const [sms] = takenFor(counterpart, destination);
            const events = await read(
              "receipt",
              sms?.receipt?.("delivered", REPORTED_AT) as ReportRequest,
            );
            expect(events).toMatchObject([{ ref }]);
          }),
          { numRuns: 25, examples: IDS.map((it) => [it] as const) },
        );
      });

      it.each([
        ["Portuguese", "Não quero mais, obrigado. Até amanhã às 15h!"],
        ["the GSM alphabet", GSM_ALPHABET],
        ["emoji", "👍🏽 Sim! 👨‍👩‍👧‍👦"],
        ["lines", "one\r\ntwo\n"],
        ["nothing", ""],
      ])("an MO of %s, as it is", async (_, text) => {
        const { counterpart } = await setUp();
        const mo = { ...told, text };
        const events = await read("mo", counterpart.mo(mo));
        expect(events).toMatchObject([{ type: "mo", carrier: CARRIER_NAME, ...mo }]);
        expect(JSON.stringify(events)).not.toContain('"part"');
      });

      where("MO in parts", "an MO in parts, in any order, each with half a character", async () => {
        const { counterpart } = await setUp();
        const texts = ["It comes \ud83d", "\udc1f in three ", "parts é 🐟"];
        for (const order of [3, 1, 2]) {
          const part = { reference: 200, order, total: 3 };
          const mo = { ...told, text: texts[order - 1] as string, part };
          expect(await read("mo", counterpart.mo(mo))).toMatchObject([mo]);
        }
      });

      it("the same report again: the same events, known by the same ids", async () => {
        const { counterpart, reports } = await sampleReports();
        for (const what of ["receipt", "mo"] as const) {
          expect(await read(what, reports[what])).toEqual(await read(what, reports[what]));
        }
        const other = counterpart.mo({ ...told, carrierMessageId: "mo-2" });
        expect(await read("mo", other)).toMatchObject([{ carrierMessageId: "mo-2" }]);
      });

      where("queue", "what comes by a queue of its own: the same events", async () => {
        const { counterpart, reports } = await sampleReports();
        for (const what of ["receipt", "mo"] as const) {
          const events = counterpart.fromQueue?.(reports[what]);
          expect(events).toHaveLength(1);
          expect(events).toEqual(await read(what, reports[what]));
        }
      });

      it.each(REPORTS)("%s that lacks a field: refused, and named", async (_, what) => {
        const { counterpart, reports } = await sampleReports();
        const fields = Object.entries(counterpart.fields[what]).filter(([, named]) => named);
        expect(fields).not.toEqual([]);
        for (const [field, named] of fields) {
          const error = await read(what, counterpart.change(reports[what], field, undefined));
          expect(error, field).toBeInstanceOf(InvalidReportError);
          expect(String(error)).toMatch(new RegExp(`^InvalidReportError: ${named}: .`));
        }
      });

      where("signature", "what somebody else has written: refused", async () => {
        const { counterpart, reports } = await sampleReports();
        for (const what of ["receipt", "mo"] as const) {
          const forged = counterpart.forge?.(reports[what]) as ReportRequest;
          expect(await read(what, forged)).toBeInstanceOf(InvalidReportError);
        }
      });

      it("what comes by another method: refused", async () => {
        const { reports } = await sampleReports();
        const other = reports.receipt.method === "GET" ? "POST" : "GET";
        const refused = await Promise.all([
          read("receipt", { ...reports.receipt, method: other }),
          read("receipt", { ...reports.receipt, method: "PUT" }),
          read("mo", { ...reports.mo, method: "PUT" }),
        ]);
        for (const error of refused) expect(error).toBeInstanceOf(InvalidReportError);
      });

      it.each(REPORTS)(
        "%s with anything in a field: refused, or one that can be applied",
        async (_, what) => {
          const { counterpart, reports } = await sampleReports();
          const marker = "nobody-may-quote-this";
          const value = fc.oneof(
            fc.jsonValue(),
            fc.string({ unit: "binary" }),
            fc.constantFrom(marker, `{"${marker}":1}`, `<${marker}>`),
          );
          const field = fc.constantFrom(...Object.keys(counterpart.fields[what]));
          await fc.assert(
            fc.asyncProperty(field, value, async (changed, to) => {
              const answer = await read(what, counterpart.change(reports[what], changed, to));
              if (answer instanceof Error) expectDiscreet(answer, [marker, told.from, told.text]);
            }),
          );
        },
      );

      it.each(REPORTS)("%s that is garbage: refused, and not quoted", async (_, what) => {
        const marker = "nobody-may-quote-this";
        const { counterpart } = await sampleReports();
        const name = fc.constantFrom(...Object.keys(counterpart.fields[what]), "secret");
        const anything = fc.oneof(fc.string({ unit: "binary" }), fc.constant(marker));
        const garbage = fc.record({
          method: fc.constantFrom("GET", "POST"),
          headers: fc.dictionary(fc.constantFrom("x-kannel-udh", "content-type"), fc.string()),
          query: fc.dictionary(name, anything),
          body: fc.oneof(
            fc.uint8Array(),
            fc.json().map(Buffer.from),
            fc.dictionary(name, fc.jsonValue()).map((it) => Buffer.from(JSON.stringify(it))),
            fc.constantFrom(marker, `<html>${marker}</html>`, "", "null", "[]").map(Buffer.from),
          ),
        });
        await fc.assert(
          fc.asyncProperty(garbage, async (request) => {
            const error = await read(what, request);
            expect(error).toBeInstanceOf(InvalidReportError);
            expectDiscreet(error, [marker]);
          }),
        );
      });

      it("through the ingress: what comes with the carrier account's secret, and nothing else", async () => {
        const { counterpart, reports } = await sampleReports();
        const { call, queued } = await openIngress(kind, clock);
        const paths = { receipt: "dlr", mo: "mo" } as const;
        for (const what of ["receipt", "mo"] as const) {
          const refused = await call(paths[what], reports[what], "another secret");
          const broken = counterpart.change(
            reports[what],
            brokenField(counterpart, what),
            undefined,
          );
          expect([refused.status, (await call(paths[what], broken)).status]).toEqual([401, 400]);
          expect(queued.splice(0)).toEqual([]);
          expect((await call(paths[what], reports[what])).status).toBe(200);
          expect(queued.splice(0)).toEqual(await read(what, reports[what]));
        }
      });
    });
  });
}

/** A field without which nothing can be applied. */
const brokenField = ({ fields }: Counterpart, what: What) =>
  Object.entries(fields[what]).find(([, named]) => named)?.[0] ?? "";

/** What a phone shows once it has all of a message. */
function putTogether(taken: readonly TakenSms[]): string {
  const numbers = taken.flatMap(({ numbering }) => numbering ?? []);
  if (taken.length === 1 && numbers.length === 0) return taken[0]?.text ?? "";
  expect(new Set(numbers.map(({ reference }) => reference)).size).toBe(1);
  expect(numbers.map(({ total }) => total)).toEqual(taken.map(() => taken.length));
  const inOrder = taken.toSorted(
    (one, other) => (one.numbering?.order ?? 0) - (other.numbering?.order ?? 0),
  );
  expect(inOrder.map(({ numbering }) => numbering?.order)).toEqual(
    inOrder.map((_, index) => index + 1),
  );
  return inOrder.map(({ text }) => text).join("");
}

/** Answers in nobody's words, some of which quote the message. */
const strangeAnswer = (text: string): fc.Arbitrary<Answer> =>
  fc.record({
    status: fc.constantFrom(
      ...[200, 201, 202, 204, 301, 302, 307, 400, 401, 403, 404],
      ...[408, 409, 413, 429, 500, 501, 502, 503, 504],
    ),
    headers: fc
      .constantFrom("text/html", "application/json", "application/x-amz-json-1.0")
      .map((type) => ({ "content-type": type })),
    body: fc.oneof(
      fc.string({ unit: "binary" }),
      fc.json(),
      fc.constantFrom("", "{}", "null", `<html>${text}</html>`, `{"message":"${text}"}`),
      fc.constantFrom("accepted", "4: accepted", `Error: ${text}`),
    ),
  });

/**
 * Stops what carriers measure their patience by, until the test ends; what goes over the wire goes
 * on. @returns lets so many milliseconds pass
 */
function fakeTimers(): (ms: number) => Promise<unknown> {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  // A limit that fake timers know nothing of.
  const limit = vi.spyOn(AbortSignal, "timeout").mockImplementation((ms) => {
    const controller = new AbortController();
    const abort = () => controller.abort(new DOMException("it took too long", "TimeoutError"));
    setTimeout(abort, ms);
    return controller.signal;
  });
  onTestFinished(() => {
    limit.mockRestore();
    vi.useRealTimers();
  });
  return (ms) => vi.advanceTimersByTimeAsync(ms);
}

/** The ingress function, with one carrier account and a queue in memory. */
async function openIngress(kind: string, clock: ManualClock) {
  const carrierAccounts = new MemoryCarrierAccounts();
  const randomness = new CountingRandomness();
  const { secret } = await addCarrierAccount(
    { carrierAccounts, clock, randomness },
    { carrier: CARRIER_NAME, protocol: kind },
    [kind],
  );
  const queued: CarrierEvent[] = [];
  const { handle } = createHandler({
    authenticate: createAuthenticateCarrier({ carrierAccounts, clock }),
    loadProtocol,
    reports: {
      enqueueMany: async (events) => {
        queued.push(...events);
      },
    },
    timeLimit: new ManualTimeLimit(),
    timeoutMs: 4_000,
    clock,
  });
  const call = (what: "dlr" | "mo", request: ReportRequest, token = secret) =>
    handle({
      ...request,
      path: `/carriers/${CARRIER_NAME}/${what}`,
      headers: { ...request.headers, authorization: `Bearer ${token}` },
      body: Buffer.from(request.body),
      sourceIp: "127.0.0.1",
    });
  return { call, queued };
}
