import type { Refusal, SendRequest } from "../core/accept-message.ts";
import type { Account } from "../core/account.ts";
import { type CancelDependencies, cancelMessage } from "../core/cancel-message.ts";
import { codesOf, type MesagoDetailCode } from "../core/codes.ts";
import { type FindDependencies, findMessageOrPart, partId } from "../core/find-message.ts";
import type { Message } from "../core/message.ts";
import type { Mo } from "../core/mo.ts";
import type { MoStore } from "../core/ports.ts";
import { type SendBatchDependencies, sendBatch } from "../core/send-batch.ts";
import { type SendDependencies, sendMessage } from "../core/send-message.ts";
import { formatLocal } from "../core/time.ts";
import { fitting } from "../runtime/http.ts";
import type { Naming } from "./naming.ts";
import {
  describeAnswer,
  describeCodes,
  isMessageId,
  parseMultiple,
  parsePeriod,
  parseSms,
  sendRequestOf,
} from "./schema.ts";

/** What the operations need. */
export type OperationDependencies = SendDependencies &
  SendBatchDependencies &
  FindDependencies &
  CancelDependencies & {
    readonly mos: Pick<MoStore, "takeNew" | "search">;
    readonly dispatchQueue: SendDependencies["dispatchQueue"] & CancelDependencies["dispatchQueue"];
    readonly messages: SendDependencies["messages"] &
      SendBatchDependencies["messages"] &
      FindDependencies["messages"] &
      CancelDependencies["messages"];
    readonly batches: SendBatchDependencies["batches"] & CancelDependencies["batches"];
    readonly batchQueue: SendBatchDependencies["batchQueue"] & CancelDependencies["batchQueue"];
  };

/** What an operation is asked, out of whatever carried it: JSON, a query, a path, SOAP. */
export interface Call {
  readonly account: Account;
  readonly naming: Naming;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** What an operation answers, for whatever is to carry it. */
export interface Answer {
  readonly status: number;
  readonly fields: object;
  readonly log?: Readonly<Record<string, unknown>>;
}

export type Run = (deps: OperationDependencies, call: Call) => Promise<Answer>;

/** What one `received/list` hands over; the next one goes on from there. */
const MAX_LISTED = 1_000;
/** What one `received/search` finds, where that is not more than what Lambda can answer. */
const MAX_FOUND = 10_000;

const DETAIL_OF_REFUSAL: Readonly<Record<Refusal, MesagoDetailCode>> = {
  "empty-destination": "014",
  "invalid-destination": "013",
  "empty-text": "010",
  "text-too-long": "012",
  "schedule-in-past": "015",
  "schedule-too-far": "015",
  "expires-before-due": "015",
  expired: "136",
  "duplicate-id": "080",
  unreadable: "170",
  "block-list": "130",
  "opt-out": "130",
  "account-limit": "990",
};

/** An answer that is nothing but a code. */
function answer(status: number, detailCode: MesagoDetailCode, beside: object = {}): Answer {
  return { status, fields: { ...describeAnswer(detailCode), ...beside }, log: { detailCode } };
}

/** An answer that refuses; `hint` is for who writes the client. */
export const refused = (status: number, detailCode: MesagoDetailCode, hint?: string) =>
  answer(status, detailCode, hint === undefined ? {} : { hint });

/** `send-sms` (document: "Envio de um único SMS"). */
export async function sendSms(deps: OperationDependencies, call: Call): Promise<Answer> {
  const { account, naming, fields } = call;
  const parsed = parseSms(fields, naming);
  if (!parsed.ok) return refused(200, parsed.detailCode);
  const request = sendRequestOf(parsed.sms, account, naming);
  const result = await sendMessage(deps, account, request);
  if (!result.accepted) return refused(200, DETAIL_OF_REFUSAL[result.refusal]);
  const { message } = result;
  const accepted = answer(201, "000", besideAccepted(message, request, naming, message.parts));
  return { ...accepted, log: { ...accepted.log, traceId: message.traceId } };
}

/** What an accepted message's answer says beside the codes: an id that is ours, and its parts. */
function besideAccepted(
  message: Message,
  { id: chosenId }: SendRequest,
  { tellsOurId }: Naming,
  withParts: unknown,
) {
  return {
    ...(chosenId === undefined && tellsOurId && { id: message.id }),
    ...(withParts ? { parts: partsOf(message) } : {}),
  };
}

/** The only part of a short message has the message's own id (document: answer to a long bulk). */
function partsOf({ id, parts }: Message) {
  return (
    parts?.map((_, index) => ({ partId: partId(id, index + 1), order: index + 1 })) ?? [
      { partId: id, order: 1 },
    ]
  );
}

/** `send-sms-multiple` (document: "Envio de vários SMSs simultaneamente"). */
export async function sendSmsMultiple(deps: OperationDependencies, call: Call): Promise<Answer> {
  const { account, naming, fields } = call;
  const parsed = parseMultiple(fields, naming);
  if (!parsed.ok) {
    const { detailCode, hint } = parsed;
    // A client that looks for the list finds one.
    return answer(400, detailCode, { ...(hint && { hint }), sendSmsResponseList: [] });
  }
  const requests = parsed.elements.flatMap((element) =>
    element.ok ? [sendRequestOf(element.sms, account, naming)] : [],
  );
  const { batchId, results } = await sendBatch(deps, account, requests);
  // Where one message has parts, all list theirs (document: answer to a long bulk).
  const withParts = results.some((result) => result.accepted && result.message.parts);
  const answers = results.map((result, index) =>
    result.accepted
      ? {
          ...describeAnswer("000"),
          ...besideAccepted(result.message, requests[index] as SendRequest, naming, withParts),
        }
      : describeAnswer(DETAIL_OF_REFUSAL[result.refusal]),
  );
  const next = answers.values();
  const list = parsed.elements.map((element) =>
    element.ok ? next.next().value : describeAnswer(element.detailCode),
  );
  const accepted = results.filter((result) => result.accepted).length;
  return {
    status: accepted > 0 ? 201 : 200,
    fields: { sendSmsResponseList: list },
    log: { traceId: batchId, accepted, refused: list.length - accepted },
  };
}

const idOf = ({ fields: { id } }: Call) => (typeof id === "string" ? id : "");

/** `get-sms-status` (document: "Consulta Status de um SMS"). */
export async function getSmsStatus(deps: OperationDependencies, call: Call): Promise<Answer> {
  const { account } = call;
  const id = idOf(call);
  if (id === "") return refused(200, "021");
  const found = isAskable(id) && (await findMessageOrPart(deps, account.account, id));
  if (!found) return answer(200, "180", { id });
  const { message, part } = found;
  // A part that was not handed over is where its message is.
  const { state, reason } = part && part.state !== "QUEUED" ? part : message;
  return {
    status: 200,
    fields: {
      id,
      received: formatLocal(message.stateAt, account.timeZone),
      ...(message.shortCode && { shortcode: asNumber(message.shortCode) }),
      ...(message.operator && { mobileOperatorName: message.operator }),
      ...describeCodes(codesOf(state, reason).mesago),
    },
    log: { traceId: message.traceId, state },
  };
}

/** A short code is a number in the document; other senders are none. */
const asNumber = (shortCode: string) =>
  /^[1-9]\d{0,14}$/.test(shortCode) ? Number(shortCode) : shortCode;

/** A part's id is that of its message, and a little longer. */
const isAskable = (id: string) => isMessageId(id) || isMessageId(id.replace(/_\d{3}$/, ""));

/** `cancel-sms` (document: "Cancelamento de SMS agendado"). */
export async function cancelSms(deps: OperationDependencies, call: Call): Promise<Answer> {
  const id = idOf(call);
  if (id === "") return refused(200, "021");
  if (!isMessageId(id)) return refused(200, "180");
  const outcome = await cancelMessage(deps, call.account.account, id);
  if (outcome.kind === "absent") return refused(200, "180");
  const { kind, message } = outcome;
  const log = {
    traceId: message.traceId,
    outcome: kind,
    ...("scheduleLeft" in outcome && { scheduleLeft: outcome.scheduleLeft }),
  };
  if (kind === "canceled") return { ...answer(200, "002"), log };
  if (kind === "already-canceled") return { ...answer(200, "132"), log };
  // It stays as it is: the status says that this was an error, the detail why.
  const { detailCode } = codesOf(message.state, message.reason).mesago;
  return { status: 200, fields: describeCodes({ statusCode: "10", detailCode }), log };
}

/** `received/list` (document: "Listar Novos SMS recebidos"). */
export async function receivedList({ mos }: OperationDependencies, call: Call): Promise<Answer> {
  const taken = await mos.takeNew(call.account.account, MAX_LISTED);
  return received(taken.map((mo) => receivedMessage(mo, call)));
}

/**
 * `received/search` (document: "Consultar SMS recebidos por Período"); client libraries of Zenvia
 * also ask for those of one `mobile`, or for the answers to one message by `mtId`.
 */
export async function receivedSearch({ mos }: OperationDependencies, call: Call): Promise<Answer> {
  const period = parsePeriod(call.fields, call.account);
  if (!period) {
    const hint = "Both dates are needed, as 2014-08-22T00:00:00, and the end not before the start.";
    return refused(400, "015", hint);
  }
  const { mobile, mtId } = call.fields;
  const found = await mos.search(call.account.account, period, MAX_FOUND);
  const asked = found.filter(
    ({ from, answers }) => (!mobile || mobile === from) && (!mtId || mtId === answers?.id),
  );
  return received(fitting(asked, (mo) => receivedMessage(mo, call)));
}

function received(receivedMessages: readonly object[]): Answer {
  const found = answer(200, receivedMessages.length > 0 ? "300" : "301", { receivedMessages });
  return { ...found, log: { ...found.log, mos: receivedMessages.length } };
}

/** With the text and the id of the message answered, as real clients want them (supplement, section 2). */
function receivedMessage(mo: Mo, { account, naming }: Call) {
  const answered = mo.answers?.id;
  return {
    id: mo.id,
    dateReceived: formatLocal(mo.receivedAt, account.timeZone),
    mobile: mo.from,
    shortcode: mo.shortCode,
    ...(account.operatorOfMo && mo.operator && { mobileOperatorName: mo.operator }),
    body: mo.text,
    ...(answered !== undefined && {
      correlationId: answered,
      correlatedMessageSmsId: answered,
      ...(naming.answeredId && { [naming.answeredId]: answered }),
    }),
  };
}
