import * as z from "zod";
import type { Account } from "../core/account.ts";
import { callbackDeliverySchema } from "../core/callback-delivery.ts";
import { MESAGO_DETAIL, MESAGO_STATUS } from "../core/codes.ts";
import { type MessageStatusChanged, messageStatusChangedSchema } from "../core/events.ts";
import type { WebhookRequest } from "../core/ports.ts";
import { formatWithOffset } from "../core/time.ts";

/** What the callback function receives: an event fresh from the bus, or a delivery that failed before. */
export const callbackInputSchema = z.union([callbackDeliverySchema, messageStatusChangedSchema]);
export type CallbackInput = z.output<typeof callbackInputSchema>;

/** The trace of the message that an input is about. */
export function traceOf(input: CallbackInput): string {
  return "endpointId" in input ? input.event.traceId : input.traceId;
}

/** `callbackMtRequest` (Mesago document: "Callback de Status de Entrega"). */
function mesagoCallback(event: MessageStatusChanged, account: Account) {
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

/** The HTTP request that tells an account of an event, in the words of the message's dialect. */
export function formatCallback(
  event: MessageStatusChanged,
  account: Account,
): Omit<WebhookRequest, "url"> {
  return {
    headers: { "content-type": "application/json; charset=utf-8", "user-agent": "Torpedo" },
    body: JSON.stringify(mesagoCallback(event, account)),
  };
}
