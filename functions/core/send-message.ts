import type { Account } from "./account.ts";
import { UnavailableError } from "./errors.ts";
import { type Message, refOf, type TimeWindow } from "./message.ts";
import { parseMobileNumber } from "./numbers.ts";
import type { Clock, DispatchQueue, MessageStore, Randomness } from "./ports.ts";
import { openingAt } from "./time.ts";

/** Characters (UTF-16 code units) that fit a message of one part (Mesago document, "Mensagens curtas"). */
export const SHORT_TEXT_LENGTH = 160;

/** What a client asks for, out of whatever its dialect calls it. */
export interface SendRequest {
  readonly dialect: Message["dialect"];
  /** The id the client chose; one of ours where it chose none. */
  readonly id?: string | undefined;
  /** As written by the client. */
  readonly destination: string;
  readonly text: string;
  readonly flash: boolean;
  readonly callbackOption?: Message["callbackOption"] | undefined;
  readonly extraInfo?: string | undefined;
  readonly window?: TimeWindow | undefined;
}

/** Why a message was not accepted. */
export type Refusal =
  | "empty-destination"
  | "invalid-destination"
  | "empty-text"
  | "text-too-long"
  | "duplicate-id";

/** The answer to a send: a message that is durable and will reach a final state, or why not. */
export type SendResult =
  | { readonly accepted: true; readonly message: Message }
  | { readonly accepted: false; readonly refusal: Refusal };

/** What sending needs. `retentionMs` is how long after its due time a message can be asked about. */
export interface SendDependencies {
  readonly messages: Pick<MessageStore, "insert" | "withdraw">;
  readonly dispatchQueue: Pick<DispatchQueue, "enqueue">;
  readonly clock: Clock;
  readonly randomness: Pick<Randomness, "uuid">;
  readonly retentionMs: number;
}

const refuse = (refusal: Refusal): SendResult => ({ accepted: false, refusal });

/**
 * Accepts one message: checks it, stores it, and puts it on its way. Both writes are done when
 * this returns.
 *
 * @throws UnavailableError where the message could not be put on its way; it is then as if it had
 *   never been sent, and the client may send it again under the same id
 */
export async function sendMessage(
  deps: SendDependencies,
  account: Account,
  request: SendRequest,
): Promise<SendResult> {
  if (request.destination.trim() === "") return refuse("empty-destination");
  if (request.text.trim() === "") return refuse("empty-text");
  if (request.text.length > SHORT_TEXT_LENGTH) return refuse("text-too-long");
  const destination = parseMobileNumber(request.destination, account.country);
  if (!destination) return refuse("invalid-destination");

  const message = newMessage(deps, account, { ...request, destination });
  const result = await orUnavailable(message, deps.messages.insert(message));
  if (!result.inserted) {
    await resumeIfStranded(deps, result.existing);
    return refuse("duplicate-id");
  }
  try {
    await enqueue(deps, message);
  } catch (error) {
    // Should this fail as well, a retry under the same id finds the message and puts it on its way.
    const isGone = await orUnavailable(message, deps.messages.withdraw(refOf(message)));
    // Dispatch has it: the queue had taken it, only its answer was lost.
    if (!isGone) return { accepted: true, message };
    throw error;
  }
  return { accepted: true, message };
}

const enqueue = ({ dispatchQueue }: SendDependencies, message: Message) =>
  orUnavailable(message, dispatchQueue.enqueue(refOf(message), message.claimableFrom));

async function orUnavailable<T>({ traceId }: Message, write: Promise<T>): Promise<T> {
  try {
    return await write;
  } catch (cause) {
    throw new UnavailableError("what must be durable was not taken", traceId, { cause });
  }
}

function newMessage(
  { clock, randomness, retentionMs }: SendDependencies,
  account: Account,
  request: SendRequest,
): Message {
  const now = clock.now();
  const opening = openingAt(request.window, now);
  const traceId = randomness.uuid();
  return {
    version: 1,
    account: account.account,
    id: request.id ?? traceId,
    traceId,
    dialect: request.dialect,
    destination: request.destination,
    text: request.text,
    flash: request.flash,
    callbackOption: request.callbackOption,
    extraInfo: request.extraInfo,
    window: request.window,
    state: opening.from > now ? "SCHEDULED" : "QUEUED",
    stateAt: now,
    acceptedAt: now,
    claimableFrom: opening.from,
    claimableUntil: opening.until,
    attempts: 0,
    removeAt: Math.ceil((opening.from + retentionMs) / 1_000),
  };
}

/**
 * A first try that died between its two writes left a message that is in no queue. Its retry
 * finds it here, and what enqueuing it twice costs is one claim that fails.
 */
async function resumeIfStranded(deps: SendDependencies, existing: Message): Promise<void> {
  const waiting = existing.state === "QUEUED" || existing.state === "SCHEDULED";
  if (waiting && existing.attempts === 0) await enqueue(deps, existing);
}
