import { codesOf, WAVY_DELIVERED, WAVY_SENT, wavyCarrier } from "../core/codes.ts";
import type { Message } from "../core/message.ts";
import type { Mo } from "../core/mo.ts";
import { formatUtc } from "../core/time.ts";
import type { MessageStatus, ReceivedMessage } from "./schema.ts";

/** A message as the answer to its request tells of it (document: "Ao fazer o envio, você receberá"). */
export function accepted({ id, correlationId }: Pick<Message, "id" | "correlationId">) {
  return { id, ...(correlationId !== undefined && { correlationId }) };
}

/**
 * A message's status (document: "Campos JSON de resposta"). Fields without value are left out, and
 * all of a level's as long as nothing is known of it.
 */
export function statusOf(message: Message): MessageStatus {
  return {
    ...accepted(message),
    ...carrierOf(message),
    destination: message.destination,
    ...sentFieldsOf(message),
    ...deliveredFieldsOf(message),
    ...(message.campaign && { campaignId: message.campaign.id }),
    ...(message.extraInfo !== undefined && { extraInfo: message.extraInfo }),
  };
}

const carrierOf = ({ operator }: Pick<Message, "operator">) =>
  operator ? wavyCarrier(operator) : {};

function sentFieldsOf({ state, reason, stateAt, sentAt }: Message) {
  const { sent } = codesOf(state, reason).wavy;
  if (sent === undefined) return {};
  const sentStatus = WAVY_SENT[sent];
  // Where it was sent, its state may have changed since.
  const at = sentStatus === "SENT_SUCCESS" ? (sentAt ?? stateAt) : stateAt;
  return {
    sentStatusCode: sent,
    sentStatus,
    sentStatusAt: at,
    sentStatusDate: formatUtc(at),
  };
}

function deliveredFieldsOf({ state, reason, stateAt }: Message) {
  const { delivered } = codesOf(state, reason).wavy;
  if (delivered === undefined) return {};
  return {
    deliveredStatusCode: delivered,
    deliveredStatus: WAVY_DELIVERED[delivered],
    deliveredAt: stateAt,
    deliveredDate: formatUtc(stateAt),
  };
}

/** The answer of `status/search` and `status/list` (supplement, section 1). */
export function statusesAnswer(messages: readonly MessageStatus[]) {
  return { total: messages.length, messages };
}

/** An MO (document: "Exemplo JSON enviado para sua API"). Fields without value are left out. */
export function moOf(mo: Mo): ReceivedMessage {
  return {
    id: mo.uuid ?? String(mo.id),
    ...(mo.subAccount !== undefined && { subAccount: mo.subAccount }),
    ...(mo.campaign && { campaignAlias: mo.campaign.alias }),
    ...carrierOf(mo),
    source: mo.from,
    shortCode: mo.shortCode,
    messageText: mo.text,
    receivedAt: mo.receivedAt,
    receivedDate: formatUtc(mo.receivedAt),
    ...(mo.answers && { mt: mtOf(mo.answers) }),
  };
}

function mtOf({ id, correlationId, sender }: NonNullable<Mo["answers"]>) {
  return {
    ...accepted({ id, correlationId }),
    ...(sender && { username: sender.username }),
    ...(sender?.email !== undefined && { email: sender.email }),
  };
}

/**
 * The answer of `receive/list` and `receive/search` (document: "Exemplo de JSON de resposta"): the
 * MOs of a period, whose limits are milliseconds since the epoch.
 */
export function mosAnswer(
  { from, to }: { readonly from: number; readonly to: number },
  messages: readonly ReceivedMessage[],
) {
  return { total: messages.length, start: formatLimit(from), end: formatLimit(to), messages };
}

/** With milliseconds where there are any: `2016-09-04T11:12:41Z`, `2016-09-08T11:17:39.113Z`. */
const formatLimit = (at: number) => (at % 1_000 === 0 ? formatUtc(at) : new Date(at).toISOString());

/** The body of an answer that is an error (supplement, section 1). */
export function errorBody(errorCode: string, errorMessage: string) {
  return { errorCode, errorMessage };
}
