import {
  AccessDeniedException,
  ConflictException,
  PinpointSMSVoiceV2Client,
  type PinpointSMSVoiceV2ClientConfig,
  PinpointSMSVoiceV2ServiceException,
  ResourceNotFoundException,
  SendTextMessageCommand,
  type SendTextMessageCommandInput,
  ServiceQuotaExceededException,
  ValidationException,
} from "@aws-sdk/client-pinpoint-sms-voice-v2";
import type * as z from "zod";
import type { Carrier, OutboundMessage, SendOutcome } from "../../../core/carrier.ts";
import type { Clock } from "../../../core/ports.ts";
import type { CreateCarrier } from "../kind.ts";
import {
  ACCESS_DENIED,
  CONFLICT,
  FIELDS,
  NOT_FOUND,
  QUOTA,
  type Refusal,
  VALIDATION,
} from "./outcomes.ts";
import { contextOf } from "./reference.ts";
import { NAMED, type provisions, type settings } from "./settings.ts";

/** In characters; a request with more is refused, whatever they are. */
const MAX_TEXT_LENGTH = 1_600;
/** What the service takes for TimeToLive, in seconds. */
const TIME_TO_LIVE = { min: 5, max: 72 * 3_600 };
/** Less than dispatch waits, so that the request ends with the hand-over. */
const ANSWER_TIMEOUT_MS = 8_000;
/** More digits than a short code has: AWS wants such numbers with a plus sign. */
const LONG_NUMBER = /^\d{9,15}$/;

/**
 * How the client has to be made. SendTextMessage knows no token by which a request that comes twice
 * would be known, so nothing is tried again here. And each request has a connection of its own: one
 * that was kept may have been closed at the other end while the function was frozen, and an answer
 * that is missing for that would be taken for one that was lost.
 */
export const awsSmsClientConfig = {
  maxAttempts: 1,
  requestHandler: {
    connectionTimeout: 1_500,
    httpAgent: { keepAlive: false, maxSockets: Number.POSITIVE_INFINITY },
    httpsAgent: { keepAlive: false, maxSockets: Number.POSITIVE_INFINITY },
  },
} satisfies PinpointSMSVoiceV2ClientConfig;

/** What AWS End User Messaging SMS needs. */
export interface AwsSmsDependencies {
  /** What the stage calls it. */
  readonly name: string;
  /** Made with `awsSmsClientConfig`. */
  readonly client: Pick<PinpointSMSVoiceV2Client, "send">;
  readonly settings: Pick<
    z.output<typeof settings>,
    "originationIdentity" | "protectConfiguration" | "maxPrice" | "messageTypes"
  >;
  readonly configurationSet: string;
  readonly clock: Clock;
  /** How long the service may take to answer; 8 s where not said. */
  readonly answerTimeoutMs?: number;
}

/** It is open whether the service has the message. The error that says why may quote the message, so it stays here. */
class UnclearAnswerError extends Error {
  override readonly name = "UnclearAnswerError";
}

/**
 * AWS End User Messaging SMS (docs/aws-sms.md). It cuts texts itself, and knows no flash messages:
 * they are sent as ordinary ones.
 *
 * Its `send` throws UnclearAnswerError where it is open whether the service has the message.
 */
export function createAwsSmsCarrier(deps: AwsSmsDependencies): Carrier {
  return {
    name: deps.name,
    takes: "whole",
    async send(message) {
      const request = requestFor(deps, message);
      if ("kind" in request) return request;
      try {
        const { MessageId } = await deps.client.send(new SendTextMessageCommand(request), {
          abortSignal: AbortSignal.timeout(deps.answerTimeoutMs ?? ANSWER_TIMEOUT_MS),
        });
        if (!MessageId) throw new UnclearAnswerError("the answer names no message");
        const shortCode = numberOf(request.OriginationIdentity);
        return {
          kind: "accepted",
          carrierMessageId: MessageId,
          ...(shortCode && { shortCode }),
          receipts: true,
        };
      } catch (error) {
        return outcomeOf(error, message);
      }
    },
  };
}

/** The request, or why there is none. */
function requestFor(
  { settings: of, configurationSet, clock }: AwsSmsDependencies,
  { ref, destination, text, lane, sender, expiresAt }: OutboundMessage,
): SendTextMessageCommandInput | SendOutcome {
  if (text.trim() === "" || [...text].length > MAX_TEXT_LENGTH) {
    return { kind: "blocked", reason: "invalid-message" };
  }
  const Context = contextOf(ref);
  if (!Context) {
    return { kind: "rejected", reason: "internal-error", detail: "its id is too long for AWS" };
  }
  if (sender !== undefined && !NAMED.test(sender)) {
    return notForUs("AWS takes no sender of this form");
  }
  const seconds = expiresAt === undefined ? undefined : (expiresAt - clock.now()) / 1_000;
  if (seconds !== undefined && seconds < TIME_TO_LIVE.min) {
    // AWS would send it later than that; dispatch finds it expired.
    return notForUs("it expires sooner than AWS can be told");
  }
  const identity = sender ?? of.originationIdentity;
  return {
    DestinationPhoneNumber: `+${destination}`,
    MessageBody: text,
    MessageType: of.messageTypes[lane],
    ConfigurationSetName: configurationSet,
    Context,
    ...(identity && {
      OriginationIdentity: LONG_NUMBER.test(identity) ? `+${identity}` : identity,
    }),
    ...(seconds !== undefined && {
      TimeToLive: Math.floor(Math.min(seconds, TIME_TO_LIVE.max)),
    }),
    ...(of.maxPrice && { MaxPrice: of.maxPrice }),
    ...(of.protectConfiguration && { ProtectConfigurationId: of.protectConfiguration }),
  };
}

/** Not taken, and another message may well be. */
const notForUs = (detail: string): SendOutcome => ({
  kind: "unreachable",
  detail,
  about: "message",
});

/** The digits of an identity that is a number, to which phones can answer. */
const numberOf = (identity = "") => /^\+?(?<digits>\d+)$/.exec(identity)?.groups?.digits;

/** @throws UnclearAnswerError */
function outcomeOf(error: unknown, { sender }: OutboundMessage): SendOutcome {
  if (error instanceof UnclearAnswerError) throw error;
  const why = whyNotConnected(error);
  if (why) return { kind: "unreachable", detail: why };
  if (!(error instanceof PinpointSMSVoiceV2ServiceException) || !isRefusal(error)) {
    throw new UnclearAnswerError(describe(error));
  }
  const refusal = refusalOf(error);
  switch (refusal) {
    case "message":
      return notForUs(describe(error));
    case "identity":
      // Without a sender of its own, it comes from whom all such messages do.
      return sender === undefined
        ? { kind: "unreachable", detail: describe(error) }
        : notForUs(describe(error));
    case "unreachable":
      return { kind: "unreachable", detail: describe(error) };
    default:
      return { kind: "blocked", reason: refusal };
  }
}

/**
 * Whether the service itself has turned the request down. An answer that names no exception may be
 * anybody's on the way, and one that there was a fault in the service leaves open how far it got.
 */
function isRefusal({ name, $metadata }: PinpointSMSVoiceV2ServiceException): boolean {
  const { httpStatusCode = 0 } = $metadata;
  const isNamed = /^[A-Z]\w+$/.test(name) && !/^Unknown/.test(name);
  return isNamed && httpStatusCode >= 400 && httpStatusCode < 500 && httpStatusCode !== 408;
}

/** What is not documented, such as an expired signature, is no fault of the message. */
function refusalOf(error: PinpointSMSVoiceV2ServiceException): Refusal {
  if (error instanceof ValidationException) return whyInvalid(error);
  if (error instanceof ConflictException) return meaningOf(CONFLICT, error.Reason);
  if (error instanceof ServiceQuotaExceededException) return meaningOf(QUOTA, error.Reason);
  if (error instanceof ResourceNotFoundException) return meaningOf(NOT_FOUND, error.ResourceType);
  if (error instanceof AccessDeniedException) return meaningOf(ACCESS_DENIED, error.Reason);
  return "unreachable";
}

/** A newer service may know more reasons. */
const meaningOf = (table: Readonly<Record<string, Refusal>>, reason = ""): Refusal =>
  Object.hasOwn(table, reason) ? (table[reason] ?? "unreachable") : "unreachable";

/** Where the reason is of no help, the field is, by its name or in the sentence about it. */
function whyInvalid({ Reason, Fields = [], message }: ValidationException): Refusal {
  const refusal = meaningOf(VALIDATION, Reason);
  if (refusal !== "unreachable") return refusal;
  const quoted = /'(\w+)' failed to satisfy/.exec(message)?.[1];
  const names = [...Fields.map(({ Name }) => Name), quoted];
  return (
    names
      .map((name) => meaningOf(FIELDS, name?.toLowerCase()))
      .find((it) => it !== "unreachable") ?? "unreachable"
  );
}

/** What of an error can be told: its message may quote the number or the text. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return typeof error;
  const { Reason, $metadata } = error as Partial<ConflictException>;
  const { code } = error as NodeJS.ErrnoException;
  const status = $metadata?.httpStatusCode;
  return [error.name, Reason, code, status && `HTTP ${status}`].filter(Boolean).join(", ");
}

/** Steps of a connection before anything can be written to it. */
const BEFORE_CONNECTION = ["getaddrinfo", "connect"];

/** Why there was no connection, where that is certain. */
function whyNotConnected(error: unknown): string | undefined {
  if (error instanceof AggregateError) {
    // Each address of the host was tried.
    const whys = error.errors.map(whyNotConnected);
    return whys.length > 0 && whys.every(Boolean) ? whys[0] : undefined;
  }
  if (!(error instanceof Error)) return undefined;
  const { code, syscall = "" } = error as NodeJS.ErrnoException;
  if (BEFORE_CONNECTION.includes(syscall)) return `no connection: ${code}`;
  // The SDK's own limit has no code, and no class.
  const isTimeout =
    error.name === "TimeoutError" && /not establish a connection/.test(error.message);
  return isTimeout ? "no connection in time" : undefined;
}

/** AWS End User Messaging SMS, as a stage says it is. */
export const createFromStage: CreateCarrier<typeof settings, typeof provisions> = (
  { configurationSet, elsewhere, ...said },
  { name, clock },
) =>
  createAwsSmsCarrier({
    name,
    client: new PinpointSMSVoiceV2Client({
      ...awsSmsClientConfig,
      ...(elsewhere && { region: elsewhere.region }),
    }),
    settings: said,
    configurationSet,
    clock,
  });
