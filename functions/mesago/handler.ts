import type { Account } from "../core/account.ts";
import type { Authenticate } from "../core/authenticate.ts";
import { codesOf, type MesagoDetailCode } from "../core/codes.ts";
import { UnavailableError } from "../core/errors.ts";
import type { Message } from "../core/message.ts";
import type { MessageStore } from "../core/ports.ts";
import { type Refusal, type SendDependencies, sendMessage } from "../core/send-message.ts";
import { formatLocal } from "../core/time.ts";
import {
  type ApiHandler,
  type ApiRequest,
  type ApiResponse,
  basicCredentials,
  readJson,
} from "../runtime/http.ts";
import {
  answerBody,
  describeCodes,
  type Envelope,
  isMessageId,
  parseSendSms,
  type SendSmsRequest,
} from "./schema.ts";

/** What the Mesago API needs. */
export interface MesagoDependencies extends SendDependencies {
  readonly authenticate: Authenticate;
  readonly messages: Pick<MessageStore, "insert" | "withdraw" | "find">;
}

interface Call {
  readonly request: ApiRequest;
  readonly account: Account;
  /** What the operation's path captured. */
  readonly captured: Readonly<Record<string, string>>;
}

interface Operation {
  readonly method: string;
  readonly path: RegExp;
  readonly envelope: Envelope;
  readonly run: (deps: MesagoDependencies, call: Call) => Promise<ApiResponse>;
}

const OPERATIONS: readonly Operation[] = [
  { method: "POST", path: /^\/api\/send-sms\/?$/, envelope: "sendSmsResponse", run: sendSms },
  {
    method: "GET",
    path: /^\/api\/get-sms-status\/id\/(?<id>.+)$/s,
    envelope: "getSmsStatusResp",
    run: getSmsStatus,
  },
];

/** The envelope of answers to what is no operation; a client of this dialect reads this one in any case. */
const DEFAULT_ENVELOPE: Envelope = "sendSmsResponse";

const DETAIL_OF_REFUSAL: Readonly<Record<Refusal, MesagoDetailCode>> = {
  "empty-destination": "014",
  "invalid-destination": "013",
  "empty-text": "010",
  "text-too-long": "012",
  "duplicate-id": "080",
};

/** What is wrong with a body, as HTTP says it, and in words for who writes the client. */
const ANSWER_TO_BODY = {
  "too-large": { status: 413, hint: "The body is larger than 1 MiB." },
  "not-json-type": { status: 415, hint: "The Content-Type must be application/json, in UTF-8." },
  empty: { status: 400, hint: "The body is empty." },
  malformed: { status: 400, hint: "The body is not JSON in UTF-8." },
} as const;

/** The Mesago API. */
export function createHandler(deps: MesagoDependencies): ApiHandler {
  return {
    async handle(request) {
      const here = OPERATIONS.filter(({ path }) => path.test(request.path));
      const operation = here.find(({ method }) => method === request.method);
      if (!operation) return wrongOperation(here);
      const account = await authenticated(deps, request);
      if (!account) {
        return answer(operation.envelope, 401, "900", {
          headers: { "www-authenticate": 'Basic realm="SMS API", charset="UTF-8"' },
        });
      }
      const captured = operation.path.exec(request.path)?.groups ?? {};
      return operation.run(deps, { request, account, captured });
    },

    onError(request, error) {
      const operation = OPERATIONS.find(({ path }) => path.test(request.path));
      const envelope = operation?.envelope ?? DEFAULT_ENVELOPE;
      if (!(error instanceof UnavailableError)) return answer(envelope, 500, "999");
      return answer(envelope, 503, "999", { log: { traceId: error.traceId } });
    },
  };
}

function answer(
  envelope: Envelope,
  status: number,
  detailCode: MesagoDetailCode,
  more: Partial<ApiResponse> & { beside?: object } = {},
): ApiResponse {
  const { beside, ...response } = more;
  return {
    status,
    body: answerBody(envelope, detailCode, beside),
    ...response,
    log: { envelope, detailCode, ...response.log },
  };
}

/** An unknown path, or a known one with a method it does not have. */
function wrongOperation(here: readonly Operation[]): ApiResponse {
  const [first] = here;
  if (!first) return answer(DEFAULT_ENVELOPE, 404, "998");
  const allow = here.map(({ method }) => method).join(", ");
  return answer(first.envelope, 405, "998", { headers: { allow } });
}

async function authenticated(
  { authenticate }: MesagoDependencies,
  { headers }: ApiRequest,
): Promise<Account | undefined> {
  const given = basicCredentials(headers.authorization);
  return given && authenticate(given.user, given.password);
}

/** `POST /api/send-sms` (document: "Envio de um único SMS"). */
async function sendSms(deps: MesagoDependencies, { request, account }: Call): Promise<ApiResponse> {
  const envelope = "sendSmsResponse";
  const json = readJson(request);
  if (!json.ok) {
    const { status, hint } = ANSWER_TO_BODY[json.problem];
    return answer(envelope, status, "170", { beside: { hint } });
  }
  const parsed = parseSendSms(json.value);
  if (!parsed.ok) return answer(envelope, parsed.isMessage ? 200 : 400, parsed.detailCode);
  const result = await sendMessage(deps, account, sendRequestOf(parsed.request, account));
  if (!result.accepted) return answer(envelope, 200, DETAIL_OF_REFUSAL[result.refusal]);
  const { id, traceId } = result.message;
  return answer(envelope, 201, "000", {
    beside: parsed.request.correlationId === undefined ? { id } : {},
    log: { traceId },
  });
}

function sendRequestOf(request: SendSmsRequest, account: Account) {
  const { timeWindow, timeZone } = request;
  return {
    dialect: "mesago",
    id: request.correlationId,
    destination: request.destination,
    text: request.messageText,
    flash: request.flashSMS,
    callbackOption: request.callbackOption,
    extraInfo: request.extraInfo,
    window: timeWindow && { hours: timeWindow, timeZone: timeZone ?? account.timeZone },
  } as const;
}

/** `GET /api/get-sms-status/id/{id}` (document: "Consulta Status de um SMS"). */
async function getSmsStatus(
  { messages }: MesagoDependencies,
  { account, captured }: Call,
): Promise<ApiResponse> {
  const envelope = "getSmsStatusResp";
  const id = captured.id ?? "";
  const message = isMessageId(id) ? await messages.find(account.account, id) : undefined;
  if (!message) return answer(envelope, 200, "180", { beside: { id } });
  return {
    status: 200,
    body: { [envelope]: statusOf(message, account.timeZone) },
    log: { envelope, traceId: message.traceId, state: message.state },
  };
}

function statusOf(message: Message, timeZone: string) {
  return {
    id: message.id,
    received: formatLocal(message.stateAt, timeZone),
    ...(message.shortCode && { shortcode: Number(message.shortCode) }),
    ...(message.operator && { mobileOperatorName: message.operator }),
    ...describeCodes(codesOf(message.state, message.reason).mesago),
  };
}
