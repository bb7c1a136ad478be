import type { Account } from "../core/account.ts";
import { MESAGO_DETAIL, MESAGO_STATUS } from "../core/codes.ts";
import type { MessageReceived, MessageStatusChanged } from "../core/events.ts";
import { formatWithOffset } from "../core/time.ts";

/** `callbackMtRequest` (Mesago document: "Callback de Status de Entrega"). */
export function callbackMt(event: MessageStatusChanged, account: Account) {
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
export function callbackMo(event: MessageReceived, account: Account) {
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
