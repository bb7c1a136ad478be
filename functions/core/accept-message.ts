import type { Account } from "./account.ts";
import type { Message, TimeWindow } from "./message.ts";
import { parseMobileNumber } from "./numbers.ts";
import type { Clock, Randomness } from "./ports.ts";
import { splitText, transliterate } from "./segments.ts";
import { openingAt } from "./time.ts";

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
}

/** Why a message was not accepted. */
export type Refusal =
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

/**
 * Makes a message out of a request, or says what is wrong with that. Whether its id is taken is
 * not looked at here, and nothing is stored.
 */
export function makeMessage(
  { clock, randomness, retentionMs, ...making }: MessageMaking,
  account: Account,
  request: SendRequest,
): SendResult {
  if (request.destination.trim() === "") return refuse("empty-destination");
  if (request.text.trim() === "") return refuse("empty-text");
  const parts = partsOf(account, request);
  if (!parts) return refuse("text-too-long");
  if (parts.join("").trim() === "") return refuse("empty-text");
  const destination = parseMobileNumber(request.destination, account.country);
  if (!destination) return refuse("invalid-destination");

  const now = clock.now();
  const { scheduledAt = now, expiresAt } = request;
  if (scheduledAt < now - SCHEDULE_TOLERANCE_MS) return refuse("schedule-in-past");
  if (scheduledAt > now + SCHEDULE_HORIZON_MS) return refuse("schedule-too-far");
  const opening = (making.openingAt ?? openingAt)(request.window, dueTime(scheduledAt, now));
  if (expiresAt !== undefined && expiresAt <= now) return refuse("expired");
  if (expiresAt !== undefined && expiresAt <= opening.from) return refuse("expires-before-due");

  const traceId = randomness.uuid();
  const message: Message = {
    version: 1,
    account: account.account,
    id: request.id ?? traceId,
    traceId,
    dialect: request.dialect,
    destination,
    text: parts.join(""),
    ...(parts.length > 1 && {
      parts: parts.map(({ length }) => ({ length, state: "QUEUED" as const })),
    }),
    flash: request.flash,
    callbackOption: request.callbackOption,
    extraInfo: request.extraInfo,
    window: request.window,
    state: opening.from > now ? "SCHEDULED" : "QUEUED",
    stateAt: now,
    acceptedAt: now,
    claimableFrom: opening.from,
    claimableUntil: Math.min(opening.until, expiresAt ?? opening.until),
    expiresAt,
    attempts: 0,
    removeAt: Math.ceil((opening.from + retentionMs) / 1_000),
  };
  return { accepted: true, message };
}

/** To the second, as what wakes messages up does: what is due within one second is due together. */
const dueTime = (scheduledAt: number, now: number) =>
  scheduledAt > now ? Math.ceil(scheduledAt / 1_000) * 1_000 : now;

/** The texts of the parts by the account's rules; undefined where that is more than it may send. */
function partsOf(account: Account, { senderLabel, text }: SendRequest): string[] | undefined {
  if ((senderLabel?.length ?? 0) + text.length > MAX_TEXT_LENGTH) return undefined;
  const shown = senderLabel ? `${senderLabel}: ${text}` : text;
  const parts = splitText(
    account.transliterate ? transliterate(shown) : shown,
    account.segmentation,
  );
  return parts.length === 1 || account.longMessages ? parts : undefined;
}
