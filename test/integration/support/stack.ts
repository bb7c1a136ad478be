import { randomUUID } from "node:crypto";
import { inject } from "vitest";
import { EMULATOR_CREDENTIALS } from "../../../bin/aws-target.ts";
import { openDirectory } from "../../../bin/directory-client.ts";
import { createSandboxOutbox } from "../../../functions/adapters/carriers/sandbox-outbox.ts";
import { createDocumentClient } from "../../../functions/adapters/dynamodb/client.ts";
import type { EndpointEvent } from "../../../functions/core/account.ts";
import { addEndpoint, createAccount } from "../../../functions/core/accounts.ts";
import type { CallbackOption } from "../../../functions/core/message.ts";
import { systemClock } from "../../../functions/runtime/system.ts";

/** The stack that the tests share. */
export const stack = inject("deployedStack");

/** How the tests' own SDK clients reach it. */
export const clientConfig = {
  endpoint: stack.endpointUrl,
  region: stack.region,
  credentials: EMULATOR_CREDENTIALS,
};

const directory = openDirectory(stack.outputs, clientConfig);

/** What the sandbox carrier was handed. */
export const outbox = createSandboxOutbox({
  client: createDocumentClient(clientConfig),
  tableName: stack.outputs.SandboxOutboxTableName ?? "",
  clock: systemClock,
});

/** An answer over HTTP. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: what comes over the wire is what is being tested.
  readonly body: any;
}

/** An account of a test's own, calling the API as a client application does. */
export class TestAccount {
  private constructor(
    readonly name: string,
    readonly password: string,
  ) {}

  static async create(): Promise<TestAccount> {
    const { account, password } = await createAccount(directory, {
      account: `test-${randomUUID()}`,
      country: "BR",
    });
    return new TestAccount(account, password);
  }

  get authorization(): string {
    return `Basic ${Buffer.from(`${this.name}:${this.password}`).toString("base64")}`;
  }

  async request(path: string, init: RequestInit = {}): Promise<HttpAnswer> {
    const response = await fetch(`${stack.apiUrl}${path}`, {
      ...init,
      headers: { authorization: this.authorization, ...init.headers },
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, body: JSON.parse(text) };
  }

  /** `POST /api/send-sms` with these fields, a number that is delivered at once, and a text. */
  sendSms(fields: object): Promise<HttpAnswer> {
    return this.post("/api/send-sms", {
      sendSmsRequest: { destination: "5519900001111", messageText: "Hello", ...fields },
    });
  }

  post(path: string, body: unknown): Promise<HttpAnswer> {
    return this.request(path, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: typeof body === "string" ? body : JSON.stringify(body),
    });
  }

  async status(
    id: string,
  ): Promise<{ statusCode: string; detailCode: string } & HttpAnswer["body"]> {
    const answer = await this.request(`/api/get-sms-status/id/${encodeURIComponent(id)}`);
    return answer.body.getSmsStatusResp;
  }

  /** The two codes of a message's status, as `03/120`. */
  async codes(id: string): Promise<string> {
    const { statusCode, detailCode } = await this.status(id);
    return `${statusCode}/${detailCode}`;
  }

  async addEndpoint(
    url: string,
    options: { events?: EndpointEvent[]; callbackOption?: CallbackOption } = {},
  ) {
    const { events = ["sent", "delivered", "received"], callbackOption = "ALL" } = options;
    const request = { account: this.name, url, events, callbackOption };
    return addEndpoint(directory, request, stack.outputs.EndpointProtocols);
  }
}
