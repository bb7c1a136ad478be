import { randomUUID } from "node:crypto";
import { openDirectory } from "../../../bin/directory-client.ts";
import { createDocumentClient } from "../../../functions/adapters/dynamodb/client.ts";
import { createSubAccounts } from "../../../functions/adapters/dynamodb/sub-accounts.ts";
import { createUsers } from "../../../functions/adapters/dynamodb/users.ts";
import {
  type AccountSettingsChange,
  changeAccountSettings,
  createAccount,
} from "../../../functions/core/accounts.ts";
import {
  addEndpoint,
  type EndpointRequest,
  type NewSigningSecret,
} from "../../../functions/core/endpoints.ts";
import { createSubAccount } from "../../../functions/core/sub-accounts.ts";
import type { UserRole } from "../../../functions/core/user.ts";
import { createUser } from "../../../functions/core/users.ts";
import { callbacks, clientConfig, type HttpAnswer, stack } from "./stack.ts";

const table = {
  client: createDocumentClient(clientConfig),
  tableName: stack.outputs.DirectoryTableName,
};
const access = {
  ...openDirectory(stack.outputs, clientConfig),
  users: createUsers(table),
  subAccounts: createSubAccounts(table),
  offers: stack.outputs.CarrierOffers,
};

/** A user of a test's own, and what it authenticates with. */
interface TestUser {
  readonly username: string;
  readonly email: string;
  readonly token: string;
}

async function userOf(account: string, role: UserRole, subAccount?: string): Promise<TestUser> {
  const username = `${role}-${randomUUID()}`;
  const email = `${username}@example.com`;
  const { token } = await createUser(access, { account, username, email, role, subAccount });
  return { username, email, token };
}

/**
 * An account of a test's own with a sub-account, a regular user of that and an administrator, who
 * call the Wavy API as client applications do.
 */
export class TestWavyAccount {
  private constructor(
    readonly name: string,
    /** That of the regular user. */
    readonly subAccount: string,
    readonly users: Readonly<Record<UserRole, TestUser>>,
  ) {}

  static async create({
    subAccount = "Marketing",
    ...settings
  }: AccountSettingsChange & { subAccount?: string } = {}): Promise<TestWavyAccount> {
    const { account } = await createAccount(access, {
      account: `test-${randomUUID()}`,
      country: "BR",
    });
    await changeAccountSettings(access, account, settings);
    await createSubAccount(access, { account, subAccount });
    const [regular, admin] = await Promise.all([
      userOf(account, "regular", subAccount),
      userOf(account, "admin"),
    ]);
    return new TestWavyAccount(account, subAccount, { regular, admin });
  }

  /** Another sub-account, without users. */
  async addSubAccount(subAccount: string): Promise<void> {
    await createSubAccount(access, { account: this.name, subAccount });
  }

  /** A request with the user's name and token, and these headers beside them or in their place. */
  async request(
    path: string,
    { headers, ...init }: RequestInit & { headers?: Record<string, string> } = {},
    as: UserRole = "regular",
  ): Promise<HttpAnswer> {
    const { username, token } = this.users[as];
    const response = await fetch(`${stack.apiUrl}${path}`, {
      ...init,
      headers: { username, authenticationtoken: token, ...headers },
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, body: JSON.parse(text) };
  }

  get(path: string, as?: UserRole): Promise<HttpAnswer> {
    return this.request(path, {}, as);
  }

  post(path: string, body: unknown, as?: UserRole): Promise<HttpAnswer> {
    const init = {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: typeof body === "string" ? body : JSON.stringify(body),
    };
    return this.request(path, init, as);
  }

  /** `POST /v1/send-sms` with these fields, a number that is delivered at once, and a text. */
  send(fields: object = {}, as?: UserRole): Promise<HttpAnswer> {
    const defaults = { destination: "5519900001111", messageText: "Hello" };
    return this.post("/v1/send-sms", { ...defaults, ...fields }, as);
  }

  /** `POST /v1/send-bulk-sms`. */
  sendBulk(body: unknown, as?: UserRole): Promise<HttpAnswer> {
    return this.post("/v1/send-bulk-sms", body, as);
  }

  /** `GET /v1/sms-status?id=`: the status of one message, as far as the limit of status queries lets it through. */
  async status(id: string, as?: UserRole): Promise<HttpAnswer["body"]> {
    const { body } = await this.get(`/v1/sms-status?id=${encodeURIComponent(id)}`, as);
    return body;
  }

  addEndpoint(
    url: string,
    options: Omit<EndpointRequest, "account" | "url"> = {},
  ): Promise<NewSigningSecret> {
    return addEndpoint(access, { account: this.name, url, ...options }, callbacks.endpointPolicy);
  }
}
