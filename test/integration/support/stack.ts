import { randomInt, randomUUID } from "node:crypto";
import { SQSClient } from "@aws-sdk/client-sqs";
import { inject } from "vitest";
import { EMULATOR_CREDENTIALS } from "../../../bin/aws-target.ts";
import { openCallbacks, openDirectory } from "../../../bin/directory-client.ts";
import { createSandboxOutbox } from "../../../functions/adapters/carriers/sandbox/outbox.ts";
import { createDocumentClient } from "../../../functions/adapters/dynamodb/client.ts";
import { createCarrierEventsQueue } from "../../../functions/adapters/sqs/carrier-events-queue.ts";
import type { AccountSettings } from "../../../functions/core/account.ts";
import { changeAccountSettings, createAccount } from "../../../functions/core/accounts.ts";
import {
  addEndpoint,
  type EndpointRequest,
  type NewSigningSecret,
} from "../../../functions/core/endpoints.ts";
import { systemClock } from "../../../functions/runtime/system.ts";

/** The stack that the tests share. */
export const stack = inject("deployedStack");

/**
 * How the tests' own SDK clients reach it: with more patience than functions have, because they ask
 * for hundreds of things at once, on a machine that does all the rest, too.
 */
export const clientConfig = {
  endpoint: stack.endpointUrl,
  region: stack.region,
  credentials: EMULATOR_CREDENTIALS,
  requestHandler: { connectionTimeout: 10_000, requestTimeout: 20_000 },
};

const directory = openDirectory(stack.outputs, clientConfig);

/** The callbacks of the stack, and what endpoints may be in it. */
export const callbacks = openCallbacks(stack.outputs, clientConfig);

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

/** So many that there are numbers enough for all tests. */
const AREA_CODES = [
  11, 12, 13, 14, 15, 16, 17, 18, 19, 21, 22, 24, 27, 28, 31, 32, 33, 34, 35, 37, 38, 41, 42, 43,
  44, 45, 46, 47, 48, 49, 51, 53, 54, 55, 61, 62, 63, 64, 65, 66, 67, 68, 69, 71, 73, 74, 75, 77,
  79, 81,
];

/** A number that no other test sends to. @param lastFour what the sandbox carrier does with it */
export const phoneOfOurOwn = (lastFour = "1111") =>
  `55${AREA_CODES[randomInt(AREA_CODES.length)]}9${randomInt(1_000, 9_999)}${lastFour}`;

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
    await changeAccountSettings(
      { ...directory, offers: stack.outputs.CarrierOffers },
      account,
      settings,
    );
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

  addEndpoint(
    url: string,
    options: Omit<EndpointRequest, "account" | "url"> = {},
  ): Promise<NewSigningSecret> {
    return addEndpoint(
      directory,
      { account: this.name, url, ...options },
      callbacks.endpointPolicy,
    );
  }
}
