import { expect } from "vitest";
import { type AdminDependencies, createHandler } from "../../../functions/admin/handler.ts";
import { description } from "../../../functions/admin/openapi.ts";
import { BASE, type Route } from "../../../functions/admin/route.ts";
import { ROUTES } from "../../../functions/admin/routes.ts";
import { errorAnswer } from "../../../functions/admin/schema.ts";
import { createAuthenticateUser } from "../../../functions/core/authenticate.ts";
import { hashSecret } from "../../../functions/core/passwords.ts";
import type { SubAccount } from "../../../functions/core/sub-account.ts";
import type { User } from "../../../functions/core/user.ts";
import type { ApiHandler, ApiRequest, ApiResponse } from "../../../functions/runtime/http.ts";
import { CountingRandomness, ManualClock, MemoryDirectory } from "../../support/memory.ts";
import {
  MemoryCallbackQueue,
  MemoryDeliveries,
  MemoryEndpointHealths,
} from "../../support/memory-callbacks.ts";
import {
  MemoryBlockedNumbers,
  MemoryContents,
  MemorySubAccounts,
  MemoryUsageCounters,
  MemoryUsers,
} from "../../support/memory-customers.ts";
import { sampleAccount, sampleDelivery, sampleEndpoint } from "../../support/samples.ts";

/** The token of every user that is there from the beginning. */
const TOKEN = "a-token";
export const NUMBER = "5519900001111";

/** An active administrator of `acme`. */
export const sampleUser = (overrides: Partial<User> = {}): User => ({
  version: 1,
  account: "acme",
  username: "boss",
  email: "boss@acme.example",
  role: "admin",
  state: "active",
  tokens: [{ hash: hashSecret(TOKEN), createdAt: 0 }],
  createdAt: 0,
  revision: 0,
  ...overrides,
});

/** The sub-account `Sales` of `acme`. */
export const sampleSubAccount = (overrides: Partial<SubAccount> = {}): SubAccount => ({
  version: 1,
  account: "acme",
  subAccount: "Sales",
  limits: { prepaid: false },
  createdAt: 0,
  revision: 0,
  ...overrides,
});

/** The headers of a user's credentials. */
export const as = (username: string, authenticationtoken = TOKEN) => ({
  username,
  authenticationtoken,
});

/** An `Authorization` header. */
export const basic = (user: string, password = TOKEN) =>
  `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;

/** The callback that `furnish` gives an account: it has failed. */
export const CALLBACK = "secret_secret_sent";

const DOCUMENT = { openapi: "3.1.0", paths: {} };

/**
 * The admin API with everything behind it in memory: accounts `acme`, of administrator `boss` and
 * regular user `clerk`, and `other`, of administrator `rival`.
 */
export class TestAdmin {
  readonly clock = new ManualClock();
  readonly directory = new MemoryDirectory();
  readonly users = new MemoryUsers();
  readonly subAccounts = new MemorySubAccounts();
  readonly contents = new MemoryContents();
  readonly blockedNumbers = new MemoryBlockedNumbers();
  readonly usage = new MemoryUsageCounters();
  readonly endpointHealths = new MemoryEndpointHealths();
  readonly deliveries = new MemoryDeliveries(this.clock);
  readonly callbackQueue = new MemoryCallbackQueue();
  readonly handler: ApiHandler;

  private constructor(ports: Partial<AdminDependencies>) {
    const { clock, directory, users, subAccounts, contents, blockedNumbers, usage } = this;
    const { endpointHealths, deliveries, callbackQueue } = this;
    this.handler = createHandler({
      authenticateUser: createAuthenticateUser({ directory, users, subAccounts, clock }),
      openApiDocument: () => DOCUMENT,
      directory,
      users,
      subAccounts,
      contents,
      blockedNumbers,
      usage,
      endpointHealths,
      deliveries,
      callbackQueue,
      callbackRetentionMs: 7 * 86_400_000,
      clock,
      randomness: new CountingRandomness(),
      endpointPolicy: { protocols: ["https"], allowLoopback: false },
      ...ports,
    });
  }

  static async create(ports: Partial<AdminDependencies> = {}): Promise<TestAdmin> {
    const api = new TestAdmin(ports);
    api.directory.accounts.set("acme", sampleAccount());
    api.directory.accounts.set("other", sampleAccount({ account: "other" }));
    await api.subAccounts.insertSubAccount(sampleSubAccount());
    await api.users.insertUser(sampleUser());
    await api.users.insertUser(
      sampleUser({
        username: "clerk",
        email: "clerk@acme.example",
        role: "regular",
        subAccount: "Sales",
      }),
    );
    await api.users.insertUser(
      sampleUser({ account: "other", username: "rival", email: "rival@other.example" }),
    );
    return api;
  }

  /** Gives an account one of everything, under the same names in each. */
  async furnish(account: string): Promise<void> {
    const { clock, contents, subAccounts, blockedNumbers, users } = this;
    const createdAt = clock.now();
    const common = { version: 1, account, createdAt } as const;
    await subAccounts.insertSubAccount(sampleSubAccount({ account, subAccount: "Secret" }));
    await users.insertUser(
      sampleUser({ account, username: `${account}-secret`, email: `secret@${account}.example` }),
    );
    await contents.putTemplate({ ...common, templateId: 77, name: "secret", text: "secret" });
    await contents.putFlow({ ...common, flowId: "secret", text: "secret" });
    await contents.insertCampaign({ ...common, campaignId: 77, alias: "secret" });
    this.directory.endpoints.push(
      sampleEndpoint({
        account,
        endpointId: "secret",
        headers: { authorization: "Bearer hash" },
        secrets: [{ secret: "whsec_hash", createdAt }],
      }),
    );
    const key = { account, endpointId: "secret", subject: "secret", level: "sent" } as const;
    await this.deliveries.insert(sampleDelivery(createdAt, { ...key, state: "failed" }));
    await blockedNumbers.block({ ...common, number: NUMBER });
    await blockedNumbers.optOut({ account, number: NUMBER, at: createdAt, origin: "secret" });
  }

  /** Answers a request as Lambda's wrapper does, and checks that the answer is as the document describes it. */
  async call({ headers, ...given }: Partial<ApiRequest>): Promise<ApiResponse> {
    const request: ApiRequest = {
      method: "GET",
      path: `${BASE}/account`,
      query: {},
      body: Buffer.from(""),
      sourceIp: "192.0.2.1",
      ...given,
      headers: { "content-type": "application/json", ...as("boss"), ...headers },
    };
    const response = await this.handler
      .handle(request)
      .catch((error) => this.handler.onError(request, error));
    expectDescribed(request, response);
    return response;
  }

  /** Calls a path under `/admin/v1`, as `boss` of `acme` unless told otherwise. */
  ask(method: string, path: string, body?: unknown, request: Partial<ApiRequest> = {}) {
    const text = typeof body === "string" ? body : JSON.stringify(body);
    return this.call({ method, path: `${BASE}${path}`, body: Buffer.from(text ?? ""), ...request });
  }

  get(path: string, query: ApiRequest["query"] = {}) {
    return this.ask("GET", path, undefined, { query });
  }
}

/** The route that a request is for, as the OpenAPI document sees it. */
export function routeOf(method: string, path: string): Route | undefined {
  return ROUTES.filter((route) => route.method === method).find((route) => {
    const pattern = route.path.replace("{alias}", ".+").replaceAll(/\{\w+\}/g, "[^/]+");
    return new RegExp(`^${BASE}${pattern}/?$`, "s").test(path);
  });
}

/** Whether an answer is one that the OpenAPI document tells of: its status, and all that is in it. */
function expectDescribed({ method, path }: ApiRequest, { status, body }: ApiResponse) {
  const route = routeOf(method, path);
  if (status >= 400) expect(errorAnswer.strict().parse(body)).toEqual(body);
  if (!route) return;
  const { paths } = description as { paths: Record<string, Record<string, object>> };
  const operation = paths[`${BASE}${route.path}`]?.[method.toLowerCase()];
  expect(operation).toHaveProperty(["responses", String(status)]);
  if (status >= 400) return;
  if (route.answer) expect(route.answer.parse(body)).toEqual(body);
  else expect(body).toBe("");
}

export const codeOf = ({ status, body }: ApiResponse) =>
  `${status} ${(body as { errorCode?: string }).errorCode ?? ""}`.trim();

export const messageOf = ({ body }: ApiResponse) =>
  (body as { errorMessage?: string }).errorMessage ?? "";

const GOOD: readonly (readonly [method: string, path: string, body?: unknown])[] = [
  ["GET", "/account"],
  ["PATCH", "/account", { transliterate: true }],
  ["GET", "/limits"],
  ["PATCH", "/limits", { perDay: 10 }],
  ["GET", "/sub-accounts"],
  ["POST", "/sub-accounts", { subAccount: "New" }],
  ["GET", "/sub-accounts/Secret"],
  ["PATCH", "/sub-accounts/Secret", { optOut: { enabled: false } }],
  ["GET", "/sub-accounts/Secret/limits"],
  ["PATCH", "/sub-accounts/Secret/limits", { prepaid: true }],
  ["POST", "/sub-accounts/Secret/credit", { parts: 5 }],
  ["DELETE", "/sub-accounts/Secret"],
  ["GET", "/users"],
  ["POST", "/users", { username: "new", role: "admin" }],
  ["GET", "/users/acme-secret"],
  ["PATCH", "/users/acme-secret", { timeZone: "Asia/Tokyo" }],
  ["POST", "/users/acme-secret/token", {}],
  ["DELETE", "/users/acme-secret"],
  ["GET", "/templates"],
  ["POST", "/templates", { name: "a", text: "b" }],
  ["GET", "/templates/77"],
  ["PATCH", "/templates/77", { text: "c" }],
  ["DELETE", "/templates/77"],
  ["GET", "/campaigns"],
  ["POST", "/campaigns", { alias: "new" }],
  ["GET", "/campaigns/secret"],
  ["DELETE", "/campaigns/secret"],
  ["GET", "/flows"],
  ["POST", "/flows", { text: "a" }],
  ["GET", "/flows/secret"],
  ["PUT", "/flows/secret", { text: "b" }],
  ["DELETE", "/flows/secret"],
  ["GET", "/endpoints"],
  ["POST", "/endpoints", { url: "https://acme.example/" }],
  ["GET", "/endpoints/secret"],
  ["PATCH", "/endpoints/secret", { events: ["any"], headers: { "x-key": "secret" } }],
  ["POST", "/endpoints/secret/secret", { overlapMinutes: 5 }],
  ["PUT", "/endpoints/secret/state", { state: "paused" }],
  ["POST", "/endpoints/secret/test"],
  ["POST", "/endpoints/secret/replay", { since: "2026-03-01T00:00:00Z" }],
  ["GET", "/callbacks"],
  ["GET", `/callbacks/${CALLBACK}`],
  ["POST", `/callbacks/${CALLBACK}/replay`],
  ["POST", "/callbacks/replay", { since: "2026-03-01T00:00:00Z" }],
  ["DELETE", "/endpoints/secret"],
  ["GET", "/blocked-numbers"],
  ["PUT", `/blocked-numbers/${NUMBER}`],
  ["DELETE", `/blocked-numbers/${NUMBER}`],
  ["GET", "/opt-outs"],
  ["PUT", `/opt-outs/${NUMBER}`],
  ["DELETE", `/opt-outs/${NUMBER}`],
];

/** Every route with a good request to it, given what `furnish` has put into the account. */
export const GOOD_REQUESTS = GOOD.map(
  ([method, path, body]) => [method, path, body] as [string, string, unknown],
);
