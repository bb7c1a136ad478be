import type { Account } from "./account.ts";
import type { ReasonFor } from "./lifecycle.ts";
import type { Message, TimeWindow } from "./message.ts";
import { parseMobileNumber } from "./numbers.ts";
import type { Clock, Randomness } from "./ports.ts";
import { type Segmentation, splitText, transliterate } from "./segments.ts";
import type { SubAccount } from "./sub-account.ts";
import { type Opening, openingAt } from "./time.ts";

/** The most characters (UTF-16 code units) of sender label and text together (Mesago document, "Mensagens longas"). */
export const MAX_TEXT_LENGTH = 1_520;

/** How far behind our clock a schedule may lie: the client's clock is another, and requests take time. */
const SCHEDULE_TOLERANCE_MS = 60_000;
/** How far ahead messages may be scheduled. */
const SCHEDULE_HORIZON_MS = 366 * 24 * 60 * 60 * 1_000;

/** What a client asks for, out of whatever its dialect calls it. Times are milliseconds since the epoch. */
export interface SendRequest {
  readonly dialect: Message["dialect"];
  /** The id the client chose; one of ours where it chose none. */
  readonly id?: string | undefined;
  /** As written by the client. */
  readonly destination: string;
  readonly text: string;
  /** A label put in front of the text (supplement, section 2, `from`). */
  readonly senderLabel?: string | undefined;
  readonly flash: boolean;
  readonly callbackOption?: Message["callbackOption"] | undefined;
  readonly extraInfo?: string | undefined;
  /** When it is due; at once where absent. */
  readonly scheduledAt?: number | undefined;
  readonly expiresAt?: number | undefined;
  readonly window?: TimeWindow | undefined;
  /** How the text is cut, into as many parts as it takes; absent means by the account's rules. */
  readonly segmentation?: Segmentation | undefined;
  /** The client's own id, which many messages can share. */
  readonly correlationId?: string | undefined;
  /** Whom it is sent for; the messages of a batch are all sent for the same. */
  readonly subAccount?: Pick<SubAccount, "subAccount" | "limits"> | undefined;
  readonly campaign?: Message["campaign"];
  readonly sender?: Message["sender"];
  readonly invalidParams?: Message["invalidParams"];
  /** Its dialect could not read it. */
  readonly unreadable?: boolean;
  /** Whether what cannot be sent is accepted all the same, and stored in the state that says why. */
  readonly storesRefused?: boolean;
}

/** Why a message was not accepted. */
export type Refusal =
  | "unreadable"
  | "block-list"
  | "opt-out"
  | "account-limit"
  | "empty-destination"
  | "invalid-destination"
  | "empty-text"
  | "text-too-long"
  | "schedule-in-past"
  | "schedule-too-far"
  | "expired"
  | "expires-before-due"
  | "duplicate-id";

/** The answer to a send: a message that is durable and will reach a final state, or why not. */
export type SendResult =
  | { readonly accepted: true; readonly message: Message }
  | { readonly accepted: false; readonly refusal: Refusal };

/** What making a message takes. `retentionMs` is how long after its due time it can be asked about. */
export interface MessageMaking {
  readonly clock: Clock;
  readonly randomness: Pick<Randomness, "uuid">;
  readonly retentionMs: number;
  /** `openingAt`, or something faster that answers the same. */
  readonly openingAt?: typeof openingAt;
}

/** The answer to a message that was refused. */
export const refuse = (refusal: Refusal) => ({ accepted: false, refusal }) as const;

/** Why a message that is stored all the same is not sent; other refusals are of the request. */
const BLOCKED_BECAUSE: Readonly<Partial<Record<Refusal, ReasonFor<"BLOCKED">>>> = {
  "empty-destination": "invalid-number",
  "invalid-destination": "invalid-number",
  unreadable: "invalid-message",
  "empty-text": "invalid-message",
  "text-too-long": "invalid-message",
  "block-list": "block-list",
  "opt-out": "opt-out",
  "account-limit": "account-limit",
};

/** The longest piece of what a client wrote in place of a number that is stored. */
const MAX_WRITTEN_NUMBER_LENGTH = 50;

/** The answer to a message that cannot be sent: a refusal, or a message in its final state where the request stores those. */
export function refuseOrStore(
  making: MessageMaking,
  account: Account,
  request: SendRequest,
  refusal: Refusal,
): SendResult {
  const reason = BLOCKED_BECAUSE[refusal];
  if (!request.storesRefused || !reason) return refuse(refusal);
  const now = making.clock.now();
  const written = request.destination.slice(0, MAX_WRITTEN_NUMBER_LENGTH).toWellFormed();
  const message: Message = {
    ...beginning(making, account, request, now),
    destination: parseMobileNumber(written, account.country) ?? written,
    text: request.text.slice(0, MAX_TEXT_LENGTH).toWellFormed(),
    state: "BLOCKED",
    reason,
    claimableFrom: now,
    claimableUntil: now,
    removeAt: Math.ceil((now + making.retentionMs) / 1_000),
  };
  return { accepted: true, message };
}

/**
 * Makes a message out of a request, or says what is wrong with that. Whether its id is taken, its
 * number blocked or its account's limit reached is not looked at here, and nothing is stored.
 */
export function makeMessage(
  making: MessageMaking,
  account: Account,
  request: SendRequest,
): SendResult {
  const refuseIt = (refusal: Refusal) => refuseOrStore(making, account, request, refusal);
  const content = readContent(account, request);
  if (typeof content === "string") return refuseIt(content);
  const now = making.clock.now();
  const times = readTimes(request, now, making.openingAt);
  if (typeof times === "string") return refuseIt(times);
  const { destination, parts } = content;
  const { opening } = times;
  const { expiresAt } = request;
  const message: Message = {
    ...beginning(making, account, request, now),
    destination,
    text: parts.join(""),
    ...(parts.length > 1 && {
      parts: parts.map(({ length }) => ({ length, state: "QUEUED" as const })),
    }),
    window: request.window,
    state: opening.from > now ? "SCHEDULED" : "QUEUED",
    claimableFrom: opening.from,
    claimableUntil: Math.min(opening.until, expiresAt ?? opening.until),
    expiresAt,
    removeAt: Math.ceil((opening.from + making.retentionMs) / 1_000),
  };
  return { accepted: true, message };
}

type Times = Pick<SendRequest, "scheduledAt" | "expiresAt" | "window">;

/**
 * When a message with these times is sent first, or why it never is.
 * @param now milliseconds since the epoch
 */
export function readTimes(
  { scheduledAt, expiresAt, window }: Times,
  now: number,
  open = openingAt,
): Refusal | { readonly opening: Opening } {
  const wanted = scheduledAt ?? now;
  if (wanted < now - SCHEDULE_TOLERANCE_MS) return "schedule-in-past";
  if (wanted > now + SCHEDULE_HORIZON_MS) return "schedule-too-far";
  const opening = open(window, dueTime(wanted, now));
  if (expiresAt !== undefined && expiresAt <= now) return "expired";
  if (expiresAt !== undefined && expiresAt <= opening.from) return "expires-before-due";
  return { opening };
}

/** What every message of a request begins with, sent or not. */
function beginning(
  { randomness }: MessageMaking,
  { account }: Account,
  request: SendRequest,
  now: number,
) {
  const traceId = randomness.uuid();
  return {
    version: 1,
    account,
    id: request.id ?? traceId,
    traceId,
    dialect: request.dialect,
    flash: request.flash,
    callbackOption: request.callbackOption,
    extraInfo: request.extraInfo,
    correlationId: request.correlationId,
    subAccount: request.subAccount?.subAccount,
    campaign: request.campaign,
    sender: request.sender,
    invalidParams: request.invalidParams,
    stateAt: now,
    acceptedAt: now,
    attempts: 0,
  } as const;
}

/** The number and the texts of the parts, or why there are none. */
function readContent(
  account: Account,
  request: SendRequest,
): Refusal | { readonly destination: string; readonly parts: readonly string[] } {
  if (request.unreadable) return "unreadable";
  if (request.destination.trim() === "") return "empty-destination";
  if (request.text.trim() === "") return "empty-text";
  const parts = partsOf(account, request);
  if (!parts) return "text-too-long";
  if (parts.join("").trim() === "") return "empty-text";
  const destination = parseMobileNumber(request.destination, account.country);
  return destination ? { destination, parts } : "invalid-destination";
}

/** To the second, as what wakes messages up does: what is due within one second is due together. */
const dueTime = (scheduledAt: number, now: number) =>
  scheduledAt > now ? Math.ceil(scheduledAt / 1_000) * 1_000 : now;

/** The texts of the parts by the account's rules; undefined where that is more than it may send. */
function partsOf(
  account: Account,
  { senderLabel, text, segmentation }: SendRequest,
): string[] | undefined {
  if ((senderLabel?.length ?? 0) + text.length > MAX_TEXT_LENGTH) return undefined;
  const shown = senderLabel ? `${senderLabel}: ${text}` : text;
  const parts = splitText(
    account.transliterate ? transliterate(shown) : shown,
    segmentation ?? account.segmentation,
  );
  return parts.length === 1 || segmentation || account.longMessages ? parts : undefined;
}
