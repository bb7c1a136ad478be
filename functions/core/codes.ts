import type { Reason, State } from "./lifecycle.ts";

/**
 * Every code of the client APIs, in one place. Descriptions are the vendor documents' own, to the
 * letter, odd spacing and quotation marks included, because clients compare them.
 */

/**
 * Mesago's `statusCode` (document: "Tabela de Status"). What the table writes after "Blocked - "
 * explains the code to the reader: the document's answers carry the bare "Blocked".
 */
export const MESAGO_STATUS = {
  "00": "Ok",
  "01": "Scheduled",
  "02": "Sent",
  "03": "Delivered",
  "04": "Not Received",
  "05": "Blocked",
  "06": "Blocked",
  "07": "Blocked",
  "08": "Blocked",
  "09": "Blocked",
  "10": "Error",
  /** Only in the document's answer with HTTP 500. */
  "99": "Nok",
} as const;
export type MesagoStatusCode = keyof typeof MESAGO_STATUS;

/** Mesago's `detailCode` (document: "Tabela de Status"). */
export const MESAGO_DETAIL = {
  "000": "Message Sent",
  "002": "Message successfully canceled",
  "010": "Empty message content",
  "011": "Message body invalid",
  "012": "Message content overflow",
  "013": "Incorrect or incomplete ‘destination’ mobile number",
  "014": "Empty ‘destination’ mobile number",
  "015": "Scheduling date invalid or incorrect",
  "016": "ID overflow",
  "017": "Parameter ‘url’ is invalid or incorrect",
  "021": "‘id’ fieldismandatory",
  "080": "Message with same ID already sent",
  "100": "Message Queued",
  "110": "Message sent to operator",
  "111": "Message confirmation unavailable",
  "120": "Message received by mobile",
  "130": "Message blocked",
  "131": "Message blocked by predictive cleansing",
  "132": "Message already canceled",
  "133": "Message content in analysis",
  "134": "Message blocked by forbidden content",
  "135": "CorrelationId is Invalid or Inactive",
  "136": "Message expired",
  "140": "Mobile number not covered",
  "141": "International sending not allowed",
  "145": "Inactive mobile number",
  "150": "Message expired in operator",
  "160": "Operator network error",
  "161": "Message rejected by operator",
  "162": "Message cancelled or blocked by operator",
  "170": "Bad message",
  "171": "Bad number",
  "172": "Missing parameter",
  "173": "Gateway don't defined to user",
  "180": "Message ID notfound",
  "190": "Unknown error",
  "200": "Messages Sent",
  "210": "Messages scheduled but Account Limit Reached",
  "240": "File empty or not sent",
  "241": "File too large",
  "242": "File readerror",
  "300": "Received messages found",
  "301": "No received messages found",
  "400": "Entity saved",
  "900": "Authentication error",
  "901": "Account type not support this operation.",
  "990": "Account Limit Reached – Please contact support",
  "998": "Wrong operation requested",
  "999": "Unknown Error",
} as const;
export type MesagoDetailCode = keyof typeof MESAGO_DETAIL;

/** Wavy's first-level status: delivery to the carrier (supplement, section 1). */
export const WAVY_SENT = {
  2: "SENT_SUCCESS",
  101: "EXPIRED",
  102: "CARRIER_COMMUNICATION_ERROR",
  103: "REJECTED_BY_CARRIER",
  201: "NO_CREDIT",
  202: "INVALID_DESTINATION_NUMBER",
  203: "BLACKLISTED",
  204: "DESTINATION_BLOCKED_BY_OPTOUT",
  205: "DESTINATION_MESSAGE_LIMIT_REACHED",
  207: "INVALID_MESSAGE_TEXT",
  301: "INTERNAL_ERROR",
} as const;
export type WavySentCode = keyof typeof WAVY_SENT;

/** Wavy's second-level status: delivery to the device, only after SENT_SUCCESS (supplement, section 1). */
export const WAVY_DELIVERED = { 4: "DELIVERED_SUCCESS", 104: "NOT_DELIVERED" } as const;
export type WavyDeliveredCode = keyof typeof WAVY_DELIVERED;

/** A Mesago answer's pair of codes. */
export interface MesagoCodes {
  readonly statusCode: MesagoStatusCode;
  readonly detailCode: MesagoDetailCode;
}
/** What Wavy reports of a message: nothing, the first level, or both. */
export interface WavyCodes {
  readonly sent?: WavySentCode;
  readonly delivered?: WavyDeliveredCode;
}
interface Codes {
  readonly mesago: MesagoCodes;
  readonly wavy: WavyCodes;
}

const codes = (
  statusCode: MesagoStatusCode,
  detailCode: MesagoDetailCode,
  sent?: WavySentCode,
  delivered?: WavyDeliveredCode,
): Codes => ({
  mesago: { statusCode, detailCode },
  wavy: { ...(sent && { sent }), ...(delivered && { delivered }) },
});

/** What the dialects say of each state; of a state with reasons, of each reason. */
const CODES_BY_STATE: Readonly<
  Record<Exclude<State, "NOT_DELIVERED" | "BLOCKED" | "FAILED">, Codes>
> = {
  SCHEDULED: codes("01", "100"),
  QUEUED: codes("00", "100"),
  SENDING: codes("00", "100"),
  SENT: codes("02", "110", 2),
  DELIVERED: codes("03", "120", 2, 4),
  CANCELED: codes("09", "002"),
  EXPIRED: codes("08", "136", 101),
};

const CODES_BY_REASON: Readonly<Record<Reason, Codes>> = {
  "no-receipts": codes("02", "111", 2),
  "operator-expired": codes("04", "150", 2, 104),
  "inactive-number": codes("04", "145", 2, 104),
  undeliverable: codes("04", "161", 2, 104),
  "no-coverage": codes("05", "140", 103),
  "international-not-allowed": codes("05", "141", 103),
  "block-list": codes("06", "130", 203),
  "opt-out": codes("06", "130", 204),
  "invalid-number": codes("07", "013", 202),
  "invalid-message": codes("10", "011", 207),
  content: codes("08", "134", 207),
  "account-limit": codes("09", "990", 201),
  "operator-rejected": codes("10", "161", 103),
  "operator-unreachable": codes("10", "160", 102),
  "internal-error": codes("10", "190", 301),
};

/** The reason assumed where a message of such a state was stored without one. */
const DEFAULT_REASON = {
  NOT_DELIVERED: "undeliverable",
  BLOCKED: "content",
  FAILED: "internal-error",
} as const satisfies Partial<Record<State, Reason>>;

/** The codes that every dialect reports for a message in this state. */
export function codesOf(state: State, reason?: Reason): Codes {
  if (reason) return CODES_BY_REASON[reason];
  if (state === "NOT_DELIVERED" || state === "BLOCKED" || state === "FAILED") {
    return CODES_BY_REASON[DEFAULT_REASON[state]];
  }
  return CODES_BY_STATE[state];
}

/** The `statusCode` that goes with a `detailCode` in the answer to a request; all others go with "10". */
const STATUS_OF_ANSWER: Partial<Record<MesagoDetailCode, MesagoStatusCode>> = {
  "000": "00",
  "002": "09",
  "013": "07",
  "130": "06",
  "132": "09",
  "134": "08",
  "136": "08",
  "140": "05",
  "141": "05",
  "300": "00",
  "301": "00",
  "990": "09",
  "999": "99",
};

/** The pair of codes that answers a request with this `detailCode`. */
export function mesagoAnswer(detailCode: MesagoDetailCode): MesagoCodes {
  return { statusCode: STATUS_OF_ANSWER[detailCode] ?? "10", detailCode };
}

/** Wavy's numbers of operators (document: examples of callback and DR); those that it does not number have ours, from 1001 on. */
const WAVY_CARRIER_IDS: Readonly<Record<string, number>> = {
  VIVO: 1,
  TIM: 5,
  CLARO: 1001,
  OI: 1002,
  NEXTEL: 1003,
  ALGAR: 1004,
  SERCOMTEL: 1005,
};

/** What Wavy calls an operator: its name in capitals, and its number where it has one. */
export function wavyCarrier(operator: string): { carrierId?: number; carrierName: string } {
  const carrierName = operator.toUpperCase();
  const carrierId = Object.hasOwn(WAVY_CARRIER_IDS, carrierName)
    ? WAVY_CARRIER_IDS[carrierName]
    : undefined;
  return { ...(carrierId !== undefined && { carrierId }), carrierName };
}
