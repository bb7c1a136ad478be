import { randomInt, randomUUID } from "node:crypto";
import { SQSClient } from "@aws-sdk/client-sqs";
import { inject } from "vitest";
import { EMULATOR_CREDENTIALS } from "../../../bin/aws-target.ts";
import { openDirectory } from "../../../bin/directory-client.ts";
import { createSandboxOutbox } from "../../../functions/adapters/carriers/sandbox-outbox.ts";
import { createDocumentClient } from "../../../functions/adapters/dynamodb/client.ts";
import { createCarrierEventsQueue } from "../../../functions/adapters/sqs/carrier-events-queue.ts";
import type { AccountSettings, EndpointEvent } from "../../../functions/core/account.ts";
import {
  addEndpoint,
  changeAccountSettings,
  createAccount,
} from "../../../functions/core/accounts.ts";
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

const carrierEvents = createCarrierEventsQueue({
  client: new SQSClient(clientConfig),
  queueUrl: stack.outputs.CarrierEventsQueueUrl,
});

/** Has a phone send an SMS to us, as `sandbox reply` does. */
export async function replyFrom(
  phone: string,
  text: string,
  more: { shortCode?: string; carrierMessageId?: string; at?: number } = {},
): Promise<void> {
  const { shortCode = "27182", carrierMessageId = randomUUID(), at = systemClock.now() } = more;
  await carrierEvents.enqueue({
    type: "mo",
    carrier: "sandbox",
    carrierMessageId,
    from: phone,
    shortCode,
    text,
    at,
    operator: "Claro",
  });
}

/** A number that no other test sends to. @param lastFour what the sandbox carrier does with it */
export const phoneOfOurOwn = (lastFour = "1111") => `55199${randomInt(1_000, 9_999)}${lastFour}`;

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

  static async create(settings: Partial<AccountSettings> = {}): Promise<TestAccount> {
    const { account, password } = await createAccount(directory, {
      account: `test-${randomUUID()}`,
      country: "BR",
    });
    await changeAccountSettings(directory, account, settings);
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

  /** `POST /api/send-sms-multiple` with these messages: an answer per message. */
  async sendMany(messages: readonly object[], more: object = {}): Promise<HttpAnswer> {
    const answer = await this.post("/api/send-sms-multiple", {
      sendSmsMultiRequest: { messages, defaultValues: { messageText: "Hello" }, ...more },
    });
    return { ...answer, body: answer.body.sendSmsMultiResponse.sendSmsResponseList };
  }

  /** `POST /api/cancel-sms/id/{id}`: the two codes, as `09/002`. */
  async cancel(id: string): Promise<string> {
    const { body } = await this.post(`/api/cancel-sms/id/${encodeURIComponent(id)}`, "");
    return `${body.cancelSmsResp.statusCode}/${body.cancelSmsResp.detailCode}`;
  }

  /** `POST /api/received/list`: the MOs that are new. */
  async listReceived(): Promise<HttpAnswer["body"][]> {
    const { body } = await this.post("/api/received/list", "");
    return body.receivedResponse.receivedMessages;
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
