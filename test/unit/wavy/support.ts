import type { APIGatewayProxyEventV2 } from "aws-lambda";
import { expect } from "vitest";
import type { Account } from "../../../functions/core/account.ts";
import { createAuthenticateUser } from "../../../functions/core/authenticate.ts";
import type { OutboundMessage } from "../../../functions/core/carrier.ts";
import { dispatchMessage } from "../../../functions/core/dispatch-message.ts";
import { expandBatch } from "../../../functions/core/expand-batch.ts";
import type { Message } from "../../../functions/core/message.ts";
import { hashSecret } from "../../../functions/core/passwords.ts";
import { createRateLimit } from "../../../functions/core/rate-limit.ts";
import type { SubAccount } from "../../../functions/core/sub-account.ts";
import type { User } from "../../../functions/core/user.ts";
import {
  type ApiHandler,
  type ApiRequest,
  type ApiResponse,
  createHttpFunction,
} from "../../../functions/runtime/http.ts";
import {
  createHandler,
  type RateLimits,
  type WavyDependencies,
} from "../../../functions/wavy/handler.ts";
import {
  bulkAnswerSchema,
  errorAnswerSchema,
  type MessageStatus,
  type ReceivedMessage,
  receivedAnswerSchema,
  singleAnswerSchema,
  statusesAnswerSchema,
} from "../../../functions/wavy/schema.ts";
import {
  CountingRandomness,
  ManualClock,
  ManualTimeLimit,
  MemoryBatches,
  MemoryBatchQueue,
  MemoryDirectory,
  MemoryDispatchQueue,
  MemoryMessages,
  MemoryMos,
} from "../../support/memory.ts";
import {
  MemoryBlockedNumbers,
  MemoryContents,
  MemorySubAccounts,
  MemoryUsageCounters,
  MemoryUsers,
} from "../../support/memory-customers.ts";
import { MemoryRateCounter } from "../../support/memory-rate-counter.ts";
import { RecordingLog } from "../../support/recording-log.ts";
import { sampleAccount } from "../../support/samples.ts";
import { dispatchDependencies, FaultyPorts, WillingCarrier } from "../core/support.ts";

export type Fields = Record<string, unknown>;
export type Query = Record<string, string | undefined>;

/** Who can call: a regular user of each sub-account of `acme`, its administrator, and that of `other`. */
export const USERS = {
  marketing: {
    account: "acme",
    username: "Ana",
    email: "Ana@acme.example",
    token: "token-of-Ana",
    role: "regular",
    subAccount: "Marketing",
  },
  vendas: {
    account: "acme",
    username: "Rui",
    email: "rui@acme.example",
    token: "token-of-Rui",
    role: "regular",
    subAccount: "Vendas",
  },
  admin: { account: "acme", username: "chefe", token: "token-of-chefe", role: "admin" },
  stranger: { account: "other", username: "stranger", token: "token-of-stranger", role: "admin" },
} as const;
export type UserName = keyof typeof USERS;

const USER_NAMES = Object.keys(USERS) as UserName[];

/** The sub-accounts of `acme`; `other` has a Marketing of its own. */
const SUB_ACCOUNTS = [
  { account: "acme", subAccount: "Marketing" },
  { account: "acme", subAccount: "Vendas" },
  { account: "other", subAccount: "Marketing" },
] as const;

function userOf(name: UserName): User {
  const { token, ...user } = USERS[name];
  return {
    version: 1,
    ...user,
    state: "active",
    tokens: [{ hash: hashSecret(token), createdAt: 0 }],
    createdAt: 0,
    revision: 0,
  };
}

/** The headers that a user authenticates with. */
export const credentialsOf = (name: UserName) => ({
  username: USERS[name].username,
  authenticationtoken: USERS[name].token,
});

/** Every operation over HTTP. */
export const OPERATIONS = [
  ["POST", "/v1/send-sms"],
  ["GET", "/v1/send-sms"],
  ["POST", "/v1/send-bulk-sms"],
  ["POST", "/v1/sms/status/search"],
  ["GET", "/v1/sms/status/list"],
  ["GET", "/v1/sms-status"],
  ["GET", "/v1/sms/receive/list"],
  ["GET", "/v1/sms/receive/search"],
] as const;

const SMS = { destination: "5519900001111", messageText: "Hello" };

/** A good request to any of the operations; `sms-status` is asked for a message called `id-1`. */
export function goodRequest(method: string, path: string): Partial<ApiRequest> {
  const bodies: Readonly<Record<string, unknown>> = {
    "/v1/send-sms": SMS,
    "/v1/send-bulk-sms": { messages: [SMS] },
    "/v1/sms/status/search": { ids: ["id-1"] },
  };
  const queries: Readonly<Record<string, Query>> = {
    "/v1/send-sms": SMS,
    "/v1/sms-status": { id: "id-1" },
  };
  return method === "GET"
    ? { method, path, query: queries[path] ?? {} }
    : { method, path, body: Buffer.from(JSON.stringify(bodies[path])) };
}

interface Setting {
  /** The time; noon in São Paulo, unless told otherwise. */
  readonly now?: string;
  /** Of both accounts. */
  readonly account?: Partial<Account>;
  /** Of all users. */
  readonly user?: Partial<User>;
  /** Of all sub-accounts. */
  readonly subAccount?: Partial<SubAccount>;
  /** More than any test asks for, unless told otherwise. */
  readonly rateLimits?: RateLimits;
  /** Instead of those in memory. */
  readonly ports?: Partial<WavyDependencies>;
}

/** The API with everything behind it in memory, and the accounts, sub-accounts and users above. */
export class TestWavyApi {
  readonly clock: ManualClock;
  readonly directory = new MemoryDirectory();
  readonly users = new MemoryUsers();
  readonly subAccounts = new MemorySubAccounts();
  readonly contents = new MemoryContents();
  readonly blockedNumbers = new MemoryBlockedNumbers();
  readonly usage = new MemoryUsageCounters();
  readonly rateCounter = new MemoryRateCounter();
  readonly messages: MemoryMessages;
  readonly batches: MemoryBatches;
  readonly mos: MemoryMos;
  readonly dispatchQueue = new MemoryDispatchQueue();
  readonly batchQueue = new MemoryBatchQueue();
  readonly randomness = new CountingRandomness();
  /** Where the function writes to when it is invoked. */
  readonly log = new RecordingLog();
  readonly handler: ApiHandler;

  constructor({
    now = "2026-03-02T15:00:00Z",
    account = {},
    user = {},
    subAccount = {},
    rateLimits = { requestsPerSecond: 1_000_000, statusQueriesPerSecond: 1_000_000 },
    ports = {},
  }: Setting = {}) {
    const clock = new ManualClock(Date.parse(now));
    this.clock = clock;
    this.messages = new MemoryMessages(clock);
    this.batches = new MemoryBatches(clock);
    this.mos = new MemoryMos(clock);
    for (const name of ["acme", "other"]) {
      this.directory.accounts.set(name, sampleAccount({ account: name, ...account }));
    }
    // Stores in memory have done their work when they return.
    for (const named of SUB_ACCOUNTS) {
      const unlimited = {
        version: 1,
        limits: { prepaid: false },
        createdAt: 0,
        revision: 0,
      } as const;
      this.subAccounts.insertSubAccount({ ...unlimited, ...named, ...subAccount });
    }
    for (const name of USER_NAMES) this.users.insertUser({ ...userOf(name), ...user });
    this.handler = createHandler({
      authenticate: createAuthenticateUser({ ...this, clock }),
      rateLimit: createRateLimit({
        counter: this.rateCounter,
        clock,
        timeLimit: new ManualTimeLimit(),
      }),
      rateLimits,
      subAccounts: this.subAccounts,
      contents: this.contents,
      blockedNumbers: this.blockedNumbers,
      usage: this.usage,
      messages: this.messages,
      batches: this.batches,
      mos: this.mos,
      dispatchQueue: this.dispatchQueue,
      batchQueue: this.batchQueue,
      clock,
      randomness: this.randomness,
      retentionMs: 86_400_000,
      ...ports,
    });
  }

  /** Answers a request as Lambda's wrapper does: what is thrown as the dialect answers it. */
  async call(
    { headers, ...given }: Partial<ApiRequest>,
    as: UserName = "marketing",
  ): Promise<ApiResponse> {
    const request: ApiRequest = {
      method: "POST",
      path: "/v1/send-sms",
      query: {},
      body: Buffer.from(""),
      sourceIp: "203.0.113.1",
      ...given,
      headers: { ...credentialsOf(as), "content-type": "application/json", ...headers },
    };
    return this.handler.handle(request).catch((error) => this.handler.onError(request, error));
  }

  /** Invokes the function as API Gateway does; header names are left as they are written. */
  invoke({
    method = "GET",
    path = "/v1/sms/status/list",
    headers = credentialsOf("marketing"),
    query = {},
    body,
  }: {
    method?: string;
    path?: string;
    headers?: Record<string, string>;
    query?: Record<string, string>;
    body?: string;
  } = {}) {
    const event = {
      version: "2.0",
      routeKey: "ANY /v1/{proxy+}",
      rawPath: path,
      rawQueryString: String(new URLSearchParams(query)),
      headers,
      queryStringParameters: query,
      requestContext: {
        http: { method, sourceIp: "203.0.113.1" },
        requestId: "request-1",
      },
      pathParameters: { proxy: path.slice("/v1/".length) },
      isBase64Encoded: false,
      ...(body !== undefined && { body }),
    };
    return createHttpFunction(this.handler, this.log)(event as unknown as APIGatewayProxyEventV2);
  }

  post(path: string, body: unknown, as?: UserName, request: Partial<ApiRequest> = {}) {
    const text = typeof body === "string" ? body : JSON.stringify(body);
    return this.call({ path, body: Buffer.from(text), ...request }, as);
  }

  get(path: string, query: Query = {}, as?: UserName) {
    return this.call({ method: "GET", path, query }, as);
  }

  /** Sends a good message with these fields. */
  send(fields: Fields = {}, as?: UserName) {
    return this.post("/v1/send-sms", { ...SMS, ...fields }, as);
  }

  /** Sends a good message with these fields in the query. */
  sendByGet(query: Query = {}, as?: UserName) {
    return this.get("/v1/send-sms", { ...SMS, ...query }, as);
  }

  /** Sends these messages, whose text is given by default, with these fields of the request. */
  sendBulk(messages: readonly unknown[], root: Fields = {}, as?: UserName) {
    const defaultValues = { messageText: "Hello" };
    return this.post("/v1/send-bulk-sms", { messages, defaultValues, ...root }, as);
  }

  search(body: unknown, as?: UserName) {
    return this.post("/v1/sms/status/search", body, as);
  }

  listStatus(as?: UserName, query?: Query) {
    return this.get("/v1/sms/status/list", query, as);
  }

  status(id: string, as?: UserName) {
    return this.get("/v1/sms-status", { id }, as);
  }

  listMos(as?: UserName, query?: Query) {
    return this.get("/v1/sms/receive/list", query, as);
  }

  searchMos(query?: Query, as?: UserName) {
    return this.get("/v1/sms/receive/search", query, as);
  }

  /** Does what the worker on batches does with what it was asked for. */
  async expand(): Promise<void> {
    for (const job of this.batchQueue.jobs.splice(0)) await expandBatch(this, job);
  }

  /** Hands what is due to a carrier that takes everything. @returns what it was handed */
  async dispatch(): Promise<readonly OutboundMessage[]> {
    const carrier = new WillingCarrier();
    const { entries } = this.dispatchQueue;
    const due = entries.filter(({ notBefore }) => notBefore <= this.clock.now());
    for (const entry of due) {
      entries.splice(entries.indexOf(entry), 1);
      await dispatchMessage(dispatchDependencies({ ...this, carrier }), entry.ref);
    }
    return carrier.handedOver;
  }

  /** A message that was accepted, alone or in a batch that is not expanded yet. */
  async stored(id: string, account = "acme"): Promise<Message | undefined> {
    const [open] = await this.batches.findOpen(account, [id]);
    return (await this.messages.find(account, id)) ?? open?.message;
  }

  /** Sends a good message with these fields, which must be accepted. @returns what is stored of it */
  async sent(fields: Fields = {}, as?: UserName): Promise<Message> {
    return this.#only(await this.send(fields, as), as);
  }

  /** The same by GET. */
  async sentByGet(query: Query = {}, as?: UserName): Promise<Message> {
    return this.#only(await this.sendByGet(query, as), as);
  }

  async #only(response: ApiResponse, as: UserName = "marketing"): Promise<Message> {
    const [id, ...others] = idsOf(response);
    expect(others).toEqual([]);
    const message = await this.stored(String(id), USERS[as].account);
    if (!message) throw new Error("what was accepted is not stored");
    return message;
  }

  /** Sends good messages in bulk, which must be accepted. @returns what is stored of each */
  async sentBulk(
    messages: readonly unknown[],
    root: Fields = {},
    as?: UserName,
  ): Promise<(Message | undefined)[]> {
    const ids = idsOf(await this.sendBulk(messages, root, as));
    return Promise.all(ids.map((id) => this.stored(id)));
  }
}

/** The ids that an answer to sending tells; the answer must be the documented one. */
export function idsOf({ status, body }: ApiResponse): string[] {
  expect({ status, body }).toMatchObject({ status: 200 });
  const messages = Array.isArray(body)
    ? singleAnswerSchema.parse(body)
    : bulkAnswerSchema.parse(body).messages;
  return messages.map(({ id }) => id);
}

/** The statuses that `status/search` or `status/list` tells; the answer must be the documented one. */
export function statusesOf({ status, body }: ApiResponse): MessageStatus[] {
  expect({ status, body }).toMatchObject({ status: 200 });
  const answer = statusesAnswerSchema.parse(body);
  expect(answer).toStrictEqual(body);
  expect(answer.total).toBe(answer.messages.length);
  return answer.messages;
}

/** The MOs that `receive/list` or `receive/search` tells; the answer must be the documented one. */
export function mosOf({ status, body }: ApiResponse): ReceivedMessage[] {
  expect({ status, body }).toMatchObject({ status: 200 });
  const answer = receivedAnswerSchema.parse(body);
  expect(answer).toStrictEqual(body);
  expect(answer.total).toBe(answer.messages.length);
  return answer.messages;
}

/** `400 INVALID_REQUEST`: what an answer says that is an error, whose body must be the documented one. */
export function errorOf({ status, body }: ApiResponse): string {
  const { errorCode } = errorAnswerSchema.parse(body);
  expect(body).toStrictEqual({ errorCode, errorMessage: expect.stringMatching(/\S/) });
  return `${status} ${errorCode}`;
}

export const INVALID = "400 INVALID_REQUEST";
export const FORBIDDEN = "403 FORBIDDEN";

/** Ports of which every call fails. */
export function apiWithout(
  ...broken: ("directory" | "customers" | "messages" | "mos" | "queues")[]
): TestWavyApi {
  const faulty = new FaultyPorts(() => "refused");
  const good = new TestWavyApi();
  return new TestWavyApi({
    ports: {
      ...(broken.includes("directory") && {
        authenticate: async () => {
          throw new Error("a secret of the directory");
        },
      }),
      ...(broken.includes("customers") && {
        subAccounts: faulty.wrap(good.subAccounts),
        contents: faulty.wrap(good.contents),
        blockedNumbers: faulty.wrap(good.blockedNumbers),
        usage: faulty.wrap(good.usage),
      }),
      ...(broken.includes("messages") && {
        messages: faulty.wrap(good.messages),
        batches: faulty.wrap(good.batches),
      }),
      ...(broken.includes("mos") && { mos: faulty.wrap(good.mos) }),
      ...(broken.includes("queues") && {
        dispatchQueue: faulty.wrap(good.dispatchQueue),
        batchQueue: faulty.wrap(good.batchQueue),
      }),
    },
  });
}

/** Everything that answers may leave in the log, and what it may look like. */
const LOGGED: Readonly<Record<string, RegExp>> = {
  account: /^(acme|other)$/,
  errorCode: /^[A-Z_]+$/,
  traceId: /^(uuid|trace)-\d+$/,
  state: /^[A-Z_]+$/,
  reason: /^[a-z-]+$/,
  accepted: /^\d+$/,
  blocked: /^\d+$/,
  statuses: /^\d+$/,
  mos: /^\d+$/,
};

/** Checks that what an answer leaves in the log is nothing of a client's. */
export function expectHarmlessLog({ log = {} }: ApiResponse) {
  for (const [name, value] of Object.entries(log)) {
    if (value === undefined) continue;
    expect(Object.keys(LOGGED)).toContain(name);
    expect([name, String(value)]).toEqual([name, expect.stringMatching(LOGGED[name] ?? /^$/)]);
  }
}
