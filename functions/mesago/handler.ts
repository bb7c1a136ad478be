import type { Account } from "../core/account.ts";
import type { Authenticate } from "../core/authenticate.ts";
import { UnavailableError } from "../core/errors.ts";
import {
  type ApiHandler,
  type ApiRequest,
  type ApiResponse,
  basicCredentials,
  MAX_BODY_BYTES,
  readJson,
} from "../runtime/http.ts";
import { MESAGO, type Naming, ZENVIA } from "./naming.ts";
import {
  type Answer,
  type Call,
  cancelSms,
  getSmsStatus,
  type OperationDependencies,
  type Run,
  receivedList,
  receivedSearch,
  refused,
  sendSms,
  sendSmsMultiple,
} from "./operations.ts";
import { fieldsOfQuery, openEnvelope } from "./schema.ts";
import { parseSoapRequest, type SoapOperation, soapFault, soapResponse } from "./soap.ts";
import { wsdl } from "./wsdl.ts";

/** What the Mesago API and its ancestor need. */
export interface MesagoDependencies extends OperationDependencies {
  readonly authenticate: Authenticate;
}

/** The envelopes of the answers, by operation. */
type Envelope =
  | "sendSmsResponse"
  | "sendSmsMultiResponse"
  | "getSmsStatusResp"
  | "cancelSmsResp"
  | "receivedResponse";

/** Where an operation is found over HTTP, and where its fields are. */
interface Operation {
  readonly method: string;
  readonly path: RegExp;
  readonly naming: Naming;
  readonly envelope: Envelope;
  readonly read: (request: ApiRequest, captured: Readonly<Record<string, string>>) => ReadFields;
  readonly run: Run;
}

type ReadFields =
  | { readonly ok: true; readonly fields: Call["fields"] }
  | { readonly ok: false; readonly answer: Answer };

/** The only version of the API that there is (document: "Nossa API suporta nativamente"). */
const VERSION = "1.0";
/** A thousand long messages are more than what suffices for everything else. */
const MAX_MULTIPLE_BODY_BYTES = 4 * MAX_BODY_BYTES;
const OPERATIONS: readonly Operation[] = [MESAGO, ZENVIA].flatMap(operationsOf);

function operationsOf(naming: Naming): Operation[] {
  const { base, beforeId } = naming;
  const at = (path: string) => new RegExp(`^${base}${path}$`, "s");
  const withId = (name: string) => at(`/${name}${beforeId}(?:/(?<id>.*))?`);
  const inPath: Operation["read"] = (_, captured) => ({ ok: true, fields: captured });
  return [
    {
      method: "POST",
      path: at("/send-sms/?"),
      naming,
      envelope: "sendSmsResponse",
      read: inEnvelope("sendSmsRequest", MAX_BODY_BYTES),
      run: sendSms,
    },
    {
      method: "GET",
      path: at("/send-sms/?"),
      naming,
      envelope: "sendSmsResponse",
      read: ({ query }) => ({ ok: true, fields: fieldsOfQuery(query) }),
      run: sendSms,
    },
    {
      method: "POST",
      path: at("/send-sms-multiple/?"),
      naming,
      envelope: "sendSmsMultiResponse",
      // A client that looks for the list finds one.
      read: inEnvelope("sendSmsMultiRequest", MAX_MULTIPLE_BODY_BYTES, { sendSmsResponseList: [] }),
      run: sendSmsMultiple,
    },
    {
      method: "GET",
      path: withId("get-sms-status"),
      naming,
      envelope: "getSmsStatusResp",
      read: inPath,
      run: getSmsStatus,
    },
    {
      method: "POST",
      path: withId("cancel-sms"),
      naming,
      envelope: "cancelSmsResp",
      read: inPath,
      run: cancelSms,
    },
    {
      method: "POST",
      path: at("/received/list/?"),
      naming,
      envelope: "receivedResponse",
      read: inPath,
      run: receivedList,
    },
    {
      method: "GET",
      path: at("/received/search(?:/(?<startDate>[^/]*)(?:/(?<endDate>[^/]*))?)?/?"),
      naming,
      envelope: "receivedResponse",
      read: ({ query: { mobile, mtId } }, captured) => ({
        ok: true,
        fields: { ...captured, mobile, mtId },
      }),
      run: receivedSearch,
    },
  ];
}

/** The same operations by their names in the WSDL. */
const SOAP_RUN: Readonly<Record<SoapOperation, Run>> = {
  sendSms,
  sendSmsMultiple,
  getSmsStatus,
  cancelSms,
  receivedList,
  receivedSearch,
};
const SOAP_PATH = /^\/api\/soap\/?$/;

/** The envelope of answers to what is no operation; a client of this dialect reads this one in any case. */
const DEFAULT_ENVELOPE: Envelope = "sendSmsResponse";

/** What is wrong with a body, as HTTP says it, and in words for who writes the client. */
const ANSWER_TO_BODY = {
  "too-large": { status: 413, hint: "The body is too large." },
  "not-json-type": { status: 415, hint: "The Content-Type must be application/json, in UTF-8." },
  empty: { status: 400, hint: "The body is empty." },
  malformed: { status: 400, hint: "The body is not JSON in UTF-8." },
} as const;

const CHALLENGE = { "www-authenticate": 'Basic realm="SMS API", charset="UTF-8"' };

/** The Mesago API, and the Zenvia-classic API that it descends from. */
export function createHandler(deps: MesagoDependencies): ApiHandler {
  return {
    async handle(request) {
      if (SOAP_PATH.test(request.path)) return handleSoap(deps, request);
      const here = OPERATIONS.filter(({ path }) => path.test(request.path));
      const operation = here.find(({ method }) => method === request.method);
      if (!operation) return wrongOperation(here);
      const { envelope, naming, path, read, run } = operation;
      const respond = (answer: Answer) => inJson(envelope, answer);
      if (!isKnownVersion(request)) {
        return respond(refused(400, "998", `There is no version but ${VERSION}.`));
      }
      const account = await authenticated(deps, request);
      if (!account) return { ...respond(refused(401, "900")), headers: CHALLENGE };
      const asked = read(request, path.exec(request.path)?.groups ?? {});
      return respond(
        asked.ok ? await run(deps, { account, naming, fields: asked.fields }) : asked.answer,
      );
    },

    onError(request, error) {
      const [status, log] =
        error instanceof UnavailableError ? [503, { traceId: error.traceId }] : [500, {}];
      if (SOAP_PATH.test(request.path)) {
        return inXml(status, soapFault({ code: "Server", reason: "Unknown Error" }), log);
      }
      const operation = OPERATIONS.find(({ path }) => path.test(request.path));
      const envelope = operation?.envelope ?? DEFAULT_ENVELOPE;
      return inJson(envelope, { ...refused(status, "999"), log });
    },
  };
}

/** `/api/soap`: the description of the service, and its operations (docs/mesago.md, "SOAP"). */
async function handleSoap(deps: MesagoDependencies, request: ApiRequest): Promise<ApiResponse> {
  if (request.method === "GET") {
    const asksForWsdl = Object.keys(request.query).some((name) => name.toLowerCase() === "wsdl");
    if (asksForWsdl) return inXml(200, wsdl(soapLocation(request)));
  }
  if (request.method !== "POST") {
    const fault = {
      code: "Client",
      reason: "Requests are POSTed; GET ?wsdl describes them.",
    } as const;
    return { ...inXml(405, soapFault(fault)), headers: { ...XML_TYPE, allow: "GET, POST" } };
  }
  const account = await authenticated(deps, request);
  if (!account) {
    const fault = { code: "Client", reason: "900 Authentication error" } as const;
    return { ...inXml(401, soapFault(fault)), headers: { ...XML_TYPE, ...CHALLENGE } };
  }
  if (!isKnownVersion(request)) {
    const fault = { code: "Client", reason: "998 Wrong operation requested" } as const;
    return inXml(400, soapFault(fault));
  }
  if (request.body.length > MAX_BODY_BYTES) {
    const fault = { code: "Client", reason: ANSWER_TO_BODY["too-large"].hint } as const;
    return inXml(413, soapFault(fault));
  }
  const parsed = parseSoapRequest(request.headers["content-type"], request.body);
  if (!parsed.ok) return inXml(400, soapFault(parsed.fault), { fault: parsed.fault.code });
  const { operation, fields } = parsed;
  const answer = await SOAP_RUN[operation](deps, { account, naming: MESAGO, fields });
  return inXml(200, soapResponse(operation, answer.fields), {
    operation,
    ...answer.log,
  });
}

const XML_TYPE = { "content-type": "text/xml; charset=utf-8" };

function inXml(status: number, body: string, log: ApiResponse["log"] = {}): ApiResponse {
  return { status, headers: XML_TYPE, body, log: { protocol: "soap", ...log } };
}

/** Where the client found us, which is where it should call. */
function soapLocation({ headers }: ApiRequest): string {
  const protocol = headers["x-forwarded-proto"] ?? "http";
  return `${protocol}://${headers.host ?? "localhost"}${MESAGO.base}/soap`;
}

function inJson(envelope: Envelope, { status, fields, log }: Answer): ApiResponse {
  return { status, body: { [envelope]: fields }, log: { envelope, ...log } };
}

const isKnownVersion = ({ query }: ApiRequest) => (query.version ?? VERSION) === VERSION;

/** An unknown path, or a known one with a method it does not have. */
function wrongOperation(here: readonly Operation[]): ApiResponse {
  const [first] = here;
  if (!first) return inJson(DEFAULT_ENVELOPE, refused(404, "998"));
  const allow = here.map(({ method }) => method).join(", ");
  return { ...inJson(first.envelope, refused(405, "998")), headers: { allow } };
}

async function authenticated(
  { authenticate }: MesagoDependencies,
  { headers }: ApiRequest,
): Promise<Account | undefined> {
  const given = basicCredentials(headers.authorization);
  return given && authenticate(given.user, given.password);
}

/** Reads the fields of a JSON body out of their envelope; `beside` is what a refusal has, too. */
function inEnvelope(envelope: string, maxBytes: number, beside: object = {}): Operation["read"] {
  const refuse = (...refusal: Parameters<typeof refused>): ReadFields => {
    const answer = refused(...refusal);
    return { ok: false, answer: { ...answer, fields: { ...answer.fields, ...beside } } };
  };
  return (request) => {
    const json = readJson(request, maxBytes);
    if (!json.ok) {
      const { status, hint } = ANSWER_TO_BODY[json.problem];
      return refuse(status, "170", hint);
    }
    const opened = openEnvelope(json.value, envelope);
    return opened.ok ? opened : refuse(400, opened.detailCode, opened.hint);
  };
}
