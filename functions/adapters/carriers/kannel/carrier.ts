import { setTimeout as pause } from "node:timers/promises";
import type * as z from "zod";
import type { Carrier, OutboundMessage, SendOutcome } from "../../../core/carrier.ts";
import type { Clock } from "../../../core/ports.ts";
import { kindOfSender } from "../../../core/sender-identity.ts";
import type { CreateCarrier } from "../kind.ts";
import { type Verdict, verdictOf } from "./answers.ts";
import { createExchanges, type Exchanges, UnclearAnswerError } from "./exchange.ts";
import { receiptUrl } from "./receipt-url.ts";
import { type Credentials, createCredentials, type KannelSecret, SecretError } from "./secret.ts";
import type { provisions, settings } from "./settings.ts";
import { concatenationHeader, MAX_SEGMENTS } from "./user-data-header.ts";

/**
 * Of what dispatch gives a carrier, 10 s, in milliseconds: for all requests of a hand-over, and the
 * secret's reading between them. What dispatch gives up on would count as possibly taken.
 */
const BUDGET_MS = 8_500;
/** With less left no request is begun. */
const MIN_REQUEST_MS = 500;
/** Between the tries to hand over what belongs to an SMS that was taken, in milliseconds. */
const PAUSES_MS = [250, 500, 1_000, 2_000];

/**
 * Delivered (1), not delivered (2), refused by the operator (16): the last words on a message. That
 * the operator has it (8) or keeps trying (4) would be reports that change nothing.
 */
const RECEIPT_MASK = "19";

/** What is set of a Kannel, beside where it is and how to get in. */
export type KannelSettings = Omit<z.output<typeof settings>, "url" | "secret">;

/** What the Kannel carrier needs. */
export interface KannelDependencies {
  /** What the stage calls it. */
  readonly name: string;
  readonly settings: KannelSettings;
  readonly credentials: Credentials;
  readonly exchange: Exchanges;
  readonly clock: Clock;
  /** Resolves after so many milliseconds. */
  readonly pause: (ms: number) => Promise<void>;
}

/**
 * Hands over to a Kannel, by the POST of its `sendsms`: neither number nor text nor password are in
 * an URL, and nobody in between may send it a second time as they may a GET. Each SMS that goes
 * over the air is a request, cut and numbered by us, since Kannel cuts surrogate pairs in two.
 */
export function createKannelCarrier(deps: KannelDependencies): Carrier {
  const { name, credentials, clock } = deps;

  async function handOver(
    message: OutboundMessage,
    index: number,
    deadline: number,
  ): Promise<Verdict> {
    /** For something after which there is to be time for a request. */
    const left = () => deadline - MIN_REQUEST_MS - clock.now();
    try {
      const secret = await credentials.read(left());
      const verdict = await handOverAs(secret, message, index, deadline);
      if (verdict.kind !== "unauthorized") return verdict;
      const changed = await credentials.otherThan(secret, left());
      return changed && left() >= 0 ? handOverAs(changed, message, index, deadline) : verdict;
    } catch (error) {
      if (error instanceof SecretError) return { kind: "unreachable", detail: error.message };
      throw error;
    }
  }

  async function handOverAs(
    secret: KannelSecret,
    message: OutboundMessage,
    index: number,
    deadline: number,
  ): Promise<Verdict> {
    const timeoutMs = deadline - clock.now();
    if (timeoutMs < MIN_REQUEST_MS) return { kind: "unreachable", detail: "no time was left" };
    const headers = {
      ...fieldsOf(message, index, deps.settings, clock.now()),
      "x-kannel-username": secret.username,
      "x-kannel-password": secret.password,
      ...(index === message.segments.texts.length - 1 && {
        "x-kannel-dlr-mask": RECEIPT_MASK,
        "x-kannel-dlr-url": receiptUrl(secret.dlrUrl, message, deps.settings),
      }),
    };
    const body = message.segments.texts[index] ?? "";
    return verdictOf(await deps.exchange({ headers, body, timeoutMs }));
  }

  /** Of an SMS of which something was taken, the rest has to follow, or nobody can say what it is. */
  async function handOverRest(message: OutboundMessage, index: number, deadline: number) {
    for (const pauseMs of [0, ...PAUSES_MS]) {
      if (clock.now() + pauseMs > deadline - MIN_REQUEST_MS) break;
      if (pauseMs > 0) await deps.pause(pauseMs);
      const verdict = await handOver(message, index, deadline);
      if (verdict.kind === "accepted") return;
      if (verdict.kind !== "unreachable") break;
    }
    throw new UnclearAnswerError("the first of it was taken, and the rest was not");
  }

  async function handOverAll(message: OutboundMessage, deadline: number): Promise<SendOutcome> {
    const verdict = await handOver(message, 0, deadline);
    if (verdict.kind === "unauthorized") {
      return { kind: "unreachable", detail: "Kannel does not know our username and password" };
    }
    if (verdict.kind !== "accepted") return verdict;
    for (let index = 1; index < message.segments.texts.length; index++) {
      await handOverRest(message, index, deadline);
    }
    return {
      kind: "accepted",
      carrierMessageId: idOf(message),
      ...(message.sender !== undefined && { shortCode: withoutPlus(message.sender) }),
      receipts: true,
    };
  }

  return {
    name,
    takes: "parts",
    async send(message) {
      const problem = problemOf(message, clock.now());
      return problem ?? handOverAll(message, clock.now() + BUDGET_MS);
    },
  };
}

/** What Kannel would take, and then lose or send in another form. */
function problemOf(
  { segments, sender, expiresAt }: OutboundMessage,
  now: number,
): SendOutcome | undefined {
  const isEmpty = segments.texts.length === 0 || segments.texts.includes("");
  if (isEmpty || segments.total > MAX_SEGMENTS)
    return { kind: "blocked", reason: "invalid-message" };
  if (sender !== undefined && !SENDER.test(sender)) {
    const detail = "no operator can be told this sender";
    return { kind: "rejected", reason: "operator-rejected", detail };
  }
  // It was claimed in time, and then had to wait: what is to come of it is not for us to say.
  if (expiresAt !== undefined && expiresAt <= now) {
    const detail = "it expired before it was handed over";
    return { kind: "unreachable", detail, about: "message" };
  }
  return undefined;
}

/** SMPP has 20 octets for it, a plus sign not counted; Kannel takes a longer one, and drops the SMS. */
const SENDER = /^\+?(?! )[\x20-\x7e]{1,20}(?<! )$/;

const withoutPlus = (number: string) => number.replace(/^\+/, "");

/** Kannel gives no id: what it was handed is known by ours. */
const idOf = ({ ref, part }: OutboundMessage) =>
  part ? `${ref.traceId}-${part.order}` : ref.traceId;

/** A sender that is a phone number is told as the phone's is. */
const senderIn = (sender: string, numbers: KannelSettings["numbers"]) =>
  numbers === "international" && kindOfSender(sender) === "long-code" ? `+${sender}` : sender;

const MINUTE_MS = 60_000;

/** An operator tries for whole minutes, and at least for one. */
const minutesUntil = (expiresAt: number, now: number) =>
  String(Math.max(1, Math.floor((expiresAt - now) / MINUTE_MS)));

/** Everything about one SMS but who sends it and where it is reported. */
function fieldsOf(
  message: OutboundMessage,
  index: number,
  { smsc, account, priority, numbers }: KannelSettings,
  now: number,
): Record<string, string> {
  const { segments, sender, flash, expiresAt, lane, destination, ref } = message;
  return {
    // With the coding said, a `charset` of UTF-8 is what all of both alphabets survives.
    "content-type": "text/plain; charset=UTF-8",
    "x-kannel-to": numbers === "international" ? `+${destination}` : destination,
    "x-kannel-coding": segments.coding === "gsm" ? "0" : "2",
    "x-kannel-priority": String(priority[lane]),
    ...(sender !== undefined && { "x-kannel-from": senderIn(sender, numbers) }),
    ...(segments.total > 1 && {
      "x-kannel-udh": concatenationHeader(ref.traceId, segments.first + index, segments.total),
    }),
    ...(flash && { "x-kannel-mclass": "0" }),
    ...(expiresAt !== undefined && { "x-kannel-validity": minutesUntil(expiresAt, now) }),
    ...(smsc !== undefined && { "x-kannel-smsc": smsc }),
    ...(account !== undefined && { "x-kannel-account": account }),
  };
}

/** A Kannel, as a stage says it is. */
export const createFromStage: CreateCarrier<typeof settings, typeof provisions> = (
  { url, secret, ...rest },
  { name, clock, openSecret },
) =>
  createKannelCarrier({
    name,
    settings: rest,
    credentials: createCredentials(openSecret(secret), clock),
    exchange: createExchanges(url),
    clock,
    pause,
  });
