import * as z from "zod";
import type { Account } from "../core/account.ts";
import { callbackDeliverySchema } from "../core/callback-delivery.ts";
import { MESAGO_DETAIL, MESAGO_STATUS } from "../core/codes.ts";
import {
  isMessageReceived,
  type MessageReceived,
  type MessageStatusChanged,
  type TorpedoEvent,
  torpedoEventSchema,
  traceOfEvent,
} from "../core/events.ts";
import type { WebhookRequest } from "../core/ports.ts";
import { formatWithOffset } from "../core/time.ts";

/** What the callback function receives: an event fresh from the bus, or a delivery that failed before. */
export const callbackInputSchema = z.union([callbackDeliverySchema, torpedoEventSchema]);
export type CallbackInput = z.output<typeof callbackInputSchema>;

/** What the log calls the message that an input is about. */
export function traceOf(input: CallbackInput): string {
  return traceOfEvent("endpointId" in input ? input.event : input);
}

/** `callbackMtRequest` (Mesago document: "Callback de Status de Entrega"). */
function callbackMt(event: MessageStatusChanged, account: Account) {
  const { statusCode, detailCode } = event.codes.mesago;
  return {
    callbackMtRequest: {
      status: statusCode,
      statusMessage: MESAGO_STATUS[statusCode],
      statusDetail: detailCode,
      statusDetailMessage: MESAGO_DETAIL[detailCode],
      id: event.id,
      received: formatWithOffset(Date.parse(event.at), account.timeZone),
      ...(event.operator && { mobileOperatorName: event.operator }),
    },
  };
}

/**
 * `callbackMoRequest` (Mesago document, "Callback de SMS Recebido"; supplement, section 2, for
 * `body` and `correlatedMessageSmsId`).
 */
function callbackMo(event: MessageReceived, account: Account) {
  const answered = event.answers?.id;
  return {
    callbackMoRequest: {
      id: String(event.moId),
      mobile: event.from,
      shortCode: event.shortCode,
      account: event.account,
      body: event.text,
      received: formatWithOffset(Date.parse(event.receivedAt), account.timeZone),
      ...(answered !== undefined && { campaignId: answered, correlatedMessageSmsId: answered }),
    },
  };
}

/** The HTTP request that tells an account of an event, in the words of the message's dialect. */
export function formatCallback(event: TorpedoEvent, account: Account): Omit<WebhookRequest, "url"> {
  return {
    headers: { "content-type": "application/json; charset=utf-8", "user-agent": "Torpedo" },
    body: JSON.stringify(
      isMessageReceived(event) ? callbackMo(event, account) : callbackMt(event, account),
    ),
  };
}
