import {
  WAVY_DELIVERED,
  WAVY_SENT,
  type WavyDeliveredCode,
  type WavySentCode,
  wavyCarrier,
} from "../core/codes.ts";
import type { MessageReceived, MessageStatusChanged } from "../core/events.ts";
import { formatUtc } from "../core/time.ts";

/**
 * "Callback", the first level of status: whether the operator took the message (Wavy document,
 * "Exemplo JSON Status de Envio", where `campaignId` is a text and `extraInfo` is always there).
 */
export function sentCallback(event: MessageStatusChanged) {
  const sentAt = sentAtOf(event);
  return {
    ...messageOf(event),
    ...sentStatusOf(event),
    sentAt,
    sentDate: formatUtc(sentAt),
    ...(event.campaign && { campaignId: String(event.campaign.id) }),
    extraInfo: event.extraInfo ?? "",
  };
}

/**
 * "DR", the second level of status: whether the phone got the message (Wavy document, "Exemplo
 * JSON Delivery Report", where `campaignId` is a number). The time of the first level stands under
 * the example's names and under those of the table of fields, which differ.
 */
export function deliveryReport(event: MessageStatusChanged) {
  const sentAt = sentAtOf(event);
  const deliveredAt = Date.parse(event.at);
  return {
    ...messageOf(event),
    ...sentStatusOf(event),
    sentStatusAt: sentAt,
    sentStatusDate: formatUtc(sentAt),
    sentAt,
    sentDate: formatUtc(sentAt),
    ...deliveredStatusOf(event),
    deliveredAt,
    deliveredDate: formatUtc(deliveredAt),
    ...(event.campaign && { campaignId: event.campaign.id }),
    ...(event.extraInfo !== undefined && { extraInfo: event.extraInfo }),
  };
}

/** An MO as it is forwarded (Wavy document, "Exemplo JSON enviado para sua API (método POST)"). */
export function forwardedMo(event: MessageReceived) {
  const receivedAt = Date.parse(event.receivedAt);
  return {
    id: event.uuid ?? String(event.moId),
    ...(event.subAccount && { subAccount: event.subAccount }),
    ...(event.campaign && { campaignAlias: event.campaign.alias }),
    ...(event.operator && wavyCarrier(event.operator)),
    source: event.from,
    shortCode: event.shortCode,
    messageText: event.text,
    receivedAt,
    receivedDate: formatUtc(receivedAt),
    ...(event.answers && { mt: mtOf(event.answers) }),
  };
}

/**
 * An MO as the fields of a query (Wavy document, "método GET (query string)", without an example):
 * those of the POST by the same names, and those of `mt` as `mtId`, `mtCorrelationId`,
 * `mtUsername` and `mtEmail`.
 */
export function forwardedMoQuery(event: MessageReceived): URLSearchParams {
  const { mt, ...fields } = forwardedMo(event);
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(fields)) query.set(name, String(value));
  for (const [name, value] of Object.entries(mt ?? {})) query.set(`mt${capitalized(name)}`, value);
  return query;
}

const capitalized = (name: string) => name.charAt(0).toUpperCase() + name.slice(1);

function messageOf({ id, correlationId, operator, destination }: MessageStatusChanged) {
  return {
    id,
    ...(correlationId !== undefined && { correlationId }),
    ...(operator && wavyCarrier(operator)),
    destination,
  };
}

/** When the operator took the message; of one that it never had, when that was known. */
const sentAtOf = ({ sentAt, at }: MessageStatusChanged) => Date.parse(sentAt ?? at);

function sentStatusOf({ codes }: MessageStatusChanged) {
  const code = codes.wavy.sent as WavySentCode | undefined;
  return code && { sentStatusCode: code, sentStatus: WAVY_SENT[code] };
}

function deliveredStatusOf({ codes }: MessageStatusChanged) {
  const code = codes.wavy.delivered as WavyDeliveredCode | undefined;
  return code && { deliveredStatusCode: code, deliveredStatus: WAVY_DELIVERED[code] };
}

function mtOf({ id, correlationId, sender }: NonNullable<MessageReceived["answers"]>) {
  return {
    id,
    ...(correlationId !== undefined && { correlationId }),
    ...(sender && { username: sender.username }),
    ...(sender?.email && { email: sender.email }),
  };
}
