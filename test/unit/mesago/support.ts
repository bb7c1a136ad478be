import { expect } from "vitest";
import type { Account } from "../../../functions/core/account.ts";
import { createAuthenticate } from "../../../functions/core/authenticate.ts";
import { createHandler, type MesagoDependencies } from "../../../functions/mesago/handler.ts";
import {
  SOAP_NAMESPACE,
  SOAP_OPERATIONS,
  type SoapOperation,
} from "../../../functions/mesago/soap.ts";
import type { ApiHandler, ApiRequest, ApiResponse } from "../../../functions/runtime/http.ts";
import {
  CountingRandomness,
  ManualClock,
  MemoryBatches,
  MemoryBatchQueue,
  MemoryDirectory,
  MemoryDispatchQueue,
  MemoryMessages,
  MemoryMos,
} from "../../support/memory.ts";
import { MemoryBlockedNumbers, MemoryUsageCounters } from "../../support/memory-customers.ts";
import { SAMPLE_PASSWORD, sampleAccount } from "../../support/samples.ts";
import { FaultyPorts } from "../core/support.ts";

/** An `Authorization` header. */
export const basic = (user: string, password = SAMPLE_PASSWORD) =>
  `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;

export type Fields = Record<string, unknown>;

/** Zenvia's names of Mesago's fields. */
const ZENVIA_NAMES: ReadonlyMap<string, string> = new Map([
  ["destination", "to"],
  ["messageText", "msg"],
  ["correlationId", "id"],
  ["scheduledDate", "schedule"],
  ["extraInfo", "aggregateId"],
  ["flashSMS", "flashSms"],
  ["expiresDate", "expiryDate"],
]);

/** The paths and names of the two dialects, as docs/mesago.md has them. */
export const DIALECTS = {
  mesago: {
    sendPath: "/api/send-sms",
    multiplePath: "/api/send-sms-multiple",
    statusPath: (id: string) => `/api/get-sms-status/id/${id}`,
    cancelPath: (id: string) => `/api/cancel-sms/id/${id}`,
    listPath: "/api/received/list",
    searchPath: (from: string, to: string) => `/api/received/search/${from}/${to}`,
    list: "messages",
    /** Whether its answers tell an id of ours. */
    tellsOurId: true,
    named: (fields: Fields): Fields => fields,
  },
  zenvia: {
    sendPath: "/services/send-sms",
    multiplePath: "/services/send-sms-multiple",
    statusPath: (id: string) => `/services/get-sms-status/${id}`,
    cancelPath: (id: string) => `/services/cancel-sms/${id}`,
    listPath: "/services/received/list",
    searchPath: (from: string, to: string) => `/services/received/search/${from}/${to}`,
    list: "sendSmsRequestList",
    tellsOurId: false,
    named: (fields: Fields): Fields =>
      Object.fromEntries(
        Object.entries(fields).map(([name, value]) => [ZENVIA_NAMES.get(name) ?? name, value]),
      ),
  },
} as const;
export type DialectName = keyof typeof DIALECTS;

/** Every operation over HTTP with the envelope of its answers. */
export const OPERATIONS = [
  ["POST", "/api/send-sms", "sendSmsResponse"],
  ["GET", "/api/send-sms", "sendSmsResponse"],
  ["POST", "/api/send-sms-multiple", "sendSmsMultiResponse"],
  ["GET", "/api/get-sms-status/id/id-1", "getSmsStatusResp"],
  ["POST", "/api/cancel-sms/id/id-1", "cancelSmsResp"],
  ["POST", "/api/received/list", "receivedResponse"],
  ["GET", "/api/received/search/2026-03-01T00:00:00/2026-03-02T23:59:59", "receivedResponse"],
  ["POST", "/services/send-sms", "sendSmsResponse"],
  ["GET", "/services/send-sms", "sendSmsResponse"],
  ["POST", "/services/send-sms-multiple", "sendSmsMultiResponse"],
  ["GET", "/services/get-sms-status/id-1", "getSmsStatusResp"],
  ["POST", "/services/cancel-sms/id-1", "cancelSmsResp"],
  ["POST", "/services/received/list", "receivedResponse"],
  ["GET", "/services/received/search/2026-03-01T00:00:00/2026-03-02T23:59:59", "receivedResponse"],
] as const;

/** A good request to any of the operations. */
export function goodRequest(method: string, path: string): Partial<ApiRequest> {
  const sms = { destination: "5519900001111", messageText: "Hello", correlationId: "id-2" };
  const bodies = [
    [/\/send-sms$/, { sendSmsRequest: sms }],
    [/\/send-sms-multiple$/, { sendSmsMultiRequest: { messages: [sms] } }],
  ] as const;
  const body = bodies.find(([ending]) => ending.test(path))?.[1];
  if (method === "GET") return { method, path, query: /send-sms$/.test(path) ? sms : {} };
  return { method, path, body: Buffer.from(body ? JSON.stringify(body) : "") };
}

/** Four fields of an answer, as the document words them. */
export const OK = {
  statusCode: "00",
  statusDescription: "Ok",
  detailCode: "000",
  detailDescription: "Message Sent",
} as const;

/** A SOAP 1.1 envelope around the fields of an operation, given as XML. */
export const soapEnvelope = (operation: SoapOperation, fields: string) =>
  `<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body>` +
  `<${operation} xmlns="${SOAP_NAMESPACE}">${fields}</${operation}></e:Body></e:Envelope>`;

interface Setting {
  /** The time; noon in São Paulo, unless told otherwise. */
  readonly now?: string;
  readonly account?: Partial<Account>;
  /** Instead of those in memory. */
  readonly ports?: Partial<MesagoDependencies>;
}

/** The API with everything behind it in memory, and two accounts, `acme` and `other`. */
export class TestApi {
  readonly clock: ManualClock;
  readonly directory = new MemoryDirectory();
  readonly messages: MemoryMessages;
  readonly batches: MemoryBatches;
  readonly mos: MemoryMos;
  readonly dispatchQueue = new MemoryDispatchQueue();
  readonly batchQueue = new MemoryBatchQueue();
  readonly blockedNumbers = new MemoryBlockedNumbers();
  readonly usage = new MemoryUsageCounters();
  readonly handler: ApiHandler;
  readonly #randomness = new CountingRandomness();
  /** The last id that was made: of a message without id, also where its answer does not tell it. */
  lastUuid = "";

  #nextUuid() {
    this.lastUuid = this.#randomness.uuid();
    return this.lastUuid;
  }

  constructor({ now = "2026-03-02T15:00:00Z", account = {}, ports = {} }: Setting = {}) {
    const clock = new ManualClock(Date.parse(now));
    this.clock = clock;
    this.messages = new MemoryMessages(clock);
    this.batches = new MemoryBatches(clock);
    this.mos = new MemoryMos(clock);
    for (const name of ["acme", "other"]) {
      this.directory.accounts.set(name, sampleAccount({ account: name, ...account }));
    }
    this.handler = createHandler({
      authenticate: createAuthenticate({ directory: this.directory, clock }),
      messages: this.messages,
      batches: this.batches,
      mos: this.mos,
      dispatchQueue: this.dispatchQueue,
      batchQueue: this.batchQueue,
      blockedNumbers: this.blockedNumbers,
      usage: this.usage,
      clock,
      randomness: { uuid: () => this.#nextUuid() },
      retentionMs: 86_400_000,
      ...ports,
    });
  }

  /** Answers a request as Lambda's wrapper does: what is thrown as the dialect answers it. */
  async call({ headers, ...given }: Partial<ApiRequest>): Promise<ApiResponse> {
    const request: ApiRequest = {
      method: "POST",
      path: "/api/send-sms",
      sourceIp: "198.51.100.7",
      query: {},
      body: Buffer.from(""),
      ...given,
      headers: {
        authorization: basic("acme"),
        "content-type": "application/json",
        ...headers,
      },
    };
    return this.handler.handle(request).catch((error) => this.handler.onError(request, error));
  }

  post(path: string, body: unknown, request: Partial<ApiRequest> = {}) {
    const text = typeof body === "string" ? body : JSON.stringify(body);
    return this.call({ path, body: Buffer.from(text), ...request });
  }

  get(path: string, request: Partial<ApiRequest> = {}) {
    return this.call({ method: "GET", path, ...request });
  }

  /** Sends a good message with these fields, by Mesago's names. */
  sendSms(fields: Fields, dialect: DialectName = "mesago") {
    const { sendPath, named } = DIALECTS[dialect];
    const good = { destination: "5519900001111", messageText: "Hello" };
    return this.post(sendPath, { sendSmsRequest: named({ ...good, ...fields }) });
  }

  /** Sends good messages with these fields, and more fields of the request, by Mesago's names. */
  sendMany(messages: readonly unknown[], more: Fields = {}, dialect: DialectName = "mesago") {
    const { multiplePath, named, list } = DIALECTS[dialect];
    const good = { destination: "5519900001111", messageText: "Hello" };
    const { defaultValues, ...root } = more;
    return this.post(multiplePath, {
      sendSmsMultiRequest: {
        ...named(root),
        [list]: messages.map((it) => (isFields(it) ? named(it) : it)),
        defaultValues: named({ ...good, ...(isFields(defaultValues) ? defaultValues : {}) }),
      },
    });
  }

  status(id: string, dialect: DialectName = "mesago") {
    return this.get(DIALECTS[dialect].statusPath(id));
  }

  cancel(id: string, dialect: DialectName = "mesago") {
    return this.call({ path: DIALECTS[dialect].cancelPath(id) });
  }

  soap(operation: SoapOperation, fields = "", request: Partial<ApiRequest> = {}) {
    return this.post("/api/soap", soapEnvelope(operation, fields), {
      ...request,
      headers: { "content-type": "text/xml; charset=utf-8", ...request.headers },
    });
  }

  /** A message that was accepted, alone or in a batch that is not expanded yet. */
  async stored(id: string, account = "acme") {
    const [open] = await this.batches.findOpen(account, [id]);
    return (await this.messages.find(account, id)) ?? open?.message;
  }
}

export const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** What is in the envelope of an answer, which must be its only one. */
export function contentOf({ body }: ApiResponse): Fields {
  const [content, ...others] = isFields(body) ? Object.values(body) : [];
  if (!isFields(content) || others.length > 0) throw new Error(`no envelope: ${String(body)}`);
  return content;
}

/** `10/013`: the codes of an answer. */
export function codesOf(response: ApiResponse): string {
  const { statusCode, detailCode } = contentOf(response);
  return `${statusCode}/${detailCode}`;
}

/** The answers to each message of a bulk request. */
export function listOf(response: ApiResponse): Fields[] {
  const { sendSmsResponseList } = contentOf(response);
  expect(sendSmsResponseList).toBeInstanceOf(Array);
  return sendSmsResponseList as Fields[];
}

export const detailsOf = (response: ApiResponse) =>
  listOf(response).map(({ detailCode }) => detailCode);

/** `Authorization` headers that are nobody's. */
export const WRONG_CREDENTIALS: readonly [string, string | undefined][] = [
  ["no header", undefined],
  ["an empty header", ""],
  ["another scheme", "Bearer abc"],
  ["no colon", `Basic ${Buffer.from("acme").toString("base64")}`],
  ["what is not base64", "Basic ñ"],
  ["a wrong password", basic("acme", "wrong")],
  ["no password", basic("acme", "")],
  ["an unknown account", basic("nobody")],
  ["a name of JavaScript's", basic("__proto__")],
];

/** Ports of which every call fails. */
export function apiWithout(...broken: ("directory" | "stores" | "queues")[]): TestApi {
  const faulty = new FaultyPorts(() => "refused");
  const { messages, batches, mos, dispatchQueue, batchQueue } = new TestApi();
  return new TestApi({
    ports: {
      ...(broken.includes("directory") && {
        authenticate: async () => {
          throw new Error("a secret of the directory");
        },
      }),
      ...(broken.includes("stores") && {
        messages: faulty.wrap(messages),
        batches: faulty.wrap(batches),
        mos: faulty.wrap(mos),
      }),
      ...(broken.includes("queues") && {
        dispatchQueue: faulty.wrap(dispatchQueue),
        batchQueue: faulty.wrap(batchQueue),
      }),
    },
  });
}

export const ENVELOPES: readonly string[] = [
  ...new Set(OPERATIONS.map(([, , envelope]) => envelope)),
];

/** Everything that answers may leave in the log, and what it may look like. */
const LOGGED: Readonly<Record<string, RegExp>> = {
  envelope: new RegExp(`^(${ENVELOPES.join("|")})$`),
  protocol: /^soap$/,
  operation: new RegExp(`^(${SOAP_OPERATIONS.join("|")})$`),
  fault: /^(Client|VersionMismatch|MustUnderstand)$/,
  detailCode: /^\d{3}$/,
  traceId: /^(uuid|trace)-\d+$/,
  state: /^[A-Z_]+$/,
  outcome: /^(canceled|already-canceled|too-late)$/,
  scheduleLeft: /^Error$/,
  accepted: /^\d+$/,
  refused: /^\d+$/,
  mos: /^\d+$/,
};

/** Checks that what an answer leaves in the log is nothing of a client's. */
export function expectHarmlessLog({ log = {} }: ApiResponse) {
  for (const [name, value] of Object.entries(log)) {
    expect(Object.keys(LOGGED)).toContain(name);
    expect([name, String(value)]).toEqual([name, expect.stringMatching(LOGGED[name] ?? /^$/)]);
  }
}
